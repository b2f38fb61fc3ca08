"""Tools of the group Risk: what is done with a risk raster, ours or another tool's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Annotated, Any

from ..choices import ClassMethod, Interpolation, Over
from ..texts import tr
from .base import Limits, Output, Problem, Shown, Tool, Where
from .kinds import RISK_FIELDS, Choice, MapLayer, Raster, RasterDestination, Text, VectorDestination
from .shared import COUNTS_HELP, FIGURES, RISK, Judges, list_nothing_wanted

#: How many times finer a map for display may be: less changes nothing, more has no use.
FACTOR = Limits(2, 20)


class ClassifyRisk(Tool):
    ID = "classifyrisk"
    JOB = "classify"
    TITLE = tr("Classify percentile risk")
    GROUP = RISK
    TAGS = "percentile,risk,classes,hotspot,threshold,legend,polygons"
    SUMMARY = tr("Turns a risk into classes: of a raster, or of areas.")
    HELP = tr("""
By percentiles a cell, or an area, belongs to a class when its risk lies strictly above the class's percentile, so that
a map without differences has no hotspot. Percentiles are taken over the valid cells or areas of each map, once over the
stack (so that quiet maps have fewer hotspots than busy ones), or over a reference raster.

By shares of the area the riskiest 1, 5, 10 and 20 % of the cells are flagged, in whole cells and at least one; of
cells with equal risk the first from north to south and west to east, which the log says. Of areas, which differ in
size, those with the most risk per km² come first, as many whole ones as fit in the share, and at least one.

Works on any risk or density, as a raster or as polygons with a number in the field risk.
""")
    PROGRESS = (0.0, 90.0)
    OUTPUTS = (Output("THRESHOLDS", "thresholds_text", tr("Thresholds of the first map"), "text"),)

    risk: Annotated[
        str,
        MapLayer("risk"),
        Shown(
            tr("Risk, raster or areas"),
            tr("Any raster in which more means more risk, or polygons with a field risk, as Forecast risk makes them."),
            name="INPUT",
        ),
    ]
    method: Annotated[
        ClassMethod,
        Choice({"percentiles": tr("Percentiles of the risk"), "shares": tr("Shares of the area")}),
        Shown(
            tr("Classes by"),
            tr(
                "Percentiles leave a map without differences without a hotspot; shares always flag as much of the area "
                "as can be covered."
            ),
        ),
    ] = "percentiles"
    percentiles: Annotated[
        list[float],
        Text(",", "25, 75, 91, 96"),
        Where("method", "percentiles"),
        Shown(
            tr("Percentiles"),
            tr("Rising numbers between 0 and 100, separated by commas. The default is the published choice."),
            optional=True,
        ),
    ] = [25.0, 75.0, 91.0, 96.0]
    shares: Annotated[
        list[float],
        Text(",", "1, 5, 10, 20"),
        Where("method", "shares"),
        Shown(
            tr("Shares of the area"),
            tr("Rising numbers between 0 and 100, separated by commas: the riskiest 1 %, 5 % and so on of the cells."),
            unit="%",
            optional=True,
        ),
    ] = [1.0, 5.0, 10.0, 20.0]
    over: Annotated[
        Over,
        Choice({"map": tr("Each map by itself"), "stack": tr("The whole stack")}),
        Shown(tr("Percentiles or shares over")),
    ] = "map"
    reference: Annotated[
        str | None,
        MapLayer("risk"),
        Shown(
            tr("Reference for the percentiles"),
            tr(
                "A risk of the same kind whose maps, all together, give the percentiles instead: for example a whole "
                "test prediction for a single new map, as published."
            ),
        ),
    ] = None
    output: Annotated[
        str | None, RasterDestination(style="classes", after="risk", units="grid"), Shown(tr("Risk classes"))
    ] = None
    polygons: Annotated[
        str | None,
        VectorDestination(
            "polygon",
            {
                "band": "integer",
                "start": "datetime",
                "end": "datetime",
                "class": "integer",
                "label": "text",
                "area_m2": "real",
                "mean_risk": "real",
            },
            style="class_polygons",
            after="risk",
            created=False,
            units="grid",
        ),
        Shown(tr("Class polygons"), tr("Connected cells of one class, with their area and mean risk.")),
    ] = None
    by_area: Annotated[
        str | None,
        VectorDestination(
            "any",
            {**RISK_FIELDS, "class": "integer", "label": "text", "size": "real"},
            style="class_areas",
            abstract="classes_text",
            after="risk",
            units="areas",
        ),
        Shown(tr("Risk classes by area"), tr("The areas of the risk with their class and size (m²)."), name="AREAS"),
    ] = None

    @classmethod
    def list_problems(cls, given: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield numbers that do not rise between 0 and 100, a reference for shares, and that nothing is asked for."""
        yield from super().list_problems(given)
        yield from list_nothing_wanted(given, "output", "by_area", "polygons")
        method = given["method"]
        numbers = given[method]
        example = "25, 75, 91, 96" if method == "percentiles" else "1, 5, 10, 20"
        inside = all(0 < number < 100 for number in numbers)
        if not numbers or not inside or any(later <= one for one, later in pairwise(numbers)):
            text = tr("is {value}; give rising numbers between 0 and 100 such as {example}.")
            yield Problem(method, f"{{{method}}} {text}".replace("{example}", example))
        if method == "shares" and given.get("reference"):
            yield Problem(
                "reference",
                tr(
                    "{reference} is {value}, which gives percentiles, but {method} is shares of the area. Leave "
                    "{reference} empty, or choose percentiles."
                ),
            )


class EvaluateRisk(Judges):
    ID = "evaluaterisk"
    JOB = "evaluate"
    TITLE = tr("Evaluate risk map")
    GROUP = RISK
    TAGS = "evaluate,risk,hit rate,pai,pei,precision,auc,log-loss,labels,validation,hotspot,forecast"
    SUMMARY = tr("Judges any risk, of a raster or of areas, ours or another tool's, by what happened.")
    HELP = tr("""
The hotspot grids count what happened in the bins that the risk is meant for. A raster of Crime Risk says itself when
its bands apply; in another one, band 1 is the first map that is judged, and a single band is held against every map.
Maps before the first one judged are the history of the simple baselines that stand beside it.

Values that are no probabilities, such as a kernel density, are judged by their order alone: hit rate, PAI, PEI, AUC and
labels. Give grids of a time that the risk map's makers did not know: on the past that it was made from any map is good.
""")
    PROGRESS = (0.0, 95.0)
    OUTPUTS = FIGURES

    risk: Annotated[
        str,
        MapLayer("risk"),
        Shown(
            tr("Risk, raster or areas"),
            tr(
                "Any raster in which more means more risk; or polygons with a field risk, and the ids of the counts in "
                "a field id."
            ),
            name="INPUT",
        ),
    ]
    heatmaps: Annotated[
        str,
        MapLayer("counts"),
        Shown(tr("Hotspot grids or counts by area, of what happened"), COUNTS_HELP, name="GRIDS"),
    ]
    start: Annotated[
        datetime | None,
        Shown(
            tr("First map judged"),
            tr("Maps that begin earlier are not judged. By default all maps that the risk covers."),
        ),
    ] = None


class UpsampleRisk(Tool):
    ID = "upsamplerisk"
    JOB = "upsample"
    TITLE = tr("Upsample risk map")
    GROUP = RISK
    TAGS = "upsample,resample,bilinear,cubic,interpolation,resolution,risk,display"
    SUMMARY = tr("Interpolates a risk raster to a finer resolution for display.")
    HELP = tr("""
The map becomes smoother, not more exact: the finer cells hold nothing that the coarse ones do not. Evaluate and
classify the original.

Cells outside the study area take part in nothing: the border keeps its outline and its risk. No value leaves the range
of its map, so a probability stays one where the cubic kernel overshoots. Time ranges and band names are kept.
""")
    PROGRESS = (0.0, 100.0)
    OUTPUTS = (
        Output("CELL", "cell_size", tr("Cell size")),
        Output("WIDTH", "columns", tr("Columns")),
        Output("HEIGHT", "rows", tr("Rows")),
    )

    risk: Annotated[str, Raster(), Shown(tr("Risk raster"), name="INPUT")]
    factor: Annotated[int, FACTOR, Shown(tr("Factor"), tr("5 turns cells of 500 m into 100 m."))] = 5
    method: Annotated[
        Interpolation,
        Choice({"bilinear": tr("Bilinear (as published)"), "cubic": tr("Cubic")}),
        Shown(tr("Interpolation"), tr("Cubic is smoother and lets peaks stand out.")),
    ] = "bilinear"
    output: Annotated[
        str, RasterDestination(style="risk", abstract="note", after="risk"), Shown(tr("Risk for display"))
    ]
