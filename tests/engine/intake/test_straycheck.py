"""Incidents far from all others in space."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kit.contexts import Recorder

from riskengine.intake.straycheck import describe_strays
from riskengine.jobs import run_job

#: A city of about ten kilometres, where a degree of longitude is half one of latitude.
X, Y = (each.ravel() for each in np.meshgrid(np.linspace(10.0, 10.2, 12), np.linspace(60.0, 60.1, 12)))


def describe(*odd: tuple[float, float], crs: str = "EPSG:4326", x: np.ndarray = X, y: np.ndarray = Y) -> str:
    xs, ys = np.append(x, [each[0] for each in odd]), np.append(y, [each[1] for each in odd])
    return describe_strays(xs, ys, np.arange(len(xs)) + 2, crs)


def test_one_is_named_with_line_and_place() -> None:
    said = describe((10.1, 66.05))
    assert said == (
        "1 incident lies far from all others, 667 km from their middle: line 146 (10.1, 66.05). "
        "It is kept, and does not decide the extent of grids"
    )


def test_the_farthest_five_are_named() -> None:
    said = describe(*((10.1, 61.0 + number) for number in range(7)))
    assert said.startswith("7 incidents lie far from all others, up to 772 km from their middle: line 152 (10.1, 67), ")
    assert said.count("line ") == 5
    assert "line 148 (10.1, 63) and others. They are kept, and do not" in said


def test_degrees_east_are_shorter_in_the_north() -> None:
    # A degree of latitude would be 111 km.
    assert "55 km from their middle" in describe((11.1, 60.05))


@pytest.mark.parametrize(("crs", "unit", "away"), [("EPSG:32633", 1.0, 995), ("EPSG:2263", 0.3048006, 299)])
def test_metres_and_feet(crs: str, unit: float, away: int) -> None:
    x, y = 980_000.0 + (X - 10) * 50_000 / unit, 200_000.0 + (Y - 60) * 100_000 / unit
    said = describe((1_980_000.25, 200_000.0), crs=crs, x=x, y=y)
    assert f", {away} km from their middle" in said
    assert "(1980000.25, 200000)" in said


@pytest.mark.parametrize("count", [0, 1, 4, 144])
def test_a_city_has_none(count: int) -> None:
    assert describe(x=X[:count], y=Y[:count]) == ""


def test_a_suburb_of_a_small_middle_is_not_far() -> None:
    # Most in one street.
    assert describe((10.3, 60.0), x=X / 1000 + 10, y=Y / 1000 + 60) == ""


def test_an_import_warns_and_keeps_them(tmp_path: Path) -> None:
    path = tmp_path / "city.csv"
    rows = [(f"-84.4{row:02}", f"33.7{row * 7 % 20:02}") for row in range(20)]
    lines = [f"2024-01-0{row % 9 + 1} 12:30,{x},{y}\n" for row, (x, y) in enumerate([*rows, ("-87.6", "12.3")])]
    path.write_text("date,lon,lat\n" + "".join(lines), encoding="utf-8")
    context = Recorder()
    result = run_job("import_csv", {"path": str(path), "folder": str(tmp_path)}, context)
    assert result["imported"] == 21
    (warned,) = (line for line in context.lines if "far from all others" in line)
    assert warned.startswith("warning: 1 incident lies")
    assert "line 22 (-87.6, 12.3). It is kept" in warned
