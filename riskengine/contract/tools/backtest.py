"""The tool that forecasts the past, on grids and areas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any

from ..aims import CATCH
from ..forecasters import BASELINES, DEFAULT, FORECASTERS
from ..texts import tr
from .aims import PLACE_FIELDS, PLACES, PLACES_HELP, WITH_CATCH, AimsAt, list_catch_figures
from .base import QGIS_ONLY, Limits, Output, Problem, Shown
from .forecast import MODELS, list_own_settings
from .kinds import Expression, Field, Files, Incidents, MapLayer, RasterDestination, Settings, Text, VectorDestination
from .shared import (
    COUNTS,
    COUNTS_HELP,
    DELAY,
    FIGURES,
    FORECAST,
    LONGEST_DELAY,
    STEPS,
    Judges,
    ReadsExtras,
    ReadsTimes,
)

#: More seeds or grid positions than this tell nothing more.
MOST_SEEDS, MOST_OFFSETS = 50, 100


class BacktestForecast(AimsAt, Judges, ReadsExtras, ReadsTimes):
    ID = "backtestforecast"
    JOB = "backtest"
    TITLE = tr("Backtest forecasts")
    GROUP = FORECAST
    TAGS = (
        "backtest,forecast,evaluation,validation,log-loss,brier,auc,pai,pei,hit rate,rolling origin,baseline,skill,"
        "catch,places,patrol"
    )
    SUMMARY = tr(
        "Forecasts the past with several models, each map from what came before it, and says which are better."
    )
    HELP = tr("""
Every model forecasts the same last maps, and none sees anything after its origin. All cells of the study area are
judged, or all areas: by log-loss, Brier score, AUC, hit rate, PAI, PEI and reliability, with intervals over blocks of
time. Areas differ in size, so those with the most risk per km² are flagged first, until a share of the ground is used.

The report and the log say in words which models can be told from the best simple baseline, and which cannot: where
they found no signal beyond the long-run mean, that is the result. Precision stands beside every hit rate.

With the incidents themselves snapped places and addresses that stand for many incidents are looked for; and the simple
baselines can be tried on moved grids, since the position of the grid alone changes a hit rate.

With the catch as aim the maps are windows of so many bins as the horizon has. The report opens with how many incidents
the places chosen for each caught, beside what prior counts caught on as much of the area, over all grid positions.
""")
    PROGRESS = (20.0, 95.0)
    OUTPUTS = (
        *FIGURES,
        Output("LOG_LOSS_RATIO", "log_loss_ratio", tr("Log-loss against the best simple baseline")),
        Output("MODEL", "model", tr("Model compared first"), "text"),
        Output("BEST_BASELINE", "best_baseline", tr("Best simple baseline"), "text"),
        *list_catch_figures("model"),
    )

    heatmaps: Annotated[str, MapLayer("counts"), Shown(COUNTS, COUNTS_HELP, name="INPUT")]
    models: Annotated[
        list[str],
        MODELS,
        Shown(
            tr("Models"),
            tr(
                "The simple baselines always take part. Networks (ConvLSTM, ST-ResNet, SFTT) take minutes. Risk, "
                "labels and exposure are those of Ensemble, the default, where it takes part; else of the first that "
                "is no baseline. With the catch the default is the catch's own: its baselines and Ensemble for the "
                "catch."
            ),
        ),
    ] = [*BASELINES, DEFAULT]
    test: Annotated[
        float,
        Limits(0.01, 0.9),
        Shown(tr("Share tested"), tr("Of the maps, at their end, that are forecast.")),
    ] = 0.2
    start: Annotated[
        datetime | None,
        Shown(tr("First map tested"), tr("Maps from this time on are forecast, instead of a share.")),
    ] = None
    horizon: Annotated[
        int,
        STEPS,
        Shown(
            tr("Horizon"),
            tr(
                "How many bins ahead each map is forecast. With the catch so many bins are one window, such as 13 "
                "weeks for a quarter."
            ),
            unit="bins",
        ),
    ] = 1
    refit: Annotated[
        int,
        Limits(0),
        Shown(
            tr("Maps between trainings"),
            tr(
                "Models are trained again after so many maps, with the catch windows; with 0 once, before the first "
                "one tested."
            ),
        ),
    ] = 0
    incidents: Annotated[
        str | None,
        Incidents(),
        Shown(tr("Incidents"), tr("Those that the grids count, to move the grid and to look for snapped places.")),
    ] = None
    time_field: Annotated[
        str | None, Field("incidents"), QGIS_ONLY, Shown(tr("Time field"), tr("When they happened."))
    ] = "occurred"
    category_field: Annotated[
        str | None,
        Field("incidents"),
        QGIS_ONLY,
        Shown(
            tr("Category field"),
            tr("What happened: categories that patrols find rather than victims report are named in the report."),
        ),
    ] = None
    filter: Annotated[
        str | None,
        Expression("incidents"),
        QGIS_ONLY,
        Shown(tr("Filter"), tr("The filter that the grids were made with.")),
    ] = None
    offsets: Annotated[
        int,
        Limits(0, MOST_OFFSETS),
        Shown(
            tr("Further grid positions"),
            tr(
                "The simple baselines are backtested on so many moved grids too, other models are not; with the catch "
                "all models are. Needs the incidents."
            ),
        ),
    ] = 0
    seeds: Annotated[
        list[int],
        Text(",", "0, 1, 2"),
        Limits(0, 2**63 - 1, fewest=1, most=MOST_SEEDS),
        Shown(
            tr("Seeds"),
            tr(
                "Models that draw random numbers are trained once with each, and the spread is reported. Whole numbers "
                "with commas between them."
            ),
            optional=True,
            advanced=True,
        ),
    ] = [0]
    settings: Annotated[
        dict[str, dict[str, Any]],
        Settings("convlstm.epochs=20, ensemble.share=0.3", by_model=True),
        Shown(
            tr("Settings of the models"),
            tr("Such as convlstm.epochs=20, ensemble.share=0.3; or JSON. By default each model's own."),
            advanced=True,
        ),
    ] = {}
    delay: Annotated[int | None, LONGEST_DELAY, DELAY] = None
    control: Annotated[
        bool,
        Shown(
            tr("Control with shuffled covariates"),
            tr(
                "Models that read covariates are backtested again with the covariates of other areas in the place of "
                "their own: what they gain by the true ones is what the covariates are worth."
            ),
            advanced=True,
        ),
    ] = False
    compare: Annotated[
        list[str],
        Files(),
        Shown(
            tr("Other units"),
            tr(
                "Further counts by area of the same incidents (GeoPackage), such as wards or hexagons: each is "
                "backtested too, and the report shows which units catch most on the same flagged square kilometres."
            ),
            advanced=True,
        ),
    ] = []
    workers: Annotated[
        int | None,
        Limits(1, 256),
        Shown(
            tr("Processes"),
            tr("Models that run at the same time; by default as many as the machine and its memory allow."),
            advanced=True,
        ),
    ] = None
    risk: Annotated[
        str | None,
        RasterDestination(style="risk", abstract="headline", units="grid"),
        Shown(tr("Backtest risk"), tr("The forecasts of the model that is compared first, a band per map.")),
    ] = None
    places: Annotated[
        str | None,
        VectorDestination(
            "any", {**PLACE_FIELDS, "incidents": "integer"}, style="places", abstract="headline", maker="title"
        ),
        WITH_CATCH,
        Shown(PLACES, PLACES_HELP),
    ] = None

    @classmethod
    def list_problems(cls, given: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield grid positions without incidents, seeds that come twice, and settings of nothing that there is."""
        yield from super().list_problems(given)
        for key in ("control", "compare"):
            if given["aim"] == CATCH and given.get(key):
                text = tr("{key} is given, but {aim} asks for the catch, where it is not done. Leave it out.")
                yield Problem(key, text.replace("key", key))
        if len(set(given["seeds"])) < len(given["seeds"]):
            yield Problem("seeds", tr("{seeds} is {value}; give different whole numbers such as 0, 1, 2."))
        for model, own in given["settings"].items():
            if model not in FORECASTERS:
                known = ", ".join(FORECASTERS)
                text = f"{{settings}} names the model {model}, which there is not. Use one of {known}."
                yield Problem("settings", text)
            else:
                yield from list_own_settings(own)
        if given.get("offsets") and not given.get("incidents"):
            yield Problem(
                "offsets",
                tr("{offsets} is {value}, but there are no {incidents} to count on moved grids. Give them, or 0."),
            )
