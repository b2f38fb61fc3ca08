"""The published early-warning networks, what they learn from, and the ladder of what a picture gives away."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
import shapely
import torch

from riskengine.ground.context import JobContext
from riskengine.ground.errors import Cancelled, CrimeRiskError, DataError, FormatError, ParameterError
from riskengine.intake.incidents import Incidents
from riskengine.learning.modelfile import list_versions
from riskengine.systems.warning.ladder import (
    RUNGS,
    compute_accuracy,
    look_at_clock,
    look_for_colour,
    look_for_targets,
)
from riskengine.systems.warning.networks import (
    RECIPES,
    WindowArchitecture,
    augment,
    draw_transforms,
    make_network,
)
from riskengine.systems.warning.pictures.drawing import WindowDrawing
from riskengine.systems.warning.pictures.style import PUBLISHED
from riskengine.systems.warning.pictures.windows import list_picture_windows
from riskengine.systems.warning.windowmodel import WindowCard, WindowModel, compute_scores
from riskengine.systems.warning.windowsample import (
    LEARNED,
    TESTED_ON,
    VALIDATED,
    Scene,
    draw_pictures,
    draw_sample,
    find_beside,
    make_scene,
)
from riskengine.systems.warning.windowstudy import Plan, run_study
from riskengine.systems.warning.windowtraining import train_network

RED, BLUE = (189, 61, 58), (63, 105, 170)
START = np.datetime64("2024-01-01T00:00:00")
OUTLINES = np.array([shapely.box(0, 0, 1000, 1000), shapely.box(1000, 0, 2000, 1000)], dtype=object)
#: Model 1 reads pictures this small, and learns fast.
SMALL = WindowArchitecture(network="model1", width=30, height=30)


def make_incidents(seconds: list[int], kinds: list[int], x: list[float], y: list[float]) -> Incidents:
    time = START + np.array(seconds, dtype="timedelta64[s]")
    return Incidents(
        np.array(x, dtype=float),
        np.array(y, dtype=float),
        time,
        np.array(kinds, dtype=np.int32),
        ["SHOOTING", "AUTO THEFT", "LARCENY"],
        np.arange(len(x)),
        "minute",
    )


def scene_of(incidents: Incidents, size: int = 30, closed: bool = True, shared: bool = True) -> Scene:
    """A scene in which shootings are red, thefts of cars too where the colour is `shared`, and larceny blue."""
    drawing = WindowDrawing(PUBLISHED, OUTLINES, (size, size))
    colours = np.array([RED, RED if shared else BLUE, BLUE], dtype=np.uint8)[incidents.category]
    unit = (incidents.x >= 1000).astype(np.int64)
    windows = list_picture_windows(incidents, hours=2, closed=closed)
    dots = drawing.place(incidents.x, incidents.y, colours, unit)
    return make_scene(incidents, windows, drawing, dots, incidents.category == 0)


def simulate(windows: int, seed: int = 0, night: bool = False, shared: bool = True) -> Scene:
    """Windows of two hours with larcenies, some with stolen cars, shootings in the middle, at random or at night."""
    random = np.random.default_rng(seed)
    rows: list[tuple[int, int]] = []
    for number in range(windows):
        opening = number * 7200
        rows += [(opening + int(each), 2) for each in random.integers(120, 7100, 2)]
        if random.random() < 0.3:
            rows.append((opening + int(random.integers(120, 7100)), 1))
        if random.random() < ((0.6 if number % 12 >= 10 else 0.02) if night else 0.35):
            rows.append((opening + int(random.integers(120, 7100)), 0))
    seconds, kinds = zip(*rows, strict=True)
    room = np.where(np.array(kinds) == 0, 0.2, 1.0)
    x, y = 1000 + 950 * room * random.uniform(-1, 1, len(rows)), 500 + 450 * room * random.uniform(-1, 1, len(rows))
    return scene_of(make_incidents(list(seconds), list(kinds), list(x), list(y)), shared=shared)


@pytest.fixture(scope="module")
def city() -> Scene:
    return simulate(600)


# Networks.


def test_model_2_has_the_published_number_of_parameters() -> None:
    network = make_network(WindowArchitecture(network="model2", width=150, height=150))
    assert network.count_parameters() == 3_453_121
    assert network(torch.zeros(2, 3, 150, 150)).shape == (2,)


@pytest.mark.parametrize(("name", "least"), [("model1", 30), ("model2", 46)])
def test_pictures_too_small_for_the_layers(name: str, least: int) -> None:
    smallest = WindowArchitecture(network=name, width=least, height=least)
    assert make_network(smallest)(torch.zeros(1, 3, least, least)).shape == (1,)
    with pytest.raises(ParameterError, match=f"a height of {least - 1} pixels are too small") as refused:
        make_network(WindowArchitecture(network=name, width=200, height=least - 1))
    assert refused.value.parameter == "height"
    assert f"Give {least} or more" in str(refused.value)


def test_published_epochs_and_their_proportion() -> None:
    assert (RECIPES["model1"].epochs, RECIPES["model1"].count_plain(20)) == (20, 20)
    second = RECIPES["model2"]
    assert [second.count_plain(epochs) for epochs in (60, 12, 6, 1)] == [10, 2, 1, 1]


def test_augmentation_moves_pictures_as_a_whole() -> None:
    picture = torch.zeros(1, 3, 40, 60)
    picture[:, :, 10:14, 20:24] = 1
    still = augment(picture, torch.tensor([[[1.0, 0, 0], [0, 1, 0]]]))
    assert torch.allclose(still, picture, atol=1e-5)
    mirrored = augment(picture, torch.tensor([[[-1.0, 0, 0], [0, 1, 0]]]))
    assert torch.allclose(mirrored, picture.flip(3), atol=1e-5)
    transforms = draw_transforms(400, 60, 40, np.random.default_rng(0))
    many = augment(picture.expand(400, -1, -1, -1), transforms)
    area = many[:, 0].sum(dim=(1, 2))
    # Zoomed by up to a tenth along each side: never a piece of the square, never another one beside it.
    assert 9 <= float(area.min()) < 16 < float(area.max()) <= 25
    # Its colours stay what they are.
    assert set(many.unique().tolist()) == {0.0, 1.0}
    assert 0.4 < float((transforms[:, 0, 0] < 0).float().mean()) < 0.6
    assert not torch.allclose(many[0], many[1])


def test_a_turn_keeps_distances_where_sides_differ() -> None:
    turned = draw_transforms(200, 90, 30, np.random.default_rng(1)).numpy()
    # Columns of pixels: a step to the right and one downwards, brought back to pixels of the old picture.
    right = np.hypot(turned[:, 0, 0], turned[:, 1, 0] * 30 / 90)
    down = np.hypot(turned[:, 0, 1] * 90 / 30, turned[:, 1, 1])
    for each in (right, down):
        assert each.min() >= 0.899
        assert each.max() <= 1.101


# Samples.


def test_a_sample_at_random_is_balanced_in_the_published_shares() -> None:
    happened = np.random.default_rng(0).random(20_000) < 0.3
    sample = draw_sample(happened, "random", 420 / 4800, 3)
    with_target = int(happened.sum())
    assert len(sample.window) == len(np.unique(sample.window)) == 2 * with_target
    assert (np.diff(sample.window) > 0).all()
    assert np.array_equal(sample.happened, happened[sample.window])
    for part, share in ((LEARNED, 0.7875), (VALIDATED, 0.0875), (TESTED_ON, 0.125)):
        rows = sample.find(part)
        assert len(rows) / len(sample.window) == pytest.approx(share, abs=1e-3)
        assert sample.happened[rows].mean() == 0.5
    again, other = (draw_sample(happened, "random", 420 / 4800, seed) for seed in (3, 4))
    assert np.array_equal(sample.window, again.window)
    assert np.array_equal(sample.part, again.part)
    assert not np.array_equal(sample.window, other.window)


def test_forward_in_time_the_last_windows_are_tested() -> None:
    happened = np.random.default_rng(0).random(5_000) < np.linspace(0.1, 0.4, 5_000)
    sample = draw_sample(happened, "forward", 420 / 4800, 0)
    learned, validated, tested = (sample.window[sample.find(part)] for part in (LEARNED, VALIDATED, TESTED_ON))
    assert learned.max() < validated.min()
    assert validated.max() < tested.min()
    assert len(tested) == pytest.approx(0.25 * happened.sum(), abs=2)
    for part in (LEARNED, VALIDATED, TESTED_ON):
        assert sample.happened[sample.find(part)].mean() == 0.5


def test_too_few_windows_of_a_class() -> None:
    happened = np.zeros(3000, dtype=bool)
    happened[:39] = True
    with pytest.raises(DataError, match=r"39 of 3,000 windows have a target: 40 are the least") as few:
        draw_sample(happened, "random", 0.1, 0)
    assert few.value.parameter == "targets"
    with pytest.raises(DataError, match=r"39 of 3,000 windows have no target"):
        draw_sample(~happened, "forward", 0.1, 0)


# What is seen.


def test_rows_of_the_same_time_and_place_as_a_target() -> None:
    incidents = make_incidents([600, 600, 600, 660, 900], [0, 2, 1, 2, 2], [10, 10, 20, 10, 10], [5, 5, 5, 5, 5])
    target = incidents.category == 0
    assert find_beside(incidents, target).tolist() == [True, True, False, False, False]
    # By address: the third row names the target's, the second another.
    assert find_beside(incidents, target, np.array([7, 8, 7, 7, 7])).tolist() == [True, False, True, False, False]


def test_a_row_some_seconds_after_a_target_gives_it_away_as_well() -> None:
    incidents = make_incidents([605, 640, 665], [0, 2, 2], [10, 10, 10], [5, 5, 5])
    assert find_beside(incidents, incidents.category == 0).tolist() == [True, True, False]


def test_pictures_show_what_each_rung_allows() -> None:
    # The second window: a shooting, a larceny of the same time and place, another larceny; the first: a stolen car, and
    # a larceny at the very minute at which the second begins.
    seconds = [3600, 7260, 9000, 9000, 12000, 21600]
    x, y = [300, 700, 1500, 1500, 1200, 200], [300, 400, 500, 500, 700, 200]
    incidents = make_incidents(seconds, [1, 2, 0, 2, 2, 2], x, y)
    scene = scene_of(incidents, size=60)
    assert scene.happened.tolist() == [False, True, False]
    drawing, colours = scene.drawing, np.array([RED, RED, BLUE], dtype=np.uint8)

    def draw(rows: list[int]) -> np.ndarray:
        some = incidents.select(np.array(rows))
        return drawing.draw(some.x, some.y, colours[some.category], (some.x >= 1000).astype(np.int64))

    expected = {"all": [1, 2, 3, 4], "without": [1, 3, 4], "apart": [1, 4], "previous": [0]}
    for view, rows in expected.items():
        (picture,) = draw_pictures(scene, np.array([1]), view, JobContext())
        assert np.array_equal(picture, draw(rows)), view
    # Before the first window nothing is known: a map without any dot.
    (nothing,) = draw_pictures(scene, np.array([0]), "previous", JobContext())
    assert np.array_equal(nothing, drawing.base)


def test_looks_at_targets_and_their_colour(city: Scene) -> None:
    sample = draw_sample(city.happened, "random", 0.1, 0)
    happened = sample.happened[sample.tested]
    assert np.array_equal(look_for_targets(city, sample), happened)
    told, least = look_for_colour(city, sample)
    # One red dot is a stolen car in three of ten windows, two are mostly more; which is better is seen in training.
    assert least in (1, 2)
    assert 0.7 < (told == happened).mean() < 1
    own = simulate(600, shared=False)
    told, least = look_for_colour(own, draw_sample(own.happened, "random", 0.1, 0))
    assert least == 1
    assert (told == happened).all()


def test_the_clock_tells_shootings_at_night() -> None:
    scene = simulate(2400, night=True)
    sample = draw_sample(scene.happened, "forward", 0.1, 0)
    right = look_at_clock(scene, sample, 0) == sample.happened[sample.tested]
    assert right.mean() > 0.85
    other = simulate(2400)
    sample = draw_sample(other.happened, "forward", 0.1, 0)
    right = look_at_clock(other, sample, 0) == sample.happened[sample.tested]
    assert 0.35 < right.mean() < 0.65


def test_an_accuracy_has_an_interval_over_weeks() -> None:
    random = np.random.default_rng(0)
    week = np.repeat(np.arange(100), 10)
    found = compute_accuracy(random.random(1000) < 0.7, week)
    assert found.low < 0.7 < found.high
    # As wide as that of independent windows, where they are: 2 × 1.96 × the root of .7 × .3 ÷ 1000.
    assert found.high - found.low == pytest.approx(0.0568, rel=0.25)
    always = compute_accuracy(np.ones(1000, dtype=bool), week)
    assert always.mean == always.high == 1
    assert 0.99 < always.low < 1
    # Of a single week, 20 of 20 windows: the exact limit is the 20th root of .025.
    short = compute_accuracy(np.ones(20, dtype=bool), np.zeros(20, dtype=np.int64))
    assert short.low == pytest.approx(0.8316, abs=1e-4)


# Training.


def test_a_network_learns_to_see_the_targets(tmp_path: Path) -> None:
    scene = simulate(1000, shared=False)
    sample = draw_sample(scene.happened, "random", 0.1, 0)
    pictures = draw_pictures(scene, sample.window, "all", JobContext())
    trained = train_network(pictures, sample, SMALL, 8, 0, JobContext())
    score = compute_scores(trained.network, pictures, sample.tested)
    assert ((score > 0.5) == sample.happened[sample.tested]).mean() > 0.9
    curves = trained.curves
    assert len(curves.loss) == len(curves.validation) == len(trained.accuracy) == curves.best_epoch == 8
    assert curves.loss[-1] < curves.loss[0] < 0.72
    card = WindowCard(
        name="net", architecture=SMALL, hours=2, targets=["SHOOTING"], crs="EPSG:32618", extent=(0, 0, 2000, 1000),
        first="2024-01-01T00:01:00", end="2024-03-01T00:01:00", split="random", share=0.1, epochs=8, seed=0,
        versions=list_versions(),
    )  # fmt: skip
    path = tmp_path / "net.crimewindow"
    WindowModel(trained.network, card).save(path)
    model = WindowModel.load(path)
    assert model.card == card
    probability = model.predict(pictures[:50])
    known = compute_scores(trained.network, pictures, np.arange(50))
    # A window with a target is nine times as rare as the network learned.
    assert np.allclose(probability / (1 - probability), known / (1 - known) / 9, rtol=1e-4)
    with pytest.raises(ParameterError, match=r"pictures of 30 × 30 pixels, and these are 30 × 20"):
        model.predict(pictures[:, :20])
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(FormatError, match="network for window maps"):
        WindowModel.load(path)


def test_the_same_seed_gives_the_same_network(city: Scene) -> None:
    architecture = WindowArchitecture(network="model2", width=46, height=46)
    scene = city if city.drawing.size == (46, 46) else scene_of(city.incidents, size=46)
    sample = draw_sample(scene.happened, "random", 0.1, 0)
    pictures = draw_pictures(scene, sample.window, "all", JobContext())
    # Two epochs: the second one is augmented.
    one, two, other = (train_network(pictures, sample, architecture, 2, seed, JobContext()) for seed in (0, 0, 1))
    assert one.curves.loss == two.curves.loss
    assert one.curves.loss != other.curves.loss
    weights = zip(one.network.parameters(), two.network.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in weights)


def test_the_tested_windows_are_never_looked_at_in_training(city: Scene) -> None:
    sample = draw_sample(city.happened, "forward", 0.1, 0)
    pictures = draw_pictures(city, sample.window, "all", JobContext())
    known = train_network(pictures, sample, SMALL, 1, 0, JobContext())
    pictures[sample.tested] = 0
    blind = train_network(pictures, sample, SMALL, 1, 0, JobContext())
    weights = zip(known.network.parameters(), blind.network.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in weights)
    assert known.curves.validation == blind.curves.validation


def test_training_can_be_cancelled(city: Scene) -> None:
    sample = draw_sample(city.happened, "random", 0.1, 0)
    pictures = draw_pictures(city, sample.window, "all", JobContext())
    stop = threading.Event()

    def hear(share: float, text: str) -> None:
        if "epoch 2" in text:
            stop.set()

    with pytest.raises(Cancelled):
        train_network(pictures, sample, SMALL, 50, 0, JobContext(hear, None, stop))


# The study.


def test_the_ladder_has_every_rung_both_ways() -> None:
    scene = simulate(350, shared=False)
    study = run_study(scene, Plan(SMALL, 1, "random", 0, 1), JobContext())
    assert [(each.split, each.key) for each in study.rungs] == [
        (split, key)
        for split in ("random", "forward")
        for key in ("point", "red", "all", "without", "apart", "clock", "previous")
    ]
    for split in ("random", "forward"):
        rungs = {key: study.find_rung(key, split) for key in RUNGS}
        assert rungs["point"].accuracy.mean == rungs["red"].accuracy.mean == 1
        # All are asked of the same windows.
        assert len({len(each.right) for each in rungs.values()}) == 1
        assert len({each.week.tobytes() for each in rungs.values()}) == 1
    # That one has been trained already.
    assert study.find_rung("all") is study.main.rung
    assert study.find_rung("all", "forward") is not study.main.rung
    told = study.count_told()
    assert sum(told.values()) == len(study.main.rung.right)
    assert told[True, True] + told[False, False] == int(study.main.rung.right.sum())


def test_a_study_without_a_ladder(city: Scene) -> None:
    study = run_study(city, Plan(SMALL, 1, "forward", 0), JobContext())
    assert study.rungs == []
    assert study.find_rung("previous") is None
    first, end = study.learned_span
    windows = city.windows
    assert windows.starts[0] <= first < end <= windows.starts[study.main.sample.window[study.main.sample.tested]].min()


def test_pictures_are_refused_before_any_work(city: Scene) -> None:
    small = WindowArchitecture(network="model2", width=30, height=30)
    with pytest.raises(CrimeRiskError, match="too small for the layers"):
        run_study(city, Plan(small, 1, "random", 0), JobContext())
