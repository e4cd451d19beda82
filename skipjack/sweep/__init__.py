"""Sweeps: the best score for every amount of training time, on one machine or many."""
