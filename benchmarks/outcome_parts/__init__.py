"""Parts of the benchmark of outcomes, a module each."""
