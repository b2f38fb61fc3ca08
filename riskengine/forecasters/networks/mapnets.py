"""What ST-ResNet and SFTT share: causal inputs, training that stops on the past, calibration, forecasts in one pass."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from torch import nn

from ...contract.texts import count_text
from ...ground.context import JobContext
from ...ground.damage import ArraySpec
from ...ground.errors import ParameterError
from ...learning.calibration import Calibration, fit_calibration
from ...learning.settings import check_positive
from ...learning.threads import prepare_torch, repeatable, workers
from ...learning.training import Samples, choose_event_weight, split, train
from ...learning.trainingstate import Schedule
from ...maps import bins as timebins
from ...maps.heatmaps import Heatmaps, require_grid
from ...maps.panel import Panel
from ...measures.metrics import log_loss
from ..base import Maps, check_history, check_steps, mark_events
from .causal import LOGIT_SCALE, CausalState, Sequence, build_sequence, read_calendar
from .networkstate import CALIBRATED, LAYERS, NetworkForecaster
from .padding import check_padding, check_reflects, choose_cells
from .windows import TrainingStack

if TYPE_CHECKING:
    from typing_extensions import Self

#: Where the prior's scaled logit lies among the inputs.
PRIOR = 1


class MapNetwork(NetworkForecaster):
    """A network that forecasts a map from earlier maps, and how it is trained and applied.

    Subclasses say how far back they read, what a sample is, and what the network makes of it.

    Attributes
    ----------
    checkpoint : str or None
        File in which `fit` keeps where it stands, to go on from after a cancel; no setting, so not in model files.
    training : Schedule
    slope_, shift_ : float
        Of the calibration, fitted on the span that chose the epoch.
    layer_mean_, layer_scale_ : ndarray, shape (S,)
        Of the static layers over the study area.
    """

    LEARNED: ClassVar[Mapping[str, ArraySpec]] = {**NetworkForecaster.LEARNED, **CALIBRATED, **LAYERS}

    training: Schedule
    threshold: int
    prior: bool
    positive_weight: float | None
    validation_share: float
    kernel: int
    padding: str
    border: int
    seed: int

    slope_: float = 1.0
    shift_: float = 0.0
    layer_mean_: NDArray[np.float64]
    layer_scale_: NDArray[np.float64]

    def fit(self, history: Panel, context: JobContext | None = None) -> Self:
        """Train on the first part of `history`; its last `validation_share` chooses the epoch and calibrates."""
        history = require_grid(history, self.name)
        context = context or JobContext()
        check_history(history, self.least_maps)
        rows, columns = history.mask.shape
        check_reflects(self.padding, self.kernel, min(rows, self.training.crop), min(columns, self.training.crop))
        scored = choose_cells(history.mask, self.padding, self.border)
        checkpoint = self.open_checkpoint(history)
        device = prepare_torch(self.seed)
        events = mark_events(history, self.threshold)
        trained = split(history, self.validation_share, self.least_maps - 4)
        past = history.cut(trained)
        self._learn_layout(past)
        start = self._start(trained)
        training, _ = self._sequence(past, events[:trained], 0, np.float16)
        validation, _ = self._sequence(history, events, start)
        self.weight_ = choose_event_weight(events[:trained], past.observed, past.mask, self.positive_weight)
        self.trained_maps_, self.fitted_maps_ = trained, len(events)
        self.slope_, self.shift_ = 1.0, 0.0
        self.network_ = self.build().to(device)
        if not self.prior:
            # A plain output starts at the share of events everywhere; zero would be one half.
            share = float(events[:trained][past.observed][:, past.mask].mean())
            level = self.network_.get_submodule("level")
            assert isinstance(level, nn.Linear)
            nn.init.constant_(level.bias, float(logit(np.clip(share, 1e-6, 1 - 1e-6))))
        targets = history.observed[trained:]
        truth = events[trained:][targets][:, scored]
        layers = self._layers(history)

        def validate() -> float:
            return log_loss(expit(self._run(validation, layers, start, trained, context)[targets][:, scored]), truth)

        mean = validation.inputs[trained - start :, PRIOR][targets][:, scored].astype(np.float64) * LOGIT_SCALE
        stack = TrainingStack(training, events[:trained], past.observed, scored)
        samples = self._samples(stack, past)
        with repeatable(device), workers(device) as pool:
            self.curves_ = train(
                self.network_,
                samples,
                validate,
                self.training,
                context,
                pool,
                checkpoint,
                log_loss(expit(mean), truth),
            )
        self.network_.eval()
        raw = expit(self._run(validation, layers, start, trained, context)[targets][:, scored])
        fit = fit_calibration(raw, truth)
        self.slope_, self.shift_ = fit.slope, fit.shift
        return self

    def predict(self, history: Panel, steps: int = 1, context: JobContext | None = None) -> Maps:
        """Forecast the bins after `history`; NaN outside the study area.

        Beyond the first bin the forecast is iterated: the network is shown its own forecast in place of the maps that
        have not happened yet, which is their expectation.
        """
        history = require_grid(history, self.name)
        context = context or JobContext()
        check_steps(steps)
        events = mark_events(history, self.threshold)
        maps = len(events)
        start, layers = self._start(maps), self._layers(history)
        past, state = self._sequence(history, events, start)
        known = len(past.inputs)
        inputs = np.concatenate([past.inputs, np.empty((steps, *past.inputs.shape[1:]), dtype=np.float32)])
        surroundings = np.concatenate([past.context, np.empty((steps, past.context.shape[1]), dtype=np.float32)])
        edges = np.concatenate([history.edges[:-1], timebins.make_next_edges(history.edges, history.bin, steps)])
        days = read_calendar(edges, maps + steps)
        risk = np.full((steps, *history.mask.shape), np.nan, dtype=np.float32)
        for step in range(steps):
            context.progress(step / steps, f"Forecasting map {step + 1} of {steps}")
            inputs[known] = self._inputs(state, history, step)
            surroundings[known] = np.concatenate([state.surroundings(), days[maps + step]])
            known += 1
            sequence = Sequence(inputs[:known], surroundings[:known])
            risk[step] = self._risk(sequence, layers, history, start, maps + step, context)[0]
            state.update(np.where(history.mask, risk[step], 0.0))
        return risk

    def predict_each(self, heatmaps: Panel, first: int, context: JobContext | None = None) -> Maps:
        """Forecast every map from `first` on, one step ahead, in one pass over the stack."""
        heatmaps = require_grid(heatmaps, self.name)
        start = self._start(first)
        sequence, _ = self._sequence(heatmaps, mark_events(heatmaps, self.threshold), start)
        return self._risk(sequence, self._layers(heatmaps), heatmaps, start, first, context)

    def _risk(
        self,
        sequence: Sequence,
        layers: NDArray[np.float32],
        heatmaps: Heatmaps,
        start: int,
        first: int,
        context: JobContext | None,
    ) -> Maps:
        """Forecast maps `first` on, calibrated; cells that the network does not answer for get the mean."""
        logits = self._run(sequence, layers, start, first, context or JobContext())
        mean = sequence.inputs[first - start :, PRIOR] * LOGIT_SCALE
        risk = Calibration(self.slope_, self.shift_)(expit(logits))
        scored = choose_cells(heatmaps.mask, self.padding, self.border)
        risk[:, ~scored] = expit(mean[:, ~scored])
        risk[:, ~heatmaps.mask] = np.nan
        return risk

    def _learn_layout(self, past: Heatmaps) -> None:
        """Take from the training span what the network's shape depends on."""
        layers = [layer[past.mask].astype(np.float64) for layer in past.extras.static]
        self.layer_mean_ = np.array([layer.mean() for layer in layers])
        self.layer_scale_ = np.array([max(layer.std(), 1e-9) for layer in layers])

    def _layers(self, heatmaps: Heatmaps) -> NDArray[np.float32]:
        """Scale the static layers to units of their spread, shape (S, H, W); 0 outside the study area."""
        static = heatmaps.extras.static
        if len(static) != len(self.layer_mean_):
            raise ParameterError(
                f"The model was fitted with {count_text(len(self.layer_mean_), 'static layer')}, these maps have"
                f" {len(static)}",
                parameter="extras",
                value=len(static),
                remedy="Give the same layers, or fit the model again",
            )
        if not len(static):
            return np.zeros((0, *heatmaps.mask.shape), dtype=np.float32)
        scaled = (static - self.layer_mean_[:, None, None]) / self.layer_scale_[:, None, None]
        return np.asarray(np.clip(scaled, -5.0, 5.0) * heatmaps.mask, dtype=np.float32)

    def _sequence(
        self, heatmaps: Heatmaps, events: NDArray[np.uint8], first: int, dtype: type[np.floating] = np.float32
    ) -> tuple[Sequence, CausalState]:
        """Collect what is known before each map from `first` on, and the state after the last one."""
        return build_sequence(events, heatmaps.observed, heatmaps.mask, heatmaps.edges, first, dtype)

    def _inputs(self, state: CausalState, history: Heatmaps, step: int) -> NDArray[np.float32]:
        """Collect what is known before the map that follows `history` by `step` maps."""
        return state.inputs()

    @abstractmethod
    def _start(self, target: int) -> int:
        """Return the first map whose inputs are read to forecast map `target`."""

    @abstractmethod
    def _samples(self, stack: TrainingStack, past: Heatmaps) -> Samples:
        """Make what the network learns from."""

    @abstractmethod
    def _run(
        self, sequence: Sequence, layers: NDArray[np.float32], start: int, first: int, context: JobContext
    ) -> NDArray[np.float32]:
        """Compute logits of maps `first` to the end of `sequence`, whose first entry belongs to map `start`."""


def check_settings(padding: str, kernel: int, border: int, validation_share: float, **sizes: float) -> None:
    """Refuse settings that no network can be made of.

    Raises
    ------
    ParameterError
    """
    check_padding(padding, kernel, border)
    check_positive(**sizes)
    if not 0 < validation_share < 1:
        raise ParameterError(
            f"validation_share is {validation_share}",
            parameter="validation_share",
            value=validation_share,
            remedy="Give a share between 0 and 1, for instance 0.2",
        )
