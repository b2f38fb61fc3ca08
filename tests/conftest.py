"""What every layer of tests shares."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# What fails in the kit shows its values, as a test's own asserts do.
pytest.register_assert_rewrite("kit")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of real crime data; skips where it is absent."""
    folder = Path(os.environ.get("CRIMERISK_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no real crime data at {folder}; set CRIMERISK_DATA to run this test on it")
    return folder
