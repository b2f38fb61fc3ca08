"""The forecasters: one record of each, in which stands all that is said of it outside its own class.

A new forecaster is a class in `riskengine.forecasters` and a record here; jobs, tools, reports, benchmarks and tests
read the records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .aims import CATCH, PROBABILITIES, AimKind
from .texts import tr

#: What a forecaster may need beside the counts of each unit (`ForecasterRecord.needs`).
GRID, NEIGHBOURS, COVARIATES = "grid", "neighbours", "covariates"
#: Kinds of units other than cells (`riskengine.maps.support`).
AREAS = "areas"
#: What every forecaster may be given, and is no setting of one: it has a parameter of its own.
OWN_PARAMETERS = ("threshold", "seed", "window", "flagged")


@dataclass(frozen=True)
class LineStyle:
    """How a forecaster's line is drawn in a figure; no two share dashes and marker.

    Attributes
    ----------
    colour : str
        ``#RRGGBB``, of Okabe and Ito's colours and their like.
    dashes : str or tuple
        As matplotlib has them: a name, or (offset, lengths of dashes and gaps).
    marker : str
        As matplotlib has it.
    """

    colour: str
    dashes: str | tuple[float, tuple[float, ...]]
    marker: str


@dataclass(frozen=True, kw_only=True)
class ForecasterRecord:
    """What is said of one forecaster.

    Attributes
    ----------
    name : str
        In files and parameters; also its class's `name`.
    place : str
        ``module:Class`` within `riskengine.forecasters`, imported on demand: plain counts do not wait for torch.
    title : str
        For people, untranslated.
    summary : str
        What it is, in a sentence.
    line : LineStyle
        In figures.
    simple : bool
        Whether it is one of those that every other model must beat.
    baseline : bool
        Whether it stands beside every model that is trained or tested; it is simple too.
    quick_baseline : bool
        Whether it stands beside a risk raster of anybody's making: it needs nothing but the maps before.
    long_run : bool
        Whether it is a long-run mean: all maps of its history weigh alike. Kernel density counts among them where it
        found no use for a recent part (`riskengine.forecasters.base.Forecaster.is_long_run`): who is better than raw
        means only may have smoothed them, which is no signal in time.
    network : bool
        Whether it is trained with torch, which takes minutes and keeps checkpoints.
    needs : frozenset of str
        What it reads beside the counts of each unit: `GRID` (rows and columns), `NEIGHBOURS` (which units touch),
        `COVARIATES` (static layers or other categories, where there are any). Without the first two it forecasts each
        unit alike wherever it lies. The similar categories of a panel of warnings (`contract.warnings.SIMILAR`) are
        not named here: no other panel has them.
    quick_settings : mapping
        Settings that make it as small as it can be, for tests: what they ask holds at any size.
    """

    name: str
    place: str
    title: str
    summary: str
    line: LineStyle
    simple: bool = False
    baseline: bool = False
    quick_baseline: bool = False
    long_run: bool = False
    network: bool = False
    needs: frozenset[str] = frozenset()
    quick_settings: Mapping[str, Any] = field(default_factory=dict)


#: In this order they are the options of QGIS's enumerations, whose integers users' models and commands hold
#: (constant = 0 … catch = 24, level = 28): a new one goes last, for ever.
RECORDS: tuple[ForecasterRecord, ...] = (
    ForecasterRecord(
        name="constant",
        place="baselines:ConstantForecaster",
        title=tr("Constant"),
        summary=tr("The same probability everywhere."),
        line=LineStyle("#595959", ":", "x"),
        simple=True,
        baseline=True,
        quick_baseline=True,
        long_run=True,
    ),
    ForecasterRecord(
        name="prior_counts",
        place="baselines:PriorCounts",
        title=tr("Prior counts"),
        summary=tr("Mean count of all history for each place."),
        line=LineStyle("#D55E00", "--", "s"),
        simple=True,
        baseline=True,
        quick_baseline=True,
        long_run=True,
    ),
    ForecasterRecord(
        name="prior_share",
        place="baselines:PriorShare",
        title=tr("Prior share"),
        summary=tr("Share of past bins with an incident."),
        line=LineStyle("#009E73", "-.", "^"),
        simple=True,
        long_run=True,
    ),
    ForecasterRecord(
        name="recent_counts",
        place="recent:RecentCounts",
        title=tr("Recent counts"),
        summary=tr("Mean count of the last bins for each place."),
        line=LineStyle("#C77F00", (0, (6, 1.5)), "v"),
        simple=True,
        baseline=True,
        quick_baseline=True,
    ),
    ForecasterRecord(
        name="weekday_trend",
        place="weekday:WeekdayTrend",
        title=tr("Weekday and trend"),
        summary=tr("Mean of the last 365 days for each place, times weekday (and hour), times the study area's trend."),
        line=LineStyle("#CC79A7", (0, (4, 1.5, 1, 1.5)), "D"),
        simple=True,
        baseline=True,
    ),
    ForecasterRecord(
        name="kde",
        place="kde:SpaceTimeKDE",
        title=tr("Space-time KDE"),
        summary=tr("Kernel density; bandwidths by likelihood."),
        line=LineStyle("#00795A", (0, (2, 1)), "p"),
        simple=True,
        baseline=True,
        long_run=True,
        needs=frozenset({GRID}),
    ),
    ForecasterRecord(
        name="etas",
        place="selfexciting.etas:SelfExciting",
        title=tr("Self-exciting"),
        summary=tr("Background plus triggering, fitted by EM."),
        line=LineStyle("#56B4E9", "-", "X"),
        needs=frozenset({GRID}),
    ),
    ForecasterRecord(
        name="logistic",
        place="cellwise:Logistic",
        title=tr("Logistic"),
        summary=tr("Regularised logistic regression for each place."),
        line=LineStyle("#882255", (0, (8, 2, 2, 2)), "<"),
        needs=frozenset({GRID, COVARIATES}),
    ),
    ForecasterRecord(
        name="boosting",
        place="cellwise:Boosting",
        title=tr("Boosting"),
        summary=tr("Gradient-boosted trees on the same features."),
        line=LineStyle("#A0522D", "-", ">"),
        needs=frozenset({GRID, COVARIATES}),
        quick_settings={"trees": 4},
    ),
    ForecasterRecord(
        name="convlstm",
        place="networks.convlstm:ConvLSTMForecaster",
        title=tr("ConvLSTM"),
        summary=tr("ConvLSTM over a causal running mean."),
        line=LineStyle("#0072B2", "-", "o"),
        network=True,
        needs=frozenset({GRID, COVARIATES}),
        quick_settings={"sequence_length": 4, "channels": 2, "layers": 1, "epochs": 1},
    ),
    ForecasterRecord(
        name="convlstm_published",
        place="networks.convlstm_published:PublishedConvLSTM",
        title=tr("ConvLSTM (published)"),
        summary=tr("ConvLSTM layers with 3-D max pooling and weighted cross-entropy."),
        line=LineStyle("#0072B2", (0, (3, 2)), "h"),
        network=True,
        needs=frozenset({GRID}),
        quick_settings={"sequence_length": 4, "channels": 2, "epochs": 1},
    ),
    ForecasterRecord(
        name="st_resnet",
        place="networks.st_resnet:STResNet",
        title=tr("ST-ResNet"),
        summary=tr("Closeness, period and trend; residual units."),
        line=LineStyle("#6A51A3", "-.", "P"),
        network=True,
        needs=frozenset({GRID, COVARIATES}),
        quick_settings={"features": 2, "units": 1, "epochs": 1},
    ),
    ForecasterRecord(
        name="sftt",
        place="networks.sftt:SFTT",
        title=tr("SFTT"),
        summary=tr("Spatial features by a CNN, then an LSTM over time."),
        line=LineStyle("#B2182B", (0, (5, 1, 1, 1, 1, 1)), "d"),
        network=True,
        needs=frozenset({GRID, COVARIATES}),
        quick_settings={"sequence_length": 4, "features": 2, "layers": 1, "hidden": 3, "epochs": 1},
    ),
    ForecasterRecord(
        name="ensemble",
        place="ensemble:Ensemble",
        title=tr("Ensemble"),
        summary=tr("Several forecasters, weighted on past folds."),
        line=LineStyle("#000000", "-", "*"),
        needs=frozenset({GRID, COVARIATES}),
        quick_settings={"members": ["prior_counts", "weekday_trend", "kde", "logistic"]},
    ),
    ForecasterRecord(
        name="long_run",
        place="rates:LongRun",
        title=tr("Long-run rate"),
        summary=tr("Mean of all history per unit, shrunk, at the level of the last year, calibrated."),
        line=LineStyle("#8C6D31", "--", "o"),
        simple=True,
        long_run=True,
    ),
    ForecasterRecord(
        name="last_year",
        place="rates:LastYear",
        title=tr("Last year"),
        summary=tr("Mean of the last 12 months per unit, shrunk, calibrated."),
        line=LineStyle("#D6616B", (0, (6, 1.5)), "<"),
        simple=True,
    ),
    ForecasterRecord(
        name="same_season",
        place="rates:SameSeason",
        title=tr("Same season last year"),
        summary=tr(
            "Mean of the same season a year before per unit, shrunk, at the level of the last year, calibrated."
        ),
        line=LineStyle("#637939", (0, (1, 1.5)), ">"),
        simple=True,
    ),
    ForecasterRecord(
        name="ewma",
        place="rates:WeightedMean",
        title=tr("Weighted mean"),
        summary=tr(
            "Recent bins weigh more, by a half-life chosen on the past; shrunk, at the level of the last year,"
            " calibrated."
        ),
        line=LineStyle("#393B79", (0, (8, 2, 2, 2)), "s"),
        simple=True,
    ),
    ForecasterRecord(
        name="rates_logistic",
        place="ratemodels:RatesLogistic",
        title=tr("Logistic on rates"),
        summary=tr("Logistic regression on weighted means of a unit and its neighbours, season, size and covariates."),
        line=LineStyle("#7B4173", "-", "v"),
        needs=frozenset({NEIGHBOURS, COVARIATES}),
    ),
    ForecasterRecord(
        name="poisson",
        place="ratemodels:PoissonRegression",
        title=tr("Poisson regression"),
        summary=tr("Poisson regression of the counts on the same columns, calibrated."),
        line=LineStyle("#17809B", "-.", "D"),
        needs=frozenset({NEIGHBOURS, COVARIATES}),
    ),
    ForecasterRecord(
        name="rates_boosting",
        place="ratemodels:RatesBoosting",
        title=tr("Boosting on rates"),
        summary=tr("Gradient-boosted trees on the same columns."),
        line=LineStyle("#31724B", "-", "^"),
        needs=frozenset({NEIGHBOURS, COVARIATES}),
        quick_settings={"trees": 4},
    ),
    ForecasterRecord(
        name="poisson_boosting",
        place="ratemodels:PoissonBoosting",
        title=tr("Poisson boosting"),
        summary=tr("Gradient-boosted trees of the counts on the same columns, calibrated."),
        line=LineStyle("#843C39", "-", "p"),
        needs=frozenset({NEIGHBOURS, COVARIATES}),
        quick_settings={"trees": 4},
    ),
    ForecasterRecord(
        name="point_kernel",
        place="catching.pointkernel:PointKernel",
        title=tr("Counts and kernel"),
        summary=tr("Counts of each place, all and recent, times a kernel around it; learned for the catch."),
        line=LineStyle("#A6761D", ":", "P"),
        long_run=True,
        needs=frozenset({GRID, COVARIATES}),
    ),
    ForecasterRecord(
        name="counts_etas",
        place="catching.countsetas:CountsEtas",
        title=tr("Counts × self-exciting"),
        summary=tr("Square root of prior counts times the self-exciting process."),
        line=LineStyle("#2F4B7C", "--", "X"),
        needs=frozenset({GRID}),
    ),
    ForecasterRecord(
        name="catch",
        place="catching.ensemble:CatchEnsemble",
        title=tr("Ensemble for the catch"),
        summary=tr("Several forecasters, weighted by what they caught on past windows."),
        line=LineStyle("#B30059", "-", "D"),
        long_run=True,
        needs=frozenset({GRID, COVARIATES}),
    ),
    ForecasterRecord(
        name="clock",
        place="levels.models:Clock",
        title=tr("Clock"),
        summary=tr("Hour and weekday, the same in all places."),
        line=LineStyle("#7F7F7F", (0, (1, 3)), "1"),
        simple=True,
        long_run=True,
    ),
    ForecasterRecord(
        name="calendar",
        place="levels.models:Calendar",
        title=tr("Calendar × place"),
        summary=tr("Hour, weekday, holidays and season of the study area, times each unit's share of all history."),
        line=LineStyle("#B8860B", (0, (4, 2)), "2"),
        simple=True,
        long_run=True,
    ),
    ForecasterRecord(
        name="calendar_reset",
        place="levels.models:CalendarReset",
        title=tr("Calendar × place, level reset"),
        summary=tr("Calendar × place, brought each quarter to the level of the 365 days before."),
        line=LineStyle("#8B4513", (0, (4, 1, 1, 1)), "3"),
        simple=True,
    ),
    ForecasterRecord(
        name="level",
        place="levels.models:Level",
        title=tr("Level × calendar × place"),
        summary=tr("Calendar × place, at the level of the last weeks: the later an event, the more it counts."),
        line=LineStyle("#1B6CA8", "-", "4"),
        simple=True,
    ),
    ForecasterRecord(
        name="level_terms",
        place="levels.terms:LevelTerms",
        title=tr("Level with recent crime"),
        summary=tr(
            "Level × calendar × place, raised or lowered by recent crime here, around and of other kinds, where the "
            "past proves that."
        ),
        line=LineStyle("#C0392B", "-", "$A$"),
        needs=frozenset({NEIGHBOURS, COVARIATES}),
        quick_settings={"proven": False},
    ),
    ForecasterRecord(
        name="level_boosting",
        place="levels.boosting:LevelBoosting",
        title=tr("Level with recent crime, boosted"),
        summary=tr("Level × calendar × place, corrected by gradient-boosted trees, where the past proves that."),
        line=LineStyle("#6C3483", "-", "$B$"),
        needs=frozenset({NEIGHBOURS, COVARIATES}),
        quick_settings={"trees": 4, "proven": False},
    ),
    ForecasterRecord(
        name="level_exciting",
        place="levels.exciting:LevelExciting",
        title=tr("Level and self-exciting"),
        summary=tr("Level × calendar × place, and a share of the events that follow recent ones here or around."),
        line=LineStyle("#117A65", "-", "$E$"),
        needs=frozenset({NEIGHBOURS}),
        quick_settings={"proven": False},
    ),
    ForecasterRecord(
        name="level_maps",
        place="levels.maps:LevelMaps",
        title=tr("Level with the maps before"),
        summary=tr("Level × calendar × place, corrected by a small network that sees the maps of all crime before."),
        line=LineStyle("#B9770E", "-", "$M$"),
        network=True,
        needs=frozenset({NEIGHBOURS}),
        quick_settings={"features": 2, "epochs": 2, "learning_rate": 0.01, "batch_size": 8, "proven": False},
    ),
    ForecasterRecord(
        name="level_ensemble",
        place="levels.pool:LevelEnsemble",
        title=tr("Ensemble of levels"),
        summary=tr("Level × calendar × place and what corrects it, weighted on past windows, held towards the former."),
        line=LineStyle("#34495E", "-", "$L$"),
        needs=frozenset({NEIGHBOURS, COVARIATES}),
        quick_settings={
            "members": ["level_terms", "level_exciting"],
            "member_settings": {"level_terms": {"proven": False}, "level_exciting": {"proven": False}},
            "strength": 1e6,
            "proven": False,
        },
    ),
)
#: By name.
FORECASTERS: Mapping[str, ForecasterRecord] = {record.name: record for record in RECORDS}
#: What a user gets without choosing.
DEFAULT = "ensemble"
#: The same for the catch, what every catch is compared with, and what the former pools.
DEFAULT_CATCH, CATCH_BASELINE = "catch", "prior_counts"
CATCH_MEMBERS = (CATCH_BASELINE, "point_kernel", "counts_etas")
#: The same for warnings; what learned ones must beat, and what stands beside all of them (`list_baselines` is of maps).
DEFAULT_WARNING, WARNING_REFERENCE = "level", "calendar_reset"
WARNING_BASELINES = ("constant", "clock", "calendar", WARNING_REFERENCE)
#: What the ensemble of levels pools.
LEVEL_MEMBERS = (DEFAULT_WARNING, "level_terms", "level_boosting", "level_exciting")
#: Learned ones that are tried where a user leaves the kind to the data; networks, which take long, are not.
WARNING_CANDIDATES = tuple(
    record.name for record in RECORDS if record.place.startswith("levels.") and not record.simple and not record.network
)
#: Warning models that look at maps of all crime, which are drawn for them alone.
WARNING_PICTURED = ("level_maps",)
#: What stands beside every model that is trained or tested on a grid.
BASELINES = tuple(record.name for record in RECORDS if record.baseline)
#: The same on areas and street segments: those of most use there, each shrunk, at the right level and calibrated.
_AREA_BASELINES = ("constant", "long_run", "last_year", "same_season", "ewma")
#: The same for the catch, whatever the units.
_CATCH_BASELINES = ("constant", CATCH_BASELINE, "recent_counts")
#: What stands beside a risk raster of anybody's making.
QUICK_BASELINES = tuple(record.name for record in RECORDS if record.quick_baseline)
#: Those that can be a long-run mean.
LONG_RUN = tuple(record.name for record in RECORDS if record.long_run)

#: A risk raster of unknown making, as it is called beside the forecasters.
_GIVEN = "Given risk map"

#: Members of the default forecaster by kind of support and unit of the bins; "" stands for all other units. Cheap,
#: and each wrong in its own way. Boosted trees add nothing to the regression that they correct
#: (benchmarks/forecast.py), and networks cost a hundred times as much.
_MEMBERS: Mapping[tuple[str, str], tuple[str, ...]] = {
    (GRID, ""): ("prior_counts", "weekday_trend", "kde", "etas", "logistic"),
    (AREAS, ""): ("ewma", "rates_logistic", "poisson_boosting"),
}


def title_of(name: str) -> str:
    """Call a forecaster as tables, legends and messages do."""
    if name == "risk":
        return _GIVEN
    return FORECASTERS[name].title if name in FORECASTERS else name.replace("_", " ").capitalize()


def list_default_members(support: str = GRID, bin_unit: str = "") -> tuple[str, ...]:
    """List the members of the default forecaster.

    Parameters
    ----------
    support : str
        Kind of support: ``grid``, ``areas`` or ``segments``, which have the same.
    bin_unit : str
        Unit of the bins: ``hours``, ``days``, ``weeks``, ``months``; empty for any.
    """
    kind = GRID if support == GRID else AREAS
    return _MEMBERS.get((kind, bin_unit)) or _MEMBERS[kind, ""]


def list_baselines(support: str = GRID, aim: AimKind = PROBABILITIES) -> tuple[str, ...]:
    """List the forecasters that stand beside every model that is trained or tested.

    Parameters
    ----------
    support : str
        Kind of support: ``grid``, ``areas`` or ``segments``.
    aim : str
        ``probabilities`` or ``catch``.
    """
    if aim == CATCH:
        return _CATCH_BASELINES
    return BASELINES if support == GRID else _AREA_BASELINES
