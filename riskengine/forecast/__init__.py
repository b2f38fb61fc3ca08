"""Forecasters: from prior counts to ConvLSTM, all of one contract (see :mod:`riskengine.forecast.base`)."""

from __future__ import annotations

from .base import Forecaster
from .baselines import ConstantForecaster, PriorCounts, PriorShare

__all__ = ["ConstantForecaster", "Forecaster", "PriorCounts", "PriorShare"]
