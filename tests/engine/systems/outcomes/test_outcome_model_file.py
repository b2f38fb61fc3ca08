"""The file of an outcome model: it says the same when it is read again, and what is wrong with it is a sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from kit.outcomerows import make_outcome_rows

from riskengine.contract.outcomes import GROUPS
from riskengine.ground.context import JobContext
from riskengine.ground.errors import DataError, FormatError
from riskengine.intake.project import move_places
from riskengine.systems.outcomes.groups import list_groups
from riskengine.systems.outcomes.model import (
    OUTCOME_MODEL,
    OutcomeCard,
    OutcomeModel,
    compute_rows_fingerprint,
    load_outcome_model,
)
from riskengine.systems.outcomes.models.base import Reading, make_predictor
from riskengine.systems.outcomes.models.vocabulary import pack_texts
from riskengine.systems.outcomes.needs import AskedRows, check_groups
from riskengine.systems.outcomes.rows import Rows
from riskengine.systems.outcomes.study import OutcomePlan, run_study
from riskengine.systems.outcomes.training import find_mature, train_kept


def make_model(rows: Rows, name: str = "rate_location", **card: Any) -> OutcomeModel:
    predictor = make_predictor(name, Reading(list_groups(rows), seed=3)).fit(rows)
    values: dict[str, Any] = {
        "name": name,
        "groups": list(predictor.reading.groups),
        "seed": 3,
        "shift": -0.3,
        "drift": 0.2,
        "outcome": "arrest: true",
        "fields": {"category": "Primary Type", "time": "Date", "incident": "Case"},
        "first": "2024-01-01",
        "last": "2024-04-09",
        "rows": len(rows),
        "rate": float(rows.outcomes.mean()),
        "maturity": 28,
        "fingerprint": compute_rows_fingerprint(rows),
        "versions": {},
    }
    return OutcomeModel(predictor, OutcomeCard(**{**values, **card}))


@pytest.mark.parametrize("name", ["rate", "rate_location", "logistic", "boosting_place"])
def test_a_model_says_the_same_when_it_is_read_again(name: str, tmp_path: Path) -> None:
    rows = make_outcome_rows(800)
    model = make_model(rows, name)
    path = tmp_path / "model.crimeoutcome"
    model.save(path)
    again = load_outcome_model(path)
    assert again.card == model.card
    np.testing.assert_array_equal(again.predict(rows), model.predict(rows))
    np.testing.assert_array_equal(again.predictor.count_alike(rows), model.predictor.count_alike(rows))
    assert (again.predictor.count_alike(rows) > 0).all()
    # The shift of the logit is in what it says.
    odds = [np.log(p / (1 - p)) for p in (again.predict(rows), again.predictor.predict(rows))]
    assert np.median(odds[0] - odds[1]) == pytest.approx(-0.3, abs=1e-6)


def test_files_that_are_no_models_are_refused_with_a_sentence(tmp_path: Path) -> None:
    rows = make_outcome_rows(300)
    model = make_model(rows)
    path = tmp_path / "model.crimeoutcome"
    OUTCOME_MODEL.write(path, model.predictor.state(), model.card.model_copy(update={"name": "crystal ball"}), "model")
    with pytest.raises(FormatError, match=r"not known here \(crystal ball\).*Train outcome model"):
        load_outcome_model(path)
    arrays = model.predictor.state()
    arrays.pop(next(name for name in arrays if name.endswith("_rates")))
    OUTCOME_MODEL.write(path, arrays, model.card, "model")
    with pytest.raises(FormatError, match="does not fit"):
        load_outcome_model(path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(FormatError, match="truncated"):
        load_outcome_model(path)


def test_other_incidents_have_another_fingerprint() -> None:
    rows = make_outcome_rows(100)
    moved = replace(rows, x=rows.x + 1.0)
    prints = [compute_rows_fingerprint(each) for each in (rows, make_outcome_rows(100), moved)]
    assert prints[0] == prints[1] != prints[2]


def test_the_model_that_is_kept_knows_no_outcome_of_the_last_days() -> None:
    rows = make_outcome_rows(1500, days=100)
    mature = find_mature(rows, 20)
    assert str(rows.day[mature].max()) == "2024-03-20"
    assert str(rows.day.max()) == "2024-04-09"
    context, reading = JobContext(), Reading(("category",))
    study = run_study(rows, OutcomePlan(model="rate", splits=("forward",), maturity=20), context)
    kept = train_kept(rows, lambda: make_predictor("rate", reading), 20, study, context)
    assert (len(kept.rows), kept.last) == (int(mature.sum()), "2024-03-20")
    turned = replace(rows, happened=np.where(mature, rows.outcomes, ~rows.outcomes))
    other = train_kept(turned, lambda: make_predictor("rate", reading), 20, study, context)
    np.testing.assert_array_equal(kept.predictor.predict(rows), other.predictor.predict(rows))
    assert kept.shift == other.shift
    with pytest.raises(DataError, match="All incidents are of the last 200 days"):
        train_kept(rows, lambda: make_predictor("rate", reading), 200, study, context)


def test_a_layer_is_asked_for_the_fields_of_the_training() -> None:
    rows = make_outcome_rows(200)
    card = make_model(rows, weather=["TMAX", "TMIN"], people=[], found=["NARCOTICS"]).card
    empty = dict.fromkeys(("category_field", "time_field", "id_field", "description_field"))
    given = SimpleNamespace(**empty, found_by_police=[], incidents="crimes.gpkg", merge=False)
    asked: Any = AskedRows(given, card, ["primary type", "Case", "tmax", "TMIN", "when"])  # type: ignore[arg-type]
    assert (asked.category_field, asked.id_field, asked.time_field) == ("primary type", "Case", None)
    assert (asked.weather_fields, asked.found_by_police) == (["tmax", "TMIN"], ["NARCOTICS"])
    assert asked.incidents == "crimes.gpkg"
    given.category_field = "Kind"
    asked = AskedRows(given, card, ["tmax", "TMIN"])  # type: ignore[arg-type]
    assert asked.category_field == "Kind", "what the user says goes first"
    with pytest.raises(DataError, match=r"fields of weather that the layer does not have: TMIN.*Join context"):
        AskedRows(given, card, ["TMAX"])  # type: ignore[arg-type]


def test_rows_without_a_field_that_the_model_reads_are_refused_and_without_places_said() -> None:
    rows = make_outcome_rows(200)
    card = make_model(rows, "logistic", groups=list(GROUPS), crs=rows.crs).card
    assert check_groups(card, rows) == []
    nowhere = replace(rows, x=np.full(200, np.nan), y=np.full(200, np.nan))
    assert any("places" in each for each in check_groups(card, nowhere))
    bare = replace(rows, texts={"description": rows.texts["description"]})
    with pytest.raises(DataError, match=r"category \(Primary Type\)") as caught:
        check_groups(card, bare)
    assert caught.value.parameter == "category_field"


@pytest.mark.parametrize(
    ("texts", "named"),
    [("numbers", ["category"]), ("numbers", ["weather:a", "weather:a"]), ("texts", ["category"])],
)
def test_files_whose_fields_would_lead_beside_the_table_are_refused(
    texts: str, named: list[str], tmp_path: Path
) -> None:
    model, path = make_model(make_outcome_rows(300), "boosting_place"), tmp_path / "model.crimeoutcome"
    arrays = model.predictor.state() | pack_texts(texts, named)
    OUTCOME_MODEL.write(path, arrays, model.card, "model")
    with pytest.raises(FormatError, match=f"does not fit.*{texts}_bytes names"):
        load_outcome_model(path)


def test_cards_of_no_place_or_day_are_refused(tmp_path: Path) -> None:
    model, path = make_model(make_outcome_rows(300)), tmp_path / "model.crimeoutcome"
    for wrong in ({"crs": "EPSG:0"}, {"first": "2018-W01-1"}):
        OUTCOME_MODEL.write(path, model.predictor.state(), model.card.model_copy(update=wrong), "model")
        with pytest.raises(FormatError, match=next(iter(wrong))):
            load_outcome_model(path)


def test_places_are_read_in_the_zone_of_the_training() -> None:
    rows = make_outcome_rows(800)
    # Near the border of two zones, the same places in either.
    x, y = rows.x + 740_000, rows.y + 4_600_000
    moved_x, moved_y = move_places(x, y, "EPSG:32615", "EPSG:32616")
    here = replace(rows, x=x, y=y, crs="EPSG:32615")
    there = replace(rows, x=moved_x, y=moved_y, crs="EPSG:32616")
    model = make_model(here, "boosting_place", crs="EPSG:32615")
    raw = model.predictor.predict(there)
    assert np.abs(raw - model.predictor.predict(here)).max() > 0.01
    # A place at the edge of a square may fall beside it.
    assert np.mean(np.abs(model.predict(there) - model.predict(here)) < 1e-9) > 0.95
