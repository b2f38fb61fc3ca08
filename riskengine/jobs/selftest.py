"""Check the engine, and misbehave on request: what the set-up and the tests of the worker need."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import platform
import re
import sys
import time
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from ..ground.artefacts import whole_file
from ..ground.context import JobContext
from .models import JobParameters

_MODULES = {"scikit-learn": "sklearn"}
_FOLDER = Path(__file__).resolve().parents[1]


class Parameters(JobParameters):
    """What to do: check the packages, or behave as a test asks."""

    behaviour: Literal["check", "echo", "progress", "noise", "stubborn", "crash", "memory", "fill"] = "check"
    payload: Any = None
    count: int = Field(default=0, ge=0, description="progress: events; fill: bytes; crash: exit code, 0 aborts")
    seconds: float = Field(default=60, ge=0, le=3600, description="stubborn: how long")
    output: str = Field(default="", description="fill: the file; stubborn: optionally a file to hold half-written")


def run(parameters: Parameters, context: JobContext) -> dict[str, Any]:
    """Do what `parameters.behaviour` says."""
    behaviour = parameters.behaviour
    if behaviour == "echo":
        return {"payload": parameters.payload}
    if behaviour == "progress":
        for number in range(parameters.count):
            context.progress((number + 1) / parameters.count, f"event {number + 1}")
        return {"events": parameters.count}
    if behaviour == "noise":
        print('{"event": "result", "result": "this is only print"}')
        os.write(1, b"and this a library written in C\n")
        return {"payload": parameters.payload}
    if behaviour == "stubborn":
        return _stubborn(parameters, context)
    if behaviour == "crash":
        print("last words: about to crash", file=sys.stderr, flush=True)
        if parameters.count:
            os._exit(parameters.count)
        os.abort()
    if behaviour == "memory":
        raise MemoryError
    if behaviour == "fill":
        return _fill(parameters, context)
    return check(context)


def _stubborn(parameters: Parameters, context: JobContext) -> dict[str, Any]:
    """Never listen to cancel, as a call into a compiled library would."""
    end = time.monotonic() + parameters.seconds
    context.progress(0.0, "stubborn")
    if not parameters.output:
        while time.monotonic() < end:
            time.sleep(0.05)
        return {}
    with whole_file(parameters.output) as temporary:
        temporary.write_bytes(b"half")
        context.log("writing")
        while time.monotonic() < end:
            time.sleep(0.05)
    return {}


def _fill(parameters: Parameters, context: JobContext) -> dict[str, Any]:
    block = bytes(1 << 16)
    with whole_file(parameters.output) as temporary, temporary.open("wb") as file:
        left = parameters.count
        while left > 0:
            context.check_cancelled()
            left -= file.write(block[:left])
    return {"output": parameters.output}


def check(context: JobContext) -> dict[str, Any]:
    """Import every package the engine needs.

    Returns
    -------
    dict
        ``packages`` (name to version), ``missing`` (needed ones with the reason), ``optional_missing``,
        ``python`` and ``cuda``.
    """
    packages: dict[str, str] = {}
    faults: dict[str, dict[str, str]] = {"requirements.txt": {}, "requirements-optional.txt": {}}
    todo = [(file, name) for file in faults for name in _names(_FOLDER / file)]
    for number, (file, name) in enumerate(todo):
        context.progress(number / len(todo), name)
        try:
            importlib.import_module(_MODULES.get(name, name.replace("-", "_")))
            packages[name] = importlib.metadata.version(name)
        # A broken package may fail with anything, an OSError of a missing library above all.
        except Exception as error:
            faults[file][name] = " ".join(str(error).split()) or type(error).__name__
    cuda = False
    if "torch" in packages:
        import torch

        cuda = bool(torch.cuda.is_available())
    return {
        "python": platform.python_version(),
        "packages": packages,
        "missing": faults["requirements.txt"],
        "optional_missing": faults["requirements-optional.txt"],
        "cuda": cuda,
    }


def _names(file: Path) -> list[str]:
    matches = (re.match(r"[A-Za-z0-9_.-]+", line) for line in file.read_text("utf-8").splitlines())
    return list(dict.fromkeys(match.group(0) for match in matches if match))
