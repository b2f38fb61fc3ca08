"""What is said and drawn of warnings: the test of them, and a model that was trained to make them."""
