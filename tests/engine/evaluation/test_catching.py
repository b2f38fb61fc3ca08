"""The test of a catch: figures by hand, nothing known early, and other grids."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from kit.contexts import Recorder
from kit.incidents import incidents_of
from kit.maps import make_stack
from kit.panels import make_panel, make_row

from riskengine.contract.aims import Catch
from riskengine.evaluation.catchgrids import add_positions
from riskengine.evaluation.catching import judge_catch_trained, run_catch
from riskengine.evaluation.judged import Judged
from riskengine.evaluation.plan import Plan
from riskengine.forecasters.base import Forecaster, Maps
from riskengine.forecasters.baselines import PriorCounts
from riskengine.forecasters.catalogue import make_forecaster
from riskengine.ground.context import JobContext
from riskengine.ground.errors import DataError, ParameterError
from riskengine.maps.heatmaps import Heatmaps
from riskengine.maps.panel import Extras, Panel, count_incidents
from riskengine.maps.sparsecounts import keep_sparse

BASELINES = ["constant", "prior_counts", "recent_counts"]


@pytest.fixture(scope="module")
def town() -> Heatmaps:
    """Sixty weeks of a town whose incidents repeat at a few places; a corner is no part of it."""
    random = np.random.default_rng(5)
    rate = random.gamma(0.15, 0.6, (9, 12))
    mask = np.ones((9, 12), dtype=bool)
    mask[:2, :3] = False
    counts = (random.poisson(rate, (60, 9, 12)) * mask).astype(np.uint8)
    return make_stack(counts, mask, bin="1 weeks", cell=100.0)


@pytest.fixture(scope="module")
def judged(town: Heatmaps) -> Judged:
    return run_catch(town, BASELINES, Plan(44), Catch(5, "share", 4), workers=1)


class Knowing(Forecaster):
    """Expects in each unit the incidents of the last bin it knows, and keeps when that was."""

    name = "knowing"

    def __init__(self, threshold: int = 1) -> None:
        self.threshold = threshold

    def fit(self, history: Panel, context: JobContext | None = None) -> Knowing:
        self.fitted_ = history.edges[-1]
        SEEN.append(("fit", history.edges[-1]))
        return self

    def predict(self, history: Panel, steps: int = 1, context: JobContext | None = None) -> Maps:
        SEEN.append(("predict", history.edges[-1]))
        known = np.where(history.mask, history.counts[-1], np.nan).astype(np.float32)
        return np.repeat(-np.expm1(-known)[None], steps, axis=0)


class Reading(Knowing):
    """Expects what a further category holds in the last bin it knows, else as its parent."""

    name = "reading"

    def predict(self, history: Panel, steps: int = 1, context: JobContext | None = None) -> Maps:
        told = history.extras.channels
        return super().predict(replace(history, counts=told[0]) if len(told) else history, steps, context)


SEEN: list[tuple[str, np.datetime64]] = []


class Failing(PriorCounts):
    """Fails on grids whose cells lie elsewhere than those of the town, or are of another size."""

    name = "failing"

    def fit(self, history: Panel, context: JobContext | None = None) -> Failing:
        if isinstance(history, Heatmaps) and (history.grid.west, history.grid.cell) == (-self.shrinkage, 100.0):
            return super().fit(history, context)  # type: ignore[return-value]
        raise DataError("There is nothing to learn from here", parameter="heatmaps", remedy="Look elsewhere")


def test_figures_by_hand() -> None:
    # Ten cells of 0.25 km², two go into 0.6 km². Before the test the first holds 8, the next two 4 each.
    history = [[1, k % 2, 1 - k % 2, 0, 0, 0, 0, 0, 0, 0] for k in range(8)]
    first = [[3, 0, 2, 0, 0, 0, 0, 0, 0, 1], [1, 2, 0, 0, 5, 0, 0, 0, 0, 0]]
    # Now the second holds 6, the third 6, and the fifth 5: the first alone is certain, then as before.
    second = [[0, 1, 1, 0, 0, 0, 0, 0, 0, 0], [2, 0, 3, 0, 0, 4, 0, 0, 0, 0], [9] * 10]
    counts = np.array([*history, *first, *second], dtype=np.uint8).reshape(-1, 2, 5)
    judged = run_catch(make_stack(counts, bin="1 weeks"), ["prior_counts"], Plan(8), Catch(0.6, "km2", 2), workers=1)
    catch = judged.catch
    assert catch is not None
    assert catch.starts.tolist() == [8, 10]
    caught = catch.models["prior_counts"]
    parts = [[1, 0.5, 0.5, *[0] * 7]] * 2
    assert caught.parts.reshape(2, 10).tolist() == parts
    # By week: 3 + 0 / 2 + 2 / 2, 1 + 2 / 2, 0 + 1 / 2 + 1 / 2, 2 + 3 / 2.
    assert caught.caught.tolist() == [[[4.0, 2.0], [1.0, 3.5]]]
    assert caught.incidents.tolist() == [[[6.0, 8.0], [2.0, 9.0]]]
    # The best two of the first window: 5 of the fifth and 4 of the first; of the second 4 and 4.
    assert caught.most.tolist() == [[9.0, 8.0]]
    assert (caught.flagged.tolist(), caught.cells.tolist()) == ([0.5], [2.5])
    assert caught.pai.tolist() == pytest.approx([10.5 / 25 / 0.2])
    assert caught.pei.tolist() == pytest.approx([10.5 / 17])
    assert caught.stable.tolist() == [1.0]
    assert [each[0] for each in judged.edges] == [str(judged.catch.panel.edges[number]) for number in (8, 10)]
    assert judged.risks["prior_counts"][0, 0, 0] == pytest.approx(1 - np.exp(-caught.expected[0, 0, 0]), rel=1e-6)
    assert judged.counts.reshape(2, 10)[0].tolist() == [4, 2, 2, 0, 5, 0, 0, 0, 0, 1]


def test_a_window_of_one_bin_is_that_bin(town: Heatmaps) -> None:
    catch = run_catch(town, ["prior_counts"], Plan(50), Catch(5, "share", 1), workers=1).catch
    assert catch is not None
    assert catch.starts.tolist() == list(range(50, 60))
    assert catch.models["prior_counts"].caught.shape == (1, 10, 1)


@pytest.mark.parametrize("delay", [0, 3])
def test_nothing_is_known_before_its_time(town: Heatmaps, delay: int) -> None:
    SEEN.clear()
    panel = replace(town, delay=delay)
    run_catch(panel, {"knowing": Knowing()}, Plan(44, refit=2), Catch(5, "share", 4), workers=1)
    edges = {kind: [when for each, when in SEEN if each == kind] for kind in ("fit", "predict")}
    # On the cells as they are and on merged ones; fitted before the first window and again before the third.
    assert edges["predict"] == 2 * [town.edges[start - delay] for start in (44, 48, 52, 56)]
    assert edges["fit"] == 2 * [town.edges[start - delay] for start in (44, 52)]


@pytest.mark.parametrize("delay", [0, 3])
@pytest.mark.parametrize("name", [*BASELINES, "kde", "point_kernel", "etas", "counts_etas", "catch"])
def test_a_scrambled_future_changes_no_forecast(town: Heatmaps, name: str, delay: int) -> None:
    """Of the counts and of a further category; known late, scrambled so many weeks earlier."""
    known = 48 - delay
    other = np.roll(town.counts, 1, axis=1) * town.mask
    pair = np.stack([town.counts, other])
    scrambled = pair.copy()
    scrambled[:, known:] = np.random.default_rng(0).permutation(pair[:, known:].ravel()).reshape(pair[:, known:].shape)
    scrambled *= town.mask
    plan, catch = Plan(44), Catch(5, "share", 4)
    ours, theirs = (
        run_catch(
            replace(town, counts=counts, delay=delay, extras=Extras(channels=channel[None], channel_names=("other",))),
            list(dict.fromkeys(["prior_counts", name])),
            plan,
            catch,
            workers=1,
        ).catch
        for counts, channel in (pair, scrambled)
    )
    assert ours is not None
    assert theirs is not None
    one, other = ours.models[name].expected, theirs.models[name].expected
    # The second window begins where the scrambling does.
    assert np.array_equal(one[:2], other[:2], equal_nan=True)
    assert name == "constant" or not np.array_equal(one[2:], other[2:], equal_nan=True)


def test_what_is_given_as_a_dict_has_every_figure(judged: Judged) -> None:
    told = json.loads(json.dumps(judged.to_dict()))["catch"]
    figures = told["models"]["prior_counts"]
    catch = judged.catch
    assert catch is not None
    caught = catch.models["prior_counts"]
    assert figures["n"] == pytest.approx(caught.caught.sum(), abs=1e-5)
    assert figures["N"] == judged.counts.sum()
    assert figures["low"] < figures["hit_rate"] < figures["high"]
    assert figures["hit_rate"] == pytest.approx(figures["n"] / figures["N"], abs=1e-5)
    assert figures["pai"] == pytest.approx(figures["hit_rate"] / figures["flagged_share"], rel=1e-4)
    assert 0 < figures["pei"] <= 1
    assert 0 < figures["stable"] <= 1
    assert figures["pai_sd"] is None
    # A constant catches its share, by definition.
    assert told["models"]["constant"]["pai"] == pytest.approx(1)
    assert judged.best_baseline == max(BASELINES, key=lambda name: told["models"][name]["n"])
    against = told["against"][next(name for name in told["against"])]
    assert against["blocks"] == 16


def test_hit_rates_are_compared_at_the_size_of_the_catch(judged: Judged) -> None:
    difference = judged.compare_hits("prior_counts", "constant")
    catch = judged.catch
    assert catch is not None
    gained = catch.models["prior_counts"].caught.sum() - catch.models["constant"].caught.sum()
    assert difference.mean == pytest.approx(gained / judged.counts.sum())
    assert difference.verdict_of_more == "better"
    assert (difference.blocks, difference.places) == (16, 0)


def test_bins_without_data_are_not_judged(town: Heatmaps) -> None:
    observed = np.ones(60, dtype=bool)
    observed[[49, 52, 53, 54, 55]] = False
    judged = run_catch(replace(town, observed=observed), ["prior_counts"], Plan(44), Catch(5, "share", 4))
    catch = judged.catch
    assert catch is not None
    assert (
        "1 of 3 windows holds maps that were not observed. What was caught counts the others alone; but the log-loss"
        " and the calibration set what is expected of a whole window against a part of its incidents."
    ) in judged.notes
    assert catch.starts.tolist() == [44, 48, 56]
    caught = catch.models["prior_counts"]
    assert caught.incidents[0, 1, 1] == caught.caught[0, 1, 1] == 0
    assert caught.total == sum(int(town.counts[week].sum()) for week in (*range(44, 49), 50, 51, *range(56, 60)))
    assert catch.compare("prior_counts", "constant").blocks == 11


def test_sparse_counts_give_the_same(town: Heatmaps) -> None:
    thin = replace(town, counts=(town.counts * (np.arange(60) % 3 == 0)[:, None, None] > 1).astype(np.uint8))
    sparse = keep_sparse(thin)
    assert not isinstance(sparse.counts, np.ndarray)
    plan, catch = Plan(44), Catch(5, "share", 4)
    dense, other = (run_catch(each, BASELINES, plan, catch, workers=1).to_dict()["catch"] for each in (thin, sparse))
    assert dense == other


def test_a_trained_model_is_judged_as_the_backtest_judges_it(town: Heatmaps, judged: Judged) -> None:
    model = make_forecaster("recent_counts").fit(town.before(44))
    trained = judge_catch_trained(model, town, 44, Catch(5, "share", 4))
    assert trained.catch is not None
    assert judged.catch is not None
    assert next(iter(trained.catch.models)) == "recent_counts" == trained.model
    assert set(trained.scores) == set(BASELINES)
    for name, one in trained.catch.models.items():
        assert np.array_equal(one.caught, judged.catch.models[name].caught)
    assert trained.compare_hits("recent_counts", "prior_counts") == judged.compare_hits("recent_counts", "prior_counts")


def test_a_number_of_areas_is_that_number_and_a_share_cuts_the_last() -> None:
    random = np.random.default_rng(1)
    # Areas of 1 to 4 km²; the first has most incidents, the second most a km².
    widths = [4000.0, 1000.0, 2000.0, 3000.0]
    counts = random.poisson([3.0, 2.0, 1.0, 0.3], (30, 4)).astype(np.uint8)
    panel = make_panel(counts, shapes=make_row(widths))
    numbered = run_catch(panel, ["prior_counts"], Plan(24), Catch(1, "units", 3), workers=1).catch
    assert numbered is not None
    assert numbered.models["prior_counts"].parts.tolist() == [[1, 0, 0, 0]] * 2
    assert numbered.models["prior_counts"].flagged.tolist() == pytest.approx([4.0])
    shared = run_catch(panel, ["prior_counts"], Plan(24), Catch(20, "share", 3), workers=1).catch
    assert shared is not None
    # 2 km²: all of the second, and a quarter of the first, which is next.
    assert shared.models["prior_counts"].parts == pytest.approx(np.array([[0.25, 1, 0, 0]] * 2))
    assert shared.sizes == []


def test_all_models_are_run_at_further_positions_and_on_other_cells(town: Heatmaps) -> None:
    incidents = incidents_of(town)
    catch = run_catch(town, BASELINES, Plan(44), Catch(5, "share", 4), workers=1, incidents=incidents, offsets=3).catch
    assert catch is not None
    assert len(catch.offsets) == 4
    assert catch.offsets[0] == (0.0, 0.0)
    for one in catch.models.values():
        assert one.caught.shape == (4, 4, 4)
        assert one.most.shape == (4, 4)
        # As much is flagged everywhere, and the same incidents lie on every grid but at its edge.
        assert one.flagged == pytest.approx(np.full(4, 0.05))
        assert one.incidents.sum(axis=(1, 2)) == pytest.approx(town.counts[44:].sum(), rel=0.1)
    assert catch.compare("prior_counts", "recent_counts").places == 4
    assert [each.side for each in catch.sizes] == [50.0, 100.0, 200.0]
    half, given, twice = catch.sizes
    assert set(given.caught) == set(half.caught) == set(twice.caught) == {next(iter(catch.models)), "prior_counts"}
    assert given.caught["prior_counts"] == pytest.approx(catch.models["prior_counts"].n)
    # 5 % of 1.02 km²: 20 cells of 50 m, one of 200 m.
    assert (half.flagged, twice.flagged) == pytest.approx((0.05, 0.04))
    assert half.positions == twice.positions == 4
    assert catch.missing == ""
    assert json.dumps(catch.to_dict())


def test_positions_are_the_same_in_processes_side_by_side(town: Heatmaps, judged: Judged) -> None:
    assert judged.catch is not None
    forecasters = {"prior_counts": PriorCounts()}
    one, several = (replace(judged.catch, models=dict(judged.catch.models)) for _ in range(2))
    for catch, workers in ((one, 1), (several, 2)):
        add_positions(catch, incidents_of(town), forecasters, Plan(44), 2, JobContext(), workers)
    assert one.offsets == several.offsets
    assert one.models["prior_counts"].caught.shape == (3, 4, 4)
    assert np.array_equal(one.models["prior_counts"].caught, several.models["prior_counts"].caught)
    # What was not asked for stays where it was run.
    assert one.models["recent_counts"].caught.shape == (1, 4, 4)


def test_without_incidents_cells_are_merged_and_it_is_said_what_is_missing(town: Heatmaps, judged: Judged) -> None:
    catch = judged.catch
    assert catch is not None
    assert [each.side for each in catch.sizes] == [100.0, 200.0]
    assert catch.missing == (
        "Cells of 50 m could not be tried: that takes the incidents that the hotspot grids were made from (INCIDENTS)."
    )
    with_incidents = run_catch(
        town, ["prior_counts"], Plan(44), Catch(5, "share", 4), workers=1, incidents=incidents_of(town)
    ).catch
    assert with_incidents is not None
    # Where the study area ends between two cells that are merged, one or the other may belong to it.
    merged, counted = catch.sizes[1], with_incidents.sizes[2]
    assert merged.incidents["prior_counts"] == pytest.approx(counted.incidents["prior_counts"], rel=0.05)


def test_a_model_that_fails_elsewhere_keeps_its_figures_here(town: Heatmaps) -> None:
    recorder = Recorder()
    models = {"failing": Failing(shrinkage=-town.grid.west), "prior_counts": PriorCounts()}
    catch = run_catch(
        town, models, Plan(44), Catch(5, "share", 4), None, recorder, incidents=incidents_of(town), offsets=2
    ).catch
    assert catch is not None
    assert catch.models["failing"].caught.shape == (1, 4, 4)
    assert catch.models["prior_counts"].caught.shape == (3, 4, 4)
    assert "There is nothing to learn from here" in catch.failures["failing"]
    # What was run here alone is compared here.
    assert catch.compare("failing", "prior_counts").places == 0
    # On cells of other sizes there is nothing to compare, and no table with gaps.
    assert [each.side for each in catch.sizes] == [100.0]
    assert catch.missing == (
        "Cells of 50 m could not be compared: Failing could not be run on them. Cells of 200 m could not be compared:"
        " Failing could not be run on them."
    )
    recorder = Recorder()
    merged = run_catch(town, models, Plan(44), Catch(5, "share", 4), context=recorder).catch
    assert merged is not None
    assert [each.side for each in merged.sizes] == [100.0]
    told = "(INCIDENTS). Cells of 200 m could not be compared: Failing could not be run on them."
    assert merged.missing.endswith(told)
    assert any("could not be run on cells of 200 m: There is nothing to learn" in each for each in recorder.warnings)


def test_sizes_are_compared_over_the_same_positions(town: Heatmaps) -> None:
    catch = run_catch(
        town, ["prior_counts"], Plan(44), Catch(5, "share", 4), workers=1, incidents=incidents_of(town), offsets=8
    ).catch
    assert catch is not None
    assert [each.positions for each in catch.sizes] == [5, 5, 5]
    caught = catch.models["prior_counts"].caught.sum(axis=(1, 2))
    assert catch.sizes[1].caught["prior_counts"] == pytest.approx(caught[:5].mean())
    assert caught[:5].mean() != pytest.approx(caught.mean())


@pytest.mark.parametrize("offsets", [0, 2])
def test_what_other_grids_lack_is_left_out_of_what_is_compared_with_them(town: Heatmaps, offsets: int) -> None:
    told = Extras(channels=np.roll(town.counts, -1, axis=0)[None], channel_names=("told ahead",))
    models = {"reading": Reading(), "prior_counts": PriorCounts()}
    plan, catch, recorder = Plan(44), Catch(5, "share", 1), Recorder()
    with_it, without = (
        run_catch(panel, models, plan, catch, None, context, 1, incidents=incidents_of(town), offsets=offsets)
        for panel, context in ((replace(town, extras=told), recorder), (town, JobContext()))
    )
    assert with_it.catch is not None
    assert without.catch is not None
    assert with_it.catch.sizes == without.catch.sizes
    one, other = (each.catch.models["reading"] for each in (with_it, without))  # type: ignore[union-attr]
    # The forecasts on the map knew what comes; what is told over several positions did at none of them.
    assert (one.parts * town.counts[44:]).sum() > 1.5 * (other.parts * town.counts[44:]).sum()
    assert np.array_equal(one.caught, other.caught) == bool(offsets)
    begin = "Moved grids and cells of other sizes hold" if offsets else "Cells of other sizes hold"
    note = f"{begin} no told ahead: what the places of Reading caught"
    assert [text.startswith(note) for text in with_it.notes] == [True]
    assert with_it.notes[0] in recorder.warnings
    assert without.notes == []


def test_cells_finer_than_the_data_are_told(town: Heatmaps) -> None:
    incidents = incidents_of(town)
    x, y = (np.floor(each / 200) * 200 for each in (incidents.x, incidents.y))
    rounded = replace(incidents, x=x, y=y)
    counts, _ = count_incidents(rounded, town.grid, town.edges, town.mask)
    catch = run_catch(
        replace(town, counts=counts), ["prior_counts"], Plan(44), Catch(5, "share", 4), workers=1, incidents=rounded
    ).catch
    assert catch is not None
    assert catch.too_fine == (
        "Cells of 100 m are finer than the data: coordinates are rounded to 200 m. Use larger cells."
    )


def test_too_few_incidents_are_told_with_the_number_that_would_do() -> None:
    counts = np.zeros((40, 2, 10), dtype=np.uint8)
    counts[:30, 0, 0] = 1
    counts[30:38, 0, 0] = [1, 0, 0, 1, 0, 0, 0, 0]
    counts[31:37, 1, 5] = 1
    judged = run_catch(make_stack(counts), ["prior_counts"], Plan(30), Catch(1, "units", 5), workers=1)
    assert (
        "The windows tested hold 8 incidents, and of them 2.0 fell to the places of the best model: too few to tell"
        " models apart. At that rate 40 incidents would do: test more windows, or choose more places."
    ) in judged.notes
    counts[30:] = 0
    counts[33, 1, 1] = 1
    nothing = run_catch(make_stack(counts), ["prior_counts"], Plan(30), Catch(1, "units", 5), workers=1)
    assert any("hardly one fell to the places chosen" in note for note in nothing.notes)


def test_wrong_asks_are_refused_in_sentences(town: Heatmaps) -> None:
    def run(plan: Plan = Plan(44), catch: Catch = Catch(5, "share", 4), **more: object) -> None:  # noqa: B008
        run_catch(town, more.pop("models", ["prior_counts"]), plan, catch, workers=1, **more)  # type: ignore[arg-type]

    with pytest.raises(ParameterError, match=r"horizon is 20 bins, but only 16 bins are tested.*16 bins or fewer"):
        run(catch=Catch(5, "share", 20))
    with pytest.raises(ParameterError, match=r"catch_size is 120, but the whole study area is only 100 %\. "):
        run(catch=Catch(120, "share", 4))
    with pytest.raises(ParameterError, match=r"threshold of Prior counts is 2, but the catch counts every incident"):
        run(models={"prior_counts": PriorCounts(threshold=2)})
    with pytest.raises(ParameterError, match="offsets is 2, but there are no incidents to count anew"):
        run(offsets=2)
    with pytest.raises(DataError, match="the incidents count"):
        run(offsets=2, incidents=incidents_of(town).select(np.arange(10)))
    with pytest.raises(ParameterError, match="no history before its first origin"):
        run(plan=Plan(0))
    unseen = replace(town, observed=np.arange(60) < 44)
    with pytest.raises(DataError, match="None of the maps of the test was observed"):
        run_catch(unseen, ["prior_counts"], Plan(44), Catch(5, "share", 4))


def test_incidents_of_another_place_cost_the_other_cells_alone(town: Heatmaps) -> None:
    recorder = Recorder()
    catch = run_catch(
        town,
        ["prior_counts"],
        Plan(44),
        Catch(5, "share", 4),
        context=recorder,
        workers=1,
        incidents=incidents_of(town).select(np.arange(10)),
    ).catch
    assert catch is not None
    assert [each.side for each in catch.sizes] == [100.0, 200.0]
    assert any("Cells of other sizes are not counted anew" in each for each in recorder.warnings)


@pytest.mark.parametrize(
    ("bin", "block"), [("1 days", 7), ("3 days", 3), ("5 days", 2), ("1 weeks", 1), ("2 weeks", 1)]
)
def test_intervals_are_over_weeks_whatever_the_bins(town: Heatmaps, bin: str, block: int) -> None:
    catch = run_catch(
        make_stack(town.counts, town.mask, bin=bin, cell=100.0), ["prior_counts"], Plan(44), Catch(5, "share", 4)
    ).catch
    assert catch is not None
    assert catch.block == block
    assert catch.compare("prior_counts", "constant").blocks == min(16 // block, 16)
