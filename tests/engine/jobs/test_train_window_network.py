"""Train early-warning network, as its tool runs it: model, report and table of a small city."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from kit.contexts import Recorder
from kit.incidents import make_incidents, write_incidents
from kit.sentences import find_faults, find_faults_of_report

from riskengine.ground.errors import CrimeRiskError
from riskengine.intake.incidents import Incidents
from riskengine.jobs import run_job
from riskengine.maps.unitlayer import UnitRows, write_units
from riskengine.systems.warning.windowmodel import WindowModel

CRS = "EPSG:32618"
WEST, SOUTH = 350_000.0, 4_340_000.0
Train = Callable[..., tuple[dict[str, Any], Recorder]]


def make_city(windows: int = 500) -> Incidents:
    """Larcenies anywhere, stolen cars, and shootings in one place in a third of the windows; a few in no area."""
    random = np.random.default_rng(0)
    opening = np.arange(windows) * 7200
    happened = {"LARCENY": np.ones(windows, dtype=bool), "AUTO THEFT": random.random(windows) < 0.2}
    happened["SHOOTING"] = random.random(windows) < 0.35
    rows = [(code, opening[there]) for code, there in enumerate(happened.values())]
    kind = np.concatenate([np.full(len(when), code) for code, when in rows])
    when = np.concatenate([when for _, when in rows])
    time = np.datetime64("2023-01-02", "s") + when + 60 * random.integers(2, 118, len(when))
    x, y = random.uniform(100, 1900, len(when)), random.uniform(100, 900, len(when))
    shot = kind == 2
    x[shot], y[shot] = 1500 + random.uniform(-50, 50, shot.sum()), 500 + random.uniform(-50, 50, shot.sum())
    # In no area.
    kind, time = np.append(kind, [0, 0, 0]), np.append(time, time[:3])
    x, y = np.append(x, [-500, -600, -700]), np.append(y, [1, 2, 3])
    return make_incidents(WEST + x, SOUTH + y, time, kind, list(happened))


@pytest.fixture
def train(tmp_path: Path) -> Train:
    """`train(**parameters)`: the job's result on the city, and what was said."""
    incidents = write_incidents(tmp_path / "incidents.npz", make_city())
    shapes = [shapely.box(WEST + 1000 * each, SOUTH, WEST + 1000 * (each + 1), SOUTH + 1000) for each in (0, 1)]
    areas = tmp_path / "areas.npz"
    write_units(areas, UnitRows(["W", "E"], ["West", "East"], np.array(shapes, dtype=object), np.arange(2)))

    def train(**parameters: Any) -> tuple[dict[str, Any], Recorder]:
        said = Recorder()
        given = {
            "incidents": incidents,
            "areas": str(areas),
            "crs": CRS,
            "targets": ["shooting"],
            "network": "model1",
            "width": 30,
            "height": 30,
            "epochs": 1,
            "model_output": str(tmp_path / "net.crimewindow"),
            **parameters,
        }
        return run_job("train_window_network", given, said), said

    return train


def test_model_report_and_table(train: Train, tmp_path: Path) -> None:
    report, table = tmp_path / "report.html", tmp_path / "figures.csv"
    result, said = train(report=str(report), csv=str(table), split="forward")
    assert result["refused"] == 3
    assert result["windows"] == 500 - 1, "the last one does not end within the data"
    assert result["network_parameters"] > 0
    assert result["rungs"]["point"]["accuracy"] == 1
    assert result["rungs"]["previous"] == result["splits"]["forward"]["previous"]
    assert result["accuracy"] == result["rungs"]["all"]["accuracy"]
    opening = "This network detects and does not warn: the pictures that it looks at already show the very points"
    assert result["verdict"].startswith(f"{opening} (SHOOTING) that it is asked about. It told ")
    looked = "Shared out at random: A look for the targets’ points: 100\N{NO-BREAK SPACE}% told right."
    assert looked in said.messages
    text = report.read_text(encoding="utf-8")
    assert text.index(opening) < text.index("The ladder")
    assert "in the targets’ colour" in text
    assert "It is also that of AUTO THEFT." in text
    # What limits the pictures, as the log has it.
    assert "AUTO THEFT has the colour of SHOOTING: a dot of it need be no target." in text
    assert "lie in no area and cannot be drawn" in text
    assert str(tmp_path) not in text
    assert find_faults_of_report(report) == []
    assert [fault for message in said.messages for fault in find_faults(message)] == []
    rows = list(csv.DictReader(table.open(encoding="utf-8")))
    found = {(row["what"], row["split"]): float(row["value"]) for row in rows if row["measure"] == "accuracy"}
    assert found["network", "forward"] == pytest.approx(result["accuracy"], abs=1e-5)
    assert found["clock", "random"] == pytest.approx(result["splits"]["random"]["clock"]["accuracy"], abs=1e-5)
    card = WindowModel.load(tmp_path / "net.crimewindow").card
    assert (card.hours, card.targets, card.split, card.crs) == (2, ["shooting"], "forward", CRS)
    assert 0.25 < card.share < 0.45
    # Tested are the last windows, so what it learned from ends before them.
    assert (
        np.datetime64("2023-01-02") < np.datetime64(card.first) < np.datetime64(card.end) < np.datetime64("2023-02-09")
    )
    assert card.metrics["accuracy"] == result["accuracy"]


def test_without_a_ladder_the_verdict_says_what_is_missing(train: Train, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    result, _ = train(report=str(report), ladder=False, seed=5)
    assert result["rungs"] == {}
    assert result["verdict"].endswith("What of that is left for a warning only the ladder shows: switch it on.")
    assert find_faults_of_report(report) == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"network": "model2"}, "Pictures with a width of 30 pixels are too small for the layers of this network"),
        ({"targets": ["ARSON"]}, "ARSON"),
        ({"targets": ["LARCENY"]}, "have no target: 40 are the least"),
    ],
)
def test_refusals_help(train: Train, given: dict[str, Any], said: str) -> None:
    with pytest.raises(CrimeRiskError, match=said):
        train(**given)
