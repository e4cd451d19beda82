"""The first-party games, one folder each: rules.pyx, env.py and presets."""
