"""The MOBA: two teams of heroes, their creeps and their towers."""
