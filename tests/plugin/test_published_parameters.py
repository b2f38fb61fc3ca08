"""What models, scripts and project files name stays valid: ids, parameters, options in their order, outputs."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CONTRACTS = Path(__file__).resolve().parents[1] / "contracts"
#: Where what is only read by people was changed on purpose: names, groups and labels.
REWORDED: dict[tuple[str, ...], tuple[Any, Any]] = {
    # One cell of a few is more than 5 % of the area.
    (algorithm, "outputs", name, "description"): (f"{title} at 5 % of the area", f"{title} at 5 % of the area, {more}")
    for algorithm in ("crimerisk:backtestforecast", "crimerisk:evaluaterisk")
    for name, title in (("HIT_RATE", "Hit rate"), ("PRECISION", "Precision"), ("PAI", "PAI"), ("PEI", "PEI"))
    for more in ("at least one cell",)
} | {
    # It need not be a CSV any more.
    ("crimerisk:importincidents", "parameters", "INPUT", "description"): ("CSV file", "File, folder or archive"),
    # A map is one of a stack's bins, for people.
    ("crimerisk:convlstmprediction", "parameters", "STEPS", "description"): ("Bins to forecast", "Maps to forecast"),
    ("crimerisk:forecastrisk", "parameters", "STEPS", "description"): ("Bins to forecast", "Maps to forecast"),
    # It may be a layer of areas.
    **{
        (f"crimerisk:{tool}", "parameters", "INPUT", "description"): (
            "Hotspot grids",
            "Hotspot grids or counts by area",
        )
        for tool in ("backtestforecast", "forecastrisk", "trainforecastmodel")
    },
    **{
        (f"crimerisk:{tool}", "parameters", "INPUT", "description"): ("Risk raster", "Risk, raster or areas")
        for tool in ("classifyrisk", "evaluaterisk")
    },
    ("crimerisk:evaluaterisk", "parameters", "GRIDS", "description"): (
        "Hotspot grids of what happened",
        "Hotspot grids or counts by area, of what happened",
    ),
}
#: What takes a layer of areas beside the raster that it took: whatever was written down for it is still taken.
WIDENED: dict[tuple[str, ...], tuple[Any, Any]] = {
    (f"crimerisk:{tool}", "parameters", name, "type"): ("raster", "layer")
    for tool, name in (
        ("trainforecastmodel", "INPUT"),
        ("forecastrisk", "INPUT"),
        ("backtestforecast", "INPUT"),
        ("classifyrisk", "INPUT"),
        ("classifyrisk", "REFERENCE"),
        ("evaluaterisk", "INPUT"),
        ("evaluaterisk", "GRIDS"),
    )
}
WORDS = {"name", "group", "description"}
#: Nothing of this kind can be settled: whatever was written down with it would not run any more, or do another thing.
NEVER = {"type", "destination"}


def contracts() -> Any:
    """The module that makes and reads the snapshots; a folder of tests is no package."""
    spec = importlib.util.spec_from_file_location("published_contracts", CONTRACTS / "snapshot.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def published() -> dict[str, Any]:
    return contracts().read("algorithms")


@pytest.fixture(scope="module")
def today(plugin: Any) -> dict[str, Any]:
    return contracts().algorithms()


def parts(found: dict[str, Any]) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    for algorithm, one in found.items():
        for kind in ("parameters", "outputs"):
            for name, part in one[kind].items():
                yield algorithm, kind, name, part


def with_options_by_number(found: dict[str, Any]) -> dict[str, Any]:
    """An option is written down by its number, so each is compared at its place; further ones may follow."""
    for _, _, _, part in parts(found):
        if isinstance(part.get("options"), list):
            part["options"] = {str(number): text for number, text in enumerate(part["options"])}
    return found


@pytest.fixture(scope="module")
def changes(published: dict[str, Any], today: dict[str, Any]) -> dict[tuple[str, ...], tuple[Any, Any]]:
    before, now = with_options_by_number(published), with_options_by_number(today)
    return {place: (old, new) for place, old, new in contracts().differences(before, now)}


def test_there_is_something_to_check(published: dict[str, Any]) -> None:
    assert len(published) >= 20
    assert sum(1 for _ in parts(published)) > 350


def test_everything_published_is_still_there(published: dict[str, Any], today: dict[str, Any]) -> None:
    assert not set(published) - set(today)
    wanted = [(algorithm, kind, name) for algorithm, kind, name, _ in parts(published)]
    assert not [(algorithm, kind, name) for algorithm, kind, name in wanted if name not in today[algorithm][kind]]


def test_types_and_options_stay(changes: dict[tuple[str, ...], tuple[Any, Any]]) -> None:
    never = {place: each for place, each in changes.items() if place[-1] in NEVER}
    assert never == WIDENED
    lost = {place: each for place, each in changes.items() if "options" in place and each[1] is None}
    assert not lost


def test_what_was_published_changes_only_where_it_is_settled(
    changes: dict[tuple[str, ...], tuple[Any, Any]],
) -> None:
    settled = contracts().settled("algorithms") | WIDENED
    assert {place: each for place, each in changes.items() if place[-1] not in WORDS} == settled
    assert {place: each for place, each in changes.items() if place[-1] in WORDS} == REWORDED


def test_nothing_new_must_be_given(published: dict[str, Any], today: dict[str, Any]) -> None:
    """A call that was whole before is whole today."""
    needed = [
        (algorithm, name)
        for algorithm, kind, name, part in parts(today)
        if kind == "parameters" and algorithm in published and name not in published[algorithm][kind]
        if not part["optional"] and part["default"] is None
    ]
    assert not needed
