"""Values that users choose from, by the names that files and jobs hold for ever; a new one goes last."""

from __future__ import annotations

from typing import Literal

#: Order of day and month in times that are text.
DateOrder = Literal["auto", "ymd", "dmy", "mdy"]
#: Which moment of a span of time stands for an incident.
Occurred = Literal["start", "middle", "end", "random"]
#: Unit of a time bin; ``auto`` is chosen by how exact the times are.
BinUnit = Literal["hours", "days", "weeks", "months", "auto", "quarters"]
#: Where the areas come from that incidents are counted in.
AreaUnits = Literal["layer", "squares", "hexagons"]
#: How exact times are, from fine to coarse.
Exactness = Literal["minute", "hour", "day", "month"]
#: What a percentile is taken over: all maps together, or each map by itself.
Over = Literal["stack", "map"]
#: How the maps of gaps are filled.
GapFilling = Literal["forward", "linear", "none"]
#: Which maps are gaps: those without any incident, or those that are marked.
Gaps = Literal["empty", "unobserved"]
#: How a study area is chosen.
AreaMethod = Literal["share", "events", "polygons", "hull"]
#: What a grid covers where no study area is given.
NoArea = Literal["hull", "rectangle"]
#: What risk classes are taken by.
ClassMethod = Literal["percentiles", "shares"]
#: Between coarse cells.
Interpolation = Literal["bilinear", "cubic"]
#: How an index finds neighbours.
Search = Literal["exact", "annoy"]
#: How incidents near a place are counted.
Counting = Literal["exact", "as_built"]
#: How a score model is trained and judged.
Protocol = Literal["recommended", "published"]
#: Groups of features of a score model.
FeatureGroup = Literal["pairs", "distances", "more", "ages", "clock", "offsets", "rings", "densities", "slopes"]
#: Classifiers of the published study of area hotspots.
StudyClassifier = Literal["forest", "logistic", "bayes", "neighbours", "vectors"]
#: Its leaks, one choice each; the first is what was published (see `systems.areas.switches`).
StudyDensity = Literal["repeats", "smoothed", "none"]
StudyScaler = Literal["test", "training"]
StudyNegatives = Literal["target", "year", "month", "anywhere", "known"]
StudyBest = Literal["test", "training"]
StudyFeatures = Literal["given", "random", "none"]
StudyFilling = Literal["backward", "forward"]
#: How rows of a table are brought to areas.
Joining = Literal["key", "location", "area", "all"]
#: What becomes of several values of one area and bin: averaged, added up, or only counted.
Combining = Literal["mean", "sum", "count"]
#: What a model that is there already is used for.
ModelAim = Literal["model", "probabilities", "catch"]
#: The published networks that look at pictures of windows, and how windows are shared out to learn from and to test.
WindowNetwork = Literal["model1", "model2"]
WindowSplit = Literal["random", "forward"]
#: Windows of pictures: from a minute past the hour with both ends, as published, or from the hour without the end.
WindowStyle = Literal["published", "halfopen"]
