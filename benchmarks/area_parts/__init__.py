"""Parts of the benchmark of areas."""
