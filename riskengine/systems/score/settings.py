"""How a score model is trained: every choice, with the defaults of both protocols."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from ...contract.choices import Protocol
from .augment import Augmentation
from .features import FeatureSet
from .fitting import Fitting
from .network import PUBLISHED_WIDTHS

#: What helped when it was measured (docs/measured.md): more groups did not make the error smaller.
RECOMMENDED_FEATURES = FeatureSet(groups=("densities", "slopes"))
PUBLISHED_FEATURES = FeatureSet(groups=("pairs",))
#: As printed: Adam at 0.01, weight decay 1e-6, 100 epochs of patience. Size of batches and limit of epochs are ours.
PUBLISHED_FITTING = Fitting(
    epochs=1000,
    patience=100,
    learning_rate=0.01,
    weight_decay=1e-6,
    schedule="constant",
    batch_size=8192,
    least_steps=1,
    clip=0.0,
)


@dataclass(frozen=True)
class Settings:
    """Every choice of a training.

    Attributes
    ----------
    protocol : {"recommended", "published"}
        ``recommended`` judges, and chooses the epoch, on square blocks held out; ``published`` on rows drawn at random.
    radius, window_days, recent_days : float
        Of the score, and of the incidents a prediction may read.
    augmentation : Augmentation or None
    features : FeatureSet
    widths : tuple of int
        Hidden layers; with `grow` the layers that are added one by one.
    activation, output : str
        See `Architecture`.
    grow : bool
        From logistic regression on, a layer at a time, until the development loss stops improving.
    windows : int
        In how many recent windows of the year each place is seen in training (the last one always; judged on it alone).
    background : float
        Places drawn evenly from the area, for each incident: the model learns from them too and is judged on them
        apart.
    fitting : Fitting
    folds : int
    block_size : float
        Metres.
    interval : float
    seed : int
    """

    protocol: Protocol = "recommended"
    radius: float = 200.0
    window_days: float = 365.0
    recent_days: float = 31.0
    augmentation: Augmentation | None = field(default_factory=Augmentation)
    features: FeatureSet = RECOMMENDED_FEATURES
    widths: tuple[int, ...] = (64, 64)
    activation: Literal["relu", "silu"] = "silu"
    output: Literal["sigmoid", "interval"] = "interval"
    grow: bool = False
    windows: int = 11
    background: float = 0.1
    fitting: Fitting = field(default_factory=Fitting)
    folds: int = 10
    block_size: float = 1000.0
    interval: float = 0.9
    seed: int = 0

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for a file or a report."""
        return {**asdict(self), "features": self.features.model_dump()}


def make_published_settings(**changes: Any) -> Settings:
    """Make the settings of the published protocol, with changes."""
    defaults: dict[str, Any] = {
        "protocol": "published",
        "features": PUBLISHED_FEATURES,
        "widths": PUBLISHED_WIDTHS,
        "activation": "relu",
        "output": "sigmoid",
        "grow": True,
        "windows": 1,
        "background": 0.0,
        "fitting": PUBLISHED_FITTING,
    }
    return Settings(**{**defaults, **changes})
