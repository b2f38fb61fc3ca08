"""What is asked of the jobs: on files that earlier versions wrote, and on a small simulated city.

``{files}`` is the folder ``files``, ``{out}`` one that is empty at first and common to all cases of a list, which are
asked in their order. `relative` is the tolerance of all numbers where it is not 1e-6, `least` the absolute one of
arrays where it is not 1e-9.
"""

from __future__ import annotations

from typing import Any

#: The simulated city's own.
CRS = "EPSG:32631"
Case = dict[str, Any]
#: Sums of a network's layers come out in another order on other processors.
NETWORK = {"relative": 1e-5, "least": 1e-5}
#: Two epochs make more of it.
TRAINED = {"relative": 1e-4, "least": 1e-4}
NETWORKS = ("convlstm", "convlstm_published", "st_resnet", "sftt")
PLAIN = (
    *("constant", "prior_counts", "prior_share", "recent_counts", "weekday_trend", "kde", "etas", "logistic"),
    *("boosting", "ensemble"),
)
TINY: dict[str, dict[str, Any]] = {
    "convlstm": {"epochs": 2, "channels": 4, "layers": 1, "sequence_length": 6},
    "convlstm_published": {"epochs": 2, "channels": 4, "sequence_length": 6},
    "st_resnet": {"epochs": 2, "features": 4, "units": 1},
    "sftt": {"epochs": 2, "features": 4, "layers": 1, "hidden": 6, "sequence_length": 6},
    "boosting": {"trees": 60, "leaves": 4},
}
#: Models that learn from the categories beside the counts.
WITH_EXTRAS = ("logistic_extras", "sftt_extras")
EXTRAS = ["{files}/0.3.0/theft.tif"]


def case(name: str, job: str, /, *, tolerance: dict[str, float] | None = None, **parameters: Any) -> Case:
    """One question."""
    return {"name": name, "job": job, "parameters": parameters, **(tolerance or {})}


def _of_forecasts() -> list[Case]:
    """Every model file on the stack of its version."""
    old, new = "{files}/0.2.0", "{files}/0.3.0"
    found = [
        case(
            f"forecast {version} {name}",
            "forecast",
            model=f"{folder}/{name}.crimemodel",
            heatmaps=f"{folder}/grids.tif",
            output=f"{{out}}/{name} {version}.tif",
            steps=2,
            extras=EXTRAS if name in WITH_EXTRAS else [],
            tolerance=NETWORK if any(network in name for network in NETWORKS) else {"relative": 2e-7},
        )
        for version, folder, names in (
            ("0.2.0", old, ("convlstm",)),
            ("0.3.0", new, (*PLAIN, *NETWORKS, *WITH_EXTRAS)),
        )
        for name in names
    ]
    return [
        *found,
        case(
            "convlstm 0.2.0",
            "convlstm",
            heatmaps=f"{old}/grids.tif",
            model=f"{old}/convlstm.crimemodel",
            output="{out}/applied.tif",
            tolerance=NETWORK,
        ),
    ]


def _of_scores(version: str) -> list[Case]:
    """The indexes and the score model of a version."""
    folder = f"{{files}}/{version}"
    index, model = f"{folder}/city.crimeindex", f"{folder}/city.crimescore"
    where = {"index": index, "grid": {"spacing": 4000.0, "no_area": "rectangle"}}
    # A place in the middle of the simulated city.
    place = {"x": 500_000.0, "y": 5_300_000.0}
    return [
        case(f"index_info {version}", "index_info", index=index),
        case(f"index_info annoy {version}", "index_info", index=f"{folder}/annoy.crimeindex"),
        case(f"score_points {version}", "score_points", output=f"{{out}}/scores {version}.npz", radius=900.0, **where),
        *(
            case(
                f"score_points annoy {method} {version}",
                "score_points",
                index=f"{folder}/annoy.crimeindex",
                grid={"spacing": 4000.0, "no_area": "rectangle"},
                radius=900.0,
                method=method,
                output=f"{{out}}/annoy {method} {version}.npz",
            )
            for method in ("exact", "as_built")
        ),
        case(
            f"predict_score {version}",
            "predict_score",
            model=model,
            output=f"{{out}}/predicted {version}.npz",
            tolerance=NETWORK,
            **where,
        ),
        case(
            f"predict_score_raster {version}",
            "predict_score_raster",
            index=index,
            model=model,
            cell_size=4000.0,
            no_area="rectangle",
            output=f"{{out}}/predicted {version}.tif",
            tolerance=NETWORK,
        ),
        case(
            f"query_score {version}", "query_score", index=index, model=model, radius=900.0, tolerance=NETWORK, **place
        ),
    ]


def _of_rasters() -> list[Case]:
    """Rasters of risk and counts."""
    found = []
    for version in ("0.2.0", "0.3.0"):
        folder = f"{{files}}/{version}"
        found += [
            case(
                f"classify {version}",
                "classify",
                risk=f"{folder}/risk.tif",
                output=f"{{out}}/classes {version}.tif",
                polygons=f"{{out}}/classes {version}.json",
            ),
            case(
                f"fill_gaps {version}",
                "fill_gaps",
                heatmaps=f"{folder}/grids.tif",
                output=f"{{out}}/filled {version}.tif",
            ),
            case(
                f"upsample {version}",
                "upsample",
                risk=f"{folder}/risk.tif",
                factor=2,
                output=f"{{out}}/finer {version}.tif",
            ),
        ]
    risk, grids = "{files}/0.3.0/backtest.tif", "{files}/0.3.0/grids.tif"
    return [
        *found,
        case("evaluate 0.3.0", "evaluate", risk=risk, heatmaps=grids, csv="{out}/evaluated.csv"),
        case(
            "classify by reference",
            "classify",
            risk="{files}/0.3.0/risk.tif",
            reference=risk,
            output="{out}/by reference.tif",
        ),
        case(
            "backtest 0.2.0",
            "backtest",
            heatmaps="{files}/0.2.0/grids.tif",
            models=["prior_counts"],
            workers=1,
        ),
    ]


#: Files of earlier versions are read, and mean what they meant.
FILES: list[Case] = [*_of_forecasts(), *_of_scores("0.2.0"), *_of_scores("0.3.0"), *_of_rasters()]

_INCIDENTS = {"incidents": "{files}/incidents.npz"}
#: As it was before a hull was the default: the boxes around all incidents, and around the thefts.
_RECTANGLE = {"no_area": "rectangle", "extent": [489973.4, 5290042.5, 511488.7, 5309941.7]}
_OF_THEFTS = {"no_area": "rectangle", "extent": [490093.9, 5290274.0, 510860.5, 5309941.7]}
_GRIDS = {"heatmaps": "{out}/grids.tif"}
_SCORE = {"index": "{out}/city.crimeindex", "radius": 900.0, "window_days": 60.0, "folds": 3}
#: A small simulated city through the whole engine.
FIGURES: list[Case] = [
    case("simulate", "simulate", path="{out}/city.csv", incidents=1500, days=120, seed=11, branching=0.5, dirt=0.02),
    case("import_csv", "import_csv", path="{out}/city.csv", folder="{out}"),
    case("select_area", "select_area", crs=CRS, kept="{out}/area.npy", **_INCIDENTS),
    case("select_area events", "select_area", crs=CRS, method="events", events=120, **_INCIDENTS),
    case("select_period", "select_period", kept="{out}/period.npy", report="{out}/period.html", **_INCIDENTS),
    case("rasterize", "rasterize", crs=CRS, columns=12, rows=12, output="{out}/grids.tif", **_INCIDENTS, **_RECTANGLE),
    case(
        "rasterize weeks",
        "rasterize",
        crs=CRS,
        cell_size=2500.0,
        bin_unit="weeks",
        categories=["theft"],
        per_category="{out}/stacks",
        output="{out}/weeks.tif",
        **_INCIDENTS,
        **_OF_THEFTS,
    ),
    case("fill_gaps", "fill_gaps", heatmaps="{out}/weeks.tif", output="{out}/filled.tif", method="linear"),
    case("binarize", "binarize", output="{out}/binary.tif", **_GRIDS),
    case(
        "backtest",
        "backtest",
        models=list(PLAIN),
        seeds=[0, 1],
        offsets=2,
        areas="{files}/areas.geojson",
        workers=1,
        report="{out}/backtest.html",
        csv="{out}/backtest.csv",
        risk="{out}/backtest.tif",
        labels="{out}/labels.tif",
        hits="{out}/hits.json",
        **_GRIDS,
        **_INCIDENTS,
    ),
    case(
        "backtest rolling",
        "backtest",
        heatmaps="{out}/weeks.tif",
        models=["logistic", "etas"],
        horizon=3,
        refit=4,
        over="map",
        percentile=90,
        workers=1,
        csv="{out}/rolling.csv",
    ),
    case(
        "backtest network",
        "backtest",
        heatmaps="{out}/binary.tif",
        start="2024-12-20T00:00:00",
        models=["st_resnet"],
        settings={"st_resnet": TINY["st_resnet"]},
        workers=1,
        tolerance=TRAINED,
    ),
    case("evaluate", "evaluate", risk="{out}/backtest.tif", areas="{files}/areas.geojson", **_GRIDS),
    case(
        "train_forecast",
        "train_forecast",
        kind="ensemble",
        model_output="{out}/ensemble.crimemodel",
        report="{out}/training.html",
        **_GRIDS,
    ),
    case("forecast", "forecast", model="{out}/ensemble.crimemodel", steps=3, output="{out}/risk.tif", **_GRIDS),
    case(
        "train_forecast until",
        "train_forecast",
        kind="boosting",
        until="2024-10-01T00:00:00",
        refit=False,
        model_output="{out}/boosting.crimemodel",
        **_GRIDS,
    ),
    case(
        "convlstm",
        "convlstm",
        output="{out}/network.tif",
        model_output="{out}/network.crimemodel",
        report="{out}/network.html",
        **TINY["convlstm"],
        tolerance=TRAINED,
        **_GRIDS,
    ),
    case(
        "classify",
        "classify",
        risk="{out}/risk.tif",
        over="stack",
        output="{out}/classes.tif",
        polygons="{out}/classes.json",
    ),
    case(
        "classify shares", "classify", risk="{out}/risk.tif", method="shares", shares=[1, 10], output="{out}/shares.tif"
    ),
    case("upsample", "upsample", risk="{out}/risk.tif", factor=3, output="{out}/finer.tif"),
    case("build_index", "build_index", crs=CRS, output="{out}/city.crimeindex", **_INCIDENTS),
    case(
        "train_score",
        "train_score",
        model_output="{out}/city.crimescore",
        report="{out}/score.html",
        epochs=6,
        widths=[32],
        compare=False,
        tolerance=TRAINED,
        **_SCORE,
    ),
    case(
        "train_score compared",
        "train_score",
        model_output="{out}/compared.crimescore",
        epochs=4,
        widths=[16],
        augment=False,
        compare=True,
        tolerance=TRAINED,
        **_SCORE,
    ),
    case(
        "predict_score",
        "predict_score",
        index="{out}/city.crimeindex",
        model="{out}/city.crimescore",
        grid={"spacing": 3000.0, **_RECTANGLE},
        output="{out}/predicted.npz",
        tolerance=TRAINED,
    ),
]
