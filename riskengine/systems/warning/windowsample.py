"""Which windows a network learns from, which validate and which test it, and what it sees of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ...contract.choices import WindowSplit
from ...contract.texts import count_text, part_text
from ...ground.bigarrays import make_empty_stack
from ...ground.context import JobContext
from ...ground.errors import DataError
from ...intake.incidents import Incidents
from ...maps.events import merge_events
from .networks import TESTED
from .pictures.drawing import Dots, WindowDrawing
from .pictures.windows import PictureWindows

Flags = NDArray[np.bool_]
Integers = NDArray[np.int64]
Pictures = NDArray[np.uint8]

#: Parts of a sample, by their number.
LEARNED, VALIDATED, TESTED_ON = 0, 1, 2
#: Fewer windows of each class are too few to learn from and test on.
FEWEST = 40
#: What a network sees of a window: all its points; all but the targets'; all but the rows of the same minute and place
#: too; or all points of the window before, which is all that is known before its own begins.
View = Literal["all", "without", "apart", "previous"]


@dataclass(frozen=True, eq=False)
class Scene:
    """All that pictures of windows are drawn of.

    Attributes
    ----------
    incidents : Incidents
    windows : PictureWindows
    drawing : WindowDrawing
    dots : Dots
        Of all incidents.
    target, beside : ndarray of bool, shape (n,)
        Incidents of the target categories; those of the same minute and place as one of these, which are among them.
    alike : ndarray of bool, shape (n,)
        Incidents whose dots have the targets' colour.
    """

    incidents: Incidents
    windows: PictureWindows
    drawing: WindowDrawing
    dots: Dots
    target: Flags
    beside: Flags
    alike: Flags

    @property
    def happened(self) -> Flags:
        """Whether each window has a target, shape (K,)."""
        return self.windows.count(self.target) > 0

    @property
    def share(self) -> float:
        """Share of the windows that have one."""
        return float(self.happened.mean())


def find_beside(incidents: Incidents, target: Flags, place: NDArray[np.integer] | None = None) -> Flags:
    """Find the incidents of the same minute and place as a target, these among them.

    Parameters
    ----------
    incidents : Incidents
    target : ndarray of bool, shape (n,)
    place : ndarray of int, shape (n,), optional
        Code of the address of each; see `maps.events.merge_events`.
    """
    # Rows of one event that were written down some seconds apart give it away as well.
    minute = incidents.time.astype("datetime64[m]").astype("datetime64[s]")
    event = merge_events(replace(incidents, time=minute), place).rows
    return np.asarray(np.bincount(event, target) > 0)[event]


def make_scene(
    incidents: Incidents,
    windows: PictureWindows,
    drawing: WindowDrawing,
    dots: Dots,
    target: Flags,
    place: NDArray[np.integer] | None = None,
) -> Scene:
    """Make a scene; which dots have the colour of a target is seen from the dots.

    Parameters
    ----------
    incidents : Incidents
    windows : PictureWindows
        Of these incidents.
    drawing : WindowDrawing
    dots : Dots
        Of all incidents.
    target : ndarray of bool, shape (n,)
    place : ndarray of int, shape (n,), optional
        Code of the address of each incident.
    """
    colours = np.unique(dots.colour[target], axis=0)
    alike = (dots.colour[:, None] == colours).all(axis=2).any(axis=1)
    return Scene(incidents, windows, drawing, dots, target, find_beside(incidents, target, place), alike)


@dataclass(frozen=True, eq=False)
class Sample:
    """Windows, as many with a target as without in each part, in the order of time.

    Attributes
    ----------
    split : {"random", "forward"}
    window : ndarray of int, shape (m,)
        Numbers of the windows.
    happened : ndarray of bool, shape (m,)
    part : ndarray of int, shape (m,)
        `LEARNED`, `VALIDATED` or `TESTED_ON`.
    """

    split: WindowSplit
    window: Integers
    happened: Flags
    part: Integers

    def find(self, part: int) -> Integers:
        """Positions of the windows of a part."""
        return np.flatnonzero(self.part == part)

    @property
    def learned(self) -> Integers:
        """Positions of the windows to learn from."""
        return self.find(LEARNED)

    @property
    def tested(self) -> Integers:
        """Positions of the windows to test on."""
        return self.find(TESTED_ON)


def draw_sample(happened: Flags, split: WindowSplit, validation: float, seed: int) -> Sample:
    """Draw as many windows without a target as there are with one, and share them out.

    Parameters
    ----------
    happened : ndarray of bool, shape (K,)
        In the order of time.
    split : {"random", "forward"}
        Each class at random, as published; or the first to learn from and the last to test, where as many without as
        with are drawn from each span.
    validation : float
        Share of the windows that are neither learned from nor tested on.
    seed : int

    Raises
    ------
    DataError
        If there are too few windows of a class.
    """
    fewest = int(min(happened.sum(), (~happened).sum()))
    if fewest < FEWEST:
        with_one = bool(happened.sum() < (~happened).sum())
        raise DataError(
            f"{part_text(fewest, len(happened), 'window')} {'has' if fewest == 1 else 'have'}"
            f" {'a target' if with_one else 'no target'}: {FEWEST} are the least to learn from and to test on",
            parameter="targets" if with_one else "window",
            value=fewest,
            remedy="Name more categories, or use more incidents"
            if with_one
            else "Choose shorter windows, or fewer categories",
        )
    random = np.random.default_rng(seed)
    cuts = np.round(np.array([1 - TESTED - validation, 1 - TESTED]) * fewest).astype(np.int64)
    if split == "random":
        classes = [random.permutation(np.flatnonzero(happened == each))[:fewest] for each in (True, False)]
        window = np.concatenate(classes)
        part = np.tile(np.searchsorted(cuts, np.arange(fewest), side="right"), 2)
    else:
        window, part = _draw_forward(happened, cuts / fewest, random)
    order = np.argsort(window)
    return Sample(split, window[order], happened[window[order]], part[order])


def _draw_forward(happened: Flags, cuts: NDArray[np.float64], random: np.random.Generator) -> tuple[Integers, Integers]:
    """Windows and their parts: spans of time that end with the given shares of the windows that have a target."""
    targets = np.flatnonzero(happened)
    begins = targets[np.round(cuts * len(targets)).astype(np.int64)]
    span = np.searchsorted(begins, np.arange(len(happened)), side="right")
    windows, parts = [], []
    for number in (LEARNED, VALIDATED, TESTED_ON):
        classes = [np.flatnonzero((span == number) & (happened == each)) for each in (True, False)]
        fewest = min(map(len, classes))
        windows += [random.permutation(each)[:fewest] for each in classes]
        parts.append(np.full(2 * fewest, number))
    return np.concatenate(windows), np.concatenate(parts)


def move_back(windows: PictureWindows, incidents: Incidents) -> PictureWindows:
    """Find for each window the one before it: as long, and with nothing of what happens once it has begun."""
    step = windows.ends - windows.starts
    time = incidents.time[windows.order]
    starts = windows.starts - step
    first, after = (np.searchsorted(time, each, side="left") for each in (starts, windows.starts))
    return replace(windows, starts=starts, ends=windows.starts, closed=False, first=first, after=after)


def _see_all(scene: Scene) -> tuple[PictureWindows, Flags | None]:
    return scene.windows, None


def _see_without(scene: Scene) -> tuple[PictureWindows, Flags | None]:
    return scene.windows, ~scene.target


def _see_apart(scene: Scene) -> tuple[PictureWindows, Flags | None]:
    return scene.windows, ~scene.beside


def _see_previous(scene: Scene) -> tuple[PictureWindows, Flags | None]:
    return move_back(scene.windows, scene.incidents), None


_VIEWS: Mapping[View, Callable[[Scene], tuple[PictureWindows, Flags | None]]] = {
    "all": _see_all,
    "without": _see_without,
    "apart": _see_apart,
    "previous": _see_previous,
}


def draw_pictures(scene: Scene, numbers: Integers, view: View, context: JobContext) -> Pictures:
    """Draw what a network sees of windows, in memory or, beyond what fits there, in a temporary file.

    Returns
    -------
    ndarray of uint8, shape (numbers, height, width, 3)
    """
    width, height = scene.drawing.size
    pictures = make_empty_stack((len(numbers), height, width, 3), np.dtype(np.uint8))
    windows, kept = _VIEWS[view](scene)
    done = 0
    for some, drawn in scene.drawing.draw_windows(scene.dots, windows, numbers.tolist(), kept):
        pictures[done : done + len(some)] = drawn
        done += len(some)
        context.progress(done / len(numbers), f"drawing {count_text(done, 'picture')} of {len(numbers):,}")
    return pictures
