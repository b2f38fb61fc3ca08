"""Values that cannot work: the parameter, the value and the remedy."""

from __future__ import annotations

import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from qgis.core import QgsVectorLayer


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out.tif"


@pytest.fixture
def grid_of(refusal: Any, town_layer: Any, out: Path) -> Any:
    """The refusal of Rasterize hotspot grids for the town."""

    def grid_of(**parameters: Any) -> str:
        given = {"INPUT": town_layer, "TIME_FIELD": "occurred", "OUTPUT": str(out)}
        said = refusal("rasterizehotspots", **{**given, **parameters})
        assert not list(out.parent.iterdir())
        return said

    return grid_of


@pytest.fixture
def score_of(refusal: Any, index_file: Path) -> Any:
    """The refusal of Compute crime score layer for the town's index."""

    def score_of(**parameters: Any) -> str:
        return refusal("crimescorelayer", **{"INDEX": str(index_file), "OUTPUT": "memory:", **parameters})

    return score_of


@pytest.mark.parametrize("name", ["RADIUS", "WINDOW", "SPACING"])
@pytest.mark.parametrize("value", [0, -5, -0.1])
def test_score_sizes(name: str, value: float, score_of: Any) -> None:
    assert f"{name} is {value:g}; it must be greater than 0" in score_of(**{name: value})


@pytest.mark.parametrize("name", ["CELL_SIZE", "COLUMNS", "ROWS"])
@pytest.mark.parametrize("value", [0, -3])
def test_grid_sizes(name: str, value: float, grid_of: Any) -> None:
    assert f"{name} is {value}; it must be greater than 0, or empty for an automatic choice" in grid_of(**{name: value})


@pytest.mark.parametrize(
    ("algorithm", "name", "value", "remedy"),
    [
        ("rasterizehotspots", "BIN_LENGTH", 0, "give a whole number from 1"),
        ("rasterizehotspots", "BIN_UNIT", 9, "choose one of 0: Hours; 1: Days; 2: Weeks; 3: Months; 4: Automatic"),
        ("rasterizehotspots", "CELL_SIZE", float("inf"), "it must be greater than 0, or empty"),
        ("buildcrimeindex", "TREES", float("nan"), "give a whole number"),
        ("buildcrimeindex", "TREES", 0, "give a whole number from 1 to 1000"),
        ("buildcrimeindex", "METHOD", -1, "choose one of 0: Exact"),
        ("convlstmprediction", "EPOCHS", 0, "give a whole number from 1"),
        ("convlstmprediction", "STEPS", 0, "give a whole number from 1"),
        ("convlstmprediction", "SEQUENCE_LENGTH", 1, "give a whole number from 2"),
        ("convlstmprediction", "SEED", -1, "give a whole number from 0"),
        ("convlstmprediction", "LEARNING_RATE", "nan", "it must be greater than 0 and at most 1, usually 0.001"),
        ("convlstmprediction", "POSITIVE_WEIGHT", "inf", "it must be greater than 0, usually 1"),
        ("convlstmprediction", "EPOCHS", "nan", "give a whole number from 1"),
        ("rasterizehotspots", "CELL_SIZE", "-inf", "it must be greater than 0, or empty"),
        ("rasterizehotspots", "BIN_LENGTH", "NaN", "give a whole number from 1"),
        ("importincidents", "PROFILE", 99, "choose one of 0: Detect by the header"),
    ],
)
def test_values_out_of_range(
    algorithm: str, name: str, value: Any, remedy: str, refusal: Any, town_layer: Any, grids_file: Path, out: Path
) -> None:
    given: dict[str, Any] = {"INPUT": town_layer, "TIME_FIELD": "occurred"}
    if algorithm == "convlstmprediction":
        given = {"INPUT": str(grids_file)}
    if algorithm == "importincidents":
        given = {"INPUT": __file__}
    said = refusal(algorithm, **{**given, "OUTPUT": str(out), name: value})
    assert f"{name} is {value}; {remedy}" in said


@pytest.mark.parametrize("name", ["LEARNING_RATE", "POSITIVE_WEIGHT"])
def test_zero_where_more_is_needed(name: str, refusal: Any, grids_file: Path, out: Path) -> None:
    said = refusal("convlstmprediction", INPUT=str(grids_file), OUTPUT=str(out), **{name: 0})
    assert f"{name} is 0; it must be greater than 0" in said
    assert not out.exists()


def test_needed_but_empty(refusal: Any, town_layer: Any, out: Path) -> None:
    for algorithm, name in (
        ("buildcrimeindex", "INPUT"),
        ("crimescorelayer", "INDEX"),
        ("rasterizehotspots", "INPUT"),
        ("convlstmprediction", "INPUT"),
        ("classifyrisk", "INPUT"),
        ("importincidents", "INPUT"),
    ):
        assert f"{name} is empty. " in refusal(algorithm, OUTPUT=str(out))


def test_a_grid_of_too_many_cells(grid_of: Any, run: Any, points: Any, town: Any, out: Path) -> None:
    said = grid_of(CELL_SIZE=0.5)
    assert "columns x" in said
    assert "x 40 maps" in said
    assert "GB" in said
    # Of a few hundred incidents nearly all cells are empty; of more it is 100,000,000 (tests/engine/maps/test_grid.py).
    assert "the limit is 500,000,000" in said
    assert "Choose a larger cell size" in said


def to_number(text: str) -> float:
    return float(text.replace(",", ""))


#: Of a grid with too many points: what was asked, how many it gives, what is allowed.
TOO_MANY = re.compile(
    r"SPACING is ([\d.]+) m: its points would be (?:about )?([\d,]+), and MOST_POINTS allows ([\d,]+)\. "
    r"Choose SPACING ([\d.]+) m \(points: (?:about )?([\d,]+)\) or a smaller area(, or raise MOST_POINTS)?\."
)
#: 5 x 5 km around the town.
BOX = "524000,529000,5039000,5044000 [EPSG:32610]"


@pytest.mark.parametrize(
    ("given", "raised"),
    [
        ({"SPACING": 0.1}, False),
        ({"SPACING": 0.5}, False),
        ({"SPACING": 2}, True),
        ({"SPACING": 50, "MOST_POINTS": 1000}, True),
        ({"SPACING": 0.5, "EXTENT": BOX}, False),
        ({"SPACING": 5, "EXTENT": BOX}, True),
    ],
)
def test_more_points_than_are_drawn_quickly(
    given: dict[str, Any], raised: bool, score_of: Any, run: Any, index_file: Path
) -> None:
    """Refused with a spacing that is not; not above what the parameter itself may be raised to."""
    said = score_of(**given)
    found = TOO_MANY.search(said)
    assert found, said
    spacing, points, most, wider, fewer = map(to_number, found.groups()[:5])
    assert spacing == given["SPACING"]
    assert most == given.get("MOST_POINTS", 250_000)
    assert points > most >= fewer > most / 2
    assert bool(found[6]) == (points <= 5_000_000) == raised
    ran = run("crimescorelayer", INDEX=str(index_file), OUTPUT="memory:", **{**given, "SPACING": wider})
    assert most / 2 < ran["COUNT"] <= most


def test_a_box_of_too_many_points_is_refused_before_the_index_is_read(score_of: Any, monkeypatch: Any) -> None:
    from crime_risk.algorithms.engine_algorithm import EngineAlgorithm

    monkeypatch.delattr(EngineAlgorithm, "run_job")
    assert TOO_MANY.search(score_of(SPACING=5, EXTENT=BOX))
    degrees = "-122.69,-122.63,45.50,45.54 [EPSG:4326]"
    found = TOO_MANY.search(score_of(SPACING=5, EXTENT=degrees))
    # 4.68 x 4.45 km at that latitude.
    assert found
    assert to_number(found[2]) == pytest.approx(4685 * 4446 / 25, rel=0.01)


def test_many_points_where_they_are_asked_for(run: Any, index_file: Path) -> None:
    given = {"INDEX": str(index_file), "SPACING": 9, "EXTENT": BOX, "OUTPUT": "memory:"}
    assert run("crimescorelayer", **given, MOST_POINTS=400_000)["COUNT"] > 300_000


def test_more_bands_than_a_geotiff_holds(grid_of: Any) -> None:
    said = grid_of(BIN_UNIT=0, START="1990-01-01T00:00:00", COLUMNS=2, ROWS=2)
    assert "a GeoTIFF holds at most 65,535" in said
    assert "Choose longer bins" in said


def test_period(grid_of: Any) -> None:
    said = grid_of(START="2024-02-01T00:00:00", END="2024-01-01T00:00:00")
    assert "No incident lies in the period from Thu 1 Feb 2024 to Mon 1 Jan 2024" in said
    assert "Choose a start and a later end" in said


def test_categories(grid_of: Any) -> None:
    said = grid_of(CATEGORIES="Arson", CATEGORY_FIELD="category")
    assert "No incident has category Arson" in said
    assert "Choose from: Burglary, Theft" in said
    assert "CATEGORIES is Theft, but CATEGORY_FIELD is empty. Choose the field" in grid_of(CATEGORIES="Theft")


def test_extent_elsewhere(grid_of: Any) -> None:
    said = grid_of(EXTENT="600000,601000,5100000,5101000 [EPSG:32610]", CELL_SIZE=100)
    assert "None of the 300 incidents lies inside the extent. Choose an extent that overlaps the incidents" in said


def test_study_area_smaller_than_a_cell(grid_of: Any, town_layer: Any) -> None:
    from qgis.core import QgsFeature, QgsGeometry, QgsProject

    area = QgsVectorLayer("Polygon?crs=EPSG:32610", "speck", "memory")
    speck = QgsFeature()
    speck.setGeometry(QgsGeometry.fromWkt("Polygon ((525001 5040001, 525002 5040001, 525002 5040002, 525001 5040001))"))
    area.dataProvider().addFeatures([speck])
    area.updateExtents()
    QgsProject.instance().addMapLayer(area, False)
    said = grid_of(STUDY_AREA=area, CELL_SIZE=500)
    assert "No cell of 500 m has its centre inside the study area" in said
    assert "smaller cell size" in said


def test_reference_time_outside_the_data(score_of: Any) -> None:
    early = score_of(REFERENCE_TIME="2020-01-01T00:00:00")
    assert "the reference time is before the first incident" in early
    assert "the incidents are from Mon 1 Jan 2024" in early
    assert "leave it empty for the last incident" in early
    late = score_of(REFERENCE_TIME="2030-01-01T00:00:00", WINDOW=30)
    assert "too long after the last incident" in late


@pytest.mark.parametrize("value", ["", "many", "75, 25", "0, 50", "50, 100", "25, 25", "nan"])
def test_percentiles(value: str, refusal: Any, forecast: Any, out: Path) -> None:
    said = refusal("classifyrisk", INPUT=forecast["OUTPUT"], PERCENTILES=value, OUTPUT=str(out))
    assert "percentiles" in said.lower()
    assert "25, 75, 91" in said
    assert not out.exists()


def copies(path: Path, folder: Path, share: float = 0.5) -> dict[str, Path]:
    """A file of which only a share is left, and what else may carry its ending."""
    whole = path.read_bytes()
    found = {}
    for name, content in (
        ("truncated", whole[: int(len(whole) * share)]),
        ("beginning", whole[:20]),
        ("empty", b""),
        ("text", "x,y\n1,2\nñ\n".encode()),
        ("noise", bytes(range(256)) * 64),
    ):
        found[name] = folder / f"{name}{path.suffix}"
        found[name].write_bytes(content)
    found["zip"] = folder / f"zip{path.suffix}"
    with zipfile.ZipFile(found["zip"], "w") as bundle:
        bundle.writestr("something.txt", "else")
    return found


@pytest.fixture
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("foreign files")


def test_foreign_index(refusal: Any, index_file: Path, forecast: Any, foreign: Path) -> None:
    files = copies(index_file, foreign)
    files["tiff"] = foreign / "tiff.crimeindex"
    shutil.copy(forecast["OUTPUT"], files["tiff"])
    files["model"] = foreign / "model.crimeindex"
    shutil.copy(forecast["OUTPUT_MODEL"], files["model"])
    for name, file in files.items():
        said = refusal("crimescorelayer", INDEX=str(file), OUTPUT="memory:")
        assert f"{file} is not a whole file of this kind: it is truncated or foreign" in said, name
        assert "Choose a crimeindex file written by Crime Risk, or make it again" in said
    missing = foreign / "missing.crimeindex"
    assert f"{missing} does not exist" in refusal("crimescorelayer", INDEX=str(missing), OUTPUT="memory:")


def rewritten(index_file: Path, target: Path, leave_out: str = "", **changes: Any) -> Path:
    """An index whose description or parts differ."""
    import json

    with zipfile.ZipFile(index_file) as source, zipfile.ZipFile(target, "w") as copy:
        for name in source.namelist():
            content = source.read(name)
            if name == "meta.json":
                content = json.dumps({**json.loads(content), **changes}).encode()
            if name != leave_out:
                copy.writestr(name, content)
    return target


def test_newer_and_damaged_index(refusal: Any, index_file: Path, foreign: Path) -> None:
    newer = rewritten(index_file, foreign / "newer.crimeindex", format=99)
    said = refusal("crimescorelayer", INDEX=str(newer), OUTPUT="memory:")
    assert "was written by a newer Crime Risk (format 99, this one reads up to 1)" in said
    assert "Update the plugin" in said
    for name, file in (
        ("no x", rewritten(index_file, foreign / "no x.crimeindex", leave_out="x.npy")),
        ("too few", rewritten(index_file, foreign / "few.crimeindex", count=7)),
        ("no Annoy file", rewritten(index_file, foreign / "annoy.crimeindex", method="annoy")),
        ("other kind", rewritten(index_file, foreign / "kind.crimeindex", kind="crimerisk.other")),
        ("no number", rewritten(index_file, foreign / "number.crimeindex", format="new")),
    ):
        said = refusal("crimescorelayer", INDEX=str(file), OUTPUT="memory:")
        assert str(file) in said, name
        assert "crime index" in said or "crimeindex file" in said, (name, said)


def test_foreign_model(
    refusal: Any, grids_file: Path, forecast: Any, index_file: Path, foreign: Path, out: Path
) -> None:
    files = copies(Path(forecast["OUTPUT_MODEL"]), foreign)
    files["index"] = foreign / "index.crimemodel"
    shutil.copy(index_file, files["index"])
    for name, file in files.items():
        said = refusal("convlstmprediction", INPUT=str(grids_file), MODEL=str(file), OUTPUT=str(out))
        assert f"{file} is not a whole model file" in said, name
        assert "Choose a model file written by Crime Risk, or leave it empty to train one" in said
        assert not out.exists()


def test_newer_model(refusal: Any, grids_file: Path, forecast: Any, foreign: Path, out: Path) -> None:
    whole = Path(forecast["OUTPUT_MODEL"]).read_bytes()
    newer = foreign / "newer.crimemodel"
    # The description is JSON within JSON: the same number of bytes keeps the header's length right.
    changed = whole.replace(b'\\"format\\": 2,', b'\\"format\\": 9,')
    assert changed != whole
    newer.write_bytes(changed)
    said = refusal("convlstmprediction", INPUT=str(grids_file), MODEL=str(newer), OUTPUT=str(out))
    assert "was written by a newer Crime Risk (format 9" in said


def test_model_of_other_maps(refusal: Any, run: Any, town_layer: Any, forecast: Any, tmp_path: Path, out: Path) -> None:
    weeks = run(
        "rasterizehotspots",
        INPUT=town_layer,
        TIME_FIELD="occurred",
        COLUMNS=12,
        ROWS=12,
        BIN_UNIT=2,
        OUTPUT=str(tmp_path / "weeks.tif"),
    )
    said = refusal("convlstmprediction", INPUT=weeks["OUTPUT"], MODEL=forecast["OUTPUT_MODEL"], OUTPUT=str(out))
    assert "trained on maps of 1 days, these are maps of 1 weeks" in said
    assert "Rasterize the incidents in bins of 1 days" in said


@pytest.mark.parametrize(
    ("algorithm", "remedy"),
    [
        ("convlstmprediction", "no raster. Choose a raster that QGIS can open"),
        ("classifyrisk", "no layer. Choose a raster, or a layer of areas, that QGIS can open"),
    ],
)
def test_foreign_raster(algorithm: str, remedy: str, refusal: Any, grids_file: Path, foreign: Path, out: Path) -> None:
    for name, file in copies(grids_file, foreign, 0.1).items():
        said = refusal(algorithm, INPUT=str(file), OUTPUT=str(out))
        assert f"INPUT is {file}; it is missing, truncated or {remedy}" in said, name
        assert not out.exists()


def test_grids_that_lack_their_end(refusal: Any, grids_file: Path, foreign: Path, out: Path) -> None:
    for share in (0.6, 0.8, 0.99):
        cut = copies(grids_file, foreign, share)["truncated"]
        said = refusal("convlstmprediction", INPUT=str(cut), OUTPUT=str(out))
        assert "Make it with Rasterize hotspot grids" in said
        assert not out.exists()


def test_a_raster_of_another_kind(refusal: Any, forecast: Any, grids_file: Path, foreign: Path, out: Path) -> None:
    said = refusal("convlstmprediction", INPUT=forecast["OUTPUT"], OUTPUT=str(out))
    assert f"{forecast['OUTPUT']} is a raster, but not a stack of hotspot grids" in said
    assert "Make it with Rasterize hotspot grids" in said
    from osgeo import gdal

    newer = foreign / "newer.tif"
    shutil.copy(grids_file, newer)
    dataset = gdal.Open(str(newer), gdal.GA_Update)
    dataset.SetMetadataItem("CRIMERISK_FORMAT", "2")
    dataset = None
    said = refusal("convlstmprediction", INPUT=str(newer), OUTPUT=str(out))
    assert "was written by a newer Crime Risk (format 2)" in said
    assert not out.exists()


def test_too_short_a_history(refusal: Any, points: Any, run: Any, town: Any, tmp_path: Path, out: Path) -> None:
    grids = run(
        "rasterizehotspots",
        INPUT=points(town[:20]),
        TIME_FIELD="occurred",
        COLUMNS=4,
        ROWS=4,
        OUTPUT=str(tmp_path / "short.tif"),
    )
    said = refusal("convlstmprediction", INPUT=grids["OUTPUT"], OUTPUT=str(out))
    assert "The stack holds 3 maps" in said
    assert "longer period, shorter bins" in said
    assert not out.exists()


def test_an_expression_that_gives_no_finite_number(refusal: Any, index_file: Path) -> None:
    from qgis.core import QgsProperty

    for value in (QgsProperty.fromExpression("exp(1000)"), QgsProperty.fromValue(float("nan"))):
        assert "RADIUS is " in refusal("crimescorelayer", INDEX=str(index_file), RADIUS=value, OUTPUT="memory:")


def test_what_json_cannot_carry(engine: Any, index_file: Path) -> None:
    """A sentence, and the worker lives on."""
    engine.call("index_info", {"index": str(index_file)})
    pid = engine._WORKERS["batch"]._process.pid
    for value, shown in ((float("nan"), "nan"), ([1.0, float("-inf")], "[1.0, -inf]"), (object(), "<object object")):
        with pytest.raises(engine.EngineError) as caught:
            engine.call("score_points", {"index": str(index_file), "radius": value})
        assert f"'radius' of the job 'score_points' is {shown}" in str(caught.value)
        assert "Choose a finite number" in str(caught.value)
        assert (caught.value.type, caught.value.parameter) == ("ParameterError", "radius")
    assert engine.call("index_info", {"index": str(index_file)})
    assert engine._WORKERS["batch"]._process.pid == pid
