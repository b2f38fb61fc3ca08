"""Forecasters of the form level × calendar × place: how busy the city is now, when it is busy, and where."""
