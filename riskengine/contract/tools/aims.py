"""What a forecast is asked for, once for three tools: how likely it is everywhere, or which few places to go to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from ..aims import CATCH, PROBABILITIES, AimKind, CatchUnit
from ..forecasters import CATCH_BASELINE
from ..texts import tr
from .base import Output, Problem, Shown, Tool, Where
from .kinds import Choice, Fields
from .shared import ABOVE_ZERO

_HOW_LIKELY = tr("How likely: a probability for each place and bin")
_WHERE_TO_GO = tr("The catch: which few places to go to")
#: The aims in the order of their integers.
AIMS = Choice({PROBABILITIES: _HOW_LIKELY, CATCH: _WHERE_TO_GO})
#: Of a model that is there already.
AIMS_OF_MODEL = Choice({"model": tr("As the model was made"), PROBABILITIES: _HOW_LIKELY, CATCH: _WHERE_TO_GO})

_UNITS = {"share": tr("Per cent of the area"), "km2": tr("Square kilometres"), "units": tr("Cells or areas")}
#: What a catch is measured in, in the order of their integers.
CATCH_UNITS = Choice(_UNITS)
#: The same with the model's own last, so that the integers of the others are the same in all tools.
CATCH_UNITS_OF_MODEL = Choice({**_UNITS, None: tr("As the model was made")})

AIM = tr("Aim")
AIM_HELP = tr(
    "What the forecast is for. How likely: the best probability for each place and bin. The catch: the few places to "
    "go to that catch the most incidents over a window as a whole: another question, with another best answer."
)
CATCH_SIZE = tr("Size of the catch")
CATCH_SIZE_HELP = tr(
    "With the catch: how much can be covered at a time, in the unit below. A square mile is 2.59 km², a quarter 0.65."
)
CATCH_SIZE_OF_MODEL_HELP = tr("With the catch: how much can be covered at a time. Left empty the model's, or else 5 %.")
CATCH_UNIT = tr("Unit of the catch")
CATCH_UNIT_HELP = tr("With the catch: what its size is given in. Of street segments square kilometres are kilometres.")

#: What is said of each place to go to; all of one window are there, the first the best.
PLACE_FIELDS: Fields = {
    "rank": "integer",
    "id": "text",
    "name": "text",
    "start": "datetime",
    "end": "datetime",
    "expected": "real",
    "km2": "real",
    "share": "real",
    "expected_share": "real",
    "before": "integer",
}
PLACES = tr("Places to go to")
PLACES_HELP = tr(
    "With the catch: the cells or areas to go to in each window, rank 1 first, with the incidents expected there, how "
    "much of the area and of all expected incidents they and those before them hold, and how many incidents there were "
    "before."
)
#: Places are there with the catch alone.
WITH_CATCH = Where("aim", CATCH)


def list_catch_figures(model: str) -> tuple[Output, ...]:
    """List what the places of a model caught, beside prior counts; `model` is the key of its name in the result."""
    own = f"catch.models.{{{model}}}"
    return (
        Output("CAUGHT", f"{own}.n", tr("Incidents that the places of the catch caught")),
        Output("INCIDENTS_COUNT", f"{own}.N", tr("Incidents there were, in all windows of the catch")),
        Output(
            "CAUGHT_BY_PRIOR_COUNTS",
            f"catch.models.{CATCH_BASELINE}.n",
            tr("Incidents that prior counts caught on as much of the area"),
        ),
        Output("CATCH_PAI", f"{own}.pai", tr("PAI at the size of the catch")),
        Output("CATCH_PEI", f"{own}.pei", tr("PEI* at the size of the catch")),
    )


class AimsAt(Tool):
    """The aim of a forecast, and with the catch how much can be covered."""

    aim: Annotated[
        AimKind,
        AIMS,
        Shown(AIM, AIM_HELP),
    ] = PROBABILITIES
    catch_size: Annotated[float, ABOVE_ZERO, WITH_CATCH, Shown(CATCH_SIZE, CATCH_SIZE_HELP, usual="5")] = 5.0
    catch_unit: Annotated[CatchUnit, CATCH_UNITS, WITH_CATCH, Shown(CATCH_UNIT, CATCH_UNIT_HELP)] = "share"

    @classmethod
    def list_problems(cls, given: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield a catch that cannot be made, and a threshold that it does not know."""
        yield from super().list_problems(given)
        if given["aim"] != CATCH:
            return
        yield from list_size_problems(given)
        if given["threshold"] > 1:
            text = tr(
                "{threshold} is {value}, but a catch counts every incident, so {aim} knows no threshold. Set "
                "{threshold} to 1, or {aim} to probabilities."
            )
            yield Problem("threshold", text)


def list_size_problems(given: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield that a size is impossible in its unit."""
    size, unit = given["catch_size"], given["catch_unit"]
    if unit == "share" and size > 100:
        yield Problem(
            "catch_size",
            tr("{catch_size} is {value} per cent of the area; give at most 100, or another {catch_unit}."),
        )
    if unit == "units" and not float(size).is_integer():
        yield Problem(
            "catch_size",
            tr("{catch_size} is {value}, but cells and areas are covered whole; give a whole number."),
        )
