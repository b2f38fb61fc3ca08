"""The plugin as the world treats it: killed, on a full disk, and started twice onto one file.

Every case goes over an earlier output whose content is known. Prints one JSON object:

- ``tried``: cases, with how many of each group in ``groups``;
- ``lost``: the output is neither the old nor the new one, whole (wanted 0);
- ``orphans``: processes of ours alive `ORPHAN_SECONDS` after what started them has ended (wanted 0);
- ``partial``: what is there and is neither: rows that are not all, a table or a spatial index that is not what a run
  makes, a GeoPackage that is not whole without the journal beside it, and whatever a later ordinary run into the same
  folder leaves lying (wanted 0);
- ``journals``: kills after which a journal of SQLite lay beside a GeoPackage that is whole with and without it; the
  next to open the file removes it;
- ``false_success``: exit code 0 though the rows are not there (wanted 0);
- ``unsaid``: a failure without a sentence, or with a traceback (wanted 0);
- ``missed``: kills that came too late, the run had ended; ``skipped``: what could not be tried here, and why;
- ``failures``: each offending case and what was found.

The moments of a kill are shares of an undisturbed run, and the moment something changes in the folder written to. A
full disk is a small tmpfs, which needs root. Linux only. ``--quick`` takes 3 to 4 minutes, the whole under ten.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import abuse_checks as checks
from abuse_runs import NUMBERS, RUNS, Run, is_zombie, take_stock
from common import ROOT, make_parser, round_floats, say

COUNTS = ("lost", "orphans", "partial", "false_success", "unsaid")
#: Rows of the earlier output: few, so that a disk with room for it has none for the new one.
FEW = 2000
#: Kinds whose runs are killed; ``--quick`` leaves the table out.
KILLED = ("import, .gpkg", "import, table", "scores, .gpkg", "grids, .tif", "index")
#: Kinds that are tried two at once.
RACES = ("import, .gpkg", "import, table", "grids, .tif")
PAGE = b"<html>An earlier page.</html>\n"


@dataclass
class Kind:
    """A tool and where it writes to.

    Attributes
    ----------
    algorithm : str
    old, new : dict
        What gives the earlier output and the new one.
    key : str
        The parameter of the destination.
    file : str
    table : str
        The table of a GeoPackage that is written into; empty for a file of one output.
    other : dict
        What gives a second new output, for two runs at once.
    page : bool
        The earlier output is `PAGE` instead of a run's.
    """

    algorithm: str
    old: dict[str, Any]
    new: dict[str, Any]
    file: str
    key: str = "OUTPUT"
    table: str = ""
    other: dict[str, Any] = field(default_factory=dict)
    page: bool = False

    def destination(self, folder: Path, table: str = "") -> str:
        path = folder / self.file
        return f"ogr:dbname='{path}' table=\"{table or self.table}\" (geom)" if self.table else str(path)


@dataclass
class Reference:
    """What undisturbed runs of a kind left: files to begin from, and contents to find again."""

    folder: Path
    old: dict[str, str]
    new: dict[str, str]
    other: dict[str, str]
    names: set[str]
    indexed: bool
    seconds: float
    worker_began: float
    worker_seconds: float
    new_bytes: int

    def restore(self, folder: Path) -> None:
        """Put the earlier output back; what else lies in the folder stays."""
        for name in self.names | {name + end for name in self.names for end in checks.SIDECARS}:
            (folder / name).unlink(missing_ok=True)
        for each in self.folder.iterdir():
            shutil.copy2(each, folder / each.name)


@dataclass
class Moment:
    """When a run is struck: a share of its time, or so many seconds after writing, or a pool, begins."""

    share: float | None = None
    after: str = "writing"
    delay: float = 0.0

    def __str__(self) -> str:
        return f"{self.share:g}" if self.share is not None else f"{self.after}+{self.delay:g}s"


class Abuse:
    """All cases and their counts.

    Parameters
    ----------
    scratch : Path
        A folder of its own, for everything.
    rows : int
    quick : bool
    """

    def __init__(self, scratch: Path, rows: int, quick: bool) -> None:
        self.scratch, self.quick = scratch, quick
        self.groups: dict[str, dict[str, int]] = {}
        self.failures: list[dict[str, Any]] = []
        self.skipped: list[str] = []
        self._references: dict[str, Reference] = {}
        (scratch / "tmp").mkdir()
        profile = os.environ.get("QGIS_CUSTOM_CONFIG_PATH", "")
        if not Path(profile, "profiles").is_dir():
            raise SystemExit("There is no QGIS profile with the plugin. Run it as scripts/benchmark.sh abuse.")
        # A killed QGIS may spoil its profile.
        shutil.copytree(profile, scratch / "profile", symlinks=True)
        self.kinds = self._prepared(rows)

    # What everything is made from.

    def ordinary(self, algorithm: str, inputs: dict[str, Any]) -> Run:
        """Run to the end, which must be a good one."""
        run = Run(self.scratch, algorithm, inputs)
        if code := run.end():
            raise SystemExit(f"{algorithm} failed undisturbed ({code}):\n{run.said()[-2000:]}")
        return run

    def _prepared(self, rows: int) -> dict[str, Kind]:
        say("Simulating cities")
        made = {}
        for name, count, seed in (("few", FEW, 3), ("many", rows, 7), ("other", rows, 8)):
            csv = made[name] = self.scratch / f"{name}.csv"
            given = json.dumps({"path": str(csv), "incidents": count, "days": 365, "seed": seed})
            subprocess.run(
                [sys.executable, "-m", "riskengine", "run", "simulate", "--params", "-"],
                input=given,
                text=True,
                check=True,
                cwd=ROOT,
                capture_output=True,
            )
        layers = {name: self.scratch / f"{name}.gpkg" for name in made}
        for name, csv in made.items():
            self.ordinary("crimerisk:importincidents", {"INPUT": str(csv), "OUTPUT": str(layers[name])})
        index = self.scratch / "many.crimeindex"
        self.ordinary("crimerisk:buildcrimeindex", {"INPUT": str(layers["many"]), "OUTPUT": str(index)})
        few, many, other = ({"INPUT": str(csv)} for csv in made.values())
        few_layer, many_layer, other_layer = ({"INPUT": str(layer)} for layer in layers.values())
        small = {"ROWS": 4, "COLUMNS": 4, "BIN_UNIT": 2}

        def imported(file: str, table: str = "") -> Kind:
            return Kind("crimerisk:importincidents", few, many, file, table=table, other=other)

        return {
            "import, .gpkg": imported("out.gpkg"),
            "import, table": imported("out.gpkg", "incidents"),
            "import, .geojson": imported("out.geojson"),
            "import, .shp": imported("out.shp"),
            "import, .fgb": imported("out.fgb"),
            "scores, .gpkg": Kind(
                "crimerisk:crimescorelayer",
                {"INDEX": str(index), "POINTS": str(layers["few"])},
                {"INDEX": str(index), "POINTS": str(layers["many"])},
                "out.gpkg",
            ),
            "grids, .tif": Kind(
                "crimerisk:rasterizehotspots", few_layer | small, many_layer, "out.tif", other=other_layer
            ),
            "index": Kind("crimerisk:buildcrimeindex", few_layer, many_layer, "out.crimeindex"),
            "report, .html": Kind("crimerisk:selectperiod", {}, many_layer, "out.html", key="REPORT", page=True),
        }

    def reference(self, name: str) -> Reference:
        """Undisturbed runs of a kind, made once."""
        if name in self._references:
            return self._references[name]
        say(f"Undisturbed: {name}")
        kind, folder = self.kinds[name], self._folder()
        path, given = folder / kind.file, {kind.key: kind.destination(folder)}
        if kind.table:
            self.ordinary(kind.algorithm, kind.old | {kind.key: kind.destination(folder, "kept")})
        if kind.page:
            path.write_bytes(PAGE)
        else:
            self.ordinary(kind.algorithm, kind.old | given)
        old, kept = checks.contents(path), self._folder()
        for each in folder.iterdir():
            if not each.name.endswith(checks.SIDECARS):
                shutil.copy2(each, kept / each.name)
        run = Run(self.scratch, kind.algorithm, kind.new | given)
        run.until(run.worker)
        worker, began = run.worker(), run.age()
        run.until(lambda: worker is None or not Path(f"/proc/{worker}").exists() or is_zombie(worker))
        worker_seconds = run.age() - began
        if code := run.end():
            raise SystemExit(f"{kind.algorithm} failed undisturbed ({code}):\n{run.said()[-2000:]}")
        seconds, new = run.age(), checks.contents(path)
        new_bytes = sum(each.stat().st_size for each in folder.glob(f"{path.stem}.*") if each.suffix not in _STYLES)
        indexed = not checks.faults(path, new)
        other: dict[str, str] = {}
        if kind.other and name in RACES:
            self.ordinary(kind.algorithm, kind.other | given)
            other = checks.contents(path)
        names = {each.name for each in (*folder.iterdir(), *kept.iterdir())}
        made = Reference(kept, old, new, other, names, indexed, seconds, began, worker_seconds, new_bytes)
        self._references[name] = made
        return made

    def _folder(self) -> Path:
        folder = self.scratch / f"folder-{next(NUMBERS)}"
        folder.mkdir()
        return folder

    def count(self, group: str, case: str, verdict: checks.Verdict, **more: Any) -> None:
        """Count a case, and name it if it offends."""
        counts = self.groups.setdefault(group, {"tried": 0, "missed": 0} | dict.fromkeys((*COUNTS, "journals"), 0))
        counts["tried"] += 1
        for name in (*COUNTS, "journals"):
            counts[name] += len(getattr(verdict, name))
        if why := verdict.why():
            self.failures.append({"group": group, "case": case, **why, **more})
            say(f"  {group}, {case}: {why}")

    # Kills.

    def kills(self, name: str, blows: list[tuple[str, signal.Signals, Moment]]) -> None:
        """Strike runs of a kind, and see at the end what an ordinary run leaves lying."""
        kind, reference, group = self.kinds[name], self.reference(name), f"kill: {name}"
        say(f"Killing: {name}, {len(blows)} times")
        folder = self._folder()
        path, given = folder / kind.file, kind.new | {kind.key: kind.destination(folder)}
        first_seen: dict[str, str] = {}
        for target, number, moment in blows:
            case = f"{number.name} to {target} at {moment}"
            # A machine that has become quicker since the undisturbed run shows as a kill too late: once more, sooner.
            for last in (False, True):
                reference.restore(folder)
                run = Run(self.scratch, kind.algorithm, given)
                hit = self._strike(run, target, number, moment, folder, reference)
                code, seconds, orphans = run.end(), run.age(), run.orphans()
                if hit or last or moment.share in (None, 1.0):
                    break
                reference.seconds = min(reference.seconds, seconds)
                reference.worker_seconds = min(reference.worker_seconds, seconds - reference.worker_began)
            found = checks.state(path, reference.old, reference.new)
            verdict = checks.judge(found, code, run.said(), must_say=target == "worker")
            verdict.orphans = orphans
            if journals := checks.open_journals(path):
                # SQLite undoes the half with it when the file is next opened; but people copy a file without it.
                alone = checks.state_without_journal(path, self.scratch / "alone", reference.old, reference.new)
                if alone in ("old", "new"):
                    verdict.journals += journals
                else:
                    verdict.partial.append(f"the output without its journal is {alone}")
            if found in ("old", "new"):
                verdict.partial += checks.faults(path, reference.new, reference.indexed)
            at_once = checks.leftovers(folder, reference.names)
            for each in at_once:
                first_seen.setdefault(each, case)
            self.count(group, case, verdict, exit=code, beside=at_once)
            self.groups[group]["missed"] += not hit
        reference.restore(folder)
        run = Run(self.scratch, kind.algorithm, given)
        code = run.end()
        verdict = checks.judge(checks.state(path, reference.old, reference.new), code, run.said(), must_say=True)
        if code:
            verdict.lost.append(f"an ordinary run failed ({code}): {run.said()[-300:]}")
        still = checks.leftovers(folder, reference.names)
        verdict.partial += [f"{each}, left by {first_seen.get(each, 'this run')}, is still there" for each in still]
        self.count(group, "an ordinary run afterwards", verdict)

    def _strike(
        self, run: Run, target: str, number: signal.Signals, moment: Moment, folder: Path, reference: Reference
    ) -> bool:
        """Send a signal at a moment; False if there was nobody left to get it."""
        if moment.share is None and moment.after == "writing":
            before = take_stock(folder)
            run.until(lambda: take_stock(folder) != before)
        elif moment.share is None:
            run.until(lambda: run.pool() > 1)
        elif target == "worker":
            run.until(run.worker)
        else:
            run.until(lambda: run.age() >= moment.share * reference.seconds)  # type: ignore[operator]
        struck = time.monotonic()
        delay = moment.delay
        if moment.share is not None and target == "worker":
            delay = moment.share * reference.worker_seconds
        run.until(lambda: time.monotonic() >= struck + delay)
        if run.ended():
            return False
        worker = run.worker()
        pids = {"QGIS": [run.process.pid], "worker": [worker], "all": [worker, run.process.pid]}[target]
        hit = False
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                if pid is not None:
                    os.kill(pid, number)
                    hit = True
        return hit

    def pools(self) -> None:
        """Kill a backtest while processes of its pool live."""
        group, folder = "kill: backtest, pool", self._folder()
        say("Killing: backtest with a pool")
        grids = self.scratch / "grids.tif"
        self.ordinary("crimerisk:rasterizehotspots", self.kinds["grids, .tif"].new | {"OUTPUT": str(grids)})
        page, table = folder / "out.html", folder / "out.csv"
        given = {"INPUT": str(grids), "REPORT": str(page), "TABLE": str(table), "WORKERS": 2}
        moment = Moment(after="pool", delay=0.5)
        blows = [("QGIS", signal.SIGKILL), ("worker", signal.SIGKILL), ("QGIS", signal.SIGTERM)]
        blows += [] if self.quick else [("QGIS", signal.SIGINT)]
        nothing = Reference(folder, {}, {}, {}, set(), False, 0, 0, 0, 0)
        for target, number in blows:
            page.write_bytes(PAGE)
            table.write_bytes(PAGE)
            old = checks.contents(page)
            run = Run(self.scratch, "crimerisk:backtestforecast", given)
            hit = self._strike(run, target, number, moment, folder, nothing)
            code, orphans = run.end(), run.orphans()
            found = checks.state(page, old, {"": "another"})
            if found.startswith("neither"):
                # No two reports are the same; this one has its end.
                found = "new"
            if found in ("old", "new") and (found == "old") != (table.read_bytes() == PAGE):
                found = f"neither: the report is {found} and the table is not"
            verdict = checks.judge(found, code, run.said(), must_say=target == "worker")
            verdict.orphans = orphans
            case = f"{number.name} to {target} at {moment}"
            self.count(group, case, verdict, exit=code, beside=checks.leftovers(folder, {page.name, table.name}))
            self.groups[group]["missed"] += not hit

    # Full disks.

    def full_disks(self) -> None:
        """Every kind of output onto a disk with too little room, and with too little room for what is temporary."""
        names = list(self.kinds)
        for name in names:
            # Where only a spatial index does not fit, too: GDAL says nothing of it.
            for share in (0.4, 0.7) if name == "import, .gpkg" else (0.4,):
                self._full_disk(name, share)
        few = ["import, .gpkg", "scores, .gpkg", "grids, .tif", "index"]
        for name in few[:2] if self.quick else few:
            self._full_temporary(name)

    def _full_disk(self, name: str, share: float) -> None:
        kind, reference = self.kinds[name], self.reference(name)
        group, case = "full disk", f"{name}, room for {share:g} of it"
        size = sum(each.stat().st_size for each in reference.folder.iterdir()) + int(share * reference.new_bytes)
        if size >= reference.new_bytes:
            self.skipped.append(f"{group}, {case}: the earlier output is too large beside the new one")
            return
        with self._small_disk(size, f"{group}, {case}") as disk:
            if disk is None:
                return
            say(f"Full disk: {case}")
            reference.restore(disk)
            run = Run(self.scratch, kind.algorithm, kind.new | {kind.key: kind.destination(disk)})
            self._judge_full(group, case, run, disk, name)

    def _full_temporary(self, name: str) -> None:
        kind, reference, folder = self.kinds[name], self.reference(name), self._folder()
        group, case = "full temporary folder", name
        with self._small_disk(128 * 1024, f"{group}, {case}") as disk:
            if disk is None:
                return
            say(f"Full temporary folder: {name}")
            reference.restore(folder)
            run = Run(self.scratch, kind.algorithm, kind.new | {kind.key: kind.destination(folder)}, temporary=disk)
            self._judge_full(group, case, run, folder, name)

    def _judge_full(self, group: str, case: str, run: Run, folder: Path, name: str) -> None:
        """A run that finds room after all may succeed; whichever it says must be so, and nothing may lie about."""
        reference, path = self.reference(name), folder / self.kinds[name].file
        code, orphans = run.end(), run.orphans()
        found = checks.state(path, reference.old, reference.new)
        verdict = checks.judge(found, code, run.said(), must_say=True)
        verdict.orphans = orphans
        verdict.partial += [f"{each} holds something" for each in checks.open_journals(path)]
        if found in ("old", "new"):
            verdict.partial += checks.faults(path, reference.new, reference.indexed)
        verdict.partial += [f"{each} is left" for each in checks.leftovers(folder, reference.names)]
        self.count(group, case, verdict, exit=code)

    @contextlib.contextmanager
    def _small_disk(self, size: int, what: str) -> Iterator[Path | None]:
        """A tmpfs of so many bytes; None where nobody may mount one."""
        folder = self._folder()
        root = [] if os.geteuid() == 0 else ["sudo", "-n"]
        mount = [*root, "mount", "-t", "tmpfs", "-o", f"size={size},mode=777", "tmpfs", str(folder)]
        try:
            mounted = subprocess.run(mount, capture_output=True, text=True)
            why = mounted.stderr.strip() if mounted.returncode else ""
        except OSError as error:
            why = str(error)
        if why:
            self.skipped.append(f"{what}: a small disk cannot be mounted ({why})")
            yield None
            return
        try:
            yield folder
        finally:
            if subprocess.run([*root, "umount", str(folder)], capture_output=True).returncode:
                subprocess.run([*root, "umount", "-l", str(folder)], check=True)

    # Two at once.

    def races(self) -> None:
        """Two runs onto one file, started together."""
        for _ in range(1 if self.quick else 2):
            for name in RACES:
                self._race(name, apart=False)
            self._race("import, table", apart=True)

    def _race(self, name: str, apart: bool) -> None:
        kind, reference, folder = self.kinds[name], self.reference(name), self._folder()
        group, case = "two at once", f"{name}{', two tables of one file' * apart}"
        say(f"Two at once: {case}")
        reference.restore(folder)
        path = folder / kind.file
        tables = ("incidents", "incidents2") if apart else (kind.table, kind.table)
        runs = [
            Run(self.scratch, kind.algorithm, inputs | {kind.key: kind.destination(folder, table)})
            for inputs, table in zip((kind.new, kind.other), tables)
        ]
        codes = [run.end() for run in runs]
        orphans = [each for run in runs for each in run.orphans()]
        try:
            found: dict[str, str] | str = checks.contents(path)
        except (checks.Broken, FileNotFoundError) as error:
            found = f"broken: {error}" if path.exists() else "gone"
        wanted = [reference.new, reference.other]
        if apart:
            wanted[1] = {"kept": reference.other["kept"], "incidents2": reference.other["incidents"]}
        ended = [(1 if code is None else code, contents) for code, contents in zip(codes, wanted)]
        verdict = checks.race_verdict(found, ended, apart)
        if all(codes) and (now := checks.state(path, reference.old, {"": "another"})) != "old":
            verdict.lost.append(f"both failed, and the output is {now}")
        verdict.orphans = orphans
        for code, run in zip(codes, runs):
            if code is None or (code and not checks.is_sentence(run.said())):
                verdict.unsaid.append(run.said().strip()[-300:] or f"nothing was said ({code})")
        if not verdict.lost:
            verdict.partial += checks.faults(path, {*reference.new, *tables}, reference.indexed)
        elif isinstance(found, str) and found != "gone":
            verdict.partial.append(f"the output is {found}")
        verdict.partial += [f"{each} holds something" for each in checks.open_journals(path)]
        verdict.partial += [f"{each} is left" for each in checks.leftovers(folder, reference.names)]
        said = [run.said().strip()[-200:] for run in runs]
        self.count(group, case, verdict, exit=codes, said=said)


_STYLES = {".qml", ".qmd", ".xml"}


def blows(quick: bool) -> list[tuple[str, signal.Signals, Moment]]:
    """Who is struck, with what and when."""
    kill, term, interrupt = signal.SIGKILL, signal.SIGTERM, signal.SIGINT
    writing, later, soon = Moment(), Moment(delay=0.1), Moment(delay=0.3)
    if quick:
        return [
            *(("QGIS", kill, moment) for moment in (Moment(0.9), writing, later)),
            ("QGIS", term, writing),
            ("QGIS", interrupt, Moment(0.9)),
            ("all", kill, writing),
            ("worker", kill, Moment(0.6)),
        ]
    shares = [Moment(share) for share in (0.3, 0.6, 0.8, 0.9, 0.95, 1.0)]
    return [
        *(("QGIS", kill, moment) for moment in (*shares, writing, later, soon)),
        *(("QGIS", number, moment) for number in (term, interrupt) for moment in (Moment(0.6), Moment(0.9), writing)),
        *(("worker", kill, Moment(share)) for share in (0.3, 0.6, 0.8, 0.9, 1.0)),
        # As when a session ends, the memory is gone or the power fails.
        *(("all", kill, moment) for moment in (writing, later)),
    ]


def main() -> None:
    """Try everything and print the counts."""
    parser = make_parser(__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=30_000, help="incidents of the simulated city (default: 30000)")
    parser.add_argument("--quick", action="store_true", help="fewer moments, 3 to 4 minutes")
    parser.add_argument("--only", nargs="+", choices=("kills", "pools", "disks", "races"), help="some of it")
    options = parser.parse_args()
    # Small disks are unmounted and processes ended then, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    began = time.monotonic()
    only = options.only or ["kills", "pools", "disks", "races"]
    with tempfile.TemporaryDirectory(prefix="crime_risk_abuse_", ignore_cleanup_errors=True) as folder:
        try:
            abuse = Abuse(Path(folder), options.rows, options.quick)
            if "kills" in only:
                for name in KILLED:
                    if not (options.quick and name == "import, table"):
                        abuse.kills(name, blows(options.quick))
            if "pools" in only:
                abuse.pools()
            if "disks" in only:
                abuse.full_disks()
            if "races" in only:
                abuse.races()
        finally:
            # Who stops the benchmark stops what it has started.
            for run in RUNS:
                if not run.ended():
                    run.process.kill()
                    run.orphans()
    totals = {
        name: sum(counts[name] for counts in abuse.groups.values()) for name in ("tried", *COUNTS, "journals", "missed")
    }
    seconds = time.monotonic() - began
    report = {**totals, "skipped": abuse.skipped, "groups": abuse.groups, "failures": abuse.failures}
    print(json.dumps(round_floats({**report, "rows": options.rows, "quick": options.quick, "seconds": seconds})))


if __name__ == "__main__":
    main()
