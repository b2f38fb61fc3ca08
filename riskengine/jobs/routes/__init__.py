"""Jobs of the group Routes."""
