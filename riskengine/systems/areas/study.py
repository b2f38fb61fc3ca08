"""One run of the study: what was read of a panel, and all that came out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ...contract.choices import StudyClassifier
from ...contract.texts import count_text, list_names, show_name
from ...ground.context import JobContext
from ...ground.errors import DataError
from ...intake.incidents import Incidents
from ...maps.areas import Areas
from ...maps.panel import Panel
from .inputs import TRAINING, Floats, Inputs, Integers, choose_tests, make_inputs
from .ladder import Rung, climb_ladder, run_published, run_rates
from .mobility import check_mobility, is_fixed, make_mobility
from .protocol import Protocol, Run
from .switches import PUBLISHED, Switches


@dataclass(eq=False)
class Study:
    """What the report shows.

    Attributes
    ----------
    inputs : Inputs
    switches : Switches
    tests : ndarray of int
        Numbers of the months tested.
    runs : dict
        One of each classifier, under `switches`.
    rates : Run
        Plain rates of all cells.
    rungs : list of Rung
        Of the ladder; empty where none was asked for.
    """

    inputs: Inputs
    switches: Switches
    tests: Integers
    runs: dict[StudyClassifier, Run]
    rates: Run
    rungs: list[Rung] = field(default_factory=list)

    @property
    def first(self) -> Run:
        """The run of the classifier that was named first; the forest where it is among them."""
        return self.runs.get("forest") or next(iter(self.runs.values()))

    def find_rung(self, key: str) -> Run | None:
        """Find a rung of the ladder; None where it is not among them."""
        return next((rung.run for rung in self.rungs if rung.key == key), None)


def require_areas(panel: Panel) -> Areas:
    """Give the areas of a panel.

    Raises
    ------
    DataError
        If it is one of segments.
    """
    if not isinstance(panel.support, Areas):
        raise DataError(
            f"The panel is one of {panel.support.kind}, and the study draws places from areas",
            parameter="panel",
            value=panel.support.kind,
            remedy="Choose a panel of polygons, such as beats, wards or census areas",
        )
    return panel.support


def read_inputs(panel: Panel, incidents: Incidents, area: Integers, tests: int, context: JobContext) -> Inputs:
    """Bring incidents, and what a panel says of its areas, together.

    Parameters
    ----------
    area : ndarray of int, shape (n,)
        Number of each incident's area, -1 for none.
    tests : int
        Months to test.

    Raises
    ------
    DataError
        If no incident lies in an area, or the months are too few.
    """
    areas = require_areas(panel)
    fixed = [each for each in panel.extras.covariates if is_fixed(each)]
    dated = [each for each in panel.extras.covariates if not is_fixed(each)]
    columns = [*panel.extras.static, *(np.nanmax(each.values, axis=0) for each in fixed)]
    names = [*panel.extras.static_names, *(each.name for each in fixed)]
    covariates = np.array(columns, dtype=np.float64).reshape(len(columns), len(areas.ids)).T
    inside = area >= 0
    if not inside.any():
        raise DataError(
            "No incident lies in an area of the panel",
            parameter="panel",
            value=len(incidents),
            remedy="Choose a panel of the same city, and check the CRS of the incidents",
        )
    inputs = make_inputs(incidents.select(inside), area[inside], areas, _fill_middle(covariates, names, context), names)
    first = int(choose_tests(inputs, tests)[0])
    mobility = make_mobility(panel, dated, inputs.months)
    if mobility is not None:
        check_mobility(mobility, inputs.months, np.arange(first - TRAINING - 1, len(inputs.months) - 1))
    return replace(inputs, mobility=mobility)


def run_study(
    inputs: Inputs,
    tests: int,
    classifiers: Sequence[StudyClassifier],
    switches: Switches,
    ladder: bool,
    seed: int,
    context: JobContext,
) -> Study:
    """Run the classifiers and, on request, the ladder."""
    months = choose_tests(inputs, tests)
    with context.step(0.0, 0.4 if ladder else 1.0):
        runs = run_published(inputs, months, classifiers, switches, seed, context)
    study = Study(inputs, switches, months, runs, run_rates(inputs, months))
    if not ladder:
        return study
    with context.step(0.4, 0.5):
        published = study.runs.get("forest") if switches == PUBLISHED else None
        published = published or Protocol(inputs, PUBLISHED, seed).run("forest", months, context=context)
    with context.step(0.5, 1.0):
        study.rungs = climb_ladder(inputs, months, published, seed, context)
    return study


def flag_most(values: Floats, number: int) -> NDArray[np.bool_]:
    """Flag the `number` highest values; of equal ones the first."""
    flagged = np.zeros(len(values), dtype=bool)
    flagged[np.argsort(-values, kind="stable")[:number]] = True
    return flagged


def _fill_middle(covariates: Floats, names: Sequence[str], context: JobContext) -> Floats:
    """Give areas without a value the middle one of all areas, and say so."""
    gaps: NDArray[np.bool_] = np.isnan(covariates)
    if not gaps.any():
        return covariates
    if (empty := gaps.all(axis=0)).any():
        name = show_name(names[int(np.flatnonzero(empty)[0])])
        raise DataError(
            f"The covariate {name} has no value in any area",
            parameter="panel",
            value=name,
            remedy="Choose a panel without it, or add it again with Add covariates",
        )
    lacking = [names[number] for number in np.flatnonzero(gaps.any(axis=0)).tolist()]
    context.warn(
        f"{count_text(int(gaps.any(axis=1).sum()), 'area has', 'areas have')} no value of {list_names(lacking)}: the"
        " middle one of all areas stands for it"
    )
    return np.where(gaps, np.nanmedian(covariates, axis=0), covariates)
