"""The tools of the group Early warning that warn of events before their window has begun, and count false alarms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any

from ..forecasters import DEFAULT_WARNING, FORECASTERS, GRID
from ..texts import list_names, tr
from ..warnings import HOURS_OF_WEEK, BudgetKind, is_window
from .base import QGIS_ONLY, Limits, Output, Problem, Shown
from .forecast import HELD_OUT
from .kinds import Choice, Field, Fields, File, FileDestination, LayerName, Text, Units, VectorDestination, find_ending
from .shared import (
    ABOVE_ZERO,
    CSV,
    FORECAST_MODEL,
    HTML,
    REFUSED_COUNT,
    WARNINGS,
    ReadsIncidents,
    RefusesFeatures,
    WorksInMetres,
    list_fields_of_none,
)

#: Hours of a window, and where in the week one begins.
WINDOW, BEGIN = Limits(1, HOURS_OF_WEEK), Limits(0, HOURS_OF_WEEK - 1)
#: A warning is made at most four weeks ahead, and incidents are known at the latest after a year.
LEAD, DELAY = Limits(0, 4 * HOURS_OF_WEEK), Limits(0, 365 * 24)
#: Windows that one run warns of.
NEXT = Limits(1, 1000)

#: What limits the alarms, in the order of their integers.
BUDGET_KINDS = Choice(
    {
        "share": tr("Per cent of all windows and areas"),
        "week": tr("Alarms a week"),
        "cost": tr("Cost of a missed event, in false alarms"),
    }
)
#: What a warning model is where its kind is left to the data.
AUTOMATIC = "auto"
_ENTRANTS = {
    name: record.title for name, record in FORECASTERS.items() if not (record.network and GRID in record.needs)
}
#: Kinds of warning models, in the order of their integers: all forecasters that work in areas.
WARNING_KINDS = Choice({AUTOMATIC: tr("Chosen on past windows"), **_ENTRANTS})
#: The same for a test of several.
WARNING_MODELS = Choice(_ENTRANTS)

#: A unit and window that a warning is about.
_WINDOW_FIELDS: Fields = {
    "id": "text",
    "name": "text",
    "start": "datetime",
    "end": "datetime",
    "probability": "real",
}


class ReadsEvents(WorksInMetres, ReadsIncidents, RefusesFeatures):
    """Incidents with their categories and places, and the areas that are warned of; without any the whole city."""

    category_field: Annotated[
        str, Field("incidents"), QGIS_ONLY, Shown(tr("Category field"), tr("What happened, such as SHOOTING."))
    ] = "category"
    end_field: Annotated[
        str | None,
        Field("incidents"),
        QGIS_ONLY,
        Shown(
            tr("Field of the end"),
            tr("Where it is known only between when it happened: how many span several windows is said in the log."),
            advanced=True,
        ),
    ] = None
    place_field: Annotated[
        str | None,
        Field("incidents"),
        QGIS_ONLY,
        Shown(
            tr("Field of the address"),
            tr(
                "Victims are often rows of their own. Rows of one time and one address are one event; left empty, rows "
                "of one time and one point."
            ),
        ),
    ] = None
    areas: Annotated[
        str | None,
        Units(),
        Shown(
            tr("Areas"),
            tr("Polygons to warn of, such as districts, in any CRS. Left empty, the whole city is one area."),
        ),
    ] = None
    area_id: Annotated[
        str | None,
        Field("areas"),
        QGIS_ONLY,
        Shown(
            tr("Field of the areas' ids"),
            tr("What tells them apart, such as a code. Left empty, areas are called by the number of their feature."),
        ),
    ] = None
    area_name: Annotated[
        str | None,
        Field("areas"),
        QGIS_ONLY,
        Shown(tr("Field of the areas' names"), tr("What people call them. Left empty, their ids.")),
    ] = None

    source: Annotated[str, LayerName("incidents")] = ""

    @classmethod
    def list_problems(cls, given: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield fields of areas that are not there."""
        yield from super().list_problems(given)
        yield from list_fields_of_none(given)


def list_window_problems(given: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield windows that do not fill a day or a week."""
    if not is_window(given["window"]):
        yield Problem(
            "window",
            tr(
                "{window} is {value}, which is no part of a day and no number of whole days. Give 1, 2, 3, 4, 6, 8, 12 "
                "or 24 hours, or 48, 72, 96, 120, 144 or 168."
            ),
        )


class DefinesWarnings(ReadsEvents):
    """What is warned of, for which windows, and how many alarms may be raised."""

    targets: Annotated[
        list[str],
        Text(";", "SHOOTING; HOMICIDE"),
        Limits(fewest=1),
        Shown(
            tr("Categories to warn of"),
            tr("As the category field has them; separate several by semicolons."),
        ),
    ]
    similar: Annotated[
        list[str],
        Text(";", "AGG. ASSAULT"),
        Shown(
            tr("Similar categories"),
            tr(
                "More frequent ones that happen in the same places, such as aggravated assaults for shootings: they "
                "say where, while events are few. Left empty, all other categories."
            ),
        ),
    ] = []
    window: Annotated[
        int,
        WINDOW,
        Shown(
            tr("Window"),
            tr("How long each warning is for: 1, 2, 3, 4, 6, 8, 12 or 24 hours, or whole days up to 168 hours."),
            unit="hours",
        ),
    ] = 24
    begin: Annotated[
        int,
        BEGIN,
        Shown(
            tr("Windows begin"),
            tr(
                "Hours after Monday midnight at which one begins, the others follow: 6 with 24 hours for days from six "
                "to six. Figures of windows that begin at other hours cannot be compared."
            ),
            unit="hours",
        ),
    ] = 0
    lead: Annotated[
        int,
        LEAD,
        Shown(tr("Lead"), tr("A warning is made so long before its window begins."), unit="hours"),
    ] = 0
    delay: Annotated[
        int,
        DELAY,
        Shown(
            tr("Delay"),
            tr(
                "What happened in the last so many hours before a warning is made is not in the files yet: no model "
                "reads it."
            ),
            unit="hours",
        ),
    ] = 24
    budget_kind: Annotated[
        BudgetKind,
        BUDGET_KINDS,
        Shown(tr("Alarms are limited by"), tr("What BUDGET is given in.")),
    ] = "share"
    budget: Annotated[
        float,
        ABOVE_ZERO,
        Shown(
            tr("Budget of alarms"),
            tr(
                "10 per cent of all windows and areas; or so many alarms a week; or so many false alarms as a missed "
                "event is worth, and a warning is made wherever it pays."
            ),
            name="BUDGET",
            usual="10",
        ),
    ] = 10.0

    @classmethod
    def list_problems(cls, given: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield windows that do not fill a day or a week, budgets that cannot be, and categories on both sides."""
        yield from super().list_problems(given)
        yield from list_window_problems(given)
        if given["budget_kind"] == "share" and given["budget"] > 100:
            text = tr("{budget} is {value} per cent of all windows; give at most 100, or another {budget_kind}.")
            yield Problem("budget", text)
        targets = [name.strip() for name in given["targets"]]
        if not any(targets):
            yield Problem("targets", tr("{targets} is empty. Name the categories to warn of, such as SHOOTING."))
        both = [name for name in given["similar"] if name.strip().casefold() in {each.casefold() for each in targets}]
        if both:
            text = tr("{similar} is {value}, and {names} stands in {targets} too. Leave it out of {similar}.")
            yield Problem("similar", text.replace("{names}", list_names(both).replace("{", "{{").replace("}", "}}")))


#: What is known of a model of warnings from windows that it did not know.
_FIGURES = (
    Output("LOG_LOSS", "scores.{model}.log_loss", tr("Log-loss")),
    Output("AUC", "scores.{model}.auc", tr("AUC")),
    Output("BRIER", "scores.{model}.brier", tr("Brier score")),
    Output("CALIBRATION_ERROR", "scores.{model}.calibration_error", tr("Calibration error")),
    Output("ALARMS", "scores.{model}.raised", tr("Alarms raised within the budget")),
    Output("PRECISION", "scores.{model}.precision", tr("Share of the alarms that were true")),
    Output("RECALL_EVENTS", "scores.{model}.recall_events", tr("Share of the events that were warned of")),
    Output("FALSE_PER_TRUE", "scores.{model}.false_per_true", tr("False alarms for each true one")),
    Output("EVENTS", "events", tr("Events in the windows tested")),
    Output("WINDOWS", "windows", tr("Windows tested")),
    Output("VERDICT", "verdict", tr("Verdict"), "text"),
    Output("KIND", "model", tr("Kind of model"), "text"),
)


class TrainWarningModel(DefinesWarnings):
    ID = "trainwarning"
    JOB = "train_warning"
    TITLE = tr("Train warning model")
    GROUP = WARNINGS
    TAGS = "early warning,warning,alarm,train,model,shooting,homicide,violence,events,window,lead,level,calendar,budget"
    SUMMARY = tr("Trains a model that warns of events, such as shootings, before their window begins.")
    HELP = tr("""
The model says for each area and each window of hours or days how likely an event of the chosen categories is. It reads
nothing newer than what is known when the warning is made. Several rows of one time and place, such as the victims of
one shooting, are one event.

What works is simple: how violent the last two months were (the level), the hour, weekday and season, and the place.
More is used only where past windows show beyond doubt that it is better. The last windows are held out, and the log and
the report say in a sentence what the warnings would have been worth there: how many were right, how many false alarms
stood against each, and whether picking by calendar and place would have done as well. Afterwards the model is trained
again on all windows, and kept for Warn.

A warning is about places and times, never about persons, and is no ground to stop anyone. Incidents that police find
themselves, such as drug arrests, say where police were.
""")
    PROGRESS = (15.0, 100.0)
    OUTPUTS = (
        *_FIGURES,
        Output("TRAINED_UNTIL", "trained_until", tr("Trained until"), "text"),
        Output("ALL_EVENTS", "all_events", tr("Events the model was trained on")),
        REFUSED_COUNT,
    )

    kind: Annotated[
        str,
        WARNING_KINDS,
        Shown(
            tr("Kind of model"),
            tr(
                "Chosen on past windows takes level, calendar and place, unless another model is better there beyond "
                "doubt, and on the windows held out as well."
            ),
            name="MODEL_KIND",
        ),
    ] = AUTOMATIC
    held_out: Annotated[
        float,
        Limits(0, 0.5),
        Shown(
            tr("Share held out"),
            tr(
                "Of the windows, at their end, that the model is judged on. With 0 nothing can be said about how good "
                "it is."
            ),
        ),
    ] = HELD_OUT
    model_output: Annotated[
        str, FileDestination(filter=FORECAST_MODEL, read_on=True), Shown(tr("Warning model"), name="MODEL")
    ]
    report: Annotated[
        str | None,
        FileDestination(filter=HTML),
        Shown(
            tr("Report"),
            tr("One HTML file: what the warnings would have been worth on the windows held out, and a model card."),
        ),
    ] = None


class Warn(ReadsEvents):
    ID = "warn"
    JOB = "warn"
    TITLE = tr("Warn")
    GROUP = WARNINGS
    TAGS = "early warning,warning,alarm,next,window,shooting,homicide,violence,probability,temporal,schedule"
    SUMMARY = tr("Warns of the next windows with a trained model: where and when an event is likely, within a budget.")
    HELP = tr("""
The model, made with Train warning model, says what is warned of, for which windows, and how many alarms may be raised.
It is not trained further: it reads the incidents up to the moment at which the warnings are made, less those that are
not known yet. The areas must be those that it was trained on.

Each area and window gets the probability of at least one event, with an interval, and the parts that it is made of.
Their product is the expected number of events: usual_part, what an average area has in such a window, times hour_part
(the hour and weekday), season_part, place_part (the place's own past), level_part (how much there was in the whole city
in the last months) and recent_part, what a model with recent crime makes of that: above 1 it raises, below 1 it lowers,
and it is 1 for models without. Models that are not made of these leave them empty, and the log says so.

The most likely are warned of, by a threshold that follows the last 28 days so that the budget is kept. When the
warnings were made and what was known then stands in the layer's metadata and in the log.

A warning is about places and times, never about persons, and is no ground to stop anyone. Most warnings within a small
budget are false alarms: the report of Backtest warnings counts them.
""")
    PROGRESS = (20.0, 95.0)
    OUTPUTS = (
        Output("CARD", "card", tr("What was known, and when"), "text"),
        Output("MADE_AT", "made", tr("Made"), "text"),
        Output("KIND", "model", tr("Kind of model"), "text"),
        Output("WARNED", "warned", tr("Areas and windows warned of")),
        Output("WINDOWS", "windows", tr("Windows")),
        Output("THRESHOLD", "threshold", tr("Probability from which a warning is made")),
        REFUSED_COUNT,
    )

    model: Annotated[
        str,
        File(find_ending(FORECAST_MODEL)),
        Shown(tr("Warning model"), tr("Made with Train warning model.")),
    ]
    origin: Annotated[
        datetime | None,
        Shown(
            tr("Made"),
            tr("The moment at which the warnings are made. Left empty, the end of the incidents."),
            name="MADE",
        ),
    ] = None
    windows: Annotated[
        int | None,
        NEXT,
        Shown(
            tr("Next windows"),
            tr("How many are warned of. Left empty, those of the next seven days."),
            name="NEXT",
        ),
    ] = None
    warnings: Annotated[
        str | None,
        VectorDestination(
            "polygon",
            {
                **_WINDOW_FIELDS,
                "low": "real",
                "high": "real",
                "rank": "integer",
                "warned": "integer",
                "hour_part": "real",
                "season_part": "real",
                "place_part": "real",
                "level_part": "real",
                "recent_part": "real",
                "usual_part": "real",
            },
            style="warnings",
            abstract="card",
        ),
        Shown(
            tr("Warnings"),
            tr(
                "Each area and window: the probability of at least one event with its 95 % interval, its rank among "
                "all areas and windows of the run, 1 in warned where there is a warning, the factors by which "
                "hour and weekday, season, place, level and recent crime raise (above 1) or lower it, and the usual "
                "number of events that they are factors on."
            ),
        ),
    ] = None
    next_windows: Annotated[
        str | None,
        VectorDestination(
            "none",
            {
                "start": "datetime",
                "end": "datetime",
                "warned": "integer",
                "areas": "text",
                "first": "text",
                "probability": "real",
                "anywhere": "real",
            },
            style="next_windows",
            abstract="card",
        ),
        Shown(
            tr("Next windows"),
            tr(
                "A table: of each window how many areas are warned of and which, the likeliest area with its "
                "probability, and how likely an event is anywhere."
            ),
        ),
    ] = None


class BacktestWarnings(DefinesWarnings):
    ID = "backtestwarnings"
    JOB = "backtest_warnings"
    TITLE = tr("Backtest warnings")
    GROUP = WARNINGS
    TAGS = (
        "early warning,warning,alarm,backtest,evaluation,false alarm,precision,recall,calibration,shooting,homicide,"
        "violence,budget,threshold"
    )
    SUMMARY = tr("Makes the warnings of the past as they could have been made, and counts hits and false alarms.")
    HELP = tr("""
Every model warns of the same past windows, and none knows anything newer than what was known when each warning would
have been made. Alarms are raised within the budget, by a threshold that follows the 28 days before each window.

The report opens with what an officer asks: of a hundred areas and windows warned of, how many had an event, and how
many of a hundred picked by calendar and place alone. Then come false alarms for each true one, the events that were
missed, months, areas, budgets, and how far the probabilities can be trusted. Where nothing beyond place, hour and level
can be warned of, that is the result, and the report says so. Below 30 events nothing is said of which model is better.

A warning is about places and times, never about persons, and is no ground to stop anyone.
""")
    PROGRESS = (15.0, 95.0)
    OUTPUTS = (*_FIGURES, REFUSED_COUNT)

    models: Annotated[
        list[str],
        WARNING_MODELS,
        Shown(
            tr("Models"),
            tr(
                "The simple ones (constant, clock, calendar and place) always take part, and so does level, calendar "
                "and place, which the others must beat. Models that learn from recent crime take minutes."
            ),
            optional=True,
        ),
    ] = [DEFAULT_WARNING, "level_terms"]
    test: Annotated[
        float,
        Limits(0.01, 0.9),
        Shown(tr("Share tested"), tr("Of the windows, at their end, that are warned of.")),
    ] = 0.2
    start: Annotated[
        datetime | None,
        Shown(tr("First window tested"), tr("Windows from this time on are warned of, instead of a share.")),
    ] = None
    refit: Annotated[
        int,
        Limits(0),
        Shown(
            tr("Windows between trainings"),
            tr("Models are trained again after so many windows; with 0 once, before the first one tested."),
        ),
    ] = 0
    workers: Annotated[
        int | None,
        Limits(1, 256),
        Shown(
            tr("Processes"),
            tr("Models that run at the same time; by default as many as the machine and its memory allow."),
            advanced=True,
        ),
    ] = None
    report: Annotated[
        str | None,
        FileDestination(filter=HTML),
        Shown(
            tr("Report"),
            tr("One HTML file: the verdict in words, hits and false alarms by month and area, budgets, reliability."),
        ),
    ] = None
    csv: Annotated[str | None, FileDestination(filter=CSV), Shown(tr("Table of all figures"), name="TABLE")] = None
    warnings: Annotated[
        str | None,
        VectorDestination(
            "polygon",
            {**_WINDOW_FIELDS, "warned": "integer", "events": "integer", "label": "text"},
            style="warnings_tested",
            abstract="headline",
        ),
        Shown(
            tr("Warnings of the test"),
            tr(
                "Each area and window tested: the probability, 1 in warned where an alarm was raised, the events there "
                "were, and what it was: hit, false alarm, missed or quiet. Those of the model that is compared first."
            ),
        ),
    ] = None
