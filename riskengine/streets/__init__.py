"""Street networks: from lines to nodes and edges, what is wrong with them, and the graph that ways are found in."""
