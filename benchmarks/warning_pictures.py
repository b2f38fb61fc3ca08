"""Window maps drawn with numpy against one Matplotlib figure a window: how fast, and how many pixels differ.

Baltimore from 2014, windows as published. Both sides draw the same incidents on the same outlines into arrays, and once
more into PNG files. The outlines of the Matplotlib side are made once, which the published code did for each window.
`measure_pictures` is a part of `benchmarks/warning.py`; by itself it prints one JSON object:
PYTHONPATH=. python benchmarks/warning_pictures.py [--data FOLDER] [--windows NUMBER]
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely
from areas_data import make_projected, project, read_shapes
from common import make_parser, require_data, round_floats, say
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline
from numpy.typing import NDArray
from PIL import Image

from riskengine.ground.context import JobContext
from riskengine.intake.incidents import Incidents
from riskengine.maps.areas import Areas
from riskengine.maps.assigning import assign_by_place
from riskengine.systems.warning.pictures.drawing import Dots, WindowDrawing, fit_height
from riskengine.systems.warning.pictures.png import encode_png
from riskengine.systems.warning.pictures.style import (
    FIRST_SIZE,
    PUBLISHED,
    PUBLISHED_SIZE,
    SECOND_SIZE,
    choose_colours,
    list_shades_of,
)
from riskengine.systems.warning.pictures.windows import PictureWindows, list_picture_windows

#: The published pictures begin with this day.
FIRST = np.datetime64("2014-01-01")
TARGETS = ("HOMICIDE", "SHOOTING")
#: A pixel differs where one of its colours does by more than this, of 255.
DIFFERS = 32
SIZES = {"published": PUBLISHED_SIZE, "first": FIRST_SIZE, "second": SECOND_SIZE, "small": (64, 64)}


class MatplotlibDrawing:
    """The same pictures as a `WindowDrawing` draws, each a figure of Matplotlib's, in which a point is a pixel.

    A picture that is stretched is drawn in the shape of its map, finer than wanted, and brought to its size: along red
    lines it then differs more, since fine red points cover the black ones below wholly.
    """

    def __init__(self, drawing: WindowDrawing, areas: NDArray[np.object_]) -> None:
        self._drawing = drawing
        self._patches = [PathPatch(_make_path(each)) for each in areas]
        self._height = fit_height(drawing.extent, drawing.size[0])
        self._finer = 1 if self._height == drawing.size[1] else 4

    def draw(self, x: NDArray[Any], y: NDArray[Any], colour: NDArray[np.uint8], unit: NDArray[np.int64]) -> Figure:
        """Draw a figure as the published code does: outlines, dots, and outlines again for each incident in an area."""
        style, width = self._drawing.style, self._drawing.size[0]
        west, south, east, north = self._drawing.extent
        figure = Figure(figsize=(width / 72, self._height / 72), dpi=72 * self._finer)
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set(xlim=(west, east), ylim=(south, north))
        line, dot = style.line * width, style.dot * width
        drawn: dict[str, Any] = {"facecolor": "none", "linewidth": line}
        axes.add_collection(
            PatchCollection(self._patches, edgecolor=_share(style.line_colour), alpha=style.line_alpha, **drawn),
            autolim=False,
        )
        edge = style.edge * dot
        axes.scatter(x, y, s=(dot - edge) ** 2, c=colour / 255, alpha=style.dot_alpha, linewidths=edge)
        hit = [self._patches[number] for number in unit.tolist() if number >= 0]
        if hit:
            axes.add_collection(PatchCollection(hit, edgecolor=_share(style.hit_colour), **drawn), autolim=False)
        return figure

    def read(self, *given: NDArray[Any]) -> NDArray[np.uint8]:
        """Draw a figure and read its picture, shape (H, W, 3)."""
        figure = self.draw(*given)
        figure.canvas.draw()
        picture = np.asarray(figure.canvas.buffer_rgba())[..., :3]  # type: ignore[attr-defined]
        if self._finer == 1:
            return picture
        return np.asarray(Image.fromarray(picture).resize(self._drawing.size, Image.Resampling.BOX))


def _share(colour: tuple[int, int, int]) -> tuple[float, ...]:
    return tuple(part / 255 for part in colour)


def _make_path(area: shapely.Geometry) -> Outline:
    rings = [np.asarray(ring.coords) for part in shapely.get_parts(area) for ring in (part.exterior, *part.interiors)]
    return Outline.make_compound_path(*(Outline(ring, closed=True) for ring in rings))


def measure_difference(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Measure the share of pixels of which one colour differs by more than `DIFFERS`."""
    apart = np.abs(one.astype(np.int16) - other).max(axis=-1)
    return float(np.mean(apart > DIFFERS))


def read_baltimore(data: Path) -> tuple[Incidents, NDArray[np.int64], Areas]:
    """Read the incidents that lie in a neighbourhood, the number of each one's, and the neighbourhoods."""
    shapes, names = read_shapes(require_data(data, "baltimore", "neighborhoods.geojson"), "LABEL")
    areas = make_projected(names, shapes)
    table = pd.read_csv(require_data(data, "baltimore", "bpd_part1_2011_2016.csv"))
    table = table.dropna(subset=["datetime", "lat", "lon"])
    code, categories = pd.factorize(table["Description"])
    x, y = project(table["lon"].to_numpy(), table["lat"].to_numpy(), areas.crs)
    when = pd.to_datetime(table["datetime"]).to_numpy().astype("datetime64[s]")
    incidents = Incidents(x, y, when, code.astype(np.int32), list(categories), np.arange(len(x)), "minute")
    unit = assign_by_place(incidents, areas, JobContext()).unit
    return incidents.select(unit >= 0), unit[unit >= 0], areas


def measure_pictures(data: Path, number: int = 200) -> dict[str, Any]:
    """Measure time and pixels of `number` windows, spread over all of them; and how long all windows take.

    Returns
    -------
    dict
        ``images_vs_matplotlib``, our seconds ÷ Matplotlib's for a published picture; ``files_vs_matplotlib``,
        the same as a PNG file; ``pixels_apart``, the largest share of pixels that differ, and ``pixels_apart_mean``, by
        size; and the seconds of all windows.
    """
    incidents, unit, areas = read_baltimore(data)
    windows = list_picture_windows(incidents, FIRST)
    shades = list_shades_of(incidents.categories, choose_colours(incidents.categories, TARGETS))[incidents.category]
    chosen = np.unique(np.linspace(0, len(windows) - 1, number).astype(np.int64))
    given = (incidents.x, incidents.y, shades, unit)
    measured: dict[str, Any] = {"windows": len(windows), "empty": windows.empty, "compared": len(chosen)}
    apart: dict[str, list[float]] = {}
    for name, size in SIZES.items():
        began = time.perf_counter()
        drawing = WindowDrawing(PUBLISHED, areas.geometries, size)
        dots = drawing.place(*given)
        prepared = time.perf_counter() - began
        other = MatplotlibDrawing(drawing, areas.geometries)
        # Colours of a figure are warm after the first.
        other.read(*(each[:1] for each in given))
        ours = [pictures.copy() for _, pictures in drawing.draw_windows(dots, windows, chosen.tolist())]
        began = time.perf_counter()
        theirs = [other.read(*(each[rows] for each in given)) for rows in map(windows.rows, chosen)]
        spent = time.perf_counter() - began
        apart[name] = [measure_difference(*pair) for pair in zip(np.concatenate(ours), theirs, strict=True)]
        if size == PUBLISHED_SIZE:
            began = time.perf_counter()
            for _ in drawing.draw_windows(dots, windows):
                pass
            every = time.perf_counter() - began
            measured |= {
                "seconds_prepare": prepared,
                "seconds_all_windows": every,
                "images_vs_matplotlib": (every / len(windows)) / (spent / len(chosen)),
                "milliseconds_matplotlib": 1e3 * spent / len(chosen),
                "milliseconds_ours": 1e3 * every / len(windows),
                "files_vs_matplotlib": _compare_files(drawing, other, dots, windows, chosen, given),
            }
        say(f"{name}: {max(apart[name]):.4f} of the pixels differ at most")
    measured["pixels_apart"] = {name: max(shares) for name, shares in apart.items()}
    measured["pixels_apart_mean"] = {name: float(np.mean(shares)) for name, shares in apart.items()}
    return measured


def _compare_files(
    drawing: WindowDrawing,
    other: MatplotlibDrawing,
    dots: Dots,
    windows: PictureWindows,
    chosen: NDArray[np.int64],
    given: tuple[NDArray[Any], ...],
) -> float:
    """Our seconds ÷ Matplotlib's, until each picture is a file."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        for numbers, pictures in drawing.draw_windows(dots, windows, chosen.tolist()):
            for number, picture in zip(numbers.tolist(), pictures, strict=True):
                (Path(folder) / f"{number}.png").write_bytes(encode_png(picture))
        ours = time.perf_counter() - began
        began = time.perf_counter()
        for number in chosen.tolist():
            rows = windows.rows(number)
            other.draw(*(each[rows] for each in given)).savefig(Path(folder) / f"other {number}.png")
        return ours / (time.perf_counter() - began)


def main() -> None:
    """Print what was measured as one JSON object."""
    parser = make_parser(str(__doc__))
    parser.add_argument("--windows", type=int, default=200)
    options = parser.parse_args()
    print(json.dumps(round_floats(measure_pictures(options.data, options.windows))))


if __name__ == "__main__":
    main()
