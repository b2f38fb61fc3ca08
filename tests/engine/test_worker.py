"""The engine's process by itself: the protocol, the command line, and what must not disturb them."""

from __future__ import annotations

import contextlib
import datetime
import errno
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from riskengine import worker
from riskengine.ground.errors import Cancelled, ParameterError

ROOT = Path(__file__).resolve().parents[2]


def start(*arguments: str, root: Path = ROOT, **options: Any) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONUTF8": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "riskengine", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        cwd=options.pop("cwd", None),
        **options,
    )


class Peer:
    """The other end of a worker's pipes."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        assert process.stdin
        assert process.stdout
        self.stdin, self.stdout = process.stdin, process.stdout

    def send(self, request: Any) -> None:
        line = request if isinstance(request, bytes) else json.dumps(request).encode()
        self.stdin.write(line + b"\n")
        self.stdin.flush()

    def job(self, number: int, **params: Any) -> None:
        self.send({"id": number, "job": "selftest", "params": params})

    def next(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.stdout.readline())
        return event

    def end(self, number: int | None) -> dict[str, Any]:
        """The event that ends a request."""
        while True:
            event = self.next()
            if event["event"] in ("result", "error") and event["id"] == number:
                return event


@pytest.fixture
def peer() -> Iterator[Peer]:
    process = start("worker")
    other = Peer(process)
    assert other.next()["event"] == "ready"
    yield other
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        with contextlib.suppress(OSError, AttributeError):
            stream.close()  # type: ignore[union-attr]


def test_first_line_names_version_and_process(tmp_path: Path) -> None:
    process = start("worker", cwd=tmp_path)
    ready = json.loads(process.stdout.readline()) if process.stdout else {}
    assert ready["event"] == "ready"
    assert ready["pid"] == process.pid
    assert ready["version"]
    _, words = process.communicate(timeout=20)
    assert words == b""
    assert process.returncode == 0


def test_start_loads_nothing_heavy() -> None:
    heavy = {"numpy", "pydantic", "torch", "pandas"}
    code = f"import riskengine.worker, sys; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=True
    )
    assert done.stdout.strip() == b"[]"


def test_what_libraries_print_stays_out_of_the_protocol(peer: Peer) -> None:
    peer.job(1, behaviour="noise", payload="Ñandú 北京 \u2028 🙂")
    assert peer.next() == {"id": 1, "event": "result", "result": {"payload": "Ñandú 北京 \u2028 🙂"}}
    _, words = peer.process.communicate(b'{"shutdown": true}\n', timeout=20)
    assert b"this is only print" in words
    assert b"a library written in C" in words


def test_bad_requests_are_answered_and_survived(peer: Peer) -> None:
    for line in (b"not json", b"[1]", b"\xff\xfe", b"[" * 200_000, b'{"cancel": []}', b'{"id": {}, "job": "selftest"}'):
        peer.send(line)
        assert "not a line of JSON" in peer.end(None)["error"]["message"]
    peer.send({"id": 7, "job": 3})
    assert peer.end(7)["error"]["type"] == "ParameterError"
    peer.send({"id": 8, "job": "nothing"})
    assert "There is no job 'nothing'" in peer.end(8)["error"]["message"]
    peer.job(9, behaviour="echo", payload=1)
    assert peer.end(9)["result"] == {"payload": 1}


def test_a_wrong_parameter_is_one_sentence(peer: Peer) -> None:
    peer.job(1, behaviour="progress", count=-3)
    error = peer.end(1)["error"]
    assert error["type"] == "ParameterError"
    assert error["parameter"] == "count"
    assert error["value"] == "-3"
    assert "'count' is -3" in error["message"]
    assert "\n" not in error["message"]


def test_progress_is_thinned_in_order_and_its_last_is_kept(peer: Peer) -> None:
    peer.job(1, behaviour="progress", count=10_000)
    events = [peer.next()]
    while events[-1]["event"] == "progress":
        events.append(peer.next())
    values = [event["value"] for event in events[:-1]]
    assert events[-1]["result"] == {"events": 10_000}
    assert values == sorted(values)
    assert values[-1] == 1.0
    assert events[-2]["text"] == "event 10000"
    assert len(values) < 1000


def test_a_waiting_progress_is_told_while_the_job_goes_on() -> None:
    sink = io.BytesIO()
    channel = worker.Channel(sink)
    channel.progress(1, 0.1, "first")
    channel.progress(1, 0.2, "second")
    end = time.monotonic() + 10
    while sink.getvalue().count(b"\n") < 2 and time.monotonic() < end:
        time.sleep(0.01)
    assert [json.loads(line)["text"] for line in sink.getvalue().splitlines()] == ["first", "second"]


def test_cancel_reaches_running_and_waiting_jobs(peer: Peer) -> None:
    peer.job(1, behaviour="stubborn", seconds=0.3)
    peer.job(2, behaviour="progress", count=5)
    assert peer.next()["event"] == "progress"
    peer.send({"cancel": 2})
    peer.send({"cancel": 99})
    assert peer.end(1)["event"] == "result"
    assert peer.end(2)["error"]["type"] == "Cancelled"


def test_the_parents_death_ends_even_a_job_that_does_not_listen(peer: Peer) -> None:
    peer.job(1, behaviour="stubborn", seconds=600)
    assert peer.next()["event"] == "progress"
    peer.stdin.close()
    began = time.monotonic()
    peer.process.wait(20)
    assert time.monotonic() - began < 10


def test_unexpected_errors_carry_their_traceback() -> None:
    try:
        raise ZeroDivisionError("x\ny")
    except ZeroDivisionError as error:
        told = worker.describe_error(error, "job")
    assert told["error"]["type"] == "ZeroDivisionError"
    assert "x y" in told["error"]["message"]
    assert "test_worker.py" in told["traceback"]


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (MemoryError(), "CrimeRiskError", "out of memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "CrimeRiskError", "out of memory"),
        (FileNotFoundError(errno.ENOENT, "No such file", "/a/ü.csv"), "DataError", "/a/ü.csv does not exist"),
        (PermissionError(errno.EACCES, "Permission denied", "/a/b"), "OutputError", "/a/b may not be opened"),
        (OSError(errno.ENOSPC, "No space left on device"), "OutputError", "disk is full"),
        (OSError(errno.EIO, "Input/output error"), "DataError", "Input/output error"),
        (ModuleNotFoundError("No module named 'annoy'", name="annoy"), "DependencyError", "Set up engine"),
        (ParameterError("Bad", parameter="a"), "ParameterError", "Bad."),
        (Cancelled(), "Cancelled", "Cancelled."),
    ],
)
def test_known_errors_become_typed_sentences(error: Exception, kind: str, words: str) -> None:
    told = worker.describe_error(error, "job")
    assert told["error"]["type"] == kind
    assert words in told["error"]["message"]
    assert "traceback" not in told


def test_results_are_valid_json_whatever_they_hold() -> None:
    value = {
        "nan": float("nan"),
        "inf": np.float64(-np.inf),
        "f32": np.float32(0.5),
        "int": np.int64(3),
        "yes": np.bool_(True),
        "array": np.array([[1.0, np.nan]]),
        "when": np.datetime64("2020-01-02T03:04:05"),
        "nat": np.datetime64("NaT"),
        "path": Path("a"),
        "date": datetime.date(2020, 1, 2),
        1: (1, {2}),
        "huge": 10**30,
        "text": np.str_("ñ"),
    }
    text = json.dumps(worker.to_jsonable(value), allow_nan=False)
    back = json.loads(text)
    assert back["nan"] is None
    assert back["inf"] is None
    assert back["array"] == [[1.0, None]]
    assert back["nat"] is None
    assert back["when"] == "2020-01-02T03:04:05"
    assert back["1"] == [1, [2]]
    assert back["int"] == 3
    assert back["yes"] is True
    assert back["path"] == "a"
    assert back["date"] == "2020-01-02"
    assert back["huge"] == 10**30
    assert back["text"] == "ñ"


def test_run_puts_only_the_result_on_stdout(tmp_path: Path) -> None:
    params = tmp_path / "parámetros con espacio.json"
    params.write_text(json.dumps({"behaviour": "noise", "payload": "é"}, ensure_ascii=False), "utf-8-sig")
    process = start("run", "selftest", "--params", str(params), cwd=tmp_path)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert json.loads(out) == {"payload": "é"}
    assert b"this is only print" in err


def test_run_reads_stdin_and_writes_a_result_file(tmp_path: Path) -> None:
    target = tmp_path / "el resultado ñ.json"
    process = start("run", "selftest", "--params", "-", "--result", str(target))
    out, err = process.communicate(b'{"behaviour": "progress", "count": 4}', timeout=60)
    assert process.returncode == 0
    assert out == b""
    assert b"100 % event 4" in err
    assert json.loads(target.read_text("utf-8")) == {"events": 4}
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(
    ("params", "words"),
    [(b"[]", b"holds no JSON object"), (b"{", b"is not JSON"), (b'{"behaviour": "echo", "x": 1}', b"'x'")],
)
def test_run_explains_wrong_parameters(params: bytes, words: bytes) -> None:
    process = start("run", "selftest", "--params", "-")
    out, err = process.communicate(params, timeout=60)
    assert process.returncode == 1
    assert out == b""
    assert words in err
    assert b"Traceback" not in err


def test_run_without_its_parameter_file(tmp_path: Path) -> None:
    process = start("run", "selftest", "--params", str(tmp_path / "absent.json"))
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert b"absent.json cannot be read" in err


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_interrupt_cancels_run_with_130(tmp_path: Path) -> None:
    pipe = start("run", "selftest", "--params", "-")
    assert pipe.stdin
    assert pipe.stderr
    pipe.stdin.write(b'{"behaviour": "stubborn", "seconds": 600}')
    pipe.stdin.close()
    assert b"stubborn" in pipe.stderr.readline()
    pipe.send_signal(signal.SIGINT)
    # The job does not listen: the second interrupt is meant.
    killer = threading.Timer(20, pipe.kill)
    killer.start()
    while pipe.poll() is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            pipe.wait(0.2)
            break
        pipe.send_signal(signal.SIGINT)
    killer.cancel()
    assert pipe.returncode == 130
    assert b"Cancelled." in pipe.stderr.read()


def test_jobs_are_listed() -> None:
    out, _ = start("jobs").communicate(timeout=60)
    assert b"selftest" in out.split()


def test_selftest_names_every_package() -> None:
    process = start("run", "selftest", "--params", "-")
    out, _ = process.communicate(b"{}", timeout=120)
    told = json.loads(out)
    assert told["missing"] == {}
    assert set(told["packages"]) >= {"numpy", "torch", "rasterio", "scikit-learn"}
