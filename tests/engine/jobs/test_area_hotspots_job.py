"""Area hotspots (published), as its tool runs it: layers, report and table of a city of snapped points."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
from kit.contexts import Recorder
from kit.incidents import write_incidents
from kit.panels import write_counts
from kit.snapped_city import make_city, make_snapped_incidents

from riskengine.ground.errors import CrimeRiskError, DataError, FormatError
from riskengine.jobs import run_job

Study = Callable[..., tuple[dict[str, Any], Recorder]]


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """`study(**parameters)`: the job's result on the city, and what was said."""
    panel = write_counts(tmp_path / "panel.gpkg", make_city())
    incidents = write_incidents(tmp_path / "incidents.npz", make_snapped_incidents())

    def study(**parameters: Any) -> tuple[dict[str, Any], Recorder]:
        said = Recorder()
        given = {"panel": panel, "incidents": incidents, "tests": 1, "classifiers": ["forest"], **parameters}
        return run_job("area_hotspots", given, said), said

    return study


def test_the_ladder_goes_to_log_report_and_table(study: Study, tmp_path: Path) -> None:
    report, table = tmp_path / "report.html", tmp_path / "figures.csv"
    result, said = study(report=str(report), csv=str(table), negatives="known")
    assert result["rungs"]["rule"]["auc"] > 0.9 > result["rungs"]["closed"]["auc"]
    # What is chosen does not change the ladder.
    assert result["rungs"]["published"]["auc"] > 0.95
    assert result["chosen"]["auc"] == pytest.approx(result["rungs"]["known"]["auc"], abs=0.03)
    assert result["months"] == ["May 2021"]
    assert result["verdict"].startswith("The published way tells ")
    assert f"{result['verdict']}" in said.messages
    assert "Known of each place: density, Income, Health." in said.messages
    assert any(message.startswith("The bagged support vectors of the study are left out") for message in said.messages)
    text = report.read_text(encoding="utf-8")
    assert result["verdict"] in text
    for title in ("As published", "Without any leak", "Control: this exact coordinate occurred before", "Plain rates"):
        assert title in text
    rows = list(csv.DictReader(table.open(encoding="utf-8")))
    found = {row["what"]: float(row["value"]) for row in rows if row["measure"] == "auc" and row["month"] == "mean"}
    assert {"chosen", "published", "random", "rule", "closed"} <= set(found)
    assert found["random"] == pytest.approx(result["rungs"]["random"]["auc"], rel=1e-5)


def test_cells_say_what_happened_and_what_was_predicted(study: Study, tmp_path: Path) -> None:
    path = tmp_path / "cells.gpkg"
    result, _ = study(cells=str(path), ladder=False)
    assert result["rungs"] == {}
    meta, _, _, columns = pyogrio.raw.read(path)
    cells = dict(zip(meta["fields"], columns, strict=True))
    incidents = make_snapped_incidents()
    assert cells["incidents"].sum() == (incidents.time >= np.datetime64("2021-05-01")).sum() == 120
    assert ((cells["incidents"] > 0) == cells["hotspot"]).all()
    assert ((cells["risk"] > 0.5) == cells["predicted"]).all()
    # As many by their rates, and those are the highest.
    assert cells["by_rate"].sum() == cells["predicted"].sum()
    assert cells["rate"][cells["by_rate"] == 1].min() >= cells["rate"][cells["by_rate"] == 0].max()


def test_a_switch_changes_the_run(study: Study) -> None:
    published, changed = (study(ladder=False, **more)[0]["chosen"] for more in ({}, {"negatives": "known"}))
    assert published["auc"] > 0.95
    assert changed["auc"] < published["auc"] - 0.1


def test_what_the_ladder_would_say_is_asked_for_without_it(study: Study) -> None:
    result, _ = study(ladder=False, classifiers=["bayes"])
    assert result["verdict"].endswith("How much of that rests on leaks only the ladder shows: switch it on.")


def test_incidents_in_no_area_are_refused_and_counted(study: Study, tmp_path: Path) -> None:
    incidents = make_snapped_incidents()
    incidents.x[:7] = 50_000.0
    path = write_incidents(tmp_path / "some.npz", incidents)
    result, said = study(incidents=path, ladder=False, classifiers=["bayes"])
    assert result["reasons"] == {"in no area": 7}
    assert any("7 of 2,040 incidents" in message and "left out" in message for message in said.messages)


@pytest.mark.parametrize(
    ("parameters", "error", "says"),
    [
        ({"tests": 3}, DataError, "testing 3 takes 18"),
        ({"classifiers": []}, CrimeRiskError, "classifiers"),
        ({"negatives": "nowhere"}, CrimeRiskError, "negatives"),
        ({"panel": "nothing.gpkg"}, FormatError, "does not exist"),
    ],
)
def test_what_cannot_be_done_is_said(
    study: Study, parameters: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        study(**parameters)


def test_areas_elsewhere_are_refused(study: Study, tmp_path: Path) -> None:
    incidents = make_snapped_incidents()
    incidents.x[:] += 1e6
    with pytest.raises(DataError, match="No incident lies in an area of the panel"):
        study(incidents=write_incidents(tmp_path / "far.npz", incidents))


def test_it_stops_when_it_is_asked_to(tmp_path: Path) -> None:
    panel = write_counts(tmp_path / "panel.gpkg", make_city())
    incidents = write_incidents(tmp_path / "incidents.npz", make_snapped_incidents())
    said = Recorder(lambda recorder: len(recorder.shares) > 3)
    with pytest.raises(CrimeRiskError):
        run_job("area_hotspots", {"panel": panel, "incidents": incidents, "tests": 1}, said)
    assert said.shares[-1] < 0.5
