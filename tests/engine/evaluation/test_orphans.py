"""Processes of a backtest end with the one that started them, however that ends, and leave nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kit.maps import make_stack
from kit.waiting import is_alive, wait_for

from riskengine.maps.heatmaps import write_heatmaps

np = pytest.importorskip("numpy")
ROOT = Path(__file__).resolve().parents[3]
#: Seconds that a busy machine may take for what takes one.
PATIENCE = 240
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture
def given(tmp_path: Path) -> dict[str, Any]:
    """Parameters of a backtest that takes far longer than the test."""
    heatmaps = make_stack(np.random.default_rng(0).poisson(0.3, (200, 12, 12)).astype(np.uint8))
    write_heatmaps(tmp_path / "grids.tif", heatmaps)
    return {"heatmaps": str(tmp_path / "grids.tif"), "models": ["boosting"], "refit": 1, "workers": 2}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the processes leave what they exchange."""
    (tmp_path / "exchange").mkdir()
    return tmp_path / "exchange"


def list_descendants(pid: int) -> set[int]:
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue
    found, more = set(), {pid}
    while more := {each for each, parent in parents.items() if parent in more} - found:
        found |= more
    return found


def list_pool(pid: int) -> list[int]:
    """Those of a process's children that run folds, or are about to."""
    found = []
    for each in list_descendants(pid):
        try:
            if b"spawn_main" in Path(f"/proc/{each}/cmdline").read_bytes():
                found.append(each)
        except OSError:
            continue
    return found


@pytest.fixture
def ended() -> Iterator[set[int]]:
    """Processes that must be gone; any that is not is ended here."""
    pids: set[int] = set()
    yield pids
    for pid in filter(is_alive, pids):
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("moment", ["starting", "working"])
def test_a_killed_run_leaves_no_process(
    moment: str, given: dict[str, Any], folder: Path, tmp_path: Path, ended: set[int]
) -> None:
    (tmp_path / "params.json").write_text(json.dumps(given), "utf-8")
    said = tmp_path / "said"
    with (
        said.open("wb") as sink,
        subprocess.Popen(
            [sys.executable, "-m", "riskengine", "run", "backtest", "--params", str(tmp_path / "params.json")],
            env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)},
            stdout=subprocess.DEVNULL,
            stderr=sink,
            start_new_session=True,
        ) as process,
    ):
        wait_for(lambda: len(list_pool(process.pid)) == 2, PATIENCE)
        if moment == "working":
            wait_for(lambda: any("Boosting: " in line for line in said.read_text().splitlines()[-1:]), PATIENCE)
            wait_for(lambda: list(folder.glob("*/risk*.npy")) or process.poll() is not None, PATIENCE)
        ended |= list_descendants(process.pid)
        assert len(ended) >= 2
        # The process alone, not its group: as the system does where memory runs out.
        process.kill()
    wait_for(lambda: not any(is_alive(pid) for pid in ended), PATIENCE)
    wait_for(lambda: not list(folder.iterdir()), PATIENCE)


def test_a_killed_worker_costs_a_sentence_and_leaves_no_process(
    given: dict[str, Any], folder: Path, ended: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    from bridge import client, environment

    if not os.environ.get("CRIMERISK_ENGINE"):
        monkeypatch.setenv("CRIMERISK_ENGINE", str(ROOT / ".engine"))
    if not environment.read_status().ready:
        pytest.skip("no engine")
    client.shutdown()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)

    def kill(share: float, text: str) -> None:
        process = client._WORKERS["batch"]._process
        assert process is not None
        if not ended and len(list_pool(process.pid)) == 2:
            ended.update(list_descendants(process.pid))
            os.kill(process.pid, signal.SIGKILL)

    with pytest.raises(client.EngineError) as caught:
        client.call("backtest", given, on_progress=kill)
    assert caught.value.type == "EngineDied"
    text = str(caught.value)
    assert "ran out of memory" in text
    assert "last words" not in text, text
    assert len(ended) >= 2
    wait_for(lambda: not any(is_alive(pid) for pid in ended), PATIENCE)
    wait_for(lambda: not list(folder.iterdir()), PATIENCE)
    assert client.call("selftest", {"behaviour": "echo", "payload": 1}) == {"payload": 1}
    client.shutdown()
