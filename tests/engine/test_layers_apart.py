"""Who may import whom, as docs/architecture.md says, and what must not grow; read from the source, never imported."""

from __future__ import annotations

import re

import pytest
from kit import house

ROOMS = sorted({house.room_of(name) for name in house.list_modules()})
QGIS_SIDE = ("bridge", "algorithms", "ui", "plugin", "")
#: Modules that may be imported while QGIS loads the plugin; numpy, which QGIS ships, only when it is needed.
AT_LOAD, LATER = {"qgis"}, {"qgis", "numpy", "processing", "osgeo"}


def test_there_is_something_to_check() -> None:
    layers, rooms = house.read_tables()
    assert {"riskengine", "bridge", "algorithms", "ui", "plugin.py", "__init__.py"} == set(layers)
    assert len(rooms) > 10
    assert len(house.list_modules()) > 150
    assert len([each for each in house.list_imports() if each.ours]) > 300


def test_every_room_stands_in_the_table() -> None:
    assert house.list_unnamed_rooms() == []


@pytest.mark.parametrize("room", ROOMS)
def test_who_may_import_whom(room: str) -> None:
    assert house.list_breaks().get(room, []) == []


def test_no_circles_of_imports() -> None:
    assert [" → ".join(way) for way in house.list_circles()] == []


def test_ours_is_imported_with_dots() -> None:
    """The package's folder may have any name."""
    ours = {*house.LAYERS, "plugin", "crime_risk"}
    named = [each for each in house.list_imports() if not each.relative and each.target.split(".")[0] in ours]
    assert named == []


def test_the_engine_knows_neither_qgis_nor_qt() -> None:
    foreign = house.list_foreign_imports("riskengine")
    assert len(foreign) > 100
    barred = {"qgis", "PyQt5", "PyQt6", "osgeo", "processing"}
    assert [str(each) for each in foreign if each.target.split(".")[0] in barred] == []


def test_the_contract_needs_the_standard_library_only() -> None:
    """QGIS loads riskengine/__init__.py with it."""
    assert [str(each) for each in house.list_foreign_imports("riskengine.contract")] == []
    assert [str(each) for each in house.list_imports() if each.module == "riskengine"] == []


@pytest.mark.parametrize("layer", QGIS_SIDE)
def test_the_qgis_side_imports_nothing_heavy(layer: str) -> None:
    assert any(f"{each.module}.".startswith(f"{layer}.") for each in house.list_imports())
    foreign = [each for each in house.list_foreign_imports(layer) if each.when != "types"]
    # A dialog of a tool is Processing's, with more in it; it is loaded when it is opened.
    allowed = {"load": AT_LOAD | ({"processing"} if layer == "ui" else set()), "call": LATER}
    assert [str(each) for each in foreign if each.target.split(".")[0] not in allowed[each.when]] == []


@pytest.mark.parametrize(
    "name", ["environment", "engine_state", "engine_process", "client", "processes", "pip_runner", "base_python"]
)
def test_what_runs_without_qgis(name: str) -> None:
    """The set-up and the client serve scripts and servers too."""
    assert f"bridge.{name}" in house.list_modules()
    foreign = house.list_foreign_imports("bridge")
    assert [str(each) for each in foreign if each.module == f"bridge.{name}" and each.when == "load"] == []


def test_no_code_hidden_in_files() -> None:
    """Artefacts load without running code: nothing unpickles."""
    for name, path in house.list_modules().items():
        if name.split(".")[0] == "riskengine":
            text = (house.ROOT / path).read_text(encoding="utf-8")
            assert "import pickle" not in text, path
            assert "allow_pickle=True" not in text, path
            assert "torch." + "load(" not in text, path


def test_nothing_has_grown_too_large() -> None:
    assert house.list_long_files() == []
    assert house.list_crowded_rooms() == []
    loose = house.list_loose_modules()
    assert len(loose) <= house.LOOSE_MODULES, loose


def test_no_module_only_forwards() -> None:
    assert house.list_forwarders() == []


def test_tags_of_files_are_named_in_one_place() -> None:
    own = house.ROOT / "riskengine" / "contract" / "tags.py"
    names = set(re.findall(r'"(CRIMERISK_[A-Z_]+)"', own.read_text(encoding="utf-8")))
    assert len(names) > 20
    for folder in ("riskengine", "bridge", "algorithms", "ui"):
        for path in (house.ROOT / folder).rglob("*.py"):
            if path != own:
                held = {name for name in names if f'"{name}"' in path.read_text(encoding="utf-8")}
                assert not held, f"{path} names {held} itself"
