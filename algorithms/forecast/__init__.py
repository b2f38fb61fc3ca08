"""Toolbox group Forecast: risk of the next time bins."""
