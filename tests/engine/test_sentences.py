"""Every sentence that a report, a log or a tool can say keeps the rules of kit/sentences.py, whatever the data are."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.contexts import Recorder
from kit.incidents import incidents_of, make_incidents, write_incidents
from kit.judged import State, add_beside, make_judged
from kit.maps import make_stack, write_stack
from kit.sentences import find_faults, find_faults_of_report, list_bare_counts

from riskengine.contract.forecasters import FORECASTERS
from riskengine.contract.texts import count_text, end_sentence, none_text, part_text
from riskengine.contract.tools import list_tools
from riskengine.contract.tools.base import parameters_of
from riskengine.contract.tools.kinds import Choice
from riskengine.ground.errors import CrimeRiskError
from riskengine.jobs import run_job
from riskengine.maps.grid import Grid
from riskengine.report import claims
from riskengine.report.backtest import write_backtest_report
from riskengine.report.card import describe_forecast, metrics_of
from riskengine.report.openings import describe_trial

ROOT = Path(__file__).resolve().parents[2]
GRID = Grid(500_000.0, 2_150_000.0, 500.0, 6, 6, "EPSG:32614")

# The rules themselves.


@pytest.mark.parametrize(
    "text",
    [
        "1 maps were read.",
        "1 test maps were left out.",
        "1 map were left out.",
        "12 map was read.",
        "12 maps was read.",
        "1 of 60 maps were gaps.",
        "3 of 60 maps was a gap.",
        "Seen from 1 window(s).",
        "Bins of days 1.",
        "Models: , .",
        "Better than it: .",
        "The layers () were read.",
        "Band 1: risk (Gray).",
        "From 2024-12-31 on.",
        "Up to Tue 31 Dec 2024 (not included).",
        "The category is None.",
        "The share is nan.",
        "Of np.float64(3.0) maps.",
        "Two  blanks.",
        "No stop",
        "The log-loss is 0.12345.",
        "Cells of 1,792.94 m.",
        "Two stops..",
    ],
)
def test_the_rules_find_what_they_are_for(text: str) -> None:
    assert find_faults(text)


@pytest.mark.parametrize(
    "text",
    [
        "1 map of 1 day was read: Tue 31 Dec 2024.",
        "1 of 60 maps was a gap; 2 of 60 maps were gaps.",
        "None of the 60 maps is observed.",
        "21 maps are too few; 101 incidents lie outside; 0 incidents.",
        "The log-loss is 0.0312 (12,345 of 23,456 incidents), 95 % interval −0.0055 to −0.0012.",
        "Set START to 2024-12-30T00:00:00, or START=2024-12-30.",
        "Refused: 'nan  1 maps 2024-12-31'.",
        "A grid of 12 columns x 1 row.",
        "On 73 test maps.",
    ],
)
def test_the_rules_leave_good_sentences_alone(text: str) -> None:
    assert find_faults(text) == []


def test_better_has_the_catch_in_its_sentence() -> None:
    assert find_faults("It is distinguishably better. It catches 3 of 9 incidents.", judges=True)
    assert find_faults("It is distinguishably better and catches 3 of 9 incidents.", judges=True) == []


def test_numbers_and_nouns() -> None:
    assert [count_text(number, "map") for number in (0, 1, 2, 1234, 1.0)] == [
        *("0 maps", "1 map", "2 maps", "1,234 maps", "1 map")
    ]
    assert count_text(1.5, "day") == "1.5 days"
    assert count_text(1, "category is", "categories are") == "1 category is"
    assert count_text(np.int64(2), "category is", "categories are") == "2 categories are"
    assert part_text(1, 60, "map", "is a gap", "are gaps") == "1 of 60 maps is a gap"
    assert part_text(0, 1, "map", "is a gap", "are gaps") == "0 of 1 map are gaps"
    assert none_text(60, "row", "can", "cannot") == "None of the 60 rows can"
    assert none_text(1, "row", "can", "cannot") == "The only row cannot"
    assert [end_sentence(text) for text in ("a", "b.", "c:", "d (e)", "")] == ["a.", "b.", "c:", "d (e).", ""]


# The code: no number before a noun that cannot be one.


@pytest.mark.parametrize("layer", ["riskengine", "bridge", "algorithms", "ui"])
def test_no_count_is_put_before_a_noun_of_many(layer: str) -> None:
    assert [each for path in sorted((ROOT / layer).rglob("*.py")) for each in list_bare_counts(path)] == []


# What is said of tools.


def list_texts_of_tools() -> Iterator[tuple[str, str, bool]]:
    for tool in list_tools().values():
        yield f"{tool.ID} title", tool.TITLE, False
        yield f"{tool.ID} summary", tool.SUMMARY, True
        yield from ((f"{tool.ID} help", part, True) for part in tool.HELP.strip().split("\n\n"))
        yield from ((f"{tool.ID} {output.name}", output.title, False) for output in tool.OUTPUTS)
        for parameter in parameters_of(tool):
            if parameter.shown is None:
                continue
            yield f"{tool.ID} {parameter.key}", parameter.shown.title, False
            if parameter.shown.help:
                yield f"{tool.ID} {parameter.key} help", parameter.shown.help, True
            if isinstance(parameter.kind, Choice):
                yield from ((f"{tool.ID} {parameter.key}", title, False) for title in parameter.kind.titles.values())
    yield from ((f"{name} summary", each.summary, True) for name, each in FORECASTERS.items())


def test_what_tools_say_of_themselves() -> None:
    texts = list(list_texts_of_tools())
    assert len(texts) > 300
    faults = [
        f"{where}: {fault} in {text[:80]}"
        for where, text, ends in texts
        for fault in find_faults(" ".join(text.split()), ends=ends)
        # What is to be typed is an example of a parameter, and a choice of one is called None.
        if not fault.startswith(("a date", "a value of Python: 'None'"))
    ]
    assert faults == []


# What is said of models.

PLAIN = (("constant", "flat"), ("prior_counts", "near"))
MODELS = [
    (("ensemble", "truth"), *PLAIN),
    (("ensemble", "near"), *PLAIN),
    (("ensemble", "opposite"), *PLAIN, ("convlstm", "truth")),
    (("ensemble", "order"), *PLAIN),
    (("ensemble", "order"),),
    (("ensemble", "nothing"), *PLAIN),
    (("ensemble", "truth"),),
    (("constant", "flat"),),
    (("prior_counts", "near"), ("constant", "flat"), ("convlstm", "truth"), ("sftt", "opposite")),
    (("prior_counts", "near"), ("constant", "flat"), ("convlstm", "opposite")),
]
STATES = [
    State(maps, side, incidents, models, failures, kind)
    for maps, (side, incidents), models, (failures, kind) in itertools.product(
        (1, 2, 8, 60),
        ((1, "many"), (4, "many"), (4, "one"), (4, "none")),
        MODELS,
        (((), "grid"), (("st_resnet",), "grid"), ((), "areas")),
    )
]


@pytest.fixture(autouse=True)
def no_warnings_of_numpy() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("models", MODELS, ids=lambda models: " ".join(map("-".join, models)))
def test_every_verdict(models: tuple[tuple[str, str], ...]) -> None:
    faults: dict[str, str] = {}
    for state in (each for each in STATES if each.models == models):
        judged = make_judged(state)
        if state.kind != "grid" and state.incidents != "none":
            add_beside(judged)
        said = [claims.make_headline(judged)[0], *claims.describe_comparison(judged), describe_trial(judged)]
        said += [line.text for line in claims.describe_models(judged).values()]
        if judged.best_baseline and judged.scores[judged.model].area.cells:
            said.append(claims.describe_held_out(judged.model, metrics_of(judged)))
        for text in said:
            faults |= dict.fromkeys(find_faults(text, judges=True), text)
    assert faults == {}


@pytest.mark.parametrize("steps", [1, 2])
def test_the_line_of_a_map(steps: int) -> None:
    judged = make_judged(State(60, 4, "many", MODELS[0]))
    edges = ["2024-12-31T00:00:00", "2025-01-01T00:00:00", "2025-01-02T00:00:00"][: steps + 1]
    for until, metrics in (("2024-12-01T00:00:00", metrics_of(judged)), ("", None)):
        line = describe_forecast("ensemble", edges, "1 days", until, metrics)
        assert find_faults(line, judges=True) == []


# Reports.


@pytest.mark.parametrize("models", MODELS, ids=lambda models: " ".join(map("-".join, models)))
@pytest.mark.parametrize("data", [(1, 1, "many"), (1, 4, "one"), (2, 4, "none"), (60, 4, "many")], ids=str)
def test_the_report_of_a_backtest(
    data: tuple[int, int, str], models: tuple[tuple[str, str], ...], tmp_path: Path
) -> None:
    judged = make_judged(State(*data, models, ("st_resnet",)))
    write_backtest_report(tmp_path / "r.html", judged, {"heatmaps": "grids.tif", "areas": None}, [])
    assert find_faults_of_report(tmp_path / "r.html") == []


def scatter(count: int, days: float, seed: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    time = np.sort(np.datetime64("2024-01-01", "s") + (random.random(count) * days * 86_400).astype(np.int64))
    return 500_000 + random.uniform(0, 3000, count), 2_147_000 + random.uniform(0, 3000, count), time


@pytest.mark.parametrize(
    "models", [MODELS[0], MODELS[4], MODELS[5]], ids=lambda models: " ".join(map("-".join, models))
)
@pytest.mark.parametrize("data", [(1, 1, "many"), (1, 4, "one"), (2, 4, "none"), (60, 4, "many")], ids=str)
def test_the_report_of_a_backtest_of_areas(
    data: tuple[int, int, str], models: tuple[tuple[str, str], ...], tmp_path: Path
) -> None:
    judged = add_beside(make_judged(State(*data, models, ("st_resnet",), "areas")))
    write_backtest_report(tmp_path / "r.html", judged, {"heatmaps": "counts.gpkg", "areas": None}, [])
    assert find_faults_of_report(tmp_path / "r.html") == []


#: Incidents by what is little of them: how many, over how many days, how many categories.
CITIES = {"one": (1, 1, 0), "two": (2, 2, 1), "few": (12, 40, 1), "some": (400, 100, 3), "years": (900, 700, 2)}


def write_city(folder: Path, name: str) -> str:
    count, days, kinds = CITIES[name]
    x, y, time = scatter(count, days)
    codes = np.arange(count) % kinds if kinds else None
    city = make_incidents(x, y, time, codes, [f"kind {number}" for number in range(kinds)])
    return write_incidents(folder / "incidents.npz", city)


@pytest.mark.parametrize("city", CITIES)
@pytest.mark.parametrize("refused", [0, 1, 7])
def test_the_report_of_an_inspection(city: str, refused: int, tmp_path: Path) -> None:
    given = {"incidents": write_city(tmp_path, city), "crs": "EPSG:32614", "report": str(tmp_path / "r.html")}
    check_run(tmp_path, "inspect_incidents", **given, refused_places={"no geometry": refused} if refused else {})


@pytest.mark.parametrize("city", CITIES)
def test_the_report_of_a_period(city: str, tmp_path: Path) -> None:
    given = {"incidents": write_city(tmp_path, city), "report": str(tmp_path / "r.html")}
    check_run(tmp_path, "select_period", **given)


def write_grids(folder: Path, maps: int, side: int = 6, gap: bool = False, bin: str = "1 days") -> str:
    random = np.random.default_rng(0)
    rate = random.gamma(0.5, 0.6, (side, side))
    grid = Grid(500_000.0, 2_150_000.0, 500.0, side, side, "EPSG:32614")
    observed = np.ones(maps, bool)
    observed[-2] = not gap
    counts = random.poisson(rate, (maps, side, side)).astype(np.uint8)
    return write_stack(folder / "grids.tif", make_stack(counts, grid=grid, observed=observed, bin=bin))


@pytest.mark.parametrize(("maps", "bin"), [(12, "1 days"), (60, "1 days"), (60, "1 weeks"), (40, "6 hours")])
@pytest.mark.parametrize("kind", ["prior_counts", "logistic"])
def test_the_report_of_a_model(maps: int, bin: str, kind: str, tmp_path: Path) -> None:
    given = {"heatmaps": write_grids(tmp_path, maps, bin=bin), "kind": kind, "report": str(tmp_path / "r.html")}
    check_run(tmp_path, "train_forecast", **given, model_output=str(tmp_path / "m.crimemodel"))


@pytest.mark.parametrize(("maps", "steps"), [(30, 1), (60, 3)])
def test_the_report_of_a_forecast(maps: int, steps: int, tmp_path: Path) -> None:
    tiny = {"epochs": 1, "channels": 4, "layers": 1, "sequence_length": 4}
    given = {"heatmaps": write_grids(tmp_path, maps), "output": str(tmp_path / "risk.tif"), **tiny}
    check_run(tmp_path, "convlstm", **given, steps=steps, report=str(tmp_path / "r.html"))


@pytest.mark.parametrize("more", [{}, {"compare": True, "folds": 3}], ids=["alone", "compared"])
def test_the_report_of_a_score_model(more: dict[str, Any], tmp_path: Path) -> None:
    index = str(tmp_path / "city.crimeindex")
    run_job("build_index", {"incidents": write_city(tmp_path, "years"), "crs": "EPSG:32614", "output": index})
    small = {"radius": 300.0, "window_days": 90.0, "folds": 3, "epochs": 1, "widths": [8], "compare": False}
    output = {"model_output": str(tmp_path / "m.crimescore"), "report": str(tmp_path / "r.html")}
    check_run(tmp_path, "train_score", index=index, **output, **{**small, **more})


def check_run(out: Path, job: str, /, **given: Any) -> None:
    """Run a job and read all that it says: the log, the report, or the refusal."""
    said = Recorder()
    try:
        run_job(job, given, said)
    except CrimeRiskError as error:
        said.entries.append(("error", str(error)))
    report = out / "r.html"
    assert {fault: text for text in said.messages for fault in find_faults(text)} == {}
    assert not report.exists() or find_faults_of_report(report) == []


# Logs and refusals of all other jobs.


def list_runs(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Jobs on little data, on data with one of everything, and on what is refused."""
    out = str(folder / "out.tif")
    one, some = write_city(folder, "one"), ""
    place = {"crs": "EPSG:32614", "output": out}
    yield "rasterize", {"incidents": one, **place}
    yield "rasterize", {"incidents": one, **place, "cell_size": 500.0, "no_area": "rectangle"}
    yield "select_area", {"incidents": one, "crs": "EPSG:32614"}
    yield "build_index", {"incidents": one, "crs": "EPSG:32614", "output": str(folder / "one.crimeindex")}
    some = write_city(folder, "some")
    for more in (
        {"bin_unit": "weeks"},
        {"bin_unit": "months"},
        {"categories": ["kind 1"], "per_category": str(folder / "stacks")},
        {"categories": ["kind 7"]},
        {"start": "2024-02-01T10:00:00", "end": "2024-02-03T00:00:00"},
        {"start": "2034-02-01T00:00:00"},
        {"columns": 1, "rows": 1},
    ):
        yield "rasterize", {"incidents": some, **place, **more}
    yield "select_area", {"incidents": some, "crs": "EPSG:32614", "method": "events", "events": 5}
    yield "select_area", {"incidents": some, "crs": "EPSG:32614", "method": "events", "events": 100_000}
    index = str(folder / "some.crimeindex")
    yield "build_index", {"incidents": some, "crs": "EPSG:32614", "output": index}
    grid = {"spacing": 500.0, "no_area": "rectangle"}
    for days in (1.0, 30.0, 365.0):
        scores = {"index": index, "radius": 300.0, "window_days": days, "grid": grid}
        yield "score_points", {**scores, "output": str(folder / "scores.npz")}
    for maps, side, gap in ((2, 1, True), (12, 2, True), (60, 6, True), (60, 6, False)):
        stack = write_grids(folder, maps, side, gap)
        yield "fill_gaps", {"heatmaps": stack, "output": out}
        yield "fill_gaps", {"heatmaps": stack, "output": out, "method": "linear"}
        yield "binarize", {"heatmaps": stack, "output": out}
        yield "binarize", {"heatmaps": stack, "output": out, "threshold": 200}
        judged = {"heatmaps": stack, "models": ["prior_share", "logistic"], "workers": 1}
        yield "backtest", {**judged, "risk": str(folder / "risk.tif"), "horizon": min(3, maps - 1)}
        yield "evaluate", {"risk": str(folder / "risk.tif"), "heatmaps": stack}
        yield "classify", {"risk": str(folder / "risk.tif"), "output": out}
        yield "classify", {"risk": str(folder / "risk.tif"), "output": out, "method": "shares", "shares": [1, 10]}
        model = str(folder / "m.crimemodel")
        for kind in ("etas", "kde", "boosting", "weekday_trend", "ensemble", "logistic"):
            yield "train_forecast", {"heatmaps": stack, "kind": kind, "model_output": model}
        yield "forecast", {"heatmaps": stack, "model": model, "output": out}
        yield "train_forecast", {"heatmaps": stack, "until": "2024-01-02T00:00:00", "model_output": model}
        yield "train_forecast", {"heatmaps": stack, "until": "2023-01-02T00:00:00", "model_output": model}
    grids = make_stack(np.ones((20, 3, 3), np.uint8), grid=Grid(500_000.0, 2_150_000.0, 500.0, 3, 3, "EPSG:32614"))
    judged = {"heatmaps": write_stack(folder / "full.tif", grids), "models": ["prior_share"], "workers": 1}
    incidents = write_incidents(folder / "counted.npz", incidents_of(grids))
    yield "backtest", {**judged, "incidents": incidents, "offsets": 1}
    yield "backtest", {**judged, "incidents": one, "offsets": 1}


def test_the_logs_of_jobs(tmp_path: Path) -> None:
    faults: dict[str, str] = {}
    read = 0
    for job, given in list_runs(tmp_path):
        said = Recorder()
        texts: list[str] = []
        try:
            result = run_job(job, given, said)
            texts += [note for note in result.get("notes") or [] if isinstance(note, str)]
        except CrimeRiskError as error:
            texts.append(str(error))
        for text in (*said.messages, *texts):
            read += 1
            faults |= dict.fromkeys(find_faults(text), f"{job}: {text}")
    assert read > 200
    assert faults == {}


Line = Callable[[int], str]
FILES: dict[str, tuple[str, dict[str, Any]]] = {
    "whole": ("-122.6{n:02},45.5{n:02},2024-01-{d:02} 12:{n:02},Theft", {}),
    "days": ("-122.6{n:02},45.5{n:02},2024-01-{d:02},Theft", {}),
    "months": ("-122.6{n:02},45.5{n:02},2024-{m:02},Theft", {}),
    "one place": ("-122.6,45.5,2024-01-{d:02} 12:00,Theft", {}),
    "swapped": ("45.5{n:02},-122.6{n:02},2024-01-{d:02} 12:00,Theft", {}),
    "without times": ("-122.6{n:02},45.5{n:02},,Theft", {}),
    "zone": ("-122.6{n:02},45.5{n:02},2024-01-{d:02}T12:00:00+01:00,Theft", {"timezone": "America/Los_Angeles"}),
}


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("rows", [1, 2, 25])
@pytest.mark.parametrize("bad", [0, 1, 3])
def test_the_log_of_an_import(kind: str, rows: int, bad: int, tmp_path: Path) -> None:
    pattern, more = FILES[kind]
    lines = [pattern.format(n=n, d=n % 28 + 1, m=n % 12 + 1) for n in range(rows)]
    lines += [f",,2024-01-{n + 1:02} 12:00,Theft" for n in range(bad)]
    path = tmp_path / "some.csv"
    path.write_text("\n".join(["longitude,latitude,datetime,category", *lines]) + "\n", encoding="utf-8")
    check_run(tmp_path, "import_csv", path=str(path), folder=str(tmp_path), **more)


def test_results_are_sentences_too(tmp_path: Path) -> None:
    """What a job says of its result, for layers, layouts and models."""
    stack, model = write_grids(tmp_path, 60), str(tmp_path / "m.crimemodel")
    made = run_job("train_forecast", {"heatmaps": stack, "kind": "logistic", "model_output": model})
    more = run_job("forecast", {"heatmaps": stack, "model": model, "output": str(tmp_path / "r.tif")})
    texts = [made["verdict"], more["card"]]
    assert {fault: text for text in texts for fault in find_faults(text, judges=True)} == {}
