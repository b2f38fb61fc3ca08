"""Predicted scores as columns and as a raster: the same places get the same scores, whole or not at all."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from kit.contexts import Recorder
from kit.incidents import make_incidents
from kit.score_model import make_small_model

from riskengine.ground.errors import Cancelled, DataError, FormatError, OutputError, ParameterError
from riskengine.jobs import predict_score_raster, run_job
from riskengine.simulation.simulate import simulate_city
from riskengine.systems.score.applied import SUPPORT_RADIUS, AppliedModel
from riskengine.systems.score.index import CrimeIndex
from riskengine.systems.score.query import Memory, Question, answer

CORNER = (500_000.0, 2_150_000.0)


def city_index(shift: float = 0.0) -> CrimeIndex:
    """A simulated year, 6 km or so across."""
    city = simulate_city(incidents=4000, days=365, seed=5, start="2023-01-01", exact=True)
    x, y = (CORNER[0] + shift + (city.x - city.x.min()) / 3, CORNER[1] + (city.y - city.y.min()) / 3)
    return CrimeIndex(make_incidents(x, y, city.time, city.category, city.categories), "EPSG:32614")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Index and model, as parameters of the jobs."""
    folder = tmp_path_factory.mktemp("model")
    index = city_index()
    index.save(folder / "city.crimeindex")
    make_small_model(index, epochs=3).save(folder / "city.crimescore")
    return {"index": str(folder / "city.crimeindex"), "model": str(folder / "city.crimescore")}


@pytest.fixture
def points(tmp_path: Path) -> Any:
    """Writes places as the plugin does."""

    def points(x: Any, y: Any) -> str:
        path = tmp_path / "points.npz"
        np.savez(path, x=np.asarray(x, dtype=float), y=np.asarray(y, dtype=float))
        return str(path)

    return points


def columns(path: str | Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def test_columns(files: dict[str, str], points: Any, tmp_path: Path) -> None:
    applied = AppliedModel.load(**files)
    random = np.random.default_rng(1)
    x, y = (applied.index.incidents.x[:400] + random.normal(0, 80, 400), applied.index.incidents.y[:400])
    said = Recorder()
    out = str(tmp_path / "out.npz")
    result = run_job("predict_score", {**files, "points": points(x, y), "output": out}, said)
    found = columns(out)
    assert set(found) == {"x", "y", "score", "lower", "upper", "percentile", "incidents", "count"}
    assert np.array_equal(found["x"], x)
    direct = applied.model.predict(applied.recent, x, y)
    assert found["score"] == pytest.approx(direct.score, abs=1e-6)
    assert (found["lower"] <= found["score"]).all()
    assert (found["score"] <= found["upper"]).all()
    assert ((found["lower"] >= 0) & (found["upper"] <= 1)).all()
    assert np.array_equal(found["percentile"], applied.model.to_percentile(found["score"]))
    assert np.array_equal(found["count"], applied.model.to_count(found["score"]))
    card = applied.model.card
    assert ((found["count"] >= card.count_low * 0.999) & (found["count"] <= card.count_high * 1.001)).all()
    away = np.hypot(x[:, None] - applied.recent.x, y[:, None] - applied.recent.y)
    assert np.array_equal(found["incidents"], (away < SUPPORT_RADIUS).sum(axis=1))
    assert (result["points"], result["unknown"], result["recent_incidents"]) == (400, 0, len(applied.recent))
    assert result["reference_time"] == str(applied.index.incidents.time.max())
    assert said.shares == sorted(said.shares)


def test_layer_raster_and_dock_agree(files: dict[str, str], points: Any, tmp_path: Path) -> None:
    raster, out = str(tmp_path / "out.tif"), str(tmp_path / "out.npz")
    run_job("predict_score_raster", {**files, "output": raster, "cell_size": 200})
    with rasterio.open(raster) as source:
        score = source.read(1)
        row, column = (part[::7] for part in np.nonzero(np.isfinite(score)))
        x, y = source.xy(row, column)
    run_job("predict_score", {**files, "points": points(x, y), "output": out})
    found = columns(out)["score"]
    assert score[row, column] == pytest.approx(found, abs=1e-4)
    # One place is summed exactly, many are read off a grid.
    memory = Memory()
    for number in range(0, len(x), 50):
        asked = answer(Question(files["index"], files["model"], (x[number], y[number])), memory)
        assert asked["predicted"]["score"] == pytest.approx(found[number], abs=0.02)


def test_raster(files: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = Recorder()
    whole = run_job(
        "predict_score_raster", {**files, "output": str(tmp_path / "a.tif"), "columns": 90, "rows": 70}, said
    )
    assert (whole["columns"], whole["rows"], whole["tiles"]) == (90, 70, 1)
    # Tile by tile the file is the same.
    monkeypatch.setattr(predict_score_raster, "TILE", 32)
    tiled = Recorder()
    parts = run_job(
        "predict_score_raster", {**files, "output": str(tmp_path / "b.tif"), "columns": 90, "rows": 70}, tiled
    )
    assert parts["tiles"] == 9
    assert tiled.shares == sorted(tiled.shares)
    assert len(tiled.shares) >= 9
    with rasterio.open(tmp_path / "a.tif") as one, rasterio.open(tmp_path / "b.tif") as other:
        bands = one.read()
        assert bands == pytest.approx(other.read(), abs=1e-4, nan_ok=True)
        assert one.descriptions == ("score", "lower", "upper", "percentile")
        assert np.isnan(one.nodata)
        assert one.dtypes == ("float32",) * 4
        tags = one.tags()
    assert tags["CRIMERISK_KIND"] == "predicted_score"
    assert json.loads(tags["CRIMERISK_MODEL_CARD"])["name"] == "small"
    assert tags["CRIMERISK_REFERENCE"] == whole["reference_time"]
    score, lower, upper, percentile = bands[:, np.isfinite(bands[0])]
    assert (lower <= score).all()
    assert (score <= upper).all()
    assert ((percentile >= 0) & (percentile <= 100)).all()
    assert whole["cells"] == len(score)
    classes = whole["classes"]
    assert classes[0][0] == 0
    assert classes[-1][1] == 1
    assert all(one[1:4:2] == (other[0], other[2]) for one, other in pairwise(classes))


def test_no_data_outside_the_study_area_and_the_data(files: dict[str, str], tmp_path: Path) -> None:
    x, y = CORNER
    ring = [[x, y], [x + 20_000, y], [x + 20_000, y + 3000], [x, y + 3000], [x, y]]
    said = Recorder()
    result = run_job(
        "predict_score_raster",
        {
            **files,
            "output": str(tmp_path / "a.tif"),
            "extent": (x, y, x + 20_000, y + 6000),
            "polygons": [{"type": "Polygon", "coordinates": [ring]}],
            "cell_size": 250,
        },
        said,
    )
    with rasterio.open(tmp_path / "a.tif") as source:
        score = source.read(1)
    assert score.shape == (24, 80)
    assert np.isnan(score[:12]).all(), "north of the study area"
    assert np.isfinite(score[12:]).sum() == result["cells"]
    assert np.isnan(score[:, -10:]).all(), "ten kilometres east of the last incident"
    assert result["cells"] + result["unknown"] == 12 * 80
    assert any("more than 2 km from every incident" in line for line in said.lines)


def test_the_automatic_cell_is_reported(files: dict[str, str], tmp_path: Path) -> None:
    said = Recorder()
    result = run_job("predict_score_raster", {**files, "output": str(tmp_path / "a.tif")}, said)
    assert result["cell_size"] == 100, "half the radius"
    assert any("cell size 100 m, half the radius of 200 m" in line for line in said.lines)
    assert predict_score_raster.choose_cell((0, 0, 400_000, 400_000), 200) == 500


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6])
def test_cancel_leaves_nothing(
    share: float, files: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predict_score_raster, "TILE", 32)
    for job, more in (("predict_score_raster", {}), ("predict_score", {"grid": {"spacing": 100}})):
        context = Recorder(cancel_when=lambda said: said.shares[-1] >= share)
        with pytest.raises(Cancelled):
            run_job(job, {**files, "output": str(tmp_path / "a"), **more}, context)
    assert not list(tmp_path.iterdir())


def test_given_places_outside_the_data_stay_and_those_of_a_grid_go(
    files: dict[str, str], points: Any, tmp_path: Path
) -> None:
    said, out = Recorder(), str(tmp_path / "out.npz")
    x, y = [CORNER[0] + 2000, CORNER[0] + 90_000], [CORNER[1] + 2000] * 2
    result = run_job("predict_score", {**files, "points": points(x, y), "output": out}, said)
    found = columns(out)
    assert (result["points"], result["unknown"]) == (2, 1)
    assert np.isnan(found["score"]).tolist() == np.isnan(found["count"]).tolist() == [False, True]
    assert found["incidents"][1] == 0
    assert any("1 of 2 places lies outside the data" in line and "has no score" in line for line in said.lines)
    grid = {"spacing": 500, "extent": (CORNER[0], CORNER[1], CORNER[0] + 20_000, CORNER[1] + 6000)}
    result = run_job("predict_score", {**files, "grid": grid, "output": out}, said)
    found = columns(out)
    assert result["unknown"] > 0
    assert result["points"] == len(found["score"]) == 40 * 12 - result["unknown"]
    assert np.isfinite(found["score"]).all()
    with pytest.raises(DataError, match="The only place does not lie inside the data"):
        run_job("predict_score", {**files, "points": points([0], [0]), "output": out})
    with pytest.raises(DataError, match=r"None of the .* incidents lies inside the extent or within 2 km of it"):
        run_job("predict_score_raster", {**files, "extent": (0, 0, 900, 900), "output": str(tmp_path / "a.tif")})
    assert not (tmp_path / "a.tif").exists()


def square(west: float, south: float, side: float) -> dict[str, Any]:
    east, north = west + side, south + side
    return {
        "type": "Polygon",
        "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]],
    }


@pytest.mark.parametrize("job", ["score_points", "predict_score", "predict_score_raster"])
def test_an_area_without_any_incident_has_no_score(job: str, files: dict[str, str], tmp_path: Path) -> None:
    """The scores of such places were all 0, as of quiet ones."""
    away = square(CORNER[0] + 90_000, CORNER[1], 4000.0)
    extent = (CORNER[0] + 90_000, CORNER[1], CORNER[0] + 94_000, CORNER[1] + 4000)
    given = {**files, "output": str(tmp_path / "out.tif")}
    if job == "score_points":
        del given["model"]
    for area, what in (({"polygons": [away], "extent": extent}, "polygons"), ({"extent": extent}, "extent")):
        more: dict[str, Any] = {"grid": {"spacing": 500, **area}} if job != "predict_score_raster" else area
        with pytest.raises(DataError, match=f"None of the .* incidents lies inside the {what} or within 2 km of"):
            run_job(job, {**given, **more})
    assert not list(tmp_path.iterdir())


def test_a_park_without_any_incident_has_a_score(files: dict[str, str], tmp_path: Path) -> None:
    incidents = city_index().incidents
    beside = (float(incidents.x.max()) + 100, CORNER[1] + 2000)
    park = {"polygons": [square(*beside, 300.0)], "extent": (*beside, beside[0] + 300, beside[1] + 300)}
    given = {"index": files["index"], "grid": {"spacing": 100, **park}, "output": str(tmp_path / "out.npz")}
    assert run_job("score_points", given)["points"] > 0


def test_a_wide_circle_reaches_far_incidents(files: dict[str, str], tmp_path: Path) -> None:
    away = (CORNER[0] + 12_000, CORNER[1], CORNER[0] + 12_500, CORNER[1] + 500)
    given = {"index": files["index"], "grid": {"spacing": 100, "extent": away}, "output": str(tmp_path / "out.npz")}
    with pytest.raises(DataError, match="or within 2 km of it"):
        run_job("score_points", given)
    run_job("score_points", {**given, "radius": 9000})
    assert columns(tmp_path / "out.npz")["score_abs"].max() > 0


def test_another_place(files: dict[str, str], points: Any, tmp_path: Path) -> None:
    city_index(shift=60_000).save(tmp_path / "elsewhere.crimeindex")
    given = {
        "index": str(tmp_path / "elsewhere.crimeindex"),
        "model": files["model"],
        "points": points([CORNER[0] + 62_000], [CORNER[1] + 2000]),
        "output": str(tmp_path / "out.npz"),
    }
    with pytest.raises(DataError, match=r"another place.*Apply a model of another place") as caught:
        run_job("predict_score", given)
    assert caught.value.parameter == "model"
    said = Recorder()
    assert run_job("predict_score", {**given, "elsewhere": True}, said)["points"] == 1
    assert any(line.startswith("warning") and "another place" in line for line in said.lines)


def test_a_month_answers_as_the_year_does(files: dict[str, str], points: Any, tmp_path: Path) -> None:
    """Nothing older than the model's recent days is looked at, and nothing after the reference time."""
    index = city_index()
    last = index.incidents.time.max()
    month = index.incidents.select(index.incidents.time > last - np.timedelta64(31, "D"))
    CrimeIndex(month, index.crs).save(tmp_path / "month.crimeindex")
    x, y = CORNER[0] + np.linspace(0, 6000, 200), CORNER[1] + np.linspace(0, 6000, 200)
    found = []
    for path in (files["index"], str(tmp_path / "month.crimeindex")):
        out = str(tmp_path / "out.npz")
        run_job("predict_score", {"index": path, "model": files["model"], "points": points(x, y), "output": out})
        found.append(columns(out)["score"])
    both = np.isfinite(found[0]) & np.isfinite(found[1])
    assert both.sum() > 100
    assert np.array_equal(found[0][both], found[1][both])
    before = index.incidents.before(last - np.timedelta64(60, "D"))
    CrimeIndex(before, index.crs).save(tmp_path / "before.crimeindex")
    reference = str(before.time.max())
    told = []
    for path in (files["index"], str(tmp_path / "before.crimeindex")):
        out = str(tmp_path / "out.npz")
        given = {"index": path, "model": files["model"], "points": points(x, y), "reference_time": reference}
        assert run_job("predict_score", {**given, "output": out})["reference_time"] == reference
        told.append(columns(out))
    for name, values in told[0].items():
        assert np.array_equal(values, told[1][name], equal_nan=True), name


def test_refusals(files: dict[str, str], points: Any, tmp_path: Path) -> None:
    out = str(tmp_path / "out.tif")
    with pytest.raises(ParameterError, match="Neither points nor a spacing"):
        run_job("predict_score", {**files, "output": out})
    with pytest.raises(FormatError, match="not a whole score model"):
        run_job("predict_score_raster", {**files, "model": files["index"], "output": out})
    with pytest.raises(DataError, match="too long after the last incident"):
        run_job("predict_score_raster", {**files, "reference_time": "2030-01-01T00:00:00", "output": out})
    with pytest.raises(ParameterError, match="cell_size is 0; it must be greater than 0"):
        run_job("predict_score_raster", {**files, "cell_size": 0, "output": out})
    with pytest.raises(ParameterError, match="the limit is 100,000,000"):
        run_job("predict_score_raster", {**files, "cell_size": 0.1, "output": out})
    speck = [[[CORNER[0] + 1, CORNER[1] + 1], [CORNER[0] + 2, CORNER[1] + 1], [CORNER[0] + 2, CORNER[1] + 2]]]
    polygons = [{"type": "Polygon", "coordinates": [[*speck[0], speck[0][0]]]}]
    with pytest.raises(DataError, match="No cell of 500 m has its centre inside"):
        run_job("predict_score_raster", {**files, "cell_size": 500, "polygons": polygons, "output": out})
    assert not Path(out).exists()


def test_equal_percentiles_make_fewer_classes(files: dict[str, str]) -> None:
    applied = AppliedModel.load(**files)
    card = applied.model.card
    for percentiles, ends in (
        ([0.0] * 30 + [0.5] * 30 + [1.0] * 41, [(0, 40), (40, 100)]),
        ([0.3] * 101, [(0, 20), (20, 100)]),
        ([1.0] * 101, [(0, 100)]),
    ):
        applied.model.card = card.model_copy(update={"percentiles": percentiles})
        classes = applied.classes
        assert [entry[2:] for entry in classes] == ends
        assert (classes[0][0], classes[-1][1]) == (0, 1)
        assert all(low < high for low, high, *_ in classes)


def test_places_without_coordinates_have_no_score(files: dict[str, str], points: Any, tmp_path: Path) -> None:
    out, said = str(tmp_path / "out.npz"), Recorder()
    x, y = [CORNER[0] + 2000, np.nan, np.inf], [CORNER[1] + 2000, CORNER[1], CORNER[1]]
    result = run_job("predict_score", {**files, "points": points(x, y), "output": out}, said)
    found = columns(out)
    assert (result["points"], result["unknown"]) == (3, 2)
    assert np.isnan(found["score"]).tolist() == [False, True, True]
    assert found["incidents"].tolist()[1:] == [0, 0]
    assert any("2 of 3 places have no coordinates" in line for line in said.lines)
    assert not any("outside the data" in line for line in said.lines)
    with pytest.raises(DataError, match="The only place has no coordinates"):
        run_job("predict_score", {**files, "points": points([np.nan], [0]), "output": out})


def test_what_cannot_work_is_refused_at_once(files: dict[str, str], tmp_path: Path) -> None:
    nowhere = str(tmp_path / "none" / "a.tif")
    for job, more in (("predict_score", {"grid": {"spacing": 500}}), ("predict_score_raster", {})):
        with pytest.raises(OutputError, match=r"The folder .* does not exist"):
            run_job(job, {**files, "model": "/no/model", **more, "output": nowhere})
    out = str(tmp_path / "out.tif")
    for job, more in (
        ("predict_score", {"grid": {"spacing": 500, "polygons": []}}),
        ("predict_score_raster", {"polygons": []}),
    ):
        with pytest.raises(ParameterError, match="polygons is an empty list"):
            run_job(job, {**files, **more, "output": out})


@pytest.mark.parametrize("days", [-300, 0, 20])
def test_days_without_data_are_told(days: int, files: dict[str, str], points: Any, tmp_path: Path) -> None:
    """A reference time after the data, or too near their beginning, makes scores too low: not in silence."""
    time = city_index().incidents.time
    reference = str((time.max() + np.timedelta64(days, "D")) if days >= 0 else time.min() + np.timedelta64(10, "D"))
    given = {**files, "points": points([CORNER[0] + 2000], [CORNER[1] + 2000]), "reference_time": reference}
    told = []
    for job, out in (("predict_score", "out.npz"), ("predict_score_raster", "out.tif")):
        said = Recorder()
        asked = {name: value for name, value in given.items() if job == "predict_score" or name != "points"}
        more = {} if job == "predict_score" else {"columns": 10}
        run_job(job, {**asked, **more, "output": str(tmp_path / out)}, said)
        told.append([line for line in said.lines if "scores will be too low" in line])
    applied = answer(
        Question(files["index"], files["model"], (CORNER[0], CORNER[1]), reference=np.datetime64(reference)), Memory()
    )
    if days == 0:
        assert told == [[], []]
        assert "too low" not in (applied["warning"] or "")
    else:
        covered = 11 if days > 0 else 10
        for lines in told:
            assert len(lines) == 1
            assert f"The data cover only {covered} of the 31 days up to" in lines[0]
            assert "Choose a reference time within the data" in lines[0]
        assert f"only {covered} of the 31 days" in applied["warning"]
