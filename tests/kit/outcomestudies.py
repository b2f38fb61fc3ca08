"""A study of outcome models whose figures a test chooses, so that what a page says of them can be checked by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from riskengine.contract.outcomes import GROUPS, MODELS, OutcomeGroup, OutcomeSplit, Reported
from riskengine.measures.clustered import Interval
from riskengine.systems.outcomes.groups import DAY_NUMBER, SHUFFLED, SHUFFLED_WITHOUT_PLACE, WITHOUT_PLACE
from riskengine.systems.outcomes.judged import AreaOutcomes, Leak, OutcomeStudy, Score, Step

#: AUC and log-loss of all reports, and of what victims reported, forward in time.
REACHED = {
    "rate": (0.806, 0.3256, 0.658, 0.231),
    "rate_description": (0.888, 0.2690, 0.789, 0.212),
    "rate_location": (0.897, 0.2590, 0.806, 0.205),
    "logistic": (0.894, 0.2630, 0.799, 0.208),
    "boosting_place": (0.903, 0.2520, 0.817, 0.199),
    "network": (0.888, 0.2691, 0.790, 0.212),
}
ROWS, VICTIMS, BASE, VICTIMS_BASE = 32_000, 26_240, 0.200, 0.1146


def spread(mean: float, reach: float) -> Interval:
    """An interval as wide on both sides."""
    return Interval(mean, mean - reach, mean + reach)


def make_score(model: str, split: OutcomeSplit, reported: Reported) -> Score:
    """A score of `REACHED`; of the strict choice, AUC and log-loss of victims' reports a little worse."""
    auc, loss, auc_victims, loss_victims = REACHED[model]
    if reported != "all":
        auc, loss = auc_victims, loss_victims
    if reported == "strict":
        auc, loss = auc - 0.03, loss - 0.01
    within = 0.5 if model == "rate" else auc - 0.143
    figures = {
        "auc": spread(auc, 0.004),
        "log_loss": spread(loss, 0.003),
        "brier": spread(loss / 3.4, 0.001),
        "average_precision": spread(auc - 0.15, 0.008),
        "ece": spread(0.018, 0.003),
        "ece_shifted": spread(0.007, 0.003),
        "ece_oracle": spread(0.005, 0.002),
        "within_category_auc": spread(within, 0.008),
    }
    rows, base = {"all": (ROWS, BASE), "victims": (VICTIMS, VICTIMS_BASE), "strict": (20_000, 0.079)}[reported]
    return Score(model, split, reported, rows, base, figures, -0.11)


def make_steps() -> list[Step]:
    """The first groups help, weather hurts, census is mostly a label of the place."""
    added = (-0.0810, -0.0566, -0.0100, -0.0009, -0.0012, -0.0035, 0.0012, -0.0005)
    top = (-0.0210, -0.0190, -0.0081, -0.0004, -0.0009, -0.0031, 0.0010, -0.0003)
    reach = (0.003, 0.003, 0.001, 0.0012, 0.0005, 0.0008, 0.0009, 0.0008)
    steps, loss = [], 0.42
    groups: Sequence[OutcomeGroup] = tuple(GROUPS)[:8]
    for group, first, last, wide in zip(groups, added, top, reach, strict=True):
        loss += first
        steps.append(Step(group, "added", "", "forward", spread(first, wide), loss, 0.9))
        steps.append(Step(group, "left_out", "", "forward", spread(last, wide), 0.252 - last, 0.9))
    controls: tuple[tuple[OutcomeGroup, str, float], ...] = (
        ("weather", DAY_NUMBER, 0.0008),
        ("census", SHUFFLED, -0.0004),
        ("census", WITHOUT_PLACE, -0.0035),
        ("census", SHUFFLED_WITHOUT_PLACE, -0.0018),
    )
    return steps + [Step(g, "control", name, "forward", spread(d, 9e-4), 0.2528, 0.9) for g, name, d in controls]


def make_leaks(names: Sequence[str]) -> list[Leak]:
    """One of each kind; the categories that police found are `names`."""
    nan = math.nan
    return [
        Leak("outcome_field", ("Resolution",), 1.0, 156_385, True, "Resolution says the outcome itself"),
        Leak("minute", ("Date",), 0.63, 156_385, True, "The recorded minute tells arrests from reports"),
        Leak("rows", ("IncidntNum",), 0.845, 12_000, True, "Incidents with more rows have more arrests"),
        Leak("by_definition", ("POSS: HEROIN(WHITE)",), 0.05, 2_100, False, "1 description is the outcome"),
        Leak("found_by_police", tuple(names), 0.53, 28_000, False, "Nobody reports these"),
        Leak("person", ("AGE",), nan, 156_385, True, "Fields that describe people are not read"),
        Leak("duplicates", (), 0.134, 3_319, False, "3,319 rows are exact duplicates"),
    ]


def make_areas(reported: Reported, names: Sequence[str], seed: int = 1) -> AreaOutcomes:
    """An area for each name, the first with too few reports to be compared; probabilities have hardship in them."""
    random = np.random.default_rng(seed)
    number = len(names)
    rows = random.integers(150, 900, number)
    rows[0] = 60
    predicted = random.uniform(0.12, 0.3, number)
    observed = predicted + random.normal(0, 0.02, number)
    reach = np.where(rows < 100, np.nan, 1.96 * np.sqrt(observed * (1 - observed) / rows))
    left = observed - predicted
    indicator = np.round(predicted * 300 + random.normal(0, 10, number))
    indicator[1] = np.nan
    correlation = Interval(0.60, 0.43, 0.72), Interval(0.05, -0.18, 0.27)
    return AreaOutcomes(names, rows, observed, predicted, left - reach, left + reach, reported, indicator, *correlation)


FOUND = ("NARCOTICS", "PROSTITUTION")


def make_study(found: Sequence[str] = FOUND, areas: Sequence[str] | None = None) -> OutcomeStudy:
    """A study like one of Chicago's reports of January to August 2018.

    Parameters
    ----------
    found : sequence of str
        Categories that police found.
    areas : sequence of str, optional
        Names; by default 77 numbered ones.
    """
    splits: tuple[OutcomeSplit, ...] = ("random", "forward")
    whose: tuple[Reported, ...] = ("all", "victims", "strict")
    names = [f"Area {number}" for number in range(1, 78)] if areas is None else areas
    table = "rate_location"
    rate = np.linspace(0.05, 0.95, 10)
    return OutcomeStudy(
        "boosting_place",
        table,
        [make_score(model, split, reported) for model in REACHED for split in splits for reported in whose],
        {
            (model, split, reported): spread(losses[index] - REACHED[table][index], 0.0011)
            for model, losses in REACHED.items()
            for split in splits
            for index, reported in ((1, "all"), (3, "victims"), (3, "strict"))
        },
        make_steps(),
        make_leaks(found),
        [make_areas("all", names), make_areas("victims", names, 2)],
        "2018-06-26",
        "2018-01-01",
        "2018-08-08",
        {"forward": 119_000, "random": 125_108},
        {"forward": ROWS, "random": 31_277},
        28,
        {"raw": (rate, rate * 0.94), "shifted": (rate, np.clip(rate * 0.99, 0, 1))},
        ["Times are read from Date, such as 01/01/2018 12:00:00 AM"],
        {name: 0.1 + number for number, name in enumerate(MODELS) if name in REACHED},
    )
