"""Password."""
