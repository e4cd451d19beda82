"""Reset leak."""
