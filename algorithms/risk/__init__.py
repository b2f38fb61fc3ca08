"""Toolbox group Risk: from probabilities to classes."""
