"""One place asked at a time: the same answers as the whole layer's, kept warm, and honest at the edges."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from kit.contexts import Recorder
from kit.incidents import make_incidents

from riskengine.ground.artefacts import whole_file
from riskengine.ground.context import JobContext
from riskengine.ground.errors import DataError, FormatError, ParameterError
from riskengine.intake.incidents import Incidents
from riskengine.jobs import run_job
from riskengine.systems.score import query
from riskengine.systems.score.covered import Cover, measure_cover
from riskengine.systems.score.definition import score_places
from riskengine.systems.score.index import CrimeIndex
from riskengine.systems.score.query import Memory, Question, answer, count_by_month
from riskengine.systems.score.recent import RecentIncidents

CENTRE = (500_000.0, 2_150_000.0)


def city(count: int = 400, seed: int = 1) -> Incidents:
    """A small town over 400 days, some of it without a category."""
    random = np.random.default_rng(seed)
    return make_incidents(
        CENTRE[0] + random.normal(0, 400, count),
        CENTRE[1] + random.normal(0, 400, count),
        np.datetime64("2023-01-01", "s") + random.integers(0, 400 * 86_400, count),
        random.integers(-1, 2, count),
        ["theft", "assault"],
        np.arange(100, 100 + count),
    )


@pytest.fixture
def index_file(tmp_path: Path) -> str:
    path = tmp_path / "town.crimeindex"
    CrimeIndex(city(), "EPSG:32614").save(path)
    return str(path)


class Model:
    """Stands in for a ScoreModel: predicts 0.5 in [0.4, 0.7] everywhere."""

    def __init__(self, problem: str | None = None, radius: float = 200.0) -> None:
        self.card = SimpleNamespace(
            name="town 31 days", recent_days=31.0, radius=radius, window_days=365.0, interval=0.9, complete=True
        )
        self.problem = problem

    def check_belongs(self, _: CrimeIndex) -> str | None:
        return self.problem

    def predict(self, recent: RecentIncidents, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
        assert len(recent.x)
        return np.full(len(x), 0.5), np.full(len(x), 0.4), np.full(len(x), 0.7)

    def to_percentile(self, score: np.ndarray) -> np.ndarray:
        return np.full(len(score), 61.0)


@pytest.fixture
def memory() -> Memory:
    return Memory()


def with_model(memory: Memory, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "load_model", lambda path, context: model)


def test_the_count_is_that_of_the_layer(index_file: str) -> None:
    incidents = city()
    index = CrimeIndex(incidents, "EPSG:32614")
    random = np.random.default_rng(5)
    x, y = CENTRE[0] + random.normal(0, 500, 50), CENTRE[1] + random.normal(0, 500, 50)
    counts, scale, reference = score_places(index, x, y, 150, 200)
    memory = Memory()
    for number in range(50):
        found = answer(Question(index_file, None, (x[number], y[number]), 150, 200), memory)
        assert found["exact"] == {
            "score": scale.to_score(counts[number : number + 1])[0],
            "percentile": scale.to_percentile(counts[number : number + 1])[0],
            "score_abs": counts[number],
        }
        assert found["incidents_in_window"] == len(scale.counts)
        assert found["reference_time"] == str(reference)
        assert found["predicted"] is found["model"] is found["warning"] is found["outside"] is None
        assert sum(month["count"] for month in found["monthly"]) == counts[number]


def test_the_nearest_are_the_nearest(index_file: str) -> None:
    found = answer(Question(index_file, None, CENTRE, k=7, window_days=100), Memory())
    incidents = city()
    reference = incidents.time.max()
    young = (reference - incidents.time).astype(np.int64) < 100 * 86_400
    distance = np.hypot(incidents.x - CENTRE[0], incidents.y - CENTRE[1])
    rows = np.flatnonzero(young)[np.argsort(distance[young])[:7]]
    assert [near["fid"] for near in found["nearest"]] == incidents.fid[rows].tolist()
    assert [near["distance"] for near in found["nearest"]] == pytest.approx(distance[rows])
    assert found["nearest_distance"] == pytest.approx(distance[rows[0]])
    for near, row in zip(found["nearest"], rows, strict=True):
        code = incidents.category[row]
        assert near["category"] == (incidents.categories[code] if code >= 0 else None)
        assert near["time"] == str(incidents.time[row])
        assert near["age_days"] == pytest.approx((reference - incidents.time[row]).astype(np.int64) / 86_400)
        assert (near["x"], near["y"]) == (incidents.x[row], incidents.y[row])


def test_fewer_incidents_than_asked_for(tmp_path: Path) -> None:
    CrimeIndex(city(3), "EPSG:32614").save(tmp_path / "three.crimeindex")
    found = answer(Question(str(tmp_path / "three.crimeindex"), None, CENTRE, window_days=1000, k=10), Memory())
    assert len(found["nearest"]) == 3


def test_an_annoy_index_is_answered_exactly(tmp_path: Path, index_file: str) -> None:
    pytest.importorskip("annoy")
    CrimeIndex(city(), "EPSG:32614", "annoy").save(tmp_path / "annoy.crimeindex")
    question = Question(str(tmp_path / "annoy.crimeindex"), None, CENTRE)
    assert answer(question, Memory()) == answer(Question(index_file, None, CENTRE), Memory())


def test_without_a_place_it_warms_up(index_file: str) -> None:
    memory = Memory()
    context = Recorder()
    found = answer(Question(index_file), memory, context)
    assert "exact" not in found
    west, south, east, north = found["extent"]
    assert west < CENTRE[0] < east
    assert south < CENTRE[1] < north
    assert "Reading the index" in context.texts
    assert "Counting incidents around each point" in context.texts
    context = Recorder()
    answer(Question(index_file, None, CENTRE), memory, context)
    assert context.texts == []


def test_a_file_written_anew_is_read_anew(index_file: str) -> None:
    memory = Memory()
    assert answer(Question(index_file, None, CENTRE), memory)["incidents_in_window"] > 40
    CrimeIndex(city(40, seed=2), "EPSG:32614").save(index_file)
    os.utime(index_file, ns=(1, 1))
    assert answer(Question(index_file, None, CENTRE), memory)["incidents_in_window"] <= 40


def test_only_the_last_used_are_kept() -> None:
    kept: query.LastUsed[int] = query.LastUsed(2)
    made: list[int] = []
    for key in (1, 2, 1, 3, 1, 2):
        assert kept.get(key, lambda key=key: made.append(key) or key) == key
    assert made == [1, 2, 3, 2]
    assert len(kept) == 2


def test_a_model_predicts(index_file: str, memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    with_model(memory, Model(), monkeypatch)
    found = answer(Question(index_file, "m", CENTRE), memory)
    assert found["predicted"] == {"score": 0.5, "lower": 0.4, "upper": 0.7, "percentile": 61.0}
    assert found["model"] == "town 31 days"
    assert found["warning"] is None
    assert found["interval"] == 0.9
    # With a model the neighbours are those it looks at.
    assert found["nearest_days"] == 31
    assert max(near["age_days"] for near in found["nearest"]) < 31


def test_a_model_of_another_radius_says_so(index_file: str, memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    with_model(memory, Model(radius=500.0), monkeypatch)
    found = answer(Question(index_file, "m", CENTRE), memory)
    assert found["predicted"] is not None
    assert "within 500 m and 365 days" in found["warning"]


def test_what_does_not_belong_together(index_file: str, memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    with_model(memory, Model("The model is of Chicago, 2,700 km away"), monkeypatch)
    found = answer(Question(index_file, "m", CENTRE), memory)
    assert found["warning"] == "The model is of Chicago, 2,700 km away. Only the exact count answers."
    assert found["predicted"] is None
    assert found["exact"]["score_abs"] > 0


def test_outside_the_data(index_file: str, memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    with_model(memory, Model(), monkeypatch)
    found = answer(Question(index_file, "m", (CENTRE[0] + 12_000, CENTRE[1])), memory)
    assert found["outside"].startswith("This place lies outside the data: the nearest incident is 1")
    assert " km away" in found["outside"]
    assert found["predicted"] is None
    assert found["exact"]["score_abs"] == 0
    assert sum(month["count"] for month in found["monthly"]) == 0


def test_what_the_data_cover(index_file: str) -> None:
    times = city().time
    found = answer(Question(index_file, None, CENTRE, window_days=1000), Memory())
    first, last = str(times.min())[:10], times.max().astype("datetime64[D]")
    days = int((last - times.min().astype("datetime64[D]")).astype(int)) + 1
    whole = {"incidents": 400, "categories": city().categories, "start": first, "end": str(last + 1), "days": days}
    assert found["data"] == whole
    # The window is longer than what there is; one that is not is covered to its last day.
    assert days - 1 < found["covered_days"] <= days
    assert answer(Question(index_file, None, window_days=30), Memory())["covered_days"] == 30
    assert found["monthly"][0]["known_days"] == 0
    assert {month["known_days"] for month in found["monthly"][-6:-1]} == {30.0, 31.0}


def test_months_without_a_day_last_to_their_end() -> None:
    months = np.array(["2024-01-01", "2024-02-01", "2024-02-01"], "M8[s]")
    cover = measure_cover(make_incidents([0, 1, 2], [0, 1, 2], months))
    assert (str(cover.start), str(cover.end), cover.days) == ("2024-01-01", "2024-03-01", 60)
    # Known of the layer alone: two days of one month.
    one = make_incidents([0, 1], [0, 1], ["2024-02-01", "2024-02-02"])
    assert measure_cover(one).days == 2
    assert measure_cover(replace(one, exactness="month")).days == 29


def test_months() -> None:
    times = np.array(["2024-01-31T23:00", "2024-02-01T00:00", "2024-02-29T23:59:59", "2024-03-05T12:00"], "M8[s]")
    cover = Cover(np.datetime64("2024-02-20", "D"), np.datetime64("2024-03-06", "D"))
    months = count_by_month(times, np.datetime64("2024-03-10T00:00", "s"), 60.0, cover)
    assert [(month["month"], month["count"]) for month in months] == [("2024-01", 1), ("2024-02", 2), ("2024-03", 1)]
    assert [month["of_days"] for month in months] == [31, 29, 31]
    assert months[1]["days"] == 29
    assert months[0]["days"] == pytest.approx(22, abs=0.01)
    # Days before the first and after the last one with data are not known to be calm.
    assert [month["known_days"] for month in months] == [0, 10, 5]
    # A year that ends with January does not begin with a minute of the January before.
    year = count_by_month(times[:0], np.datetime64("2020-01-31T23:59:00", "s"), 365.0, cover)
    assert [year[0]["month"], year[-1]["month"], len(year)] == ["2019-02", "2020-01", 12]


def test_bad_questions(index_file: str, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="does not exist"):
        answer(Question(str(tmp_path / "nowhere.crimeindex"), None, CENTRE), Memory())
    with pytest.raises(DataError, match="No incident lies in the 365 days up to"):
        answer(Question(index_file, None, CENTRE, reference=np.datetime64("2001-01-01", "s")), Memory())
    with pytest.raises(DataError, match="no coordinates in the index's CRS"):
        answer(Question(index_file, None, (np.nan, 0.0)), Memory())
    with whole_file(tmp_path / "text.crimeindex") as temporary:
        temporary.write_text("no index")
    with pytest.raises(FormatError):
        answer(Question(str(tmp_path / "text.crimeindex"), None, CENTRE), Memory())


def test_the_job(index_file: str) -> None:
    found = run_job("query_score", {"index": index_file, "x": CENTRE[0], "y": CENTRE[1], "k": 3})
    assert len(found["nearest"]) == 3
    assert found["nearest_days"] == 365
    earlier = run_job(
        "query_score",
        {"index": index_file, "x": CENTRE[0], "y": CENTRE[1], "reference_time": "2023-06-30T23:59:59"},
    )
    assert earlier["reference_time"] == "2023-06-30T23:59:59"
    assert earlier["exact"]["score_abs"] < found["exact"]["score_abs"]
    assert "exact" not in run_job("query_score", {"index": index_file})
    with pytest.raises(ParameterError, match="Only one of x and y"):
        run_job("query_score", {"index": index_file, "x": 1.0})
    with pytest.raises(ParameterError, match="radius is 0; it must be greater than 0"):
        run_job("query_score", {"index": index_file, "radius": 0})


def test_what_took_long_is_kept(index_file: str) -> None:
    memory, quiet = Memory(), JobContext()
    question = Question(index_file, None, CENTRE)
    window = memory.choose_window(question, quiet)
    scale = memory.make_scale(question, window, quiet)
    answer(question, memory)
    assert memory.choose_window(question, quiet) is window
    assert memory.make_scale(question, window, quiet) is scale
    # Nothing that depends on the question is mistaken for that of another.
    assert memory.make_scale(Question(index_file, None, CENTRE, radius=50), window, quiet) is not scale
