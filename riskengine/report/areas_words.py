"""What the report of the published study of area hotspots says, in words."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..contract.choices import StudyClassifier
from ..contract.texts import count_text
from ..contract.tools.areahotspots import CLASSIFIERS
from ..systems.areas.study import Study
from .words import format_figure


@dataclass(frozen=True)
class RungWords:
    """What one rung of the ladder is.

    Attributes
    ----------
    title : str
    why : str
        One sentence.
    control : bool
        It knows nothing that a forecast should need.
    """

    title: str
    why: str
    control: bool = False


RUNGS = {
    "published": RungWords("As published", "All leaks open."),
    "scaler": RungWords(
        "Scaled by the months learned from", "Published: scaled anew by the mean and spread of the test."
    ),
    "best": RungWords("Scaled or unscaled, chosen on the months learned from", "Published: the better of both tests."),
    "filling": RungWords("Gaps in mobility filled from earlier months", "Published: from later ones."),
    "smoothed": RungWords(
        "Density without exact repeats",
        "Published: the density counts how often this very coordinate occurred, and has one value on all others.",
    ),
    "year": RungWords(
        "Places without an incident: cells empty in the twelve months before",
        "Known beforehand, but such cells stay empty: easier than the question.",
    ),
    "month": RungWords("Places without an incident: cells empty in the month before", "Known beforehand."),
    "anywhere": RungWords("Places without an incident: anywhere", "Drawn without a look at any incident."),
    "known": RungWords(
        "Places without an incident: coordinates of earlier ones", "Both kinds of places then look alike."
    ),
    "covariates": RungWords("Covariates alone, no density", "What is known of each area, and nothing of incidents."),
    "random": RungWords(
        "Control: random numbers in place of the covariates, no density",
        "They say nothing of an area; they tell it apart from all others.",
        control=True,
    ),
    "closed": RungWords("Without any leak", "All of the choices above that a forecast could make."),
    "rule": RungWords(
        "Control: this exact coordinate occurred before",
        "No learning: places of incidents are snapped to shared points, and drawn ones hardly ever fall on one.",
        control=True,
    ),
    "rates": RungWords(
        "Plain rates", "Each cell’s share of past months with an incident, a little shrunk towards the mean."
    ),
}


def name_classifier(classifier: StudyClassifier) -> str:
    """Name a classifier as the dialog does."""
    return CLASSIFIERS.titles[classifier]


def describe_study(study: Study) -> str:
    """Say what was asked, of how many incidents, and when: the sentence that the report opens with."""
    inputs, tests = study.inputs, study.tests
    first, last = (inputs.name_month(int(month)) for month in (tests[0], tests[-1]))
    when = first if first == last else f"{first} to {last}"
    tested = int((inputs.month >= tests[0]).sum())
    return (
        f"Which places will have an incident next month? Asked as a published study of London asked it, of"
        f" {count_text(tested, 'incident')} in {count_text(len(inputs.areas.ids), 'area')}, {when}; each month is"
        " forecast from the twelve before."
    )


def describe_verdict(study: Study) -> str:
    """Say what the published figures rest on, for readers who know no statistics."""
    run = study.first
    told = f"{format_hundred(run.mean('accuracy'))} of 100 sampled places were told right"
    if not study.rungs:
        return (
            f"{told} (AUC {format_figure(run.mean('auc'))}). How much of that rests on leaks only the ladder shows:"
            " switch it on."
        )
    auc = {rung.key: rung.run.mean("auc") for rung in study.rungs}
    cells = {rung.key: rung.run.mean("cells_auc") for rung in study.rungs}
    published = study.find_rung("published")
    assert published is not None
    text = (
        f"The published way tells {format_hundred(published.mean('accuracy'))} of 100 sampled places right (AUC"
        f" {format_figure(auc['published'])}). {_explain_leaks(auc)} Without its leaks the AUC is"
        f" {format_figure(auc['closed'])}, where a coin has 0.5."
    )
    return f"{text} {_compare_rates(cells)}"


def _explain_leaks(auc: dict[str, float]) -> str:
    """What does as well without knowing anything: the nearer it comes to what was published, the less that means."""
    gained = auc["published"] - 0.5
    random = auc["random"] - 0.5 > 0.8 * gained
    rule = auc["rule"] >= auc["published"]
    numbers = f"with random numbers in place of all it knows of the areas it has {format_figure(auc['random'])}"
    known = (
        "the rule that an incident happens where one was reported before at this exact coordinate has"
        f" {format_figure(auc['rule'])}"
    )
    if random and rule:
        return f"That is mostly not foresight: {numbers}, and {known}."
    if random or rule:
        return f"That is partly not foresight: {numbers if random else known}; {known if random else numbers}."
    return f"Of the controls, {numbers}, and {known}."


def _compare_rates(cells: dict[str, float]) -> str:
    published, rates = cells["published"], cells["rates"]
    asked = (
        f"Asked about every 500 m cell, as a plan for patrols must, the published way has {format_figure(published)}"
        f" and each cell’s plain past rate {format_figure(rates)}"
    )
    if not math.isfinite(published - rates):
        return f"{asked}."
    better = "forecast with rates" if rates > published else "here the study’s way does better than rates"
    return f"{asked}: {better}."


def format_hundred(share: float) -> str:
    """Format a share as so many of 100."""
    return f"{100 * share:.0f}" if math.isfinite(share) else "–"
