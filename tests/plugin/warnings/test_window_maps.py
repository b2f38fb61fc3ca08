"""Draw window maps in QGIS: a folder that comes whole, labels, a stack that plays, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kit.algorithms import Log, run_script
from kit.layers import EAST, METRES, NORTH
from qgis.core import Qgis, QgsFeature, QgsGeometry, QgsLayerTreeLayer, QgsRasterLayer, QgsRectangle, QgsVectorLayer
from qgis.PyQt.QtGui import QImage

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def quarters() -> QgsVectorLayer:
    """The town's west and east, in metres."""
    layer = QgsVectorLayer(f"Polygon?crs={METRES}&field=name:string", "quarters", "memory")
    for name, west in (("West", 0), ("East", 1400)):
        feature = QgsFeature(layer.fields())
        feature.setAttributes([name])
        box = QgsRectangle(EAST + west, NORTH, EAST + west + 1400, NORTH + 3000)
        feature.setGeometry(QgsGeometry.fromRect(box))
        layer.dataProvider().addFeature(feature)
    return layer


@pytest.fixture
def given(town_layer: QgsVectorLayer, quarters: QgsVectorLayer, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """`given(PARAMETER=…)`: the town's incidents of twelve hours each."""

    def make(**more: Any) -> dict[str, Any]:
        usual = {
            "INPUT": town_layer,
            "TIME_FIELD": "occurred",
            "CATEGORY_FIELD": "category",
            "AREAS": quarters,
            "AREA_ID": "name",
            "TARGETS": "Theft",
            "WINDOW": 12,
            "STYLE": 1,
            "WIDTH": 80,
            "PICTURES": str(tmp_path / "maps"),
        }
        return {**usual, **more}

    return make


def list_names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def test_pictures_labels_and_a_stack_of_the_town(run: Any, given: Any, tmp_path: Path) -> None:
    labels, stack = tmp_path / "labels.gpkg", tmp_path / "stack.tif"
    ran = run("windowmaps", **given(LABELS=str(labels), STACK=str(stack)))
    names = list_names(tmp_path / "maps")
    table = ran.layer("LABELS")
    rows = [dict(zip(each.fields().names(), each.attributes(), strict=True)) for each in table.getFeatures()]
    assert ran["PICTURES"] == str(tmp_path / "maps")
    assert names == sorted(["windows.csv", *(row["file"] for row in rows)])
    assert len(rows) == ran["WINDOWS"] == 80 - ran["EMPTY"] > 70
    assert sum(row["incidents"] for row in rows) == ran["COUNT"] == 300 - ran["REFUSED_COUNT"]
    assert sum(row["label"] for row in rows) == ran["WITH_TARGET"] < ran["WINDOWS"]
    assert {row["label"] for row in rows if row["target_events"]} == {1}
    # A theft is every fourth incident.
    assert sum(row["target_events"] for row in rows) == pytest.approx(75, abs=5)
    picture = QImage(str(tmp_path / "maps" / names[0]))
    assert (picture.width(), picture.height()) == (80, ran["HEIGHT_USED"])
    assert ran["HEIGHT_USED"] == round(80 * 3000 / 2800)
    assert "Theft=#bd3d3a" in ran["COLOURS_USED"]
    assert f"{len(rows)} pictures and windows.csv in {tmp_path / 'maps'}." in ran.log.text
    assert table.attributeDisplayName(table.fields().lookupField("target_events")) == "Events of the targets"
    layer = ran.layer("STACK")
    assert layer.bandCount() == len(rows)
    assert layer.crs().authid() == METRES
    assert layer.extent().contains(QgsRectangle(EAST, NORTH, EAST + 2800, NORTH + 3000))
    ranges = layer.temporalProperties().fixedRangePerBand()
    assert layer.temporalProperties().mode() == Qgis.RasterTemporalMode.FixedRangePerBand
    assert ranges[1].begin().toString("yyyy-MM-dd HH:mm") == f"{rows[0]['start'].toString('yyyy-MM-dd HH:mm')}"
    assert "warn of nothing" in layer.metadata().abstract()


def test_files_are_drawn_in_a_qgis_without_a_window(tmp_path: Path) -> None:
    line = '{{"type": "Feature", "properties": {}, "geometry": {{"type": "{}", "coordinates": {}}}}}'

    def write(name: str, features: list[str]) -> None:
        text = f'{{"type": "FeatureCollection", "features": [{", ".join(features)}]}}'
        (tmp_path / name).write_text(text, encoding="utf-8")

    ring = [[-76.6, 39.3], [-76.5, 39.3], [-76.5, 39.4], [-76.6, 39.4], [-76.6, 39.3]]
    write("areas.geojson", [line.format('{"name": "City"}', "Polygon", [ring])])
    thefts = [
        line.format(f'{{"at": "2020-02-{day:02} 14:{day:02}", "what": "Theft"}}', "Point", [-76.55, 39.3 + day / 300])
        for day in range(1, 29)
    ]
    write("thefts.geojson", thefts)
    (tmp_path / "crime_risk").symlink_to(ROOT)
    result = run_script(
        """
folder = sys.argv[1]
result = processing.run("crimerisk:windowmaps", {
    "INPUT": folder + "/thefts.geojson", "TIME_FIELD": "at", "CATEGORY_FIELD": "what",
    "AREAS": folder + "/areas.geojson", "TARGETS": "Theft", "WINDOW": 24,
    "PICTURES": folder + "/maps", "STACK": folder + "/stack.tif", "LABELS": folder + "/labels.csv",
})
""",
        tmp_path,
    )
    assert result["WINDOWS"] == result["WITH_TARGET"] == result["COUNT"] == 28
    assert len(list_names(tmp_path / "maps")) == 29
    assert len((tmp_path / "labels.csv").read_text(encoding="utf-8").splitlines()) == 29
    assert QgsRasterLayer(str(tmp_path / "stack.tif")).bandCount() == 28


def test_the_legend_of_a_stack_names_categories_and_hides_the_shades_between(
    run: Any, given: Any, tmp_path: Path
) -> None:
    from crime_risk.bridge.legends import name_map

    ran = run("windowmaps", **given(PICTURES=None, STACK=str(tmp_path / "stack.tif")))
    layer = ran.layer("STACK")
    assert isinstance(layer, QgsRasterLayer)
    named = [each.label for each in layer.renderer().classes() if each.label]
    assert named == ["Burglary", "Theft", "outline of an area with an incident", "outline of an area"]
    node = QgsLayerTreeLayer(layer)
    assert name_map(node, None)
    shown = layer.legend().createLayerTreeModelLegendNodes(node)
    order = node.customProperty("legend/node-order").split(",")
    assert len(shown) > 200
    assert [shown[int(each)].data(0) for each in order[1:]] == named


def test_a_folder_of_an_earlier_run_is_replaced_and_any_other_is_left_alone(
    run: Any, refusal: Any, given: Any, tmp_path: Path
) -> None:
    run("windowmaps", **given())
    half = list_names(tmp_path / "maps")
    (tmp_path / "maps" / f"{half[0]}.aux.xml").write_text("looked at")
    run("windowmaps", **given(WINDOW=24))
    days = list_names(tmp_path / "maps")
    assert len(days) == 41
    (tmp_path / "maps" / "notes.txt").write_text("mine")
    said = refusal("windowmaps", **given())
    assert f"PICTURES is {tmp_path / 'maps'}, which holds other files: notes.txt. Choose a new or empty folder." in said
    assert list_names(tmp_path / "maps") == sorted([*days, "notes.txt"])
    assert list_names(tmp_path) == ["maps"]


def test_a_cancel_at_any_picture_leaves_what_was_there(given: Any, run: Any, tmp_path: Path) -> None:
    run("windowmaps", **given(WINDOW=24))
    before = list_names(tmp_path / "maps")
    log = Log(cancel_at=40)
    with pytest.raises(Exception, match="ancel"):
        run("windowmaps", log, **given(WINDOW=1, STACK=str(tmp_path / "stack.tif")))
    assert log.highest < 95
    assert list_names(tmp_path / "maps") == before
    assert list_names(tmp_path) == ["maps"]


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"PICTURES": None}, "nothing would be written"),
        ({"TARGETS": " "}, "TARGETS"),
        ({"WINDOW": 5}, "WINDOW is 5, which is no part of a day and no number of whole days."),
        ({"COLOURS": "Theft: red"}, "COLOURS has Theft: red, which is no category with a colour."),
        ({"CATEGORY_FIELD": ""}, "CATEGORY_FIELD is empty."),
        ({"TARGETS": "Thefts"}, "No incident has category Thefts. Perhaps Theft is meant."),
        ({"WIDTH": 4}, "WIDTH"),
    ],
)
def test_what_is_refused(refusal: Any, given: Any, tmp_path: Path, parameters: Any, sentence: str) -> None:
    assert sentence in refusal("windowmaps", **given(**parameters))
    assert not (tmp_path / "maps").exists()
