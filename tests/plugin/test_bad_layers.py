"""Layers as they come: empty, broken, odd. A sentence, and nothing lost."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from qgis.core import QgsProcessingFeatureSourceDefinition, QgsProject, QgsVectorLayer

NOON = datetime.datetime(2024, 1, 5, 12)
READERS = ("buildcrimeindex", "rasterizehotspots")


def name_output(algorithm: str, folder: Path) -> str:
    return str(folder / f"out.{'crimeindex' if algorithm == 'buildcrimeindex' else 'tif'}")


@pytest.fixture
def read(run: Any, tmp_path: Path) -> Callable[..., Any]:
    """Run one of the algorithms that read incidents, with a table of what it refused."""

    def read(algorithm: str, layer: Any, **parameters: Any) -> Any:
        given = {"INPUT": layer, "TIME_FIELD": "occurred", "OUTPUT": name_output(algorithm, tmp_path)}
        return run(algorithm, **{**given, "REFUSED": "memory:", **parameters})

    return read


@pytest.fixture
def refused(refusal: Any, tmp_path: Path) -> Callable[..., str]:
    """The sentence with which such an algorithm refuses a layer; nothing is written."""

    def refused(algorithm: str, layer: Any, **parameters: Any) -> str:
        given = {"INPUT": layer, "TIME_FIELD": "occurred", "OUTPUT": name_output(algorithm, tmp_path)}
        said = refusal(algorithm, **{**given, **parameters})
        assert not list(tmp_path.iterdir()), "something was written"
        return said

    return refused


def reasons(ran: Any) -> list[str]:
    """The reasons in the table of refused features, whose number is the output's."""
    found = [feature["reason"] for feature in ran["REFUSED"].getFeatures()]
    assert len(found) == ran["REFUSED_COUNT"]
    return found


@pytest.mark.parametrize("algorithm", READERS)
class TestIncidents:
    """What both algorithms that read incidents must bear."""

    def test_no_features(self, algorithm: str, refused: Any, points: Any) -> None:
        said = refused(algorithm, points([]))
        assert "reports has no incident to use" in said
        assert "Choose a layer with at least one point" in said

    def test_filter_that_leaves_nothing(self, algorithm: str, refused: Any, town_layer: Any) -> None:
        assert "check the filter" in refused(algorithm, town_layer, FILTER="category = 'Arson'")

    def test_filter(self, algorithm: str, read: Any, town_layer: Any, town: list[Any]) -> None:
        thefts = sum(row[3] == "Theft" for row in town)
        assert read(algorithm, town_layer, FILTER="category = 'Theft'")["COUNT"] == thefts

    @pytest.mark.parametrize(
        ("expression", "why"), [("category = ", "syntax error"), ("kind = 'Theft'", "the layer has no field kind")]
    )
    def test_a_filter_that_cannot_be_read(
        self, algorithm: str, expression: str, why: str, refused: Any, town_layer: Any
    ) -> None:
        said = refused(algorithm, town_layer, FILTER=expression)
        assert f"FILTER is {expression}; it cannot be used: {why}" in said
        assert "Mend the expression" in said

    def test_one_feature(self, algorithm: str, read: Any, points: Any) -> None:
        ran = read(algorithm, points([(525_000, 5_040_000, NOON, "Theft")]))
        assert (ran["COUNT"], ran["REFUSED_COUNT"]) == (1, 0)
        assert "UTM zone 10N" in ran.log.text

    def test_all_at_one_place(self, algorithm: str, read: Any, points: Any) -> None:
        assert read(algorithm, points([(525_000, 5_040_000, NOON, "Theft")] * 50))["COUNT"] == 50

    def test_null_and_empty_geometry(self, algorithm: str, read: Any, points: Any, town: list[Any]) -> None:
        ran = read(algorithm, points([*town, (None, None, NOON, ""), ("Point EMPTY", 0, NOON, "")]))
        assert ran["COUNT"] == len(town)
        assert reasons(ran) == ["no geometry"] * 2
        assert f"2 of {len(town) + 2} features were refused: 2 × no geometry" in ran.log.text

    def test_nothing_but_null_geometry(self, algorithm: str, refused: Any, points: Any) -> None:
        assert "2 × no geometry" in refused(algorithm, points([(None, None, NOON, "")] * 2))

    def test_multipoints(self, algorithm: str, read: Any, points: Any) -> None:
        layer = points(
            [
                ("MultiPoint ((-122.6 45.5))", 0, NOON, ""),
                ("MultiPoint ((-122.6 45.5), (-122.7 45.6))", 0, NOON, ""),
                ("MultiPoint EMPTY", 0, NOON, ""),
            ],
            geometry="MultiPoint",
        )
        ran = read(algorithm, layer)
        assert ran["COUNT"] == 1
        assert sorted(reasons(ran)) == [
            "a multipoint with several places; run Multipart to singleparts first",
            "no geometry",
        ]

    @pytest.mark.parametrize("geometry", ["PointZ", "PointM", "PointZM", "MultiPointZ"])
    def test_heights_and_measures(self, algorithm: str, geometry: str, read: Any, points: Any) -> None:
        place = {"PointZ": "-122.6 45.5 3", "PointM": "-122.6 45.5 3", "PointZM": "-122.6 45.5 3 4"}
        wkt = "MultiPointZ ((-122.6 45.5 3))" if geometry == "MultiPointZ" else f"{geometry} ({place[geometry]})"
        assert read(algorithm, points([(wkt, 0, NOON, "")], geometry=geometry))["COUNT"] == 1

    def test_lines_are_no_incidents(self, algorithm: str, refused: Any, points: Any) -> None:
        layer = points([("LineString (-122.6 45.5, -122.7 45.6)", 0, NOON, "")], geometry="LineString")
        assert "1 × not a point" in refused(algorithm, layer)

    def test_no_crs(self, algorithm: str, refused: Any, points: Any, town: list[Any]) -> None:
        said = refused(algorithm, points(town, crs=""))
        assert "reports has no CRS" in said
        assert "Assign projection" in said

    def test_zero_zero(self, algorithm: str, read: Any, points: Any, town: list[Any]) -> None:
        ran = read(algorithm, points([*town, ("Point (0 0)", 0, NOON, "")]))
        assert (ran["COUNT"], reasons(ran)) == (len(town), ["coordinates (0, 0)"])

    def test_placeholders(self, algorithm: str, read: Any, points: Any, town: list[Any]) -> None:
        odd = ["-0.0000024 0.0000012", "-1 -1", "-122.6 0", "0 45.5"]
        ran = read(algorithm, points([*town, *[(f"Point ({place})", 0, NOON, "") for place in odd]]))
        assert ran["COUNT"] == len(town)
        assert sorted(reasons(ran)) == [
            "coordinates (-1, -1)",
            "coordinates next to (0, 0)",
            *["one coordinate is 0, far from the others"] * 2,
        ]
        assert "2 × one coordinate is 0, far from the others" in ran.log.text
        london = [(f"Point ({longitude} 51.5)", 0, NOON, "") for longitude in (-0.1, 0, 0.1)]
        assert read(algorithm, points(london))["COUNT"] == 3

    def test_a_few_swapped(self, algorithm: str, read: Any, points: Any, town: list[Any]) -> None:
        ran = read(algorithm, points([*town, *[("Point (45.5 -122.6)", 0, NOON, "")] * 3]))
        assert (ran["COUNT"], reasons(ran)) == (len(town), ["longitude and latitude look swapped"] * 3)

    @pytest.mark.parametrize(
        ("city", "place"),
        [("Portland", (45.5, -122.6)), ("Baltimore", (39.3, -76.6)), ("Ciudad de México", (19.4, -99.1))],
    )
    def test_all_swapped(
        self, algorithm: str, city: str, place: tuple[float, float], refused: Any, points: Any
    ) -> None:
        rows = [(place[0] + number / 1000, place[1] + number % 7 / 1000, NOON, "") for number in range(50)]
        said = refused(algorithm, points(rows, raw=True))
        assert "look swapped" in said
        assert "Swap X and Y coordinates" in said

    def test_swapped_metres(self, algorithm: str, read: Any, points: Any, town: list[Any]) -> None:
        ran = read(algorithm, points([*town, (5_040_000, 525_000, NOON, "")], crs="EPSG:32610", raw=True))
        assert (ran["COUNT"], reasons(ran)) == (len(town), ["more than 1,000 km from the other incidents"])

    def test_null_times(self, algorithm: str, read: Any, points: Any, town: list[Any]) -> None:
        for kind in ("datetime", "date", "text"):
            ran = read(algorithm, points([*town, (525_000, 5_040_000, None, "")], kind=kind))
            assert ran["COUNT"] == len(town)
            assert reasons(ran) == ["no time given"], kind

    def test_unparsable_and_future_times(self, algorithm: str, read: Any, points: Any, town: list[Any]) -> None:
        odd = ["not a date", "2023-02-30 10:00", "2095-01-01"]
        ran = read(algorithm, points([*town, *[(525_000, 5_040_000, text, "") for text in odd]], kind="text"))
        assert ran["COUNT"] == len(town)
        said = reasons(ran)
        for text, word in zip(odd, ("not a date", "2023-02-30", "future")):
            assert any(word in reason for reason in said), (text, said)

    def test_future_moments(self, algorithm: str, read: Any, points: Any, town: list[Any]) -> None:
        for kind in ("datetime", "date"):
            future = (525_000, 5_040_000, datetime.datetime(2999, 1, 1), "")
            ran = read(algorithm, points([*town, future], kind=kind))
            assert ran["COUNT"] == len(town)
            assert "future" in reasons(ran)[0]

    def test_mixed_formats(self, algorithm: str, read: Any, points: Any) -> None:
        texts = ["2024-01-05", "2024-01-05T12:30:00", "2024/01/06 7:05", "2024-01-07 12:30:00.250"]
        ran = read(algorithm, points([(525_000, 5_040_000, text, "") for text in texts], kind="text"))
        assert (ran["COUNT"], ran["REFUSED_COUNT"]) == (4, 0)

    def test_no_time_can_be_used(self, algorithm: str, refused: Any, points: Any) -> None:
        said = refused(algorithm, points([(525_000, 5_040_000, "soon", "")] * 3, kind="text"))
        assert "None of the 3 incidents can be used" in said
        assert "Check that the time field" in said

    def test_time_field_that_is_no_time(self, algorithm: str, refused: Any, points: Any) -> None:
        said = refused(algorithm, points([(525_000, 5_040_000, 2024, "")], kind="integer"))
        assert "TIME_FIELD: occurred is of type" in said
        assert "Choose a Date, DateTime or text field" in said

    def test_times_of_day_without_dates(self, algorithm: str, refused: Any, points: Any) -> None:
        said = refused(algorithm, points([(525_000, 5_040_000, NOON, "")], kind="time"))
        assert "TIME_FIELD: occurred holds times of day without their dates" in said
        assert 'to_datetime("DATE" || \' \' || "occurred")' in said

    def test_nothing_selected(self, algorithm: str, refused: Any, read: Any, points: Any, town: list[Any]) -> None:
        layer = points(town)
        chosen = QgsProcessingFeatureSourceDefinition(layer.id(), True)
        said = refused(algorithm, chosen)
        assert "INPUT: nothing is selected in the layer reports. Select features, or switch off" in said
        layer.selectByIds([feature.id() for feature in layer.getFeatures()][:7])
        assert read(algorithm, chosen)["COUNT"] == 7

    def test_missing_time_field(self, algorithm: str, refused: Any, town_layer: Any) -> None:
        said = refused(algorithm, town_layer, TIME_FIELD="date")
        assert "TIME_FIELD" in said
        assert "date" in said
        assert "occurred, category" in said

    def test_unusable_working_crs(self, algorithm: str, refused: Any, town_layer: Any) -> None:
        for crs in ("EPSG:4326", "EPSG:2913"):
            said = refused(algorithm, town_layer, CRS=crs)
            assert f"CRS: {crs} does not measure in metres" in said
            assert "leave it empty" in said

    @pytest.mark.parametrize("crs", ["EPSG:3857", "EPSG:3395", "ESRI:102100"])
    def test_mercator_is_no_working_crs(self, algorithm: str, crs: str, refused: Any, town_layer: Any) -> None:
        said = refused(algorithm, town_layer, CRS=crs)
        assert f"CRS: {crs} is a Mercator projection" in said
        assert "at 51° 200 of them are 125 m" in said
        assert "leave it empty for the UTM zone" in said

    def test_null_category(self, algorithm: str, read: Any, points: Any) -> None:
        layer = points([(525_000, 5_040_000, NOON, None), (525_100, 5_040_000, NOON, "Theft")])
        assert read(algorithm, layer, CATEGORY_FIELD="category")["COUNT"] == 2

    def test_not_a_layer(self, algorithm: str, refused: Any, tmp_path_factory: Any) -> None:
        file = tmp_path_factory.mktemp("foreign") / "no layer.gpkg"
        file.write_text("this is no layer")
        said = refused(algorithm, str(file))
        assert f"INPUT is {file}" in said
        assert "Choose a layer" in said


class TestPointsToScore:
    """The same for the points of Compute crime score layer."""

    def test_no_features(self, refusal: Any, points: Any, index_file: Path) -> None:
        said = refusal("crimescorelayer", INDEX=str(index_file), POINTS=points([]), OUTPUT="memory:")
        assert "reports has no point to score (no features)" in said

    def test_no_crs(self, refusal: Any, points: Any, town: Any, index_file: Path) -> None:
        said = refusal("crimescorelayer", INDEX=str(index_file), POINTS=points(town, crs=""), OUTPUT="memory:")
        assert "has no CRS" in said

    def test_whole_layer_swapped(self, refusal: Any, points: Any, index_file: Path) -> None:
        layer = points([("Point (45.5 -122.6)", 0, NOON, "")] * 30)
        assert "look swapped" in refusal("crimescorelayer", INDEX=str(index_file), POINTS=layer, OUTPUT="memory:")

    def test_odd_features_keep_their_row(self, run: Any, points: Any, town: Any, index_file: Path) -> None:
        odd = [
            (None, None, NOON, "null"),
            ("Point EMPTY", 0, NOON, "empty"),
            ("Point (0 0)", 0, NOON, "zero"),
            ("Point (45.5 -122.6)", 0, NOON, "swapped"),
        ]
        ran = run("crimescorelayer", INDEX=str(index_file), POINTS=points([*town, *odd]), OUTPUT="memory:")
        assert ran["COUNT"] == len(town)
        layer = ran["OUTPUT"]
        assert layer.featureCount() == len(town) + len(odd)
        unscored = {feature["category"] for feature in layer.getFeatures() if not isinstance(feature["score"], float)}
        assert unscored == {"null", "empty", "zero", "swapped"}
        for reason in ("2 × no geometry", "1 × coordinates (0, 0)", "1 × longitude and latitude look swapped"):
            assert reason in ran.log.text

    def test_one_point_all_at_one_place(self, run: Any, points: Any, tmp_path: Path) -> None:
        layer = points([(525_000, 5_040_000, NOON, "")] * 5)
        index = run("buildcrimeindex", INPUT=layer, TIME_FIELD="occurred", OUTPUT=str(tmp_path / "one.crimeindex"))
        near, far = (525_100, 5_040_000, NOON, ""), (525_300, 5_040_000, NOON, "")
        ran = run("crimescorelayer", INDEX=index["OUTPUT"], POINTS=points([near, far]), OUTPUT="memory:")
        found = [
            (feature["score_abs"], feature["score"], feature["percentile"]) for feature in ran["OUTPUT"].getFeatures()
        ]
        assert found == [(5, 1.0, 100.0), (0, 0.0, 0.0)]
        assert "the score has no scale" in ran.log.text
        grid = run("crimescorelayer", INDEX=index["OUTPUT"], SPACING=50, OUTPUT="memory:")
        assert grid["COUNT"] == 1

    @pytest.mark.parametrize("geometry", ["MultiPoint", "PointZ", "MultiPointZM"])
    def test_other_kinds_of_points(self, geometry: str, run: Any, points: Any, index_file: Path) -> None:
        wkt = {
            "MultiPoint": "MultiPoint ((-122.67 45.51))",
            "PointZ": "PointZ (-122.67 45.51 7)",
            "MultiPointZM": "MultiPointZM ((-122.67 45.51 7 8))",
        }
        layer = points([(wkt[geometry], 0, NOON, "")], geometry=geometry)
        ran = run("crimescorelayer", INDEX=str(index_file), POINTS=layer, OUTPUT="memory:")
        assert ran["OUTPUT"].featureCount() == ran["COUNT"] == 1
        assert ("Z" in geometry) == next(ran["OUTPUT"].getFeatures()).geometry().constGet().is3D()

    def test_every_part_of_a_multipoint_stays(self, run: Any, points: Any, index_file: Path) -> None:
        two = "MultiPoint ((-122.67 45.51), (-122.68 45.52))"
        one = "MultiPoint ((-122.67 45.51))"
        layer = points([(two, 0, NOON, ""), (one, 0, NOON, "")], geometry="MultiPoint")
        ran = run("crimescorelayer", INDEX=str(index_file), POINTS=layer, OUTPUT="memory:")
        several, single = ran["OUTPUT"].getFeatures()
        assert len(several.geometry().asMultiPoint()) == 2
        assert several["score"] is None or not several["score"]
        assert single["score"] is not None
        assert ran["COUNT"] == 1

    def test_its_own_fields_are_kept(self, run: Any, town_layer: Any, index_file: Path) -> None:
        once = run("crimescorelayer", INDEX=str(index_file), POINTS=town_layer, OUTPUT="memory:")
        twice = run("crimescorelayer", INDEX=str(index_file), POINTS=once["OUTPUT"], OUTPUT="memory:")
        names = [field.name() for field in twice["OUTPUT"].fields()]
        assert names[:2] == ["occurred", "category"]
        assert len(names) == len(set(names)) == 8

    def test_the_incidents_own_places_span_the_scale(self, run: Any, town_layer: Any, index_file: Path) -> None:
        ran = run("crimescorelayer", INDEX=str(index_file), POINTS=town_layer, OUTPUT="memory:")
        scores = [feature["score"] for feature in ran["OUTPUT"].getFeatures()]
        assert (min(scores), max(scores)) == (0.0, 1.0)
        assert ran["OUTPUT"].crs() == town_layer.crs()


def make_table(folder: Path) -> str:
    """A file of coordinates that nobody has made points of."""
    path = folder / "coordinates.csv"
    rows = "".join(f"2024-03-{day:02} 12:00:00,-122.6,45.5\n" for day in range(1, 9))
    path.write_text(f"occurred,longitude,latitude\n{rows}")
    return str(path)


@pytest.mark.parametrize(
    "algorithm",
    [*READERS, "selectstudyarea", "selectperiod", "crimescorelayer", "predictscore"],
)
def test_a_table_has_no_points_that_a_crs_would_place(
    algorithm: str, refusal: Any, index_file: Path, score_model_file: Path, tmp_path_factory: Any, tmp_path: Path
) -> None:
    table = make_table(tmp_path_factory.mktemp("foreign"))
    given: dict[str, Any] = {
        "crimescorelayer": {"POINTS": table, "INDEX": str(index_file)},
        "predictscore": {"INPUT": table, "INDEX": str(index_file), "MODEL": str(score_model_file)},
    }.get(algorithm, {"INPUT": table, "TIME_FIELD": "occurred"})
    output = "REPORT" if algorithm == "selectperiod" else "OUTPUT"
    ending = {"buildcrimeindex": "crimeindex", "rasterizehotspots": "tif", "selectperiod": "html"}
    said = refusal(algorithm, **given, **{output: str(tmp_path / f"out.{ending.get(algorithm, 'gpkg')}")})
    assert "The layer coordinates is a table without points" in said
    assert "Create points layer from table" in said
    assert "has no CRS" not in said
    assert not list(tmp_path.iterdir())


def test_a_table_is_no_study_area(
    refusal: Any, town_layer: Any, index_file: Path, tmp_path_factory: Any, tmp_path: Path
) -> None:
    table = make_table(tmp_path_factory.mktemp("foreign"))
    for algorithm, parameters in (
        ("rasterizehotspots", {"INPUT": town_layer, "TIME_FIELD": "occurred", "STUDY_AREA": table}),
        ("crimescorelayer", {"INDEX": str(index_file), "POLYGONS": table}),
    ):
        said = refusal(algorithm, **parameters, OUTPUT=str(tmp_path / "out.tif"))
        assert "The layer coordinates is a table without polygons. Choose a polygon layer" in said


def test_no_polygon_selected(refusal: Any, town_layer: Any, tmp_path: Path) -> None:
    area = QgsVectorLayer("Polygon?crs=EPSG:4326", "area", "memory")
    QgsProject.instance().addMapLayer(area, False)
    given = {"INPUT": town_layer, "TIME_FIELD": "occurred", "OUTPUT": str(tmp_path / "out.tif")}
    chosen = QgsProcessingFeatureSourceDefinition(area.id(), True)
    said = refusal("rasterizehotspots", **given, STUDY_AREA=chosen)
    assert "STUDY_AREA: nothing is selected in the layer area" in said


def test_study_area_without_polygons(
    refusal: Any, points: Any, town_layer: Any, index_file: Path, tmp_path: Path
) -> None:
    empty = QgsVectorLayer("Polygon?crs=EPSG:4326", "area", "memory")
    for algorithm, parameters in (
        ("rasterizehotspots", {"INPUT": town_layer, "TIME_FIELD": "occurred", "STUDY_AREA": empty}),
        ("crimescorelayer", {"INDEX": str(index_file), "POLYGONS": empty}),
    ):
        said = refusal(algorithm, **parameters, OUTPUT=str(tmp_path / "out.tif"))
        assert "area has no polygon" in said
