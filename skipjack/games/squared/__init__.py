"""Squared."""
