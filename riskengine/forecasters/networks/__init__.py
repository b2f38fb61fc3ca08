"""Forecasters that are neural networks on a grid."""
