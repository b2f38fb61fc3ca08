"""The dialog of *Import incidents*."""
