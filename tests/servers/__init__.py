"""Real little servers for the tests, on loopback and free ports."""
