"""Places become pairs: points, a point with a layer, two layers with a field."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.contexts import Recorder
from kit.streets import ask_for

from riskengine.ground.errors import DataError, ParameterError
from riskengine.ground.tables import Chunk, write_table
from riskengine.systems.routes import pairing
from riskengine.systems.routes.pairing import read_pairs
from riskengine.systems.routes.results import PairOfPlaces, Ways

CRS = "EPSG:32618"
START = (500_000.0, 4_350_000.0)


def write_places(path: Path, places: Sequence[tuple[float, float] | None], names: Sequence[str | None]) -> str:
    x, y = np.array([(np.nan, np.nan) if at is None else np.add(START, at) for at in places]).T
    write_table(path, {"who": "text"}, [Chunk([list(names)], x, y)], "point", CRS, "output")
    return str(path)


def pair_up(context: Recorder | None = None, **given: Any) -> tuple[list[PairOfPlaces], list[Ways]]:
    return read_pairs(ask_for("none", **given), CRS, context or Recorder())


def move(at: tuple[float, float]) -> tuple[int, int]:
    return round(at[0] - START[0]), round(at[1] - START[1])


def list_pairs(pairs: Sequence[PairOfPlaces]) -> list[tuple[str, tuple[int, int], tuple[int, int]]]:
    return [(pair.name, move(pair.start), move(pair.end)) for pair in pairs]


def test_two_points_are_brought_to_metres() -> None:
    # On the zone's middle meridian x is 500 km.
    pairs, lonely = pair_up(start=[-75.0, 39.0], end=[-75.0, 39.1])
    assert [pair.name for pair in pairs] == ["1"]
    assert pairs[0].start[0] == pytest.approx(500_000, abs=0.01)
    # A tenth of a degree of latitude at 39° is 11,101 m; the zone's scale is .9996.
    assert pairs[0].end[1] - pairs[0].start[1] == pytest.approx(11_101 * 0.9996, abs=2)
    assert lonely == []


def test_a_point_goes_with_each_place_of_a_layer(tmp_path: Path) -> None:
    ends = write_places(tmp_path / "ends.gpkg", [(10, 0), (0, 20)], ["b", None])
    pairs, _ = pair_up(start=[-75.0, 39.0], ends=ends, ends_field="who")
    assert [(pair.name, move(pair.end)) for pair in pairs] == [("b", (10, 0)), ("1", (0, 20))]
    pairs, _ = pair_up(start=[-75.0, 39.0], ends=ends)
    assert [pair.name for pair in pairs] == ["1", "2"]


def test_layers_are_paired_by_their_values_and_the_rest_is_told(tmp_path: Path) -> None:
    starts = write_places(tmp_path / "starts.gpkg", [(0, 0), (1, 0), (2, 0)], ["a", "b", None])
    ends = write_places(tmp_path / "ends.gpkg", [(0, 9), (1, 9)], ["c", "a"])
    context = Recorder()
    pairs, lonely = pair_up(context, starts=starts, starts_field="who", ends=ends, ends_field="WHO")
    assert list_pairs(pairs) == [("a", (0, 0), (1, 9))]
    assert [(each.pair.name, each.reason) for each in lonely] == [
        ("b", "No end has this value"),
        ("", "No end has this value"),
        ("c", "No start has this value"),
    ]
    assert any("3 places are without a partner" in text for _, text in context.entries)


def test_several_places_of_one_value_are_numbered(tmp_path: Path) -> None:
    starts = write_places(tmp_path / "starts.gpkg", [(0, 0), (1, 0)], ["a", "a"])
    ends = write_places(tmp_path / "ends.gpkg", [(0, 9)], ["a"])
    pairs, _ = pair_up(starts=starts, starts_field="who", ends=ends, ends_field="who")
    assert list_pairs(pairs) == [("a (1)", (0, 0), (0, 9)), ("a (2)", (1, 0), (0, 9))]


def test_rows_without_a_place_are_left_out_and_told(tmp_path: Path) -> None:
    ends = write_places(tmp_path / "ends.gpkg", [None, (0, 20)], ["a", "b"])
    context = Recorder()
    pairs, _ = pair_up(context, start=[-75.0, 39.0], ends=ends, ends_field="who")
    assert [pair.name for pair in pairs] == ["b"]
    assert any("1 row of the layer of ends without a place, left out" in text for _, text in context.entries)


def test_what_cannot_be_paired_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    starts = write_places(tmp_path / "starts.gpkg", [(0, 0), (1, 0)], ["a", "b"])
    ends = write_places(tmp_path / "ends.gpkg", [(0, 9)], ["c"])
    with pytest.raises(DataError, match="No start has an end with the same value"):
        pair_up(starts=starts, starts_field="who", ends=ends, ends_field="who")
    with pytest.raises(ParameterError, match="The layer of starts has no field"):
        pair_up(starts=starts, starts_field="whom", ends=ends, ends_field="who")
    with pytest.raises(ParameterError, match="which is no place"):
        pair_up(start=[39.0], ends=ends)
    monkeypatch.setattr(pairing, "MOST_PAIRS", 1)
    with pytest.raises(DataError, match="There are more than 1 pairs"):
        pair_up(starts=starts, end=[-75.0, 39.0])
