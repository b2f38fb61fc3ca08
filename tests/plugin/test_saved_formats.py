"""Import incidents: formats that are saved and read by their name alone live in the QGIS profile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from qgis.core import QgsApplication, QgsProcessingException

ROWS = "nr,a,b,when\n1,2.301,48.801,2024-03-01 10:00\n2,2.302,48.802,2024-03-02 11:30\n"


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A QGIS profile of the test's own."""
    path = tmp_path / "profile"
    path.mkdir()
    monkeypatch.setattr(QgsApplication, "qgisSettingsDirPath", staticmethod(lambda: f"{path}/"))
    return path


@pytest.fixture
def csv(tmp_path: Path) -> str:
    path = tmp_path / "rows.csv"
    path.write_text(ROWS, "utf-8")
    return str(path)


def read_points(result: Any) -> list[tuple[Any, ...]]:
    features = result["OUTPUT"].getFeatures()
    return [(row["nr"], row["occurred"].toString("yyyy-MM-dd HH:mm"), row.geometry().asWkt(3)) for row in features]


@pytest.mark.parametrize(("saved", "named"), [("wache", "wache.json"), ("wache.json", "wache")])
def test_a_bare_name_is_one_in_the_profile(run: Any, csv: str, profile: Path, saved: str, named: str) -> None:
    by_hand = run(
        "importincidents", INPUT=csv, X_FIELD="a", Y_FIELD="b", TIME_FIELD="when", SAVE_PROFILE=saved, OUTPUT="memory:"
    )
    assert [path.name for path in (profile / "crime_risk" / "formats").iterdir()] == ["wache.json"]
    again = run("importincidents", INPUT=csv, PROFILE_FILE=named, OUTPUT="memory:")
    assert read_points(again) == read_points(by_hand)
    assert again["FORMAT"] == "wache"


def test_a_path_is_taken_as_it_is(run: Any, csv: str, profile: Path, tmp_path: Path) -> None:
    path = str(tmp_path / "shared.json")
    run("importincidents", INPUT=csv, X_FIELD="a", Y_FIELD="b", TIME_FIELD="when", SAVE_PROFILE=path, OUTPUT="memory:")
    assert Path(path).is_file()
    assert run("importincidents", INPUT=csv, PROFILE_FILE=path, OUTPUT="memory:")["COUNT"] == 2
    assert not (profile / "crime_risk").exists()


def test_a_name_that_is_not_there_lists_those_that_are(run: Any, csv: str, profile: Path) -> None:
    with pytest.raises(QgsProcessingException, match=r"no saved format wachi in .*; saved are: none yet"):
        run("importincidents", INPUT=csv, PROFILE_FILE="wachi", OUTPUT="memory:")
    (profile / "crime_risk" / "formats").mkdir(parents=True)
    (profile / "crime_risk" / "formats" / "wache.json").write_text("{}", "utf-8")
    with pytest.raises(QgsProcessingException, match=r"saved are: wache\. Choose one of them"):
        run("importincidents", INPUT=csv, PROFILE_FILE="wachi", OUTPUT="memory:")
