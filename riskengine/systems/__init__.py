"""The published systems, a room each: what is a system's own. They never import each other."""
