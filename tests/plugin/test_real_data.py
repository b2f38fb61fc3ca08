"""The year of Mexico City, as it was published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def year(run: Any, data_folder: Path) -> Any:
    files = sorted((data_folder / "mexico_city").glob("*.csv*"))
    if not files:
        pytest.skip("the Mexico City year is not among the data")
    return run("importincidents", INPUT=str(files[0]), OUTPUT="memory:", REFUSED="memory:")


def test_every_row_is_accounted_for(year: Any) -> None:
    assert year["COUNT"] == 236_068
    assert year["FORMAT"] == "fgj_mexico_city"
    assert year["OUTPUT"].featureCount() == 236_068
    assert year["REFUSED"].featureCount() == year["REFUSED_COUNT"]


def test_the_published_scores(year: Any, run: Any, tmp_path: Path) -> None:
    from qgis.core import QgsProject

    QgsProject.instance().addMapLayer(year["OUTPUT"], False)
    index = run(
        "buildcrimeindex", INPUT=year["OUTPUT"], TIME_FIELD="occurred", OUTPUT=str(tmp_path / "city.crimeindex")
    )
    assert (index["COUNT"], index["REFUSED_COUNT"]) == (236_068, 0)
    scored = run("crimescorelayer", INDEX=index["OUTPUT"], POINTS=year["OUTPUT"], OUTPUT="memory:")
    # Counted in a UTM zone instead of a local equirectangular projection, whose distances differ by up to 0.04 %.
    assert scored["SCORE_LOW"] == pytest.approx(4_343, rel=0.007)
    assert scored["SCORE_HIGH"] == pytest.approx(12_420, rel=0.007)
    QgsProject.instance().removeMapLayer(year["OUTPUT"])
