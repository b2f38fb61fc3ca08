"""What every tool of routes begins with: incidents and streets in one CRS."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kit.contexts import Recorder
from kit.streets import write_streets

from riskengine.contract.tools.saferoutes import SafeRoutes
from riskengine.jobs.models import model_of
from riskengine.systems.routes.opening import open_streets

LINES = ["500000 4350000, 500100 4350000", "500100 4350000, 500100 4350200"]


@pytest.fixture
def streets(tmp_path: Path) -> str:
    return write_streets(tmp_path / "streets.gpkg", LINES, "EPSG:32618")


@pytest.fixture
def incidents(tmp_path: Path) -> str:
    path = tmp_path / "incidents.npz"
    seconds = np.array([1_700_000_000, 1_700_086_400, np.iinfo(np.int64).min])
    np.savez(path, x=np.full(3, 500_050.0), y=np.full(3, 4_350_000.0), fid=np.arange(3), time=seconds)
    return str(path)


def test_with_incidents_the_streets_are_in_their_crs(streets: str, incidents: str) -> None:
    asked = model_of(SafeRoutes)(network=streets, incidents=incidents, crs="EPSG:26918")
    opened = open_streets(asked, Recorder())
    assert opened.network.crs == opened.streets.crs == "EPSG:26918"
    assert opened.incidents is not None
    assert len(opened.incidents) == 2
    assert len(opened.refusals) == 1


def test_without_incidents_a_crs_in_degrees_is_not_taken(streets: str) -> None:
    asked = model_of(SafeRoutes)(network=streets, risk="risk.tif", crs="EPSG:4326")
    opened = open_streets(asked, Recorder())
    assert (opened.incidents, opened.refusals) == (None, [])
    assert opened.network.crs == "EPSG:32618"
    assert opened.network.edges == 2


def test_progress_never_goes_back(streets: str, incidents: str) -> None:
    context = Recorder()
    open_streets(model_of(SafeRoutes)(network=streets, incidents=incidents, crs="EPSG:26918"), context)
    assert context.texts[0] == "Reading the incidents"
    assert context.shares == sorted(context.shares)
