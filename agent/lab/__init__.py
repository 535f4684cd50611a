"""A small mail world on loopback, with faults that can be switched on by name."""
