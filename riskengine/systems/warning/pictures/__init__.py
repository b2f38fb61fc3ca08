"""Pictures of windows, as published: a dot for each incident of two hours on the outlines of a city's areas."""
