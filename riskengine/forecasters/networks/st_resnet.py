"""ST-ResNet: the latest maps, those of the same time of the week, and the trend, each through residual units, fused.

References
----------
Zhang, Zheng, Qi (2017), Deep spatio-temporal residual networks for citywide crowd flows prediction; Wang et al. (2017),
Deep learning for real time crime forecasting, took it to crime.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit

from ...contract.texts import count_text
from ...ground.context import JobContext
from ...ground.damage import ArraySpec, Damaged, check_arrays
from ...ground.errors import DataError, ParameterError
from ...learning.threads import workers
from ...learning.trainingstate import Schedule
from ...maps.heatmaps import Heatmaps
from ..spans import Span, average_spans, choose_spans
from .causal import LOGIT_SCALE, Sequence
from .map_samples import MapSamples
from .mapnets import PRIOR, MapNetwork, check_settings
from .st_resnet_network import STResNetwork
from .windows import TrainingStack

if TYPE_CHECKING:
    from typing_extensions import Self

#: Cells that go through the network at once in a forecast, at most.
_MOST_CELLS = 2**17
#: Lags in maps, and rows and columns, at most.
_MOST_LAG, _MOST_SIDE = 65_535, 1_000_000
#: Samples of an epoch, at most.
_MOST_SAMPLES = 384


class STResNet(MapNetwork):
    """ST-ResNet over binary maps.

    Parameters
    ----------
    closeness, period, trend : int
        Maps of each branch, see `choose_spans`; a branch without room in the history is left out, 0 leaves it out.
    features, units, kernel : int
        Channels, residual units of each branch, side of the convolutions.
    prior : bool
        Our own: the logit of the causal running mean is added to the output, which starts at zero, every branch reads
        that mean and the recent surprise, and the trend branch reads means of maps. False: as published, single maps
        in and a plain output (its loss is cross-entropy, not the squared error of crowd flows).
    cell_weights : bool, optional
        Weigh the branches in each cell, as published; the model then fits its own grid alone. By default only where
        `prior` is False: on sparse maps one weight a cell and branch is more than the incidents can show.
    epochs, learning_rate, batch_size : int, float, int
        See `training.Schedule`; a sample is one map of at most 32 × 32 cells.
    positive_weight : float, optional
        Weight of a cell with an incident in the loss; the probabilities are corrected for it.
    padding : {'replicate', 'zeros', 'reflect', 'ignore'}
    border : int
        Outermost rows and columns left to the running mean with ``padding="ignore"``.
    threshold : int
        Incidents in a cell and bin that count as an event.
    validation_share : float
        The last share of the history: it chooses the epoch and calibrates.
    seed : int

    Attributes
    ----------
    spans_ : ndarray of int, shape (spans, 3)
        Branch, nearest lag and farthest lag of each input.
    shape_ : ndarray of int, shape (2,)
        Rows and columns of the grid.

    Examples
    --------
    >>> STResNet(epochs=5).fit(history).predict(history, steps=7)  # doctest: +SKIP
    """

    name = "st_resnet"
    LEARNED: ClassVar[Mapping[str, ArraySpec]] = {
        **MapNetwork.LEARNED,
        "spans_": ArraySpec("i", ("spans", 3), (0, 1, 1), (2, _MOST_LAG, _MOST_LAG)),
        "shape_": ArraySpec("i", (2,), 1, _MOST_SIDE),
    }

    spans_: NDArray[np.int64]
    shape_: NDArray[np.int64]

    def __init__(
        self,
        closeness: int = 4,
        period: int = 3,
        trend: int = 3,
        features: int = 16,
        units: int = 2,
        kernel: int = 3,
        prior: bool = True,
        cell_weights: bool | None = None,
        epochs: int = 30,
        learning_rate: float = 1e-3,
        batch_size: int = 16,
        positive_weight: float | None = None,
        padding: str = "replicate",
        border: int = 1,
        threshold: int = 1,
        validation_share: float = 0.2,
        seed: int = 0,
    ) -> None:
        check_settings(
            padding,
            kernel,
            border,
            validation_share,
            closeness=closeness,
            features=features,
            units=units,
            epochs=epochs,
            learning_rate=learning_rate,
            batch_size=batch_size,
            threshold=threshold,
            positive_weight=1.0 if positive_weight is None else positive_weight,
        )
        for name, number in (("period", period), ("trend", trend)):
            if number < 0:
                raise ParameterError(
                    f"{name} is {number}; it must not be negative",
                    parameter=name,
                    value=number,
                    remedy="Give 0 to leave the branch out",
                )
        self.closeness = closeness
        self.period = period
        self.trend = trend
        self.features = features
        self.units = units
        self.kernel = kernel
        self.prior = prior
        self.cell_weights = cell_weights
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.positive_weight = positive_weight
        self.padding = padding
        self.border = border
        self.threshold = threshold
        self.validation_share = validation_share
        self.seed = seed
        self.training = Schedule(
            epochs=epochs, learning_rate=learning_rate, batch_size=batch_size, windows=_MOST_SAMPLES, seed=seed
        )

    @property
    def least_maps(self) -> int:  # type: ignore[override]
        """The latest maps twice over, and a few to validate on."""
        return 2 * self.closeness + 5

    def build(self) -> STResNetwork:
        """Make an untrained network for the spans of the history."""
        branches = [int((self.spans_[:, 0] == number).sum()) for number in range(3)]
        layers = (3 if self.prior else 1) + len(self.layer_mean_)
        by_cell = not self.prior if self.cell_weights is None else self.cell_weights
        shape = (int(self.shape_[0]), int(self.shape_[1])) if by_cell else None
        used = [size for size in branches if size]
        return STResNetwork(used, layers, self.features, self.units, self.kernel, self.padding, shape)

    def _learn_layout(self, past: Heatmaps) -> None:
        super()._learn_layout(past)
        chosen = choose_spans(past, self.closeness, self.period, self.trend, self.prior)
        self.spans_ = np.array([(number, *each) for number, branch in enumerate(chosen) for each in branch])
        self.shape_ = np.array(past.mask.shape)

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take over what another forecaster of the same settings learned."""
        check_arrays(self.LEARNED, state)
        spans = state["spans_"]
        if not len(spans) or (spans[:, 1] > spans[:, 2]).any() or (np.diff(spans[:, 0]) < 0).any():
            raise Damaged("spans_ names no maps, or not in their order")
        return super().restore(state)

    def wanted(self) -> list[Span]:
        """Nearest and farthest lag of each map that the network is shown."""
        return [(int(near), int(far)) for _, near, far in self.spans_]

    def _start(self, target: int) -> int:
        return max(target - int(self.spans_[:, 2].max()), 0)

    def _samples(self, stack: TrainingStack, past: Heatmaps) -> MapSamples:
        return MapSamples(self, stack, self._layers(past))

    def seen_layers(
        self, inputs: NDArray[np.floating], layers: NDArray[np.float32], where: tuple[slice, slice]
    ) -> NDArray[np.float32]:
        """Stack one map's further channels: running mean, recent surprise, study area (as published alone), layers."""
        known = inputs[PRIOR:] if self.prior else inputs[3:4]
        return np.concatenate([known[:, where[0], where[1]].astype(np.float32), layers[:, where[0], where[1]]])

    def _run(
        self, sequence: Sequence, layers: NDArray[np.float32], start: int, first: int, context: JobContext
    ) -> NDArray[np.float32]:
        mask_shape = sequence.inputs.shape[2:]
        network = self.network_
        assert isinstance(network, STResNetwork)
        if network.cells is not None and network.cells.shape[1:] != mask_shape:
            raise DataError(
                f"The model weighs its branches in each of {int(self.shape_[0])} ×"
                f" {count_text(int(self.shape_[1]), 'cell')}, these"
                f" maps have {mask_shape[0]} × {mask_shape[1]}",
                parameter="heatmaps",
                remedy="Use the grid it was trained on, or train it without cell_weights",
            )
        device = next(network.parameters()).device
        wanted, end = self.wanted(), start + len(sequence.inputs)
        whole = (slice(None), slice(None))
        logits = np.empty((end - first, *mask_shape), dtype=np.float32)
        size = max(_MOST_CELLS // (mask_shape[0] * mask_shape[1]), 1)

        def forecast(low: int) -> None:
            """Fill in a few maps from `low` on."""
            context.check_cancelled()
            targets = range(low, min(low + size, end))
            entries = [target - start for target in targets]
            priors = [sequence.inputs[entry, PRIOR].astype(np.float32) * LOGIT_SCALE for entry in entries]
            seen = [
                average_spans(sequence.inputs[:, 0], expit(prior) * sequence.inputs[entry, 3], start, target, wanted)
                for entry, prior, target in zip(entries, priors, targets, strict=True)
            ]
            further = [self.seen_layers(sequence.inputs[entry], layers, whole) for entry in entries]
            with torch.inference_mode():
                out = network(
                    torch.from_numpy(np.stack(seen)).to(device),
                    torch.from_numpy(np.stack(further)).to(device),
                    torch.from_numpy(sequence.context[entries]).to(device),
                    torch.zeros((len(entries), 2), dtype=torch.int64),
                )
            made = out.cpu().numpy()
            logits[low - first : low - first + len(made)] = made + np.stack(priors) if self.prior else made

        with workers(device) as pool:
            list(pool.map(forecast, range(first, end, size)))
        return logits
