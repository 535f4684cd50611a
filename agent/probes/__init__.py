"""One file for each kind of measurement; found by a package scan."""
