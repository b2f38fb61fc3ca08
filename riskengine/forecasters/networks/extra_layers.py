"""Further layers as inputs of a network: static ones (distances, population) and the counts of other categories."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...contract.texts import count_text
from ...ground.errors import ParameterError
from ...maps.heatmaps import Heatmaps

#: Standardised layers are cut at this many standard deviations: one odd cell must not drown the rest.
_MOST = 5.0


@dataclass(frozen=True)
class ExtraLayers:
    """What was learned of the further layers on the training span, and how they become inputs.

    Attributes
    ----------
    mean, scale : ndarray, shape (S,)
        Of the static layers over the study area.
    channels : int
        Other categories.
    """

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    channels: int

    @classmethod
    def learn(cls, past: Heatmaps) -> ExtraLayers:
        """Learn from the training span."""
        layers = [layer[past.mask].astype(np.float64) for layer in past.extras.static]
        return cls(
            np.array([layer.mean() for layer in layers]),
            np.array([max(layer.std(), 1e-9) for layer in layers]),
            len(past.extras.channels),
        )

    @property
    def number(self) -> int:
        """Return how many inputs they add."""
        return len(self.mean) + self.channels

    def check(self, heatmaps: Heatmaps) -> None:
        """Refuse maps that come with other layers.

        Raises
        ------
        ParameterError
        """
        extras = heatmaps.extras
        given = len(extras.static), len(extras.channels)
        if given != (len(self.mean), self.channels):
            raise ParameterError(
                f"The model was fitted with {count_text(len(self.mean), 'static layer')} and"
                f" {count_text(self.channels, 'category channel')}, these"
                f" maps come with {given[0]} and {given[1]}",
                parameter="extras",
                value=given,
                remedy="Give the same layers in the same order, or fit the model again",
            )

    def static(self, heatmaps: Heatmaps) -> NDArray[np.float32]:
        """Scale the static layers to units of their spread, shape (S, H, W); 0 outside the study area."""
        if not len(self.mean):
            return np.zeros((0, *heatmaps.mask.shape), dtype=np.float32)
        scaled = (heatmaps.extras.static - self.mean[:, None, None]) / self.scale[:, None, None]
        return np.asarray(np.clip(scaled, -_MOST, _MOST) * heatmaps.mask, dtype=np.float32)

    def last(self, heatmaps: Heatmaps, target: int) -> NDArray[np.float32]:
        """Mark where each other category had an incident in the map before `target`, shape (C, H, W).

        Nothing where that map was not observed or does not exist; beyond the end of the history, which is not known
        yet, the share of its maps with an incident.
        """
        channels, seen = heatmaps.extras.channels, heatmaps.observed
        if target <= len(heatmaps):
            known = target > 0 and bool(seen[target - 1])
            maps = channels[:, target - 1] > 0 if known else np.zeros((self.channels, *heatmaps.mask.shape))
        else:
            maps = (channels[:, seen] > 0).mean(axis=1)
        return np.asarray(maps * heatmaps.mask, dtype=np.float32)

    def beside(self, inputs: NDArray[np.floating], heatmaps: Heatmaps, first: int) -> NDArray[np.floating]:
        """Add the other categories to the inputs of the maps from `first` on, as further channels."""
        if not self.channels:
            return inputs
        maps = [self.last(heatmaps, first + number) for number in range(len(inputs))]
        return np.concatenate([inputs, np.stack(maps).astype(inputs.dtype)], axis=1)


def add_static(inputs: NDArray[np.floating], layers: NDArray[np.float32]) -> NDArray[np.floating]:
    """Add static layers to inputs, shape (L, channels, H, W), as further channels of every map."""
    if not len(layers):
        return inputs
    return np.concatenate([inputs, np.broadcast_to(layers, (len(inputs), *layers.shape))], axis=1)
