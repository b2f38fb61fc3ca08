"""Training a score model: rows, splits, features, networks, both protocols; on a small simulated city."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kit.contexts import Recorder
from kit.incidents import make_incidents

from riskengine.ground.context import JobContext
from riskengine.ground.errors import Cancelled, CrimeRiskError, DataError, ParameterError
from riskengine.intake.incidents import Incidents
from riskengine.jobs import run_job, train_score
from riskengine.learning.intervals import compute_widening
from riskengine.measures.clustered import compute_clustered_mean
from riskengine.systems.score import comparing
from riskengine.systems.score.augment import Augmentation, make_rows, sample_rows
from riskengine.systems.score.comparing import compare
from riskengine.systems.score.features import GROUPS, NOWHERE, FeatureSet, compute_features
from riskengine.systems.score.fitting import Fitting, fit_network
from riskengine.systems.score.index import CrimeIndex
from riskengine.systems.score.model import ScoreModel
from riskengine.systems.score.network import PUBLISHED_WIDTHS, Architecture, ScoreNetwork, compute_loss
from riskengine.systems.score.prepare import prepare
from riskengine.systems.score.recent import RecentIncidents
from riskengine.systems.score.settings import Settings, make_published_settings
from riskengine.systems.score.splits import number_folds
from riskengine.systems.score.training import train

CRS = "EPSG:32614"
END = np.datetime64("2026-01-01T00:00:00")
#: Small enough for a second, large enough to learn.
FAST = Settings(
    fitting=Fitting(epochs=4, patience=4, batch_size=512), folds=3, widths=(16,), recent_days=30, window_days=300
)


def city(incidents: int = 3000, seed: int = 1) -> Incidents:
    """A few dense places, and a thin spread between them; half of the incidents share coordinates."""
    random = np.random.default_rng(seed)
    centre = random.uniform(0, 6000, (6, 2))
    which = random.integers(0, len(centre), incidents)
    place = centre[which] + random.normal(0, 1, (incidents, 2)) * (100 + 200 * which[:, None])
    place[: incidents // 2] = np.round(place[: incidents // 2] / 80) * 80
    place += (500_000, 2_000_000)
    age = np.sort(random.uniform(0, 299, incidents))[::-1]
    time = END - (age * 86_400).astype("timedelta64[s]")
    return make_incidents(place[:, 0], place[:, 1], time, 0, ["theft"])


@pytest.fixture(scope="module")
def index() -> CrimeIndex:
    return CrimeIndex(city(), CRS)


class TestRows:
    def test_extremes_are_resampled_as_published(self, index: CrimeIndex) -> None:
        rows = make_rows(index, window_days=300, augmentation=Augmentation(), seed=3)
        own = rows.score[: rows.originals]
        copies = np.bincount(rows.source[rows.originals :], minlength=rows.originals)
        assert np.array_equal(copies, np.select([own < 0.3, own > 0.8], [20, 3], 0))
        moved = slice(rows.originals, None)
        assert np.abs(rows.x[moved] - rows.source_x[moved]).max() <= 50
        assert np.abs(rows.y[moved] - rows.source_y[moved]).max() <= 50
        assert np.abs(rows.shift).max() <= 1
        assert not rows.shift[: rows.originals].any()

    def test_the_score_of_a_moved_place_is_counted_anew(self, index: CrimeIndex) -> None:
        rows = make_rows(index, window_days=300, augmentation=Augmentation(), seed=3)
        points = np.column_stack((index.incidents.x, index.incidents.y))
        for row in np.linspace(rows.originals, len(rows) - 1, 25).astype(int):
            count = (np.hypot(*(points - (rows.x[row], rows.y[row])).T) < 200).sum()
            assert rows.score[row] == pytest.approx(rows.scale.to_score(np.array([count]))[0])

    def test_one_score_everywhere_is_nothing_to_learn(self) -> None:
        same = city(50)
        lonely = replace(same, x=np.arange(50) * 1000.0, y=np.zeros(50))
        with pytest.raises(DataError, match="no score to learn"):
            make_rows(CrimeIndex(lonely, CRS), window_days=300)

    def test_random_places_are_scored_and_go_with_the_nearest_incident(self, index: CrimeIndex) -> None:
        rows = make_rows(index, window_days=300)
        places = sample_rows(index, rows, 400, 200, 300, seed=1)
        points = np.column_stack((index.incidents.x, index.incidents.y))
        away = np.hypot(places.x[:, None] - rows.x, places.y[:, None] - rows.y)
        assert away[np.arange(400), places.source] == pytest.approx(away.min(axis=1))
        assert (places.score == 0).any()
        for row in range(0, 400, 20):
            count = (np.hypot(*(points - (places.x[row], places.y[row])).T) < 200).sum()
            assert places.score[row] == pytest.approx(rows.scale.to_score(np.array([count]))[0])


class TestSplits:
    @settings(max_examples=25, deadline=None)
    @given(seed=st.integers(0, 1000), size=st.sampled_from([200.0, 500.0, 1500.0]))
    def test_copies_stay_with_their_place(self, index: CrimeIndex, seed: int, size: float) -> None:
        rows = make_rows(index, window_days=300, augmentation=Augmentation(), seed=1)
        for split in ("groups", "blocks"):
            fold = number_folds(rows, split, 3, size, seed)
            assert np.array_equal(fold, fold[rows.source])
        place = np.round(np.column_stack((rows.source_x, rows.source_y)), 3)
        _, number = np.unique(place, axis=0, return_inverse=True)
        fold = number_folds(rows, "groups", 3, size, seed)
        first = np.zeros(number.max() + 1, int)
        first[number.reshape(-1)] = fold
        assert np.array_equal(fold, first[number.reshape(-1)])
        assert set(fold) == {0, 1, 2}

    def test_the_published_split_tears_copies_apart(self, index: CrimeIndex) -> None:
        rows = make_rows(index, window_days=300, augmentation=Augmentation(), seed=1)
        fold = number_folds(rows, "random", 10)
        assert (fold != fold[rows.source]).any()

    def test_too_few_blocks(self, index: CrimeIndex) -> None:
        rows = make_rows(index, window_days=300)
        with pytest.raises(DataError, match=r"blocks of 1e\+06 m"):
            number_folds(rows, "blocks", 5, 1e6)
        with pytest.raises(ParameterError, match="block_size is -1 m"):
            number_folds(rows, "blocks", 5, -1)


class TestFeatures:
    def test_published_pairs_are_distance_in_km_and_age_in_months_nearest_first(self, index: CrimeIndex) -> None:
        recent = RecentIncidents.of(index, 30)
        x, y = np.array([502_000.0]), np.array([2_003_000.0])
        pairs = compute_features(recent, x, y, FeatureSet(groups=("pairs",), k=4), shift=np.array([0.5]))[0]
        distance = np.hypot(recent.x - x, recent.y - y)
        nearest = np.argsort(distance, kind="stable")[:4]
        assert pairs[0::2] == pytest.approx(distance[nearest] / 1000, rel=1e-5)
        seen = np.sort(pairs[1::2])
        assert seen == pytest.approx(np.sort((recent.age[nearest] + 0.5) / 30), rel=1e-5)

    def test_every_group_has_the_columns_it_names(self, index: CrimeIndex) -> None:
        recent = RecentIncidents.of(index, 30)
        x, y = index.incidents.x[:200], index.incidents.y[:200]
        for k in (1, 10):
            wanted = FeatureSet(groups=GROUPS, k=k)
            table = compute_features(recent, x, y, wanted)
            assert table.shape == (200, len(wanted.list_names()))
            assert np.isfinite(table).all()
            assert sum(map(len, wanted.list_columns().values())) == table.shape[1]

    def test_nothing_later_than_the_reference_is_seen(self) -> None:
        early = city()
        reference = END - np.timedelta64(60, "D")
        known = early.select(early.time <= reference)
        x, y = early.x[:300], early.y[:300]
        wanted = FeatureSet(groups=GROUPS)
        told = [compute_features(RecentIncidents.among(each, 30, reference), x, y, wanted) for each in (early, known)]
        assert np.array_equal(*told)

    def test_far_from_everything_is_finite(self, index: CrimeIndex) -> None:
        recent = RecentIncidents.of(index, 30)
        wanted = FeatureSet(groups=GROUPS)
        table = compute_features(recent, np.array([9e6]), np.array([9e6]), wanted)
        assert np.isfinite(table).all()
        assert table[0, 0] == pytest.approx(NOWHERE / 1000)

    def test_neighbours_that_do_not_exist_say_nothing(self, index: CrimeIndex) -> None:
        recent = RecentIncidents.of(index, 30)
        three = RecentIncidents(recent.incidents.select(np.arange(3)), recent.age[:3], recent.reference, 30.0)
        x, y = index.incidents.x[:50], index.incidents.y[:50]
        wanted = FeatureSet(groups=("clock", "offsets"), k=3)
        asked = [compute_features(three, x, y, replaced) for replaced in (wanted, wanted.model_copy(update={"k": 10}))]
        # Hour and weekday, and the centre of the nearest: of the three there are, whatever k is.
        assert np.array_equal(asked[0][:, :4], asked[1][:, :4])
        for column in (4, 5, 6):
            assert asked[1][:, column] == pytest.approx(asked[0][:, 4])

    def test_farther_neighbours_lie_beyond_the_nearest(self) -> None:
        told = [FeatureSet(groups=("distances", "more"), k=k).farther for k in (10, 15, 30)]
        assert told == [[15, 20], [20], [35, 40]]
        assert FeatureSet(groups=("more",), k=30).neighbours == 40


class TestNetwork:
    def test_the_published_network_has_its_published_size(self) -> None:
        architecture = Architecture(inputs=20, widths=PUBLISHED_WIDTHS, activation="relu", output="sigmoid")
        assert ScoreNetwork(architecture).count_parameters() == 2942
        assert architecture.describe() == "20-26-28-18-15-15-12-12-10-6-6-1"

    def test_bounds_never_cross_the_score(self) -> None:
        import torch

        network = ScoreNetwork(Architecture(inputs=3, widths=(8,)))
        out = network(torch.randn(500, 3) * 100)
        assert (out[:, 1] <= out[:, 0]).all()
        assert (out[:, 0] <= out[:, 2]).all()

    def test_the_pinball_loss_is_smallest_at_the_quantiles(self) -> None:
        import torch

        truth = torch.linspace(0, 1, 2001)

        def loss(lower: float, upper: float) -> float:
            out = torch.tensor([[0.5, lower, upper]]).expand(len(truth), 3)
            return float(compute_loss(out, truth, 0.9)[0])

        best = loss(0.05, 0.95)
        assert all(best < loss(0.05 + step, 0.95) and best < loss(0.05, 0.95 - step) for step in (-0.02, 0.02))


class TestIntervals:
    def test_widening_holds_its_share(self) -> None:
        random = np.random.default_rng(0)
        truth = random.uniform(size=5000)
        score = truth + random.normal(0, 0.1, 5000)
        out = np.column_stack((score, score - 0.01, score + 0.01))
        added = compute_widening(out, truth, 0.9)
        assert (np.abs(score - truth) <= 0.01 + added).mean() == pytest.approx(0.9, abs=0.001)
        assert compute_widening(score[:, None], truth, 0.9) == pytest.approx(added + 0.01)

    def test_an_interval_over_blocks_is_wider_when_blocks_differ(self) -> None:
        random = np.random.default_rng(1)
        block = np.repeat(np.arange(40), 50)
        alike = random.normal(1, 0.1, 2000)
        differing = alike + np.repeat(random.normal(0, 0.5, 40), 50)
        narrow, wide = (compute_clustered_mean(values, block) for values in (alike, differing))
        assert wide.high - wide.low > 5 * (narrow.high - narrow.low)
        assert narrow.mean == pytest.approx(alike.mean())


@pytest.fixture
def quick_boosting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer trees: how good they are is the benchmark's question."""
    whole = comparing.HistGradientBoostingRegressor
    monkeypatch.setattr(comparing, "HistGradientBoostingRegressor", lambda **given: whole(**{**given, "max_iter": 40}))


class TestTraining:
    @pytest.mark.usefixtures("quick_boosting")
    def test_recommended_beats_the_median_on_blocks_it_has_not_seen(self, index: CrimeIndex) -> None:
        model, study, prepared, networks = train(index, settings=FAST)
        compare(study, prepared, networks, FAST, JobContext())
        told = {(each.model, each.split): each.l1.mean for each in study.comparisons}
        assert told["this network", "blocks"] < 0.75 * told["median score", "blocks"]
        assert {"random", "groups", "blocks"} <= {split for _, split in told}
        assert ("gradient boosting", "blocks") in told
        for split in ("random", "groups", "blocks"):
            assert ("published network (2,942 parameters) on the published features", split) in told
        assert not study.notes
        for each in study.comparisons:
            paired = each.split == "blocks" and each.model != "this network"
            assert (each.minus_model is not None) == paired
            if paired and each.held_out == len(prepared.rows):
                assert each.minus_model is not None
                assert each.minus_model.mean == pytest.approx(each.l1.mean - study.held_out.l1().mean)
        assert len(study.held_out.row) == len(prepared.rows)
        assert study.importance
        assert max(each.increase for each in study.importance) > 0
        found = model.predict(prepared.recent, prepared.rows.x, prepared.rows.y)
        assert (found.lower <= found.score).all()
        assert (found.score <= found.upper).all()
        assert found.lower.min() >= 0
        assert found.upper.max() <= 1

    def test_published_grows_until_it_no_longer_helps(self, index: CrimeIndex) -> None:
        choice = make_published_settings(
            window_days=300, fitting=replace(make_published_settings().fitting, epochs=6, batch_size=256)
        )
        model, study, _, networks = train(index, settings=choice)
        assert study.growth[0].architecture == "20-1"
        losses = [step.development for step in study.growth if step.kept]
        assert losses == sorted(losses, reverse=True)
        assert len(losses) == len(model.card.architecture.widths) + 1
        assert all(step.kept for step in study.growth[:-1])
        assert model.card.protocol == "published"
        assert len(networks) == 1
        assert abs(len(study.held_out.row) / len(study.rows) - 0.1) < 0.01

    def test_the_same_seed_gives_the_same_model_and_a_round_trip_keeps_it(
        self, index: CrimeIndex, tmp_path: object
    ) -> None:
        path = f"{tmp_path}/é model.crimescore"
        first, study, prepared, _ = train(index, settings=FAST)
        again = train(index, settings=FAST)[0]
        first.save(path)
        loaded = ScoreModel.load(path)
        x, y = prepared.rows.x[:500], prepared.rows.y[:500]
        told = [model.predict(prepared.recent, x, y) for model in (first, again, loaded)]
        for other in told[1:]:
            assert all(np.array_equal(*pair) for pair in zip(told[0], other, strict=True))
        assert loaded.card == first.card == study.card

    def test_what_happens_after_the_reference_changes_nothing(self) -> None:
        incidents = city()
        reference = END - np.timedelta64(20, "D")
        later = incidents.time > reference
        moved = replace(incidents, x=np.where(later, incidents.x + 3000, incidents.x))
        told = []
        for each in (incidents, moved):
            model, study, _, _ = train(CrimeIndex(each, CRS), settings=FAST, reference=reference)
            told.append((study.held_out.l1().mean, model.card.percentiles, model.card.widening))
        assert told[0] == told[1]

    def test_a_fold_is_predicted_without_its_own_scores(self, index: CrimeIndex) -> None:
        # A held-out fold whose scores are overwritten is predicted exactly as before: nothing was learned from them.
        from riskengine.systems.score.training import fit_folds, predict_folds

        prepared = prepare(index, None, FAST, None, JobContext())
        fold = number_folds(prepared.rows, "blocks", FAST.folds, FAST.block_size, FAST.seed)
        spoiled = replace(prepared, score=np.where(fold == 0, np.float32(0.123), prepared.score))
        out = []
        for each in (prepared, spoiled):
            network = [fitted for fitted, _ in fit_folds(each, fold, FAST, JobContext(), only=1)]
            out.append(predict_folds(each, np.where(fold == 0, 0, 1), network * 2)[fold == 0])
        assert np.array_equal(*out)

    def test_two_indexes_and_one_give_the_same(self, index: CrimeIndex) -> None:
        recent = index.incidents.select(index.incidents.time > index.incidents.time.max() - np.timedelta64(30, "D"))
        choice = FAST
        one = train(index, settings=choice)[1].held_out.l1()
        two = train(index, CrimeIndex(recent, CRS), settings=choice)[1].held_out.l1()
        assert one == two
        # Another kind of incidents: the year's months say nothing about this one.
        thinned = CrimeIndex(recent.select(np.arange(len(recent)) % 3 == 0), CRS)
        assert len(prepare(index, thinned, choice, None, JobContext()).tables) == 1
        with pytest.raises(ParameterError, match="different coordinate systems"):
            train(index, CrimeIndex(recent, "EPSG:32615"), settings=choice)

    def test_a_month_the_data_cover_in_part_is_no_month(self) -> None:
        incidents = city()
        short = CrimeIndex(incidents.select(incidents.time > END - np.timedelta64(100, "D")), CRS)
        prepared = prepare(short, None, replace(FAST, window_days=300), None, JobContext())
        assert len(prepared.tables) == 3
        assert len(prepare(CrimeIndex(incidents, CRS), None, FAST, None, JobContext()).tables) == 10

    def test_a_recent_index_of_another_place(self, index: CrimeIndex) -> None:
        moved = replace(index.incidents, x=index.incidents.x + 200_000)
        with pytest.raises(ParameterError, match="covers another place"):
            train(index, CrimeIndex(moved, CRS), settings=FAST)

    def test_random_places_are_judged_apart(self, index: CrimeIndex) -> None:
        _, study, prepared, _ = train(index, settings=FAST)
        assert study.background is not None
        assert len(study.background.row) == round(FAST.background * prepared.rows.originals)
        assert len(study.held_out.row) == len(prepared.rows)
        assert study.card.metrics["random_places"]["l1"]["mean"] == study.background.l1().mean
        assert study.held_out.inner.any()
        assert not study.held_out.inner.all()

    def test_few_rows_are_learned_in_small_batches(self, index: CrimeIndex) -> None:
        steps = []

        def check() -> None:
            steps.append(1)

        table = np.zeros((640, 3), np.float32)
        rows = (table, np.zeros(640, np.float32))
        fit_network(Architecture(inputs=3, widths=()), lambda _: rows, rows, Fitting(epochs=1), check=check)
        assert len(steps) == 640 // 32

    def test_cancel_hands_over_the_best_so_far(self, index: CrimeIndex) -> None:
        asked = threading.Event()
        endless = replace(FAST, fitting=replace(FAST.fitting, epochs=100_000, patience=100_000))

        def progress(share: float, text: str) -> None:
            if "epoch" in text:
                assert "development" in text
                assert "left" in text
                asked.set()

        with pytest.raises(Cancelled) as cancelled:
            train(index, settings=endless, context=JobContext(progress, cancelled=asked))
        model = cancelled.value.best
        assert isinstance(model, ScoreModel)
        assert not model.card.complete
        recent = RecentIncidents.of(index, 30)
        assert np.isfinite(model.predict(recent, index.incidents.x[:10], index.incidents.y[:10]).score).all()

    def test_windows_that_cannot_be(self, index: CrimeIndex) -> None:
        with pytest.raises(ParameterError, match="recent_days is 400, longer than window_days, 300"):
            train(index, settings=replace(FAST, recent_days=400))
        with pytest.raises(DataError, match="fewer than the 500 neighbours"):
            train(index, settings=replace(FAST, features=FeatureSet(groups=("pairs",), k=500)))

    @pytest.mark.usefixtures("quick_boosting")
    def test_only_what_cannot_be_compared_is_left_out(self, index: CrimeIndex) -> None:
        choice = replace(FAST, fitting=replace(FAST.fitting, epochs=1))
        _, study, prepared, networks = train(index, settings=choice)
        few = RecentIncidents.of(index, 0.7)
        assert len(few) < 10
        compare(study, replace(prepared, recent=few), networks, choice, JobContext())
        assert len(study.notes) == 1
        assert "everything on the published features was left out: Only" in study.notes[0]
        told = {(each.model, each.split) for each in study.comparisons}
        assert ("gradient boosting", "blocks") in told
        assert ("this network", "random") in told


class TestJob:
    """What the job adds: nothing a training has reached is lost."""

    def asked(self, index: CrimeIndex, tmp_path: Path, **more: Any) -> dict[str, Any]:
        index.save(tmp_path / "city.crimeindex")
        return {
            "index": str(tmp_path / "city.crimeindex"),
            "model_output": str(tmp_path / "city.crimescore"),
            "report": str(tmp_path / "city.html"),
            "window_days": 300,
            "folds": 3,
            "epochs": 1,
            **more,
        }

    def test_a_failed_comparison_leaves_the_model(
        self, index: CrimeIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: Any) -> None:
            raise DataError("There is too little of it", remedy="Have more")

        monkeypatch.setattr(train_score, "compare", fail)
        context = Recorder()
        result = run_job("train_score", self.asked(index, tmp_path), context)
        assert ScoreModel.load(result["model"]).card.complete
        assert "The comparison was left out. There is too little of it" in Path(result["report"]).read_text("utf-8")
        assert any("The comparison was left out" in text for text in context.messages)

    def test_days_without_data_are_told(self, index: CrimeIndex, tmp_path: Path) -> None:
        context = Recorder()
        asked = self.asked(index, tmp_path, window_days=365, reference_time="2026-01-13T00:00:00", compare=False)
        run_job("train_score", asked, context)
        assert any(
            "of the 365 days up to Tue 13 Jan 2026" in text and "fewer days than asked for" in text
            for text in context.messages
        )
        assert any("of the 31 days up to Tue 13 Jan 2026" in text for text in context.messages)

    def test_an_annoy_index_is_learned_from_exactly(self, index: CrimeIndex, tmp_path: Path) -> None:
        pytest.importorskip("annoy")
        told = []
        for each in (index, CrimeIndex(index.incidents, CRS, "annoy")):
            result = run_job("train_score", self.asked(each, tmp_path, compare=False))
            told.append((result["l1"], result["coverage"]))
        assert told[0] == told[1]

    @pytest.mark.parametrize(
        ("more", "words"),
        [
            ({"k": 600, "features": ["pairs"]}, "k is 600: the features pairs then have 1,200 columns; the limit is"),
            ({"model_output": "/no/such/folder/a.crimescore"}, "The folder /no/such/folder of model_output does not"),
            ({"report": "/no/such/folder/a.html"}, "The folder /no/such/folder of report does not exist"),
        ],
    )
    def test_what_cannot_work_is_refused_before_any_work(
        self, more: dict[str, Any], words: str, index: CrimeIndex, tmp_path: Path
    ) -> None:
        asked = {**self.asked(index, tmp_path, **more), "index": "/no/index"}
        with pytest.raises(CrimeRiskError, match=words):
            run_job("train_score", asked)
