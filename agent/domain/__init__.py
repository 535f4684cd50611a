"""What is true about mail, without I/O: no sockets, no clock, no framework."""
