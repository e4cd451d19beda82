"""Grid: mazes, and worlds of agents."""
