"""Everything between QGIS and the engine: its environment, its process, layers and rasters."""
