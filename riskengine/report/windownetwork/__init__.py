"""The report of the published early-warning network: what it detects, and what is left where nothing is given away."""
