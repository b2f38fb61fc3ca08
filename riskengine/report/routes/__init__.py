"""Pages of the tools of the group Routes: what ways cost and save, and whether that held."""
