"""What became of incidents, such as an arrest: rates, models, and what their figures are made of.

The fourth source system: crimes joined to weather and census, and a network that says how likely an arrest is.
"""
