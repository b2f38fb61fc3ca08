"""SFTT, "spatial features then temporal": a CNN reads each map, an LSTM reads what the CNN saw, map after map.

The published network ran to 32 million parameters on grids of a few hundred cells and some thousand maps, and pressed
each map into one vector from which it drew the whole next map. Here the CNN keeps the features of each cell apart and
the LSTM runs along every cell with the same weights: some ten thousand parameters, and no tie to a place.

References
----------
Stalidis, Semertzidis, Daras (2018), Examining deep learning architectures for crime classification and prediction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from ...ground.context import JobContext
from ...ground.damage import ArraySpec
from ...ground.errors import ParameterError
from ...learning.threads import workers
from ...learning.training import Batch, compute_weighted_loss
from ...learning.trainingstate import Schedule
from ...maps.heatmaps import Heatmaps
from .causal import CHANNELS, LOGIT_SCALE, CausalState, Sequence
from .mapnets import PRIOR, MapNetwork, check_settings
from .networkstate import CATEGORIES
from .sftt_network import SFTTNetwork
from .windows import TrainingStack, WindowSamples

#: Values of the LSTM's gates that a forecast holds at once, at most.
_MOST_VALUES = 2**24
#: Share of the category heads in what is minimised.
_CATEGORY_SHARE = 0.3


class SFTT(MapNetwork):
    """Spatial features then temporal, over binary maps.

    Where the heatmaps come with a channel per category, the CNN reads their maps too and further heads forecast them:
    what the categories share helps the hotspot head, and their own forecasts are not used.

    Parameters
    ----------
    sequence_length : int
        Maps in a training window. A forecast reads between one and two windows before it.
    features, layers, kernel : int
        Channels, convolutions and their side, of the CNN.
    hidden : int
        Of the LSTM.
    prior : bool
        Our own: the logit of the causal running mean is added to the output, which starts at zero, and the CNN reads
        that mean and the recent surprise beside the map. False: as published, the map alone in and a plain output.
    epochs, learning_rate, batch_size : int, float, int
        See `training.Schedule`.
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

    Examples
    --------
    >>> SFTT(epochs=5).fit(history).predict(history, steps=7)  # doctest: +SKIP
    """

    name = "sftt"
    LEARNED: ClassVar[Mapping[str, ArraySpec]] = {**MapNetwork.LEARNED, "categories_": CATEGORIES}

    categories_: int

    def __init__(
        self,
        sequence_length: int = 16,
        features: int = 16,
        layers: int = 2,
        kernel: int = 3,
        hidden: int = 24,
        prior: bool = True,
        epochs: int = 30,
        learning_rate: float = 2e-3,
        batch_size: int = 8,
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
            sequence_length=sequence_length,
            features=features,
            layers=layers,
            hidden=hidden,
            epochs=epochs,
            learning_rate=learning_rate,
            batch_size=batch_size,
            threshold=threshold,
            positive_weight=1.0 if positive_weight is None else positive_weight,
        )
        self.sequence_length = sequence_length
        self.features = features
        self.layers = layers
        self.kernel = kernel
        self.hidden = hidden
        self.prior = prior
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
        return self.sequence_length + 5

    def build(self) -> SFTTNetwork:
        """Make an untrained network of this architecture."""
        inputs = (CHANNELS if self.prior else 2) + self.categories_ + len(self.layer_mean_)
        return SFTTNetwork(inputs, self.features, self.layers, self.kernel, self.hidden, self.categories_, self.padding)

    def read(self, inputs: Tensor, layers: Tensor) -> Tensor:
        """Choose what is read: all inputs, or as published the map and the study area; and the static layers."""
        if not self.prior:
            inputs = torch.cat([inputs[:, :, :1], inputs[:, :, 3:]], dim=2)
        return torch.cat([inputs, layers.expand(*inputs.shape[:2], *layers.shape[2:])], dim=2)

    def _learn_layout(self, past: Heatmaps) -> None:
        super()._learn_layout(past)
        self.categories_ = len(past.extras.channels)

    def _start(self, target: int) -> int:
        # As ConvLSTMForecaster does: anchors are multiples of the window, one window back, so that a forecast depends
        # on nothing but the number of maps before it, whether it is made alone or in one pass.
        return max((target // self.sequence_length - 1) * self.sequence_length, 0)

    def _sequence(
        self, heatmaps: Heatmaps, events: NDArray[np.uint8], first: int, dtype: type[np.floating] = np.float32
    ) -> tuple[Sequence, CausalState]:
        sequence, state = super()._sequence(heatmaps, events, first, dtype)
        self._check_categories(heatmaps)
        if not self.categories_:
            return sequence, state
        known = np.empty((len(sequence.inputs), self.categories_, *heatmaps.mask.shape), dtype=dtype)
        total, maps = np.zeros(known.shape[1:], dtype=np.float32), 0
        last: NDArray[Any] = total
        for number in range(len(events)):
            if number >= first:
                known[number - first] = last
            if heatmaps.observed[number]:
                last = mark_categories(heatmaps, number)
                total, maps = total + last, maps + 1
            else:
                last = total / max(maps, 1)
        return Sequence(np.concatenate([sequence.inputs, known], axis=1), sequence.context), state

    def _inputs(self, state: CausalState, history: Heatmaps, step: int) -> NDArray[np.float32]:
        if not self.categories_:
            return state.inputs()
        # The last map's categories are known at the origin; later ones are expected to be their mean.
        if not step and history.observed[-1]:
            maps = mark_categories(history, len(history) - 1)
        else:
            mean = np.minimum(history.extras.channels[:, history.observed], 1).mean(axis=1)
            maps = np.asarray(mean * history.mask, dtype=np.float32)
        return np.concatenate([state.inputs(), maps])

    def _check_categories(self, heatmaps: Heatmaps) -> None:
        given = len(heatmaps.extras.channels)
        if given != self.categories_:
            raise ParameterError(
                f"The model was fitted with {self.categories_} category channels, these maps have {given}",
                parameter="extras",
                value=given,
                remedy="Give the same channels, or fit the model again",
            )

    def _samples(self, stack: TrainingStack, past: Heatmaps) -> CategoryWindows:
        return CategoryWindows(self, stack, past, self._layers(past))

    def _run(
        self, sequence: Sequence, layers: NDArray[np.float32], start: int, first: int, context: JobContext
    ) -> NDArray[np.float32]:
        length, end = self.sequence_length, start + len(sequence.inputs)
        device = next(self.network_.parameters()).device
        shape = sequence.inputs.shape[2:]
        logits = np.empty((end - first, *shape), dtype=np.float32)
        static = torch.from_numpy(layers)[None, None].to(device)
        # Large maps go through the network a few at a time, which changes nothing but the memory needed.
        part = max(_MOST_VALUES // (4 * self.hidden * shape[0] * shape[1]), 1)

        def forecast(low: int) -> None:
            """Fill in the maps of the window that starts at `low`."""
            anchor, high, state = self._start(low), min(low + length, end), None
            for now in range(anchor, high, part):
                context.check_cancelled()
                entries = slice(now - start, min(now + part, high) - start)
                inputs = torch.from_numpy(sequence.inputs[entries, None]).to(device)
                surroundings = torch.from_numpy(sequence.context[entries, None]).to(device)
                with torch.inference_mode():
                    out, _, state = self.network_(self.read(inputs, static), surroundings, state)
                    made = (out + inputs[:, :, PRIOR] * LOGIT_SCALE if self.prior else out)[:, 0].cpu().numpy()
                skipped = max(max(low, first) - now, 0)
                if skipped < len(made):
                    begin = now + skipped - first
                    logits[begin : begin + len(made) - skipped] = made[skipped:]

        with workers(device) as pool:
            list(pool.map(forecast, range(first // length * length, end, length)))
        return logits


class CategoryWindows(WindowSamples):
    """Windows of a stack with the events of each category, as `training.Samples` of an `SFTTNetwork`."""

    def __init__(self, model: SFTT, stack: TrainingStack, past: Heatmaps, layers: NDArray[np.float32]) -> None:
        super().__init__(stack, model.training, model.weight_)
        self.model, self.past, self.layers = model, past, layers

    def batch(self, samples: list[tuple[int, int, int]], device: torch.device) -> Batch:
        """As `WindowSamples.batch`, and before the validity the events of each category and the static layers."""
        *known, valid = super().batch(samples, device)
        height, width = self.shape
        events, static = [], []
        for start, row, column in samples:
            rows, columns = slice(row, row + height), slice(column, column + width)
            channels = self.past.extras.channels[:, start : start + self.length]
            if self.model.categories_:
                happened = np.minimum(channels[:, :, rows, columns], 1).astype(np.float32).swapaxes(0, 1)
            else:
                happened = np.zeros((self.length, 0, height, width), dtype=np.float32)
            events.append(happened)
            static.append(self.layers[None, :, rows, columns])
        return (
            *known,
            torch.from_numpy(np.stack(events, axis=1)).to(device),
            torch.from_numpy(np.stack(static, axis=1)).to(device),
            valid,
        )

    def loss(self, network: nn.Module, part: Batch, cells: float) -> tuple[Tensor, Tensor]:
        """Compute weighted cross-entropy of hotspots and a share of the categories'; plain loss minus the mean's."""
        inputs, context, prior, events, categories, layers, valid = part
        out, heads, _ = network(self.model.read(inputs, layers), context)
        loss, gain = compute_weighted_loss(
            out if self.model.prior else out - prior, prior, events, valid, self.weight, cells
        )
        if self.model.categories_:
            each = functional.binary_cross_entropy_with_logits(heads, categories, reduction="none")
            loss = loss + _CATEGORY_SHARE * (each.mean(dim=2) * valid).sum() / cells
        return loss, gain


def mark_categories(heatmaps: Heatmaps, number: int) -> NDArray[np.float32]:
    """Mark where each category had an incident in one map, shape (C, H, W)."""
    maps = np.minimum(heatmaps.extras.channels[:, number], 1)
    return np.asarray(maps * heatmaps.mask, dtype=np.float32)
