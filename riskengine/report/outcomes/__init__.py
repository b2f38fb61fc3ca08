"""Reports of outcomes of incidents: what rates are made of, and what a model of an outcome tells beyond them."""
