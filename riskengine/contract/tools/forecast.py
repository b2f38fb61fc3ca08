"""Tools of the group Forecast: the risk of the next time bins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any

from ..aims import CATCH, PROBABILITIES, CatchUnit
from ..choices import ModelAim
from ..forecasters import DEFAULT, FORECASTERS, OWN_PARAMETERS
from ..texts import tr
from .aims import (
    AIM,
    AIM_HELP,
    AIMS_OF_MODEL,
    CATCH_SIZE,
    CATCH_SIZE_OF_MODEL_HELP,
    CATCH_UNIT,
    CATCH_UNIT_HELP,
    CATCH_UNITS_OF_MODEL,
    PLACE_FIELDS,
    PLACES,
    PLACES_HELP,
    AimsAt,
    list_catch_figures,
    list_size_problems,
)
from .base import Limits, Output, Problem, Shown, Tool, Where
from .kinds import (
    Choice,
    File,
    FileDestination,
    MapLayer,
    Raster,
    RasterDestination,
    Rasters,
    Settings,
    VectorDestination,
    find_ending,
)
from .shared import (
    ABOVE_ZERO,
    CHECKPOINT,
    COUNTS,
    COUNTS_HELP,
    DELAY,
    FORECAST,
    FORECAST_MODEL,
    HTML,
    LONGEST_DELAY,
    SEED,
    STEPS,
    THRESHOLD,
    ReadsExtras,
    list_nothing_wanted,
)

#: The forecasters in the order of their integers.
MODELS = Choice({name: record.title for name, record in FORECASTERS.items()})
#: Share of the maps, at their end, that *Run ConvLSTM prediction* and *Train forecast model* hold out.
HELD_OUT = 0.2

_MODEL = File(find_ending(FORECAST_MODEL))


#: Settings of models whose parameter in the tools has another name.
_ASKED_BY = {"flagged": "catch_size", "window": "horizon"}


def list_own_settings(settings: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield settings of a model that have a parameter of their own."""
    for name in OWN_PARAMETERS:
        if name in settings:
            own = f"a parameter of its own, {{{_ASKED_BY[name]}}}" if name in _ASKED_BY else "a parameter of its own"
            yield Problem(
                "settings", f"{{settings}} holds {name}={settings[name]}, but {name} has {own}. Give it there."
            )


class ConvLSTMPrediction(Tool):
    ID = "convlstmprediction"
    JOB = "convlstm"
    TITLE = tr("Run ConvLSTM prediction")
    GROUP = FORECAST
    TAGS = "forecast,prediction,convlstm,deep learning,neural network,risk,hotspot,torch"
    SUMMARY = tr("Forecasts the risk of at least one incident per cell in the next time bins.")
    HELP = tr("""
Without a model file it first trains on the hotspot grids themselves, then forecasts the bins after the last
one. The last fifth of the maps is held out from training: on it the forecast is scored beside the simple baselines
(constant, prior counts and share, recent counts, weekday and trend, space-time KDE), and the report says in a sentence
which is better. With a model file nothing is trained. The defaults are those of ConvLSTM in Backtest forecasts.

The raster holds probabilities from 0 to 1, a band per forecast bin. It is a forecast of reported incidents in
places, never of persons.
""")
    PROGRESS = (0.0, 98.0)
    OUTPUTS = (
        Output(
            "LOG_LOSS_RATIO_CONSTANT",
            "log_loss_ratio_constant",
            tr("Log-loss against a constant forecast, on held-out bins"),
        ),
        Output("LOG_LOSS_RATIO_PRIOR", "log_loss_ratio_prior", tr("Log-loss against prior counts, on held-out bins")),
        Output("HELD_OUT", "held_out_bins", tr("Held-out bins")),
        Output("VERDICT", "verdict", tr("Verdict"), "text"),
    )

    heatmaps: Annotated[
        str, Raster(), Shown(tr("Hotspot grids"), tr("Made with Rasterize hotspot grids."), name="INPUT")
    ]
    model: Annotated[
        str | None,
        _MODEL,
        Shown(tr("Model file"), tr("A model trained before. Left empty, one is trained on the hotspot grids.")),
    ] = None
    steps: Annotated[
        int,
        STEPS,
        Shown(tr("Maps to forecast"), tr("Later maps are forecast from the forecasts of the earlier ones.")),
    ] = 1
    sequence_length: Annotated[int, Limits(2, 1000), Shown(tr("Sequence length"), tr("Maps in a training window."))] = (
        16
    )
    epochs: Annotated[
        int,
        Limits(1, 10_000),
        Shown(tr("Epochs"), tr("At most; training stops earlier when the validation loss rises.")),
    ] = 30
    learning_rate: Annotated[
        float,
        Limits(0, 1, above=True),
        Shown(tr("Learning rate"), tr("The published one is 0.0001."), usual="0.001", advanced=True),
    ] = 1e-3
    batch_size: Annotated[
        int, Limits(1, 1024), Shown(tr("Batch size"), tr("Windows in a training step."), advanced=True)
    ] = 4
    channels: Annotated[
        int, Limits(1, 256), Shown(tr("Channels"), tr("Hidden channels of each ConvLSTM layer."), advanced=True)
    ] = 16
    layers: Annotated[int, Limits(1, 8), Shown(tr("Layers"), tr("ConvLSTM layers."), advanced=True)] = 2
    positive_weight: Annotated[
        float | None,
        Limits(0, above=True),
        Shown(
            tr("Weight of an incident"),
            tr(
                "Weight of cells with an incident in the cross-entropy; above 1 they count more than the others. The "
                "risk is corrected for it and stays a probability."
            ),
            usual="1",
            advanced=True,
            optional=False,
        ),
    ] = 1.0
    threshold: Annotated[int, THRESHOLD] = 1
    seed: Annotated[
        int,
        SEED,
        Shown(tr("Seed"), tr("The same seed and input give the same forecast on the same machine."), advanced=True),
    ] = 0
    output: Annotated[str, RasterDestination(style="risk", abstract="card"), Shown(tr("Risk"))]
    model_output: Annotated[
        str | None,
        FileDestination(filter=FORECAST_MODEL, read_on=True),
        Shown(tr("Trained model"), name="OUTPUT_MODEL"),
    ] = None
    report: Annotated[
        str | None,
        FileDestination(filter=HTML),
        Shown(
            tr("Report"),
            tr("One HTML file: loss curves, scores beside the baselines, reliability, and a model card."),
            name="OUTPUT_REPORT",
        ),
    ] = None


class TrainForecastModel(AimsAt, ReadsExtras):
    ID = "trainforecastmodel"
    JOB = "train_forecast"
    TITLE = tr("Train forecast model")
    GROUP = FORECAST
    TAGS = (
        "forecast,train,model,ensemble,convlstm,st-resnet,sftt,kde,etas,self-exciting,deep learning,risk,hotspot,catch,"
        "places,patrol"
    )
    SUMMARY = tr("Trains a model that forecasts the risk of incidents per cell or area, and says how good it is.")
    HELP = tr("""
The last maps are held out: the model is first trained without them and forecasts each from the maps before it, beside
simple baselines. The log says in a sentence whether it can be told from the best of them; often it cannot, and then
plain counts serve as well. Afterwards the model is trained again on all maps, and kept for Forecast risk.

The default, Ensemble, weighs several forecasters by how well they did on past maps. Networks (ConvLSTM, ST-ResNet,
SFTT) take minutes and need a grid; the others take seconds, and areas of any kind too. The forecast is one of reported
incidents in places, never of persons.

Where you must choose a few places to send people to, train for the catch: the model then learns which places catch the
most over the next week, month or quarter as a whole, and is judged on windows of that length.
""")
    PROGRESS = (0.0, 100.0)
    OUTPUTS = (
        Output("LOG_LOSS", "metrics.{kind}.log_loss", tr("Log-loss on held-out maps")),
        Output("LOG_LOSS_RATIO_BEST", "log_loss_ratio_best", tr("Log-loss against the best simple baseline")),
        Output("LOG_LOSS_RATIO_CONSTANT", "log_loss_ratio_constant", tr("Log-loss against a constant forecast")),
        Output("HELD_OUT_MAPS", "held_out_bins", tr("Held-out maps")),
        Output("MAPS", "maps", tr("Maps the model was trained on")),
        Output("SECONDS", "seconds", tr("Seconds")),
        Output("VERDICT", "verdict", tr("Verdict"), "text"),
        Output("BEST_BASELINE", "best_baseline", tr("Best simple baseline"), "text"),
        Output("KIND", "kind", tr("Kind of model"), "text"),
        Output("TRAINED_UNTIL", "trained_until", tr("Trained until"), "text"),
        *list_catch_figures("kind"),
    )

    heatmaps: Annotated[str, MapLayer("counts"), Shown(COUNTS, COUNTS_HELP, name="INPUT")]
    horizon: Annotated[
        int,
        STEPS,
        Shown(
            tr("Horizon"),
            tr("With the catch: so many bins are forecast as one window, such as 13 weeks for a quarter."),
            unit="bins",
        ),
    ] = 1
    kind: Annotated[
        str,
        MODELS,
        Shown(
            tr("Kind of model"),
            tr(
                "From plain counts to networks. Ensemble weighs several by how well they did on past maps; with the "
                "catch it is Ensemble for the catch. All are judged on the same held-out maps."
            ),
            name="MODEL_KIND",
        ),
    ] = DEFAULT
    settings: Annotated[
        dict[str, Any],
        Settings("epochs=20, padding=reflect"),
        Shown(
            tr("Settings of the model"),
            tr(
                "Of the chosen kind. For ConvLSTM: epochs=20, padding=reflect; for Ensemble: share=0.3; or JSON. The "
                "user guide lists all. A name that the kind does not know is refused with those it knows."
            ),
            advanced=True,
        ),
    ] = {}
    threshold: Annotated[
        int,
        THRESHOLD,
        Shown(
            tr("Incidents that count"),
            tr("The risk is that of at least so many incidents in a cell and bin."),
            advanced=True,
        ),
    ] = 1
    seed: Annotated[
        int,
        SEED,
        Shown(tr("Seed"), tr("The same seed and input give the same model on the same machine."), advanced=True),
    ] = 0
    until: Annotated[
        datetime | None,
        Shown(tr("Until"), tr("Maps that end later are left out. By default all maps are used.")),
    ] = None
    delay: Annotated[int | None, LONGEST_DELAY, DELAY] = None
    held_out: Annotated[
        float,
        Limits(0, 0.5),
        Shown(
            tr("Share held out"),
            tr(
                "Of the maps, at their end, that the model is judged on. With 0 nothing can be said about how good it "
                "is."
            ),
        ),
    ] = HELD_OUT
    refit: Annotated[
        bool,
        Shown(
            tr("Train again on all maps"),
            tr("After the judging, so that the model knows the latest maps too."),
            advanced=True,
        ),
    ] = True
    checkpoint: Annotated[
        str | None,
        FileDestination(filter=CHECKPOINT, created=False, outlives=True),
        Shown(
            tr("Checkpoint"),
            tr(
                "Networks keep here where their training stands. When it was cancelled, the same training with the "
                "same checkpoint goes on from there; when it ends well the file is removed."
            ),
            advanced=True,
        ),
    ] = None
    model_output: Annotated[
        str, FileDestination(filter=FORECAST_MODEL, read_on=True), Shown(tr("Forecast model"), name="MODEL")
    ]
    report: Annotated[
        str | None,
        FileDestination(filter=HTML),
        Shown(
            tr("Report"),
            tr("One HTML file: scores beside the baselines, reliability, how it was trained, and a model card."),
        ),
    ] = None

    @classmethod
    def list_problems(cls, given: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield settings that have a parameter of their own, and a window that nobody asked for."""
        yield from super().list_problems(given)
        yield from list_own_settings(given["settings"])
        if given["aim"] != CATCH and given["horizon"] > 1:
            text = tr(
                "{horizon} is {value}, but only with the catch are so many bins forecast as one. Set {aim} to the "
                "catch, or {horizon} to 1: probabilities are forecast for each bin."
            )
            yield Problem("horizon", text)


class ForecastRisk(Tool):
    ID = "forecastrisk"
    JOB = "forecast"
    TITLE = tr("Forecast risk")
    GROUP = FORECAST
    TAGS = "forecast,predict,risk,hotspot,model,next,probability,temporal,catch,places,patrol"
    SUMMARY = tr("Forecasts the risk of incidents per cell or area in the next time bins with a trained model.")
    HELP = tr("""
The model, made with Train forecast model, is not trained further: it reads the counts up to their last bin, and
forecasts the bins after it. The counts may go on after those it was trained on; their cells or areas, and their bins,
must be the same. Where counts are known late, the bins that are over and not known yet are skipped.

Of grids the result is a raster of probabilities from 0 to 1, a band per forecast bin; of areas a layer of them, which
the Temporal Controller plays, and a table of the top places. What is forecast, by which model and how good it was goes
into the layer's metadata and the log as one line, which print layouts show. It is a forecast of reported incidents in
places, never of persons.

A model made for the catch gives the few places to go to over the window as a whole, such as the next quarter, and the
raster is then the probability of at least one incident in all of it.
""")
    OUTPUTS = (
        Output("CARD", "card", tr("Model card line"), "text"),
        Output("VERDICT", "verdict", tr("Verdict"), "text"),
        Output("ORIGIN", "origin", tr("Origin"), "text"),
        Output("KIND", "model", tr("Kind of model"), "text"),
    )

    model: Annotated[
        str,
        _MODEL,
        Shown(tr("Forecast model"), tr("Made with Train forecast model or Run ConvLSTM prediction.")),
    ]
    heatmaps: Annotated[
        str,
        MapLayer("counts"),
        Shown(
            COUNTS,
            tr(
                "Everything known at the moment of the forecast, made with Rasterize hotspot grids or Count incidents "
                "by area: the units and bins that the model was trained on."
            ),
            name="INPUT",
        ),
    ]
    steps: Annotated[
        int | None,
        STEPS,
        Shown(
            tr("Maps to forecast"),
            tr(
                "One for each of the next time bins. Later ones are less certain than the first. With the catch so "
                "many bins are one window. Left empty 1, or the window of a model made for the catch."
            ),
        ),
    ] = None
    aim: Annotated[
        ModelAim,
        AIMS_OF_MODEL,
        Shown(AIM, AIM_HELP),
    ] = "model"
    catch_size: Annotated[float | None, ABOVE_ZERO, Shown(CATCH_SIZE, CATCH_SIZE_OF_MODEL_HELP)] = None
    catch_unit: Annotated[CatchUnit | None, CATCH_UNITS_OF_MODEL, Shown(CATCH_UNIT, CATCH_UNIT_HELP)] = None
    extras: Annotated[
        list[str],
        Rasters(),
        Shown(
            tr("Extra layers"),
            tr(
                "The extra layers that the model was trained with: the same file names, in the same order. A channel, "
                "too, must go up to the last map: make it anew with Rasterize hotspot grids, under the same name."
            ),
            advanced=True,
        ),
    ] = []
    output: Annotated[
        str | None,
        RasterDestination(style="risk", abstract="card", units="grid"),
        Shown(tr("Risk"), tr("The raster, of grids.")),
    ] = None
    by_area: Annotated[
        str | None,
        VectorDestination(
            "any",
            {
                "id": "text",
                "name": "text",
                "start": "datetime",
                "end": "datetime",
                "risk": "real",
                "expected": "real",
                "low": "real",
                "high": "real",
                "percentile": "real",
                "class": "integer",
                "rank": "integer",
                "change": "real",
            },
            style="risk_areas",
            abstract="card",
            units="areas",
        ),
        Shown(
            tr("Risk by area"),
            tr(
                "Each area and bin with the probability of at least one incident, and the expected count with its 95 % "
                "interval. Rank 1 has the most risk per km²; percentile is the share of the whole area that has less, "
                "class how many of 25, 75, 91 and 96 % that reaches. Change is the expected count less the mean count "
                "per bin of the last year known."
            ),
            name="AREAS",
        ),
    ] = None
    top: Annotated[
        str | None,
        VectorDestination(
            "none",
            {
                "rank": "integer",
                "id": "text",
                "name": "text",
                "start": "datetime",
                "end": "datetime",
                "risk": "real",
                "expected": "real",
                "low": "real",
                "high": "real",
                "km2": "real",
                "share": "real",
                "expected_share": "real",
            },
            style="top_places",
            abstract="card",
            units="areas",
        ),
        Shown(
            tr("Top places"),
            tr(
                "A table of the 20 areas with the most risk for their size, the first the most: each with its size, "
                "and the shares of the whole area and of all expected incidents that it and those before it hold."
            ),
        ),
    ] = None
    places: Annotated[
        str | None,
        VectorDestination("any", PLACE_FIELDS, style="places", abstract="card", maker="title"),
        Where("aim", CATCH, also="model"),
        Shown(PLACES, PLACES_HELP),
    ] = None

    @classmethod
    def list_problems(cls, given: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield that nothing is asked for, and a catch that is said by half or cannot be made."""
        yield from super().list_problems(given)
        yield from list_nothing_wanted(given, "output", "by_area", "top", "places")
        size, unit = given["catch_size"], given["catch_unit"]
        if size is None and unit is not None:
            yield Problem("catch_unit", tr("{catch_unit} is given, but {catch_size} is empty. Give both, or neither."))
        if size is None:
            return
        if given["aim"] == PROBABILITIES:
            text = tr("{catch_size} is {value}, but {aim} asks for probabilities. Leave it empty or ask for the catch.")
            yield Problem("catch_size", text)
        if unit is None:
            text = tr("{catch_size} is {value}, but {catch_unit} does not say of what. Give both, or neither.")
            yield Problem("catch_size", text)
        yield from list_size_problems(given)
