"""Breakout."""
