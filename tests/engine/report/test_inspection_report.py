"""The page of Inspect incidents, by the job and as a browser reads it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.contexts import Recorder
from kit.incidents import make_incidents, write_incidents
from kit.pages import Page

from riskengine.jobs import run_job

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def town() -> Any:
    """Two hundred incidents within 2 km over 100 days, the last doubled, one of them 400 km away."""
    random = np.random.default_rng(5)
    time = np.sort(np.datetime64("2024-01-01", "s") + random.integers(0, 100 * 86_400, 200))
    x, y = 450_000 + random.uniform(0, 2000, 200), 4_500_000 + random.uniform(0, 2000, 200)
    x[7] += 400_000
    x[-1], y[-1], time[-1] = x[-2], y[-2], time[-2]
    return make_incidents(x, y, time, np.r_[np.zeros(198), 1, 1], [HOSTILE, "b\u202e" + "c" * 10_000])


def inspect(folder: Path, incidents: Any, **more: Any) -> tuple[dict[str, Any], Page, Recorder]:
    context = Recorder()
    path = folder / "look.html"
    source = write_incidents(folder / "incidents.npz", incidents)
    given = {"incidents": source, "crs": "EPSG:32618", "report": str(path), **more}
    figures, page = run_job("inspect_incidents", given, context), Page(path)
    page.check_order()
    return figures, page, context


def test_figures_and_page_say_the_same(town: Any, tmp_path: Path) -> None:
    figures, page, context = inspect(tmp_path, town, refused_places={"no geometry": 3}, layer="town")
    assert (figures["incidents"], figures["duplicates"], figures["strays"]) == (200, 1, 1)
    assert (figures["exactness"], figures["bin_unit"], figures["cell_size"]) == ("minute", "days", 50.0)
    assert figures["reasons"] == {"no geometry": 3}
    assert "A look at town" in page.text
    assert page.find_row("no geometry", 3)[1:] == ["3", "100.0 %"]
    distance = page.find_row("7", 5)[2].removesuffix(" km")
    assert float(distance) == pytest.approx(400, abs=1)
    assert figures["delay_median"] == -1
    assert "1 incident has the time, place and category of an earlier row" in page.text
    assert "BIN_UNIT=days CELL_SIZE=50 START=2024-01-01T00:00:00" in page.text
    assert "1 place lies far from all others." in [message for _, message in context.entries]


def test_it_opens_with_what_there_is_and_what_to_know(town: Any, tmp_path: Path) -> None:
    _, page, _ = inspect(tmp_path, town, layer="town")
    assert page.lead.startswith("town holds 200 incidents that can be used, from Mon 1 Jan 2024")
    assert ", in an area of 2.00 × 1.98 km; 2 things to know first are listed below." in page.lead
    assert "Incidents in cells of 50 m, in the colours of hotspot grids; north up." in page.text
    assert "1 place lies too far off to be drawn." in page.text


def test_several_files_are_not_one(town: Any, tmp_path: Path) -> None:
    _, page, _ = inspect(tmp_path, town, layer="16 files")
    assert page.lead.startswith("16 files hold 200 incidents that can be used, ")


def test_one_incident_is_not_several(town: Any, tmp_path: Path) -> None:
    _, page, _ = inspect(tmp_path, town.select(np.arange(200) == 3), layer="")
    assert page.lead.startswith("The layer holds 1 incident that can be used, from ")
    assert re.findall(r"\b1 (?:incidents|months|places|coordinates|categories|days)\b", page.text) == []


def test_hostile_names_do_nothing(town: Any, tmp_path: Path) -> None:
    _, page, _ = inspect(tmp_path, town)
    assert page.open == []
    assert "script" not in page.tags
    assert HOSTILE in page.text
    assert "\u202e" not in page.source
    assert "c" * 70 not in page.source
    assert all(link.startswith("data:image/") for link in page.links)


def test_months_alone(town: Any, tmp_path: Path) -> None:
    town.time = town.time.astype("datetime64[M]").astype("datetime64[s]")
    figures, page, _ = inspect(tmp_path, town)
    assert (figures["exactness"], figures["bin_unit"]) == ("month", "months")
    assert "near repeats within days or weeks cannot be found" in page.text
    assert "that can be used, Jan – Apr 2024, in an area of" in page.lead
    assert "Jan – Apr 2024, 4 months. The times are months, set to the first day of each." in page.text
    assert "No time of day is known" in page.text
    assert not [row for row in page.rows if row[0] == "Monday"]


def test_the_delay_follows_the_rows_that_were_kept(town: Any, tmp_path: Path) -> None:
    """The first row is refused for its place: its report must not move to the second."""
    town.x[0] = np.nan
    path = tmp_path / "incidents.npz"
    write_incidents(path, town)
    arrays = dict(np.load(path))
    hours = np.full(200, 48)
    hours[0] = -1000
    arrays["reported"] = arrays["time"] + hours * 3600
    np.savez(path, **arrays)
    report = tmp_path / "look.html"
    given = {"incidents": str(path), "crs": "EPSG:32618", "report": str(report)}
    figures = run_job("inspect_incidents", given, Recorder())
    assert (figures["delay_median"], figures["refused"]) == (2.0, 1)
    text = Page(report).text
    assert "Half of the incidents are reported within 2 days, nine of ten within 2 days" in text
    assert "a mistake" not in text
    # Two of the seven days before any moment.
    assert "about 28.6 % of the incidents of the 7 days before" in text


def test_an_import_writes_it_on_request(tmp_path: Path) -> None:
    source, report = tmp_path / "some.csv", tmp_path / "look.html"
    rows = [f"-122.6{n:02},45.5{n:02},2024-01-{n + 1:02} 12:{n:02},Theft" for n in range(20)]
    source.write_text("\n".join(["longitude,latitude,datetime,category", *rows, ",,2024-01-01 12:00,Theft"]) + "\n")
    given = {"path": str(source), "folder": str(tmp_path), "inspection": str(report)}
    result = run_job("import_csv", given, Recorder())
    page = Page(report)
    assert result["imported"] == 20
    assert "A look at some.csv" in page.text
    assert page.find_row("no coordinates", 3)[1].strip() == "1"
    assert page.find_row("Theft", 4)[1].strip() == "20"
    assert "CRS=EPSG:32610" in page.text
