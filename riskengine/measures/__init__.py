"""Numbers from forecasts and outcomes: metrics, labels, intervals of differences. Knows no model."""
