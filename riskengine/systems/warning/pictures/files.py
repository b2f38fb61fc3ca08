"""Pictures as files: a folder of PNG files with their table, and a GeoTIFF with a band a window."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.transform import from_bounds

from ....contract import tags
from ....contract.colours import PICTURE_GREYS, PICTURE_LEVELS, read_colour
from ....contract.texts import count_text, list_names
from ....ground.artefacts import whole_folder
from ....ground.errors import ParameterError
from ....ground.tables import Chunk
from ....maps.bins import MAX_BINS
from ....maps.geotiff import make_band_tags, make_profile, write_band, write_geotiff
from .drawing import WindowDrawing
from .png import encode_png
from .style import Colours, PictureStyle
from .windows import PictureWindows

#: The table of labels in a folder of pictures.
TABLE = "windows.csv"
#: No colour: the palette has 255.
_NODATA = 255
#: What red, green and blue give to the number of a colour, and the number of each grey.
_STEPS = np.round(np.arange(256) * (PICTURE_LEVELS - 1) / 255).astype(np.uint8)
_CUBE = [_STEPS * np.uint8(PICTURE_LEVELS**power) for power in (2, 1, 0)]
_GREYS = (PICTURE_LEVELS**3 + np.round(np.arange(256) * (PICTURE_GREYS - 1) / 255)).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class Labels:
    """What is told of each window beside its picture.

    Attributes
    ----------
    windows : PictureWindows
    events : ndarray of int, shape (K,)
        Events of the targets.
    happened : ndarray of bool, shape (K,)
        Whether there was any.
    probability : ndarray, shape (K,), or None
        That a network says.
    """

    windows: PictureWindows
    events: NDArray[np.int64]
    happened: NDArray[np.bool_]
    probability: NDArray[np.float64] | None

    def list_columns(self) -> list[Any]:
        """List the columns of the table of labels, in the order of its fields."""
        windows = self.windows
        return [
            name_pictures(windows),
            np.arange(1, len(windows) + 1),
            windows.starts,
            windows.ends,
            windows.sizes,
            self.events,
            self.happened.astype(np.int64),
            [None] * len(windows) if self.probability is None else self.probability,
        ]

    def list_chunks(self) -> Iterator[Chunk]:
        """Yield the table of labels."""
        yield Chunk(self.list_columns())


def name_pictures(windows: PictureWindows) -> list[str]:
    """Name the picture of each window after its begin: ``2014-01-01_0001.png``."""
    return [f"{start[:10]}_{start[11:13]}{start[14:16]}.png" for start in windows.starts.astype(str).tolist()]


class PictureFolder:
    """A folder of PNG files, and at its end their table."""

    def __init__(self, folder: Path, windows: PictureWindows) -> None:
        self._folder, self._names = folder, name_pictures(windows)

    def add(self, number: int, picture: Colours) -> None:
        """Write the picture of a window."""
        (self._folder / self._names[number]).write_bytes(encode_png(picture))

    def write_labels(self, fields: Iterable[str], labels: Labels) -> None:
        """Write the table of labels."""
        columns = (np.asarray(each) for each in labels.list_columns())
        texts = [each.astype(str).tolist() if each.dtype.kind == "M" else each.tolist() for each in columns]
        with (self._folder / TABLE).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(fields)
            writer.writerows(zip(*texts, strict=True))


class PictureStack:
    """A GeoTIFF with a band a window, a byte a pixel: the number of the nearest colour of the palette."""

    def __init__(self, target: Any, windows: PictureWindows) -> None:
        self._target, self._windows = target, windows

    def add(self, number: int, picture: Colours) -> None:
        """Write the picture of a window."""
        start, end = str(self._windows.starts[number]), str(self._windows.ends[number])
        write_band(self._target, number + 1, number_colours(picture), start, make_band_tags(start, end))


def number_colours(picture: Colours) -> Colours:
    """Number the colour of the palette that is nearest to each pixel's: the shape without the last axis.

    See `contract.colours.list_picture_palette`.
    """
    red, green, blue = (picture[..., part] for part in range(3))
    cube = _CUBE[0][red] + _CUBE[1][green] + _CUBE[2][blue]
    return np.where((red == green) & (green == blue), _GREYS[red], cube)


def list_legend(colours: Mapping[str, str], style: PictureStyle) -> list[tuple[int, str]]:
    """List what colours of the palette mean, by their numbers: a single dot of each category, and outlines.

    Parameters
    ----------
    colours : mapping of str to str
        ``#rrggbb`` by category.
    style : PictureStyle
    """
    named: dict[int, list[str]] = {}
    for name, colour in colours.items():
        named.setdefault(_number_on_white(read_colour(colour), style.dot_alpha), []).append(name)
    legend = [(number, list_names(names)) for number, names in named.items()]
    lines = (
        (_number_on_white(style.hit_colour, 1.0), "outline of an area with an incident"),
        (_number_on_white(style.line_colour, style.line_alpha), "outline of an area"),
    )
    return [*legend, *(line for line in lines if line[0] not in named)]


def _number_on_white(colour: Sequence[int], alpha: float) -> int:
    mixed = np.round(255 + alpha * (np.array(colour) - 255)).astype(np.uint8)
    return int(number_colours(mixed))


@contextmanager
def open_folder(path: str, windows: PictureWindows) -> Iterator[PictureFolder]:
    """Give a folder to write to, which is there when it is whole."""
    with whole_folder(path, "pictures") as folder:
        yield PictureFolder(folder, windows)


@contextmanager
def open_stack(
    path: str, windows: PictureWindows, drawing: WindowDrawing, crs: str, about: Mapping[str, str]
) -> Iterator[PictureStack]:
    """Give a stack to write to, which is there when it is whole.

    Raises
    ------
    ParameterError
        If there are more windows than a GeoTIFF has bands.
    """
    if len(windows) > MAX_BINS:
        raise ParameterError(
            f"There are {count_text(len(windows), 'window')}, and a GeoTIFF holds at most {MAX_BINS:,}",
            parameter="stack",
            value=len(windows),
            remedy="Choose longer windows or a shorter period, or only the folder of pictures",
        )
    width, height = drawing.size
    profile = make_profile(
        width,
        height,
        len(windows),
        "uint8",
        crs,
        from_bounds(*drawing.extent, width, height),
        _NODATA,
        zlevel=1,
    )
    head = {tags.FORMAT: str(tags.FORMAT_NUMBER), tags.KIND: tags.PICTURES_KIND, **about}
    with write_geotiff(path, profile, head, "stack") as target:
        yield PictureStack(target, windows)
