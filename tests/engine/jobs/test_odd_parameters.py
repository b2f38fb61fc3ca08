"""Parameters that a worker's line can carry and no dialog would: refused with a sentence that names them."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest

from riskengine.ground.errors import CrimeRiskError, OutputError, ParameterError
from riskengine.jobs import run_job

FILES = Path(__file__).resolve().parents[2] / "contracts" / "files" / "0.3.0"


@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800"])
@pytest.mark.parametrize(
    ("job", "name", "more", "error"),
    [
        ("query_score", "index", {}, ParameterError),
        ("classify", "risk", {"output": "o.tif"}, ParameterError),
        ("classify", "output", {"risk": "r.tif"}, OutputError),
    ],
)
def test_a_text_that_is_none(job: str, name: str, more: dict[str, Any], error: type[CrimeRiskError], text: str) -> None:
    with pytest.raises(error, match=rf"Parameter '{name}' is .*, which is no text\. Give '{name}' a text") as why:
        run_job(job, {**more, name: text})
    assert str(why.value).encode("utf-8")


def test_a_destination_without_a_name() -> None:
    with pytest.raises(OutputError, match=r"output is empty, or no name of a file\. Choose a destination\."):
        run_job("upsample", {"risk": str(FILES / "risk.tif"), "output": ""})


def test_no_destination_at_all() -> None:
    """Each is optional, since some are of grids and some of areas."""
    nothing = r"output is empty, and so is every other result: nothing would be written\. Choose a file for one\."
    with pytest.raises(ParameterError, match=nothing):
        run_job("classify", {"risk": str(FILES / "risk.tif"), "output": ""})
    with pytest.raises(ParameterError, match=nothing):
        run_job("forecast", {"heatmaps": str(FILES / "grids.tif"), "model": "m.crimemodel"})


def test_points_closer_than_any_number(tmp_path: Path) -> None:
    given = {"index": str(FILES / "city.crimeindex"), "output": str(tmp_path / "o.npz")}
    with pytest.raises(
        ParameterError, match=r"its points would be about 1,000,000,000,000,000, and MOST_POINTS allows 250,000"
    ):
        run_job("score_points", {**given, "grid": {"spacing": 1e-300}})


def test_a_zip_whose_member_lies_before_its_begin(tmp_path: Path) -> None:
    """The directory's offset was altered: the system refuses to go there."""
    path = tmp_path / "rows.zip"
    with zipfile.ZipFile(path, "w") as bundle:
        bundle.writestr("rows.csv", "date,x,y\n2024-01-01,1,2\n")
    content = bytearray(path.read_bytes())
    end = content.rfind(b"PK\x05\x06")
    content[end + 16 : end + 20] = (int.from_bytes(content[end + 16 : end + 20], "little") + 1000).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(CrimeRiskError, match=r"rows\.zip/rows\.csv is broken or was not downloaded"):
        run_job("import_csv", {"path": str(path), "folder": str(tmp_path), "output": str(tmp_path / "o.gpkg")})


@pytest.mark.parametrize("far", [1e308, -1e308, 1e10])
def test_a_place_farther_than_the_earth(far: float) -> None:
    for place in ({"x": far, "y": 0.0}, {"x": 0.0, "y": far}):
        with pytest.raises(CrimeRiskError, match="The place has no coordinates in the index's CRS"):
            run_job("query_score", {"index": str(FILES / "city.crimeindex"), **place})
