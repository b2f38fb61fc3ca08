"""The published study of area hotspots: its samples and densities by their definitions, and each of its leaks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
from kit.panels import make_panel
from kit.snapped_city import MONTHS, make_city, make_snapped_incidents

from riskengine.contract.choices import StudyNegatives
from riskengine.ground.context import JobContext
from riskengine.ground.errors import DataError
from riskengine.maps.panel import Covariate, Extras
from riskengine.systems.areas.classifiers import CHOICES, fit_classifier
from riskengine.systems.areas.features import Features, choose_bandwidth, compute_density
from riskengine.systems.areas.inputs import Inputs, choose_tests, make_cells
from riskengine.systems.areas.ladder import CHANGES, climb_ladder, list_rungs, run_rates, run_rule
from riskengine.systems.areas.mobility import Mobility
from riskengine.systems.areas.protocol import Protocol, Run
from riskengine.systems.areas.sampling import draw_sample
from riskengine.systems.areas.study import read_inputs
from riskengine.systems.areas.switches import CLOSED, PUBLISHED, Switches

LAST = MONTHS - 1
TREES = 100


@pytest.fixture(scope="module")
def city() -> Inputs:
    """The inputs of the snapped city."""
    incidents, panel = make_snapped_incidents(), make_city()
    area = panel.support.locate(incidents.x, incidents.y)
    return read_inputs(panel, incidents, area, 1, JobContext())


def run_forest(inputs: Inputs, switches: Switches, seed: int = 0) -> Run:
    """The forest on the last month, without cross-validation."""
    return Protocol(inputs, switches, seed).run("forest", [LAST], TREES)


# What is drawn, and what is known of it.


def test_the_published_density_is_the_kernel_for_categories() -> None:
    random = np.random.default_rng(1)
    x, y = random.integers(0, 4, 40) * 500.0, random.integers(0, 5, 40) * 300.0
    at_x, at_y = np.array([0.0, 500.0, 77.0]), np.array([300.0, 77.0, 77.0])

    def kernel(values: np.ndarray, at: float) -> np.ndarray:
        h, levels = choose_bandwidth(values), len(set(values))
        return np.where(values == at, 1 - h, h / (levels - 1))

    by_hand = [np.mean(kernel(x, one) * kernel(y, other)) for one, other in zip(at_x, at_y, strict=True)]
    assert compute_density(x, y, at_x, at_y, "repeats") == pytest.approx(by_hand, rel=1e-12)


def test_scotts_bandwidth_as_statsmodels_has_it() -> None:
    # 1.059 A n^(-1/5), A the lesser of the standard deviation and the quartiles' distance / 1.349.
    values = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 100.0])
    assert choose_bandwidth(values) == pytest.approx(1.059 * (3.5 / 1.349) * 8**-0.2)


def test_the_published_density_has_one_value_wherever_no_incident_was(city: Inputs) -> None:
    sample = draw_sample(city, LAST, "target", 0)
    density = Features(city, PUBLISHED, 0).compute(LAST, sample.x, sample.y, sample.area)[:, 0]
    assert len(set(density[~sample.happened])) == 1
    assert len(set(density[sample.happened])) > 5


def test_the_smoothed_density_leaves_out_what_lies_at_the_very_place() -> None:
    x, y = np.array([0.0, 0.0, 500.0]), np.zeros(3)
    alone = np.exp(-0.5) / (2 * np.pi * 0.25)
    assert compute_density(x, y, np.zeros(1), np.zeros(1), "smoothed") == pytest.approx([alone])
    # From elsewhere all three count.
    all_three = (2 * np.exp(-0.125) + np.exp(-0.125)) / (2 * np.pi * 0.25)
    assert compute_density(x, y, np.array([250.0]), np.zeros(1), "smoothed") == pytest.approx([all_three])


def test_cells_begin_a_column_west_of_the_areas() -> None:
    cells = make_cells(make_panel(np.ones((1, 1), dtype=np.uint8)).support)  # type: ignore[arg-type]
    # One area of 1 km from 0, 0: the first column ends where it begins, and the last row begins where it ends.
    assert sorted(set(cells.x.tolist())) == [-250.0, 250.0, 750.0]
    assert sorted(set(cells.y.tolist())) == [250.0, 750.0, 1250.0]
    assert len(cells) == 9
    assert cells.locate(np.array([10.0, 990.0, -600.0]), np.array([10.0, 990.0, 0.0])).tolist().count(-1) == 1
    assert set(cells.area.tolist()) == {0}


@pytest.mark.parametrize(("negatives", "first", "after"), [("target", 0, 1), ("year", -12, 0), ("month", -1, 0)])
def test_negatives_are_drawn_around_the_middle_of_empty_cells(
    city: Inputs, negatives: StudyNegatives, first: int, after: int
) -> None:
    sample = draw_sample(city, LAST, negatives, 0)
    drawn = ~sample.happened
    incidents = int((city.month == LAST).sum())
    assert sample.happened.sum() == incidents
    cell = city.cells.locate(sample.x[drawn], sample.y[drawn])
    assert (city.counts[LAST + first : LAST + after, cell] == 0).all()
    assert np.abs(sample.x[drawn] - city.cells.x[cell]).max() <= 100
    assert np.abs(sample.y[drawn] - city.cells.y[cell]).max() <= 100
    empty = int((city.counts[LAST + first : LAST + after].sum(axis=0) == 0).sum())
    # int(120 / cells × 1.5), at least one, in each cell; then 0.8 to 1.2 times the incidents, or all there are.
    in_all = max(1, int(incidents / empty * 1.5)) * empty
    assert min(int(0.8 * incidents), in_all // 2) <= drawn.sum() <= min(int(1.2 * incidents), in_all)
    assert np.bincount(cell).max() <= in_all // empty


def test_known_negatives_are_earlier_coordinates_without_an_incident_now(city: Inputs) -> None:
    sample = draw_sample(city, LAST, "known", 0)
    drawn = set((sample.x + 1j * sample.y)[~sample.happened].tolist())
    place = city.x + 1j * city.y
    assert drawn <= set(place[city.month < LAST].tolist()) - set(place[city.month == LAST].tolist())
    assert len(drawn) == (~sample.happened).sum()


def test_negatives_from_anywhere_lie_in_the_areas_and_do_not_avoid_incidents(city: Inputs) -> None:
    sample = draw_sample(city, LAST, "anywhere", 0)
    drawn = ~sample.happened
    assert 96 <= drawn.sum() <= 144
    assert (city.areas.locate(sample.x[drawn], sample.y[drawn]) == sample.area[drawn]).all()
    assert (city.counts[LAST, city.cells.locate(sample.x[drawn], sample.y[drawn])] > 0).any()


def test_gaps_of_mobility_are_filled_from_either_side() -> None:
    nan = np.nan
    values = np.array([[[1.0], [2.0], [nan]], [[nan], [nan], [nan]], [[5.0], [nan], [nan]], [[7.0], [nan], [9.0]]])
    mobility = Mobility(values, ("parks",))
    # From later months, and where there is none from the next area.
    assert mobility.read(1, "backward")[:, 0].tolist() == [5.0, 9.0, 9.0]
    # From earlier months, and where there is none the middle of all areas.
    assert mobility.read(1, "forward")[:, 0].tolist() == [1.0, 2.0, 1.5]


def test_mobility_is_that_of_the_month_before(city: Inputs) -> None:
    months, areas = len(city.months), len(city.areas.ids)
    values = np.repeat(np.arange(months, dtype=float), areas).reshape(months, areas, 1)
    with_it = replace(city, mobility=Mobility(values, ("parks",)))
    features = Features(with_it, PUBLISHED, 0)
    place = np.zeros(1), np.zeros(1), np.zeros(1, dtype=np.int64)
    assert features.compute(LAST, *place)[0, -1] == LAST - 1
    assert features.names == ("Density", "Income", "Health", "parks")


def test_covariates_that_change_are_mobility_and_the_others_are_of_the_area() -> None:
    number, months = 36, MONTHS
    moving = np.arange(months * number, dtype=np.float32).reshape(months, number)
    fixed = np.tile(np.arange(number, dtype=np.float32), (months, 1))
    # Known from the fourth month on: one value all the same.
    fixed[:3] = np.nan
    extras = Extras(
        np.zeros((0, number), dtype=np.float32),
        (),
        np.zeros((0, months, number), dtype=np.uint8),
        (),
        (Covariate("parks", moving), Covariate("Income", fixed)),
    )
    panel, incidents = make_city(extras=extras), make_snapped_incidents()
    inputs = read_inputs(panel, incidents, panel.support.locate(incidents.x, incidents.y), 1, JobContext())
    assert inputs.names == ("Income",)
    assert inputs.covariates[:, 0].tolist() == list(range(number))
    assert inputs.mobility is not None
    assert inputs.mobility.names == ("parks",)
    short = replace(extras, covariates=(Covariate("parks", moving[:10]),))
    panel = make_city(extras=short)
    with pytest.raises(DataError, match="parks has no value in Apr 2021"):
        read_inputs(panel, incidents, panel.support.locate(incidents.x, incidents.y), 1, JobContext())


def test_too_few_months_are_refused(city: Inputs) -> None:
    assert choose_tests(city, 2).tolist() == [LAST - 1, LAST]
    with pytest.raises(DataError, match=r"17 months \(Jan 2020 to May 2021\), and testing 3 takes 18"):
        choose_tests(city, 3)


# The leaks.


def test_the_rule_finds_snapped_points(city: Inputs) -> None:
    rule = run_rule(city, np.array([LAST]), 0)
    assert rule.mean("auc") > 0.9
    # Nothing is learned: it knows where something was, so on places drawn from there it is no better than a coin.
    assert np.isnan(rule.mean("cells_auc"))


def test_the_published_forest_lives_on_repeats_and_on_what_the_negatives_know(city: Inputs) -> None:
    published = Protocol(city, PUBLISHED, 0).run("forest", [LAST], TREES, importance=True)
    assert published.mean("auc") > 0.95
    assert published.importance is not None
    assert published.importance.ordered[0][0] == "Density"
    assert run_forest(city, CHANGES["known"]).mean("auc") < published.mean("auc") - 0.15
    assert run_forest(city, CLOSED).mean("auc") < published.mean("auc") - 0.03


def test_random_numbers_do_nearly_as_well_as_covariates(city: Inputs) -> None:
    covariates, random = (run_forest(city, CHANGES[key]).mean("auc") for key in ("covariates", "random"))
    assert covariates > 0.7
    assert random == pytest.approx(covariates, abs=0.03)


def test_plain_rates_are_the_cells_share_of_past_months(city: Inputs) -> None:
    rates = run_rates(city, np.array([LAST])).months[0].cells
    share = (city.counts[:LAST] > 0).mean(axis=0)
    assert np.corrcoef(rates, share)[0, 1] > 0.999
    assert rates[share == 0].max() < rates[share > 0].min()


def test_the_scaler_of_the_test_moves_what_the_forest_sees(city: Inputs) -> None:
    # With one scaler for both, scaled and unscaled features are the same to a forest, whichever is chosen.
    kept = run_forest(city, replace(PUBLISHED, scaler="training")).months[0]
    plain = run_forest(city, replace(PUBLISHED, best="training")).months[0]
    assert kept.auc == pytest.approx(plain.auc, abs=0.005)
    # Chosen by the test, the figure cannot be worse than that of unscaled features.
    chosen = run_forest(city, PUBLISHED).months[0]
    assert chosen.f1 >= plain.f1
    # The cells are a forecast: no scaler sees the month.
    assert np.array_equal(chosen.cells, plain.cells)


def test_neighbours_choose_their_scale_where_they_are_told_to(city: Inputs) -> None:
    by_test = Protocol(city, PUBLISHED, 0).run("neighbours", [LAST]).months[0]
    before = Protocol(city, replace(PUBLISHED, best="training"), 0).run("neighbours", [LAST]).months[0]
    assert by_test.f1 >= before.f1


def test_the_same_seed_gives_the_same_figures(city: Inputs) -> None:
    first, again, other = (run_forest(city, PUBLISHED, seed).months[0] for seed in (3, 3, 4))
    assert np.array_equal(first.risk, again.risk)
    assert np.array_equal(first.cells, again.cells)
    assert not np.array_equal(first.cells, other.cells)


def test_nothing_after_the_month_before_is_read_without_leaks(city: Inputs) -> None:
    # What happens in the month tested changes no risk of a cell.
    later = replace(city, x=np.where(city.month == LAST, city.x[::-1], city.x))
    assert np.array_equal(run_forest(city, CLOSED).months[0].cells, run_forest(later, CLOSED).months[0].cells)


# Classifiers and ladder.


def test_a_larger_forest_begins_with_the_smaller_one(city: Inputs) -> None:
    protocol = Protocol(city, PUBLISHED, 0)
    sample, features = protocol.draw(LAST)
    chosen = fit_classifier("forest", features, sample.happened, 0)
    alone = fit_classifier("forest", features, sample.happened, 0, setting=chosen.setting)
    assert chosen.setting in CHOICES["forest"][1]
    assert np.array_equal(chosen.predict(features), alone.predict(features))
    assert 0.5 < chosen.f1 <= 1.0


@pytest.mark.parametrize("classifier", ["logistic", "bayes", "neighbours", "vectors"])
def test_every_classifier_tells_places_apart(city: Inputs, classifier: str) -> None:
    run = Protocol(city, PUBLISHED, 0).run(classifier, [LAST])  # type: ignore[arg-type]
    assert run.mean("auc") > 0.85
    assert run.settings[0] is None or run.settings[0] in CHOICES[classifier][1]  # type: ignore[index]


def test_the_ladder_has_a_rung_for_each_leak_that_there_is(city: Inputs) -> None:
    assert "filling" not in list_rungs(city)
    assert "covariates" not in list_rungs(replace(city, names=(), covariates=city.covariates[:, :0]))
    published = Protocol(city, PUBLISHED, 0).run("forest", [LAST], TREES)
    rungs = climb_ladder(city, np.array([LAST]), published, 0)
    assert [rung.key for rung in rungs] == ["published", *list_rungs(city), "rule", "rates"]
    assert {setting for rung in rungs for setting in rung.run.settings} == {TREES}


def test_random_numbers_stand_in_where_there_are_no_covariates(city: Inputs) -> None:
    bare = replace(city, names=(), covariates=city.covariates[:, :0])
    features = Features(bare, CHANGES["random"], 0)
    assert features.compute(LAST, np.zeros(2), np.zeros(2), np.array([0, 1])).shape == (2, 7)


def test_a_month_without_incidents_is_named(city: Inputs) -> None:
    quiet = city.month != 5
    without = replace(city, x=city.x[quiet], y=city.y[quiet], month=city.month[quiet], area=city.area[quiet])
    with pytest.raises(DataError, match="In Jun 2020 there is no incident"):
        run_forest(without, PUBLISHED)


def test_a_panel_of_other_bins_serves_without_monthly_covariates() -> None:
    weekly = make_panel(np.ones((4, 36), dtype=np.uint8), [f"A{each}" for each in range(36)], _squares(), "1 weeks")
    incidents = make_snapped_incidents()
    area = weekly.support.locate(incidents.x, incidents.y)
    assert read_inputs(weekly, incidents, area, 1, JobContext()).names == ()
    moving = Covariate("parks", np.arange(4 * 36, dtype=np.float32).reshape(4, 36))
    dated = replace(weekly, extras=replace(weekly.extras, covariates=(moving,)))
    with pytest.raises(DataError, match="its bins are of 1 weeks"):
        read_inputs(dated, incidents, area, 1, JobContext())


def _squares() -> np.ndarray:
    west, south = np.meshgrid(np.arange(6) * 1000.0, np.arange(6) * 1000.0)
    return shapely.box(west.ravel(), south.ravel(), west.ravel() + 1000, south.ravel() + 1000)
