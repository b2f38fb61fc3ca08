"""Files that 0.2.0 and 0.3.0 wrote are read, and mean what they meant: same forecasts, scores, classes and figures.

The files and what is asked of them are in tests/contracts; only jobs are used, so this holds whatever moves.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

CONTRACTS = Path(__file__).resolve().parents[1] / "contracts"


def contracts() -> Any:
    """The module that asks; a folder of tests is no package."""
    spec = importlib.util.spec_from_file_location("frozen_asking", CONTRACTS / "asking.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ASKING = contracts()
CASES = {case["name"]: case for case in ASKING.cases("files")}


@pytest.fixture(scope="module")
def kept() -> dict[str, Any]:
    return ASKING.kept("files")


@pytest.fixture(scope="module")
def today(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return ASKING.answers("files", tmp_path_factory.mktemp("published files"))


def test_everything_kept_is_asked(kept: dict[str, Any]) -> None:
    assert set(CASES) == set(kept)
    models = {path.stem for path in (CONTRACTS / "files").glob("*/*.crimemodel")}
    assert {"ensemble", "convlstm", "sftt_extras"} <= models
    assert {f"forecast 0.3.0 {name}" for name in models} <= set(kept)


@pytest.mark.parametrize("part", ASKING.PARTS)
@pytest.mark.parametrize("name", CASES)
def test_it_means_what_it_meant(name: str, part: str, kept: dict[str, Any], today: dict[str, Any]) -> None:
    if isinstance(today[name], Exception):
        raise today[name]
    assert ASKING.unlike(CASES[name], part, kept[name], today[name]) == {}
