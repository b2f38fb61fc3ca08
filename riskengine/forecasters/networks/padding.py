"""What a convolution sees beyond the edge of the grid, and which cells a forecast answers for.

``zeros``
    Nothing ever happens out there (published). It draws a border: near it every cell has fewer neighbours.
``replicate``
    The outermost cells go on.
``reflect``
    The grid is mirrored at its edge, whose own cells are not repeated.
``ignore``
    Zeros, but the `border` outermost rows and columns are not in the loss and are forecast by the causal running mean
    instead (the article: borders "should be ignored when putting on production").

The border that is ignored is a choice, not the reach of the network. One convolution reaches half its kernel; a
recurrent network adds that at every layer and every map it reads, so after a window of 16 maps the edge has touched
every cell of a small grid. What fades is how much: most of it stays in the outermost row, hence the default of 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from ...contract.texts import count_text
from ...ground.errors import DataError, ParameterError
from ...learning.settings import check_choice

if TYPE_CHECKING:
    from typing import Literal

PADDINGS = ("zeros", "replicate", "reflect", "ignore")


def check_padding(padding: str, kernel: int = 3, border: int = 1) -> None:
    """Refuse a padding nobody knows, a kernel without a centre, and a border of less than nothing.

    Raises
    ------
    ParameterError
    """
    check_choice("padding", padding, PADDINGS, "Use one of " + ", ".join(PADDINGS))
    if kernel < 1 or kernel % 2 == 0:
        raise ParameterError(
            f"kernel is {kernel}; it must be an odd number from 1",
            parameter="kernel",
            value=kernel,
            remedy="Use 3 or 5",
        )
    if border < 0:
        raise ParameterError(
            f"border is {border}; it must not be negative",
            parameter="border",
            value=border,
            remedy="Give the rows and columns to leave out, for instance 1",
        )


def check_reflects(padding: str, kernel: int, rows: int, columns: int) -> None:
    """Refuse to mirror more rows or columns than there are.

    Raises
    ------
    DataError
    """
    if padding == "reflect" and min(rows, columns) <= kernel // 2:
        raise DataError(
            f"The grid has {count_text(rows, 'row')} and {count_text(columns, 'column')}; reflect padding with a"
            f" kernel of {kernel} needs more than"
            f" {kernel // 2} of each",
            parameter="padding",
            value=padding,
            remedy="Use replicate padding, a smaller kernel or a larger grid",
        )


def make_conv(inputs: int, outputs: int, kernel: int, padding: str) -> nn.Conv2d:
    """Make a convolution that keeps the size of its maps.

    Parameters
    ----------
    inputs, outputs : int
        Channels.
    kernel : int
        Side, odd.
    padding : {'zeros', 'replicate', 'reflect', 'ignore'}
    """
    check_padding(padding, kernel)
    mode = cast("Literal['zeros', 'reflect', 'replicate']", "zeros" if padding == "ignore" else padding)
    return nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, padding_mode=mode)


def convolve(layer: nn.Conv2d, maps: Tensor, channels: slice, bias: bool) -> Tensor:
    """Apply a layer made by `make_conv` to some of its input channels only.

    A convolution over several inputs is the sum of one over each: the part that does not change from step to step can
    be computed once for all of them.

    Parameters
    ----------
    layer : nn.Conv2d
    maps : Tensor, shape (N, channels, H, W)
    channels : slice
        Which of the layer's input channels `maps` are.
    bias : bool
        Add the layer's bias.
    """
    half = layer.kernel_size[0] // 2
    weight, shift = layer.weight[:, channels], layer.bias if bias else None
    if layer.padding_mode == "zeros" or not half:
        return functional.conv2d(maps, weight, shift, padding=half)
    return functional.conv2d(functional.pad(maps, [half] * 4, layer.padding_mode), weight, shift)


def choose_cells(mask: NDArray[np.bool_], padding: str, border: int = 1) -> NDArray[np.bool_]:
    """Choose the cells of the study area that the network learns from and answers for, shape (H, W).

    All of them, but with ``ignore`` not those in the `border` outermost rows and columns of the grid.

    Raises
    ------
    DataError
        If no cell is left.
    """
    if padding != "ignore" or not border:
        return mask
    inner = np.zeros_like(mask)
    inner[border:-border, border:-border] = mask[border:-border, border:-border]
    if not inner.any():
        raise DataError(
            f"No cell of the study area lies more than {count_text(border, 'cell')} inside the grid of"
            f" {count_text(mask.shape[0], 'row')} and"
            f" {count_text(mask.shape[1], 'column')}",
            parameter="border",
            value=border,
            remedy="Ignore a narrower border, or use replicate padding",
        )
    return inner
