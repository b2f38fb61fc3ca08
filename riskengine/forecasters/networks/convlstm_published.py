"""Hotspot forecast by ConvLSTM as published (Omdena/Safecity 2020, after Holm and Plynning 2018).

Windows of binary maps go in, the risk of the map that follows comes out. Each ConvLSTM layer is followed by 3-D max
pooling, which squashes the sequence until one map is left. The loss is cross-entropy weighted by (1 - p) / p, so what
the network puts out is far above the probability; both the weight and what remains are corrected here by default.

The article gives no layer sizes. Chosen here: every pooling halves time, the first `squash` of them space as well
(most of what a layer costs is its area), and the last map is brought back to the grid bilinearly and read by two
convolutions. Nothing but the maps of the window goes in: the long-run mean of a place is known to this network only as
far as 16 maps show it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit
from torch import Tensor, nn

from ...ground.context import JobContext
from ...ground.damage import ArraySpec
from ...learning.calibration import fit_calibration
from ...learning.settings import check_choice, check_positive
from ...learning.threads import prepare_torch, repeatable, workers
from ...learning.training import Batch, choose_event_weight, compute_weighted_loss, split, train
from ...learning.trainingstate import Schedule
from ...maps import bins as timebins
from ...maps.heatmaps import Heatmaps, require_grid
from ...maps.panel import Panel
from ...measures.metrics import log_loss
from ..base import Maps, check_history, check_steps, mark_events
from .causal import LOGIT_SCALE, Sequence, build_sequence
from .network import PublishedNetwork
from .networkstate import CALIBRATED, NetworkForecaster
from .padding import check_padding, check_reflects, choose_cells
from .windows import TrainingStack, WindowSamples

if TYPE_CHECKING:
    from typing_extensions import Self

#: 100 epochs of Adam at 1e-4 in batches of 8 over every window; the last epoch's weights.
PUBLISHED = Schedule(
    epochs=100, learning_rate=1e-4, batch_size=8, windows=1_000_000, patience=0, keep="last", supervision="windows"
)
#: The same network and loss in minutes: fewer windows and epochs, larger steps, stopped by the validation span.
SHORT = replace(PUBLISHED, epochs=20, learning_rate=1e-3, windows=192, patience=4, keep="best")
SCHEDULES = {"short": SHORT, "published": PUBLISHED}
#: Values of a layer's gates that a forecast holds at once, at most.
_MOST_VALUES = 2**24


class _Windows(WindowSamples):
    """Windows with the map that follows as their target."""

    def loss(self, network: nn.Module, part: Batch, cells: float) -> tuple[Tensor, Tensor]:
        """Compute the output's weighted cross-entropy, and the corrected log-loss minus the running mean's."""
        prior, events, valid = (each[-1] for each in part[2:])
        departure = network(part[0][:, :, 0]) - math.log(self.weight) - prior
        return compute_weighted_loss(departure, prior, events, valid, self.weight, cells)


class PublishedConvLSTM(NetworkForecaster):
    """ConvLSTM with 3-D max pooling over windows of binary maps, as published.

    A map with fewer than `sequence_length` maps before it is forecast by the causal running mean.

    Parameters
    ----------
    sequence_length : int
        Maps in a window.
    channels, kernel : int
        Of the ConvLSTM layers.
    squash : int
        Layers whose pooling halves rows and columns too.
    schedule : {'short', 'published'}
        `SHORT` takes minutes; `PUBLISHED` is 100 epochs at a learning rate of 1e-4.
    epochs : int, optional
        Instead of the schedule's.
    positive_weight : float, optional
        Weight of an event in the loss; by default (1 - p) / p for the share p of events, as published.
    calibrated : bool
        Correct the output for the weight, and calibrate it on the validation span. Without, it is a risk whose order
        alone means something, as published.
    read_filled : bool
        Read maps that were filled in as the file holds them. Linearly filled ones know the map that follows them, so
        with such a stack the forecast looks ahead (published). By default the running mean stands in for them.
    threshold : int
    validation_share : float
    seed : int
    padding : {'zeros', 'replicate', 'reflect', 'ignore'}
        Zeros as published.
    border : int
        Outermost rows and columns left to the running mean with ``padding="ignore"``.

    Attributes
    ----------
    checkpoint : str or None
        File in which `fit` keeps where it stands.
    training : Schedule
    slope_, shift_ : float
        Of the calibration of the corrected logit.
    """

    name = "convlstm_published"
    LEARNED: ClassVar[Mapping[str, ArraySpec]] = {**NetworkForecaster.LEARNED, **CALIBRATED}

    def __init__(
        self,
        sequence_length: int = 16,
        channels: int = 16,
        kernel: int = 3,
        squash: int = 2,
        schedule: str = "short",
        epochs: int | None = None,
        positive_weight: float | None = None,
        calibrated: bool = True,
        read_filled: bool = False,
        threshold: int = 1,
        validation_share: float = 0.2,
        seed: int = 0,
        padding: str = "zeros",
        border: int = 1,
    ) -> None:
        check_positive(
            sequence_length=sequence_length,
            channels=channels,
            epochs=1 if epochs is None else epochs,
            positive_weight=1.0 if positive_weight is None else positive_weight,
            threshold=threshold,
        )
        check_padding(padding, kernel, border)
        check_choice("schedule", schedule, SCHEDULES, "Use short (minutes) or published (100 epochs over every window)")
        self.sequence_length = sequence_length
        self.channels = channels
        self.kernel = kernel
        self.squash = squash
        self.schedule = schedule
        self.epochs = epochs
        self.positive_weight = positive_weight
        self.calibrated = calibrated
        self.read_filled = read_filled
        self.threshold = threshold
        self.validation_share = validation_share
        self.seed = seed
        self.padding = padding
        self.border = border
        chosen = SCHEDULES[schedule]
        self.training = replace(chosen, epochs=epochs or chosen.epochs, sequence_length=sequence_length, seed=seed)

    @property
    def least_maps(self) -> int:  # type: ignore[override]
        """A window, its target, and a few maps to validate on."""
        return self.sequence_length + 2 + max(4, self.sequence_length // 4)

    def build(self) -> PublishedNetwork:
        """Make an untrained network of this architecture."""
        return PublishedNetwork(self.sequence_length, self.channels, self.kernel, self.squash, self.padding)

    def fit(self, history: Panel, context: JobContext | None = None) -> Self:
        """Train on the first part of `history`; its last `validation_share` is watched, and calibrates."""
        history = require_grid(history, self.name)
        context = context or JobContext()
        check_history(history, self.least_maps)
        rows, columns = (min(side, self.training.crop) // 2**self.squash for side in history.mask.shape)
        check_reflects(self.padding, self.kernel, rows, columns)
        scored = choose_cells(history.mask, self.padding, self.border)
        checkpoint = self.open_checkpoint(history)
        device = prepare_torch(self.seed)
        events = mark_events(history, self.threshold)
        trained = split(history, self.validation_share, self.sequence_length + 2)
        past = history.cut(trained)
        first = max(trained - self.sequence_length + 1, 0)
        validation = self._known(history, events, first)
        training = self._known(past, events[:trained], 0, np.float16)
        self.weight_ = choose_event_weight(events[:trained], past.observed, past.mask, self.positive_weight, math.inf)
        self.network_ = self.build().to(device)
        self.trained_maps_, self.fitted_maps_ = trained, len(events)
        self.slope_, self.shift_ = 1.0, 0.0
        observed = history.observed[trained:]
        truth = events[trained:][observed][:, scored]
        mean = expit(validation.inputs[trained - first :, 1] * LOGIT_SCALE)[observed][:, scored]

        def corrected() -> Maps:
            risk: Maps = expit(self._logits(validation.inputs, first, trained, scored, context))
            return risk[observed][:, scored]

        samples = _Windows(
            TrainingStack(training, events[:trained], past.observed, scored), self.training, self.weight_
        )
        with repeatable(device), workers(device) as pool:
            self.curves_ = train(
                self.network_,
                samples,
                lambda: log_loss(corrected(), truth),
                self.training,
                context,
                pool,
                checkpoint,
                validation_start=log_loss(mean, truth),
            )
        if self.calibrated:
            fit = fit_calibration(corrected(), truth)
            self.slope_, self.shift_ = fit.slope, fit.shift
        return self

    def predict(self, history: Panel, steps: int = 1, context: JobContext | None = None) -> Maps:
        """Forecast the bins after `history`; beyond the first it is shown its own forecasts as maps."""
        history = require_grid(history, self.name)
        context = context or JobContext()
        check_steps(steps)
        scored = choose_cells(history.mask, self.padding, self.border)
        maps, length = len(history), self.sequence_length
        events = mark_events(history, self.threshold)
        # One more map, which was not observed: its inputs are what is known before it.
        following = replace(
            history,
            counts=np.concatenate([events, np.zeros_like(events[:1])]),
            edges=np.concatenate([history.edges[:-1], timebins.make_next_edges(history.edges, history.bin, 1)]),
            observed=np.append(history.observed, False),
        )
        first = max(maps - length + 1, 0)
        inputs = self._known(following, following.counts, first).inputs
        risk = np.empty((steps, *history.mask.shape), dtype=np.float32)
        for step in range(steps):
            context.progress(step / steps, f"Forecasting map {step + 1} of {steps}")
            logits = self._logits(inputs, first, maps + step, scored, context)
            risk[step] = self._risk(logits)[0]
            seen = inputs[-1:].copy()
            seen[:, 0] = expit(logits) * history.mask
            inputs = np.concatenate([inputs, seen])
        risk[:, ~history.mask] = np.nan
        return risk

    def predict_each(self, heatmaps: Panel, first: int, context: JobContext | None = None) -> Maps:
        """Forecast every map from `first` on, one step ahead; each window is run through anew, as published."""
        heatmaps = require_grid(heatmaps, self.name)
        scored = choose_cells(heatmaps.mask, self.padding, self.border)
        start = max(first - self.sequence_length + 1, 0)
        inputs = self._known(heatmaps, mark_events(heatmaps, self.threshold), start).inputs
        risk = self._risk(self._logits(inputs, start, first, scored, context or JobContext()))
        risk[:, ~heatmaps.mask] = np.nan
        return risk

    def _known(
        self, history: Heatmaps, events: NDArray[np.uint8], first: int, dtype: type[np.floating] = np.float32
    ) -> Sequence:
        """Collect what is known before each map from `first` on; of it the last map and the running mean are used."""
        sequence, _ = build_sequence(events, history.observed, history.mask, history.edges, first, dtype)
        if self.read_filled:
            begin = max(first, 1)
            sequence.inputs[begin - first :, 0] = events[begin - 1 : -1]
        return sequence

    def _logits(
        self, inputs: NDArray[np.floating], start: int, first: int, scored: NDArray[np.bool_], context: JobContext
    ) -> Maps:
        """Compute calibrated logits of maps `first` to the end of `inputs`, whose first entry is map `start`.

        The running mean's in cells outside `scored`, and where there is no whole window before a map.
        """
        length, end = self.sequence_length, start + len(inputs)
        logits = (inputs[first - start :, 1] * LOGIT_SCALE).astype(np.float32)
        device = next(self.network_.parameters()).device
        part = max(_MOST_VALUES // (4 * self.channels * length * scored.size), 1)
        seen = np.lib.stride_tricks.sliding_window_view(inputs[:, 0], length, axis=0) if len(inputs) >= length else None

        def forecast(low: int) -> None:
            context.check_cancelled()
            assert seen is not None
            begin = low - length + 1 - start
            windows = np.moveaxis(seen[begin : begin + min(part, end - low)], -1, 0)
            with torch.inference_mode():
                out = self.network_(torch.from_numpy(np.ascontiguousarray(windows, dtype=np.float32)).to(device))
            corrected = self.slope_ * (out.cpu().numpy() - math.log(self.weight_)) + self.shift_
            logits[low - first : low - first + len(corrected), scored] = corrected[:, scored]

        with workers(device) as pool:
            list(pool.map(forecast, range(max(first, length), end, part)))
        return logits

    def _risk(self, logits: Maps) -> Maps:
        """Turn logits into what a user gets: probabilities, or the network's own output."""
        risk: Maps = expit(logits if self.calibrated else logits + math.log(self.weight_))
        return risk
