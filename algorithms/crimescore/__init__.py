"""Toolbox group Crime score: an index of incidents and the scores read from it."""
