"""The published early-warning network on Baltimore: the ladder of what it sees, and how fast it is trained.

Windows of two hours, 2011 to 17 September 2016, as many with a homicide or shooting as without. Last line: one JSON
object.

Usage: scripts/benchmark.sh warning_network [--size 64] [--network model2] [--epochs N] [--ladder-epochs N]
       [--splits random,forward] [--rungs point,red,…] [--seed N] [--full]
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import torch
from common import make_parser, round_floats, say
from numpy.typing import NDArray
from torch.nn import functional
from warning_parts.data import TARGETS, read_baltimore, read_neighbourhoods

from riskengine.contract.choices import WindowNetwork, WindowSplit
from riskengine.ground.context import JobContext
from riskengine.learning.threads import prepare_torch, workers
from riskengine.maps.assigning import assign_by_place
from riskengine.systems.warning.ladder import RUNGS, Rung, RungKey, climb_ladder, detect
from riskengine.systems.warning.networks import RECIPES, WindowArchitecture, make_network
from riskengine.systems.warning.pictures.drawing import WindowDrawing
from riskengine.systems.warning.pictures.style import PUBLISHED, choose_colours, list_shades_of
from riskengine.systems.warning.pictures.windows import list_picture_windows
from riskengine.systems.warning.windowmodel import to_tensor
from riskengine.systems.warning.windowsample import Scene, draw_pictures, draw_sample, make_scene
from riskengine.systems.warning.windowtraining import PictureLessons, PictureSamples

SIZE = 64
#: FACTS.md section 1 ("Early warning"): the publication's accuracy on its balanced test, and a small network's here.
PUBLISHED_ACCURACY = 0.784
#: Windows that the measure of speed learns from: half have a target.
TIMED = 1200


def make_baltimore_scene(data: Path, width: int = SIZE, height: int = SIZE) -> Scene:
    """Make Baltimore's incidents and neighbourhoods ready to be drawn as published."""
    everything, table = read_baltimore(data)
    areas = read_neighbourhoods(data)
    unit = assign_by_place(everything, areas, JobContext()).unit
    inside = unit >= 0
    incidents = everything.select(inside)
    colours = list_shades_of(incidents.categories, choose_colours(incidents.categories, TARGETS))
    drawing = WindowDrawing(PUBLISHED, areas.geometries, (width, height))
    dots = drawing.place(incidents.x, incidents.y, colours[incidents.category], unit[inside])
    target = np.isin(incidents.category, [incidents.categories.index(name) for name in TARGETS])
    address = pd.factorize(table["Location"])[0][inside]
    return make_scene(incidents, list_picture_windows(incidents), drawing, dots, target, address)


def measure_ladder(
    scene: Scene,
    network: WindowNetwork = "model2",
    epochs: int | None = None,
    ladder_epochs: int | None = None,
    splits: Sequence[WindowSplit] = get_args(WindowSplit),
    rungs: Sequence[RungKey] = RUNGS,
    seed: int = 0,
) -> dict[str, Any]:
    """Measure every rung for each split; the published network at the first split with as many epochs as published.

    Parameters
    ----------
    scene : Scene
    network : {"model1", "model2"}
    epochs : int, optional
        Of the network as published; by default as many as that.
    ladder_epochs : int, optional
        Of each network of the ladder; by default as many as those.
    splits, rungs : sequence of str
    seed : int

    Returns
    -------
    dict
        ``published_accuracy`` with its interval, and ``ladder`` by split and rung.
    """
    recipe, context = RECIPES[network], JobContext(_say_epoch, lambda text, level: say(text))
    epochs = epochs or recipe.epochs
    ladder_epochs = ladder_epochs or epochs
    architecture = WindowArchitecture(network=network, width=scene.drawing.size[0], height=scene.drawing.size[1])
    samples = [draw_sample(scene.happened, split, recipe.validation, seed) for split in splits]
    began = time.monotonic()
    main = detect(scene, samples[0], "all", architecture, epochs, seed, context)
    say(f"{epochs} epochs: {main.rung.accuracy.mean:.4f} of the {splits[0]} test told right")
    found: dict[str, Any] = {
        "published_accuracy": main.rung.accuracy.mean,
        "published_accuracy_low": main.rung.accuracy.low,
        "published_accuracy_high": main.rung.accuracy.high,
        "publication": PUBLISHED_ACCURACY,
        "validation_accuracy": main.trained.accuracy,
        "epochs": epochs,
        "seconds": time.monotonic() - began,
        "ladder_epochs": ladder_epochs,
        "windows": len(scene.windows),
        "windows_with_target": int(scene.happened.sum()),
        "tested": len(main.rung.right),
    }
    known = main.rung if ladder_epochs == epochs else None
    ladder: dict[str, dict[str, Any]] = {split: {} for split in splits}
    for sample in samples:
        for key in rungs:
            (rung,) = climb_ladder(scene, [sample], architecture, ladder_epochs, seed, context, known, [key])
            ladder[rung.split][key] = describe_rung(rung)
            say(f"{rung.split} {key}: {describe_rung(rung)}")
    return {**found, "ladder": ladder}


def _say_epoch(share: float, text: str) -> None:
    """Say that an epoch has ended, and nothing of its batches."""
    if " ended, " in text:
        say(text)


def describe_rung(rung: Rung) -> dict[str, Any]:
    """Describe a rung by its accuracy, its interval, and the number of windows tested."""
    least = {"least_dots": rung.least} if rung.least else {}
    return {
        "accuracy": rung.accuracy.mean,
        "low": rung.accuracy.low,
        "high": rung.accuracy.high,
        "tested": len(rung.right),
        **least,
    }


def measure_speed(scene: Scene, network: WindowNetwork = "model2", times: int = 3) -> dict[str, float]:
    """Measure an epoch as it is trained here against a bare PyTorch loop of the same network and batches.

    The bare loop has its pictures as tensors, and torch's own threads; both take turns. No epoch of either is
    augmented: the seconds of one that is are beside them.
    """
    width, height = scene.drawing.size
    architecture = WindowArchitecture(network=network, width=width, height=height)
    recipe = RECIPES[network]
    sample = draw_sample(scene.happened, "random", recipe.validation, 0)
    few = np.sort(np.random.default_rng(0).permutation(sample.learned)[:TIMED])
    sample = type(sample)(sample.split, sample.window[few], sample.happened[few], np.zeros(len(few), dtype=np.int64))
    pictures = draw_pictures(scene, sample.window, "all", JobContext())
    device = prepare_torch(0)
    ours: list[float] = []
    bare: list[float] = []
    augmented: list[float] = []
    for number in range(times + 1):
        with workers(device) as pool:
            samples = PictureSamples(pictures, sample, recipe.batch)
            lessons = PictureLessons(make_network(architecture).to(device), samples, 6, 0, JobContext(), pool)
            for wanted, epoch in ((ours, 1), (augmented, 6)):
                wanted.append(_time(lambda lessons=lessons, epoch=epoch: lessons.epoch(epoch)))
        bare.append(_time(_make_bare_epoch(architecture, pictures, sample.happened, device)))
        say(f"epoch {number}: {ours[-1]:.2f} s here, {augmented[-1]:.2f} s augmented, {bare[-1]:.2f} s bare")
    # The first of each warms the libraries up.
    ratios = [mine / plain for mine, plain in zip(ours[1:], bare[1:], strict=True)]
    return {
        "epoch_vs_bare": statistics.median(ratios),
        "epoch_seconds": statistics.median(ours[1:]),
        "augmented_epoch_seconds": statistics.median(augmented[1:]),
        "bare_epoch_seconds": statistics.median(bare[1:]),
        "pictures": len(pictures),
    }


def _time(work: Any) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _make_bare_epoch(
    architecture: WindowArchitecture, pictures: NDArray[np.uint8], happened: NDArray[np.bool_], device: torch.device
) -> Any:
    """An epoch as anybody writes it: a tensor of pictures, batches, forward, backward, step."""
    recipe = architecture.recipe
    network = make_network(architecture).to(device).to(memory_format=torch.contiguous_format)
    tensors = to_tensor(pictures, device).contiguous()
    wanted = torch.from_numpy(happened.astype(np.float32)).to(device)
    optimiser = torch.optim.Adam(network.parameters(), lr=recipe.rate)

    def run() -> None:
        order = torch.randperm(len(tensors), generator=torch.Generator().manual_seed(0)).to(device)
        for rows in order.split(recipe.batch):
            optimiser.zero_grad()
            functional.binary_cross_entropy_with_logits(network(tensors[rows]), wanted[rows]).backward()
            optimiser.step()
        if device.type == "cuda":
            torch.cuda.synchronize()

    return run


def main() -> None:
    """Measure, and print one JSON object."""
    parser = make_parser(__doc__ or "")
    parser.add_argument("--size", type=int, default=SIZE, help="sides of the pictures, pixels")
    parser.add_argument("--full", action="store_true", help="pictures of the published size")
    parser.add_argument("--network", choices=list(RECIPES), default="model2")
    parser.add_argument("--epochs", type=int, help="of the network as published (default: as many as published)")
    parser.add_argument("--ladder-epochs", type=int, help="of each network of the ladder (default: as many)")
    parser.add_argument("--splits", default=",".join(get_args(WindowSplit)))
    parser.add_argument("--rungs", default=",".join(RUNGS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=["speed", "ladder"])
    given = parser.parse_args()
    recipe = RECIPES[given.network]
    size = (recipe.width, recipe.height) if given.full else (given.size, given.size)
    scene = make_baltimore_scene(given.data, *size)
    found: dict[str, Any] = {"network": given.network, "width": size[0], "height": size[1]}
    if given.only != "ladder":
        found |= measure_speed(scene, given.network)
    if given.only != "speed":
        splits, rungs = given.splits.split(","), given.rungs.split(",")
        found |= measure_ladder(scene, given.network, given.epochs, given.ladder_epochs, splits, rungs, given.seed)
    print(json.dumps(round_floats(found)))


if __name__ == "__main__":
    main()
