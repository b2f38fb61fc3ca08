"""Styles of the layers of the group Outcomes."""
