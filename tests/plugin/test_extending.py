"""The tool of docs/extending.md: applied to a copy of the checkout, it keeps what a tool promises."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from kit.extending import make_patched_copy


def run_pytest(python: str, root: Path, *arguments: str) -> int:
    """Run tests of a copy of the checkout; how many passed, when all did."""
    done = subprocess.run(
        [python, "-m", "pytest", "-q", *arguments],
        cwd=root,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(root), *filter(None, os.environ["PYTHONPATH"].split(os.pathsep))]),
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert not done.returncode, done.stdout + done.stderr
    return int(done.stdout.rsplit(" passed", 1)[0].split()[-1])


def test_the_tool_of_the_example_keeps_every_promise(engine: Any, tmp_path: Path) -> None:
    from crime_risk.bridge import environment

    root = make_patched_copy("tool", tmp_path)
    assert run_pytest(sys.executable, root, "tests/plugin/test_tools.py", "-k", "repeatplaces") == 3
    python = str(environment.python_of_engine())
    tests = ("tests/engine/jobs/test_repeat_places.py", "tests/engine/test_tools_page.py")
    assert run_pytest(python, root, "-p", "no:pytest_qgis", *tests) >= 4
