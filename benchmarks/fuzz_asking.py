"""What is asked of altered files, and how an answer or a refusal is judged: for `benchmarks/fuzz.py`."""

from __future__ import annotations

import gzip
import json
import math
import random
import re
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import rasterio

from benchmarks.common import ROOT
from benchmarks.fuzz_worker import FuzzedWorker, WorkerFailed, check_event, is_cancel, make_line
from riskengine.contract import tags as tagnames
from riskengine.ground.errors import CrimeRiskError
from riskengine.jobs import run_job
from riskengine.maps.heatmaps import read_heatmaps, write_heatmaps

sys.path.insert(0, str(ROOT / "tests"))
from kit.mutations import (
    WRONG,
    alter_bytes,
    alter_description,
    alter_index,
    alter_model,
    alter_packed,
    alter_text,
    pack,
)
from kit.workbooks import make_ods, make_xlsx

FILES = ROOT / "tests" / "contracts" / "files" / "0.3.0"
#: Maps of the stack that models forecast from.
_MAPS = 60
#: Files of rows that are packed, by their endings.
TABLES: dict[str, Callable[[list[list[str]]], bytes]] = {
    "xlsx": lambda rows: make_xlsx({"rows": rows}),
    "ods": lambda rows: make_ods({"rows": rows}),
    "zip": lambda rows: pack({"rows.csv": "\n".join(map(",".join, rows)).encode()}),
    "gz": lambda rows: gzip.compress("\n".join(map(",".join, rows)).encode()),
}
_TAGS = (tagnames.BIN, tagnames.UNOBSERVED, tagnames.FORMAT, tagnames.KIND, tagnames.BINARY, tagnames.FILLED)


#: Kinds whose refusals name the part that is wrong, and what such a sentence holds.
_ARTEFACTS = ("index", "model", "score")
_PART = re.compile(
    r"is damaged: (its (part|description|checksum|parts) |it (has|holds) |the (number of|entry)|a name in|"
    r"[\w.]+(:| is| holds))|is not a whole [^(]+(\([^)]+\)|\.)|is not a \w+ file of|was written by a newer|"
    r"holds a model |^The [\w -]*model "
)


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
    cells = [line.split(",") for line in lines]
    for name in TABLES:
        (folder / f"rows.{name}").write_bytes(TABLES[name](cells))
    saved = folder / "saved.json"
    run_job(
        "import_csv",
        {
            "path": str(folder / "rows.csv"),
            "folder": str(folder),
            "output": str(folder / "made.gpkg"),
            "x": "longitude",
            "y": "latitude",
            "time": ["date"],
            "save_profile": str(saved),
        },
    )


def list_kinds() -> dict[str, int]:
    """List the kinds of input, each with its weight."""
    models = {f"model {path.stem}": 3 for path in sorted(FILES.glob("*.crimemodel"))}
    tables = {f"table {name}": 2 for name in TABLES}
    return {
        "index city": 8,
        "index annoy": 8,
        **models,
        "score": 12,
        "stack": 8,
        "csv": 5,
        **tables,
        "format": 4,
        "worker": 6,
    }


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
        return ("refused" if what not in _ARTEFACTS or _PART.search(str(error)) else "unexpected"), str(error)
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
        run_job("classify", {"risk": str(path), "output": str(out), "polygons": None, "percentiles": [50.0, 90.0]})
        with rasterio.open(out) as source:
            check_range("class", source.read(masked=True).compressed(), 2)
        return "classes"
    model = FILES / f"{dice.choice(('prior_counts', 'kde', 'logistic', 'weekday_trend'))}.crimemodel"
    answer = run_job(
        "forecast", {"model": str(model), "heatmaps": str(path), "output": str(out), "steps": 1, "extras": []}
    )
    with rasterio.open(out) as source:
        check_range("risk", source.read(masked=True).compressed(), 1)
    json.dumps(answer)
    return "stack"


def _ask_worker(name: str, dice: random.Random, folder: Path) -> str:
    """One altered line to the worker of this child."""
    if folder not in _workers:
        _workers[folder] = FuzzedWorker(folder)
    line = make_line(dice, folder)
    try:
        events = _workers[folder].ask(line)
        for event in events:
            check_event(event)
    except WorkerFailed as error:
        raise Wrong(f"{error}, asked {line[:200]!r}") from None
    ended = [event for event in events if event["event"] in ("result", "error")]
    if is_cancel(line) and not events:
        return "cancel"
    if len(ended) != 1:
        raise Wrong(f"{len(ended)} answers, asked {line[:200]!r}")
    if ended[0]["event"] == "error":
        raise CrimeRiskError(ended[0]["error"]["message"])
    check_answer(ended[0]["result"])
    return "line"


#: The worker of each child, by the folder that it works in.
_workers: dict[Path, FuzzedWorker] = {}


def check_answer(answer: dict[str, Any]) -> None:
    """Refuse scores and shares of a job's answer that are out of range, and numbers of things below 0."""
    for said in (answer.get("exact"), answer.get("predicted")):
        if said:
            check_range("score", said["score"], 1)
            check_range("percentile", said["percentile"], 100)
    for name in ("count", "points", "imported", "refused", "rows", "polygons"):
        if isinstance(answer.get(name), int | float):
            check_range(name, answer[name], 1e13)


def _ask_format(name: str, dice: random.Random, folder: Path) -> str:
    """A saved format, altered, and a file read by it."""
    content = (folder / "saved.json").read_bytes()
    if dice.random() < 0.3:
        content = alter_bytes(content, dice)
    else:
        content = json.dumps(alter_description(json.loads(content), dice)).encode()
    path = folder / "altered.json"
    path.write_bytes(content)
    return _import(folder / "rows.csv", folder, profile_file=str(path))


def _ask_table(name: str, dice: random.Random, folder: Path) -> str:
    """A workbook, or a ZIP or gzip of a CSV: the whole altered, or what is packed in it."""
    path, content = folder / f"altered.{name}", (folder / f"rows.{name}").read_bytes()
    inner = dice.random() < 0.5
    if name == "gz":
        content = gzip.compress(alter_text(gzip.decompress(content), dice)) if inner else alter_bytes(content, dice)
    else:
        content = alter_packed(content, dice) if inner else alter_bytes(content, dice)
    path.write_bytes(content)
    return _import(path, folder)


def _ask_csv(name: str, dice: random.Random, folder: Path) -> str:
    path = folder / "altered.csv"
    path.write_bytes(alter_text((folder / "rows.csv").read_bytes(), dice))
    return _import(path, folder)


def _import(path: Path, folder: Path, **more: Any) -> str:
    made = folder / "made.gpkg"
    answer = run_job("import_csv", {"path": str(path), "folder": str(folder), "output": str(made), **more})
    check_finite(answer)
    check_answer(answer)
    if answer["imported"] + answer["refused"] != answer["rows"]:
        raise Wrong("rows were lost")
    return "rows"


_ASKED: dict[str, Callable[[str, random.Random, Path], str]] = {
    "model": _ask_model,
    "index": _ask_index,
    "score": _ask_score,
    "stack": _ask_stack,
    "csv": _ask_csv,
    "format": _ask_format,
    "table": _ask_table,
    "worker": _ask_worker,
}
