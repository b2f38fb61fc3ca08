"""What a forecast says of each area and bin, beside the risk; the table of all areas and that of the top places."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...contract.aims import Catch
from ...contract.tools.base import fields_of
from ...contract.tools.forecast import ForecastRisk
from ...contract.units import SIZES, WHOLES
from ...forecasters.expected import Counts
from ...ground.context import JobContext
from ...ground.tables import Chunk, write_table
from ...maps.aims import measure_costs
from ...maps.panel import Panel
from ...maps.risk import DEFAULT_PERCENTILES, list_share_labels
from ...maps.shapes import Shapes
from ...measures.weighted import compute_density
from .steps import RiskForecast

Values = NDArray[np.float64]

#: Places of each bin in the table of the top places.
TOP = 20
#: Shares of the area that differ by rounding alone are equal.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class PlaceForecast:
    """What is said of each area and bin; all of shape (steps, N).

    Attributes
    ----------
    risk : ndarray
        Probability of at least one incident.
    counts : Counts
        Expected count, with its interval.
    percentile : ndarray
        Of 100: the share of the whole area that has less risk per km².
    classes : ndarray of int
        How many of the usual percentiles of *Classify percentile risk* that reaches.
    rank : ndarray of int
        1 for the most risk per km²; of equal ones the first id comes first.
    change : ndarray
        Expected count less the mean count of as many bins of the last year known; NaN where nothing of it was observed.
    """

    risk: NDArray[np.float32]
    counts: Counts
    percentile: Values
    classes: NDArray[np.int64]
    rank: NDArray[np.int64]
    change: Values


def list_place_classes(kind: str) -> list[str]:
    """List what the classes of a kind of support are called, lowest first."""
    return list_share_labels([100 - each for each in reversed(DEFAULT_PERCENTILES)], whole=WHOLES[kind])


def describe_caution(history: Panel, catch: Catch | None = None) -> str:
    """Describe what must be read beside every map of areas; it goes into the layer's metadata."""
    noun, size = history.noun, SIZES[history.support.kind]
    ranked = f"by risk per {size}" if catch is None else f"by expected incidents per {size}"
    small = ": a small one may rank high by a few incidents"
    if catch is not None and catch.unit == "units":
        ranked, small = "by expected incidents", ""
    return (
        f"A forecast of reported incidents in places, never of persons. {noun.capitalize()}s rank {ranked}{small}. The"
        f" change is against the mean count per {'bin' if catch is None else 'window'} of the last year known."
    )


def describe_places(made: RiskForecast, history: Panel) -> PlaceForecast:
    """Work out what is said of each area and bin of a forecast.

    Parameters
    ----------
    made : RiskForecast
        With its counts.
    history : Panel
        All that was known at the origin.
    """
    assert made.counts is not None
    size = history.support.measure_km()
    density, window = compute_density(made.risk, size), 1
    if made.catch is not None and made.expected is not None:
        # As the places of a window are chosen: where many incidents are expected, any probability is all but 1.
        window = made.catch.window
        density = made.expected.astype(np.float64) / measure_costs(made.catch, history).each
    percentile = np.array([_measure_lower(row, size) for row in density])
    # Of equal density the first id, as a sort of the ids has it, comes first.
    by_id = np.argsort(np.array(history.support.ids, dtype=object), kind="stable")
    order = by_id[np.argsort(-density[:, by_id], axis=1, kind="stable")]
    rank = np.empty(order.shape, dtype=np.int64)
    np.put_along_axis(rank, order, np.arange(1, order.shape[1] + 1)[None], axis=1)
    return PlaceForecast(
        made.risk,
        made.counts,
        percentile,
        np.searchsorted(np.array(DEFAULT_PERCENTILES), percentile + 100 * _ROUNDING, side="right"),
        rank,
        made.counts.mean - window * measure_last_year(history),
    )


def _measure_lower(density: Values, size: Values) -> Values:
    """Share of the size that has a lower density, per cent, shape (N,)."""
    _, group = np.unique(density, return_inverse=True)
    sizes = np.bincount(group, weights=size)
    lower: Values = 100 * (np.cumsum(sizes) - sizes)[group] / size.sum()
    return lower


def measure_last_year(history: Panel) -> Values:
    """Measure the mean count per bin of the year before the last count known, shape (N,); NaN if none was observed."""
    end = history.edges[-1]
    month = end.astype("datetime64[M]")
    year_before = (month - 12).astype("datetime64[s]") + (end - month.astype("datetime64[s]"))
    recent = history.observed & (history.edges[:-1] >= min(year_before, history.edges[-2]))
    if not recent.any():
        return np.full(history.mask.shape, np.nan)
    return np.asarray(history.counts[recent].mean(axis=0, dtype=np.float64))


def write_places(by_area: str | None, top: str | None, made: RiskForecast, history: Panel, context: JobContext) -> None:
    """Write the table of all areas and that of the top places, whichever are wanted."""
    places = describe_places(made, history)
    if by_area:
        write_areas(by_area, made, places, history, context)
    if top:
        write_top(top, made, places, history)


def write_areas(path: str, made: RiskForecast, places: PlaceForecast, history: Panel, context: JobContext) -> int:
    """Write every area and bin as a polygon with what is said of it; returns how many rows there are."""
    areas = history.support
    assert isinstance(areas, Shapes), "a grid's risk is a raster"
    shapes = areas.pack_shapes()
    fields = fields_of(ForecastRisk, "by_area")

    def chunks() -> Iterator[Chunk]:
        for step in range(len(made.risk)):
            context.progress(step / len(made.risk), f"Writing {history.bin_noun} {step + 1} of {len(made.risk)}")
            values = _list_values(made, places, history, step, np.arange(len(areas.ids)))
            yield Chunk([values[name] for name in fields], shapes=shapes)

    return write_table(path, fields, chunks(), areas.table_geometry, areas.crs, "by_area")


def write_top(path: str, made: RiskForecast, places: PlaceForecast, history: Panel) -> int:
    """Write the first places of each bin, from the first rank on; returns how many rows there are."""
    fields = fields_of(ForecastRisk, "top")
    size = history.support.measure_km()
    # Segments have a length instead.
    square = size if history.support.kind == "areas" else np.full(len(size), np.nan)

    def chunks() -> Iterator[Chunk]:
        for step, ranks in enumerate(places.rank):
            first = np.argsort(ranks)[:TOP]
            values = _list_values(made, places, history, step, first)
            values |= {
                "km2": square[first],
                "share": np.cumsum(size[first]) / size.sum(),
                "expected_share": np.cumsum(places.counts.mean[step, first]) / places.counts.mean[step].sum(),
            }
            yield Chunk([values[name] for name in fields])

    return write_table(path, fields, chunks(), "none", None, "top")


def _list_values(
    made: RiskForecast, places: PlaceForecast, history: Panel, step: int, which: NDArray[np.int64]
) -> dict[str, Any]:
    """Values of some areas in one bin, by the name of their field."""
    areas, counts = history.support, places.counts
    assert isinstance(areas, Shapes), "a grid's risk is a raster"
    return {
        "id": [areas.ids[number] for number in which],
        "name": [areas.names[number] for number in which],
        "start": np.full(len(which), made.edges[step]),
        "end": np.full(len(which), made.edges[step + 1]),
        "risk": places.risk[step, which].astype(np.float64),
        "expected": counts.mean[step, which],
        "low": counts.low[step, which],
        "high": counts.high[step, which],
        "percentile": places.percentile[step, which],
        "class": places.classes[step, which],
        "rank": places.rank[step, which],
        "change": places.change[step, which],
    }
