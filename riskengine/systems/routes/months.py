"""Months that a check of routes tests, each whole and with enough months of incidents before it."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from ...contract.dates import format_span
from ...contract.texts import count_text, show_name
from ...ground.context import JobContext
from ...ground.errors import DataError, ParameterError
from ...intake.incidents import Incidents

#: Months tested where nobody names them.
TESTED = 3
#: Days at either end of the incidents without one, within which a month still is whole: quiet days happen.
_QUIET = np.timedelta64(3, "D")

Month = np.datetime64


def choose_months(incidents: Incidents, asked: Sequence[str], history: int, context: JobContext) -> list[Month]:
    """Choose the months to test: those asked for, or the last three whole ones.

    Parameters
    ----------
    asked : sequence of str
        Such as ``2015-06``.
    history : int
        Months before each from which its risk is made.

    Raises
    ------
    ParameterError
        If a month cannot be read, or is not whole, or has too few months before it.
    DataError
        If no month can be tested.
    """
    first, last = incidents.span
    begin = (first - _QUIET).astype("datetime64[M]") + 1
    end = (last + np.timedelta64(1, "s") + _QUIET).astype("datetime64[M]")
    # A layer that begins on the third of a month lacks hardly anything of it.
    testable = np.arange(begin + history, end)
    if not len(testable):
        raise DataError(
            f"No month can be tested: the incidents are of {_format_months(begin, end)}, and"
            f" {count_text(history, 'month')} before each tested one are needed",
            parameter="months",
            value=history,
            remedy="Use fewer months of incidents, or a layer of more months",
        )
    months = sorted({_read_month(text) for text in asked}) or list(testable[-TESTED:])
    for month in months:
        if month not in testable:
            raise ParameterError(
                f"{month} cannot be tested: with {count_text(history, 'month')} before it, whole months from"
                f" {testable[0]} to {testable[-1]} can",
                parameter="tested",
                value=str(month),
                remedy="Choose months within that span, or fewer months of incidents",
            )
    if not asked:
        context.log(f"Months tested: {', '.join(map(str, months))}, the last whole ones")
    return months


def _read_month(text: str) -> Month:
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text.strip()):
        raise ParameterError(
            f"tested holds {show_name(text)}, which is no month",
            parameter="tested",
            value=text,
            remedy="Write months as 2015-06",
        )
    return np.datetime64(text.strip(), "M")


def _format_months(begin: Month, end: Month) -> str:
    return format_span(begin.astype("datetime64[D]"), end.astype("datetime64[D]"))
