"""Risks that can be looked up anywhere: a density of incidents, rasters, areas, scored places."""
