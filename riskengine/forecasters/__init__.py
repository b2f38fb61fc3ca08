"""Forecasters: from prior counts to ConvLSTM, all of one contract (see :mod:`riskengine.forecasters.base`)."""
