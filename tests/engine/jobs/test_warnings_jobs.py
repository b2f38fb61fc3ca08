"""The jobs of warnings: train, warn, backtest, from the files that QGIS hands over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely
from kit.contexts import Recorder

from riskengine.evaluation.warned import WarningChoice
from riskengine.forecasters.modelfile import load_model
from riskengine.ground.errors import Cancelled, DataError, ParameterError
from riskengine.intake.incidents import Incidents, write_exchange
from riskengine.jobs import run_job
from riskengine.maps.unitlayer import UnitRows, write_units

CRS = "EPSG:26918"
#: Squares of 1 km side by side; half of everything happens in the third.
SHARES = np.array([0.2, 0.1, 0.5, 0.2])


def make_city(days: int = 420, seed: int = 2, surge: float = 1.0) -> Incidents:
    """Two shootings a day, three in four of them by night, and eight thefts in the same places."""
    dice = np.random.default_rng(seed)
    rate = np.where(np.arange(days) > 0.7 * days, 2.0 * surge, 2.0)
    number = [dice.poisson(rate), dice.poisson(np.full(days, 8.0))]
    day = np.concatenate([np.repeat(np.arange(days), each) for each in number])
    hour = np.where(dice.random(len(day)) < 0.75, dice.integers(18, 24, len(day)), dice.integers(0, 24, len(day)))
    time = np.datetime64("2022-01-03T00:00:00", "s") + 86_400 * day + 3600 * hour + dice.integers(60, 3600, len(day))
    x = 1000 * dice.choice(4, len(day), p=SHARES) + dice.uniform(10, 990, len(day))
    code = np.repeat([0, 1], [int(each.sum()) for each in number]).astype(np.int32)
    place = dice.uniform(10, 990, len(day))
    return Incidents(x, place, time, code, ["SHOOTING", "THEFT"], np.arange(len(day)), "minute")


def write_areas(path: Path, number: int = 4) -> str:
    west = 1000.0 * np.arange(number)
    boxes = shapely.box(west, 0.0, west + 1000.0, 1000.0)
    names = [f"Beat {each}" for each in range(number)]
    write_units(path, UnitRows([f"B{each}" for each in range(number)], names, boxes, np.arange(number), "beats"))
    return str(path)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Incidents and areas, as every job of warnings gets them."""
    folder = tmp_path_factory.mktemp("city")
    write_exchange(folder / "incidents.npz", make_city())
    return {"incidents": str(folder / "incidents.npz"), "areas": write_areas(folder / "areas.npz"), "crs": CRS}


def train(folder: Path, files: dict[str, str], **more: Any) -> tuple[dict[str, Any], Recorder]:
    context = Recorder()
    asked = {"targets": ["SHOOTING"], "kind": "level", "model_output": str(folder / "w.crimemodel"), **more}
    return run_job("train_warning", {**files, **asked}, context), context


def test_a_model_is_judged_without_the_held_out_windows_and_kept_with_them(
    files: dict[str, str], tmp_path: Path
) -> None:
    result, context = train(tmp_path, files, held_out=0.25, window=12, begin=6, budget_kind="week", budget=6)
    model, card = load_model(result["model_output"])
    assert (model.name, card.warning["window"], card.warning["budget"]["size"]) == ("level", 12, 6)
    # 420 days from midnight: the first and the last half are no windows from six to six.
    assert result["windows"] == round(0.25 * 839)
    assert card.window.end == "2023-02-26T18:00:00", "trained on all windows"
    assert set(card.metrics) == {"level", "constant", "clock", "calendar", "calendar_reset"}
    assert card.metrics["level"]["log_loss"] == pytest.approx(result["scores"]["level"]["log_loss"])
    assert card.warning["said"] == result["said"]
    said = "\n".join(message for _, message in context.entries)
    assert "Windows of 12 hours that begin at 06:00 and 18:00; 6 alarms a week may be warned of" in said
    assert "210 windows of 12 hours held out, from" in said
    assert "may tell more" not in said


def test_the_kind_is_left_to_past_windows(files: dict[str, str], tmp_path: Path) -> None:
    """Shootings that nothing announces: whatever is tried, the level is kept."""
    result, context = train(tmp_path, files, kind="auto", window=24)
    assert result["model"] == "level"
    assert any(message.startswith("Level × calendar × place") for _, message in context.entries)


def test_a_choice_that_the_held_out_windows_do_not_confirm_is_not_kept(
    files: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past windows that liked a model which reads the noise of the last days."""
    liked = WarningChoice("recent_counts", "Recent counts: better on past windows")
    monkeypatch.setattr("riskengine.jobs.train_warning.choose_warning_model", lambda *given: liked)
    result, context = train(tmp_path, files, kind="auto", report=str(tmp_path / "r.html"))
    model, card = load_model(result["model_output"])
    assert (result["model"], model.name, card.name) == ("level", "level", "level")
    assert next(iter(result["scores"])) == "level"
    said = "Recent counts was chosen on past windows, but those held out do not confirm beyond doubt"
    assert any(message.startswith(said) for _, message in context.entries)
    assert said in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_without_held_out_windows_nothing_is_said_of_the_worth(files: dict[str, str], tmp_path: Path) -> None:
    result, context = train(tmp_path, files, held_out=0, report=str(tmp_path / "r.html"))
    assert (result["scores"], result["windows"]) == ({}, 0)
    assert result["verdict"].startswith("Not evaluated")
    assert any("nothing can be said about how good the warnings are" in message for _, message in context.entries)
    assert "Not evaluated" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_a_surge_after_training_is_followed_by_the_level(tmp_path: Path) -> None:
    """Three times as many shootings from one day on: two months later the level has seen them."""
    write_exchange(tmp_path / "surge.npz", make_city(surge=3.0))
    files = {"incidents": str(tmp_path / "surge.npz"), "areas": write_areas(tmp_path / "areas.npz"), "crs": CRS}
    result, _ = train(tmp_path, files, held_out=0.2)
    made = {"model": result["model_output"], "next_windows": str(tmp_path / "n.gpkg")}
    warned = run_job("warn", {**files, **made, "warnings": str(tmp_path / "w.gpkg")}, Recorder())
    fields, _, _, columns = pyogrio.raw.read(tmp_path / "w.gpkg")
    table = dict(zip(fields["fields"], columns, strict=True))
    assert table["level_part"].mean() > 1.3
    assert warned["windows"] == 7
    # Six shootings a day, half of them in the third square.
    assert table["probability"][table["id"] == "B2"].mean() == pytest.approx(1 - np.exp(-3.0), abs=0.04)


def test_a_model_without_parts_leaves_their_columns_empty(files: dict[str, str], tmp_path: Path) -> None:
    result, _ = train(tmp_path, files, kind="ewma", held_out=0)
    context = Recorder()
    run_job("warn", {**files, "model": result["model_output"], "warnings": str(tmp_path / "w.gpkg")}, context)
    fields, _, _, columns = pyogrio.raw.read(tmp_path / "w.gpkg")
    parts = [each for name, each in zip(fields["fields"], columns, strict=True) if name.endswith("_part")]
    assert len(parts) == 6
    assert np.isnan(np.array(parts)).all()
    assert any("is not made of hour, season, place and level: their" in message for _, message in context.entries)


def test_warnings_are_of_the_moment_that_was_asked_for(files: dict[str, str], tmp_path: Path) -> None:
    result, _ = train(tmp_path, files, held_out=0, lead=24)
    asked = {"model": result["model_output"], "origin": "2022-12-05T00:00:00", "windows": 2}
    context = Recorder()
    made = run_job("warn", {**files, **asked, "warnings": str(tmp_path / "w.gpkg")}, context)
    assert made["edges"] == ["2022-12-06T00:00:00", "2022-12-07T00:00:00", "2022-12-08T00:00:00"]
    assert (made["made"], made["known"]) == ("2022-12-05T00:00:00", "2022-12-04T00:00:00")
    assert "Made on Mon 5 Dec 2022, 00:00, from what happened before Sun 4 Dec 2022, 00:00 and nothing" in made["card"]
    assert any("what it warns of it may have seen" in message for _, message in context.entries)
    assert not any("no incident at all" in message for _, message in context.entries), "what is not known is no gap"


def test_a_model_reads_no_other_windows_than_its_own(files: dict[str, str], tmp_path: Path) -> None:
    """Nobody asks for windows: those of the model are made, however the incidents lie."""
    result, _ = train(tmp_path, files, held_out=0, window=168, begin=30)
    made = run_job("warn", {**files, "model": result["model_output"], "windows": 2}, Recorder())
    begins = np.array(made["edges"], dtype="datetime64[h]")
    assert set((begins - np.datetime64("1970-01-05T06", "h")).astype(int) % 168) == {24}


@pytest.mark.parametrize(
    ("job", "wrong", "error", "sentence"),
    [
        ("train_warning", {"targets": []}, ParameterError, "targets"),
        ("train_warning", {"window": 7}, ParameterError, "window is 7, which is no part of a day"),
        ("train_warning", {"targets": ["MURDER"]}, DataError, "No incident has category MURDER"),
        (
            "train_warning",
            {"similar": ["SHOOTING"]},
            ParameterError,
            "similar is SHOOTING, and SHOOTING stands in targets too",
        ),
        ("train_warning", {"kind": "convlstm"}, DataError, "nothing but maps of square cells"),
        (
            "backtest_warnings",
            {"start": "1999-01-01T00:00:00"},
            ParameterError,
            "start is Fri 1 Jan 1999, but the first",
        ),
        ("backtest_warnings", {"budget_kind": "share", "budget": 101}, ParameterError, "per cent of all windows"),
        ("backtest_warnings", {"models": ["nobody"]}, ParameterError, "nobody"),
    ],
)
def test_what_cannot_be_is_refused(
    files: dict[str, str], job: str, wrong: dict[str, Any], error: type[Exception], sentence: str, tmp_path: Path
) -> None:
    asked = {**files, "targets": ["SHOOTING"], **wrong}
    if job == "train_warning":
        asked = {"model_output": str(tmp_path / "w.crimemodel"), **asked}
    with pytest.raises(error, match=sentence):
        run_job(job, asked, Recorder())
    assert not list(tmp_path.iterdir())


def test_a_cancelled_backtest_leaves_nothing(files: dict[str, str], tmp_path: Path) -> None:
    asked = {"targets": ["SHOOTING"], "report": str(tmp_path / "r.html"), "warnings": str(tmp_path / "w.gpkg")}
    context = Recorder(lambda context: context.shares[-1] > 0.5)
    with pytest.raises(Cancelled):
        run_job("backtest_warnings", {**files, **asked, "workers": 1}, context)
    assert not list(tmp_path.iterdir())


def test_lines_are_no_areas(files: dict[str, str], tmp_path: Path) -> None:
    lines = np.array([shapely.linestrings([(0, 0), (4000, 0)])], dtype=object)
    write_units(tmp_path / "lines.npz", UnitRows(["S"], ["Street"], lines, np.arange(1), "streets"))
    with pytest.raises(ParameterError, match="Choose a layer of polygons, or leave it empty"):
        train(tmp_path, {**files, "areas": str(tmp_path / "lines.npz")})
