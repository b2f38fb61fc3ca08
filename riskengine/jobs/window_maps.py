"""Job: draw all crime of each window as a picture, with a table of what is in it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np

from ..contract import tags
from ..contract.texts import count_text, list_names, part_text, show_name
from ..contract.tools.base import fields_of
from ..contract.tools.windowmaps import DrawWindowMaps
from ..ground.artefacts import check_folder
from ..ground.context import JobContext
from ..ground.errors import ParameterError
from ..ground.tables import write_table
from ..intake.incidents import count_reasons
from ..systems.warning.pictures.drawing import WindowDrawing, find_extent
from ..systems.warning.pictures.files import (
    Labels,
    PictureFolder,
    PictureStack,
    list_legend,
    open_folder,
    open_stack,
)
from ..systems.warning.pictures.reading import Pictured, read_pictured
from .models import to_dict

if TYPE_CHECKING:
    from ..systems.warning.windowmodel import WindowModel

#: Areas whose extent differs by more than this share of it are others than those that a network knows.
_APART = 0.02
_FIELDS = fields_of(DrawWindowMaps, "labels")


def run(parameters: DrawWindowMaps, context: JobContext) -> dict[str, Any]:
    """Read, draw window after window, write."""
    for key in ("pictures", "stack", "labels"):
        if path := getattr(parameters, key):
            check_folder(path, key)
    model = _read_model(parameters.model) if parameters.model else None
    context.progress(0.0, "Reading incidents")
    pictured = read_pictured(parameters, context)
    context.progress(0.05, "Drawing the outlines")
    drawing = _make_drawing(parameters, pictured, model, context)
    with context.step(0.1, 0.95):
        labels = _draw(parameters, pictured, drawing, model, context)
    if parameters.labels:
        write_table(parameters.labels, _FIELDS, labels.list_chunks(), parameter="labels")
    windows = pictured.windows
    context.progress(1.0, "Done")
    return {
        "windows": len(windows),
        "empty": windows.empty,
        "with_target": int(labels.happened.sum()),
        "drawn": pictured.count_drawn(),
        "twice": windows.twice,
        "width": drawing.size[0],
        "height": drawing.size[1],
        "colours": "; ".join(f"{show_name(name)}={colour}" for name, colour in pictured.colours.items()),
        "headline": _describe(pictured, parameters, labels),
        "closed": windows.closed,
        "legend": list_legend(pictured.colours, drawing.style),
        "edges": [[str(start), str(end)] for start, end in zip(windows.starts, windows.ends, strict=True)],
        "refused": len(pictured.refusals),
        "reasons": count_reasons(pictured.refusals),
        "refusals": [[refusal.fid, refusal.reason] for refusal in pictured.refusals],
        "parameters": to_dict(parameters),
    }


def _read_model(path: str) -> WindowModel:
    # Torch takes seconds and much memory, which pictures alone do not need.
    from ..systems.warning.windowmodel import WindowModel

    return WindowModel.load(path)


def _make_drawing(
    parameters: DrawWindowMaps, pictured: Pictured, model: WindowModel | None, context: JobContext
) -> WindowDrawing:
    """The drawing in the size asked for; with a network, what and as large as its pictures were."""
    width, height = parameters.width, parameters.height
    if model is None:
        drawing = pictured.make_drawing(width, height)
    else:
        card = model.card
        _check_model(parameters, pictured, model, context)
        wanted = card.architecture
        drawing = pictured.make_drawing(width or wanted.width, height or wanted.height, card.extent)
        model.check_pictures((drawing.size[1], drawing.size[0]))
    context.log(f"Pictures of {drawing.size[0]} × {drawing.size[1]} pixels")
    return drawing


def _check_model(parameters: DrawWindowMaps, pictured: Pictured, model: WindowModel, context: JobContext) -> None:
    """Refuse pictures of another kind than the network learned from; say what else differs."""
    card = model.card
    if card.hours != parameters.window:
        raise ParameterError(
            f"The network looks at windows of {count_text(card.hours, 'hour')}",
            parameter="window",
            value=parameters.window,
            remedy=f"Set WINDOW to {card.hours}, or leave MODEL empty",
        )
    if card.crs != parameters.crs:
        raise ParameterError(
            f"The network's pictures are in {card.crs}",
            parameter="crs",
            value=parameters.crs,
            remedy=f"Set CRS to {card.crs}, or leave MODEL empty",
        )
    if {name.casefold() for name in card.targets} != {name.casefold() for name in parameters.targets}:
        context.warn(f"The network was asked for {list_names(card.targets)}, so its probability is of these")
    west, south, east, north = find_extent(pictured.areas.geometries)
    if np.abs(np.subtract(card.extent, (west, south, east, north))).max() > _APART * max(east - west, north - south):
        context.warn("The network learned from pictures of other areas, so what it says of these means little")


def _draw(
    parameters: DrawWindowMaps,
    pictured: Pictured,
    drawing: WindowDrawing,
    model: WindowModel | None,
    context: JobContext,
) -> Labels:
    """Draw all windows to where they are wanted, and list what is in each."""
    windows = pictured.windows
    events, happened = pictured.count_events(), windows.count(pictured.target) > 0
    probability = np.full(len(windows), np.nan)
    with ExitStack() as opened:
        sinks: list[PictureFolder | PictureStack] = []
        folder = None
        if parameters.pictures:
            folder = opened.enter_context(open_folder(parameters.pictures, windows))
            sinks.append(folder)
        if parameters.stack:
            about = {tags.CATEGORIES: tags.join_categories(pictured.colours), tags.SOURCE: parameters.source}
            sinks.append(opened.enter_context(open_stack(parameters.stack, windows, drawing, parameters.crs, about)))
        for numbers, pictures in drawing.draw_windows(pictured.place_dots(drawing), windows):
            for number, picture in zip(numbers.tolist(), pictures, strict=True):
                context.check_cancelled()
                for sink in sinks:
                    sink.add(number, picture)
            if model is not None:
                probability[numbers] = model.predict(pictures)
            done = int(numbers[-1]) + 1
            context.progress(done / len(windows), f"picture {done:,} of {len(windows):,}")
        labels = Labels(windows, events, happened, None if model is None else probability)
        if folder is not None:
            folder.write_labels(_FIELDS, labels)
    return labels


def _describe(pictured: Pictured, parameters: DrawWindowMaps, labels: Labels) -> str:
    """What the pictures are, for the metadata of a layer of them."""
    share = part_text(int(labels.happened.sum()), len(pictured.windows), "picture", "shows", "show")
    return (
        f"All crime of windows of {count_text(parameters.window, 'hour')}. {share} an incident of"
        f" {list_names(parameters.targets)}: the label's own points are there to be seen. These pictures detect, and"
        " warn of nothing."
    )
