"""Parts of the benchmark of warnings."""
