"""Measuring: envs alone, training, and every preset to its score."""
