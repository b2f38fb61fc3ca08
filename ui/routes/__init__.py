"""The dock "Less exposed routes"."""
