"""Write ``files``: what 0.2.0 and 0.3.0 wrote, from a simulated city; kept to be read by every later version.

Run once for each version, when it was published; what it wrote is never written again. From the repository's root, with
checkouts of the versions beside it:

    .engine/venv/bin/python tests/contracts/make_files.py 0.2.0 CHECKOUT
    .engine/venv/bin/python tests/contracts/make_files.py 0.3.0 CHECKOUT
    .engine/venv/bin/python tests/contracts/asking.py record files      with the last of them at the root

Layers come from QGIS: ``qgis_process`` with a profile in which the checkout's plugin is on (QGIS_CUSTOM_CONFIG_PATH).
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from rasterio.warp import transform

sys.path.insert(0, str(Path(__file__).resolve().parent))
from cases import CRS, NETWORKS, PLAIN, TINY

FILES = Path(__file__).resolve().parent / "files"
INCIDENTS = FILES / "incidents.npz"
SCORE = {"radius": 900.0, "folds": 3, "epochs": 4, "widths": [8], "compare": False}


def run(checkout: Path, job: str, **parameters: Any) -> dict[str, Any]:
    """One job of a checkout's engine, as on a server."""
    command = [sys.executable, "-m", "riskengine", "run", job, "--params", "-"]
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    done = subprocess.run(
        command,
        input=json.dumps(parameters),
        cwd=checkout,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def qgis(algorithm: str, **parameters: Any) -> None:
    """One algorithm, as QGIS runs it."""
    given = json.dumps({"inputs": parameters})
    subprocess.run(["qgis_process", "run", f"crimerisk:{algorithm}", "-"], input=given, text=True, check=True)


def city(checkout: Path, path: Path, **parameters: Any) -> None:
    """The simulated city's incidents as QGIS hands them to the engine."""
    with tempfile.TemporaryDirectory() as folder:
        run(checkout, "simulate", path=f"{folder}/city.csv", **parameters)
        with Path(folder, "city.csv").open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    x, y = transform("EPSG:4326", CRS, *([float(row[name]) for row in rows] for name in ("longitude", "latitude")))
    time = np.array([row["datetime"].replace(" ", "T") for row in rows], dtype="datetime64[s]")
    names = sorted({row["category"] for row in rows})
    np.savez_compressed(
        path,
        x=np.round(x, 1),
        y=np.round(y, 1),
        fid=np.arange(len(rows)),
        time=time.view(np.int64),
        category=np.array([names.index(row["category"]) for row in rows], dtype=np.int32),
        categories=np.array(names),
    )


def areas(path: Path) -> None:
    """Two areas that leave some of the city out."""
    with np.load(INCIDENTS) as found:
        west, middle, east = np.quantile(found["x"], (0.0, 0.5, 0.9)).round().tolist()
        south, north = np.quantile(found["y"], (0.1, 1.0)).round().tolist()
    features = [
        {
            "type": "Feature",
            "properties": {"name": name},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[a, south], [b, south], [b, north], [a, north], [a, south]]],
            },
        }
        for name, a, b in (("West", west, middle), ("Saint-Étienne", middle, east))
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}, indent=1), encoding="utf-8")


def common(checkout: Path, folder: Path) -> None:
    """What both versions write."""
    recent = {"incidents": str(folder / "few.npz"), "crs": CRS}
    with np.load(INCIDENTS) as found:
        # Indexes of the last tenth alone, so that they are small.
        np.savez(
            folder / "few.npz", **{name: found[name] if name == "categories" else found[name][-900:] for name in found}
        )
    run(checkout, "build_index", output=str(folder / "city.crimeindex"), source="simulated", **recent)
    run(checkout, "build_index", output=str(folder / "annoy.crimeindex"), method="annoy", trees=2, **recent)
    (folder / "few.npz").unlink()
    index, model = str(folder / "city.crimeindex"), str(folder / "city.crimescore")
    run(checkout, "train_score", index=index, model_output=model, **SCORE)
    grids = str(folder / "grids.tif")
    run(checkout, "rasterize", incidents=str(INCIDENTS), output=grids, crs=CRS, columns=10, rows=10)
    run(
        checkout,
        "convlstm",
        heatmaps=grids,
        output=str(folder / "risk.tif"),
        model_output=str(folder / "convlstm.crimemodel"),
        steps=2,
        **TINY["convlstm"],
    )
    run(checkout, "classify", risk=str(folder / "risk.tif"), output=str(folder / "classes.tif"))
    with tempfile.TemporaryDirectory() as other:
        run(checkout, "simulate", path=f"{other}/city.csv", incidents=150, days=60, seed=3)
        qgis("importincidents", INPUT=f"{other}/city.csv", OUTPUT=str(folder / "incidents.gpkg"))
    qgis("crimescorelayer", INDEX=index, SPACING=6000, RADIUS=900, OUTPUT=str(folder / "scores.gpkg"))


def only_new(checkout: Path, folder: Path) -> None:
    """What came with 0.3.0: every forecaster, models with further rasters, a backtest's risk and labels."""
    grids = str(folder / "grids.tif")
    with tempfile.TemporaryDirectory() as other:
        stacks = {"output": f"{other}/all.tif", "per_category": f"{other}/stacks"}
        run(checkout, "rasterize", incidents=str(INCIDENTS), crs=CRS, columns=10, rows=10, **stacks)
        (folder / "theft.tif").write_bytes(Path(other, "stacks", "theft.tif").read_bytes())
    for name in (*PLAIN, *NETWORKS):
        train(checkout, folder, name, name, [])
    for name in ("logistic", "sftt"):
        train(checkout, folder, f"{name}_extras", name, [str(folder / "theft.tif")])
    run(
        checkout,
        "backtest",
        heatmaps=grids,
        models=["ensemble"],
        workers=1,
        test=0.1,
        risk=str(folder / "backtest.tif"),
        labels=str(folder / "labels.tif"),
    )


def train(checkout: Path, folder: Path, name: str, kind: str, extras: list[str]) -> None:
    """One model file."""
    run(
        checkout,
        "train_forecast",
        heatmaps=str(folder / "grids.tif"),
        kind=kind,
        settings=TINY.get(kind, {}),
        extras=extras,
        model_output=str(folder / f"{name}.crimemodel"),
    )


def main(version: str, checkout: str) -> None:
    """Write one version's files."""
    root, folder = Path(checkout).resolve(), FILES / version
    folder.mkdir(parents=True)
    if not INCIDENTS.exists():
        city(root, INCIDENTS, incidents=6000, days=365, seed=11, branching=0.5, decay_days=4)
        areas(FILES / "areas.geojson")
    common(root, folder)
    if version != "0.2.0":
        only_new(root, folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
