"""The jobs that judge, on counts by area: what they write, say and refuse, and a risk of areas from a file."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.contexts import Recorder
from kit.maps import make_stack, write_stack
from kit.panels import make_panel, make_row, write_counts
from kit.tables import read_table

from riskengine.contract.forecasters import list_baselines
from riskengine.contract.tools.kinds import RISK_FIELDS
from riskengine.ground.errors import DataError, ParameterError
from riskengine.ground.tables import Chunk, write_table
from riskengine.jobs import run_job
from riskengine.maps.panel import Extras, Panel
from riskengine.measures.labels import LABELS

AREAS, MONTHS, TEST = 24, 48, 12
START = "2023-01-01T00:00:00"


def make_city(months: int = MONTHS, **more: Any) -> Panel:
    random = np.random.default_rng(3)
    counts = random.poisson(random.gamma(1.5, 0.4, AREAS), (MONTHS, AREAS)).astype(np.uint8)
    ids = [f"E{number:02d}" for number in range(AREAS)]
    people = random.integers(500, 3000, (1, AREAS)).astype(np.float32)
    extras = Extras(static=people, static_names=("population",))
    shapes = make_row(random.uniform(300, 2500, AREAS))
    return make_panel(counts, ids, shapes, extras=extras, categories=["Burglary"], source="burglaries", **more)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("city")
    write_counts(folder / "city.gpkg", make_city())
    return folder


def backtest(city: Path, folder: Path, context: Recorder | None = None, **more: Any) -> dict[str, Any]:
    given = {"heatmaps": str(city / "city.gpkg"), "models": ["prior_counts"], "start": START, **more}
    return run_job("backtest", given, context or Recorder())


def test_a_backtest_of_areas_writes_a_row_for_each_area_and_month(city: Path, tmp_path: Path) -> None:
    answer = backtest(city, tmp_path, by_area=str(tmp_path / "by.gpkg"), csv=str(tmp_path / "all.csv"))
    json.dumps(answer)
    assert answer["maps"] == TEST
    assert set(answer["scores"]) == {"prior_counts", *list_baselines("areas")}
    rows = read_table(tmp_path / "by.gpkg")
    panel = make_city()
    assert len(rows["id"]) == TEST * AREAS
    assert rows["id"][:AREAS] == list(panel.support.ids)
    assert rows["incidents"] == panel.counts[-TEST:].ravel().tolist()
    assert set(rows["label"]) <= set(LABELS)
    hit = [label == "correct" for label in rows["label"]]
    assert hit == [bool(flagged and number) for flagged, number in zip(rows["flagged"], rows["incidents"], strict=True)]
    assert any(rows["flagged"])
    # Flags are the densest 5 % of the area: they cannot be more of it.
    size = panel.support.measure_km()
    flagged = np.reshape(rows["flagged"], (TEST, AREAS))
    assert 0 < (flagged * size).sum() <= 0.05 * TEST * size.sum()
    with (tmp_path / "all.csv").open(encoding="utf-8") as file:
        figures = {(row["model"], row["metric"], row["at"]): row for row in csv.DictReader(file)}
    share = figures["prior_counts", "flagged_share", "5 % of the area"]
    assert float(share["value"]) == pytest.approx(0.05)
    assert float(share["N"]) == pytest.approx(TEST * size.sum(), rel=1e-5)
    assert ("prior_counts", "precision_by_count", "5 % of the area") in figures


def test_it_says_from_what_the_first_forecast_is_made(city: Path, tmp_path: Path) -> None:
    context = Recorder()
    answer = backtest(city, tmp_path, context, delay=2)
    said = "12 months from Jan 2023 on are forecast, 1 bin ahead, counts known 2 months late, from 34 months and more"
    assert any(said in message for message in context.messages)
    assert answer["delay_cost"]["delay"] == 2
    assert set(answer["delay_cost"]["losses"]) == {"prior_counts", *list_baselines("areas")} - {"constant"}
    for name, score in answer["delay_cost"]["at_once"].items():
        gap = answer["scores"][name]["log_loss"] - score["log_loss"]
        assert answer["delay_cost"]["losses"][name]["mean"] == pytest.approx(gap, abs=2e-6)


def test_the_delay_of_the_panel_is_obeyed_unless_another_is_given(tmp_path: Path) -> None:
    write_counts(tmp_path / "city.gpkg", make_city(delay=3))
    assert backtest(tmp_path, tmp_path)["delay_cost"]["delay"] == 3
    assert "delay_cost" not in backtest(tmp_path, tmp_path, delay=0)


def test_a_grid_may_come_late_too(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    counts = random.poisson(random.gamma(0.5, 0.6, (6, 8)), (60, 6, 8)).astype(np.uint8)
    grids = write_stack(tmp_path / "grids.tif", make_stack(counts))
    context = Recorder()
    late = run_job("backtest", {"heatmaps": grids, "models": ["recent_counts"], "delay": 5}, context)
    said = "12 maps from Sun 18 Feb 2024 on are forecast, 1 bin ahead, counts known 5 days late, from 43 maps and more"
    assert any(said in message for message in context.messages)
    at_once = run_job("backtest", {"heatmaps": grids, "models": ["recent_counts"]}, Recorder())
    for name, score in late["delay_cost"]["at_once"].items():
        assert score["log_loss"] == at_once["scores"][name]["log_loss"]


def test_control_weights_and_other_units_stand_beside_it(city: Path, tmp_path: Path) -> None:
    panel = make_city()
    pairs = panel.counts.reshape(MONTHS, AREAS // 2, 2).sum(axis=2).astype(np.uint8)
    size = 1000 * panel.support.measure_km()
    wider = make_row(size.reshape(-1, 2).sum(axis=1))
    write_counts(tmp_path / "pairs.gpkg", make_panel(pairs, shapes=wider))
    answer = backtest(
        city,
        tmp_path,
        models=["rates_logistic"],
        control=True,
        weigh="population",
        compare=[str(tmp_path / "pairs.gpkg")],
    )
    (control,) = answer["controls"]
    assert (control["model"], control["covariates"]) == ("rates_logistic", ["population"])
    gap = answer["scores"]["rates_logistic"]["log_loss"] - control["shuffled"]["log_loss"]
    assert control["loss"]["mean"] == pytest.approx(gap, abs=2e-6)
    assert answer["weighed"]["name"] == "population"
    assert answer["weighed"]["total"] == panel.extras.static.sum()
    assert [(each["title"], each["units"]) for each in answer["compared"]] == [("city", AREAS), ("pairs", AREAS // 2)]
    assert answer["notes"] == []


def test_a_control_without_readers_says_so(city: Path, tmp_path: Path) -> None:
    answer = backtest(city, tmp_path, control=True)
    assert answer["notes"] == [
        "There is no control with shuffled covariates: no model that was backtested reads any",
    ]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"weigh": "homes"}, "weigh is homes, but the panel has no covariate of that name"),
        ({"extras": ["a.tif"]}, "is a panel of areas, which takes no rasters"),
        ({"labels": "labels.tif"}, "but heatmaps is a layer of areas. Leave labels empty: by_area has the result"),
        ({"start": "2030-01-01T00:00:00"}, "but the first month begins at 2020-01-01"),
    ],
)
def test_what_does_not_go_with_areas_is_refused(city: Path, tmp_path: Path, more: dict[str, Any], said: str) -> None:
    with pytest.raises(ParameterError) as refusal:
        backtest(city, tmp_path, **more)
    assert said in str(refusal.value)


def test_areas_are_not_moved(city: Path, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="offsets is 2, but areas lie where they lie: only a grid can be moved"):
        backtest(city, tmp_path, offsets=2, incidents="incidents.npz")


def test_other_units_of_another_time_are_refused_before_the_work(city: Path, tmp_path: Path) -> None:
    panel = make_city()
    write_counts(tmp_path / "short.gpkg", panel.cut(MONTHS - 1))
    context = Recorder()
    with pytest.raises(ParameterError, match=r"short\.gpkg does not end with the bins that are tested"):
        backtest(city, tmp_path, context, compare=[str(tmp_path / "short.gpkg")])
    assert not any("are forecast" in message for message in context.messages)


def write_risk(path: Path, panel: Panel, risk: np.ndarray, months: range, ids: list[str] | None = None) -> str:
    """Write a risk of areas, shape (S, N), as Forecast risk does, in an order of its own."""
    order = np.arange(AREAS)[::-1]
    shapes = panel.support.pack_shapes()  # type: ignore[attr-defined]
    names = ids or list(panel.support.ids)
    chunks = [
        Chunk(
            [
                [names[number] for number in order],
                [names[number] for number in order],
                np.full(AREAS, panel.edges[month]),
                np.full(AREAS, panel.edges[month + 1]),
                risk[place, order].astype(float),
            ],
            shapes=[shapes[number] for number in order],
        )
        for place, month in enumerate(months)
    ]
    write_table(path, RISK_FIELDS, chunks, "multipolygon", panel.support.crs)
    return str(path)


def evaluate(city: Path, risk: str, context: Recorder | None = None, **more: Any) -> dict[str, Any]:
    return run_job("evaluate", {"risk": risk, "heatmaps": str(city / "city.gpkg"), **more}, context or Recorder())


def test_a_risk_of_areas_is_judged_as_the_backtest_judged_it(city: Path, tmp_path: Path) -> None:
    # The risk of the backtest, read back from the table that it wrote.
    made = backtest(city, tmp_path, by_area=str(tmp_path / "by.gpkg"))
    rows = read_table(tmp_path / "by.gpkg")
    risk = np.reshape(rows["risk"], (TEST, AREAS))
    path = write_risk(tmp_path / "risk.gpkg", make_city(), risk, range(MONTHS - TEST, MONTHS))
    answer = evaluate(city, path, by_area=str(tmp_path / "again.gpkg"))
    own, theirs = answer["scores"]["risk"], made["scores"]["prior_counts"]
    for name in ("log_loss", "auc", "hit_rate_5", "pai_5", "pei_5", "precision_5"):
        assert own[name] == pytest.approx(theirs[name], abs=2e-6), name
    assert answer["best_baseline"] in list_baselines("areas")
    again = read_table(tmp_path / "again.gpkg")
    assert (again["id"], again["label"]) == (rows["id"], rows["label"])


def test_areas_without_a_risk_are_left_out_and_other_ids_refused(city: Path, tmp_path: Path) -> None:
    panel = make_city()
    risk = np.random.default_rng(5).random((1, AREAS))
    names = [*panel.support.ids[:-1], "elsewhere"]
    context = Recorder()
    answer = evaluate(city, write_risk(tmp_path / "a.gpkg", panel, risk, range(40, 41), names), context)
    assert "1 of 24 areas of the study area has no risk and is left out" in answer["notes"]
    other = [f"X{number}" for number in range(AREAS)]
    with pytest.raises(DataError, match="None of the 24 areas of the risk has the id of one of the counts"):
        evaluate(city, write_risk(tmp_path / "b.gpkg", panel, risk, range(40, 41), other))
    far = replace(panel, edges=panel.edges + np.timedelta64(3650, "D"))
    path = write_risk(tmp_path / "c.gpkg", far, risk, range(40, 41))
    with pytest.raises(DataError, match="No observed month covers the time of the risk; the months span"):
        evaluate(city, path)


def test_scores_of_areas_that_are_no_probabilities_are_judged_by_their_order(city: Path, tmp_path: Path) -> None:
    panel = make_city()
    expected = np.repeat(panel.counts[:36].mean(axis=0)[None] * 3, TEST, axis=0)
    answer = evaluate(city, write_risk(tmp_path / "a.gpkg", panel, expected, range(MONTHS - TEST, MONTHS)))
    assert answer["scores"]["risk"]["log_loss"] is None
    assert answer["scores"]["risk"]["hit_rate_5"] > 0
    assert "The values of the risk are no probabilities: they are judged by their order alone" in answer["notes"]


def test_a_risk_of_areas_is_not_judged_by_a_grid(city: Path, tmp_path: Path) -> None:
    panel = make_city()
    risk = write_risk(tmp_path / "a.gpkg", panel, np.full((1, AREAS), 0.5), range(40, 41))
    grids = write_stack(tmp_path / "grids.tif", make_stack(np.ones((9, 3, 3), np.uint8)))
    with pytest.raises(ParameterError, match="risk is a layer of areas"):
        run_job("evaluate", {"risk": risk, "heatmaps": grids}, Recorder())


def test_exposure_counts_areas_by_their_middle_and_weighs_them_by_size(city: Path, tmp_path: Path) -> None:
    panel = make_city()
    x, _ = panel.support.find_centres()
    size = panel.support.measure_km()
    edge = float(x[9] + x[10]) / 2
    west = [[-1, -1], [edge, -1], [edge, 2000], [-1, 2000], [-1, -1]]
    feature = {
        "type": "Feature",
        "properties": {"name": "West"},
        "geometry": {"type": "Polygon", "coordinates": [west]},
    }
    (tmp_path / "west.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    answer = backtest(city, tmp_path, areas=str(tmp_path / "west.geojson"))
    first, rest = answer["areas"]
    assert (first["name"], first["cells"], rest["cells"]) == ("West", 10, AREAS - 10)
    assert first["area_share"] == pytest.approx(size[:10].sum() / size.sum(), abs=1e-6)
    assert first["incidents"] == panel.counts[-TEST:, :10].sum()
    assert first["flagged_share"] + rest["flagged_share"] == pytest.approx(1, abs=1e-5)
