"""What an outcome of an incident is predicted from, by which models, and what may be shown of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from .texts import tr

#: Groups of features, in the order in which they are added one by one.
OutcomeGroup = Literal["category", "description", "location", "domestic", "time", "place", "weather", "census", "other"]
GROUPS: Mapping[OutcomeGroup, str] = {
    "category": tr("Category"),
    "description": tr("Description"),
    "location": tr("Kind of location"),
    "domestic": tr("Domestic"),
    "time": tr("Time"),
    "place": tr("Place"),
    "weather": tr("Weather"),
    "census": tr("Census"),
    "other": tr("Other fields"),
}
#: Whose rows a figure is of: all; those that victims or others reported; of these, without descriptions that are
#: outcomes by definition, and without officers as victims.
Reported = Literal["all", "victims", "strict"]
#: How rows are shared out to learn from and to test.
OutcomeSplit = Literal["random", "forward", "incident", "blocks"]
#: Roles of fields whose values are texts.
TextRole = Literal["category", "description", "location", "domestic", "area", "block", "incident"]


@dataclass(frozen=True)
class OutcomeRecord:
    """What is said of one outcome model.

    Attributes
    ----------
    title, summary : str
    place : str
        ``module:Class`` within `riskengine.systems.outcomes.models`, imported on demand.
    groups : tuple of OutcomeGroup
        What it reads at most.
    simple : bool
        A table of rates, which every other model must beat.
    """

    title: str
    summary: str
    place: str
    groups: tuple[OutcomeGroup, ...]
    simple: bool = False


_FIELDS: tuple[OutcomeGroup, ...] = tuple(GROUPS)
#: In the order of the integers of choices, for ever: a new one goes last.
MODELS: Mapping[str, OutcomeRecord] = {
    "rate": OutcomeRecord(
        tr("Rate of the category"),
        tr("The smoothed share of incidents of the category with the outcome."),
        "tables:RateTable",
        ("category",),
        simple=True,
    ),
    "rate_description": OutcomeRecord(
        tr("Rate of category and description"),
        tr("The same of category and description, drawn towards the category's."),
        "tables:DescriptionTable",
        ("category", "description"),
        simple=True,
    ),
    "rate_location": OutcomeRecord(
        tr("Rate of category, description and location"),
        tr("The same of category, description and kind of location, drawn towards the one before."),
        "tables:LocationTable",
        ("category", "description", "location"),
        simple=True,
    ),
    "logistic": OutcomeRecord(
        tr("Logistic regression"), tr("A sum of parts, one for each value of each field."), "logistic:Logistic", _FIELDS
    ),
    "boosting": OutcomeRecord(
        tr("Boosted trees"),
        tr("Many small decision trees, which take categories as they are; without coordinates."),
        "boosting:Boosting",
        _FIELDS,
    ),
    "boosting_place": OutcomeRecord(
        tr("Boosted trees with coordinates and past local rate"),
        tr("Boosted trees that also read coordinates and the outcomes of earlier incidents nearby."),
        "boosting:BoostingPlace",
        _FIELDS,
    ),
    "network": OutcomeRecord(
        tr("Published network"),
        tr("Two hidden layers of 200 with dropout, trained ten epochs, as published."),
        "network:PublishedNetwork",
        _FIELDS,
    ),
    "gbm": OutcomeRecord(
        tr("Published boosting"), tr("Ten trees of depth six, as published."), "gbm:PublishedBoosting", _FIELDS
    ),
    "ensemble": OutcomeRecord(tr("Ensemble"), tr("The mean of several models' logits."), "ensemble:Ensemble", _FIELDS),
}
#: The model where none is chosen, and the table that it must beat.
DEFAULT_MODEL, REFERENCE_TABLE = "boosting_place", "rate_location"
#: A smoothed rate is drawn towards its parent's as if by so many incidents more.
SMOOTHING = 20.0
#: A description with so large a share of the outcome, in this many incidents at least, is one by definition.
BY_DEFINITION, BY_DEFINITION_LEAST = 0.95, 30
#: Leaks that a training reads only if asked to; the minute and fields of people have switches of their own.
ReadableLeak = Literal["outcome_field", "outcome_text", "rows", "by_definition", "found_by_police"]
READABLE_LEAKS: Mapping[ReadableLeak, str] = {
    "outcome_field": tr("Other fields that say the outcome"),
    "outcome_text": tr("Descriptions that say the outcome in words"),
    "rows": tr("How many rows an incident has"),
    "by_definition": tr("Descriptions that are outcomes by definition, in strict figures and on the map"),
    "found_by_police": tr("Categories that police discover, on the map"),
}
#: Areas and blocks: shown at all, compared, and how many outcomes are hidden when publishing.
SHOWN_LEAST, COMPARED_LEAST, HIDDEN_BELOW = 30, 100, 5
#: Classes of the map, as published: above the one, below the other.
LIKELY, UNLIKELY = 0.8, 0.2
#: How an area's rate compares with what the categories reported there have elsewhere; in the order of a legend.
AREA_LABELS: Mapping[str, str] = {
    "above": tr("More than its categories lead to expect"),
    "expected": tr("No difference can be told"),
    "below": tr("Less than its categories lead to expect"),
    "few": tr("Too few incidents to compare"),
    "hidden": tr("Too few incidents for a rate"),
}
OutcomeClass = Literal["likely", "between", "unlikely"]
#: In the order in which they are drawn, the last on top.
CLASSES: tuple[OutcomeClass, ...] = ("unlikely", "between", "likely")
