"""What the card of a model of warnings says of them: their windows, what they warn of, and how many there may be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, Field
from typing_extensions import TypedDict

from ..contract.tools.forecast import ForecastRisk, TrainForecastModel
from ..contract.tools.warning import TrainWarningModel, Warn
from ..contract.warnings import HOURS_OF_WEEK, Budget, BudgetKind, Timing, describe_hours, is_window
from ..ground.errors import ParameterError
from ..maps.bins import bin_text

_Hours = Annotated[int, Field(strict=True, ge=0, le=100_000)]


def _check_window(hours: int) -> int:
    if not is_window(hours):
        raise ValueError(f"a window is no part of a day and no whole days: {hours}")
    return hours


class BudgetNote(TypedDict):
    """How many alarms may be raised: see `riskengine.contract.warnings.Budget`."""

    kind: BudgetKind
    size: Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]


class WarningNote(TypedDict):
    """What a model warns of; its hours are those of `riskengine.contract.warnings.Timing`.

    ``said`` is a sentence for people: what its warnings would have been worth on windows that it did not know.
    """

    window: Annotated[int, Field(strict=True), AfterValidator(_check_window)]
    begin: Annotated[int, Field(strict=True, ge=0, lt=HOURS_OF_WEEK)]
    lead: _Hours
    delay: _Hours
    targets: Annotated[list[str], Field(min_length=1)]
    similar: list[str]
    budget: BudgetNote
    said: str


def make_note(
    timing: Timing, targets: Sequence[str], similar: Sequence[str], budget: Budget, said: str = ""
) -> WarningNote:
    """Make what a card keeps."""
    return WarningNote(
        window=timing.window,
        begin=timing.begin,
        lead=timing.lead,
        delay=timing.delay,
        targets=list(targets),
        similar=list(similar),
        budget=BudgetNote(kind=budget.kind, size=budget.size),
        said=said,
    )


def read_timing(note: WarningNote) -> Timing:
    """Read the windows of a card."""
    return Timing(note["window"], note["begin"], note["lead"], note["delay"])


def read_budget(note: WarningNote) -> Budget:
    """Read how many alarms may be raised by a card."""
    return Budget(**note["budget"])


def check_note(note: WarningNote | None, bin: str, delay: int) -> None:
    """Refuse a card whose windows are not made of its bins, or whose bins come late by another time.

    Raises
    ------
    ValueError
    """
    if note is None:
        return
    timing = read_timing(note)
    if (bin, delay) != (bin_text("hours", timing.step), timing.late):
        raise ValueError("its windows are not made of its bins")


def refuse_warnings(note: WarningNote | None) -> None:
    """Refuse a model of warnings where one of risk is needed.

    Raises
    ------
    ParameterError
    """
    if note is not None:
        raise ParameterError(
            f"The model warns of windows of {describe_hours(note['window'])}:"
            f" it was made with {TrainWarningModel.TITLE}",
            parameter="model",
            value=TrainWarningModel.ID,
            remedy=f"Give it to {Warn.TITLE}, or choose a model made with {TrainForecastModel.TITLE}",
        )


def require_warnings(note: WarningNote | None) -> WarningNote:
    """Return what a model warns of.

    Raises
    ------
    ParameterError
        If it is no model of warnings.
    """
    if note is None:
        raise ParameterError(
            f"The model forecasts risk and warns of nothing: it was made with {TrainForecastModel.TITLE}",
            parameter="model",
            value=TrainForecastModel.ID,
            remedy=f"Give it to {ForecastRisk.TITLE}, or choose a model made with {TrainWarningModel.TITLE}",
        )
    return note
