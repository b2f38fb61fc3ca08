"""From counts by area to a forecast of every area: training, model file, delays, the tables that come out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely
from kit.contexts import Recorder
from kit.maps import make_stack, write_stack
from kit.panels import make_panel, make_row, write_counts
from kit.tables import read_table

from riskengine.forecasters.modelfile import load_model
from riskengine.ground.context import JobContext
from riskengine.ground.errors import DataError, ParameterError
from riskengine.jobs import run_job
from riskengine.maps.panel import Panel
from riskengine.maps.segments import Segments

#: 5 km², 1 km² and 0.25 km².
SHAPES = make_row([5000.0, 1000.0, 250.0])
#: The mean count of each month is known by heart.
EXACT = {"kind": "prior_counts", "settings": {"shrinkage": 0}}


def make_town() -> Panel:
    """Two years: 2 a month in the large area, 1 a month in the second year of the middle one, 1 every other month in
    the small one."""
    month = np.arange(24)
    counts = np.stack([np.full(24, 2), month >= 12, month % 2], axis=1).astype(np.uint8)
    return make_panel(counts, ["large", "middle", "small"], SHAPES, categories=["Burglary"], source="burglaries")


def make_city(months: int = 48, areas: int = 30, delay: int = 0) -> Panel:
    random = np.random.default_rng(3)
    counts = random.poisson(random.gamma(1.5, 0.6, areas), (months, areas)).astype(np.uint8)
    ids = [f"E{number:03d}" for number in range(areas)]
    return make_panel(counts, ids, make_row(random.uniform(400, 2500, areas)), delay=delay)


def train(folder: Path, panel: str, context: JobContext | None = None, **more: Any) -> dict[str, Any]:
    parameters = {"heatmaps": panel, "model_output": str(folder / "a.crimemodel"), **EXACT, **more}
    return run_job("train_forecast", parameters, context or JobContext())


def forecast(folder: Path, panel: str, context: JobContext | None = None, **more: Any) -> dict[str, Any]:
    results = {"by_area": str(folder / "areas.gpkg"), "top": str(folder / "top.gpkg")}
    parameters = {"model": str(folder / "a.crimemodel"), "heatmaps": panel, **results, **more}
    return run_job("forecast", parameters, context or JobContext())


def read_areas(path: Path) -> dict[str, list[Any]]:
    meta, _, shapes, columns = pyogrio.raw.read(path)
    made = {
        name: column.astype("datetime64[D]").astype(str).tolist() if column.dtype.kind == "M" else column.tolist()
        for name, column in zip(meta["fields"], columns, strict=True)
    }
    return made | {"geometry": shapely.from_wkb(shapes)}


def test_the_chain_with_numbers_known_by_hand(tmp_path: Path) -> None:
    panel = write_counts(tmp_path / "counts.gpkg", make_town())
    context = Recorder()
    trained = train(tmp_path, panel, context, held_out=0.25)
    json.dumps(trained, allow_nan=False)
    assert "Fitting Prior counts on 18 months" in context.texts
    assert (trained["held_out_bins"], trained["maps"], trained["trained_until"]) == (6, 24, "2022-01-01T00:00:00")
    assert (
        "The figures are those of a model that knew no held-out month; now it is fitted on all months."
    ) in context.messages
    said = Recorder()
    made = forecast(tmp_path, panel, said, steps=2)
    json.dumps(made, allow_nan=False)
    assert made["edges"] == ["2022-01-01T00:00:00", "2022-02-01T00:00:00", "2022-03-01T00:00:00"]
    assert made["origin"] == "2022-01-01T00:00:00"
    assert made["counted_text"] == "n = 72 incidents in 3 areas and 24 months, Jan 2020 – Dec 2021"
    assert made["card"].startswith(
        "Forecast for Jan – Feb 2022 (3 areas, 2 months). Model: Prior counts, trained on counts up to Dec 2021. On 6"
        " held-out months: "
    )
    assert "Prior counts, over 6 test months: " in trained["verdict"]
    # Flagged: the small one and a sixteenth of what else is densest, together 5 % of 6.25 km².
    assert "5\N{NO-BREAK SPACE}% of" in made["card"]
    assert " cells" not in made["card"]
    assert "never of persons" in made["card"]
    rows = read_areas(tmp_path / "areas.gpkg")
    assert rows["id"] == ["large", "middle", "small"] * 2
    assert rows["name"] == rows["id"]
    assert rows["start"] == ["2022-01-01"] * 3 + ["2022-02-01"] * 3
    assert rows["end"] == ["2022-02-01"] * 3 + ["2022-03-01"] * 3
    assert rows["risk"][:3] == pytest.approx([1 - np.exp(-2), 1 - np.exp(-0.5), 1 - np.exp(-0.5)])
    assert rows["expected"][:3] == pytest.approx([2, 0.5, 0.5], abs=1e-3)
    # 0.4, 0.5 and 2 a km²: the small one leads, with 6 of 6.25 km² below it.
    assert rows["rank"] == [3, 2, 1] * 2
    assert rows["percentile"][:3] == pytest.approx([0, 80, 96])
    assert rows["class"] == [0, 2, 4] * 2
    # In the last year there were 2, 1 and a half a month.
    assert rows["change"][:3] == pytest.approx([0, -0.5, 0], abs=1e-3)
    assert shapely.area(rows["geometry"]).tolist() == [5e6, 1e6, 0.25e6] * 2
    low, high = np.array(rows["low"]), np.array(rows["high"])
    assert (low <= rows["expected"]).all()
    assert (high >= rows["expected"]).all()
    top = read_table(tmp_path / "top.gpkg")
    assert top["rank"] == [1, 2, 3] * 2
    assert top["id"][:3] == ["small", "middle", "large"]
    assert top["km2"][:3] == [0.25, 1.0, 5.0]
    assert top["share"][:3] == pytest.approx([0.04, 0.2, 1.0])
    assert top["expected_share"][:3] == pytest.approx([1 / 6, 1 / 3, 1.0], abs=1e-3)


def test_of_many_areas_the_first_twenty_are_the_top(tmp_path: Path) -> None:
    panel = write_counts(tmp_path / "counts.gpkg", make_city())
    train(tmp_path, panel)
    forecast(tmp_path, panel, steps=3)
    rows, top = read_areas(tmp_path / "areas.gpkg"), read_table(tmp_path / "top.gpkg")
    assert len(rows["id"]) == 90
    assert sorted(rows["rank"][:30]) == list(range(1, 31))
    assert top["rank"] == list(range(1, 21)) * 3
    best = rows["id"][rows["rank"].index(1)]
    assert top["id"][0] == best


def test_equal_areas_rank_by_their_ids(tmp_path: Path) -> None:
    counts = np.ones((24, 4), np.uint8)
    panel = write_counts(tmp_path / "counts.gpkg", make_panel(counts, ["b", "d", "a", "c"]))
    train(tmp_path, panel)
    forecast(tmp_path, panel)
    rows = read_areas(tmp_path / "areas.gpkg")
    assert dict(zip(rows["id"], rows["rank"], strict=True)) == {"a": 1, "b": 2, "c": 3, "d": 4}
    # None stands out, so none is flagged.
    assert rows["class"] == [0] * 4


def test_counts_known_late_are_skipped(tmp_path: Path) -> None:
    """Two months late: what is known ends in December, the forecast made when that is known is for March."""
    panel = write_counts(tmp_path / "counts.gpkg", replace(make_town(), delay=2))
    context = Recorder()
    trained = train(tmp_path, panel, context, held_out=0.25)
    assert "Fitting Prior counts on 16 months" in context.texts
    assert (
        "Counts are known 2 months late: the model learns to look as much further ahead, and is judged on that."
        in context.messages
    )
    assert trained["held_out_bins"] == 6
    assert load_model(trained["model"])[1].delay == 2
    said = Recorder()
    made = forecast(tmp_path, panel, said, steps=1)
    assert made["edges"] == ["2022-03-01T00:00:00", "2022-04-01T00:00:00"]
    assert "Counts are known 2 months late: the forecast is for Mar 2022." in said.messages
    assert read_areas(tmp_path / "areas.gpkg")["start"] == ["2022-03-01"] * 3


def test_the_delay_of_the_parameter_comes_first_and_stays_with_the_model(tmp_path: Path) -> None:
    panel = write_counts(tmp_path / "counts.gpkg", replace(make_town(), delay=2))
    train(tmp_path, panel, delay=0)
    said = Recorder()
    made = forecast(tmp_path, panel, said)
    assert made["origin"] == "2022-01-01T00:00:00"
    assert any("known 2 months late; the model was trained for counts known at once" in note for note in made["notes"])
    # The same with grids, which do not say how late they are.
    stack = write_stack(
        tmp_path / "h.tif", make_stack(np.arange(600, dtype=np.uint8).reshape(60, 2, 5) % 3, bin="1 days")
    )
    train(tmp_path, stack, delay=3)
    made = forecast(tmp_path, stack, by_area=None, top=None, output=str(tmp_path / "risk.tif"))
    assert made["edges"] == ["2024-03-04T00:00:00", "2024-03-05T00:00:00"]
    assert made["notes"] == []


def test_what_a_late_model_is_judged_on_was_known_then(tmp_path: Path) -> None:
    """Other counts in the months before each held-out one change no figure of a model but through what is judged."""
    city = make_city(delay=6)
    changed = city.counts.copy()
    changed[-6:-3] += 5
    figures = []
    for number, counts in enumerate((city.counts, changed)):
        panel = write_counts(tmp_path / f"{number}.gpkg", replace(city, counts=counts))
        train(tmp_path, panel, held_out=3 / 48, kind="recent_counts", settings={})
        figures.append(load_model(tmp_path / "a.crimemodel")[1].metrics["recent_counts"]["log_loss"])
    assert figures[0] == figures[1]


def test_areas_in_another_order_get_the_same_forecast(tmp_path: Path) -> None:
    city = make_city()
    panel = write_counts(tmp_path / "counts.gpkg", city)
    turned = write_counts(tmp_path / "turned.gpkg", city.take(np.arange(30)[::-1]))
    train(tmp_path, panel, kind="ensemble", settings={"members": ["prior_counts", "recent_counts"]})
    assert forecast(tmp_path, panel)["notes"] == []
    one = read_areas(tmp_path / "areas.gpkg")
    assert forecast(tmp_path, turned)["notes"] == []
    other = read_areas(tmp_path / "areas.gpkg")
    assert one["id"] == other["id"]
    assert one["risk"] == other["risk"]
    assert shapely.equals(one["geometry"], other["geometry"]).all()


def test_changed_boundaries_are_said_and_other_areas_refused(tmp_path: Path) -> None:
    town = make_town()
    train(tmp_path, write_counts(tmp_path / "counts.gpkg", town))
    wider = make_panel(town.counts, list(town.support.ids), make_row([4000.0, 2000.0, 250.0]), categories=["Burglary"])
    said = Recorder()
    forecast(tmp_path, write_counts(tmp_path / "wider.gpkg", wider), said)
    (warning,) = said.warnings
    assert warning.startswith("Boundaries changed since the model was trained: of 2 of 3 areas")
    other = make_panel(town.counts, ["large", "middle", "tiny\u202e\n[%1%]"], SHAPES)
    sentence = r"not in this panel \(small\); 1 of 3 areas .* new to it \(tiny \[ %1%\]\)"
    with pytest.raises(ParameterError, match=sentence):
        forecast(tmp_path, write_counts(tmp_path / "other.gpkg", other), by_area=str(tmp_path / "none.gpkg"))
    assert not (tmp_path / "none.gpkg").exists()


def test_until_and_words_of_months(tmp_path: Path) -> None:
    panel = write_counts(tmp_path / "counts.gpkg", make_town())
    context = Recorder()
    result = train(tmp_path, panel, context, until="2021-07-01T00:00:00", held_out=0)
    assert (result["maps"], result["trained_until"]) == (18, "2021-07-01T00:00:00")
    assert "6 months that end after Thu 1 Jul 2021 are left out." in context.messages
    assert any("No month was held out: nothing can be said" in note for note in result["notes"])
    with pytest.raises(DataError, match="No month ends before Wed 1 Jan 2020; the first is Jan 2020"):
        train(tmp_path, panel, until="2020-01-01T00:00:00")
    with pytest.raises(
        DataError, match=r"panel holds 24 months, 5 of them held out and 12 before them not known yet; Logistic needs"
    ):
        train(tmp_path, panel, kind="logistic", settings={}, delay=12)


def test_networks_are_refused_before_any_work(tmp_path: Path) -> None:
    panel = write_counts(tmp_path / "counts.gpkg", make_town())
    context = Recorder()
    with pytest.raises(DataError, match=r"panel of areas.*Choose a forecaster that is no network"):
        train(tmp_path, panel, context, kind="convlstm", settings={})
    assert context.messages == []
    assert not any("Fitting" in text for text in context.texts)


def test_results_of_other_units_are_refused(tmp_path: Path) -> None:
    panel = write_counts(tmp_path / "counts.gpkg", make_town())
    train(tmp_path, panel)
    with pytest.raises(ParameterError, match=r"output is .*risk\.tif, but heatmaps is a layer of areas"):
        forecast(tmp_path, panel, output=str(tmp_path / "risk.tif"))

    stack = write_stack(tmp_path / "h.tif", make_stack(np.arange(600, dtype=np.uint8).reshape(60, 2, 5) % 3))
    train(tmp_path, stack)
    with pytest.raises(ParameterError, match=r"by_area is .*areas\.gpkg, but heatmaps is a raster"):
        forecast(tmp_path, stack, output=str(tmp_path / "risk.tif"))
    assert not (tmp_path / "risk.tif").exists()


def test_street_segments_are_forecast_as_lines(tmp_path: Path) -> None:
    lines = np.array([shapely.LineString([(0, 0), (100, 0)]), shapely.LineString([(100, 0), (100, 400)])])
    streets = Segments(("short", "long"), lines, "EPSG:27700", ("Short Lane", "Long Road"))
    counts = np.ones((24, 2), np.uint8)
    town = make_panel(counts)
    panel = write_counts(tmp_path / "streets.gpkg", replace(town, support=streets))
    train(tmp_path, panel)
    made = forecast(tmp_path, panel)
    rows, top = read_areas(tmp_path / "areas.gpkg"), read_table(tmp_path / "top.gpkg")
    assert shapely.get_type_id(rows["geometry"]).tolist() == [5, 5]
    assert (rows["name"], rows["rank"]) == (["Short Lane", "Long Road"], [1, 2])
    assert top["share"] == pytest.approx([0.2, 1.0])
    # A length is no area.
    assert top["km2"] == [None, None]
    assert "(2 segments, 1 month)" in made["card"]
    assert "Segments rank by risk per km:" in made["card"]


def test_a_year_without_observed_months_has_no_change(tmp_path: Path) -> None:
    town = make_town()
    observed = np.arange(24) < 12
    panel = write_counts(tmp_path / "counts.gpkg", replace(town, observed=observed))
    train(tmp_path, panel, held_out=0)
    forecast(tmp_path, panel)
    assert np.isnan(np.array(read_areas(tmp_path / "areas.gpkg")["change"], dtype=float)).all()
