"""Calling the engine: its death, deafness, floods, odd paths and full disks cost one sentence and no file."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kit.waiting import is_alive, wait_for

from bridge import client, engine_state, environment
from riskengine.ground import artefacts

ROOT = Path(__file__).resolve().parents[2]
posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")


@pytest.fixture(scope="module", autouse=True)
def engine() -> Iterator[None]:
    """The checkout's engine, whatever the caller's environment says."""
    with pytest.MonkeyPatch.context() as patch:
        if not os.environ.get("CRIMERISK_ENGINE"):
            patch.setenv("CRIMERISK_ENGINE", str(ROOT / ".engine"))
        state = environment.read_status()
        if not state.ready:
            pytest.skip(f"{state.problem}; or run python3 bridge/environment.py install")
        yield
        client.shutdown()


def selftest(behaviour: str, **params: Any) -> Callable[..., dict[str, Any]]:
    def run(**options: Any) -> dict[str, Any]:
        return client.call("selftest", {"behaviour": behaviour, **params}, **options)

    return run


def pid_of(worker: str = "batch") -> int:
    process = client._WORKERS[worker]._process
    assert process is not None
    return process.pid


def works() -> bool:
    return selftest("echo", payload="ñ")() == {"payload": "ñ"}


class Busy(threading.Thread):
    """A call in another thread; `running` is set once the job has told something."""

    def __init__(self, run: Callable[..., dict[str, Any]], **options: Any) -> None:
        super().__init__(daemon=True)
        self.run_job, self.options = run, options
        self.running = threading.Event()
        self.stop = threading.Event()
        self.error: BaseException | None = None
        self.result: Any = None
        self.start()

    def run(self) -> None:
        try:
            self.result = self.run_job(
                on_progress=lambda *_: self.running.set(),
                # That the engine wants an update is said before the job begins.
                on_log=lambda message, _: None if "Set up engine" in message else self.running.set(),
                is_cancelled=self.stop.is_set,
                **self.options,
            )
        except BaseException as error:
            self.error = error

    def wait(self) -> BaseException | None:
        self.join(30)
        assert not self.is_alive(), "the call did not come back"
        return self.error


def test_one_process_serves_many_calls() -> None:
    assert works()
    pid = pid_of()
    assert works()
    assert pid_of() == pid


def test_progress_and_result_of_ten_thousand_events() -> None:
    told: list[tuple[float, str]] = []
    began = time.monotonic()
    result = selftest("progress", count=10_000)(on_progress=lambda *event: told.append(event))
    assert result == {"events": 10_000}
    assert told[-1] == (1.0, "event 10000")
    numbers = [int(text.split()[1]) for _, text in told]
    assert numbers == sorted(set(numbers))
    assert time.monotonic() - began < 20


def test_typed_errors_arrive_whole() -> None:
    with pytest.raises(client.EngineError, match="'count' is -1") as caught:
        selftest("progress", count=-1)()
    error = caught.value
    assert (error.type, error.parameter, error.value) == ("ParameterError", "count", "-1")
    assert error.remedy
    with pytest.raises(client.EngineError, match="out of memory"):
        selftest("memory")()
    assert works()


@posix
def test_a_crash_is_told_with_its_last_words_and_survived() -> None:
    for count, words in ((7, "exit code 7"), (0, "signal 6")):
        with pytest.raises(client.EngineError, match=words) as caught:
            selftest("crash", count=count)()
        assert caught.value.type == "EngineDied"
        assert "last words: about to crash" in str(caught.value)
        assert works()


@posix
def test_killed_in_the_middle_of_a_job(tmp_path: Path) -> None:
    target = tmp_path / "a b ñ.tif"
    busy = Busy(selftest("stubborn", output=str(target)), outputs=[target])
    assert busy.running.wait(60)
    wait_for(lambda: any(tmp_path.iterdir()))
    os.kill(pid_of(), signal.SIGKILL)
    error = busy.wait()
    assert isinstance(error, client.EngineError)
    assert "ran out of memory" in str(error)
    assert list(tmp_path.iterdir()) == []
    assert works()


def test_a_job_that_ignores_cancel_is_ended(tmp_path: Path) -> None:
    target = tmp_path / "half.gpkg"
    busy = Busy(selftest("stubborn", output=str(target)), outputs=[str(target)])
    assert busy.running.wait(60)
    wait_for(lambda: any(tmp_path.iterdir()))
    began = time.monotonic()
    busy.stop.set()
    assert isinstance(busy.wait(), client.EngineCancelled)
    assert time.monotonic() - began < 5
    assert list(tmp_path.iterdir()) == []
    assert works()


def test_a_job_that_listens_to_cancel_keeps_its_process() -> None:
    works()
    pid = pid_of()
    busy = Busy(selftest("progress", count=20_000_000))
    assert busy.running.wait(60)
    busy.stop.set()
    assert isinstance(busy.wait(), client.EngineCancelled)
    assert works()
    assert pid_of() == pid


def test_waiting_for_a_busy_worker_can_be_cancelled() -> None:
    first = Busy(selftest("stubborn", seconds=600))
    assert first.running.wait(60)
    second = Busy(selftest("echo", payload=1))
    second.stop.set()
    assert isinstance(second.wait(), client.EngineCancelled)
    assert first.is_alive()
    first.stop.set()
    first.wait()


def test_calls_from_several_threads_queue_up() -> None:
    calls = [Busy(selftest("echo", payload=number)) for number in range(6)]
    assert [call.wait() for call in calls] == [None] * 6
    assert [call.result["payload"] for call in calls] == list(range(6))


def test_the_interactive_worker_answers_while_the_batch_works() -> None:
    busy = Busy(selftest("stubborn", seconds=600))
    assert busy.running.wait(60)
    assert selftest("echo", payload=1)(worker="interactive") == {"payload": 1}
    assert busy.is_alive()
    assert pid_of() != pid_of("interactive")
    busy.stop.set()
    busy.wait()


def test_shutdown_ends_a_running_job_and_the_next_call_starts_anew() -> None:
    busy = Busy(selftest("stubborn", seconds=600))
    assert busy.running.wait(60)
    client.shutdown()
    assert isinstance(busy.wait(), client.EngineCancelled)
    assert works()


@posix
def test_a_worker_that_died_between_calls_is_replaced() -> None:
    works()
    for _ in range(5):
        pid = pid_of()
        os.kill(pid, signal.SIGKILL)
        assert works()
        assert pid_of() != pid


def test_a_failing_callback_reaches_the_caller() -> None:
    def fail(*_: Any) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        selftest("stubborn", seconds=600)(on_progress=fail)
    assert works()


def test_paths_with_spaces_and_other_scripts(tmp_path: Path) -> None:
    folder = tmp_path / "señal de ruido 北京 é"
    folder.mkdir()
    target = folder / "año 2019 – città.bin"
    assert selftest("fill", count=10, output=str(target))(outputs=[target]) == {"output": str(target)}
    assert target.read_bytes() == bytes(10)
    assert list(folder.iterdir()) == [target]


@posix
def test_plugin_and_engine_in_folders_with_spaces_and_other_scripts(tmp_path: Path) -> None:
    plugin = tmp_path / "mi plugin ñ 北京"
    for name in ("bridge", "riskengine"):
        shutil.copytree(ROOT / name, plugin / name, ignore=shutil.ignore_patterns("__pycache__"))
    engine = tmp_path / "motor é"
    engine.symlink_to(environment.choose_engine_folder())
    before = sorted(plugin.rglob("*"))
    code = (
        "import sys, json; sys.path.insert(0, sys.argv[1]); from bridge import client\n"
        "print(json.dumps(client.call('selftest', {'behaviour': 'echo', 'payload': sys.argv[1]})))"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-c", code, str(plugin)],
        env={**os.environ, "CRIMERISK_ENGINE": str(engine), "PYTHONPATH": ""},
        capture_output=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout) == {"payload": str(plugin)}
    assert sorted(plugin.rglob("*")) == before, "something was written into the plugin folder"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small disk ñ"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root may mount the small disk; the file-size limit is tested instead")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_a_sentence_and_leaves_nothing(small_disk: Path) -> None:
    target = small_disk / "out.tif"
    with pytest.raises(client.EngineError, match="The disk is full") as caught:
        selftest("fill", count=5_000_000, output=str(target))(outputs=[target])
    assert caught.value.type == "OutputError"
    assert list(small_disk.iterdir()) == []
    assert selftest("fill", count=500_000, output=str(target))(outputs=[target])


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process can only be set on Linux")
def test_a_file_size_limit_is_a_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    import resource

    works()
    resource.prlimit(pid_of(), resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
    target = tmp_path / "out.tif"
    with pytest.raises(client.EngineError, match="could not be written") as caught:
        selftest("fill", count=5_000_000, output=str(target))()
    assert caught.value.type == "OutputError"
    assert list(tmp_path.iterdir()) == []
    client.shutdown()


@posix
def test_when_qgis_is_killed_its_workers_end() -> None:
    code = (
        "from bridge import client\n"
        "client.call('selftest', {'behaviour': 'stubborn', 'seconds': 600},"
        " on_progress=lambda *_: print(client._WORKERS['batch']._process.pid, flush=True))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.kill()
    wait_for(lambda: not is_alive(pid))


def test_partial_names_agree_with_the_engine(tmp_path: Path) -> None:
    target = tmp_path / "risk.2019.tif"
    partial = artefacts.make_partial_name(target, 4711)
    others = [artefacts.make_partial_name(target, 471), tmp_path / "risk.2019.tif", tmp_path / ".risk.partial.tif"]
    for path in [partial, Path(f"{partial}.aux.xml"), *others]:
        path.touch()
    client.remove_partials([target, tmp_path / "absent folder" / "x"], 4711)
    assert sorted(tmp_path.iterdir()) == sorted(others)


def test_without_an_engine_the_menu_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRIMERISK_ENGINE", str(tmp_path / "none"))
    with pytest.raises(
        client.EngineMissing, match=r"is not installed in .*none: install it with Crime Risk ▸ Set up engine…"
    ):
        works()
    assert not (tmp_path / "none").exists()


@posix
def test_an_engine_that_cannot_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRIMERISK_ENGINE", str(tmp_path))
    python = environment.python_of_engine()
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\necho libfoo.so is gone >&2\nexit 3\n", "utf-8")
    python.chmod(0o755)
    engine_state.write_state(
        tmp_path, {"format": 1, "stage": "ready", "requirements": engine_state.compute_fingerprint()}
    )
    with pytest.raises(client.EngineError, match=r"did not start \(exit code 3\).*libfoo.so is gone.*Set up engine"):
        works()
    python.chmod(0o644)
    with pytest.raises(client.EngineMissing, match="cannot be started"):
        works()


#: An engine that answers every request with what its last argument, a file, holds; `{id}` is the request's number.
FAKE = """#!{python}
import json, sys
out = sys.stdout.buffer
out.write(b'welcome\\n' + b'{{"event": "ready"}}\\n')
out.flush()
for line in sys.stdin.buffer:
    request = json.loads(line)
    if "job" in request:
        answer = open({answer!r}, "rb").read().replace(b"NUMBER", str(request["id"]).encode())
        out.write(answer)
        out.flush()
        if {dies}:
            break
"""
NONSENSE = {
    "a list": b'[1, 2]\n{"id": NUMBER, "event": "result", "result": {}}\n',
    "a number": b"7\n",
    "null": b"null\n",
    "a text": b'"result"\n',
    "half a line, ended": b'{"id": NUMBER, "event": "res\n',
    "binary": bytes(range(128, 256)) * 10 + b"\n",
    "zeros": bytes(100) + b"\n",
    "an unknown event": b'{"id": NUMBER, "event": "riddle"}\n',
    "no event": b'{"id": NUMBER}\n',
    "an event that is a list": b'{"id": NUMBER, "event": ["result"]}\n',
    "no result": b'{"id": NUMBER, "event": "result"}\n',
    "a result that is a list": b'{"id": NUMBER, "event": "result", "result": [1]}\n',
    "an error that is a list": b'{"id": NUMBER, "event": "error", "error": [1]}\n',
    "progress without a value": b'{"id": NUMBER, "event": "progress", "text": "a"}\n',
    "progress in words": b'{"id": NUMBER, "event": "progress", "text": "a", "value": "half"}\n',
    "progress that is no number": b'{"id": NUMBER, "event": "progress", "text": "a", "value": NaN}\n',
    "a log of lists": b'{"id": NUMBER, "event": "log", "message": [], "level": "info"}\n',
    "too deep": b"[" * 200_000 + b"\n",
}


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """`fake(answer, dies)`: until the test ends, a program with such an answer is the engine."""
    with monkeypatch.context() as patch:

        def fake(answer: bytes, dies: bool = False) -> None:
            (tmp_path / "answer").write_bytes(answer)
            patch.setenv("CRIMERISK_ENGINE", str(tmp_path))
            python = environment.python_of_engine()
            python.parent.mkdir(parents=True, exist_ok=True)
            source = FAKE.format(python=sys.executable, answer=str(tmp_path / "answer"), dies=dies)
            python.write_text(source, "utf-8")
            python.chmod(0o755)
            state = {"format": 1, "stage": "ready", "requirements": engine_state.compute_fingerprint()}
            engine_state.write_state(tmp_path, state)

        yield fake


def is_sentence(error: client.EngineError) -> bool:
    text = str(error)
    return error.remedy in text and text.endswith(".") and text.isprintable() and "Traceback" not in text


@posix
@pytest.mark.parametrize("answer", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_is_a_sentence_and_the_next_call_has_an_engine(answer: bytes, fake: Callable[..., None]) -> None:
    fake(answer)
    busy = Busy(selftest("echo"))
    error = busy.wait()
    assert isinstance(error, client.EngineError), error
    assert "gave no answer that makes sense to 'selftest'" in str(error)
    assert is_sentence(error)
    assert not is_alive(pid_of())
    fake(b'{"id": NUMBER, "event": "result", "result": {"payload": "fine"}}\n')
    assert selftest("echo")() == {"payload": "fine"}


@posix
@pytest.mark.parametrize(
    "answer", [b"", b'{"id": NUMBER, "event": "res', b"\xff" * 1000], ids=["nothing", "half", "ff"]
)
def test_an_engine_that_ends_in_the_middle_of_a_line(answer: bytes, fake: Callable[..., None]) -> None:
    fake(answer, dies=True)
    error = Busy(selftest("echo")).wait()
    assert isinstance(error, client.EngineError), error
    assert is_sentence(error)
    assert not is_alive(pid_of())


@posix
def test_an_engine_that_talks_between_jobs_is_replaced(fake: Callable[..., None]) -> None:
    fake(b'{"id": NUMBER, "event": "result", "result": {"payload": 1}}\nwhat was it?\n')
    for _ in range(3):
        assert selftest("echo")() == {"payload": 1}
        process = client._WORKERS["batch"]._process
        assert process is not None
        wait_for(lambda process=process: not process.events.empty())


@posix
def test_a_refused_request_is_not_waited_for(fake: Callable[..., None]) -> None:
    fake(b'{"id": null, "event": "error", "error": {"message": "No request.", "value": [1]}}\n')
    error = Busy(selftest("echo")).wait()
    assert str(error) == "No request."


@posix
def test_a_result_without_what_is_asked_of_it_says_so(fake: Callable[..., None]) -> None:
    fake(b'{"id": NUMBER, "event": "result", "result": {"payload": 1}}\n')
    result = selftest("echo")()
    assert result.get("edges") is None
    with pytest.raises(client.EngineError, match="to 'selftest': its result has no 'edges'") as caught:
        result["edges"]
    assert is_sentence(caught.value)
