"""Stochastic."""
