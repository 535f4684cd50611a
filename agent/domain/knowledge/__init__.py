"""What Microsoft and others have published, as data that a release can change."""
