"""Toolbox group Incidents: from files to points."""
