"""Windows of a stack: which are drawn to train a sequence model, which of their maps are targets, and forecasts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...ground.context import JobContext
from ...learning.settings import check_choice
from ...learning.threads import workers
from ...learning.training import Batch, compute_weighted_loss
from ...learning.trainingstate import Schedule
from .causal import LOGIT_SCALE, Sequence
from .extra_layers import add_static

SUPERVISIONS = ("dense", "windows")
#: First map, first row, first column.
Window = tuple[int, int, int]


@dataclass(frozen=True)
class TrainingStack:
    """Targets and their causal inputs, entry t of both for map t of the training span.

    Attributes
    ----------
    sequence : Sequence
    events : ndarray of 0/1, shape (T, H, W)
    targets : ndarray of bool, shape (T,)
        Maps that may be targets: observed ones.
    mask : ndarray of bool, shape (H, W)
        Cells that may be targets.
    layers : ndarray of float32, shape (S, H, W)
        Static layers that are further inputs of every map.
    """

    sequence: Sequence
    events: NDArray[np.uint8]
    targets: NDArray[np.bool_]
    mask: NDArray[np.bool_]
    layers: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0, 0), dtype=np.float32))


def check_supervision(supervision: str) -> None:
    """Refuse a supervision nobody knows.

    Raises
    ------
    ParameterError
    """
    check_choice(
        "schedule",
        supervision,
        SUPERVISIONS,
        "Use dense (every map of a window is a target) or windows (only the map after it, as published)",
    )


class WindowSamples:
    """Overlapping windows of a stack, as `Samples` of a `ConvLSTMNetwork`.

    ``dense`` supervision: windows start `stride` maps apart and every map of a window is a target. ``windows``, the
    published way: a window starts at every map, and only the map that follows the window's maps is a target, so each
    map is run through sequence_length times for one target. A window without an observed target is not drawn.

    Parameters
    ----------
    stack : TrainingStack
    schedule : Schedule
    weight : float
        Of an event in the loss.
    """

    axis = 1

    def __init__(self, stack: TrainingStack, schedule: Schedule, weight: float) -> None:
        check_supervision(schedule.supervision)
        self.stack, self.schedule, self.weight = stack, schedule, weight
        self.start = measure_prior_loss(stack)
        self.last_only = schedule.supervision == "windows"
        self.length = min(schedule.sequence_length, len(stack.events) - 1)
        self.shape = tuple(min(schedule.crop, side) for side in stack.mask.shape)

    def starts(self, random: np.random.Generator) -> NDArray[np.int64]:
        """Draw the first maps of the windows of an epoch; map 0 has nothing before it."""
        maps, stride = len(self.stack.events), self.schedule.stride
        first = 1 if self.last_only else 1 + int(random.integers(stride))
        starts = np.arange(first, max(maps - self.length, 1) + 1, 1 if self.last_only else stride)
        starts = starts if len(starts) else np.array([1])
        known = [self._targets(int(start)).any() for start in starts]
        return starts[known] if any(known) else starts

    def epoch(self, random: np.random.Generator) -> Iterator[list[Window]]:
        """Yield batches of windows in random order."""
        mask, (height, width) = self.stack.mask, self.shape
        rows, columns = np.nonzero(mask)
        crops = -(-mask.sum() // (height * width))
        order = random.permutation(np.repeat(self.starts(random), crops))
        batch: list[Window] = []
        for start in order[: self.schedule.windows]:
            # Around a random cell of the study area, so that no crop lies wholly outside it.
            cell = random.integers(len(rows))
            row = int(np.clip(rows[cell] - random.integers(height), 0, mask.shape[0] - height))
            column = int(np.clip(columns[cell] - random.integers(width), 0, mask.shape[1] - width))
            batch.append((int(start), row, column))
            if len(batch) == self.schedule.batch_size:
                yield batch
                batch = []
        if batch:
            yield batch

    def batch(self, samples: list[Window], device: torch.device) -> Batch:
        """Collect inputs, context, prior logits, events and validity, time first."""
        stack, (height, width) = self.stack, self.shape
        inputs, context, events, valid = [], [], [], []
        for start, row, column in samples:
            times = slice(start, start + self.length)
            rows, columns = slice(row, row + height), slice(column, column + width)
            window = stack.sequence.inputs[times, :, rows, columns].astype(np.float32)
            inputs.append(add_static(window, stack.layers[:, rows, columns]))
            context.append(stack.sequence.context[times])
            events.append(stack.events[times, rows, columns].astype(np.float32))
            valid.append(self._targets(start)[:, None, None] & stack.mask[None, rows, columns])
        seen = torch.from_numpy(np.stack(inputs, axis=1)).to(device)
        return (
            seen,
            torch.from_numpy(np.stack(context, axis=1)).to(device),
            seen[:, :, 1] * LOGIT_SCALE,
            torch.from_numpy(np.stack(events, axis=1)).to(device),
            torch.from_numpy(np.stack(valid, axis=1).astype(np.float32)).to(device),
        )

    def loss(self, network: nn.Module, part: Batch, cells: float) -> tuple[Tensor, Tensor]:
        """Compute weighted cross-entropy over the targets, and the plain log-loss minus the running mean's."""
        targets = slice(-1 if self.last_only else 0, None)
        departure, _ = network(part[0], part[1], targets=targets)
        prior, events, valid = (each[targets] for each in part[2:])
        return compute_weighted_loss(departure, prior, events, valid, self.weight, cells)

    def _targets(self, start: int) -> NDArray[np.bool_]:
        """Say which maps of the window that starts at `start` are targets."""
        targets = self.stack.targets[start : start + self.length].copy()
        if self.last_only:
            targets[:-1] = False
        return targets


def measure_prior_loss(stack: TrainingStack) -> float:
    """Measure the log-loss of the causal running mean over the training span."""
    total = 0.0
    targets = np.flatnonzero(stack.targets[1:]) + 1
    for number in targets:
        logit = stack.sequence.inputs[number, 1][stack.mask].astype(np.float64) * LOGIT_SCALE
        total += float(np.mean(np.logaddexp(0.0, logit) - logit * stack.events[number][stack.mask]))
    return total / max(len(targets), 1)


def choose_anchor(target: int, length: int) -> int:
    """Choose the first map whose inputs the network reads to forecast map `target`.

    Anchors are multiples of the window, one window back: each forecast reads at least one and less than two
    windows, and depends on nothing but the number of maps before it. So a long stack can be forecast in
    batches with the same result as one map at a time. The windows are exact, not cut off: the state is zero
    before an anchor in training and in forecasts alike, so none has to be carried from one window to the next.
    """
    return max((target // length - 1) * length, 0)


def forecast_windows(
    network: nn.Module,
    sequence: Sequence,
    layers: NDArray[np.float32],
    start: int,
    first: int,
    length: int,
    part: int,
    context: JobContext,
) -> NDArray[np.float32]:
    """Forecast maps `first` to the end of `sequence` with a `ConvLSTMNetwork`, shape (maps, H, W).

    Parameters
    ----------
    network : ConvLSTMNetwork
    sequence : Sequence
        Its first entry belongs to map `start`.
    layers : ndarray of float32, shape (S, H, W)
    start, first : int
    length : int
        Maps in a window.
    part : int
        Maps that go through the network at once, which changes nothing but the memory needed.
    context : JobContext
    """
    end, device = start + len(sequence.inputs), next(network.parameters()).device
    made = np.empty((end - first, *sequence.inputs.shape[2:]), dtype=np.float32)

    def forecast(low: int) -> None:
        """Fill in the maps of the window that starts at `low`."""
        state, high = None, min(low + length, end)
        for now in range(choose_anchor(low, length), high, part):
            context.check_cancelled()
            entries = slice(now - start, min(now + part, high) - start)
            inputs = torch.from_numpy(add_static(sequence.inputs[entries], layers)[:, None]).to(device)
            surroundings = torch.from_numpy(sequence.context[entries, None]).to(device)
            with torch.inference_mode():
                departure, state = network(inputs, surroundings, state)
            wanted = max(max(low, first) - now, 0)
            if wanted < len(departure):
                begin = now + wanted - first
                made[begin : begin + len(departure) - wanted] = departure[wanted:, 0].cpu().numpy()

    with workers(device) as pool:
        list(pool.map(forecast, range(first // length * length, end, length)))
    return made
