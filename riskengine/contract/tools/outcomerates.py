"""The tool Outcome rates, of the group Outcomes: which incidents have an outcome, how often, and where."""

from __future__ import annotations

from typing import Annotated

from ..texts import tr
from .base import Output, Shown
from .kinds import Fields, FileDestination, VectorDestination
from .outcomes import HasAreas, ReadsOutcomes, RefusesIncidents
from .shared import CSV, HTML, OUTCOMES

#: What the layer says of each area, of all incidents; the same of those that victims reported follows.
_OF_AREAS: Fields = {
    "incidents": "integer",
    "outcomes": "integer",
    "rate": "real",
    "rate_low": "real",
    "rate_high": "real",
    "expected": "real",
    "difference": "real",
    "differ_low": "real",
    "differ_high": "real",
    "label": "text",
}


class OutcomeRates(HasAreas, ReadsOutcomes, RefusesIncidents):
    ID = "outcomerates"
    JOB = "outcome_rates"
    TITLE = tr("Outcome rates")
    GROUP = OUTCOMES
    TAGS = (
        "outcome,arrest,clearance,resolution,solved,rate,share,table,chart,category,description,area,map,open cases,"
        "maturity,censoring,duplicates,published"
    )
    SUMMARY = tr(
        "Shows how often incidents have an outcome, such as an arrest: by category, place and time, and where."
    )
    HELP = tr("""
Which values of the outcome field count is proposed from the values, or said by you; the log and the report always show
it. Every figure comes twice: of all incidents, and of those that victims or others reported. What police find
themselves, such as narcotics, is mostly an arrest from the first moment.

Each rate has a 95 % interval, and a shrunk rate beside it, drawn towards that of its category or of all as if by 20
incidents more: of few incidents it is the better guess. The chart shows each category's rate beside its share of all
incidents, as published.

Areas differ in what is reported there. So the map compares each area's rate with the one that its categories and
descriptions have in the whole layer: only the difference is the area's. From 30 incidents on a rate is shown, from 100
on a difference.

Outcomes come days to months after an incident, so rates fall toward a file's end, and that is not a fall. The report
shows rates by the age of the case and proposes a maturity: days that a training should leave out. Files too short to
show it say so.

Exact duplicates and several rows of one incident are found and said, and become one row where you ask for it.
""")
    PROGRESS = (5.0, 95.0)
    OUTPUTS = (
        Output("COUNT", "incidents", tr("Incidents with a known outcome")),
        Output("OUTCOME_COUNT", "outcomes", tr("Of these with the outcome")),
        Output("RATE", "rate", tr("Rate")),
        Output("RATE_VICTIMS", "rate_victims", tr("Rate, reported by victims or others")),
        Output("FOUND_SHARE", "found_share", tr("Share of the incidents that police found")),
        Output("FOUND_OUTCOMES", "found_outcomes", tr("Share of the outcomes that these have")),
        Output("RECENT_RATIO", "recent_ratio", tr("Observed ÷ expected of the last four weeks, −1 if unknown")),
        Output("PROPOSED_MATURITY", "maturity", tr("Proposed maturity [days], −1 if unknown")),
        Output("DUPLICATES", "duplicates", tr("Rows that repeat another one exactly")),
        Output("VALUES", "values", tr("Values that count"), "text"),
        Output("HEADLINE", "headline", tr("The rates in a sentence"), "text"),
    )

    rates: Annotated[
        str | None,
        VectorDestination(
            "none",
            {
                "rows": "text",
                "by": "text",
                "parent": "text",
                "value": "text",
                "incidents": "integer",
                "outcomes": "integer",
                "rate": "real",
                "low": "real",
                "high": "real",
                "shrunk": "real",
                "share": "real",
            },
            style="outcome_rates",
            abstract="headline",
        ),
        Shown(
            tr("Rates"),
            tr(
                "A table: by category, description, kind of location, area, hour, month and rows of an incident, of "
                "all incidents and of victims' reports."
            ),
        ),
    ] = None
    by_area: Annotated[
        str | None,
        VectorDestination(
            "any",
            {
                "id": "text",
                "name": "text",
                **_OF_AREAS,
                **{f"victims_{name}": kind for name, kind in _OF_AREAS.items()},
            },
            style="outcome_areas",
            abstract="headline",
        ),
        Shown(
            tr("Rates by area"),
            tr(
                "Of each area observed and expected rate and their difference with 95 % intervals; the map shows the "
                "difference of what victims reported. Not made where incidents have neither areas nor places."
            ),
            name="BY_AREA",
        ),
    ] = None
    report: Annotated[
        str | None,
        FileDestination(filter=HTML),
        Shown(
            tr("Report"),
            tr("One HTML file: the published chart, rates with intervals, the map by area, and open cases."),
        ),
    ] = None
    csv: Annotated[
        str | None,
        FileDestination(filter=CSV),
        Shown(tr("Table of all figures"), tr("The same rates, areas and open cases as text."), name="TABLE"),
    ] = None
