"""The catch on Portland's vehicle thefts, spring of 2014: exact to the day, counted by hand, not below plain counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from riskengine.contract.forecasters import CATCH_BASELINE, DEFAULT_CATCH
from riskengine.evaluation.catching import run_catch
from riskengine.evaluation.caught import CatchJudged
from riskengine.evaluation.judged import Judged
from riskengine.evaluation.plan import Plan

ROOT = Path(__file__).resolve().parents[2]
#: Cells of so many feet are few enough for a test; in .75 square miles there is room for 9 whole ones.
FEET, MILES, CELLS = 1500.0, 0.75, 9
FURTHER = 2
#: Two years to learn from, and what happened from 1 March to the end of May.
YEAR, NUMBER = 2014, 370


@pytest.fixture(scope="module")
def portland(data_folder: Path) -> Any:
    if not (data_folder / "portland").is_dir():
        pytest.skip("Portland is not among the data")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        import nij_data

        yield nij_data


@pytest.fixture(scope="module")
def incidents(portland: Any, data_folder: Path) -> Any:
    return portland.read_incidents(data_folder, "vehicle_theft")


@pytest.fixture(scope="module")
def judged(portland: Any, incidents: Any, data_folder: Path) -> Judged:
    spring = portland.make_spring(YEAR)
    panel = portland.make_panel(incidents, portland.make_cells(data_folder, FEET), spring)
    catch = portland.make_catch(MILES, spring.windows["3m"])
    models, plan = [CATCH_BASELINE, DEFAULT_CATCH], Plan(spring.first)
    return run_catch(panel, models, plan, catch, incidents=incidents, offsets=FURTHER, workers=1)


@pytest.fixture(scope="module")
def caught(judged: Judged) -> CatchJudged:
    assert judged.failures == {}
    assert judged.catch is not None
    return judged.catch


def test_bins_end_at_the_origin_and_at_every_horizon(portland: Any, incidents: Any) -> None:
    spring = portland.make_spring(YEAR)
    ends = [str(spring.edges[spring.first + spring.windows[name]])[:10] for name in portland.HORIZONS]
    assert str(spring.edges[spring.first])[:10] == f"{YEAR}-03-01"
    assert ends == [f"{YEAR}-{day}" for day in ("03-08", "03-15", "04-01", "05-01", "06-01")]
    assert spring.edges[0] <= incidents.time.min() < spring.edges[1]
    assert (np.diff(spring.edges[: spring.first + 1]) == np.timedelta64(7, "D")).all()
    assert len(set(spring.weeks.tolist())) == 13


def test_every_position_counts_every_theft_of_the_three_months(caught: CatchJudged) -> None:
    assert len(caught.offsets) == 1 + FURTHER
    for one in caught.models.values():
        assert one.incidents.sum(axis=(1, 2)).tolist() == [NUMBER] * (1 + FURTHER)


def test_what_was_caught_is_what_lies_in_the_places(caught: CatchJudged, incidents: Any) -> None:
    start, end = np.datetime64(f"{YEAR}-03-01"), np.datetime64(f"{YEAR}-06-01")
    inside = (incidents.time >= start) & (incidents.time < end)
    cell = caught.panel.support.locate(incidents.x[inside], incidents.y[inside])
    for one in caught.models.values():
        parts = one.parts[0].ravel()
        assert parts.sum() == pytest.approx(CELLS, rel=1e-5)
        assert parts[cell].sum() == pytest.approx(one.caught[0].sum(), rel=1e-5)


def test_all_flag_as_much_and_catch_no_more_than_can_be_caught(caught: CatchJudged) -> None:
    size = CELLS * (FEET * 0.3048 / 1000) ** 2
    for one in caught.models.values():
        assert one.flagged == pytest.approx([size] * (1 + FURTHER), rel=1e-5)
        assert (one.caught.sum(axis=2) <= one.most + 1e-6).all()
        assert (one.most <= one.incidents.sum(axis=2)).all()
    assert caught.models["constant"].pai == pytest.approx([1.0] * (1 + FURTHER), rel=1e-5)
    for name in (CATCH_BASELINE, DEFAULT_CATCH):
        assert caught.models[name].pai.min() > 4, "the places are those of earlier thefts"


def test_the_default_is_not_distinguishably_below_plain_counts(caught: CatchJudged) -> None:
    difference = caught.compare(DEFAULT_CATCH, CATCH_BASELINE)
    one, counts = (caught.models[name] for name in (DEFAULT_CATCH, CATCH_BASELINE))
    assert difference.mean * NUMBER == pytest.approx(one.n - counts.n)
    assert np.isfinite([difference.low, difference.high]).all()
    assert difference.high >= 0
    # An interval of some hundred thefts is wide: a model that lost half of them might lie in it.
    assert one.n >= 0.9 * counts.n


def test_cells_half_and_twice_as_wide_stand_beside_the_given_ones(caught: CatchJudged) -> None:
    side = FEET * 0.3048
    assert [each.side for each in caught.sizes] == pytest.approx([side / 2, side, 2 * side])
    assert caught.sizes[1].caught[DEFAULT_CATCH] == pytest.approx(caught.models[DEFAULT_CATCH].n)
    for each in caught.sizes:
        assert each.incidents[CATCH_BASELINE] == pytest.approx(NUMBER, rel=0.01)
