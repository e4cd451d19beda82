"""Other people's environments as engines: Gymnasium, PettingZoo, the old gym, vector envs."""
