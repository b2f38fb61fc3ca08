"""Networks of hand-made streets, and of a small real one whose golden values QGIS and pyproj gave."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.contexts import Recorder
from kit.streets import ask_for, write_streets

from riskengine.ground.context import JobContext
from riskengine.ground.errors import DataError
from riskengine.streets.building import build_network
from riskengine.streets.graph import make_graph
from riskengine.streets.network import Network
from riskengine.streets.reading import read_streets

#: Near the middle of a UTM zone, where a metre of the map is .9996 of one on the ellipsoid.
X, Y = 500_000, 4_350_000
SCALE = 0.9996


def shift(text: str) -> str:
    places = (place.split() for place in text.split(","))
    return ", ".join(f"{X + float(x)} {Y + float(y)}" for x, y in places)


def build(
    folder: Path, lines: list[str], context: JobContext | None = None, fields: Any = None, **asked: Any
) -> Network:
    layer = write_streets(folder / "streets.gpkg", [shift(line) for line in lines], fields=fields)
    parameters, context = ask_for(layer, **asked), context or JobContext()
    return build_network(read_streets(parameters, context), parameters, context)


def find_node(network: Network, x: float, y: float) -> int:
    apart = np.hypot(network.x - X - x, network.y - Y - y)
    assert apart.min() < 1e-6
    return int(apart.argmin())


def measure(network: Network, start: tuple[float, float], end: tuple[float, float]) -> float:
    """Metres of the map of the shortest way between two nodes."""
    return float(make_graph(network).measure_from(find_node(network, *start))[find_node(network, *end)]) * SCALE


def test_lines_are_joined_at_any_vertex_they_share_and_nowhere_else(tmp_path: Path) -> None:
    network = build(tmp_path, ["0 0, 100 0, 200 0", "100 0, 100 100", "150 -50, 150 50"])
    assert (network.nodes, network.edges) == (6, 4)
    assert sorted(network.line.tolist()) == [0, 0, 1, 2]
    assert network.metres * SCALE == pytest.approx([100, 100, 100, 100], abs=1e-3)
    assert measure(network, (0, 0), (100, 100)) == pytest.approx(200, abs=1e-3)
    assert measure(network, (0, 0), (150, 50)) == np.inf


def test_an_edge_keeps_its_bends(tmp_path: Path) -> None:
    network = build(tmp_path, ["0 0, 30 40, 60 0, 90 0"])
    assert (network.nodes, network.edges) == (2, 1)
    assert float(network.metres[0]) * SCALE == pytest.approx(130, abs=1e-3)
    assert (network.trace(0) - [X, Y]).tolist() == [[0, 0], [30, 40], [60, 0], [90, 0]]


def test_a_line_that_meets_itself_can_be_left_there(tmp_path: Path) -> None:
    network = build(tmp_path, ["0 0, 100 0, 100 100, 50 50, 100 0, 200 0"])
    assert measure(network, (0, 0), (200, 0)) == pytest.approx(200, abs=1e-3)


def test_a_vertex_twice_in_a_row_is_one(tmp_path: Path) -> None:
    network = build(tmp_path, ["0 0, 50 0, 50 0, 100 0, 100 0"])
    assert network.edges == 1
    assert (network.trace(0) - [X, Y]).tolist() == [[0, 0], [50, 0], [100, 0]]


def test_a_tolerance_joins_ends_that_miss_a_street_and_says_how_many(tmp_path: Path) -> None:
    lines = ["0 0, 100 0", "100.4 0, 200 0", "50 0.3, 50 100"]
    apart = build(tmp_path, lines)
    assert make_graph(apart).measure_from(find_node(apart, 0, 0)).tolist().count(np.inf) == 4
    context = Recorder()
    joined = build(tmp_path, lines, context, tolerance=0.5)
    assert np.isfinite(make_graph(joined).measure_from(find_node(joined, 0, 0))).all()
    assert any("2 ends joined" in text for _, text in context.entries)


def test_crossings_are_not_joined_by_a_tolerance(tmp_path: Path) -> None:
    network = build(tmp_path, ["0 0, 100 0", "50 -50, 50 50"], tolerance=1)
    assert (network.nodes, network.edges) == (4, 2)


ONEWAY = {"oneway": ["yes", "-1", "no", "", "reversible"]}
STREETS = [f"0 {10 * row}, 100 {10 * row}" for row in range(5)]


def test_one_way_streets_bind_vehicles_and_walkers_only_where_asked(tmp_path: Path) -> None:
    foot = build(tmp_path, STREETS, fields=ONEWAY)
    assert foot.forward.all()
    assert foot.backward.all()
    for asked in ({"travel": "vehicle"}, {"oneway_on_foot": True}):
        bound = build(tmp_path, STREETS, fields=ONEWAY, **asked)
        assert bound.forward.tolist() == [True, False, True, True, True]
        assert bound.backward.tolist() == [False, True, True, True, True]
    assert measure(bound, (0, 0), (100, 0)) == pytest.approx(100, abs=1e-3)
    assert measure(bound, (100, 0), (0, 0)) == np.inf


def test_directions_are_read_as_the_user_says(tmp_path: Path) -> None:
    asked = {"travel": "vehicle", "value_forward": "Yes", "value_backward": "no", "default_direction": "backward"}
    network = build(tmp_path, STREETS, fields=ONEWAY, **asked)
    assert network.forward.tolist() == [True, False, False, False, False]
    assert network.backward.tolist() == [False, True, True, True, True]


def test_motorways_and_streets_closed_to_walkers_are_left_out_on_foot_alone(tmp_path: Path) -> None:
    fields = {"highway": ["motorway", "primary", "footway"], "foot": ["", "no", "designated"]}
    context = Recorder()
    foot = build(tmp_path, STREETS[:3], context, fields)
    assert foot.usable.tolist() == [False, False, True]
    assert any("1 of 3 lines left out, by highway: motorway" in text for _, text in context.entries)
    assert build(tmp_path, STREETS[:3], fields=fields, travel="vehicle").usable.all()


def test_no_street_to_walk_on_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No street may be used"):
        build(tmp_path, STREETS[:1], fields={"highway": ["motorway"]})


def test_speeds_and_lighting_are_read_from_their_fields(tmp_path: Path) -> None:
    fields = {"maxspeed": ["50", "30 mph", "none", "", "7,5 km/h"], "lit": ["yes", "no", "", "24/7", "perhaps"]}
    network = build(tmp_path, STREETS, fields=fields, travel="vehicle", speed=40)
    assert network.speed == pytest.approx([50, 48.28032, 40, 40, 7.5])
    assert network.lit.tolist() == [1, 0, -1, 1, -1]
    assert (build(tmp_path, STREETS, fields=fields).speed == 4.8).all()


def test_the_small_real_network_has_the_lengths_that_qgis_and_pyproj_gave(data_folder: Path) -> None:
    file = data_folder / "streets" / "tempe_small.gpkg"
    if not file.is_file():
        pytest.skip(f"no {file}")
    parameters = ask_for(f"{file}|layername=streets")
    streets = read_streets(parameters, JobContext())
    network = build_network(streets, parameters, JobContext())
    assert network.metres.sum() == pytest.approx(31_828.637, abs=1e-3)
    # QGIS makes a node of every vertex, and two arcs of every segment.
    assert len(np.unique(network.vertices.round(3), axis=0)) == 230
    assert 2 * (len(network.vertices) - network.edges) == 606
    corners = {
        "SW": (-111.839888, 33.408048),
        "NE": (-111.822800, 33.422448),
        "NW": (-111.839920, 33.422384),
        "SE": (-111.822896, 33.407840),
    }
    places = streets.to_metres(np.array([complex(*place) for place in corners.values()]))
    apart = np.abs((network.x + 1j * network.y)[None, :] - places[:, None])
    assert apart.min(1).max() < 1e-6
    nodes = dict(zip(corners, apart.argmin(1).tolist(), strict=True))
    graph = make_graph(network)
    golden = {("SW", "NE"): 3148.579, ("NW", "SE"): 3091.257, ("SW", "SE"): 1580.879, ("NW", "NE"): 1594.632}
    for (start, end), metres in golden.items():
        assert graph.measure_from(nodes[start])[nodes[end]] == pytest.approx(metres, abs=1e-3)
