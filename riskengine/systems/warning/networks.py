"""The two published networks that look at a picture of a window and say whether a target is in it; and augmentation."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional

from ...contract.choices import WindowNetwork
from ...ground.errors import ParameterError

#: Sides of a picture, in pixels, are never longer: the published ones are 216 and 150.
LONGEST_SIDE = 600
#: A picture has red, green and blue.
COLOURS = 3


@dataclass(frozen=True)
class Convolution:
    """A convolution without padding, and the pool behind it.

    Attributes
    ----------
    channels, kernel, pool : int
        Channels that it makes, sides of its kernel, sides of the pool.
    """

    channels: int
    kernel: int
    pool: int


@dataclass(frozen=True)
class Recipe:
    """A published network, and how it was trained.

    Attributes
    ----------
    convolutions : tuple of Convolution
    dense : tuple of int
        Hidden layers behind them.
    width, height : int
        Of the published pictures.
    rate : float
        Of Adam.
    batch : int
        Pictures; of model 2 nothing is said, and it has that of model 1.
    plain, augmented : int
        Epochs on the pictures as they are, then on pictures that are turned and moved.
    validation : float
        Share of the windows of each class that are held out to draw the validation curve.
    """

    convolutions: tuple[Convolution, ...]
    dense: tuple[int, ...]
    width: int
    height: int
    rate: float
    batch: int
    plain: int
    augmented: int
    validation: float

    @property
    def epochs(self) -> int:
        """Epochs as published."""
        return self.plain + self.augmented

    @property
    def least_side(self) -> int:
        """Pixels of the shortest side of which anything is left behind the last pool."""
        side = 1
        for each in reversed(self.convolutions):
            side = side * each.pool + each.kernel - 1
        return side

    def count_plain(self, epochs: int) -> int:
        """Count the epochs without augmentation, of so many in all: the published share of them."""
        return math.ceil(epochs * self.plain / self.epochs)


#: Of 4,800 windows a class 3,780 were learned from, 420 validated and 600 tested.
TESTED = 600 / 4800
RECIPES: dict[WindowNetwork, Recipe] = {
    # Its validation share is one of the windows that are not tested.
    "model1": Recipe(
        (Convolution(128, 3, 2), Convolution(64, 3, 3), Convolution(64, 2, 3)),
        (64, 32),
        172, 216, 1e-3, 20, 20, 0, 0.15 * (1 - TESTED),
    ),
    "model2": Recipe(
        (Convolution(32, 3, 2), Convolution(64, 3, 2), Convolution(128, 3, 2), Convolution(128, 3, 2)),
        (512,),
        150, 150, 1e-4, 20, 10, 50, 420 / 4800,
    ),
}  # fmt: skip


class WindowArchitecture(BaseModel):
    """What is needed to build a network again; bounded, so a damaged header cannot ask for the moon.

    Attributes
    ----------
    network : {"model1", "model2"}
    width, height : int
        Of its pictures, pixels.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    network: WindowNetwork
    width: int = Field(ge=1, le=LONGEST_SIDE)
    height: int = Field(ge=1, le=LONGEST_SIDE)

    @property
    def recipe(self) -> Recipe:
        """How the network is built and trained."""
        return RECIPES[self.network]

    def count_left(self) -> int:
        """Count the numbers that are left of a picture behind the last pool; 0 where it is too small."""
        width, height = self.width, self.height
        for each in self.recipe.convolutions:
            width, height = (max(side - each.kernel + 1, 0) // each.pool for side in (width, height))
        return width * height * self.recipe.convolutions[-1].channels

    def check_size(self) -> None:
        """Refuse pictures of which the layers leave nothing.

        Raises
        ------
        ParameterError
        """
        least = self.recipe.least_side
        for name, side in (("width", self.width), ("height", self.height)):
            if side < least:
                raise ParameterError(
                    f"Pictures with a {name} of {side} pixels are too small for the layers of this network:"
                    f" it needs {least}",
                    parameter=name,
                    value=side,
                    remedy=f"Give {least} or more, such as 64 or the published {getattr(self.recipe, name)}",
                )


class PictureNetwork(nn.Module):
    """A published network, from pictures with values from 0 to 1 to the logit that a target is in them.

    Weights begin as Glorot's uniform ones and biases at 0, as in Keras, in which both were published.

    Parameters
    ----------
    architecture : WindowArchitecture
    """

    def __init__(self, architecture: WindowArchitecture) -> None:
        super().__init__()
        self.architecture = architecture
        layers: list[nn.Module] = []
        channels = COLOURS
        for each in architecture.recipe.convolutions:
            layers += [nn.Conv2d(channels, each.channels, each.kernel), nn.ReLU(), nn.MaxPool2d(each.pool)]
            channels = each.channels
        layers.append(nn.Flatten())
        width = architecture.count_left()
        for hidden in architecture.recipe.dense:
            layers += [nn.Linear(width, hidden), nn.ReLU()]
            width = hidden
        self.layers = nn.Sequential(*layers, nn.Linear(width, 1))
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            else:
                nn.init.xavier_uniform_(parameter)

    def forward(self, pictures: Tensor) -> Tensor:
        """Logits, shape (n,), of pictures of shape (n, 3, height, width)."""
        logits: Tensor = self.layers(pictures)
        return logits.squeeze(1)

    def count_parameters(self) -> int:
        """Count the trainable parameters."""
        return sum(parameter.numel() for parameter in self.parameters())


def make_network(architecture: WindowArchitecture) -> PictureNetwork:
    """Make an untrained network, in the layout of memory in which processors convolve fastest.

    Raises
    ------
    ParameterError
        If its pictures are too small for its layers.
    """
    architecture.check_size()
    return PictureNetwork(architecture).to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


#: As published: turned by up to so many degrees, moved, sheared and zoomed by up to these shares.
TURN, MOVE, SHEAR, ZOOM = 20.0, 0.1, 0.1, 0.1


def draw_transforms(number: int, width: int, height: int, random: np.random.Generator) -> Tensor:
    """Draw how each picture of a batch is turned, moved, sheared, zoomed and, every other one, mirrored.

    Returns
    -------
    Tensor, shape (number, 2, 3)
        Of `torch.nn.functional.affine_grid`: from places of the new picture to those of the old one, -1 to 1 each.
    """
    turn = np.deg2rad(random.uniform(-TURN, TURN, number))
    shear = random.uniform(-SHEAR, SHEAR, number)
    across, down = random.uniform(1 - ZOOM, 1 + ZOOM, (2, number))
    mirrored = np.where(random.random(number) < 0.5, -1.0, 1.0)
    moved = random.uniform(-2 * MOVE, 2 * MOVE, (2, number))
    # A turn is one of pixels: where sides differ, so do the units of the two axes.
    wide = width / height
    rows = np.array(
        [
            [np.cos(turn) * across * mirrored, (-np.sin(turn + shear) / wide) * down, moved[0]],
            [np.sin(turn) * wide * across * mirrored, np.cos(turn + shear) * down, moved[1]],
        ]
    )
    return torch.from_numpy(rows.transpose(2, 0, 1).astype(np.float32))


def augment(pictures: Tensor, transforms: Tensor) -> Tensor:
    """Turn and move pictures of shape (n, 3, height, width); what comes in from outside repeats the edge.

    Pixels are taken as they are, not mixed as published: mixing washes the colours of small pictures out, whose lines
    are thinner than a pixel, and what is learned from such pictures does not hold for pictures as they are drawn.
    """
    # In bfloat16, in which gradients are computed, places would be off by parts of a pixel.
    with torch.autocast(pictures.device.type, enabled=False):
        places = functional.affine_grid(transforms, list(pictures.shape), align_corners=False)
        moved = functional.grid_sample(pictures, places, "nearest", padding_mode="border", align_corners=False)
    return moved.contiguous(memory_format=torch.channels_last)
