"""Add covariates: tables and layers joined with three areas side by side, values counted by hand, and what is said."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely
from kit.contexts import Recorder
from kit.panels import make_panel, write_counts

from riskengine.ground.errors import CrimeRiskError, DataError, FormatError, ParameterError
from riskengine.jobs import run_job
from riskengine.maps.panel import Extras
from riskengine.maps.panelfile import read_panel

NAN = np.nan
Add = Callable[..., tuple[Extras, Recorder]]


@pytest.fixture
def add(tmp_path: Path) -> Add:
    """`add(table, **parameters)`: the covariates of a panel of A, B and C, and what was said.

    Their squares of 1 km lie side by side; the bins are January to April 2020.
    """
    path = write_counts(tmp_path / "panel.gpkg", make_panel(np.array([[1, 0, 2]] * 4, dtype=np.uint8)))
    before = Path(path).read_bytes()

    def add(table: str | Path, **parameters: Any) -> tuple[Extras, Recorder]:
        if not isinstance(table, Path):
            (tmp_path / "table.csv").write_text(table, encoding="utf-8")
            table = tmp_path / "table.csv"
        said = Recorder()
        output = str(tmp_path / "more.gpkg")
        result = run_job("add_covariates", {"panel": path, "table": str(table), "output": output, **parameters}, said)
        # What is read stays as it is.
        assert Path(path).read_bytes() == before
        panel = read_panel(output)
        assert panel.counts.tolist() == [[1, 0, 2]] * 4
        assert result["covariates"] == len(panel.extras.static_names) + len(panel.extras.covariates)
        return panel.extras, said

    return add


@pytest.fixture
def layer(tmp_path: Path) -> Callable[..., Path]:
    """`layer(shapes, **columns)`: a layer of shapes in metres from the corner of A."""

    def layer(shapes: list[Any], crs: str | None = "EPSG:27700", **columns: list[Any]) -> Path:
        path = tmp_path / "layer.gpkg"
        values = [np.array(each, dtype=object if isinstance(each[0], str) else None) for each in columns.values()]
        pyogrio.raw.write(
            path,
            np.array([None if each is None else shapely.to_wkb(each) for each in shapes], dtype=object),
            values,
            list(columns),
            driver="GPKG",
            geometry_type="Unknown",
            crs=crs,
        )
        return path

    return layer


def equal(values: np.ndarray, expected: list[Any]) -> bool:
    return bool(np.array_equal(values, np.array(expected, dtype=np.float32), equal_nan=True))


KEY = {"joined": "key", "key_field": "area", "fields": ["score"]}


def test_a_csv_of_texts_with_r_quoting_and_na_is_joined_by_key(add: Add) -> None:
    extras, said = add('"area","score"\n"A",1.5\n"B",NA\n"C","2"\n"X",9\n"Y",9\n"X",9\n', **KEY)
    assert extras.static_names == ("score",)
    assert equal(extras.static, [[1.5, NAN, 2]])
    assert extras.sources["score"].layer == "table.csv"
    assert extras.sources["score"].joined == "by key: area = id"
    assert "info: Joined by area = id: 3 of 6 rows belong to areas." in said.lines
    assert "warning: 2 keys are those of no area: X, Y; their rows (3) are left out." in said.lines
    assert "warning: 1 of 3 areas has no value: B." in said.lines


def test_a_header_with_a_blank_at_its_end_is_found_without_it(add: Add) -> None:
    extras, _ = add("Area ,PER CAPITA INCOME \nA,1\nB,2\nC,3\n", key_field="area", fields=["PER CAPITA INCOME"])
    assert extras.static_names == ("PER CAPITA INCOME",)
    assert equal(extras.static, [[1, 2, 3]])


def test_fixed_values_without_a_day_of_publication_are_warned_of(add: Add) -> None:
    _, said = add("area,score\nA,1\nB,2\nC,3\n", **KEY)
    assert any("look ahead" in warning and "KNOWN_FROM" in warning for warning in said.warnings)
    extras, said = add("area,score\nA,1\nB,2\nC,3\n", **KEY, known_from="2020-02-15T00:00:00")
    assert not said.warnings
    (score,) = extras.covariates
    assert score.delay == 0
    assert equal(score.values, [[NAN] * 3, [1, 2, 3], [1, 2, 3], [1, 2, 3]])
    assert (
        "info: The values are known from Sat 15 Feb 2020: forecasts made at the start of 2 of 4 months do not read"
        " them." in said.lines
    )


def test_texts_that_are_no_numbers_are_counted_and_named(add: Add) -> None:
    hostile = "<b>x</b>[%@project%]"
    extras, said = add(f'area,score\nA,{hostile}\nB,"1,5"\nC,{hostile}\n', **KEY)
    assert equal(extras.static, [[NAN, 1.5, NAN]])
    warning = "score: 2 of 3 rows hold no number there and are taken as missing (2 times '<b>x</b>[ %@project%]')."
    assert warning in said.warnings


def test_several_rows_of_an_area_are_averaged_or_added_up_and_said(add: Add) -> None:
    table = "area,score,people\nA,1,10\nA,4,20\nB,2,5\nC,,5\n"
    extras, said = add(table, **KEY)
    assert equal(extras.static, [[2.5, 2, NAN]])
    assert any("1 row repeats a key: their values are averaged" in each for each in said.warnings)
    extras, _ = add(table, **KEY, weight_field="people")
    assert equal(extras.static, [[3, 2, NAN]])
    extras, _ = add(table, **{**KEY, "fields": ["people"]}, combine="sum")
    assert equal(extras.static, [[30, 5, 5]])


def test_daily_values_of_larger_areas_reach_the_areas_within_and_are_known_late(add: Add, tmp_path: Path) -> None:
    """As mobility by borough and day does LSOAs."""
    west, east = (shapely.to_geojson(shapely.box(x, -500, x + 2000, 1500)) for x in (-20, 1980))
    feature = '{{"type": "Feature", "properties": {{"name": "{}"}}, "geometry": {}}}'
    features = ", ".join([feature.format("West", west), feature.format("East & Co", east)])
    (tmp_path / "larger.geojson").write_text(f'{{"type": "FeatureCollection", "features": [{features}]}}')
    table = (
        '"date","borough","parks"\n"2020-02-01","West",-4\n"2020-02-29","West",-8\n"2020-02-03","East & Co",NA\n'
        '"2020-03-01","east & co",6\n'
    )
    extras, said = add(
        table,
        joined="key",
        key_field="borough",
        areas=str(tmp_path / "larger.geojson"),
        fields=["parks"],
        date_field="date",
        delay=2,
    )
    (parks,) = extras.covariates
    assert parks.delay == 2
    assert equal(parks.values, [[NAN] * 3, [-6, -6, NAN], [-6, -6, 6], [-6, -6, 6]])
    assert parks.filled is not None
    assert parks.filled.tolist() == [[False] * 3, [False] * 3, [True, True, False], [True] * 3]
    assert "info: parks: nothing is known before Feb 2020, in 1 of 4 months." in said.lines
    assert (
        "info: parks: 5 of 8 values are filled with the last one before: in 1 month of which the table has none, and 2"
        " values of areas that lack one where others have it." in said.lines
    )
    assert "warning: parks: the values end with Mar 2020; in 1 month at the end the last ones hold." in said.lines
    assert "info: A value is used from 2 months after the end of its month on." in said.lines


def test_points_are_averaged_added_up_or_counted_in_their_area(add: Add, layer: Callable[..., Path]) -> None:
    points = [shapely.Point(10, 10), shapely.Point(20, 10), shapely.Point(1500, 5), shapely.Point(9e5, 5), None]
    path = layer(points, beds=[1.0, 3.0, 5.0, 7.0, 9.0])
    location = {"joined": "location", "fields": ["beds"]}
    extras, said = add(path, **location)
    assert equal(extras.static, [[2, 5, NAN]])
    assert "warning: 2 of 5 rows lie in no area, or are no points, and are left out." in said.lines
    extras, _ = add(path, **location, combine="sum", prefix="hotel ")
    assert extras.static_names == ("hotel beds",)
    assert equal(extras.static, [[4, 5, 0]])
    extras, _ = add(path, joined="location", combine="count")
    assert extras.static_names == ("points",)
    assert equal(extras.static, [[2, 1, 0]])


def test_an_area_takes_the_polygon_in_which_its_middle_lies(add: Add, layer: Callable[..., Path]) -> None:
    path = layer([shapely.box(0, 0, 1400, 1000), shapely.box(1400, 0, 2100, 1000)], rate=["1,5", "2,5"])
    extras, _ = add(path, joined="location", fields=["rate"])
    assert equal(extras.static, [[1.5, 2.5, NAN]])
    with pytest.raises(ParameterError, match="Join by shared area to divide amounts"):
        add(path, joined="location", fields=["rate"], combine="sum")


def test_rates_are_averaged_and_amounts_divided_by_shared_area(add: Add, layer: Callable[..., Path]) -> None:
    # A lies in the first alone, B has 750 m of it and 250 m of the second, C lies in the second, which reaches beyond.
    boxes = [shapely.box(0, 0, 1750, 1000), shapely.box(1750, 0, 3750, 1000)]
    path = layer(boxes, rate=[1.0, 5.0], people=[175.0, 800.0])
    extras, _ = add(path, joined="area", fields=["rate"])
    assert equal(extras.static, [[1, 2, 5]])
    extras, said = add(path, joined="area", fields=["people"], combine="sum")
    assert equal(extras.static, [[100, 75 + 100, 400]])
    assert any(each.startswith("1 of 2 polygons reaches beyond the areas") for each in said.warnings)
    # In B live 75 of the first and 100 of the second.
    extras, _ = add(path, joined="area", fields=["rate"], weight_field="people")
    assert np.allclose(extras.static, [[1, (75 + 500) / 175, 5]])
    assert extras.sources["rate"].joined == "by shared area: averages weighted by people in the area they share"


def test_a_layer_in_degrees_is_moved_and_what_it_hardly_covers_is_named(add: Add, layer: Callable[..., Path]) -> None:
    from rasterio.warp import transform

    def to_degrees(places: np.ndarray) -> np.ndarray:
        return np.stack(transform("EPSG:27700", "EPSG:4326", *places.T.tolist()), axis=1)

    box = shapely.transform(shapely.segmentize(shapely.box(0, 0, 1300, 1000), 50), to_degrees)
    extras, said = add(layer([box], "EPSG:4326", rate=[4.0]), joined="area", fields=["rate"])
    assert equal(extras.static, [[4, 4, NAN]])
    assert (
        "warning: 1 of 3 areas is covered by less than half, and the value speaks of that part alone: B." in said.lines
    )


def test_yearly_polygons_hold_until_the_next_year(add: Add, layer: Callable[..., Path]) -> None:
    box = shapely.box(0, 0, 3000, 1000)
    path = layer([box, box], year=["2019", "2020"], rate=[1.0, 2.0])
    extras, _ = add(path, joined="area", fields=["rate"], date_field="year", delay=12)
    assert equal(extras.covariates[0].values, [[2] * 3] * 4)


def test_the_weather_of_a_city_holds_for_all_its_areas(add: Add) -> None:
    table = "day,high\n1/1/20,2\n1/31/20,4\n3/1/20,9\n"
    extras, said = add(table, joined="all", fields=["high"], date_field="day", delay=0)
    (high,) = extras.covariates
    assert equal(high.values, [[3] * 3, [3] * 3, [9] * 3, [9] * 3])
    assert extras.sources["high"].joined == "every row holds for all areas"
    assert any(each.startswith("high: 6 of 12 values are filled with the last one before") for each in said.messages)
    assert any("as numbers above 12 show" in each for each in said.messages)
    assert "info: A value is used from the end of its month on." in said.lines


def test_shuffled_values_are_the_same_values_elsewhere_and_called_so(add: Add) -> None:
    table = "area,score,other\nA,1,10\nB,2,20\nC,3,30\n"
    extras, said = add(table, **{**KEY, "fields": ["score", "other"]}, shuffle=True, seed=2)
    assert extras.static_names == ("score (shuffled)", "other (shuffled)")
    score, other = extras.static
    assert sorted(score) == [1, 2, 3]
    assert score.tolist() != [1, 2, 3]
    assert (other == 10 * score).all()
    assert extras.sources["score (shuffled)"].shuffled
    assert any("a control" in warning for warning in said.warnings)


@pytest.mark.parametrize(
    ("table", "parameters", "said"),
    [
        ("area,score\nX,1\nY,2\n", KEY, "No key of the table is the id or name of an area: the table's are X, Y, the"),
        ("area,score\nA,x\n", KEY, "The field score holds no number: 1 time 'x'. Choose fields of numbers"),
        ("area,score\nA,1\n", {**KEY, "fields": ["skore"]}, "has no field skore. Choose from: area, score."),
        ("area,score\n", KEY, "has no row"),
        ("area,score,when\nA,1,soon\n", {**KEY, "date_field": "when"}, "The field when holds no date"),
        ("area,score,when\nA,1,2021-01-01\n", {**KEY, "date_field": "when"}, "no value in the time of the panel"),
        ("area,score\nA,1\n", {**KEY, "known_from": "2021-01-01T00:00:00"}, "after the end of the panel"),
        ("area,score\nA,1\n", {**KEY, "joined": "location"}, "has no geometry, so its rows have no location"),
        ("area,score\nA,1\n", {**KEY, "fields": []}, "fields is empty"),
        ("area,score\nA,1\n", {**KEY, "key_field": ""}, "key_field is empty"),
        ("area,score\nA,1\n", {**KEY, "combine": "count"}, "is of points"),
        ("area,score\nA,1\n", {**KEY, "joined": "all"}, "date_field is empty, and a value of all areas"),
        ("area,score\nA,1\n", {**KEY, "joined": "all", "date_field": "a", "shuffle": True}, "changes nothing"),
        ("area,score\nA,1\n", {**KEY, "areas": "x", "combine": "sum"}, "each area within one would get the whole"),
        ("area,score\nA,1\n", {**KEY, "combine": "sum", "weight_field": "score"}, "only averages are weighted"),
        ("area,score\nA,1\n", {**KEY, "date_field": "score", "known_from": "2020-01-01T00:00:00"}, "have dates"),
    ],
)
def test_what_cannot_work_is_refused_with_what_to_do(
    add: Add, tmp_path: Path, table: str, parameters: dict[str, Any], said: str
) -> None:
    with pytest.raises(CrimeRiskError) as refused:
        add(table, **parameters)
    assert said in str(refused.value)
    assert not (tmp_path / "more.gpkg").exists()


def test_the_panel_itself_is_no_place_for_the_result(add: Add, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="which is the panel itself"):
        add("area,score\nA,1\n", **KEY, output=str(tmp_path / "panel.gpkg"))


def test_a_covariate_replaces_the_one_of_its_name_as_when_its_table_has_grown(add: Add, tmp_path: Path) -> None:
    dated = {**KEY, "date_field": "when"}
    add("area,score,when\nA,1,2020-01\n", **dated)
    (tmp_path / "table.csv").write_text("area,score,when\nA,1,2020-01\nB,2,2020-02\n")
    again = {"panel": str(tmp_path / "more.gpkg"), "table": str(tmp_path / "table.csv"), **dated}
    said = Recorder()
    run_job("add_covariates", {**again, "prefix": "new ", "output": str(tmp_path / "both.gpkg")}, said)
    assert [each.name for each in read_panel(tmp_path / "both.gpkg").extras.covariates] == ["score", "new score"]
    assert not any("replaced" in warning for warning in said.warnings)
    run_job("add_covariates", {**again, "output": str(tmp_path / "again.gpkg")}, said)
    (score,) = read_panel(tmp_path / "again.gpkg").extras.covariates
    assert equal(score.values, [[1, NAN, NAN], [1, 2, NAN], [1, 2, NAN], [1, 2, NAN]])
    assert (
        "1 covariate of the panel is replaced by the new one of the same name: score. To keep both, give a prefix."
        in said.warnings
    )


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_layers_without_crs_or_polygons_and_files_that_are_no_tables_are_refused(
    add: Add, layer: Callable[..., Path], tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="has no CRS"):
        add(layer([shapely.Point(5, 5)], None, a=[1.0]), joined="location", fields=["a"])
    with pytest.raises(DataError, match="has no polygon"):
        add(layer([shapely.Point(5, 5)], a=[1.0]), joined="area", fields=["a"])
    with pytest.raises(DataError, match="belongs to an area"):
        add(layer([shapely.Point(-5, 5)], a=[1.0]), joined="location", fields=["a"])
    (tmp_path / "broken.gpkg").write_bytes(b"nothing")
    with pytest.raises(FormatError, match="cannot be read as a table"):
        add(tmp_path / "broken.gpkg", **KEY)


def test_mobility_of_londons_boroughs_reaches_their_lsoas(data_folder: Path, tmp_path: Path) -> None:
    """R's quoting and NA, days to months, and a name that the areas themselves do not have."""
    london = data_folder / "london"
    lsoas = london / "geo" / "LSOA_2011_London_gen_MHW.shp"
    _, _, shapes, (ids,) = pyogrio.raw.read(lsoas, columns=["LSOA11CD"])
    _, _, _, (boroughs,) = pyogrio.raw.read(lsoas, columns=["LAD11NM"], read_geometry=False)
    chosen = np.isin(boroughs, ["Camden", "Barnet"])
    ids, shapes = ids[chosen], shapes[chosen]
    counts = np.zeros((3, len(ids)), dtype=np.uint8)
    panel = make_panel(counts, ids.tolist(), shapely.from_wkb(shapes), start="2020-01")
    _, _, outlines, (names,) = pyogrio.raw.read(london / "geo" / "London_Borough_Excluding_MHW.shp", columns=["NAME"])
    features = [
        {"type": "Feature", "properties": {"name": name}, "geometry": json.loads(shapely.to_geojson(shape))}
        for name, shape in zip(names.tolist(), shapely.from_wkb(outlines), strict=True)
    ]
    (tmp_path / "boroughs.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    table = london / "google_mobility_boroughs_to_2021-06.csv"
    field = "parks_percent_change_from_baseline"
    asked = {
        "panel": write_counts(tmp_path / "panel.gpkg", panel),
        "table": str(table),
        "fields": [field],
        "key_field": "area_name",
        "areas": str(tmp_path / "boroughs.geojson"),
        "date_field": "date",
        "output": str(tmp_path / "more.gpkg"),
    }
    run_job("add_covariates", asked)
    (parks,) = read_panel(tmp_path / "more.gpkg").extras.covariates
    with table.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["date"].startswith("2020-03") and row[field] != "NA"]
    months = [np.mean([float(row[field]) for row in rows if row["area_name"] == name]) for name in ("Barnet", "Camden")]
    assert np.isnan(parks.values[0]).all()
    expected = np.where(boroughs[chosen] == "Barnet", *months)
    assert np.allclose(parks.values[2], expected, rtol=1e-6)
