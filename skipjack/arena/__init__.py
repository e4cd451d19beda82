"""Frozen policies against each other: ratings, opponents, matches. Games' results are all they know."""
