"""Altered files and lines, thousands of them: each is used or refused with a sentence, at once and in bounded memory.

Indexes, models of every forecaster, score models, stacks, CSVs, workbooks and packed tables, saved formats and lines to
a living worker are altered (seeded), and asked for what a user would ask. Children do it, with limits of memory and
time; one that dies or hangs is replaced. Half of the altered indexes and models get their checksum anew, a quarter have
none as 0.3 wrote them, a quarter are as the bytes fall. A line to the worker is an input: a worker that dies, hangs or
says what is not our protocol counts as unexpected, as does a refusal of a model or index that names no part of it.

Usage: scripts/benchmark.sh fuzz [--inputs 20000] [--kind "model kde"] [--seed 0] [--show 20]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.fuzz_asking import list_kinds, prepare, try_one

#: Memory that a child may ask for beyond what it has, bytes; seconds for one input; inputs of a child.
MEMORY, SECONDS, BATCH = 2 * 2**30, 60.0, 1000


def make_inputs(number: int, kind: str | None, seed: int) -> list[tuple[str, int]]:
    """List kinds and seeds, so many of each kind as its weight says."""
    kinds = {name: weight for name, weight in list_kinds().items() if kind is None or name.startswith(kind)}
    total = sum(kinds.values())
    made = [
        (name, seed * 10**6 + each) for name, weight in kinds.items() for each in range(-(-number * weight // total))
    ]
    # Kinds that take long are spread over the children.
    return sorted(made, key=lambda one: (one[1], one[0]))


def work(inputs: list[tuple[str, int]], told: Path) -> None:
    """Try inputs in a child, telling of each before and after it."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, size + MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory() as folder, told.open("a", encoding="utf-8", errors="backslashreplace") as file:
        prepare(Path(folder))
        for kind, seed in inputs:
            file.write(json.dumps(["began", kind, seed]) + "\n")
            file.flush()
            began = time.monotonic()
            outcome, said = try_one(kind, seed, Path(folder))
            file.write(json.dumps([outcome, kind, seed, said[:400], round(time.monotonic() - began, 2)]) + "\n")
            file.flush()


class Child:
    """A child at work on a batch."""

    def __init__(self, inputs: list[tuple[str, int]], folder: Path, number: int) -> None:
        self.inputs, self.told, self.since = inputs, folder / f"{number}.jsonl", time.monotonic()
        self.told.touch()
        self.size = 0
        self.pid = os.fork()
        if not self.pid:
            os.nice(5)
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            os.dup2(null, 2)
            try:
                work(inputs, self.told)
            finally:
                os._exit(0)

    def has_ended(self) -> bool:
        """Say whether it is over; one that tells nothing for too long is ended."""
        size = self.told.stat().st_size
        if size != self.size:
            self.size, self.since = size, time.monotonic()
        if time.monotonic() - self.since > SECONDS:
            os.kill(self.pid, signal.SIGKILL)
        done, self.status = os.waitpid(self.pid, os.WNOHANG)
        return done == self.pid

    def read(self) -> tuple[list[Any], list[tuple[str, int]]]:
        """Read what it told, and the inputs that are left for another."""
        rows = [json.loads(line) for line in self.told.read_text(encoding="utf-8").splitlines()]
        results = [row for row in rows if row[0] != "began"]
        if len(results) == len(self.inputs):
            return results, []
        began = len(results) < sum(row[0] == "began" for row in rows)
        if not began:
            raise RuntimeError("a child could not begin")
        kind, seed = self.inputs[len(results)]
        signalled = os.WTERMSIG(self.status)
        how = f"it took longer than {SECONDS:g} s" if signalled == signal.SIGKILL else f"crash, signal {signalled}"
        return [*results, ["unexpected", kind, seed, how, SECONDS]], self.inputs[len(results) + 1 :]


def main() -> int:
    """Run, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--kind", help="the start of a kind's name")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", type=int, default=20, help="unexpected ones to show")
    parser.add_argument("--children", type=int, default=2)
    options = parser.parse_args()
    # Imported once, before the children are made.
    import riskengine.forecasters.networks.convlstm
    import riskengine.jobs.classify
    import riskengine.jobs.forecast
    import riskengine.jobs.import_csv
    import riskengine.jobs.query_score
    import riskengine.systems.score.model  # noqa: F401

    inputs = make_inputs(options.inputs, options.kind, options.seed)
    waiting = [inputs[start : start + BATCH] for start in range(0, len(inputs), BATCH)]
    results: list[Any] = []
    children: list[Child] = []
    began, number = time.monotonic(), 0
    with tempfile.TemporaryDirectory() as folder:
        while waiting or children:
            while waiting and len(children) < options.children:
                children.append(Child(waiting.pop(0), Path(folder), number))
                number += 1
            time.sleep(0.05)
            for child in [each for each in children if each.has_ended()]:
                children.remove(child)
                told, left = child.read()
                results += told
                if left:
                    waiting.insert(0, left)
    outcomes = Counter(row[0] for row in results)
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    for row in results:
        kinds[row[1]][row[0]] += 1
    for row in [row for row in results if row[0] == "unexpected"][: options.show]:
        print("UNEXPECTED", *row[1:], file=sys.stderr)
    slow = sorted(results, key=lambda row: -row[4])[:3]
    found = {
        "inputs": len(results),
        "accepted": round(outcomes["accepted"] / len(results), 4),
        "unexpected": outcomes["unexpected"],
        "seconds": round(time.monotonic() - began),
        "slowest": [[row[1], row[2], row[4]] for row in slow],
        "kinds": {kind: dict(counts) for kind, counts in sorted(kinds.items())},
    }
    print(json.dumps(found))
    return 1 if outcomes["unexpected"] else 0


if __name__ == "__main__":
    sys.exit(main())
