"""A small simulated city through the jobs gives the figures it gave when they were frozen.

In five parts: figures; intervals, which change with the way they are drawn; names, which other programs read;
sentences, which may be put better; arrays, what lies in written files. A change on purpose is recorded with
tests/contracts/asking.py, which says by how much.
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
CASES = {case["name"]: case for case in ASKING.cases("figures")}


@pytest.fixture(scope="module")
def kept() -> dict[str, Any]:
    return ASKING.kept("figures")


@pytest.fixture(scope="module")
def today(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return ASKING.answers("figures", tmp_path_factory.mktemp("frozen figures"))


def test_everything_kept_is_asked(kept: dict[str, Any]) -> None:
    assert set(CASES) == set(kept)
    assert sum(len(told["figures"]) for told in kept.values()) > 1000
    assert sum(len(told["intervals"]) for told in kept.values()) > 100


@pytest.mark.parametrize("part", ASKING.PARTS)
@pytest.mark.parametrize("name", CASES)
def test_it_gives_what_it_gave(name: str, part: str, kept: dict[str, Any], today: dict[str, Any]) -> None:
    if isinstance(today[name], Exception):
        raise today[name]
    assert ASKING.unlike(CASES[name], part, kept[name], today[name]) == {}
