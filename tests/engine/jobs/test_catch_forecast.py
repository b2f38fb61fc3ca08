"""From counts to the places to go to: training for the catch, its model file, forecasts of a window as a whole."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import rasterio
import shapely
from kit.contexts import Recorder
from kit.maps import make_stack, write_stack
from kit.panels import make_panel, make_row, write_counts

from riskengine.forecasters.modelfile import load_model
from riskengine.ground.context import JobContext
from riskengine.ground.errors import DataError, ParameterError
from riskengine.jobs import run_job
from riskengine.maps.grid import Grid
from riskengine.maps.heatmaps import Heatmaps
from riskengine.maps.panel import Panel

#: An address that repeats, and the row and column of its cell, from 0.
HOT = (3, 5)
GRID = Grid(486000.0, 2150000.0, 100.0, 10, 8, "EPSG:32614")


def make_city(weeks: int = 60, seed: int = 4) -> Heatmaps:
    """Weekly counts on 8 × 10 cells of 100 m: an address with two a week, and little elsewhere; a corner outside."""
    random = np.random.default_rng(seed)
    counts = random.poisson(np.random.default_rng(9).gamma(0.3, 0.1, (8, 10)), (weeks, 8, 10))
    counts[:, HOT[0], HOT[1]] = 2
    mask = np.ones((8, 10), dtype=bool)
    mask[0, :4] = False
    return make_stack(np.where(mask, counts, 0).astype(np.uint8), mask, bin="1 weeks", grid=GRID)


def make_county(months: int = 48, areas: int = 20, delay: int = 0) -> Panel:
    random = np.random.default_rng(3)
    counts = random.poisson(random.gamma(1.5, 0.6, areas), (months, areas)).astype(np.uint8)
    ids = [f"E{number:03d}" for number in range(areas)]
    return make_panel(counts, ids, make_row(random.uniform(400, 2500, areas)), delay=delay)


def train(folder: Path, counts: str, context: JobContext | None = None, **more: Any) -> dict[str, Any]:
    """Train prior counts, whose forecasts are known by heart, for the catch."""
    given = {"aim": "catch", "kind": "prior_counts", "settings": {"shrinkage": 0}, **more}
    parameters = {"heatmaps": counts, "model_output": str(folder / "a.crimemodel"), **given}
    return run_job("train_forecast", parameters, context or JobContext())


def forecast(folder: Path, counts: str, context: JobContext | None = None, **more: Any) -> dict[str, Any]:
    results = (
        {"output": str(folder / "risk.tif")}
        if counts.endswith(".tif")
        else {
            "by_area": str(folder / "areas.gpkg"),
            "top": str(folder / "top.gpkg"),
        }
    )
    results["places"] = str(folder / "places.gpkg")
    parameters = {"model": str(folder / "a.crimemodel"), "heatmaps": counts, **results, **more}
    return run_job("forecast", parameters, context or JobContext())


def read_rows(path: Path) -> dict[str, list[Any]]:
    meta, _, shapes, columns = pyogrio.raw.read(path)
    made = {
        name: column.astype("datetime64[D]").astype(str).tolist() if column.dtype.kind == "M" else column.tolist()
        for name, column in zip(meta["fields"], columns, strict=True)
    }
    return made | {"geometry": shapely.from_wkb(shapes)}


def test_the_chain_on_a_grid_with_numbers_known_by_hand(tmp_path: Path) -> None:
    city = make_city()
    stack = write_stack(tmp_path / "h.tif", city)
    said = Recorder()
    trained = train(tmp_path, stack, said, catch_size=5, catch_unit="units", horizon=4)
    json.dumps(trained, allow_nan=False)
    # A fifth of 60 weeks are 12, three windows of 4.
    assert trained["held_out_bins"] == 12
    assert trained["metrics"]["prior_counts"]["caught"]["windows"] == 3
    made_for = "the catch of 5 cells (0.05 km², 6.58 % of the area) in each window of 4 weeks as a whole"
    assert f"The model is made for {made_for}." in said.messages
    card = load_model(trained["model"])[1]
    assert card.catch == {"size": 5.0, "unit": "units", "window": 4}

    said = Recorder()
    made = forecast(tmp_path, stack, said)
    json.dumps(made, allow_nan=False)
    assert made["edges"] == ["2025-02-24T00:00:00", "2025-03-24T00:00:00"]
    assert f"The forecast is for {made_for}." in said.messages
    assert "Forecast for Mon 24 Feb – Sun 23 Mar 2025 as a whole. 5 cells (0.0500 km²" in made["card"]
    assert " are expected to hold 14.0 of 21.1 incidents, 66.5\xa0%. " in made["card"]
    assert "Tried on 3 windows of 4 weeks held out: the 5 cells chosen for each window of 4 weeks" in made["card"]
    rows = read_rows(tmp_path / "places.gpkg")
    assert rows["rank"] == [1, 2, 3, 4, 5]
    # The address leads, and its cell is where it was counted; rows and columns are counted from 1.
    assert rows["id"][0] == "r4c6"
    assert rows["geometry"][0].equals(shapely.box(486500.0, 2149600.0, 486600.0, 2149700.0))
    assert rows["before"][0] == 120
    total = city.counts.sum(axis=0)
    before = sorted(total.ravel().tolist(), reverse=True)[:5]
    assert rows["before"] == before
    assert set(rows["start"]) == {"2025-02-24"}
    assert set(rows["end"]) == {"2025-03-24"}
    assert rows["expected"] == sorted(rows["expected"], reverse=True)
    assert rows["km2"] == pytest.approx([0.01] * 5)
    assert rows["share"] == pytest.approx(np.arange(1, 6) / 76)
    with rasterio.open(tmp_path / "risk.tif") as risk:
        values, tags = risk.read(), risk.tags()
        band = risk.tags(1)
    assert len(values) == 1
    assert (tags["CRIMERISK_BIN"], tags["CRIMERISK_CATCH"]) == ("4 weeks", "5 units")
    assert (band["CRIMERISK_START"], band["CRIMERISK_END"]) == ("2025-02-24T00:00:00", "2025-03-24T00:00:00")
    assert values[0][HOT] == pytest.approx(1 - np.exp(-rows["expected"][0]), abs=1e-6)
    expected = -np.log1p(-values[0][city.mask].astype(np.float64))
    shares = np.cumsum(rows["expected"]) / expected.sum()
    assert rows["expected_share"] == pytest.approx(shares, rel=1e-3)


def test_the_default_for_the_catch_is_the_ensemble_for_it(tmp_path: Path) -> None:
    stack = write_stack(tmp_path / "h.tif", make_city())
    said = Recorder()
    trained = train(tmp_path, stack, said, kind="ensemble", settings={}, horizon=4, refit=False)
    assert (trained["kind"], trained["title"]) == ("catch", "Ensemble for the catch")
    assert "With the catch the kind Ensemble is Ensemble for the catch." in said.messages
    model, card = load_model(trained["model"])
    assert card.name == "catch"
    # 5 % of the area by default.
    assert (model.window, model.flagged) == (4, 0.05)
    forecast(tmp_path, stack)
    rows = read_rows(tmp_path / "places.gpkg")
    assert rows["id"][0] == "r4c6"
    assert len(rows["id"]) == 3
    # Asked for probabilities, it is refused the settings that only another ensemble has.
    with pytest.raises(ParameterError, match="Ensemble for the catch has no setting 'share'"):
        train(tmp_path, stack, kind="ensemble", settings={"share": 0.3})


def test_share_and_square_kilometres_and_cells_agree(tmp_path: Path) -> None:
    stack = write_stack(tmp_path / "h.tif", make_city())
    train(tmp_path, stack, horizon=4, held_out=0)
    found = []
    for size, unit in ((10, "units"), (0.1, "km2"), (0.109, "km2"), (100 * 10 / 76, "share")):
        forecast(tmp_path, stack, catch_size=size, catch_unit=unit)
        found.append(read_rows(tmp_path / "places.gpkg")["id"])
    assert [len(ids) for ids in found] == [10] * 4
    assert found[1:] == [found[0]] * 3
    # Less than a cell is one.
    forecast(tmp_path, stack, catch_size=0.001, catch_unit="km2")
    assert read_rows(tmp_path / "places.gpkg")["id"] == found[0][:1]


def test_areas_are_chosen_whole_and_rank_as_their_table_does(tmp_path: Path) -> None:
    county = make_county()
    panel = write_counts(tmp_path / "c.gpkg", county)
    size = county.support.measure_km()
    train(tmp_path, panel, catch_size=30, horizon=3)
    made = forecast(tmp_path, panel)
    rows, places = read_rows(tmp_path / "areas.gpkg"), read_rows(tmp_path / "places.gpkg")
    assert made["edges"] == ["2024-01-01T00:00:00", "2024-04-01T00:00:00"]
    assert len(rows["id"]) == 20
    # A quarter holds three times what a month does, and ranks are those of the places.
    monthly = county.counts.mean(axis=0)
    assert rows["expected"] == pytest.approx(3 * monthly, rel=0.03)
    assert rows["change"] == pytest.approx(np.array(rows["expected"]) - 3 * county.counts[-12:].mean(axis=0), abs=1e-4)
    assert (np.array(rows["low"]) <= rows["expected"]).all()
    assert (np.array(rows["high"]) > rows["expected"]).all()
    assert rows["risk"] == pytest.approx(1 - np.exp(-np.array(rows["expected"])), abs=1e-5)
    order = np.argsort(rows["rank"])
    assert places["id"] == [rows["id"][each] for each in order[: len(places["id"])]]
    assert places["name"] == places["id"]
    assert shapely.equals(places["geometry"], rows["geometry"][order[: len(places["id"])]]).all()
    # As many whole areas as fit in the share, and one more would not.
    used = np.cumsum(size[order])
    assert places["share"] == pytest.approx((used / size.sum())[: len(places["id"])])
    assert places["share"][-1] <= 0.3 < (used / size.sum())[len(places["id"])]
    assert places["expected_share"] == pytest.approx(np.cumsum(places["expected"]) / np.sum(rows["expected"]), rel=1e-5)
    assert "Areas rank by expected incidents per km²" in made["card"]
    assert "the mean count per window of the last year" in made["card"]
    # So many areas are those with the most expected, however large they are.
    made = forecast(tmp_path, panel, catch_size=4, catch_unit="units")
    places, rows = read_rows(tmp_path / "places.gpkg"), read_rows(tmp_path / "areas.gpkg")
    assert places["id"] == [rows["id"][each] for each in np.argsort(-np.array(rows["expected"]), kind="stable")[:4]]
    assert [rows["rank"][rows["id"].index(each)] for each in places["id"]] == [1, 2, 3, 4]
    assert "Areas rank by expected incidents. " in made["card"]


def test_counts_known_late_begin_the_window_when_they_are_known(tmp_path: Path) -> None:
    county = make_county(delay=2)
    panel = write_counts(tmp_path / "c.gpkg", county)
    said = Recorder()
    trained = train(tmp_path, panel, said, horizon=3, held_out=0.25)
    assert trained["held_out_bins"] == 12
    assert "Fitting Prior counts on 34 months" in said.texts
    made = forecast(tmp_path, panel)
    assert made["edges"] == ["2024-03-01T00:00:00", "2024-06-01T00:00:00"]
    assert made["tags"]["CRIMERISK_DELAY"] == "2"


@pytest.mark.parametrize("delay", [0, 3])
def test_nothing_after_the_origin_is_read(delay: int, tmp_path: Path) -> None:
    """Other counts in the held-out weeks change what is caught, never what was learned or chosen before them."""
    city = make_city()
    changed = city.counts.copy()
    changed[48:] = np.where(city.mask, 1 + changed[48:][:, ::-1, ::-1], 0)
    found = []
    for number, counts in enumerate((city.counts, changed)):
        stack = write_stack(tmp_path / f"{number}.tif", replace(city, counts=counts))
        given = {"kind": "ensemble", "settings": {}, "refit": False, "delay": delay, "horizon": 4}
        trained = train(tmp_path, stack, **given)
        assert trained["trained_until"] == str(city.edges[48 - delay])
        known = write_stack(tmp_path / "known.tif", city.before(48 - delay))
        forecast(tmp_path, known)
        model = load_model(tmp_path / "a.crimemodel")[0]
        places = read_rows(tmp_path / "places.gpkg")
        kept = {name: values.tolist() for name, values in model.state().items()}
        found.append((places["id"], places["expected"], kept, trained["metrics"]["catch"]["caught"]["caught"]))
    assert found[0][0] == found[1][0]
    assert found[0][1] == found[1][1]
    # All that was learned, and not only what it says of the places that were chosen.
    assert len(found[0][2]) > 2
    assert found[0][2] == found[1][2]
    assert found[0][3] != found[1][3]


def test_a_window_that_is_too_long_is_refused(tmp_path: Path) -> None:
    stack = write_stack(tmp_path / "h.tif", make_city(20))
    with pytest.raises(
        DataError,
        match=r"horizon is 13: .* 13 weeks cannot be held out.* hold 20 maps.*At most 10 maps can be one window here",
    ):
        train(tmp_path, stack, horizon=13)
    assert not (tmp_path / "a.crimemodel").exists()
    # Ten of twenty are held out, though a fifth was asked for; nothing held out needs no room.
    assert train(tmp_path, stack, horizon=10)["held_out_bins"] == 10
    assert train(tmp_path, stack, horizon=13, held_out=0)["held_out_bins"] == 0
    with pytest.raises(ParameterError, match=r"catch_size is 5, but the whole study area is only 0\.76 km²\. "):
        train(tmp_path, stack, catch_size=5, catch_unit="km2")


def test_any_model_can_be_asked_for_the_catch(tmp_path: Path) -> None:
    """One that was made for probabilities, as every file of older versions was."""
    stack = write_stack(tmp_path / "h.tif", make_city())
    train(tmp_path, stack, aim="probabilities", kind="kde", settings={})
    card = load_model(tmp_path / "a.crimemodel")[1]
    assert (card.format, card.catch) == (2, None)
    said = Recorder()
    made = forecast(tmp_path, stack, said, aim="catch", catch_size=6, catch_unit="units", steps=4)
    assert made["catch"] == {"size": 6.0, "unit": "units", "window": 4}
    assert len(read_rows(tmp_path / "places.gpkg")["id"]) == 6
    assert any("was made for probabilities of each map, which are added up" in text for text in said.messages)
    # As it was made it gives probabilities, a map for each step, and no places.
    (tmp_path / "places.gpkg").unlink()
    said = Recorder()
    made = forecast(tmp_path, stack, said, steps=2)
    assert (len(made["edges"]), made["places"], made["aim"]) == (3, None, "probabilities")
    assert not (tmp_path / "places.gpkg").exists()
    assert any("Probabilities choose no places to go to" in text for text in said.messages)
    with pytest.raises(ParameterError, match=r"places is .*, but the model was made for probabilities"):
        forecast(tmp_path, stack, output=None)
    with pytest.raises(ParameterError, match=r"catch_size is 5\.0, but the model was made for probabilities"):
        forecast(tmp_path, stack, catch_size=5, catch_unit="share")


def test_a_model_for_the_catch_can_be_asked_for_something_else(tmp_path: Path) -> None:
    stack = write_stack(tmp_path / "h.tif", make_city())
    train(tmp_path, stack, horizon=4)
    own = "the catch of 3 cells (0.03 km², 3.95 % of the area) in each window of 4 weeks as a whole"
    said = Recorder()
    made = forecast(tmp_path, stack, said, aim="probabilities", steps=3, places=None)
    assert len(made["edges"]) == 4
    begin = f"The model was made for {own}; what it says here is how likely it is in each map"
    assert any(text.startswith(begin) for text in said.messages)
    with rasterio.open(tmp_path / "risk.tif") as risk:
        assert risk.count == 3
        assert risk.tags()["CRIMERISK_BIN"] == "1 weeks"
        assert "CRIMERISK_CATCH" not in risk.tags()
    said = Recorder()
    made = forecast(tmp_path, stack, said, steps=1, catch_size=2, catch_unit="units")
    assert made["edges"] == ["2025-02-24T00:00:00", "2025-03-03T00:00:00"]
    asked = "the catch of 2 cells (0.02 km², 2.63 % of the area) in each week as a whole"
    assert f"The forecast is for {asked}." in said.messages
    assert f"The model was made, and judged, for {own}." in said.messages


def test_probabilities_of_too_many_cells_are_refused_and_the_catch_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = write_stack(tmp_path / "h.tif", make_city())
    monkeypatch.setattr("riskengine.systems.hotspots.aims.MAX_CELLS", 4000)
    assert train(tmp_path, stack)["held_out_bins"] == 12
    assert forecast(tmp_path, stack)["aim"] == "catch"
    sentence = (
        r"^The hotspot grids hold 4,800 cells in 60 maps: of more than 4,000 only the catch can be asked\. Choose the"
        r" catch as the aim of a forecast, or larger cells or longer time bins\.$"
    )
    with pytest.raises(DataError, match=sentence) as refused:
        train(tmp_path, stack, aim="probabilities")
    assert (refused.value.parameter, refused.value.value) == ("heatmaps", "4800")
    with pytest.raises(DataError, match=sentence):
        forecast(tmp_path, stack, aim="probabilities", places=None)
    with pytest.raises(DataError, match=sentence):
        run_job("backtest", {"heatmaps": stack, "models": ["recent_counts"]}, JobContext())
    with pytest.raises(DataError, match=sentence):
        run_job("convlstm", {"heatmaps": stack, "output": str(tmp_path / "o.tif")}, JobContext())
    # As many counts of areas are read as ever.
    months = write_counts(tmp_path / "c.gpkg", make_county(240))
    assert train(tmp_path, months, aim="probabilities")["maps"] == 240


def test_a_threshold_has_no_catch(tmp_path: Path) -> None:
    stack = write_stack(tmp_path / "h.tif", make_city())
    with pytest.raises(ParameterError, match="threshold is 2, but a catch counts every incident"):
        train(tmp_path, stack, threshold=2)
