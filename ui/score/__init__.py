"""The crime score dock: ask a place, see the answer."""
