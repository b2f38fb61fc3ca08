"""The forecaster of docs/extending.md: applied to a copy of the checkout, it keeps what a forecaster promises."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from kit.extending import make_patched_copy
from kit.forecasters import CHECKS, QUICK_CHECKS


def test_the_forecaster_of_the_example_keeps_every_promise(tmp_path: Path) -> None:
    root = make_patched_copy("forecaster", tmp_path)
    tests = [f"tests/engine/forecasters/test_{name}.py" for name in ("forecasters", "page", "seasonal_share")]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:pytest_qgis", *tests, "-k", "seasonal_share or records"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root), *filter(None, sys.path)])},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert not done.returncode, done.stdout + done.stderr
    passed = int(done.stdout.rsplit(" passed", 1)[0].split()[-1])
    assert passed >= len({**CHECKS, **QUICK_CHECKS}), done.stdout
