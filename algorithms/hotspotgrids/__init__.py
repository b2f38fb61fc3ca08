"""Toolbox group Hotspot grids: incidents counted per time bin and cell."""
