"""The models of outcomes, each a `Predictor`: tables of rates, logistic regression, boosting, the published ones."""
