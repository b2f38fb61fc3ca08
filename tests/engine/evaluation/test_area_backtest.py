"""Backtests of areas: the same figures as the same cells of a grid, and what differs where sizes do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
from kit.maps import make_stack
from kit.panels import make_panel, make_panel_of_cells, make_row

from riskengine.evaluation.backtest import run_backtest
from riskengine.evaluation.judged import Judged
from riskengine.evaluation.layout import find_places, make_units, read_weights
from riskengine.evaluation.plan import Plan
from riskengine.evaluation.scoring import score_model
from riskengine.forecasters.catalogue import make_forecaster
from riskengine.ground.errors import ParameterError
from riskengine.maps.panel import Covariate, Extras
from riskengine.maps.segments import make_segments

MODELS = ["prior_counts", "recent_counts"]
#: 40 of 48 cells: a share of the area of 5 % and more is whole cells.
HEIGHT, WIDTH = 6, 8


@pytest.fixture(scope="module")
def both() -> tuple[Judged, Judged]:
    """One city as a grid and as areas, 120 days."""
    random = np.random.default_rng(7)
    mask = np.ones((HEIGHT, WIDTH), bool)
    mask[0] = False
    counts = (random.poisson(random.gamma(0.4, 0.5, (HEIGHT, WIDTH)), (120, HEIGHT, WIDTH)) * mask).astype(np.uint8)
    grid = make_stack(counts, mask)
    plan = Plan(90, refit=7)
    return run_backtest(grid, MODELS, plan), run_backtest(make_panel_of_cells(grid), MODELS, plan)


def test_probabilities_are_judged_alike_to_the_last_digit(both: tuple[Judged, Judged]) -> None:
    of_grid, of_areas = both
    assert list(of_grid.scores) == list(of_areas.scores)
    for name, score in of_grid.scores.items():
        other = of_areas.scores[name]
        for figure in ("log_loss", "brier", "brier_skill", "skill_best", "auc", "average_precision"):
            assert getattr(other, figure) == getattr(score, figure), (name, figure)
        assert other.fold_loss.tolist() == score.fold_loss.tolist()
        assert other.reliability.observed.tolist() == score.reliability.observed.tolist()


def test_what_is_caught_is_the_same_where_whole_cells_fit(both: tuple[Judged, Judged]) -> None:
    of_grid, of_areas = both
    for name, score in of_grid.scores.items():
        for ours, theirs in zip(of_areas.scores[name].shares, score.shares, strict=True):
            if round(40 * theirs.at, 9) % 1:
                # A part of a cell is flagged where the grid takes whole ones.
                assert ours.area.flagged_share == pytest.approx(theirs.at)
                continue
            for figure in ("hit_rate", "pai", "pei", "precision", "flagged_share", "caught", "incidents"):
                assert getattr(ours.area, figure) == pytest.approx(getattr(theirs.area, figure)), (name, theirs.at)
            assert ours.area.ser(0.0) == pytest.approx(theirs.area.ser(0.25))


def test_labels_by_contiguity_are_those_of_the_eight_cells_around(both: tuple[Judged, Judged]) -> None:
    of_grid, of_areas = both
    inside = of_grid.panel.mask
    flagged = of_grid.flag_cells()[:, inside]
    assert flagged.any()
    assert (of_areas.flag_cells() == flagged).all()
    assert (of_areas.label_cells() == of_grid.label_cells()[:, inside]).all()
    for name, score in of_grid.scores.items():
        assert of_areas.scores[name].border is None
        numbers = [row.cells for row in score.tradeoff["stack"]]
        assert [row.cells for row in of_areas.scores[name].tradeoff["stack"]] == numbers


def test_differences_rest_on_blocks_of_areas_and_of_time(both: tuple[Judged, Judged]) -> None:
    of_grid, of_areas = both
    rival = next(name for name in of_areas.scores if name != of_areas.best_baseline)
    losses, hits = of_areas.compare_losses(rival), of_areas.compare_hits(rival)
    assert losses.mean == pytest.approx(of_grid.compare_losses(rival).mean)
    assert hits.mean == pytest.approx(of_grid.compare_hits(rival).mean)
    # 40 areas are halved to blocks of five; 30 days to blocks of three and four.
    assert (losses.places, losses.blocks) == (8, 10)
    assert losses.low < losses.mean < losses.high
    said = of_areas.to_dict()["against"][rival]
    assert said["places"] == 8


def test_a_small_area_is_flagged_before_a_large_one_of_equal_risk() -> None:
    random = np.random.default_rng(1)
    shapes = make_row([1000, 4000, 500, 2000, 8000, 500, 1000, 3000])
    panel = make_panel(random.poisson(1.0, (40, 8)).astype(np.uint8), shapes=shapes)
    judged = run_backtest(panel, ["prior_counts"], Plan(30))
    # A tenth of the 20 km2 is 2 km2: the constant flags the two strips of .5 km2, then half each of those of 1 km2.
    constant = next(hits.area for hits in judged.scores["constant"].shares if hits.at == 0.1)
    counts = judged.counts.sum(axis=0)
    assert constant.caught == pytest.approx(counts[2] + counts[5] + (counts[0] + counts[6]) / 2)
    assert constant.flagged_share == pytest.approx(0.1)
    assert judged.scores["constant"].area.weights is not None
    assert judged.scores["constant"].area.weights.total == pytest.approx(10 * 20)


def test_places_are_compact_and_about_equal() -> None:
    x, y = (each.ravel() for each in np.meshgrid(np.arange(40.0), np.arange(20.0)))
    place = find_places(x, y)
    assert np.bincount(place).tolist() == [25] * 32
    spread = [max(np.ptp(x[place == number]), np.ptp(y[place == number])) for number in range(32)]
    assert max(spread) < 10
    assert find_places(x[:7], y[:7]).tolist() == [0] * 7


def test_sizes_that_differ_by_rounding_do_not_decide_who_comes_first() -> None:
    panel = make_panel_of_cells(make_stack(np.zeros((1, 3, 3), np.uint8), cell=1 / 3))
    assert len(np.unique(make_units(panel).size)) == 1


def test_units_are_weighed_by_a_covariate() -> None:
    static = np.array([[10, 20, 30]], dtype=np.float32)
    dated = Covariate("beds", np.array([[1, 2, 3], [4, np.nan, 6]], dtype=np.float32), delay=1)
    extras = Extras(static=static, static_names=("population",), covariates=(dated,))
    panel = make_panel(np.ones((4, 3), np.uint8), extras=extras)
    assert read_weights(panel, "population", 2).tolist() == [10, 20, 30]
    # At the start of bin 2 only the first of the two is known.
    assert read_weights(panel, "beds", 2).tolist() == [1, 2, 3]
    assert read_weights(panel, "beds", 3).tolist() == [4, 0, 6]
    with pytest.raises(ParameterError, match="weigh is homes, but the panel has no covariate of that name") as refusal:
        read_weights(panel, "homes", 2)
    assert "Choose one of population, beds" in str(refusal.value)


def test_segments_are_flagged_by_length() -> None:
    lines = shapely.linestrings(
        [[[start, 0], [start + length, 0]] for start, length in ((0, 100), (100, 400), (500, 500))]
    )
    segments, _ = make_segments(["a", "b", "c"], lines, "EPSG:27700", 50.0)
    counts = np.tile(np.array([[1, 0, 2], [0, 1, 2]], dtype=np.uint8), (20, 1))
    panel = replace(make_panel(counts), support=segments)
    judged = run_backtest(panel, {"prior_counts": make_forecaster("prior_counts")}, Plan(30))
    judged.risks["prior_counts"][:] = np.array([0.4, 0.3, 0.5], dtype=np.float32)
    again = score_model("x", judged.risks["prior_counts"], judged.counts, panel.mask, units=judged.units)
    tenth = next(hits.area for hits in again.shares if hits.at == 0.1)
    # A tenth of the kilometre is the short one, 100 m, which had an incident every other month.
    assert tenth.caught == 5
    assert tenth.ser(0.0) == pytest.approx(5 / (10 * 0.1))
    assert tenth.precision == pytest.approx(0.5)
    assert judged.units is not None
    assert judged.units.neighbours.toarray().tolist() == [
        [False, True, False],
        [True, False, True],
        [False, True, False],
    ]
