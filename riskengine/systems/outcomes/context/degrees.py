"""Temperatures among the values that are joined: found, their unit said, and brought to the one that is wanted."""

from __future__ import annotations

import numpy as np

from ....contract.texts import list_names
from ....contract.tools.joincontext import JoinContext
from ....ground.context import JobContext
from .temperatures import UNITS, Scale, convert, find_temperatures, tell_scale
from .times import find_named
from .values import Column


def bring_temperatures(parameters: JoinContext, values: dict[str, Column], context: JobContext) -> list[str]:
    """Bring the temperatures among the values, which are replaced, to the unit that is wanted; returns what is said.

    Tenths of a degree are always brought to degrees.

    Raises
    ------
    ParameterError
        If a column that is named is not among the values.
    """
    asked = parameters.temperature_columns
    found = find_named(list(values), asked, "temperature_columns", "What is joined") or find_temperatures(list(values))
    degrees = {name: values[name].values for name in found if values[name].kind == "real"}
    if not any(np.isfinite(each).any() for each in degrees.values()):
        if parameters.wanted != "same" or parameters.temperatures != "auto":
            context.warn("No column is a temperature by its name, and nothing is converted: name the columns")
        return []
    scale = Scale(parameters.temperatures, "as was said")
    if parameters.temperatures == "auto":
        scale = tell_scale(degrees)
    wanted = "celsius" if parameters.wanted == "same" and scale.unit == "tenths" else parameters.wanted
    for name in degrees:
        values[name] = Column("real", convert(values[name].values, scale.unit, wanted))
    is_one = "is" if len(degrees) == 1 else "are"
    note = f"{list_names(list(degrees), 10)} {is_one} taken for {UNITS[scale.unit]} ({scale.why}), and "
    note += "joined as they are" if wanted in ("same", scale.unit) else f"joined in {UNITS[wanted]}"
    if scale.unit == "tenths":
        note += ". Rain and wind of such a table are in tenths too, of a millimetre and of m/s, and stay so"
    if scale.doubtful:
        context.warn(f"{note}. Few or mild values tell units badly: choose TEMPERATURES if that is wrong")
    else:
        context.log(note)
    return [note]
