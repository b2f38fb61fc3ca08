"""What both sides must agree on: the engine and QGIS read it alike. Standard library only."""
