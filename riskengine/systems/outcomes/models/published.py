"""The inputs of the published models: the calendar, the fields, the area as a number, weather and census."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ..rows import MISSING, Coded, Floats, Rows
from .columns import ColumnMaker, find_weekdays

#: Season of each month, as published: autumn has two months.
_SEASONS = ("winter", "spring", "summer", "autumn")
_SEASON_OF_MONTH = np.asarray([0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 0, 0])


class PublishedColumns(ColumnMaker):
    """Year, month, day, week, hour, weekend, season and weekday; texts; area; weather and census. No coordinates.

    Attributes
    ----------
    area_counts_ : bool
        Whether areas are numbers, as in Chicago, and read as such.
    """

    def _learn_fields(self, rows: Rows) -> None:
        area = rows.texts.get("area")
        self.area_counts_ = area is not None and bool(np.isfinite(_read_labels(area)).any())
        super()._learn_fields(rows)

    def _list_texts(self, rows: Rows) -> dict[str, Coded]:
        texts = super()._list_texts(rows)
        if self.area_counts_:
            texts.pop("area", None)
        if "time" in self.reading.groups:
            texts["season"] = Coded(find_seasons(rows.day), _SEASONS)
        return texts

    def _list_numbers(self, rows: Rows) -> dict[str, Floats]:
        numbers = super()._list_numbers(rows)
        if "time" in self.reading.groups:
            numbers |= {f"time:{name}": values for name, values in list_calendar(rows.day).items()}
        if "place" in self.reading.groups and self.area_counts_ and "area" in rows.texts:
            numbers["place:area"] = _read_labels(rows.texts["area"])
        return numbers

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take what `state` gave."""
        super().restore(state)
        self.area_counts_ = "place:area" in self.numbers_
        return self


def find_seasons(day: NDArray[np.datetime64]) -> NDArray[np.int32]:
    """Find the published season of each day: March to May, June to August, September and October, the rest."""
    known = ~np.isnat(day)
    month = np.where(known, day, np.datetime64(0, "D")).astype("datetime64[M]").astype(np.int64) % 12
    return np.where(known, _SEASON_OF_MONTH[month], MISSING).astype(np.int32)


def list_calendar(day: NDArray[np.datetime64]) -> dict[str, Floats]:
    """List year, month, day of the month, week of the year and weekend of each day; NaN where none is known."""
    known = ~np.isnat(day)
    days = np.where(known, day, np.datetime64(0, "D")).astype("datetime64[D]")
    months, years = days.astype("datetime64[M]"), days.astype("datetime64[Y]")
    calendar = {
        "year": years.astype(np.int64) + 1970,
        "month": months.astype(np.int64) % 12 + 1,
        "day": (days - months).astype(np.int64) + 1,
        "week": (days - years).astype(np.int64) // 7 + 1,
        "weekend": find_weekdays(days) >= 5,
    }
    return {name: np.where(known, values.astype(np.float64), np.nan) for name, values in calendar.items()}


def _read_labels(coded: Coded) -> Floats:
    """Labels as numbers; NaN where one is none."""
    numbers = np.full(len(coded.labels) + 1, np.nan)
    for position, label in enumerate(coded.labels):
        try:
            numbers[position] = float(label)
        except ValueError:
            continue
    return np.where(np.isfinite(numbers), numbers, np.nan)[coded.codes]
