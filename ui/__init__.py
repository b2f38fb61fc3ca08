"""What Crime Risk adds to the windows of QGIS."""
