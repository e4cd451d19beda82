"""Atari games: ale-py's emulator as an engine, at its speed. Needs the extra `atari`.

What is written here keeps to Machado et al. 2018, "Revisiting the Arcade Learning Environment", in words and
defaults, but for sticky actions, which are off (docs/atari.md).
"""
