"""What scripts and servers were told of the jobs stays true: names of jobs and parameters, defaults, limits."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

CONTRACTS = Path(__file__).resolve().parents[1] / "contracts"


def contracts() -> Any:
    """The module that makes and reads the snapshots; a folder of tests is no package."""
    spec = importlib.util.spec_from_file_location("published_contracts", CONTRACTS / "snapshot.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def published() -> dict[str, Any]:
    return contracts().read("jobs")


@pytest.fixture(scope="module")
def today() -> dict[str, Any]:
    return contracts().jobs()


def test_there_is_something_to_check(published: dict[str, Any]) -> None:
    assert len(published) >= 22
    assert sum(len(parameters) for parameters in published.values()) > 150


def test_every_published_job_and_parameter_is_still_there(published: dict[str, Any], today: dict[str, Any]) -> None:
    assert not set(published) - set(today)
    gone = {name: lost for name, parameters in published.items() if (lost := set(parameters) - set(today[name]))}
    assert not gone


def test_what_was_published_changes_only_where_it_is_settled(published: dict[str, Any], today: dict[str, Any]) -> None:
    """Defaults, limits, choices and types; a parameter that has become required would break every earlier call."""
    found = {place: (before, now) for place, before, now in contracts().differences(published, today)}
    assert found == contracts().settled("jobs")


def test_nothing_new_is_required(published: dict[str, Any], today: dict[str, Any]) -> None:
    """A call that was whole before is whole today."""
    needed = {
        (job, name)
        for job, parameters in published.items()
        for name, each in today[job].items()
        if each["required"] and not parameters.get(name, {}).get("required")
    }
    assert not needed
