"""The tools of the group Outcomes that train a model of an outcome, and say with it how likely the outcome is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from ..outcomes import (
    DEFAULT_MODEL,
    GROUPS,
    LIKELY,
    MODELS,
    READABLE_LEAKS,
    SHOWN_LEAST,
    UNLIKELY,
    OutcomeGroup,
    OutcomeSplit,
    ReadableLeak,
    Reported,
)
from ..texts import tr
from .base import Limits, Output, Problem, Shown
from .kinds import Choice, Field, File, FileDestination, Text, VectorDestination, find_ending
from .outcomes import MATURITY, REPORTED, HasAreas, ReadsOutcomes, RefusesIncidents
from .shared import CSV, HTML, OUTCOME_MODEL, OUTCOMES, SEED

#: Days at the end that are tested: a decade is more than any file holds.
TEST_DAYS = Limits(1, 3660)
#: Thresholds of the map's classes.
THRESHOLD = Limits(0, 1)
#: Incidents that a block or an area has at least.
LEAST = Limits(1, 1_000_000)

#: Kinds of models, in the order of their integers.
OUTCOME_MODELS = Choice({name: record.title for name, record in MODELS.items()})
OUTCOME_GROUPS = Choice(dict(GROUPS))
OUTCOME_LEAKS = Choice(dict(READABLE_LEAKS))
OUTCOME_SPLITS = Choice(
    {
        "random": tr("At random (published)"),
        "forward": tr("Forward in time"),
        "incident": tr("At random by incident: rows of one stay together"),
        "blocks": tr("By blocks of space"),
    }
)

PEOPLE_SHOWN = Shown(
    tr("Fields that describe people"),
    tr(
        "Age, sex, race or name of a person are refused as features. Switched on, those that are named are read, and "
        "log, report and model say so. They make a figure of places one of persons: leave it off."
    ),
    advanced=True,
)


class TrainOutcomeModel(ReadsOutcomes, RefusesIncidents):
    ID = "trainoutcome"
    JOB = "train_outcome"
    TITLE = tr("Train outcome model")
    GROUP = OUTCOMES
    TAGS = (
        "outcome,arrest,clearance,resolution,solved,probability,train,model,boosting,network,deep learning,logistic,"
        "rate,weather,census,leak,calibration,fairness,published"
    )
    SUMMARY = tr("Trains a model of what becomes of incidents, such as an arrest, and says what it is worth.")
    HELP = tr("""
The model says of each incident how likely the outcome is, from what is known when it is reported: category,
description, kind of location, domestic or not, hour, weekday and season, place, and what Join context added of weather
and census. Fields left empty are found by their names, and the log says which were taken.

The last days are tested by a model that did not know them, and every figure comes twice: of all incidents, and of those
that victims or others reported. What police find themselves, such as narcotics, is mostly an arrest from the first
moment: it makes figures look good that say nothing of the work on reported crime. A table of smoothed rates of
category, description and location always stands beside the model: often it is hardly worse.

What gives the outcome away is found, shown with its figure and kept out: other fields that say it, the recorded minute,
the number of rows of an incident, descriptions that are arrests by definition. Outcomes of the last days are often not
known yet: so many days before the test as Maturity says are not learned from. The ladder adds groups of features one by
one and leaves each out, with the day's number in place of weather and census shuffled among areas as controls.

Afterwards the model is trained again on all days whose outcomes are known, and kept for Predict outcome. It is about
incidents and places, never about persons, and says what was done in the past, not what ought to be done.
""")
    PROGRESS = (5.0, 98.0)
    OUTPUTS = (
        Output("AUC", "figures.auc", tr("AUC")),
        Output("LOG_LOSS", "figures.log_loss", tr("Log-loss")),
        Output("BRIER", "figures.brier", tr("Brier score")),
        Output("AVERAGE_PRECISION", "figures.average_precision", tr("Average precision")),
        Output("CALIBRATION_ERROR", "figures.ece", tr("Calibration error")),
        Output("CALIBRATION_ERROR_SHIFTED", "figures.ece_shifted", tr("Calibration error after the shift")),
        Output("AUC_WITHIN", "figures.within_category_auc", tr("AUC within category")),
        Output("AUC_VICTIMS", "victims.auc", tr("AUC, reported by victims or others")),
        Output("LOG_LOSS_VICTIMS", "victims.log_loss", tr("Log-loss, reported by victims or others")),
        Output("MINUS_TABLE", "minus_table.value", tr("Log-loss less that of the table of rates")),
        Output("MINUS_TABLE_LOW", "minus_table.low", tr("Lower bound of its 95 % interval")),
        Output("MINUS_TABLE_HIGH", "minus_table.high", tr("Upper bound of its 95 % interval")),
        Output("VERDICT", "verdict", tr("Verdict"), "text"),
        Output("LEARNED", "learned", tr("Incidents that the judged model learned from")),
        Output("TESTED_ROWS", "tested_rows", tr("Incidents tested")),
        Output("ALL_LEARNED", "all_learned", tr("Incidents the kept model was trained on")),
        Output("TRAINED_UNTIL", "trained_until", tr("Trained until"), "text"),
        Output("ORIGIN", "origin", tr("First day tested"), "text"),
        Output("LEAKS", "leaks", tr("Leaks found")),
        Output("KIND", "model", tr("Kind of model"), "text"),
        Output("SECONDS", "seconds", tr("Seconds")),
    )

    weather_fields: Annotated[
        list[str],
        Field("incidents"),
        Shown(
            tr("Weather fields"),
            tr("Numbers of the day or hour that Join context added. Left empty, those whose names say weather."),
            advanced=True,
        ),
    ] = []
    census_fields: Annotated[
        list[str],
        Field("incidents"),
        Shown(
            tr("Census fields"),
            tr("Numbers of the area that Join context added. Left empty, those whose names say census."),
            advanced=True,
        ),
    ] = []
    other_fields: Annotated[
        list[str],
        Field("incidents"),
        Shown(tr("Other fields"), tr("Numbers or texts that are known when an incident is reported."), advanced=True),
    ] = []
    people: Annotated[bool, PEOPLE_SHOWN] = False
    kind: Annotated[
        str,
        OUTCOME_MODELS,
        Shown(
            tr("Kind of model"),
            tr("The tables of rates take a second, boosted trees seconds, the published network minutes."),
            name="MODEL_KIND",
        ),
    ] = DEFAULT_MODEL
    compare: Annotated[
        list[str],
        OUTCOME_MODELS,
        Shown(
            tr("Models beside"),
            tr("Judged on the same incidents. The tables of rates always take part."),
            optional=True,
        ),
    ] = ["logistic"]
    groups: Annotated[
        list[OutcomeGroup],
        OUTCOME_GROUPS,
        Shown(
            tr("Groups of features"),
            tr("What models may read. Groups whose fields the layer does not have are left out, and the log says so."),
        ),
    ] = list(GROUPS)
    split: Annotated[
        OutcomeSplit,
        OUTCOME_SPLITS,
        Shown(
            tr("Incidents are shared out"),
            tr(
                "Forward in time the last days are tested, as they will be when the model is used. At random, days and "
                "rows of one incident fall on both sides, which flatters; the report shows both."
            ),
        ),
    ] = "forward"
    test: Annotated[
        float,
        Limits(0.01, 0.5),
        Shown(tr("Share tested"), tr("Of the days, at their end; of the incidents or blocks where these are drawn.")),
    ] = 0.2
    test_days: Annotated[
        int | None,
        TEST_DAYS,
        Shown(tr("Days tested"), tr("So many at the end instead of a share."), unit="days", advanced=True),
    ] = None
    maturity: Annotated[
        int,
        MATURITY,
        Shown(
            tr("Maturity"),
            tr(
                "Days until an outcome is known: so many before the test are not learned from, nor the last ones by "
                "the model that is kept. Outcome rates shows how old cases are before their rate stands still."
            ),
            unit="days",
        ),
    ] = 28
    use_minute: Annotated[
        bool,
        Shown(
            tr("Use the recorded minute"),
            tr("A leak: incidents with an arrest are recorded to the minute, others on the full hour."),
            advanced=True,
        ),
    ] = False
    leaks: Annotated[
        list[ReadableLeak],
        OUTCOME_LEAKS,
        Shown(
            tr("Leaks to read all the same"),
            tr(
                "What is found and kept out otherwise; log, report and model say so. Fields that say the outcome are "
                "read where they are named among the other fields."
            ),
            optional=True,
            advanced=True,
        ),
    ] = []
    ladder: Annotated[
        bool,
        Shown(
            tr("Ladder"),
            tr("What each group of features adds, and its control: trains some twenty models more."),
        ),
    ] = True
    indicator: Annotated[
        str | None,
        Field("incidents"),
        Shown(
            tr("Indicator of areas"),
            tr(
                "A number of each area, such as a hardship index that Join context added: the report says whether "
                "rates follow it, and whether what the model gets wrong does."
            ),
        ),
    ] = None
    seed: Annotated[
        int,
        SEED,
        Shown(tr("Seed"), tr("The same seed and input give the same model on the same machine."), advanced=True),
    ] = 0
    model_output: Annotated[
        str, FileDestination(filter=OUTCOME_MODEL, read_on=True), Shown(tr("Outcome model"), name="MODEL")
    ]
    report: Annotated[
        str | None,
        FileDestination(filter=HTML),
        Shown(
            tr("Report"),
            tr(
                "One HTML file: figures of all and of victims' reports, leaks, what each group adds, calibration, "
                "areas beside the indicator, and a model card."
            ),
        ),
    ] = None
    csv: Annotated[str | None, FileDestination(filter=CSV), Shown(tr("Table of all figures"), name="TABLE")] = None
    tested: Annotated[
        str | None,
        VectorDestination(
            "any",
            {
                "feature_id": "long",
                "day": "text",
                "category": "text",
                "description": "text",
                "location": "text",
                "area": "text",
                "found": "integer",
                "probability": "real",
                "class": "text",
                "observed": "integer",
            },
            style="outcomes_tested",
            abstract="verdict",
            created=False,
        ),
        Shown(
            tr("Incidents tested"),
            tr(
                "Each with what the model, which did not know it, said, and 1 in observed where the outcome came; 1 in "
                "found where police discovered it."
            ),
        ),
    ] = None


class PredictOutcome(HasAreas, ReadsOutcomes):
    ID = "predictoutcome"
    JOB = "predict_outcome"
    TITLE = tr("Predict outcome")
    GROUP = OUTCOMES
    TAGS = "outcome,arrest,clearance,resolution,solved,probability,predict,map,block,area,outlook,publish,small numbers"
    SUMMARY = tr("Says with a trained model how likely an outcome is, by incident, street block and area.")
    HELP = tr("""
The layer needs no outcome: what the model reads is found by the names that the fields had when it was trained, or else
by what they are. Fields of weather and census that it read must be joined before, with Join context.

Each incident gets a probability, an interval and a class: likely above one threshold, unlikely below another, between
them. The interval says how sure the figure itself is: it is wide where the model knew few incidents of that kind. Where
a category or description was never seen when the model was trained, the rate of what is above it is taken, and the
field note says so; of other fields, such a value counts as missing.

By default only what victims or others reported is rated: what police find themselves is mostly an arrest from the
first moment, and so are descriptions that are arrests by definition. They stay in the layer without a probability. The
model knows them from its training, and both can be switched.

Blocks and areas with few incidents are left out. The outlook says for each area and category which share to expect,
drawn towards the category's, with an interval. For publishing, shares with fewer than five outcomes are hidden. A
figure is about incidents and places, never about persons: it says what became of such incidents in the past, and is no
reason to work less on those with a low one.
""")
    PROGRESS = (5.0, 90.0)
    OUTPUTS = (
        Output("CARD", "card", tr("Which model, and of what"), "text"),
        Output("KIND", "model", tr("Kind of model"), "text"),
        Output("RATED", "rated", tr("Incidents with a probability")),
        Output("LEFT_OUT", "left_out", tr("Incidents without one: found by police, or outcomes by definition")),
        Output("UNSEEN", "unseen", tr("Incidents of which something was never seen in training")),
        Output("LIKELY_COUNT", "counts.likely", tr("Incidents above the upper threshold")),
        Output("BETWEEN_COUNT", "counts.between", tr("Incidents between the thresholds")),
        Output("UNLIKELY_COUNT", "counts.unlikely", tr("Incidents below the lower threshold")),
        Output("EXPECTED", "expected", tr("Outcomes to expect")),
        Output("BLOCK_COUNT", "blocks_shown", tr("Blocks shown")),
        Output("AREA_COUNT", "areas_shown", tr("Areas shown")),
        Output("HIDDEN", "hidden", tr("Shares hidden for publishing")),
    )

    model: Annotated[
        str, File(find_ending(OUTCOME_MODEL)), Shown(tr("Outcome model"), tr("Made with Train outcome model."))
    ]
    outcome_field: Annotated[
        str | None,
        Field("incidents"),
        Shown(
            tr("Outcome field"),
            tr("None is needed. Where the layer has one, the log says how many incidents have the outcome."),
            advanced=True,
        ),
    ] = None
    outcome_values: Annotated[
        list[str],
        Text(";", "ARREST, BOOKED; ARREST, CITED"),
        Shown(
            tr("Values that count"),
            tr("Values of the outcome field that are the outcome; separate several by semicolons."),
            advanced=True,
        ),
    ] = []
    reported: Annotated[
        Reported,
        REPORTED,
        Shown(tr("Incidents rated"), tr("The others stay in the layer, without a probability."), name="ROWS"),
    ] = "victims"
    definitions: Annotated[
        bool,
        Shown(
            tr("Also descriptions that are outcomes by definition"),
            tr("In training nearly all incidents of such a description had the outcome."),
            advanced=True,
        ),
    ] = False
    likely: Annotated[
        float,
        THRESHOLD,
        Shown(tr("Likely above"), tr("Incidents, blocks and areas with a higher probability are of the class likely.")),
    ] = LIKELY
    unlikely: Annotated[float, THRESHOLD, Shown(tr("Unlikely below"))] = UNLIKELY
    block_least: Annotated[
        int,
        LEAST,
        Shown(tr("Incidents of a block at least"), tr("Blocks with fewer rated incidents are left out.")),
    ] = SHOWN_LEAST
    area_least: Annotated[
        int,
        LEAST,
        Shown(
            tr("Incidents of an area at least"),
            tr("Areas with fewer rated incidents are left out; in the outlook, areas together with a category."),
        ),
    ] = SHOWN_LEAST
    publish: Annotated[
        bool,
        Shown(
            tr("For publishing"),
            tr(
                "Shares of blocks, areas and of the outlook with fewer than five outcomes expected are hidden, and "
                "those from which such a share would follow, since they add up to a total."
            ),
        ),
    ] = False
    output: Annotated[
        str | None,
        VectorDestination("any", style="outcomes", abstract="card", of="incidents"),
        Shown(
            tr("Outcomes"),
            tr(
                "The incidents with all their fields, and of each: probability, low and high (95 %), class, and in "
                "note what was never seen, or why it has no probability."
            ),
        ),
    ] = None
    blocks: Annotated[
        str | None,
        VectorDestination(
            "point",
            {
                "block": "text",
                "n": "integer",
                "probability": "real",
                "low": "real",
                "high": "real",
                "class": "text",
                "hidden": "integer",
            },
            style="outcome_shares",
            abstract="card",
            created=False,
        ),
        Shown(
            tr("Blocks"),
            tr("A point in the middle of the incidents of each street block or address: how many, mean probability."),
        ),
    ] = None
    by_area: Annotated[
        str | None,
        VectorDestination(
            "any",
            {
                "id": "text",
                "name": "text",
                "n": "integer",
                "probability": "real",
                "low": "real",
                "high": "real",
                "class": "text",
                "hidden": "integer",
            },
            style="outcome_shares",
            abstract="card",
            created=False,
        ),
        Shown(tr("Areas by outcome"), tr("How many incidents, mean probability and its interval."), name="BY_AREA"),
    ] = None
    outlook: Annotated[
        str | None,
        VectorDestination(
            "none",
            {
                "area": "text",
                "name": "text",
                "category": "text",
                "n": "integer",
                "probability": "real",
                "low": "real",
                "high": "real",
                "outcomes": "real",
                "hidden": "integer",
            },
            style="outcome_outlook",
            abstract="card",
        ),
        Shown(
            tr("Outlook"),
            tr(
                "A table: of each area and category the incidents, the share to expect, drawn towards the category's, "
                "its 95 % interval, and so many outcomes; 1 in hidden where they are hidden for publishing."
            ),
        ),
    ] = None

    @classmethod
    def list_problems(cls, given: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield thresholds the wrong way round."""
        yield from super().list_problems(given)
        if given["unlikely"] >= given["likely"]:
            text = tr(
                "{unlikely} is {value}, which is not below {likely}. Give a smaller number; published are 0.2 and 0.8."
            )
            yield Problem("unlikely", text)
