"""Truncation."""
