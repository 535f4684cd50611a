"""What a person sees in a browser: rendered here, without a script."""
