"""Run the engine's jobs on frozen input, take down what they say, and tell by how much it differs from what is kept.

Only `riskengine.jobs.run_job` is used, so that this holds whatever moves within the engine. What is kept has five
parts: ``figures``, ``intervals`` (bounds and the verdicts drawn from them: how they are drawn may change),
``names`` (kinds, times, categories, tags of rasters: other programs read them), ``sentences`` (for people, so they may
be put better) and ``arrays`` (what lies in the files that were written).

Usage, with the engine's Python from the repository's root:

    .engine/venv/bin/python tests/contracts/asking.py compare {files,figures}           says what differs, by how much
    .engine/venv/bin/python tests/contracts/asking.py record {files,figures} [PART ...] keeps today's answers, of all
                                                                                         parts or of these
"""

from __future__ import annotations

import csv
import importlib.util
import json
import math
import re
import shutil
import sqlite3
import struct
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
FILES = FOLDER / "files"
PARTS = ("figures", "intervals", "names", "sentences", "arrays")
#: Where the answers to each list of `cases` are kept.
KEPT = {"files": FILES / "expected.json", "figures": FOLDER / "figures.json"}
#: Durations and versions differ from run to run; parameters are only echoed.
_LEFT_OUT = re.compile(r"(^|[._])(seconds|versions|parameters)($|\.)")
#: Bounds, and what is decided by them.
_INTERVAL = re.compile(
    r"(^|\.)((l1|hit_rate_5|pai_5)_)?(low|high)$|against\.(.*\.)?(level|blocks|verdict)$|comparisons\.\d+\.l1\.[12]$"
)
_SENTENCE = re.compile(r"(^|\.)(verdict|headline|card|notes(\.\d+)?)$|^warning \d+$|CRIMERISK_CARD$")
#: Values as they are up to here; of larger arrays what tells any change of them: sums, and where they lie.
_WHOLE = 600
_MOST = 40
Told = dict[str, dict[str, Any]]


def cases(which: str) -> list[dict[str, Any]]:
    """The list ``files`` or ``figures`` of cases.py."""
    spec = importlib.util.spec_from_file_location("frozen_cases", FOLDER / "cases.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: list[dict[str, Any]] = getattr(module, which.upper())
    return found


def kept(which: str) -> dict[str, Told]:
    """What the jobs answered when it was frozen, by case."""
    found: dict[str, Told] = json.loads(KEPT[which].read_text(encoding="utf-8"))
    return found


def filled(value: Any, folders: Mapping[str, Path]) -> Any:
    """Parameters with folders for ``{files}`` and ``{out}``."""
    if isinstance(value, dict):
        return {key: filled(each, folders) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each, folders) for each in value]
    if isinstance(value, str):
        for name, folder in folders.items():
            value = value.replace(f"{{{name}}}", str(folder))
    return value


def leaves(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Everything in a result by its dotted place; lists by position, of long ones the length and both ends."""
    if isinstance(value, dict | list | tuple):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        if not isinstance(value, dict) and len(value) > _MOST:
            pairs = [("length", len(value)), ("first", value[0]), ("second", value[1]), ("last", value[-1])]
        for key, each in pairs:
            yield from leaves(each, f"{place}.{key}" if place else str(key))
    else:
        yield place, value


def digest(array: np.ndarray) -> dict[str, Any]:
    """An array for JSON: its values, or sums that tell when any of them changes or moves."""
    found: dict[str, Any] = {"shape": list(array.shape)}
    values = array.astype(np.float64).ravel()
    if array.dtype.kind in "iub" and len(values) <= _WHOLE:
        return {**found, "values": array.ravel().astype(int).tolist()}
    if len(values) <= _WHOLE:
        # float32 holds no more digits than nine.
        digits = 9 if array.dtype == np.float32 else 12
        return {**found, "values": [float(f"{v:.{digits}g}") if math.isfinite(v) else None for v in values]}
    finite = np.isfinite(values)
    known = np.where(finite, values, 0)
    # No value of a place is another's: a shift by a cell or a map shows.
    weight = np.cos(np.arange(len(known)) * 0.7390851)
    sums = {
        "finite": int(finite.sum()),
        "sum": known.sum(),
        "squares": (known**2).sum(),
        "weighted": (known * weight).sum(),
        "least": known.min(),
        "most": known.max(),
    }
    return {**found, **{name: float(f"{each:.12g}") for name, each in sums.items()}}


def _of_raster(path: Path, name: str, told: Told) -> None:
    import rasterio

    with rasterio.open(path) as raster:
        told["arrays"][name] = digest(raster.read())
        told["names"][f"{name} crs"] = str(raster.crs)
        told["names"][f"{name} type"] = f"{raster.dtypes[0]}, no data {raster.nodata}"
        told["figures"][f"{name} transform"] = list(raster.transform)[:6]
        for key, text in [*raster.tags().items(), *raster.tags(1).items()]:
            if key.startswith("CRIMERISK_"):
                # A card names versions of packages.
                part = "sentences" if _SENTENCE.search(key) else "names"
                told[part][f"{name} {key}"] = text if "versions" not in text else "…"


def _of_table(path: Path, name: str, told: Told) -> None:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    told["names"][f"{name} header"] = ",".join(rows[0])
    told["figures"][f"{name} rows"] = len(rows)
    if "metric" not in rows[0]:
        return
    sums: dict[str, dict[str, float]] = {"figures": defaultdict(float), "intervals": defaultdict(float)}
    for row in rows:
        if "seconds" in row["metric"]:
            continue
        for column in ("value", "n", "N", "low", "high"):
            try:
                value = float(row[column])
            except ValueError:
                continue
            part = "intervals" if column in ("low", "high") or "against" in row["metric"] else "figures"
            sums[part][f"{name} {row['model']} {row['metric']} {column}"] += value
    for part, each in sums.items():
        told[part] |= {key: float(f"{value:.10g}") for key, value in each.items()}


def _of_json(path: Path, name: str, told: Told) -> None:
    rows = json.loads(path.read_text(encoding="utf-8"))
    numbers = [value for row in rows for _, value in leaves(row) if isinstance(value, int | float)]
    told["arrays"][name] = {"rows": len(rows), **digest(np.array(numbers, dtype=np.float64))}


def _of_geopackage(path: Path, name: str, told: Told) -> None:
    with closing(sqlite3.connect(path)) as database:
        for (table,) in database.execute("SELECT table_name FROM gpkg_contents ORDER BY 1").fetchall():
            cursor = database.execute(f'SELECT * FROM "{table}" ORDER BY 1')
            columns = [column[0] for column in cursor.description]
            values = list(zip(*cursor.fetchall()))
            told["names"][f"{name} {table}"] = ",".join(columns)
            for column, each in zip(columns, values):
                if all(isinstance(value, int | float) for value in each):
                    told["arrays"][f"{name} {table} {column}"] = digest(np.array(each))
                elif isinstance(each[0], bytes):
                    points = np.array([struct.unpack("<dd", blob[13:29]) for blob in each])
                    told["arrays"][f"{name} {table} {column}"] = digest(points)


def _of_file(path: Path, told: Told) -> None:
    """What lies in a file that a job wrote; of reports only that they are there, of models what they forecast."""
    name = path.name
    if path.suffix == ".tif":
        _of_raster(path, name, told)
    elif path.suffix == ".npz":
        with np.load(path) as found:
            told["arrays"] |= {
                f"{name} {each}": digest(found[each]) for each in found.files if found[each].dtype.kind in "fiub"
            }
    elif path.suffix == ".npy":
        told["arrays"][name] = digest(np.load(path))
    elif path.suffix == ".json":
        _of_json(path, name, told)
    elif path.suffix == ".csv":
        _of_table(path, name, told)
    elif path.suffix == ".gpkg":
        _of_geopackage(path, name, told)
    else:
        told["names"][name] = "written"


def _part(place: str, value: Any) -> str:
    if _INTERVAL.search(place):
        return "intervals"
    if not isinstance(value, str):
        return "figures"
    return "sentences" if _SENTENCE.search(place) else "names"


def ask(case: Mapping[str, Any], folders: Mapping[str, Path]) -> Told:
    """Run one case and take down what it says and writes."""
    from riskengine.jobs import run_job

    context_of = importlib.import_module(run_job.__module__).JobContext
    warnings: list[str] = []
    context = context_of(on_log=lambda message, level: warnings.append(message) if level == "warning" else None)
    out = folders["out"]
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    result = run_job(case["job"], filled(case["parameters"], folders), context)
    told: Told = {part: {} for part in PARTS}
    warned = {f"warning {number}": text for number, text in enumerate(warnings)}
    for place, value in [*leaves(result), *warned.items()]:
        if _LEFT_OUT.search(place) and place not in warned:
            continue
        if isinstance(value, str):
            for name, folder in folders.items():
                value = value.replace(str(folder), f"{{{name}}}")
        told[_part(place, value)][place] = value
    for path in sorted(out.rglob("*")):
        if path.is_file() and before.get(path) != path.stat().st_mtime_ns:
            _of_file(path, told)
    return told


def _close(before: Any, now: Any, relative: float, least: float) -> bool:
    if isinstance(before, list):
        if not isinstance(now, list) or len(now) != len(before):
            return False
        return all(_close(*pair, relative, least) for pair in zip(before, now))
    if isinstance(before, dict):
        return isinstance(now, dict) and all(
            _close(each, now.get(key), relative, least) for key, each in before.items()
        )
    numbers = [isinstance(each, int | float) and not isinstance(each, bool) for each in (before, now)]
    return math.isclose(before, now, rel_tol=relative, abs_tol=least) if all(numbers) else before == now


def unlike(case: Mapping[str, Any], part: str, before: Told, now: Told) -> dict[str, tuple[Any, Any]]:
    """What was kept of a part and is another today, by its place: (before, now). What is new is no difference."""
    relative = case.get("relative", 1e-6)
    # Figures of a result are rounded to six decimals: the last one may fall to either side.
    least = 1.01e-6 if part in ("figures", "intervals") else case.get("least", 1e-9)
    return {
        place: (value, now[part].get(place))
        for place, value in before[part].items()
        if not _close(value, now[part].get(place), relative, least)
    }


def answers(which: str, out: Path) -> dict[str, Told | Exception]:
    """Ask every case in turn, on a copy of the files; what fails is kept in place of its answer."""
    shutil.copytree(FILES, out / "files")
    folders = {"files": out / "files", "out": out / "written"}
    folders["out"].mkdir()
    found: dict[str, Told | Exception] = {}
    for case in cases(which):
        try:
            found[case["name"]] = ask(case, folders)
        except Exception as error:
            found[case["name"]] = error
    return found


def _text(value: Any) -> str:
    """Readable JSON, with every list of numbers on one line."""
    text = json.dumps(value, ensure_ascii=False, indent=1)
    return re.sub(r"\[([-+\d.eEnul,\s]+)\]", lambda found: "[" + " ".join(found[1].split()) + "]", text) + "\n"


def main(action: str, which: str, *parts: str) -> None:
    """Compare or record."""
    sys.path.insert(0, str(ROOT))
    with tempfile.TemporaryDirectory() as folder:
        found = answers(which, Path(folder))
    for name, each in found.items():
        if isinstance(each, Exception):
            raise SystemExit(f"{name}: {each!r}")
    before = kept(which) if KEPT[which].exists() else {}
    changed = 0
    for case in cases(which):
        for part in PARTS:
            now = found[case["name"]]
            if case["name"] not in before:
                continue
            for place, (old, new) in unlike(case, part, before[case["name"]], now).items():
                changed += 1
                print(f"{case['name']}, {part}, {place}:\n  before {old}\n  now    {new}")
    print(f"{changed} differences in {len(found)} cases")
    if action == "record":
        for name, told in found.items():
            mine = before.setdefault(name, told)
            mine.update({part: told[part] for part in parts or PARTS})
        KEPT[which].write_text(_text(before), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
