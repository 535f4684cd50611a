"""What people and programs see, and what is rendered from the declarations."""
