"""When checks run, within which limits, and what is known of them."""
