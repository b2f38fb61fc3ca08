"""What is asked of altered files, and how an answer or a refusal is judged: for `benchmarks/fuzz.py`."""

from __future__ import annotations

import io
import json
import math
import random
import subprocess
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import rasterio

from benchmarks.common import ROOT
from riskengine.contract import tags as tagnames
from riskengine.ground.errors import CrimeRiskError
from riskengine.jobs import run_job
from riskengine.maps.heatmaps import read_heatmaps, write_heatmaps

sys.path.insert(0, str(ROOT / "tests"))
from kit.mutations import WRONG, alter_bytes, alter_description, alter_index, alter_model, alter_text

FILES = ROOT / "tests" / "contracts" / "files" / "0.3.0"
#: Maps of the stack that models forecast from.
_MAPS = 60
_TAGS = (tagnames.BIN, tagnames.UNOBSERVED, tagnames.FORMAT, tagnames.KIND, tagnames.BINARY, tagnames.FILLED)


class Wrong(Exception):
    """An answer that is not finite, or out of range."""


def prepare(folder: Path) -> None:
    """Write what the inputs are asked with: a short stack, a CSV."""
    for name in ("grids", "theft"):
        heatmaps = read_heatmaps(FILES / f"{name}.tif")
        write_heatmaps(folder / f"{name}.tif", heatmaps.before(_MAPS))
    lines = ["id,date,longitude,latitude,category"]
    lines += [
        f"{number},2024-{number % 12 + 1:02}-{number % 28 + 1:02} {number % 24:02}:15,{3 + number / 1e4},"
        f"{47.8 + number / 2e4},{('theft', 'burglary')[number % 2]}"
        for number in range(60)
    ]
    (folder / "rows.csv").write_text("\n".join(lines), encoding="utf-8")


def list_kinds() -> dict[str, int]:
    """List the kinds of input, each with its weight."""
    models = {f"model {path.stem}": 3 for path in sorted(FILES.glob("*.crimemodel"))}
    return {"index city": 8, "index annoy": 8, **models, "score": 12, "stack": 8, "csv": 5, "worker": 5}


def try_one(kind: str, seed: int, folder: Path) -> tuple[str, str]:
    """Alter one file, ask, and judge: ``accepted``, ``refused`` or ``unexpected``, and what was said."""
    dice = random.Random(f"{kind} {seed}")
    what, _, name = kind.partition(" ")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            said = _ASKED[what](name, dice, folder)
    except CrimeRiskError as error:
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, MemoryError):
                return "unexpected", f"memory: {error}"
            cause = cause.__cause__ or cause.__context__
        return "refused", str(error)
    except Wrong as error:
        return "unexpected", f"wrong: {error}"
    except BaseException as error:
        where = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in where if "riskengine" in frame.filename] or list(where)
        return "unexpected", f"{type(error).__name__}: {error} at {Path(ours[-1].filename).name}:{ours[-1].lineno}"
    return "accepted", said


def check_finite(value: Any, name: str = "answer") -> None:
    """Refuse numbers that are none."""
    if isinstance(value, dict):
        for key, item in value.items():
            check_finite(item, f"{name}.{key}")
    elif isinstance(value, list | tuple):
        for item in value:
            check_finite(item, name)
    elif isinstance(value, float) and not math.isfinite(value):
        raise Wrong(f"{name} is {value}")
    elif isinstance(value, str):
        value.encode("utf-8")


def check_range(name: str, values: Any, high: float) -> None:
    """Refuse values that are not from 0 to `high`."""
    values = np.asarray(values, dtype=float)
    if not ((values >= 0) & (values <= high)).all():
        raise Wrong(f"{name} out of range: {values.min()} to {values.max()}")


def _ask_model(name: str, dice: random.Random, folder: Path) -> str:
    content, seal = alter_model((FILES / f"{name}.crimemodel").read_bytes(), dice)
    path = folder / "altered.crimemodel"
    path.write_bytes(content)
    extras = [str(folder / "theft.tif")] if "extras" in name else []
    out = folder / "risk.tif"
    answer = run_job(
        "forecast",
        {"model": str(path), "heatmaps": str(folder / "grids.tif"), "output": str(out), "steps": 2, "extras": extras},
    )
    with rasterio.open(out) as source:
        check_range("risk", source.read(masked=True).compressed(), 1)
    json.dumps(answer, allow_nan=True)
    return seal


def _ask_index(name: str, dice: random.Random, folder: Path) -> str:
    from riskengine.systems.score.index import CrimeIndex

    content, seal = alter_index((FILES / f"{name}.crimeindex").read_bytes(), dice)
    path = folder / f"altered {dice.random()}.crimeindex"
    try:
        path.write_bytes(content)
        run_job("index_info", {"index": str(path)})
        index = CrimeIndex.load(path)
        x, y = index.incidents.x[:20], index.incidents.y[:20]
        index.find_nearest(x, y, 5)
        counts = index.count_within(x, y, 500.0)
        check_range("count", counts, len(index))
        _query({"index": str(path)}, float(x[0]), float(y[0]))
    finally:
        path.unlink(missing_ok=True)
    return seal


def _ask_score(name: str, dice: random.Random, folder: Path) -> str:
    from riskengine.systems.score.index import CrimeIndex
    from riskengine.systems.score.model import ScoreModel
    from riskengine.systems.score.recent import RecentIncidents

    content, seal = alter_model((FILES / "city.crimescore").read_bytes(), dice)
    path = folder / f"altered {dice.random()}.crimescore"
    try:
        path.write_bytes(content)
        model = ScoreModel.load(path)
        index = CrimeIndex.load(FILES / "city.crimeindex")
        x, y = index.incidents.x[:40], index.incidents.y[:40]
        if model.check_belongs(index) is None:
            made = model.predict(RecentIncidents.of(index, model.card.recent_days), x, y)
            check_range("score", np.concatenate(made), 1)
            check_range("percentile", model.to_percentile(made.score), 100)
            check_range("count", model.to_count(made.score), 1e13)
        _query({"index": str(FILES / "city.crimeindex"), "model": str(path)}, float(x[0]), float(y[0]))
    finally:
        path.unlink(missing_ok=True)
    return seal


def _query(asked: dict[str, Any], x: float, y: float) -> None:
    answer = run_job("query_score", {**asked, "x": x, "y": y, "radius": 900.0})
    check_finite(answer)
    for said in (answer["exact"], answer["predicted"]):
        if said:
            check_range("score", said["score"], 1)
            check_range("percentile", said["percentile"], 100)


def _ask_stack(name: str, dice: random.Random, folder: Path) -> str:
    path = folder / "altered.tif"
    path.unlink(missing_ok=True)
    content = (folder / "grids.tif").read_bytes()
    what = dice.randrange(4)
    if what < 2:
        path.write_bytes(alter_bytes(content, dice))
    elif what == 2:
        path.write_bytes(content)
        with rasterio.open(path, "r+") as target:
            value = str(dice.choice((*WRONG, "2 days", "9 x", "-3 days", "1 2", "0001-01-01", "9999-12-31")))
            text = value.encode("utf-8", "replace").decode().replace("\0", "")
            if dice.random() < 0.5:
                target.update_tags(**{dice.choice(_TAGS): text})
            else:
                which = dice.choice((tagnames.START, tagnames.END))
                target.update_tags(dice.randrange(1, target.count + 1), **{which: text})
    else:
        side = dice.choice((10**6, 10**5, 30_000, 9_000, 10))
        kind = dice.choice(("uint8", "float32", "float64", "int16", "complex64"))
        with rasterio.open(folder / "grids.tif") as source:
            tags = source.tags()
        profile = {"driver": "GTiff", "width": side, "height": side, "count": dice.choice((1, 2)), "dtype": kind}
        # Large tiles: a table of millions of small ones would be a large file itself.
        tiles = {"tiled": True, "blockxsize": 8192, "blockysize": 8192, "SPARSE_OK": "TRUE", "BIGTIFF": "YES"}
        more = {**tiles, "crs": "EPSG:32631"}
        with rasterio.open(path, "w", **profile, **more) as target:
            target.update_tags(**tags)
    out = folder / "risk.tif"
    if dice.random() < 0.3:
        answer = run_job(
            "classify", {"risk": str(path), "output": str(out), "polygons": None, "percentiles": [50.0, 90.0]}
        )
        return "classes"
    model = FILES / f"{dice.choice(('prior_counts', 'kde', 'logistic', 'weekday_trend'))}.crimemodel"
    answer = run_job(
        "forecast", {"model": str(model), "heatmaps": str(path), "output": str(out), "steps": 1, "extras": []}
    )
    with rasterio.open(out) as source:
        check_range("risk", source.read(masked=True).compressed(), 1)
    json.dumps(answer)
    return "stack"


def _ask_csv(name: str, dice: random.Random, folder: Path) -> str:
    path = folder / "altered.csv"
    path.write_bytes(alter_text((folder / "rows.csv").read_bytes(), dice))
    answer = run_job("import_csv", {"path": str(path), "folder": str(folder), "output": str(folder / "made.gpkg")})
    check_finite(answer)
    if answer["imported"] + answer["refused"] != answer["rows"]:
        raise Wrong("rows were lost")
    return "csv"


def _ask_worker(name: str, dice: random.Random, folder: Path) -> str:
    """One worker is sent many lines; the last one has to be answered."""
    lines = []
    for number in range(60):
        request: Any = {"id": number, "job": "index_info", "params": {"index": str(FILES / "city.crimeindex")}}
        changed = alter_description(request, dice)
        if isinstance(changed, dict) and (changed.get("shutdown") or "cancel" in changed):
            continue
        line = json.dumps(changed).encode()
        lines.append((alter_bytes(line, dice) if dice.random() < 0.3 else line).replace(b"\n", b" "))
    lines.append(json.dumps({"id": "last", "job": "index_info", "params": {"index": ""}}).encode())
    done = subprocess.run(
        [sys.executable, "-m", "riskengine", "worker"],
        input=b"\n".join(lines) + b"\n",
        capture_output=True,
        timeout=30,
        cwd=ROOT,
        check=False,
    )
    events = [json.loads(line) for line in io.BytesIO(done.stdout)]
    for event in events:
        if "traceback" in event:
            raise Wrong(f"traceback {event['error']['message']}")
    return "lines"


_ASKED: dict[str, Callable[[str, random.Random, Path], str]] = {
    "model": _ask_model,
    "index": _ask_index,
    "score": _ask_score,
    "stack": _ask_stack,
    "csv": _ask_csv,
    "worker": _ask_worker,
}
