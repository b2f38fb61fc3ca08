"""The published study on four boroughs of London: the leaks are there, and the controls show them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from kit.incidents import make_incidents
from rasterio.warp import transform

from riskengine.maps.areas import make_areas
from riskengine.systems.areas.inputs import Inputs, make_inputs
from riskengine.systems.areas.ladder import CHANGES, run_rates, run_rule
from riskengine.systems.areas.protocol import Protocol
from riskengine.systems.areas.switches import PUBLISHED

_BOROUGHS = ["Camden", "Islington", "Hackney", "Haringey"]
_DOMAINS = ["Income", "Employment", "Education", "Health", "Crime", "Barriers", "Living Environment"]
_TREES = 100


@pytest.fixture(scope="module")
def boroughs(data_folder: Path) -> Inputs:
    """Burglaries of the last nineteen months in the LSOAs that the police name, with deprivation."""
    folder = data_folder / "london"
    shapes = folder / "geo" / "LSOA_2011_London_gen_MHW.shp"
    if not shapes.exists():
        pytest.skip(f"there is no {shapes}")
    head, _, geometry, columns = pyogrio.raw.read(shapes, columns=["LSOA11CD", "LAD11NM"])
    field = {name: values.astype(str) for name, values in zip(head["fields"], columns, strict=True)}
    kept = np.isin(field["LAD11NM"], _BOROUGHS)
    areas, _ = make_areas(field["LSOA11CD"][kept].tolist(), shapely.from_wkb(geometry[kept]), "EPSG:27700")
    table = pd.read_csv(folder / "burglary_2019-01_2022-04.csv")
    table = table[(table["Month"] >= "2020-10") & table["Longitude"].notna()]
    number = pd.Index(areas.ids).get_indexer(pd.Index(table["LSOA code"]))
    table, number = table[number >= 0], number[number >= 0]
    x, y = transform("EPSG:4326", "EPSG:27700", table["Longitude"].tolist(), table["Latitude"].tolist())
    scores = pd.read_csv(folder / "iod2019_domain_scores_lsoa11.csv").set_index("LSOACD")
    months = pd.to_datetime(table["Month"]).to_numpy()
    return make_inputs(
        make_incidents(x, y, months), number, areas, scores.loc[list(areas.ids), _DOMAINS].to_numpy(), _DOMAINS
    )


def test_what_the_published_figures_rest_on(boroughs: Inputs) -> None:
    tests = np.array([len(boroughs.months) - 1])
    published, random, closed = (
        Protocol(boroughs, switches, 0).run("forest", tests, _TREES)
        for switches in (PUBLISHED, CHANGES["random"], CHANGES["closed"])
    )
    assert published.mean("auc") > 0.82
    # Numbers that say nothing do nearly as well, and a rule without learning does better.
    assert random.mean("auc") > 0.8
    assert run_rule(boroughs, tests, 0).mean("auc") > 0.9
    assert closed.mean("auc") < published.mean("auc") - 0.1
    # Asked about all cells, plain rates win.
    assert run_rates(boroughs, tests).mean("cells_auc") > published.mean("cells_auc") + 0.05
