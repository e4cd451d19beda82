"""Multiagent."""
