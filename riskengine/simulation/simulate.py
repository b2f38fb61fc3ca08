"""A seeded city whose crime has a known self-exciting intensity.

For every category c, with t in days and s in metres,

    λ_c(t, s) = ν_c r_c(hour of the week of t) f_c(s)  +  Σ_{t_i < t, c_i = c} κ ω exp(−ω (t − t_i)) N(s − s_i; σ²)

where f_c mixes a few Gaussian hot areas with an uneven base along streets.  The incidents are drawn as
the cluster process that has this intensity (background incidents, their offspring, and theirs), so every
incident's parent is known.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.texts import count_text
from ..ground.context import JobContext
from ..ground.errors import DataError, ParameterError
from ..intake.incidents import Incidents
from .cityplan import CATEGORIES, CRS, Background, hour_of_week, sample_background

_DAY = 86_400.0
_SQUARE_KM = 1e6


@dataclass
class SimulatedCity:
    """Incidents in order of time, and everything that made them.

    Attributes
    ----------
    x, y : ndarray of float64
        Metres in `crs`.
    time : ndarray of datetime64[s]
    category : ndarray of int32
    categories : list of str
    parent : ndarray of int64
        Row of the incident that triggered this one, −1 for background.
    background : Background
    parameters : dict
        Seed, window, branching ratio κ, decay (1/ω) in days, spread σ in metres.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    time: NDArray[np.datetime64]
    category: NDArray[np.int32]
    categories: list[str]
    parent: NDArray[np.int64]
    background: Background
    parameters: dict[str, Any] = field(default_factory=dict)
    crs: str = CRS

    def __len__(self) -> int:
        return len(self.x)

    def to_incidents(self) -> Incidents:
        """Make the incidents as the rest of the engine takes them."""
        fid = np.arange(len(self), dtype=np.int64)
        return Incidents(self.x, self.y, self.time, self.category, list(self.categories), fid)

    def compute_intensity(
        self, time: np.datetime64, x: NDArray[Any], y: NDArray[Any], category: int | None = None
    ) -> NDArray[np.float64]:
        """Compute λ at one moment and many places, given all incidents before it.

        Parameters
        ----------
        time : datetime64
        x, y : ndarray
            Metres in `crs`.
        category : int, optional
            Default: the sum over all.

        Returns
        -------
        ndarray
            Incidents per day and square kilometre.
        """
        from scipy.spatial import cKDTree

        x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
        moment = time.astype("datetime64[s]")
        hour = int(hour_of_week(np.array([moment]))[0])
        wanted = range(len(self.categories)) if category is None else (category,)
        total = np.zeros(x.shape)
        for each in wanted:
            rate = self.background.rate[each] * self.background.week[each, hour]
            total += rate * self.background.compute_density(x, y, each)
        decay, spread = self.parameters["decay_days"], self.parameters["spread"]
        age = (moment - self.time).astype(np.float64) / _DAY
        # Beyond 20 decay times or 7 spreads a kernel is below 1e-8 of its height.
        recent = (age > 0) & (age < 20 * decay)
        if category is not None:
            recent &= self.category == category
        if recent.any() and x.size:
            tree = cKDTree(np.column_stack((self.x[recent], self.y[recent])))
            places = cKDTree(np.column_stack((x.ravel(), y.ravel())))
            near = places.sparse_distance_matrix(tree, 7 * spread, output_type="ndarray")
            height = self.parameters["branching"] / decay * np.exp(-age[recent][near["j"]] / decay)
            height *= np.exp(-((near["v"] / spread) ** 2) / 2) / (2 * np.pi * spread**2)
            total += np.bincount(near["i"], height, minlength=x.size).reshape(x.shape)
        return total * _SQUARE_KM


def simulate_city(
    incidents: int = 100_000,
    days: int = 365,
    seed: int = 1,
    start: str = "2024-01-01",
    branching: float = 0.25,
    decay_days: float = 7.0,
    spread: float = 120.0,
    size: float = 20_000.0,
    exact: bool = True,
    context: JobContext | None = None,
) -> SimulatedCity:
    """Draw a city.

    Parameters
    ----------
    incidents : int
        How many; exactly so with `exact`, else as the expected number.
    days : int
        Length of the window from `start`, half-open.
    seed : int
        The same seed and parameters give the same city.
    start : str
        First day.
    branching : float
        κ, the mean number of direct offspring of an incident, in [0, 1).
    decay_days : float
        1/ω, the mean time to an offspring.
    spread : float
        σ, standard deviation of an offspring's place in x and in y, metres.
    size : float
        Side of the city, metres.
    exact : bool
        Keep as many random families (a background incident and all its offspring) as make up
        exactly the number asked for; the branching within families is untouched.
    context : JobContext, optional

    Returns
    -------
    SimulatedCity

    Examples
    --------
    >>> city = simulate_city(1000, days=28, seed=3)
    >>> len(city), city.categories[0]
    (1000, 'burglary')
    """
    context = context or JobContext()
    for name, value, fine, wish in (
        ("incidents", incidents, incidents >= 1, "at least 1"),
        ("days", days, days >= 1, "at least 1"),
        ("branching", branching, 0 <= branching < 1, "0 or more and less than 1"),
        ("decay_days", decay_days, decay_days > 0, "more than 0"),
        ("spread", spread, spread > 0, "more than 0"),
        ("size", size, size >= 1000, "at least 1000 metres"),
    ):
        if not fine:
            raise ParameterError(
                f"Parameter {name!r} is {value}", parameter=name, value=value, remedy=f"Give a value that is {wish}"
            )
    random = np.random.default_rng(seed)
    begin = np.datetime64(start, "s")
    window = begin + np.arange(days * 24).astype("timedelta64[h]")
    per_background = _family_size(days, branching, decay_days)
    # Enough families that fewer incidents than asked for are out of the question (8 standard deviations).
    spare = 8 * np.sqrt(incidents / (1 - branching) ** 3) + 10 if exact else 0
    background = sample_background(random, (incidents + spare) / per_background / days, size, window)
    x, y, t, category, parent, root = _draw_families(
        random, background, window, days, branching, decay_days, spread, context
    )
    context.progress(0.7, "choosing")
    if exact and len(t) < incidents:
        raise DataError(
            f"Only {len(t)} of {count_text(incidents, 'incident')} could be drawn",
            parameter="seed",
            value=seed,
            remedy="Choose another seed or a smaller branching ratio",
        )
    if exact:
        keep = _exactly(random, root, incidents)
        background = background.with_rate(incidents / per_background / days)
    else:
        keep = np.arange(len(t))
    order = keep[np.argsort(t[keep], kind="stable")]
    context.progress(0.9, "sorting")
    place = np.full(len(t), -1, dtype=np.int64)
    place[order] = np.arange(len(order))
    parent = np.where(parent[order] >= 0, place[parent[order]], -1)
    return SimulatedCity(
        x=x[order],
        y=y[order],
        time=begin + np.floor(t[order] * _DAY).astype("timedelta64[s]"),
        category=category[order],
        categories=list(CATEGORIES),
        parent=parent,
        background=background,
        parameters={
            "incidents": incidents,
            "days": days,
            "seed": seed,
            "start": str(begin),
            "branching": branching,
            "decay_days": decay_days,
            "spread": spread,
            "size": size,
            "exact": exact,
        },
    )


def _family_size(days: int, branching: float, decay_days: float) -> float:
    """Mean number of incidents within the window per background incident."""
    rest = 1 - branching
    lost = branching / rest * decay_days / rest * -np.expm1(-rest * days / decay_days) / days
    return float(1 / rest - lost)


def _draw_families(
    random: np.random.Generator,
    background: Background,
    window: NDArray[np.datetime64],
    days: int,
    branching: float,
    decay_days: float,
    spread: float,
    context: JobContext,
) -> tuple[NDArray[Any], ...]:
    """x, y, days since the first hour of `window`, category, and rows of parent and root of all incidents."""
    hours = np.arange(len(window))
    xs, ys, ts, categories = [], [], [], []
    for code in range(len(CATEGORIES)):
        expected = background.rate[code] / 24 * background.week[code][hour_of_week(window)]
        hour = np.repeat(hours, random.poisson(expected))
        t = (hour + random.random(len(hour))) / 24
        x, y = background.sample_places(len(t), code, random)
        xs.append(x)
        ys.append(y)
        ts.append(t)
        categories.append(np.full(len(t), code, dtype=np.int32))
        context.progress(0.1 * (code + 1), "background")
    x, y, t, category = np.concatenate(xs), np.concatenate(ys), np.concatenate(ts), np.concatenate(categories)
    first, root = 0, np.arange(len(t))
    generation = [(x, y, t, category, np.full(len(t), -1, dtype=np.int64), root)]
    while len(t) and branching:
        children = np.repeat(np.arange(len(t)), random.poisson(branching, len(t)))
        born = t[children] + random.exponential(decay_days, len(children))
        children, born = children[born < days], born[born < days]
        parent = children + first
        first += len(t)
        x = x[children] + spread * random.standard_normal(len(children))
        y = y[children] + spread * random.standard_normal(len(children))
        t, category, root = born, category[children], root[children]
        generation.append((x, y, t, category, parent, root))
        context.check_cancelled()
    return tuple(np.concatenate(columns) for columns in zip(*generation, strict=True))


def _exactly(random: np.random.Generator, root: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Rows of whole random families that together make up `count` incidents."""
    sizes = np.bincount(root)
    shuffled = random.permutation(len(sizes))
    total = np.cumsum(sizes[shuffled])
    whole = int(np.searchsorted(total, count, side="right"))
    taken = np.zeros(len(sizes), dtype=bool)
    taken[shuffled[:whole]] = True
    short = count - (int(total[whole - 1]) if whole else 0)
    # The gap is smaller than one family; incidents without offspring fill it.
    rest = shuffled[whole:]
    taken[rest[sizes[rest] == 1][:short]] = True
    rows = np.flatnonzero(taken[root])
    if len(rows) != count:
        # Happens only with a handful of incidents. Parents stand before their offspring, so a head of all is whole.
        rows = np.arange(count)
    return rows
