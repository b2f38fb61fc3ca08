"""Early warning: the published maps of two hours and their network, and warnings of windows that have not begun."""
