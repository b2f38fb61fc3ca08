"""The tool Area hotspots (published), of the group Areas: a study of London, and what each of its leaks is worth."""

from __future__ import annotations

from typing import Annotated

from ..choices import (
    StudyBest,
    StudyClassifier,
    StudyDensity,
    StudyFeatures,
    StudyFilling,
    StudyNegatives,
    StudyScaler,
)
from ..texts import tr
from .base import QGIS_ONLY, Limits, Output, Shown, Tool
from .kinds import Choice, Field, FileDestination, MapLayer, VectorDestination
from .shared import AREAS, CSV, HTML, REFUSED_COUNT, SEED, ReadsIncidents, RefusesFeatures

CLASSIFIERS = Choice(
    {
        "forest": tr("Random forest"),
        "logistic": tr("Logistic regression"),
        "bayes": tr("Naive Bayes"),
        "neighbours": tr("Nearest neighbours"),
        "vectors": tr("Support vectors, bagged"),
    }
)


class ReadsAreas(Tool):
    """A panel of areas, which also says where the work is done: so it is read first."""

    panel: Annotated[
        str,
        MapLayer("counts"),
        Shown(
            tr("Areas and covariates"),
            tr(
                "A panel made with Count incidents by area, to which Add covariates added what is known of its areas: "
                "fixed values, such as deprivation, and monthly ones, such as mobility. Its counts are not read."
            ),
            name="PANEL",
        ),
    ]


class AreaHotspots(ReadsIncidents, RefusesFeatures, ReadsAreas):
    ID = "areahotspots"
    JOB = "area_hotspots"
    TITLE = tr("Area hotspots (published)")
    GROUP = AREAS
    TAGS = "hotspots,areas,deprivation,mobility,random forest,study,london,leak,published,reproduction"
    SUMMARY = tr("Repeats a published study of hotspots in London, and shows what each of its leaks is worth.")
    HELP = tr("""
The study asks of single places whether an incident will happen there next month. It learns from twelve months and tests
on the next: the places of the month's incidents, and others drawn from 500 m cells without one. What it knows of a
place is how dense incidents of the three months before are there, the covariates of its area, and mobility of the month
before.

Its figures are high, and mostly for reasons that no forecast has. Each of these leaks is a choice below; the first
option of each is what was published. The report is a ladder: as published, without each leak, with random numbers in
place of the covariates, by the rule that an incident happens where one was reported before at this exact coordinate,
and on all cells beside plain rates.

To forecast by area, use Train forecast model and Backtest forecasts on the panel. Sixteen months are the least for one
month tested. The random forest learns for a minute or two from the incidents of a large city, on each rung and month.
""")
    PROGRESS = (10.0, 98.0)
    OUTPUTS = (
        Output("ACCURACY", "chosen.accuracy", tr("Accuracy of the random forest at sampled points")),
        Output("AUC", "chosen.auc", tr("AUC of the random forest at sampled points")),
        Output("F1", "chosen.f1", tr("Weighted F1 of the random forest at sampled points")),
        Output("CELLS_AUC", "chosen.cells_auc", tr("AUC of the random forest over all cells")),
        Output("RANDOM_AUC", "rungs.random.auc", tr("AUC with random numbers in place of the covariates")),
        Output("RULE_AUC", "rungs.rule.auc", tr("AUC of the rule: this exact coordinate occurred before")),
        Output("CLOSED_AUC", "rungs.closed.auc", tr("AUC without any leak")),
        Output("RATES_AUC", "rungs.rates.cells_auc", tr("AUC of plain rates over all cells")),
        Output("VERDICT", "verdict", tr("Verdict"), "text"),
        REFUSED_COUNT,
    )

    area_column: Annotated[
        str | None,
        Field("incidents"),
        QGIS_ONLY,
        Shown(
            tr("Field of the incidents that names their area"),
            tr("Such as LSOA code in files of the police, which the study used. Left empty, the area they lie in."),
        ),
    ] = None
    tests: Annotated[
        int, Limits(1, 60), Shown(tr("Months to test"), tr("The last so many months of the incidents."), unit="months")
    ] = 4
    classifiers: Annotated[
        list[StudyClassifier],
        CLASSIFIERS,
        Limits(fewest=1),
        Shown(
            tr("Classifiers"),
            tr(
                "Settings are chosen by cross-validation, as published. Support vectors take hours for a large city, "
                "so they are left out unless you choose them."
            ),
        ),
    ] = ["forest", "logistic", "bayes", "neighbours"]
    density: Annotated[
        StudyDensity,
        Choice(
            {
                "repeats": tr("Repeats of the exact coordinate (published)"),
                "smoothed": tr("Gaussian of 500 m, without exact repeats"),
                "none": tr("None"),
            }
        ),
        Shown(
            tr("Density"),
            tr(
                "The published kernel is for categories: it counts how often this exact coordinate occurred, and has "
                "one and the same value wherever it never did."
            ),
        ),
    ] = "repeats"
    negatives: Annotated[
        StudyNegatives,
        Choice(
            {
                "target": tr("Cells without an incident in the month to forecast (published)"),
                "year": tr("Cells without one in the twelve months before"),
                "month": tr("Cells without one in the month before"),
                "anywhere": tr("Anywhere in the areas"),
                "known": tr("Coordinates of earlier incidents that had none in the month"),
            }
        ),
        Shown(
            tr("Places without an incident"),
            tr("As published they are drawn with knowledge of the month that is to be forecast."),
        ),
    ] = "target"
    scaler: Annotated[
        StudyScaler,
        Choice({"test": tr("Again on the test (published)"), "training": tr("By the months learned from")}),
        Shown(tr("Features are scaled")),
    ] = "test"
    best: Annotated[
        StudyBest,
        Choice({"test": tr("By the test itself (published)"), "training": tr("By the months learned from")}),
        Shown(tr("Scaled or unscaled features are chosen")),
    ] = "test"
    features: Annotated[
        StudyFeatures,
        Choice({"given": tr("The covariates"), "random": tr("As many random numbers"), "none": tr("Nothing")}),
        Shown(
            tr("What is known of each area"),
            tr("Random numbers say nothing of an area but tell it apart from all others: a control."),
        ),
    ] = "given"
    filling: Annotated[
        StudyFilling,
        Choice({"backward": tr("Backwards, from later months (published)"), "forward": tr("From earlier months")}),
        Shown(tr("Gaps in monthly covariates are filled")),
    ] = "backward"
    ladder: Annotated[
        bool,
        Shown(
            tr("Ladder and controls"),
            tr("The random forest as published, without each leak, and with controls that need nothing. Takes longer."),
        ),
    ] = True
    seed: Annotated[int, SEED, Shown(tr("Seed"), advanced=True)] = 0
    report: Annotated[
        str | None,
        FileDestination(filter=HTML),
        Shown(tr("Report"), tr("One HTML file: the verdict in words, the ladder, ROC curves, importance and maps.")),
    ] = None
    csv: Annotated[str | None, FileDestination(filter=CSV), Shown(tr("Table of all figures"), name="TABLE")] = None
    cells: Annotated[
        str | None,
        VectorDestination(
            "polygon",
            {
                "cell": "long",
                "incidents": "integer",
                "hotspot": "integer",
                "risk": "real",
                "predicted": "integer",
                "rate": "real",
                "by_rate": "integer",
            },
            style="study_cells",
            abstract="verdict",
        ),
        Shown(
            tr("True and predicted hotspots"),
            tr(
                "The 500 m cells of the last month tested: a hotspot is a cell with an incident. Beside it what the "
                "first classifier predicted, and as many cells by their plain rates."
            ),
        ),
    ] = None
