"""Figures of reports have the very colours of the layers in QGIS, as the styles' files say them."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from kit.maps import make_stack
from kit.pages import read_figure
from matplotlib.image import imread

from riskengine.contract.colours import LABELS, RAMP, SCORE_LIMITS, list_count_steps, list_shades
from riskengine.evaluation.judging import judge_fitted
from riskengine.forecasters.baselines import ConstantForecaster, PriorCounts
from riskengine.report import backtest_maps, place_figures, score_figures
from riskengine.report.figures import RISK_COLOURS
from riskengine.systems.score.study import HeldOut

STYLES = Path(__file__).resolve().parents[3] / "resources" / "styles"
OUTSIDE = {"#ffffff", "#d9d9d9"}


def read_symbols(style: str) -> list[str]:
    """Read the fill of each symbol of a style, #rrggbb, in their order."""
    tree = ElementTree.parse(STYLES / f"{style}.qml")
    symbols = sorted(tree.findall(".//renderer-v2/symbols/symbol"), key=lambda each: int(each.get("name", "")))
    colours = [symbol.find("layer/Option/Option[@name='color']").get("value", "") for symbol in symbols]  # type: ignore[union-attr]
    return ["#{:02x}{:02x}{:02x}".format(*map(int, colour.split(",")[:3])) for colour in colours]


def read_categories(style: str) -> dict[str, str]:
    """Read the colours of a style's categories by their value."""
    tree = ElementTree.parse(STYLES / f"{style}.qml")
    colours = read_symbols(style)
    categories = tree.findall(".//renderer-v2/categories/category")
    return {each.get("value", ""): colours[int(each.get("symbol", ""))] for each in categories}


def list_pixels(link: str) -> set[str]:
    """List the opaque colours of all pictures in a figure."""
    pictures = re.findall(r"data:image/png;base64,\s*([A-Za-z0-9+/=\s]+)", read_figure(link))
    assert pictures
    found: set[str] = set()
    for picture in pictures:
        pixels = np.rint(255 * imread(io.BytesIO(base64.b64decode(picture)))).astype(int).reshape(-1, 4)
        found |= {"#{:02x}{:02x}{:02x}".format(*pixel[:3]) for pixel in np.unique(pixels[pixels[:, 3] == 255], axis=0)}
    return found


def test_scores_are_drawn_in_the_classes_of_their_layers() -> None:
    score = np.repeat([0.1, 0.3, 0.5, 0.7, 0.9], 20)
    block = np.repeat(np.arange(5), 20)
    corner = np.column_stack((1000.0 * np.arange(5), np.zeros(5)))
    held_out = HeldOut(np.arange(100), score, score, score, score, block, corner, 1000.0, np.ones(100, bool))
    classes = read_symbols("scores")
    assert len(classes) == len(SCORE_LIMITS) - 1
    shown = list_pixels(score_figures.draw_score_map(held_out, np.full(5, 20)))
    assert shown - OUTSIDE == set(classes)
    assert read_symbols("score_queries")[1:] == classes


def test_counts_and_risk_go_up_the_same_ramp() -> None:
    classes = read_symbols("scores")
    assert [*RAMP[:5]] == classes
    drawn, cell = place_figures.draw_counts_map(np.array([0.0, 300.0, 310.0]), np.array([0.0, 0.0, 5.0]), 250.0)
    steps, _ = list_count_steps(2)
    assert (list_pixels(drawn) - OUTSIDE, cell) == (set(list_shades(len(steps))), 250.0)
    ends = [RISK_COLOURS(end, bytes=True) for end in (0.0, 1.0)]
    assert ["#{:02x}{:02x}{:02x}".format(*end[:3]) for end in ends] == [RAMP[0], RAMP[-1]]


def test_dots_and_labels_have_the_colours_of_hits() -> None:
    rate = np.random.default_rng(3).gamma(0.4, 0.5, (7, 8))
    judged = judge_fitted(
        [PriorCounts(), ConstantForecaster()],
        make_stack(np.random.default_rng(4).poisson(rate, (60, 7, 8)).astype(np.uint8)),
        40,
    )
    hits = read_categories("hits")
    assert set(hits) == {"correct", "false negative", "false negative, neighbour"}
    assert hits == {name: LABELS[name] for name in hits}
    labels = judged.label_cells()
    place = int(np.argmax([len(np.unique(each)) for each in labels]))
    drawn = backtest_maps.draw_maps(judged, {"typical": place}, labels)["typical"]["figure"]
    happened = set(np.unique(labels[place])) & {1, 2, 3}
    assert len(happened) == 3
    assert {colour for colour in LABELS.values() if f"fill: {colour}" in read_figure(drawn)} == set(hits.values())
    shown = list_pixels(backtest_maps.draw_label_map(judged, labels, place))
    assert set(hits.values()) <= shown
    assert shown - {backtest_maps.COLOURS[0]} <= set(LABELS.values())


@pytest.mark.parametrize(
    ("highest", "said"),
    [(1, ["1"]), (2, ["1", "2"]), (16, ["1", "2", "3 – 4", "5 – 8", "9 – 16"]), (5000, None)],
)
def test_steps_of_counts_end_at_the_highest(highest: int, said: list[str] | None) -> None:
    steps, labels = list_count_steps(highest)
    assert (steps[-1], len(labels)) == (highest, len(steps))
    assert labels == said if said else labels[-1] == "596 – 5,000"
