"""What temperatures are written in: told by names and values, said, and brought to another unit on request."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....contract.tools.joincontext import TemperatureUnit, TemperatureWanted

Floats = NDArray[np.float64]

#: Names of temperatures: those of GHCN, and whatever says so, in the languages that the word is alike in.
_TEMPERATURE = re.compile(
    r"temp(?![olt])|^t_?(max|min|avg|mean|obs|air|dew)|^(max|min|avg|mean)_?t$|dew_?point|^(adpt|awbt)$|fahrenheit"
    r"|celsius|^(tmp|dwp)[cf]$"
)
_NAMED_UNITS = (
    ("fahrenheit", re.compile(r"fahrenheit|°\s?f\b|(?<![^\W_])(deg_?)?f$|[([]f[)\]]|[a-z]F$|^(tmp|dwp)f$")),
    ("celsius", re.compile(r"celsius|centigrade|°\s?c\b|(?<![^\W_])(deg_?)?c$|[([]c[)\]]|[a-z]C$|^(tmp|dwp)c$")),
)
#: The highest ever measured: 56.7 °C, which is 134 °F.
_HOTTEST_C, _HOTTEST_F = 57.0, 135.0
#: Air is rarely this warm in °C: a column that reaches it may be of a cool season in °F.
_DOUBTFUL_C = 43.0
#: So few rows may be of one season: whole numbers then do not tell one unit from another.
_FEW = 120
UNITS = {"celsius": "°C", "fahrenheit": "°F", "tenths": "tenths of °C"}


@dataclass(frozen=True)
class Scale:
    """The unit of some columns.

    Attributes
    ----------
    unit : {"celsius", "fahrenheit", "tenths"}
    why : str
        What tells, as part of a sentence.
    doubtful : bool
        It could be another.
    """

    unit: TemperatureUnit
    why: str
    doubtful: bool = False


def find_temperatures(names: Sequence[str]) -> list[str]:
    """Find the columns that are temperatures by their names."""
    return [name for name in names if _TEMPERATURE.search(name.casefold())]


def tell_scale(columns: Mapping[str, Floats]) -> Scale:
    """Tell the unit of a table's temperatures by their names, else by their values.

    Parameters
    ----------
    columns : mapping of str to ndarray of float64
        By name; NaN for none. At least one has a value.
    """
    for unit, pattern in _NAMED_UNITS:
        if named := [name for name in columns if pattern.search(name) or pattern.search(name.casefold())]:
            return Scale(unit, f"{named[0]} says so")  # type: ignore[arg-type]
    values = np.concatenate([values[np.isfinite(values)] for values in columns.values()])
    low, high = float(values.min()), float(values.max())
    whole = bool((values == np.round(values)).all())
    if high > _HOTTEST_F or low < -_HOTTEST_F:
        return Scale("tenths", f"values from {low:g} to {high:g} are no degrees")
    few = max(int(np.isfinite(each).sum()) for each in columns.values()) < _FEW
    if high > _HOTTEST_C:
        return Scale("fahrenheit", f"no air was ever {high:g} °C", doubtful=whole and few)
    return Scale("celsius", f"the highest is {high:g}", doubtful=high > _DOUBTFUL_C or (whole and few))


def convert(values: Floats, unit: TemperatureUnit, wanted: TemperatureWanted) -> Floats:
    """Bring temperatures to another unit; tenths kept as they are stay tenths."""
    if wanted == "same" or wanted == unit:
        return values
    celsius = {"celsius": values, "fahrenheit": (values - 32) / 1.8, "tenths": values / 10}[unit]
    made: Floats = celsius if wanted == "celsius" else celsius * 1.8 + 32
    # A sum of halves and fifths has no more digits than these.
    return np.round(made, 4)
