"""``python -m riskengine``: the worker, one job on a server without QGIS, or the list of jobs."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import IO, Any

from . import __version__, worker
from .ground.context import JobContext
from .ground.errors import Cancelled, OutputError, ParameterError


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m riskengine", description="The engine of Crime Risk.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("worker", help="serve jobs as JSON lines over stdin and stdout")
    commands.add_parser("jobs", help="list the jobs")
    run = commands.add_parser("run", help="run one job; the result is the only thing on stdout")
    run.add_argument("job")
    run.add_argument("--params", required=True, metavar="FILE", help="JSON object of parameters; - reads stdin")
    run.add_argument("--result", metavar="FILE", help="write the result there instead of to stdout")
    return parser


def _read_params(name: str, source: IO[bytes]) -> dict[str, Any]:
    try:
        text = source.read() if name == "-" else Path(name).read_bytes()
        params = json.loads(text.decode("utf-8-sig"))
    except OSError as error:
        raise ParameterError(
            f"The parameter file {name} cannot be read ({error.strerror})", parameter="--params", value=name
        ) from error
    except ValueError as error:
        raise ParameterError(
            f"The parameter file {name} is not JSON in UTF-8 ({error})", parameter="--params", value=name
        ) from error
    if not isinstance(params, dict):
        raise ParameterError(f"The parameter file {name} holds no JSON object", parameter="--params", value=name)
    return params


def _write_result(result: dict[str, Any], name: str | None, sink: IO[bytes]) -> None:
    text = json.dumps(worker.to_jsonable(result), ensure_ascii=False, allow_nan=False, indent=2) + "\n"
    data = text.encode("utf-8", "surrogateescape")
    if name is None:
        try:
            sink.write(data)
            sink.flush()
        except OSError as error:
            raise OutputError(f"The result cannot be written to stdout ({error.strerror})") from error
        return
    from .ground.artefacts import whole_file

    with whole_file(name, "--result") as temporary:
        temporary.write_bytes(data)


def _run(job: str, params: str, result: str | None) -> int:
    source, sink = worker.take_streams()
    cancelled = threading.Event()

    def interrupt(number: int, frame: Any) -> None:
        cancelled.set()
        # The second time the user means it, even if the job does not listen.
        signal.signal(signal.SIGINT, signal.default_int_handler)

    signal.signal(signal.SIGINT, interrupt)

    shown = -1

    def progress(share: float, text: str) -> None:
        nonlocal shown
        percent = int(share * 100)
        if percent != shown:
            shown = percent
            print(f"{percent:3d} % {text}".rstrip(), file=sys.stderr)

    def log(message: str, level: str) -> None:
        print(f"{level}: {message}", file=sys.stderr)

    try:
        from .jobs import run_job

        answer = run_job(job, _read_params(params, source), JobContext(progress, log, cancelled))
        _write_result(answer, result, sink)
    except (Cancelled, KeyboardInterrupt):
        print("Cancelled.", file=sys.stderr)
        return 130
    except (Exception, SystemExit) as error:
        description = worker.describe_error(error, job)
        if "traceback" in description:
            print(description["traceback"], file=sys.stderr)
        print(description["error"]["message"], file=sys.stderr)
        return 1
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0, 1 on an error, 130 when cancelled."""
    given = _parser().parse_args(arguments)
    if given.command == "worker":
        return worker.main()
    if given.command == "jobs":
        from .jobs import job_names

        print("\n".join(job_names()))
        return 0
    code = _run(given.job, given.params, given.result)
    sys.stderr.flush()
    return code


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # Threads of libraries must not hold up a finished or cancelled run.
    os._exit(code)
