"""What Train score model can be asked for, as data."""

from __future__ import annotations

import sys
from typing import NamedTuple

PROTOCOLS = ("recommended", "published")
GROWTH = (None, True, False)
#: The engine's name of each group of features, and its title.
FEATURES = (
    ("pairs", "Distance and age of the nearest (published)"),
    ("distances", "Log distances of the nearest"),
    ("more", "Log distances of farther neighbours"),
    ("ages", "Ages of the nearest"),
    ("clock", "Hour and weekday of the nearest"),
    ("offsets", "Whether the nearest lie to one side"),
    ("rings", "Counts within rings"),
    ("densities", "Smoothed densities"),
    ("slopes", "How steeply the densities change"),
)
#: Output, title.
RESULTS = (
    ("L1", "Mean absolute error on held-out rows"),
    ("L1_LOW", "Lower bound of its 95 % interval"),
    ("L1_HIGH", "Upper bound of its 95 % interval"),
    ("COVERAGE", "Share of truths inside their interval"),
    ("PARAMETERS", "Parameters of the network"),
    ("SECONDS", "Seconds of training"),
    ("ROWS", "Rows trained and judged on"),
    ("INCIDENTS", "Incidents in the window"),
    ("RECENT_INCIDENTS", "Incidents in the recent window"),
)
#: The most a layer and a network may have.
WIDEST, DEEPEST = 4096, 32
#: QGIS's "no limit".
_ANY = -sys.float_info.max


class Number(NamedTuple):
    """A number parameter: its name here and in the job, and how it is declared.

    Without `lowest` it must be greater than 0, which a sentence of its own says.
    """

    name: str
    key: str
    title: str
    whole: bool
    default: float | None
    help: str
    lowest: float = _ANY
    highest: float = sys.float_info.max
    advanced: bool = False

    @property
    def above_zero(self) -> bool:
        """Whether 0 is refused by a sentence of its own."""
        return self.lowest == _ANY


NUMBERS = (
    Number("RADIUS", "radius", "Radius [m]", False, 200.0, "Incidents closer than this make the score."),
    Number(
        "WINDOW",
        "window_days",
        "Window [days]",
        False,
        365.0,
        "Incidents younger than this at the reference time make the score.",
    ),
    Number(
        "RECENT_WINDOW",
        "recent_days",
        "Recent window [days]",
        False,
        31.0,
        "The model looks at incidents this recent alone, so that a month's data answers.",
    ),
    Number(
        "K",
        "k",
        "Neighbours",
        True,
        10,
        "How many nearest incidents features of neighbours look at; the recommended features need none.",
        1,
        1000,
    ),
    Number("EPOCHS", "epochs", "Epochs", True, None, "At most; by default the protocol's own.", 1, 100_000, True),
    Number(
        "PATIENCE",
        "patience",
        "Patience [epochs]",
        True,
        None,
        "Training stops after so many epochs without a smaller development loss; by default the protocol's own.",
        1,
        100_000,
        True,
    ),
    Number(
        "SEED",
        "seed",
        "Seed",
        True,
        0,
        "The same seed and input give the same model on the same machine.",
        0,
        2**31 - 1,
        True,
    ),
    Number(
        "FOLDS", "folds", "Folds", True, 10, "Into so many parts the blocks are dealt, each held out once.", 3, 50, True
    ),
    Number("BLOCK_SIZE", "block_size", "Block size [m]", False, 1000.0, "Side of the blocks held out.", advanced=True),
    Number(
        "INTERVAL", "interval", "Interval", False, 0.9, "Share of truths the intervals should hold.", 0.5, 0.99, True
    ),
)
