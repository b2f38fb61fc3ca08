"""Tools of the group Crime score: an index of incidents, the scores read from it, and the model that predicts them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any

from ..choices import Counting, FeatureGroup, Protocol, Search
from ..texts import count_text, tr
from .base import QGIS_ONLY, Limits, Output, Problem, Shown, Tool
from .kinds import (
    Choice,
    File,
    FileDestination,
    LayerName,
    Places,
    Polygons,
    RasterDestination,
    Scratch,
    Text,
    VectorDestination,
    find_ending,
)
from .shared import (
    ABOVE_ZERO,
    CELLS,
    CRIME_INDEX,
    CRIME_SCORE,
    HTML,
    REFUSED_COUNT,
    SCORE_MODEL,
    SEED,
    GridOfCells,
    ReadsIncidents,
    RefusesFeatures,
    Spacing,
    WorksInMetres,
)

INDEX = File(find_ending(CRIME_INDEX))
#: How many nearest incidents may be asked for.
NEIGHBOURS = Limits(1, 1000)

_SCORE_RADIUS = Shown(tr("Radius"), tr("Incidents closer than this count."), unit="m", usual="200")
_SCORE_WINDOW = Shown(
    tr("Window"),
    tr("Incidents younger than this at the reference time count."),
    name="WINDOW",
    unit="days",
    usual="365",
)


class BuildCrimeIndex(WorksInMetres, ReadsIncidents, RefusesFeatures):
    ID = "buildcrimeindex"
    JOB = "build_index"
    TITLE = tr("Build crime index")
    GROUP = CRIME_SCORE
    TAGS = "crime,index,nearest,neighbours,annoy,k-d tree,incidents"
    SUMMARY = tr("Puts incidents into one searchable file that answers what happened near a place.")
    HELP = tr("""
The index is read by Compute crime score layer. The exact k-d tree is the default: in two dimensions it is
faster than Annoy and misses nothing. Annoy is the method of the published crime score (Garrido Czacki 2021);
its recall against the exact answer is measured on a sample and reported.

Incidents without a place or a time are refused, counted by reason, and can be written to a table.
""")
    PROGRESS = (20.0, 90.0)
    OUTPUTS = (
        Output("COUNT", "count", tr("Incidents")),
        REFUSED_COUNT,
        Output("RECALL", "recall", tr("Recall")),
        Output("FIRST", "first", tr("First incident"), "text"),
        Output("LAST", "last", tr("Last incident"), "text"),
    )

    method: Annotated[
        Search,
        Choice({"exact": tr("Exact (k-d tree)"), "annoy": tr("Annoy (approximate)")}),
        Shown(tr("Search"), tr("How neighbours are found.")),
    ] = "exact"
    trees: Annotated[
        int,
        Limits(1, 1000),
        Shown(
            tr("Annoy trees"),
            tr("More trees find more of the true neighbours and take longer. Used by Annoy only."),
            advanced=True,
        ),
    ] = 10
    seed: Annotated[int, SEED] = 0
    source: Annotated[str, LayerName("incidents")] = ""
    output: Annotated[str, FileDestination(filter=CRIME_INDEX, read_on=True), Shown(tr("Crime index"))]


class CrimeScoreSpacing(Spacing):
    """The grid of points of Compute crime score layer, whose study area has kept its first name."""

    polygons: Annotated[
        list[dict[str, Any]] | None,
        Polygons(),
        Shown(tr("Grid study area"), tr("Only points of the grid inside these polygons are kept.")),
    ] = None


class ScoresPlaces(Tool):
    """Places that are scored: given ones, or a grid of points."""

    # Where the given points lie in a file that the engine reads: their rows are kept, with the scores in new fields of
    # these names.
    attributes: str | None = None
    attributes_table: str | None = None
    score_fields: list[str] = []

    @classmethod
    def list_problems(cls, given: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield both, or neither; in the dialog there is always a spacing."""
        yield from super().list_problems(given)
        if "grid" in given and (given["points"] is None) == (given["grid"] is None):
            yield Problem(
                "points",
                tr(
                    "Neither points nor a spacing was given, or both. Give a point layer to score, or a spacing for a "
                    "grid of points."
                ),
            )


class CrimeScoreLayer(ScoresPlaces):
    ID = "crimescorelayer"
    JOB = "score_points"
    TITLE = tr("Compute crime score layer")
    GROUP = CRIME_SCORE
    TAGS = "crime,score,density,radius,count,incidents,annoy"
    SUMMARY = tr("Scores places from 0 to 1 by how many incidents lie near them.")
    HELP = tr("""
score_abs is the number of incidents closer than the radius and younger than the window at the reference time.
score is its logarithm, rescaled so that the incidents' own places span 0 to 1 (Garrido Czacki 2021). percentile
is the share of the incidents' own places with a count as high or lower.

Give points to score, or a spacing for a regular grid of points over an extent or polygons; with neither extent
nor polygons the grid covers the incidents.
""")
    PROGRESS = (20.0, 90.0)
    OUTPUTS = (
        Output("COUNT", "points", tr("Points scored")),
        Output("INCIDENTS", "incidents_in_window", tr("Incidents in the window")),
        Output("SCORE_LOW", "score_low", tr("Points with a score below 0.3")),
        Output("SCORE_HIGH", "score_high", tr("Points with a score above 0.8")),
        Output("REFERENCE", "reference_time", tr("Reference time used"), "text"),
    )

    index: Annotated[str, INDEX, Shown(tr("Crime index"), tr("Made with Build crime index."))]
    points: Annotated[
        str | None,
        Places(),
        Shown(tr("Points to score"), tr("Their attributes are kept. Leave empty to score a regular grid.")),
    ] = None
    grid: CrimeScoreSpacing | None = None
    radius: Annotated[float, ABOVE_ZERO, _SCORE_RADIUS] = 200.0
    window_days: Annotated[float, ABOVE_ZERO, _SCORE_WINDOW] = 365.0
    reference_time: Annotated[
        datetime | None,
        Shown(tr("Reference time"), tr("Nothing after it counts. By default the time of the last incident.")),
    ] = None
    method: Annotated[
        Counting,
        Choice(
            {
                "exact": tr("Exact"),
                "as_built": tr("As the index was built (Annoy: broadening search, as published)"),
            }
        ),
        Shown(tr("Count"), advanced=True),
    ] = "exact"
    output: Annotated[str, Scratch("scores.npz")]
    layer: Annotated[
        str | None,
        VectorDestination("point", {"score_abs": "long", "score": "real", "percentile": "real"}),
        Shown(tr("Crime scores"), name="OUTPUT", optional=False),
    ] = None


#: The groups of features of a score model, in the order of their integers.
FEATURES: dict[FeatureGroup, str] = {
    "pairs": tr("Distance and age of the nearest (published)"),
    "distances": tr("Log distances of the nearest"),
    "more": tr("Log distances of farther neighbours"),
    "ages": tr("Ages of the nearest"),
    "clock": tr("Hour and weekday of the nearest"),
    "offsets": tr("Whether the nearest lie to one side"),
    "rings": tr("Counts within rings"),
    "densities": tr("Smoothed densities"),
    "slopes": tr("How steeply the densities change"),
}


class TrainScoreModel(Tool):
    ID = "trainscoremodel"
    JOB = "train_score"
    TITLE = tr("Train score model")
    GROUP = CRIME_SCORE
    TAGS = "crime,score,model,train,neural network,deep learning,torch,interval"
    SUMMARY = tr("Trains a network that predicts the crime score of any place from recent incidents alone.")
    HELP = tr("""
The recommended protocol holds out square blocks of the city in turn, so its error is what to expect where the model
has not been, and gives every prediction an interval. The published one (Garrido Czacki 2021) is there to compare: a
random split, which leaks, and a network grown layer by layer.

The report says how good the model is in one sentence, then in figures, beside simpler models and the other protocol.
The score is a nowcast of reported incidents at places: never of persons, and no forecast.
""")
    PROGRESS = (0.0, 100.0)
    OUTPUTS = (
        Output("L1", "l1", tr("Mean absolute error on held-out rows")),
        Output("L1_LOW", "l1_low", tr("Lower bound of its 95 % interval")),
        Output("L1_HIGH", "l1_high", tr("Upper bound of its 95 % interval")),
        Output("COVERAGE", "coverage", tr("Share of truths inside their interval")),
        Output("PARAMETERS", "parameters", tr("Parameters of the network")),
        Output("SECONDS", "seconds", tr("Seconds of training")),
        Output("ROWS", "rows", tr("Rows trained and judged on")),
        Output("INCIDENTS", "incidents", tr("Incidents in the window")),
        Output("RECENT_INCIDENTS", "recent_incidents", tr("Incidents in the recent window")),
        Output("ARCHITECTURE", "architecture", tr("Architecture"), "text"),
    )

    index: Annotated[
        str,
        INDEX,
        Shown(tr("Crime index"), tr("Made with Build crime index; holds the year that makes the score."), name="INPUT"),
    ]
    recent_index: Annotated[
        str | None,
        INDEX,
        Shown(
            tr("Index of recent incidents"),
            tr(
                "An index of the recent incidents; by default they are taken from the crime index. Both need the same "
                "CRS."
            ),
        ),
    ] = None
    protocol: Annotated[
        Protocol,
        Choice({"recommended": tr("Recommended"), "published": tr("Published (Garrido Czacki 2021)")}),
        Shown(tr("Protocol"), tr("How the model is trained and judged.")),
    ] = "recommended"
    radius: Annotated[
        float, ABOVE_ZERO, Shown(tr("Radius"), tr("Incidents closer than this make the score."), unit="m", usual="200")
    ] = 200.0
    window_days: Annotated[
        float,
        ABOVE_ZERO,
        Shown(
            tr("Window"),
            tr("Incidents younger than this at the reference time make the score."),
            name="WINDOW",
            unit="days",
            usual="365",
        ),
    ] = 365.0
    recent_days: Annotated[
        float,
        ABOVE_ZERO,
        Shown(
            tr("Recent window"),
            tr("The model looks at incidents this recent alone, so that a month's data answers."),
            name="RECENT_WINDOW",
            unit="days",
            usual="31",
        ),
    ] = 31.0
    reference_time: Annotated[
        datetime | None,
        Shown(tr("Reference time"), tr("End of both windows. By default the time of the last incident.")),
    ] = None
    k: Annotated[
        int,
        NEIGHBOURS,
        Shown(
            tr("Neighbours"),
            tr("How many nearest incidents features of neighbours look at; the recommended features need none."),
        ),
    ] = 10
    features: Annotated[
        list[FeatureGroup] | None,
        Choice(FEATURES),
        Limits(fewest=1, most=len(FEATURES)),
        Shown(
            tr("Features"),
            tr("What the model sees of the incidents around a place. By default the protocol's own."),
            advanced=True,
        ),
    ] = None
    augment: Annotated[
        bool,
        Shown(
            tr("Resample low and high scores"),
            tr("Places with a score below 0.3 are copied 20 times and those above 0.8 three times, moved up to 50 m."),
        ),
    ] = True
    grow: Annotated[
        bool | None,
        Choice({None: tr("As the protocol does"), True: tr("Yes"), False: tr("No")}),
        Shown(
            tr("Grow the network layer by layer"),
            tr(
                "From logistic regression on, until the development loss stops falling. The published protocol does it."
            ),
            optional=False,
            advanced=True,
        ),
    ] = None
    widths: Annotated[
        list[int] | None,
        Text(",", "64, 64"),
        Limits(1, 4096, most=32),
        Shown(
            tr("Hidden layers"),
            tr(
                "Neurons of each hidden layer, such as 64, 64; when growing, the layers that may be added. By default "
                "the protocol's own."
            ),
            advanced=True,
        ),
    ] = None
    epochs: Annotated[
        int | None,
        Limits(1, 100_000),
        Shown(tr("Epochs"), tr("At most; by default the protocol's own."), advanced=True),
    ] = None
    patience: Annotated[
        int | None,
        Limits(1, 100_000),
        Shown(
            tr("Patience"),
            tr(
                "Training stops after so many epochs without a smaller development loss; by default the protocol's own."
            ),
            unit="epochs",
            advanced=True,
        ),
    ] = None
    seed: Annotated[
        int,
        SEED,
        Shown(tr("Seed"), tr("The same seed and input give the same model on the same machine."), advanced=True),
    ] = 0
    folds: Annotated[
        int,
        Limits(3, 50),
        Shown(tr("Folds"), tr("Into so many parts the blocks are dealt, each held out once."), advanced=True),
    ] = 10
    block_size: Annotated[
        float,
        ABOVE_ZERO,
        Shown(tr("Block size"), tr("Side of the blocks held out."), unit="m", usual="1000", advanced=True),
    ] = 1000.0
    interval: Annotated[
        float,
        Limits(0.5, 0.99),
        Shown(tr("Interval"), tr("Share of truths the intervals should hold."), advanced=True),
    ] = 0.9
    compare: Annotated[
        bool,
        Shown(
            tr("Compare protocols and simpler models"),
            tr("Measures both protocols and the simpler models beside them for the report. Takes longer."),
        ),
    ] = True
    keep_best: Annotated[
        bool,
        Shown(tr("When cancelled, keep the best model so far"), tr("It is saved as the model file, without a report.")),
    ] = False
    model_output: Annotated[
        str, FileDestination(filter=SCORE_MODEL, read_on=True), Shown(tr("Score model"), name="MODEL")
    ]
    report: Annotated[
        str | None,
        FileDestination(filter=HTML),
        Shown(
            tr("Report"),
            tr("One HTML file: how good the model is, where it errs, how it was trained, and a model card."),
        ),
    ] = None

    @classmethod
    def list_problems(cls, given: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield a recent window longer than the whole one."""
        yield from super().list_problems(given)
        if given["recent_days"] > given["window_days"]:
            recent, window = (count_text(given[key], tr("day"), tr("days")) for key in ("recent_days", "window_days"))
            text = tr("{recent_days} is {recent}, longer than {window_days}, {window}. Usual are 31 and 365.")
            yield Problem("recent_days", text.replace("{recent}", recent).replace("{window}", window))


class AppliesScoreModel(Tool):
    """A score model applied to the recent incidents of an index."""

    index: Annotated[
        str,
        INDEX,
        Shown(
            tr("Crime index"),
            tr(
                "Made with Build crime index. Only the recent incidents that the model was trained for are looked at: "
                "an index of the last month will do."
            ),
        ),
    ]
    model: Annotated[str, File(find_ending(SCORE_MODEL)), Shown(tr("Score model"), tr("Made with Train score model."))]
    reference_time: Annotated[
        datetime | None,
        Shown(tr("Reference time"), tr("Nothing after it is looked at. By default the time of the last incident.")),
    ] = None
    elsewhere: Annotated[
        bool,
        Shown(
            tr("Apply a model of another place"),
            tr(
                "Without it a model that was trained on another place than the index covers is refused. Nobody has "
                "measured how good its scores are there."
            ),
            advanced=True,
        ),
    ] = False


_APPLIED = (
    Output("UNKNOWN", "unknown", tr("Places outside the data")),
    Output("RECENT", "recent_incidents", tr("Recent incidents looked at")),
    Output("REFERENCE", "reference_time", tr("Reference time used"), "text"),
)


class PredictScore(ScoresPlaces, AppliesScoreModel):
    ID = "predictscore"
    JOB = "predict_score"
    TITLE = tr("Predict score layer")
    GROUP = CRIME_SCORE
    TAGS = "crime,score,predict,prediction,model,neural network,interval,neighbourhoods,choropleth,grid"
    SUMMARY = tr(
        "Predicts the crime score of points, neighbourhoods or a grid from recent incidents, with an interval."
    )
    HELP = tr("""
score runs from 0 to 1: an estimate, from the recent incidents alone, of the score that Compute crime score layer
gives for the radius and window that the model was trained for. Between lower and upper lay the counted score of as
many places that the training held out as its Interval says (0.9: nine of ten). Those were places of incidents; how
often it holds elsewhere is less sure. percentile is the share of the incidents' own places with a score as low.
incidents is the number of recent incidents within 500 m, which the prediction rests on: the fewer, the less it knows.
count is the number of incidents in the model's window and radius that the score stands for.

Give points, or polygons such as neighbourhoods: each is scored at its centroid, or at a point inside it where the
centroid lies outside. For a mean over each polygon use Predict score raster and Zonal statistics. Without a layer, a
grid of points covers the extent, the study area or the incidents.

The colours change at the 20th, 40th, 60th and 80th percentile of the incidents' own places, those of the Crime score
dock and of Compute crime score layer at 0.2, 0.4, 0.6 and 0.8: one score may have two colours. Places more than 2 km
from every incident have no score. It speaks of reported incidents at places, never of persons, and is no forecast.
""")
    PROGRESS = (20.0, 90.0)
    OUTPUTS = (Output("COUNT", "known", tr("Places with a score")), *_APPLIED)

    points: Annotated[
        str | None,
        Places(polygons=True),
        Shown(
            tr("Points or polygons"),
            tr("Their attributes are kept. Leave empty to score a regular grid."),
            name="INPUT",
        ),
    ] = None
    keep_polygons: Annotated[
        bool,
        QGIS_ONLY,
        Shown(
            tr("Keep the polygons"),
            tr("Polygons stay polygons, as for a map of neighbourhoods; otherwise the scored points are written."),
        ),
    ] = True
    grid: Spacing | None = None
    output: Annotated[str, Scratch("scores.npz")]
    layer: Annotated[
        str | None,
        VectorDestination(
            "any",
            {
                "score": "real",
                "lower": "real",
                "upper": "real",
                "percentile": "real",
                "incidents": "long",
                "count": "real",
            },
        ),
        Shown(tr("Predicted scores"), name="OUTPUT", optional=False),
    ] = None


class PredictScoreRaster(GridOfCells, AppliesScoreModel):
    ID = "predictscoreraster"
    JOB = "predict_score_raster"
    TITLE = tr("Predict score raster")
    GROUP = CRIME_SCORE
    TAGS = "crime,score,predict,prediction,model,neural network,interval,raster,surface,map"
    SUMMARY = tr("Predicts the crime score of a whole area from recent incidents, as a raster with its interval.")
    HELP = tr("""
The bands are the score, the lower and upper end of its interval, and the percentile: the share of the incidents' own
places with a score as low. What they mean is told by Predict score layer. Cells outside the study area, and those more
than 2 km from every incident, are no data.

The raster is written tile by tile, so its size hardly needs memory. Left empty, the cell size is half the radius of the
model's score (finer cells show nothing more), larger where that would give more than a million cells; it is reported in
the log. The colours change at the 20th, 40th, 60th and 80th percentile of the incidents' own places.

The file's metadata hold the model card. It speaks of reported incidents at places, never of persons, and is no
forecast.
""")
    PROGRESS = (1.0, 98.0)
    OUTPUTS = (*CELLS, Output("COUNT", "cells", tr("Cells with a score")), *_APPLIED)

    output: Annotated[str, RasterDestination(style="predicted_raster"), Shown(tr("Predicted score"))]


class ScoreQuestion(Tool):
    """What the Crime score dock asks at one place; without x and y it only warms up, and says what it holds."""

    JOB = "query_score"

    index: str
    model: str | None = None
    x: float | None = None
    y: float | None = None
    radius: Annotated[
        float, ABOVE_ZERO, Shown(tr("Radius"), tr("Incidents closer than this count; 200 m as published."), unit="m")
    ] = 200.0
    window_days: Annotated[
        float,
        ABOVE_ZERO,
        Shown(
            tr("Window"), tr("Incidents younger than this count; 365 days as published."), name="WINDOW", unit="days"
        ),
    ] = 365.0
    k: Annotated[int, NEIGHBOURS, Shown(tr("k nearest"), tr("How many of the nearest incidents are listed."))] = 10
    reference_time: datetime | None = None

    @classmethod
    def list_problems(cls, given: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield half a place."""
        yield from super().list_problems(given)
        if (given["x"] is None) != (given["y"] is None):
            yield Problem("x", tr("Only one of {x} and {y} was given. Give both in metres of the index's CRS."))
