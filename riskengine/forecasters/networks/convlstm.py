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

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...ground.context import JobContext
from ...ground.damage import ArraySpec
from ...learning.loop import Curves
from ...learning.settings import check_positive
from ...learning.threads import prepare_torch, repeatable, workers
from ...learning.training import choose_event_weight, split, train
from ...learning.trainingstate import Schedule
from ...maps import bins as timebins
from ...maps.heatmaps import Heatmaps, require_grid
from ...maps.panel import Panel
from ...measures.metrics import log_loss
from ..base import Maps, check_history, check_steps, mark_events
from .causal import CHANNELS, LOGIT_SCALE, CausalState, Sequence, build_sequence, read_calendar
from .extra_layers import ExtraLayers
from .network import ConvLSTMNetwork
from .networkstate import CATEGORIES, LAYERS, NetworkForecaster
from .padding import check_padding, check_reflects, choose_cells
from .windows import TrainingStack, WindowSamples, check_supervision, choose_anchor, forecast_windows

if TYPE_CHECKING:
    from typing_extensions import Self

#: Windows in an epoch by supervision: the published schedule goes through all of them.
_MOST_WINDOWS = {"dense": 96, "windows": 1_000_000}
#: Values of a layer's gates that a forecast holds at once, at most.
_MOST_VALUES = 2**24


class ConvLSTMForecaster(NetworkForecaster):
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
    positive_weight : float or None
        Weight of a cell with an incident in the loss; none by default, which reached a lower held-out log-loss sooner.
        None is (1 - p) / p for the share p of such cells, at most `MOST_WEIGHT`. The probabilities are corrected for
        it.
    threshold : int
        Incidents in a cell and bin that count as an event.
    validation_share : float
        The last share of the history, kept from training to choose the epoch whose weights are kept.
    seed : int
        The same seed gives the same weights on the same CPU; on a GPU as far as torch has operations that repeat
        exactly (it warns where not).
    schedule : {'dense', 'windows'} or Schedule
        Targets of a training window: every map of it, or only the map that follows it, one map further each time
        (published). A `Schedule` overrides the finer points of training, `epochs` and the like included. Whichever
        it is, at the same weights the forecasts are the same.
    padding : {'replicate', 'zeros', 'reflect', 'ignore'}
        What the network sees beyond the edge of the grid, see the module `padding`.
    border : int
        Outermost rows and columns left to the running mean with ``padding="ignore"``.

    Attributes
    ----------
    checkpoint : str or None
        File in which `fit` keeps where it stands, to go on from after a cancel; no setting, so not in model files.
    training : Schedule
    network_ : ConvLSTMNetwork
    curves_ : Curves
        Losses per epoch.
    weight_ : float
        Weight of an event that was used.
    trained_maps_ : int
        Maps of the history that were targets of training; those after it, up to `fitted_maps_`, chose the epoch.
    fitted_maps_ : int
    layer_mean_, layer_scale_, extra_channels_ : ndarray, ndarray, int
        Of the further layers of the history (`Heatmaps.extras`), all of which are inputs.

    Examples
    --------
    >>> model = ConvLSTMForecaster(epochs=5).fit(heatmaps.before(292))  # doctest: +SKIP
    >>> risk = model.predict(heatmaps, steps=1)  # doctest: +SKIP
    """

    name = "convlstm"
    LEARNED: ClassVar[Mapping[str, ArraySpec]] = {
        **NetworkForecaster.LEARNED,
        **LAYERS,
        "extra_channels_": CATEGORIES,
    }

    layer_mean_: NDArray[np.float64] = np.zeros(0)
    layer_scale_: NDArray[np.float64] = np.zeros(0)
    extra_channels_: int = 0

    def __init__(
        self,
        sequence_length: int = 16,
        channels: int = 16,
        layers: int = 2,
        kernel: int = 3,
        epochs: int = 30,
        learning_rate: float = 1e-3,
        batch_size: int = 4,
        positive_weight: float | None = 1.0,
        threshold: int = 1,
        validation_share: float = 0.2,
        seed: int = 0,
        schedule: str | Schedule = "dense",
        padding: str = "replicate",
        border: int = 1,
    ) -> None:
        check_positive(
            sequence_length=sequence_length,
            channels=channels,
            layers=layers,
            epochs=epochs,
            learning_rate=learning_rate,
            batch_size=batch_size,
            positive_weight=1.0 if positive_weight is None else positive_weight,
            threshold=threshold,
        )
        check_padding(padding, kernel, border)
        self.sequence_length = sequence_length
        self.channels = channels
        self.layers = layers
        self.kernel = kernel
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.positive_weight = positive_weight
        self.threshold = threshold
        self.validation_share = validation_share
        self.seed = seed
        self.schedule = schedule
        self.padding = padding
        self.border = border
        check_supervision(schedule.supervision if isinstance(schedule, Schedule) else schedule)
        if isinstance(schedule, Schedule):
            self.training = schedule
            self.epochs, self.learning_rate = schedule.epochs, schedule.learning_rate
            self.batch_size = schedule.batch_size
        else:
            self.training = Schedule(
                epochs=epochs,
                learning_rate=learning_rate,
                batch_size=batch_size,
                sequence_length=sequence_length,
                stride=max(sequence_length // 4, 1),
                seed=seed,
                supervision=schedule,
                windows=_MOST_WINDOWS[schedule],
            )

    @property
    def least_maps(self) -> int:  # type: ignore[override]
        """A window, its target, and a few maps to validate on."""
        return self.sequence_length + 1 + max(4, self.sequence_length // 4)

    def build(self) -> ConvLSTMNetwork:
        """Make an untrained network of this architecture."""
        return ConvLSTMNetwork(self.channels, self.layers, self.kernel, self.padding, self._extra.number)

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take over what another forecaster learned; one without further layers may not say so."""
        nothing: dict[str, NDArray[Any]] = {
            "layer_mean_": np.zeros(0),
            "layer_scale_": np.zeros(0),
            "extra_channels_": np.asarray(0),
        }
        return super().restore({**nothing, **state})

    @property
    def _extra(self) -> ExtraLayers:
        return ExtraLayers(self.layer_mean_, self.layer_scale_, self.extra_channels_)

    def fit(self, history: Panel, context: JobContext | None = None) -> Self:
        """Train on the first part of `history`, choosing the epoch on its last `validation_share`."""
        history = require_grid(history, self.name)
        context = context or JobContext()
        check_history(history, self.least_maps)
        rows, columns = history.mask.shape
        check_reflects(self.padding, self.kernel, min(rows, self.training.crop), min(columns, self.training.crop))
        scored = choose_cells(history.mask, self.padding, self.border)
        checkpoint = self.open_checkpoint(history)
        device = prepare_torch(self.seed)
        events = mark_events(history, self.threshold)
        trained = split(history, self.validation_share, self.sequence_length + 1)
        anchor = choose_anchor(trained, self.sequence_length)
        # float16 halves the largest array of the training; validation and forecasts read float32.
        past = history.cut(trained)
        extra = ExtraLayers.learn(past)
        self.layer_mean_, self.layer_scale_, self.extra_channels_ = extra.mean, extra.scale, extra.channels
        layers = extra.static(history)
        training, _ = self._known(past, events[:trained], 0, np.float16)
        validation, _ = self._known(history, events, anchor)
        self.weight_ = choose_event_weight(events[:trained], past.observed, past.mask, self.positive_weight)
        self.network_ = self.build().to(device)
        self.trained_maps_, self.fitted_maps_ = trained, len(events)
        targets = history.observed[trained:]
        truth = events[trained:][targets][:, scored]

        def validate() -> float:
            risk = self._run(validation, layers, anchor, trained, scored, context)[targets][:, scored]
            return log_loss(risk, truth)

        stack = TrainingStack(training, events[:trained], past.observed, scored, layers)
        samples = WindowSamples(stack, self.training, self.weight_)
        with repeatable(device), workers(device) as pool:
            self.curves_: Curves = train(self.network_, samples, validate, self.training, context, pool, checkpoint)
        return self

    def predict(self, history: Panel, steps: int = 1, context: JobContext | None = None) -> Maps:
        """Forecast the bins after `history`; NaN outside the study area.

        Beyond the first bin the forecast is iterated: the model is shown its own forecast in place of the maps
        that have not happened yet, which is their expectation.
        """
        history = require_grid(history, self.name)
        context = context or JobContext()
        check_steps(steps)
        scored = choose_cells(history.mask, self.padding, self.border)
        events = mark_events(history, self.threshold)
        maps = len(events)
        anchor = choose_anchor(maps, self.sequence_length)
        extra, layers = self._extra, self._layers(history)
        past, state = self._known(history, events, anchor)
        known = len(past.inputs)
        inputs = np.concatenate([past.inputs, np.empty((steps, *past.inputs.shape[1:]), dtype=np.float32)])
        surroundings = np.concatenate([past.context, np.empty((steps, past.context.shape[1]), dtype=np.float32)])
        edges = np.concatenate([history.edges[:-1], timebins.make_next_edges(history.edges, history.bin, steps)])
        days = read_calendar(edges, maps + steps)
        risk = np.full((steps, *history.mask.shape), np.nan, dtype=np.float32)
        for step in range(steps):
            context.progress(step / steps, f"Forecasting map {step + 1} of {steps}")
            inputs[known, :CHANNELS] = state.inputs()
            if extra.channels:
                inputs[known, CHANNELS:] = extra.last(history, maps + step)
            surroundings[known] = np.concatenate([state.surroundings(), days[maps + step]])
            known += 1
            sequence = Sequence(inputs[:known], surroundings[:known])
            risk[step] = self._run(sequence, layers, anchor, maps + step, scored, context)[0]
            state.update(risk[step])
        risk[:, ~history.mask] = np.nan
        return risk

    def predict_each(self, heatmaps: Panel, first: int, context: JobContext | None = None) -> Maps:
        """Forecast every map from `first` on, one step ahead, in one pass over the stack."""
        heatmaps = require_grid(heatmaps, self.name)
        anchor = choose_anchor(first, self.sequence_length)
        events = mark_events(heatmaps, self.threshold)
        layers = self._layers(heatmaps)
        sequence, _ = self._known(heatmaps, events, anchor)
        scored = choose_cells(heatmaps.mask, self.padding, self.border)
        risk = self._run(sequence, layers, anchor, first, scored, context)
        risk[:, ~heatmaps.mask] = np.nan
        return risk

    def _layers(self, heatmaps: Heatmaps) -> NDArray[np.float32]:
        """Scale the static layers for the network; refuse maps that come with other layers than those of `fit`."""
        extra = self._extra
        extra.check(heatmaps)
        return extra.static(heatmaps)

    def _known(
        self, heatmaps: Heatmaps, events: NDArray[np.uint8], first: int, dtype: type[np.floating] = np.float32
    ) -> tuple[Sequence, CausalState]:
        """Collect what is known before each map from `first` on, and the state after the last one."""
        sequence, state = build_sequence(events, heatmaps.observed, heatmaps.mask, heatmaps.edges, first, dtype)
        return Sequence(self._extra.beside(sequence.inputs, heatmaps, first), sequence.context), state

    def _run(
        self,
        sequence: Sequence,
        layers: NDArray[np.float32],
        start: int,
        first: int,
        scored: NDArray[np.bool_],
        context: JobContext | None = None,
    ) -> Maps:
        """Forecast maps `first` to the end of `sequence`, whose first entry belongs to map `start`.

        Cells outside `scored` get the running mean.
        """
        part = max(_MOST_VALUES // (4 * self.channels * scored.size), 1)
        departure = forecast_windows(
            self.network_, sequence, layers, start, first, self.sequence_length, part, context or JobContext()
        )
        logits = departure * scored + sequence.inputs[first - start :, 1] * LOGIT_SCALE
        risk: Maps = (1 / (1 + np.exp(-logits))).astype(np.float32)
        return risk
