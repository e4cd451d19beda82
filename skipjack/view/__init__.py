"""Watching and playing: an env's scene in a window, a browser, or as pixels and videos.

A session (`session`) plays an env and composes what is to be seen into one scene (`panel`); a screen
(`screen.Screen`: a window, a browser) shows it and tells which keys are down. Nothing here is
imported by training, and each library is imported where it is used.
"""
