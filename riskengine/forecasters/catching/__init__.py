"""Forecasters made for the catch: which few places will have the most incidents in a window as a whole."""
