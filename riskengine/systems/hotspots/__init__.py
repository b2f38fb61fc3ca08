"""Hotspot forecasts on a grid: the steps that its jobs are made of, and the published way to run a ConvLSTM."""
