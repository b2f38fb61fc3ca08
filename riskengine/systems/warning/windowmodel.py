"""A trained network that looks at pictures of windows, and its file (``.crimewindow``)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ConfigDict, Field

from ...contract.choices import WindowSplit
from ...contract.warnings import HOURS_OF_WEEK
from ...ground.context import JobContext
from ...ground.damage import CrsText, Moment
from ...ground.errors import ParameterError
from ...learning.modelfile import Card, FileKind
from ...learning.threads import workers
from ...learning.weights import network_of, weights_of
from .networks import PictureNetwork, WindowArchitecture

Floats = NDArray[np.float64]

KIND = "crimerisk.windownetwork"
FORMAT = 1
SUFFIX = ".crimewindow"
Place = Annotated[float, Field(ge=-1e9, le=1e9)]
#: Pictures that a thread looks at together.
_AT_ONCE = 64


class WindowCard(Card):
    """Everything a network says about itself.

    Attributes
    ----------
    name : str
    architecture : WindowArchitecture
    hours : int
        Length of a window.
    closed : bool
        Whether windows hold both their ends, as published.
    targets : list of str
        The categories it was asked for.
    colours : dict of str to str
        Of the dots, ``#rrggbb`` by category.
    crs : str
    extent : tuple of float
        West, south, east, north of its pictures, metres in `crs`.
    first, end : str
        What it learned from: begin of the first window, end of the last one, ISO.
    split : {"random", "forward"}
        How windows were shared out to learn from and to test.
    share : float
        Of the windows with any incident those with a target, in the span it learned from.
    epochs, seed : int
    metrics : dict
        Of the test.
    versions : dict
    """

    model_config = ConfigDict(allow_inf_nan=False)
    kind: str = KIND
    format: int = FORMAT
    name: str
    architecture: WindowArchitecture
    hours: int = Field(ge=1, le=HOURS_OF_WEEK)
    closed: bool = True
    targets: list[str] = Field(min_length=1)
    colours: dict[str, str] = {}
    crs: CrsText
    extent: tuple[Place, Place, Place, Place]
    first: Moment
    end: Moment
    split: WindowSplit
    share: float = Field(gt=0, lt=1)
    epochs: int = Field(ge=1)
    seed: int
    metrics: dict[str, Any] = {}
    versions: dict[str, str]


WINDOW_NETWORK = FileKind(
    KIND,
    FORMAT,
    WindowCard,
    "network for window maps",
    f"Choose a {SUFFIX} file written by Train early-warning network, or train it again",
)


def compute_scores(
    network: PictureNetwork,
    pictures: NDArray[np.uint8],
    rows: NDArray[np.int64] | None = None,
    context: JobContext | None = None,
    text: str = "Looking at the pictures",
) -> Floats:
    """Compute the network's probability of a target among windows half of which have one.

    Parameters
    ----------
    network : PictureNetwork
    pictures : ndarray of uint8, shape (n, height, width, 3)
    rows : ndarray of int, optional
        Which of them; by default all.
    context : JobContext, optional
    text : str
        For its progress.

    Returns
    -------
    ndarray, shape (rows,)
    """
    context = context or JobContext()
    rows = np.arange(len(pictures)) if rows is None else rows
    device = next(network.parameters()).device
    parts = [rows[start : start + _AT_ONCE] for start in range(0, len(rows), _AT_ONCE)]
    network.eval()
    scores: list[Floats] = []

    def look(part: NDArray[np.int64]) -> Floats:
        with torch.no_grad():
            return torch.sigmoid(network(to_tensor(pictures[part], device))).double().cpu().numpy()

    with workers(device) as pool:
        for number, found in enumerate(pool.map(look, parts), 1):
            scores.append(found)
            context.progress(number / len(parts), text)
    return np.concatenate([np.zeros(0), *scores])


def to_tensor(pictures: NDArray[np.uint8], device: torch.device) -> torch.Tensor:
    """Bring pictures (n, height, width, 3) to what networks read: (n, 3, height, width), from 0 to 1.

    The bytes lie as they are drawn, which is channels last, in which processors convolve fastest.
    """
    bytes_ = torch.from_numpy(np.ascontiguousarray(pictures))
    return bytes_.to(device).permute(0, 3, 1, 2).float().div_(255)


class WindowModel:
    """A network with its card.

    Parameters
    ----------
    network : PictureNetwork
    card : WindowCard
    """

    def __init__(self, network: PictureNetwork, card: WindowCard) -> None:
        self.network = network
        self.card = card

    def predict(self, pictures: NDArray[np.uint8], context: JobContext | None = None) -> Floats:
        """The probability that a window has a target, by its picture (n, height, width, 3).

        The network learned from as many windows with as without; its odds are brought to the share of windows with one
        in the span that it learned from.

        Raises
        ------
        ParameterError
            If the pictures are of another size than those it was trained on.
        """
        self.check_pictures(pictures.shape[1:])
        score = compute_scores(self.network, pictures, None, context)
        odds = self.card.share / (1 - self.card.share)
        return np.asarray(score * odds / (score * odds + 1 - score))

    def check_pictures(self, shape: Sequence[int]) -> None:
        """Refuse pictures of another height and width than those it was trained on."""
        height, width = shape[:2]
        wanted = self.card.architecture
        if (width, height) != (wanted.width, wanted.height):
            raise ParameterError(
                f"The network looks at pictures of {wanted.width} × {wanted.height} pixels, and these are"
                f" {width} × {height}",
                parameter="width",
                value=width,
                remedy=f"Draw them with a width of {wanted.width} and a height of {wanted.height}",
            )

    def save(self, path: str | Path, parameter: str = "model") -> None:
        """Write the model as one file, whole or not at all."""
        WINDOW_NETWORK.write(path, weights_of(self.network), self.card, parameter)

    @classmethod
    def load(cls, path: str | Path, parameter: str = "model") -> WindowModel:
        """Read a model; runs no code of the file.

        Raises
        ------
        FormatError
            If the file is missing, truncated, damaged, of another kind or newer.
        """
        card, weights = WINDOW_NETWORK.read(path, parameter)
        if not card.architecture.count_left():
            raise WINDOW_NETWORK.make_misfit_error(path, parameter)
        try:
            network = network_of(lambda: PictureNetwork(card.architecture), weights)
        except (RuntimeError, ValueError, TypeError) as error:
            raise WINDOW_NETWORK.make_misfit_error(path, parameter, error) from error
        return cls(network.to(memory_format=torch.channels_last).eval(), card)  # type: ignore[call-overload]
