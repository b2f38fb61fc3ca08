"""Space and time: grids, bins, heatmaps, study area, period, gaps, risk rasters and their classes."""
