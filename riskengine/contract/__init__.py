"""What both sides must agree on; standard library only, so that QGIS's Python reads it too."""
