"""The examples of docs/extending.md, applied to a copy of the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs" / "extending"


def make_patched_copy(example: str, folder: Path) -> Path:
    """Copy the checkout, uncommitted changes included, and apply an example to the copy; skips without git.

    Parameters
    ----------
    example : str
        Name of a patch in docs/extending, without its suffix.
    folder : Path
        Empty; the copy is made in it.

    Returns
    -------
    Path
        The root of the copy.
    """
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout, or git is not installed: an example is a patch to one")
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target)
    # Within a checkout git would apply a patch to that one, or to nothing.
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(folder.parent)}
    command = ["git", "apply", "--verbose", str(EXAMPLES / f"{example}.patch")]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment, check=False)
    assert not done.returncode, f"{done.stderr}\nRenew the example as docs/extending.md says, under 'The examples'."
    return folder
