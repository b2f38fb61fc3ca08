"""Styles of streets and ways."""
