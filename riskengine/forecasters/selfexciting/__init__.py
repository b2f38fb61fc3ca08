"""The self-exciting forecaster: background plus triggering, fitted by EM."""
