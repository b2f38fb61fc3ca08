"""Hotspot forecast by ConvLSTM on binary maps, after the second seed system, without its leaks.

The published system reads 16 daily binary maps and forecasts the next one. This one keeps the ConvLSTM, the binary
maps, the window of 16 and the weighted cross-entropy, and differs in four ways, each for a reason:

- the logit of the causal running mean of each cell is added to the network's output, which starts at zero: training
  starts at the forecast of the prior share and departs from it only where the past supports it;
- every step of a window is a target, not only the last, so one pass teaches sequence_length times as much;
- gaps are never filled from the future: an unobserved map is shown as the running mean and is never a target;
- the probability is corrected for the weight of the loss, so the risk is a probability.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from .. import bins as timebins
from ..context import JobContext
from ..errors import DataError, ParameterError
from ..evaluation.metrics import log_loss
from ..heatmaps import Heatmaps
from .base import Forecaster, Maps, check_history, check_steps, incident_maps
from .causal import LOGIT_SCALE, Sequence, calendar, causal_sequence
from .network import ConvLSTMNetwork
from .threads import prepare_torch, repeatable, workers
from .training import Curves, Schedule, TrainingStack, train

if TYPE_CHECKING:
    from typing_extensions import Self

#: The automatic weight of an event never exceeds this.
MOST_WEIGHT = 3.0


class ConvLSTMForecaster(Forecaster):
    """ConvLSTM over binary maps with a causal prior.

    Parameters
    ----------
    sequence_length : int
        Maps in a training window. A forecast reads between one and two windows before it, and the running mean of
        everything before.
    channels, layers, kernel : int
        Of the ConvLSTM cells.
    epochs, learning_rate, batch_size : int, float, int
        See `Schedule`.
    positive_weight : float, optional
        Weight of a cell with an incident in the loss. By default (1 - p) / p for the share p of such cells, at most
        `MOST_WEIGHT`. The probabilities are corrected for it.
    threshold : int
        Incidents in a cell and bin that count as an event.
    validation_share : float
        The last share of the history, kept from training to choose the epoch whose weights are kept.
    seed : int
        The same seed gives the same weights on the same CPU; on a GPU as far as torch has operations that repeat
        exactly (it warns where not).
    schedule : Schedule, optional
        Overrides the finer points of training.

    Attributes
    ----------
    network_ : ConvLSTMNetwork
    curves_ : Curves
        Losses per epoch.
    weight_ : float
        Weight of an event that was used.
    trained_maps_ : int
        Maps of the history that were targets of training; those after it, up to `fitted_maps_`, chose the epoch.
    fitted_maps_ : int

    Examples
    --------
    >>> model = ConvLSTMForecaster(epochs=5).fit(heatmaps.before(292))  # doctest: +SKIP
    >>> risk = model.predict(heatmaps, steps=1)  # doctest: +SKIP
    """

    name = "convlstm"

    def __init__(
        self,
        sequence_length: int = 16,
        channels: int = 16,
        layers: int = 2,
        kernel: int = 3,
        epochs: int = 30,
        learning_rate: float = 1e-3,
        batch_size: int = 8,
        positive_weight: float | None = None,
        threshold: int = 1,
        validation_share: float = 0.2,
        seed: int = 0,
        schedule: Schedule | None = None,
    ) -> None:
        for name, number in (
            ("sequence_length", sequence_length),
            ("channels", channels),
            ("layers", layers),
            ("epochs", epochs),
            ("learning_rate", learning_rate),
            ("batch_size", batch_size),
            ("positive_weight", 1.0 if positive_weight is None else positive_weight),
            ("threshold", threshold),
        ):
            if not number > 0:
                raise ParameterError(
                    f"{name} is {number}; it must be greater than 0",
                    parameter=name,
                    value=number,
                    remedy="Give a positive number",
                )
        self.sequence_length = sequence_length
        self.channels = channels
        self.layers = layers
        self.kernel = kernel
        self.positive_weight = positive_weight
        self.threshold = threshold
        self.validation_share = validation_share
        self.seed = seed
        self.schedule = schedule or Schedule(
            epochs=epochs,
            learning_rate=learning_rate,
            batch_size=batch_size,
            sequence_length=sequence_length,
            stride=max(sequence_length // 4, 1),
            seed=seed,
        )

    @property
    def least_maps(self) -> int:  # type: ignore[override]
        """A window, its target, and a few maps to validate on."""
        return self.sequence_length + 1 + max(4, self.sequence_length // 4)

    def build(self) -> ConvLSTMNetwork:
        """An untrained network of this architecture."""
        return ConvLSTMNetwork(self.channels, self.layers, self.kernel)

    def fit(self, history: Heatmaps, context: JobContext | None = None) -> Self:
        """Train on the first part of `history`, choosing the epoch on its last `validation_share`."""
        context = context or JobContext()
        check_history(history, self.least_maps)
        device = prepare_torch(self.seed)
        events = incident_maps(history, self.threshold)
        maps = len(events)
        trained = min(maps - max(round(maps * self.validation_share), 1), maps - 1)
        trained = max(trained, self.sequence_length + 1)
        anchor = self._anchor(trained)
        # float16 halves the largest array of the training; validation and forecasts read float32.
        training = Sequence(*_cut(history, events, trained))
        validation, _ = causal_sequence(events, history.observed, history.mask, history.edges, anchor)
        if not history.observed[1:trained].any() or not history.observed[trained:].any():
            raise DataError(
                f"No map before {history.edges[trained]} was observed, or none after it",
                parameter="heatmaps",
                remedy="Use a period in which most maps were observed",
            )
        share = float(events[:trained][history.observed[:trained]][:, history.mask].mean())
        self.weight_ = (
            min(max((1 - share) / max(share, 1e-9), 1.0), MOST_WEIGHT)
            if self.positive_weight is None
            else float(self.positive_weight)
        )
        self.network_ = self.build().to(device)
        self.trained_maps_, self.fitted_maps_ = trained, maps
        targets = history.observed[trained:]
        truth = events[trained:][targets][:, history.mask]

        def validate() -> float:
            risk = self._run(validation, anchor, trained, context)[targets][:, history.mask]
            return log_loss(risk, truth)

        stack = TrainingStack(training, events[:trained], history.observed[:trained], history.mask)
        with repeatable(device), workers(device) as pool:
            self.curves_: Curves = train(self.network_, stack, validate, self.schedule, self.weight_, context, pool)
        return self

    def predict(self, history: Heatmaps, steps: int = 1, context: JobContext | None = None) -> Maps:
        """Forecast the bins after `history`; NaN outside the study area.

        Beyond the first bin the forecast is iterated: the model is shown its own forecast in place of the maps
        that have not happened yet, which is their expectation.
        """
        context = context or JobContext()
        check_steps(steps)
        events = incident_maps(history, self.threshold)
        maps = len(events)
        anchor = self._anchor(maps)
        past, state = causal_sequence(events, history.observed, history.mask, history.edges, anchor)
        known = len(past.inputs)
        inputs = np.concatenate([past.inputs, np.empty((steps, *past.inputs.shape[1:]), dtype=np.float32)])
        surroundings = np.concatenate([past.context, np.empty((steps, past.context.shape[1]), dtype=np.float32)])
        edges = np.concatenate([history.edges[:-1], timebins.next_edges(history.edges, history.bin, steps)])
        days = calendar(edges, maps + steps)
        risk = np.full((steps, *history.mask.shape), np.nan, dtype=np.float32)
        for step in range(steps):
            context.progress(step / steps, f"Forecasting map {step + 1} of {steps}")
            inputs[known] = state.inputs()
            surroundings[known] = np.concatenate([state.surroundings(), days[maps + step]])
            known += 1
            risk[step] = self._run(Sequence(inputs[:known], surroundings[:known]), anchor, maps + step, context)[0]
            state.update(risk[step])
        risk[:, ~history.mask] = np.nan
        return risk

    def predict_each(self, heatmaps: Heatmaps, first: int, context: JobContext | None = None) -> Maps:
        """One-step-ahead forecasts of every map from `first` on, in one pass over the stack."""
        anchor = self._anchor(first)
        events = incident_maps(heatmaps, self.threshold)
        sequence, _ = causal_sequence(events, heatmaps.observed, heatmaps.mask, heatmaps.edges, anchor)
        risk = self._run(sequence, anchor, first, context)
        risk[:, ~heatmaps.mask] = np.nan
        return risk

    def _anchor(self, target: int) -> int:
        """First map whose inputs the network reads to forecast map `target`.

        Anchors are multiples of the window, one window back: each forecast reads at least one and less than two
        windows, and depends on nothing but the number of maps before it. So a long stack can be forecast in
        batches with the same result as one map at a time.
        """
        return max((target // self.sequence_length - 1) * self.sequence_length, 0)

    def _run(self, sequence: Sequence, start: int, first: int, context: JobContext | None = None) -> Maps:
        """Probabilities of maps `first` to the end of `sequence`, whose first entry belongs to map `start`."""
        context = context or JobContext()
        length, end = self.sequence_length, start + len(sequence.inputs)
        device = next(self.network_.parameters()).device
        risk = np.empty((end - first, *sequence.inputs.shape[2:]), dtype=np.float32)

        def forecast(low: int) -> None:
            """Fill in the maps of the window that starts at `low`."""
            context.check_cancelled()
            anchor, high = self._anchor(low), min(low + length, end)
            inputs = sequence.inputs[anchor - start : high - start, None]
            surroundings = sequence.context[anchor - start : high - start, None]
            with torch.inference_mode():
                departure, _ = self.network_(
                    torch.from_numpy(inputs).to(device), torch.from_numpy(surroundings).to(device)
                )
            low = max(low, first)
            logits = (departure[:, 0].cpu().numpy() + inputs[:, 0, 1] * LOGIT_SCALE)[low - anchor :]
            risk[low - first : high - first] = 1 / (1 + np.exp(-logits))

        with workers(device) as pool:
            list(pool.map(forecast, range(first // length * length, end, length)))
        return risk


def _cut(history: Heatmaps, events: NDArray[np.uint8], maps: int) -> tuple[NDArray[np.floating], NDArray[np.float32]]:
    sequence, _ = causal_sequence(events[:maps], history.observed[:maps], history.mask, history.edges, dtype=np.float16)
    return sequence.inputs, sequence.context
