"""Further fields that models read: weather, census and others, named by the user or found by their names."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from ...contract.fieldnames import find_field
from ...contract.texts import list_names, show_name
from ...contract.tools.outcomes import ReadsOutcomes
from ...ground.context import JobContext
from ...ground.errors import ParameterError
from ...ground.wholetables import WholeTable
from .coding import read_feature
from .people import find_person_fields
from .reported import reduce_words
from .rows import Coded, Floats, Rows
from .telling import Told

#: Words of fields of weather, also as NOAA's daily files have them, and of a census of areas.
_WEATHER = re.compile(
    r"\b(?:t(?:max|min|avg|obs|emp)|(?:max|min|mean|avg)? ?temp\w*|prcp|precip\w*|rain\w*|snow\w*|snwd|awnd|wsf\d"
    r"|wdf\d|wt\d\d|wind\w*|humid\w*|dew ?point|pressure|cloud\w*|sunshine|visibility|weather\w*|regen"
    r"|niederschlag|lluvia|viento|temperatura)\b"
)
_CENSUS = re.compile(
    r"\b(?:poverty|unemploy\w*|income|hardship|households?|housing|population|diploma|crowded|per capita|deprivation"
    r"|imd\w*|rent|education|pobreza|ingreso|poblacion|viviendas?|desempleo|einwohner|einkommen|arbeitslos\w*)\b"
)
T = TypeVar("T")
_TITLES = {"weather": "Weather", "census": "Census", "other": "Other"}


@dataclass(frozen=True, eq=False)
class Features:
    """Further fields, each a number or a label for every row; see `Rows`.

    Attributes
    ----------
    weather, census, other : dict of str to ndarray of float64, shape (N,)
    labels : dict of str to Coded
    people : bool
        Fields that describe people are read, since the user asked for them.
    """

    weather: dict[str, Floats] = field(default_factory=dict)
    census: dict[str, Floats] = field(default_factory=dict)
    other: dict[str, Floats] = field(default_factory=dict)
    labels: dict[str, Coded] = field(default_factory=dict)
    people: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """All fields."""
        return (*self.weather, *self.census, *self.other, *self.labels)

    def add_to(self, rows: Rows, kept_out: Collection[str] = ()) -> Rows:
        """Add them to rows, but those that are kept out."""

        def keep(fields: Mapping[str, T]) -> dict[str, T]:
            return {name: values for name, values in fields.items() if name not in kept_out}

        return replace(
            rows,
            weather=keep(self.weather),
            census=keep(self.census),
            other=keep(self.other),
            labels=keep(self.labels),
        )


def find_context_fields(names: Sequence[str]) -> dict[str, list[str]]:
    """Find the fields of ``weather`` and ``census`` by the words of their names.

    Examples
    --------
    >>> find_context_fields(["TMAX", "meanTemp", "HARDSHIP INDEX", "Ward", "PER CAPITA INCOME "])
    {'weather': ['TMAX', 'meanTemp'], 'census': ['HARDSHIP INDEX', 'PER CAPITA INCOME ']}
    """
    plain = {name: reduce_words(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)) for name in names}
    weather = [name for name, words in plain.items() if _WEATHER.search(words)]
    census = [name for name, words in plain.items() if _CENSUS.search(words) and name not in weather]
    return {"weather": weather, "census": census}


def refuse_outcome(parameters: ReadsOutcomes, outcome: str) -> None:
    """Refuse the outcome itself among the fields that a model reads.

    Raises
    ------
    ParameterError
        If it was named as one.
    """
    for parameter in ("weather_fields", "census_fields", "other_fields"):
        if find_field(outcome, getattr(parameters, parameter, ())) is not None:
            raise ParameterError(
                f"{show_name(outcome)} is the outcome, and no model may read what it is to foresee",
                parameter=parameter,
                value=outcome,
                remedy="Choose fields that are known when an incident is reported",
            )


def read_features(parameters: ReadsOutcomes, table: WholeTable, taken: Collection[str], told: Told) -> Features:
    """Read the fields that the user named, and of weather and census those found by their names where none was.

    Parameters
    ----------
    parameters : ReadsOutcomes
        Of a tool without ``weather_fields`` no further fields are read.
    taken : collection of str
        Fields that hold something else.

    Raises
    ------
    ParameterError
        If a field is not there, or describes people and that was not asked for.
    """
    if not hasattr(parameters, "weather_fields"):
        return Features()
    people = bool(getattr(parameters, "people", False))
    found = find_context_fields([name for name in table.fields if name not in taken])
    features = Features(people=people)
    for group in ("weather", "census", "other"):
        asked = [_require(name, table, f"{group}_fields") for name in getattr(parameters, f"{group}_fields", ())]
        _check_people(asked, people, f"{group}_fields", told)
        numbers: dict[str, Floats] = getattr(features, group)
        for name in asked or found.get(group, []):
            values = None if name in features.names else _read(table, name, group, bool(asked), told)
            if isinstance(values, Coded):
                features.labels[name] = values
            elif values is not None:
                numbers[name] = values
        if numbers and not asked:
            told.note(f"{_TITLES[group]} found by its names: {list_names(list(numbers), 40)}")
    return features


def read_number_field(table: WholeTable, name: str, context: JobContext, parameter: str) -> Floats:
    """Read a field of numbers that the user named, NaN where it has none.

    Raises
    ------
    ParameterError
        If it is not there, or holds no numbers.
    """
    found = _require(name, table, parameter)
    values = read_feature(table, found, context)
    if isinstance(values, Coded):
        raise _make_numbers_error(found, parameter, "Choose a field of numbers")
    return values


def _make_numbers_error(name: str, parameter: str, remedy: str) -> ParameterError:
    return ParameterError(
        f"The field {show_name(name)} holds no numbers", parameter=parameter, value=name, remedy=remedy
    )


def _read(table: WholeTable, name: str, group: str, asked: bool, told: Told) -> Floats | Coded | None:
    """Numbers, or labels of another field; None for what nobody asked for and is neither."""
    if not asked and (table.fields[name] in ("date", "datetime") or find_person_fields([name])):
        return None
    values = read_feature(table, name, told.context)
    if isinstance(values, Coded) and group != "other":
        if not asked:
            return None
        remedy = "Choose fields of numbers, or name it among the other fields"
        raise _make_numbers_error(name, f"{group}_fields", remedy)
    if not isinstance(values, Coded) and not np.isfinite(values).any():
        told.warn(f"The field {show_name(name)} is empty and is left out")
        return None
    return values


def _check_people(asked: Sequence[str], people: bool, parameter: str, told: Told) -> None:
    named = find_person_fields(asked)
    if named and not people:
        raise ParameterError(
            f"{list_names(named)} {'describes' if len(named) == 1 else 'describe'} people by name, and this is about "
            "incidents and places",
            parameter=parameter,
            value=named[0],
            remedy="Leave it out. If it describes no person, or you have reasons, switch on PEOPLE",
        )
    if named:
        told.warn(
            f"{list_names(named)} {'describes' if len(named) == 1 else 'describe'} people by name and will be read, "
            "since PEOPLE is on: what the model says is then of persons, and repeats how they were treated"
        )


def _require(name: str, table: WholeTable, parameter: str) -> str:
    found = find_field(name, table.fields)
    if found is None:
        raise ParameterError(
            f"The table has no field {show_name(name)}",
            parameter=parameter,
            value=name,
            remedy=f"Choose from: {list_names(list(table.fields), 40)}",
        )
    return found
