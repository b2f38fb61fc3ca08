"""Pictures of windows: which incidents are in which, and that numpy draws what Matplotlib draws."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from kit.incidents import make_incidents
from matplotlib.image import imread
from numpy.typing import NDArray

from riskengine.contract.colours import list_picture_palette, read_colour
from riskengine.ground.errors import ParameterError
from riskengine.systems.warning.pictures.drawing import WindowDrawing, find_extent, fit_height
from riskengine.systems.warning.pictures.files import list_legend, number_colours
from riskengine.systems.warning.pictures.png import encode_png
from riskengine.systems.warning.pictures.style import PUBLISHED, choose_colours, list_shades_of, read_colours
from riskengine.systems.warning.pictures.windows import PictureWindows, list_picture_windows

ROOT = Path(__file__).resolve().parents[3]
RED, BLUE = (189, 61, 58), (63, 105, 170)
WHITE = (255, 255, 255)


@pytest.fixture(scope="module")
def benchmark() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        import warning_pictures

        yield warning_pictures


@pytest.fixture(scope="module")
def areas() -> NDArray[np.object_]:
    """Nine uneven blocks of about 2 km, one of them with a hole, and an island."""
    across, down = np.meshgrid(np.arange(4) * 2000.0, np.arange(4) * 2000.0)
    knots = np.stack([across, down], axis=-1) + np.random.default_rng(3).uniform(-300, 300, (4, 4, 2))
    blocks = [
        shapely.Polygon([knots[j, i], knots[j, i + 1], knots[j + 1, i + 1], knots[j + 1, i]])
        for j, i in itertools.product(range(3), repeat=2)
    ]
    middle = blocks[4].centroid
    return np.array([*blocks[:4], blocks[4] - middle.buffer(400), *blocks[5:], shapely.box(7500, 0, 8400, 1200)])


def scatter(number: int, areas: NDArray[np.object_]) -> tuple[NDArray[Any], ...]:
    """Points all over the areas, in nine colours, each with the area it lies in."""
    chance = np.random.default_rng(number)
    west, south, east, north = shapely.total_bounds(areas)
    x, y = chance.uniform(west, east, number), chance.uniform(south, north, number)
    colour = chance.integers(0, 255, (9, 3), dtype=np.uint8)[chance.integers(0, 9, number)]
    unit = np.full(number, -1)
    point, area = shapely.STRtree(areas).query(shapely.points(x, y), predicate="intersects")
    unit[point] = area
    return x, y, colour, unit


@pytest.mark.parametrize("number", [0, 2, 15, 60])
def test_pictures_are_those_of_matplotlib(benchmark: Any, areas: NDArray[np.object_], number: int) -> None:
    width = 175
    size = width, fit_height(find_extent(areas), width)
    drawing = WindowDrawing(PUBLISHED, areas, size)
    given = scatter(number, areas)
    theirs = benchmark.MatplotlibDrawing(drawing, areas).read(*given)
    ours = drawing.draw(*given)
    assert ours.shape == theirs.shape == (size[1], size[0], 3)
    assert benchmark.measure_difference(ours, theirs) <= 0.02
    # What is compared is no white sheet: dots and lines cover a part of it.
    assert (theirs < 200).any(axis=-1).mean() > 0.05


def test_a_dot_is_a_fifteenth_of_the_picture_and_lets_through_what_is_below() -> None:
    drawing = WindowDrawing(PUBLISHED, np.array([shapely.box(0, 0, 3000, 3000)]), (300, 300), (0, 0, 3000, 3000))
    picture = drawing.draw(np.array([1500.0]), np.array([1500.0]), np.array([RED], np.uint8), np.array([-1]))
    row = (picture[150, 20:280] != WHITE).any(axis=-1)
    assert row.sum() == 300 / 15
    assert picture[150, 150].tolist() == [round(255 + 0.7 * (part - 255)) for part in RED]


def test_later_rows_lie_on_earlier_ones_and_a_repeated_row_covers_more() -> None:
    drawing = WindowDrawing(PUBLISHED, np.array([shapely.box(0, 0, 3000, 3000)]), (150, 150))
    x = y = np.full(2, 1500.0)
    first, last, none = np.array([RED, BLUE], np.uint8), np.array([BLUE, RED], np.uint8), np.full(2, -1)
    blue, red = (drawing.draw(x, y, colours, none)[75, 75].astype(int) for colours in (first, last))
    assert blue[2] > blue[0]
    assert red[0] > red[2]
    once = drawing.draw(x[:1], y[:1], last[1:], none[:1])[75, 75]
    twice = drawing.draw(x, y, last[[1, 1]], none)[75, 75]
    assert (twice <= once).all()
    assert twice[1] < once[1]


def test_outlines_of_areas_with_an_incident_are_red_and_all_others_black() -> None:
    boxes = np.array([shapely.box(0, 0, 1000, 3000), shapely.box(2000, 0, 3000, 3000)])
    drawing = WindowDrawing(PUBLISHED, boxes, (175, 175), (-500, -500, 3500, 3500))
    picture = drawing.draw(np.array([300.0]), np.array([300.0]), np.array([BLUE], np.uint8), np.array([0]))
    west, east = drawing.find_outline(0), drawing.find_outline(1)
    assert west.max() > 0.8
    assert (west * east == 0).all()
    # As much red, or half as much black, as is covered of a pixel.
    red, black = (np.unravel_index(cover.argmax(), cover.shape) for cover in (west, east))
    assert picture[red].tolist() == pytest.approx([255, *[255 * (1 - west[red])] * 2], abs=12)
    assert picture[black].tolist() == pytest.approx([255 * (1 - east[black] / 2)] * 3, abs=1)
    # The same one drawn without incidents is untouched by what was drawn before.
    assert (drawing.draw(*(np.zeros(0),) * 2, np.zeros((0, 3), np.uint8), np.zeros(0, int)) == drawing.base).all()


def test_incidents_beside_the_picture_and_at_its_border_do_no_harm() -> None:
    box = np.array([shapely.box(0, 0, 3000, 3000)])
    drawing = WindowDrawing(PUBLISHED, box, (64, 80), (0, 0, 3000, 3000))
    far = np.array([-1e7, 3100.0, 1500.0, 1e9]), np.array([1500.0, 1500.0, -1e7, 1e9])
    assert (drawing.draw(*far, np.array([RED] * 4, np.uint8), np.full(4, -1)) == drawing.base).all()
    corner = drawing.draw(np.zeros(1), np.full(1, 3000.0), np.array([RED], np.uint8), np.full(1, -1))
    changed = (corner != drawing.base).any(axis=-1)
    assert changed[0, 0]
    assert changed[:4, :4].any()
    assert not changed[8:].any()
    assert not changed[:, 8:].any()


def test_a_stretched_picture_shows_the_same_map() -> None:
    box = np.array([shapely.box(0, 0, 2000, 2000)])
    drawing = WindowDrawing(PUBLISHED, box, (150, 75), (0, 0, 2000, 2000))
    dot = drawing.draw(np.full(1, 500.0), np.full(1, 1500.0), np.array([RED], np.uint8), np.full(1, -1))
    rows, columns = np.nonzero((dot != drawing.base).any(axis=-1))
    assert abs(np.ptp(columns) + 1 - 10) <= 1
    assert abs(np.ptp(rows) + 1 - 5) <= 1
    assert abs(columns.mean() - 37.5) <= 1
    assert abs(rows.mean() - 18.75) <= 1


def at(*times: str) -> Any:
    return make_incidents(np.arange(len(times)), np.zeros(len(times)), np.array(times, "datetime64[s]"))


#: A day's incidents: at the moment at which a published window ends, in the middle, and at its last minute.
TIMES = ("2014-01-01T02:01", "2014-01-01T00:01", "2014-01-01T04:00", "2014-01-01T23:30", "2014-01-02T00:01")


def rows_by_start(windows: PictureWindows) -> dict[str, list[int]]:
    return {str(start)[8:16]: rows.tolist() for start, rows in zip(windows.starts, windows, strict=True)}


def test_published_windows_hold_both_their_ends() -> None:
    windows = list_picture_windows(at(*TIMES), np.datetime64("2014-01-01"), np.datetime64("2014-01-03"))
    assert rows_by_start(windows) == {
        "01T00:01": [0, 1],
        "01T02:01": [0, 2],
        "01T22:01": [3, 4],
        "02T00:01": [4],
    }
    assert windows.twice == 2
    assert windows.empty == 24 - 4
    assert (windows.ends - windows.starts == np.timedelta64(2, "h")).all()
    assert windows.count(np.array([True, False, False, False, True])).tolist() == [1, 1, 1, 1]


def test_half_open_windows_hold_each_incident_once() -> None:
    windows = list_picture_windows(at(*TIMES), np.datetime64("2014-01-01"), np.datetime64("2014-01-03"), 2, False)
    assert rows_by_start(windows) == {
        "01T00:00": [1],
        "01T02:00": [0],
        "01T04:00": [2],
        "01T22:00": [3],
        "02T00:00": [4],
    }
    assert windows.twice == 0


def test_windows_follow_the_week_and_none_reaches_beyond_the_end() -> None:
    incidents = at("2014-01-06T08:00", "2014-01-07T08:00", "2014-01-08T05:00")
    windows = list_picture_windows(
        incidents, np.datetime64("2014-01-06"), np.datetime64("2014-01-08T12:00"), 24, False, begin=6
    )
    assert rows_by_start(windows) == {"06T06:00": [0], "07T06:00": [1, 2]}


def test_many_windows_are_drawn_some_at_a_time(areas: NDArray[np.object_]) -> None:
    x, y, colour, unit = scatter(200, areas)
    time = np.datetime64("2014-01-01T00:30", "s") + np.arange(200) * np.timedelta64(20, "m")
    windows = list_picture_windows(make_incidents(x, y, time), time[0], time[-1], 2, False)
    drawing = WindowDrawing(PUBLISHED, areas, (64, 64))
    dots = drawing.place(x, y, colour, unit)
    seen = [(numbers.tolist(), pictures.copy()) for numbers, pictures in drawing.draw_windows(dots, windows, chunk=7)]
    assert [each for numbers, _ in seen for each in numbers] == list(range(len(windows)))
    assert max(len(pictures) for _, pictures in seen) == 7
    drawn = np.concatenate([pictures for _, pictures in seen])
    for number, rows in enumerate(windows):
        assert (drawn[number] == drawing.draw(x[rows], y[rows], colour[rows], unit[rows])).all()
    even = np.arange(200) % 2 == 0
    (numbers, pictures), *_ = drawing.draw_windows(dots, windows, [9, 3], even)
    rows = windows.rows(3)[even[windows.rows(3)]]
    assert numbers.tolist() == [9, 3]
    assert (pictures[1] == drawing.draw(x[rows], y[rows], colour[rows], unit[rows])).all()


def test_colours_are_given_published_or_the_next_of_a_list() -> None:
    colours = choose_colours(["LARCENY", "Vandalism", "SHOOTING", "Murder", "Fraud"], ["Murder"], {"Fraud": "#010203"})
    assert colours["LARCENY"] == "#d5ae41"
    assert colours["Murder"] == colours["SHOOTING"] == "#bd3d3a"
    assert colours["Fraud"] == "#010203"
    assert colours["Vandalism"] not in {colours[name] for name in colours if name != "Vandalism"}
    assert read_colours([" A=B = #BD3D3A "]) == {"A=B": "#bd3d3a"}
    with pytest.raises(ParameterError, match=r"red.*SHOOTING=#BD3D3A"):
        read_colours(["SHOOTING=red"])
    shades = list_shades_of(["LARCENY"], colours)
    assert shades[0].tolist() == [0xD5, 0xAE, 0x41]
    assert len(set(shades[-1].tolist())) == 1


def test_a_png_file_holds_the_picture() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (30, 41, 3), dtype=np.uint8)
    read = imread(io.BytesIO(encode_png(picture)), format="png")
    assert (np.round(read[..., :3] * 255).astype(np.uint8) == picture).all()


def test_a_stack_has_the_nearest_colours() -> None:
    palette = np.array([read_colour(shade) for shade in list_picture_palette()])
    assert len(palette) == 255
    sheet = np.array([[WHITE, (0, 0, 0), (255, 0, 0), (127, 127, 127), RED, BLUE]], np.uint8)
    shown = palette[number_colours(sheet)]
    assert shown[0, :3].tolist() == sheet[0, :3].tolist()
    assert (np.abs(shown - sheet.astype(int)) <= 26).all()
    assert (np.abs(shown[0, 3] - 127) <= 4).all()
    legend = dict(list_legend({"SHOOTING": "#bd3d3a", "HOMICIDE": "#bd3d3a", "LARCENY": "#d5ae41"}, PUBLISHED))
    assert {"SHOOTING, HOMICIDE", "LARCENY", "outline of an area"} <= set(legend.values())


def test_baltimore_has_the_published_shape_and_looks_as_matplotlib_draws_it(benchmark: Any, data_folder: Path) -> None:
    incidents, unit, areas = benchmark.read_baltimore(data_folder)
    windows = list_picture_windows(incidents, benchmark.FIRST)
    target = np.isin(incidents.category, [incidents.categories.index(name) for name in benchmark.TARGETS])
    # Two hours each until 2016-09-17; 1,661 of those with any crime have a homicide or shooting.
    assert (len(windows), windows.empty) == (11_823, 69)
    assert (windows.count(target) > 0).sum() == 1_661
    assert fit_height(find_extent(areas.geometries), 175) == 217
    drawing = WindowDrawing(PUBLISHED, areas.geometries, (175, 217))
    colours = choose_colours(incidents.categories, benchmark.TARGETS)
    shades = list_shades_of(incidents.categories, colours)[incidents.category]
    theirs = benchmark.MatplotlibDrawing(drawing, areas.geometries)
    for number in (5, 4000, int(np.argmax(windows.sizes))):
        rows = windows.rows(number)
        given = [each[rows] for each in (incidents.x, incidents.y, shades, unit)]
        assert benchmark.measure_difference(drawing.draw(*given), theirs.read(*given)) <= 0.02
