"""The features of a place: density of the months before, what is known of its area, mobility of the month before."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ...contract.choices import StudyDensity
from ...ground.context import JobContext
from .inputs import DENSITY, Floats, Inputs, Integers
from .switches import Switches

#: Of the Gaussian density, metres.
BANDWIDTH = 500.0
#: Bandwidths beyond which an incident adds nothing.
_REACH = 4.0
#: Places whose neighbours are looked up at a time.
_CHUNK = 20_000
#: Random numbers of an area where no covariates are given, as many as the published domains of deprivation.
_DOMAINS = 7
_DENSITY_NAME = "Density"


class Features:
    """Computes the features of places under one choice of the switches.

    Parameters
    ----------
    inputs : Inputs
    switches : Switches
    seed : int
        Of the random numbers that may stand in for covariates.
    """

    def __init__(self, inputs: Inputs, switches: Switches, seed: int) -> None:
        self.inputs = inputs
        self.switches = switches
        self.covariates = self._choose_covariates(seed)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features in their order."""
        switches, inputs = self.switches, self.inputs
        known = {
            "given": inputs.names,
            "random": tuple(f"Random number {number + 1}" for number in range(self.covariates.shape[1])),
            "none": (),
        }[switches.features]
        mobility = inputs.mobility.names if inputs.mobility is not None else ()
        return (*((_DENSITY_NAME,) if switches.density != "none" else ()), *known, *mobility)

    def compute(self, month: int, x: Floats, y: Floats, area: Integers, context: JobContext | None = None) -> Floats:
        """Compute the features of places in a month, shape (n, features)."""
        inputs = self.inputs
        columns = []
        if self.switches.density != "none":
            before = (inputs.month >= month - DENSITY) & (inputs.month < month)
            earlier = inputs.x[before], inputs.y[before]
            columns.append(compute_density(*earlier, x, y, self.switches.density, context)[:, None])
        columns.append(self.covariates[area])
        if inputs.mobility is not None:
            columns.append(inputs.mobility.read(month - 1, self.switches.filling)[area])
        return np.hstack(columns)

    def _choose_covariates(self, seed: int) -> Floats:
        given = self.inputs.covariates
        if self.switches.features == "random":
            random = np.random.default_rng((seed, 0x5EED))
            return random.standard_normal((len(given), given.shape[1] or _DOMAINS))
        return given if self.switches.features == "given" else given[:, :0]


def compute_density(
    earlier_x: Floats,
    earlier_y: Floats,
    x: Floats,
    y: Floats,
    density: StudyDensity,
    context: JobContext | None = None,
) -> Floats:
    """Compute the density of earlier incidents at places, shape (n,)."""
    if not len(earlier_x):
        return np.zeros(len(x))
    if density == "repeats":
        return _count_repeats(earlier_x, earlier_y, x, y)
    return _smooth(earlier_x, earlier_y, x, y, context or JobContext())


def choose_bandwidth(values: Floats) -> float:
    """Choose the bandwidth by Scott's rule as statsmodels does, in the unit of the values."""
    low, high = np.percentile(values, (25, 75))
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    quartiles = (high - low) / 1.349
    spread = float(min(spread, quartiles)) if quartiles > 0 else spread
    return float(1.059 * spread * len(values) ** -0.2)


def _count_repeats(earlier_x: Floats, earlier_y: Floats, x: Floats, y: Floats) -> Floats:
    """Compute the Aitchison-Aitken density, as statsmodels' KDEMultivariate with var_type "uu" gives it.

    The kernel is for categories without order: of each coordinate it knows only whether it is the same. With a
    bandwidth h and L values it is 1 - h where it is and h / (L - 1) where not; metres make h far larger than 1, which
    the kernel is not meant for. Of the product over both coordinates only the four cases of same and different need to
    be counted.
    """
    n = len(earlier_x)
    hx, hy = choose_bandwidth(earlier_x), choose_bandwidth(earlier_y)
    other_x = hx / max(len(np.unique(earlier_x)) - 1, 1)
    other_y = hy / max(len(np.unique(earlier_y)) - 1, 1)
    more_x, more_y = 1 - hx - other_x, 1 - hy - other_y
    same_x, same_y = count_same(earlier_x, x), count_same(earlier_y, y)
    same = count_same(earlier_x + 1j * earlier_y, x + 1j * y)
    cross = same_x * more_x * other_y + same_y * other_x * more_y + same * more_x * more_y
    return np.asarray(other_x * other_y + cross / n)


def count_same(earlier: NDArray[np.inexact], values: NDArray[np.inexact]) -> Integers:
    """Count how many of the earlier values equal each value; complex numbers stand for coordinates."""
    known, number = np.unique(earlier, return_counts=True)
    position = np.minimum(np.searchsorted(known, values), len(known) - 1)
    return np.where(known[position] == values, number[position], 0)


def _smooth(earlier_x: Floats, earlier_y: Floats, x: Floats, y: Floats, context: JobContext) -> Floats:
    """Compute a Gaussian density of the incidents at other coordinates.

    Per square kilometre, since trees see no difference below 1e-7, which a density per square metre has.
    """
    tree = cKDTree(np.column_stack([earlier_x, earlier_y]))
    density = np.empty(len(x))
    for first in range(0, len(x), _CHUNK):
        context.check_cancelled()
        part = slice(first, first + _CHUNK)
        here = cKDTree(np.column_stack([x[part], y[part]]))
        near = here.sparse_distance_matrix(tree, _REACH * BANDWIDTH, output_type="coo_matrix")
        weight = np.exp(-((near.data / BANDWIDTH) ** 2) / 2)
        density[part] = np.bincount(near.row, weight, minlength=here.n)
    # Its own coordinate tells a place that had an incident from one that was drawn.
    density -= count_same(earlier_x + 1j * earlier_y, x + 1j * y)
    return density / (2 * np.pi * (BANDWIDTH / 1000) ** 2)
