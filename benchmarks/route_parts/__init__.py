"""Parts of the benchmark of routes, a module each."""
