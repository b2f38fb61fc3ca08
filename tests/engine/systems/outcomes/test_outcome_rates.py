"""Rates of an outcome, counted by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from kit.contexts import Recorder
from kit.outcomerows import make_outcome_rows
from numpy.typing import NDArray
from rasterio.warp import transform

from riskengine.ground.errors import DataError
from riskengine.ground.tables import Chunk, write_table
from riskengine.measures.proportions import compute_share_limits
from riskengine.systems.outcomes.arealayer import find_areas
from riskengine.systems.outcomes.arearates import rate_areas
from riskengine.systems.outcomes.rates import count_rates, expect_outcomes
from riskengine.systems.outcomes.rows import MISSING, Coded, Rows


def code(texts: Sequence[str]) -> Coded:
    labels = [*dict.fromkeys(text for text in texts if text)]
    return Coded(np.array([labels.index(text) if text else MISSING for text in texts], dtype=np.int32), labels)


def make_rows(happened: Sequence[int], days: Sequence[str] | None = None, **more: Any) -> Rows:
    """Rows of these outcomes, with texts by their role."""
    size = len(happened)
    hour = more.pop("hour", [MISSING] * size)
    x, y = more.pop("x", [np.nan] * size), more.pop("y", [np.nan] * size)
    return Rows(
        np.arange(size),
        np.array(days if days is not None else ["2024-03-01"] * size, dtype="datetime64[D]"),
        np.array(hour, dtype=np.int8),
        np.full(size, MISSING, dtype=np.int8),
        np.array(x, dtype=np.float64),
        np.array(y, dtype=np.float64),
        {role: code(texts) for role, texts in more.items()},
        happened=np.array(happened, dtype=bool),
        crs="EPSG:32616",
    )


def test_the_interval_of_a_share_is_wilsons() -> None:
    """10 of 50: (0.2 + 0.0384 ± 1.96 √(0.0032 + 0.000384)) ÷ 1.0768, and never beyond none or all."""
    low, high = compute_share_limits([10, 0, 5, 0], [50, 4, 5, 0])
    assert (low[0], high[0]) == pytest.approx((0.11244, 0.33037), abs=2e-5)
    assert low[1] == 0
    assert high[1] == pytest.approx(0.48990, abs=1e-4)
    assert (low[2], high[2]) == pytest.approx((0.56552, 1.0), abs=1e-4)
    assert np.isnan([low[3], high[3]]).all()


def test_rates_are_counted_and_drawn_towards_all() -> None:
    """Thefts 1 of 6, batteries 3 of 4; the row without a category counts nowhere."""
    rows = make_rows([1, 0, 0, 0, 0, 0, 1, 1, 1, 0, 1], category=["THEFT"] * 6 + ["BATTERY"] * 4 + [""])
    rates = count_rates(rows, "category")
    assert rates is not None
    assert list(rates.values) == ["THEFT", "BATTERY"]
    assert rates.incidents.tolist() == [6, 4]
    assert rates.outcomes.tolist() == [1, 3]
    assert rates.rate == pytest.approx([1 / 6, 3 / 4])
    assert rates.share == pytest.approx([0.6, 0.4])
    # Twenty more of the rate of all, 4 of 10.
    assert rates.shrunk == pytest.approx([(1 + 8) / 26, (3 + 8) / 24])


def test_a_description_is_drawn_towards_its_category_and_belongs_to_it() -> None:
    """SIMPLE of two categories is two descriptions."""
    categories = ["ASSAULT"] * 6 + ["BATTERY"] * 4
    descriptions = ["SIMPLE"] * 2 + ["ARMED"] * 4 + ["SIMPLE"] * 4
    rates = count_rates(
        make_rows([1, 1, 0, 0, 0, 0, 1, 0, 0, 0], category=categories, description=descriptions), "description"
    )
    assert rates is not None
    found = dict(
        zip(
            zip(rates.parents, rates.values, strict=True),
            zip(rates.outcomes, rates.incidents, strict=True),
            strict=True,
        )
    )
    assert found == {("ASSAULT", "SIMPLE"): (2, 2), ("ASSAULT", "ARMED"): (0, 4), ("BATTERY", "SIMPLE"): (1, 4)}
    assault, battery = (2 + 20 * 0.3) / 26, (1 + 20 * 0.3) / 24
    place = [*zip(rates.parents, rates.values, strict=True)].index(("ASSAULT", "SIMPLE"))
    assert rates.shrunk[place] == pytest.approx((2 + 20 * assault) / 22)
    place = [*zip(rates.parents, rates.values, strict=True)].index(("BATTERY", "SIMPLE"))
    assert rates.shrunk[place] == pytest.approx((1 + 20 * battery) / 24)


def test_hours_months_and_rows_of_an_incident_stand_in_their_order() -> None:
    days = ["2024-02-01", "2023-12-31", "2024-02-28", "NaT", "2024-02-03", "2024-02-03"]
    rows = make_rows([1, 0, 0, 1, 1, 1], days, hour=[23, 0, 23, MISSING, 5, 5], incident=["A", "B", "B", "C", "C", "C"])
    months, hours, several = (count_rates(rows, by) for by in ("month", "hour", "rows"))  # type: ignore[arg-type]
    assert months is not None
    assert hours is not None
    assert several is not None
    assert list(months.values) == ["Dec 2023", "Feb 2024"]
    assert months.incidents.tolist() == [1, 4]
    assert list(hours.values) == ["00:00", "05:00", "23:00"]
    assert hours.outcomes.tolist() == [0, 2, 1]
    assert list(several.values) == ["1", "2", "3 or more"]
    assert several.incidents.tolist() == [1, 2, 3]
    assert several.outcomes.tolist() == [1, 0, 3]


def test_what_the_rows_do_not_have_has_no_rates() -> None:
    rows = make_rows([1, 0], ["NaT", "NaT"], category=["", ""])
    assert [count_rates(rows, by) for by in ("category", "location", "area", "hour", "month", "rows")] == [None] * 6  # type: ignore[arg-type]


def test_expected_outcomes_are_those_of_the_rows_learned_from() -> None:
    """What only the others hold changes nothing, and a category that none of them has takes the rate of all."""
    category = ["THEFT"] * 4 + ["BATTERY"] * 4 + ["ARSON"]
    learned = np.array([1, 1, 1, 0, 1, 1, 1, 0, 0], dtype=bool)
    first = expect_outcomes(make_rows([1, 0, 0, 0, 1, 1, 0, 0, 0], category=category), learned)
    second = expect_outcomes(make_rows([1, 0, 0, 1, 1, 1, 0, 1, 1], category=category), learned)
    assert first.tolist() == second.tolist()
    overall = (3 + 0.5) / (6 + 1)
    assert first[0] == pytest.approx((1 + 20 * overall) / 23)
    assert first[8] == pytest.approx(overall)


def test_an_area_is_compared_with_what_is_reported_there() -> None:
    """North has twice as many outcomes as South since batteries happen there; West alone has more than that."""
    kinds = ["THEFT"] * 300 + ["BATTERY"] * 100 + ["THEFT"] * 100 + ["BATTERY"] * 300 + ["THEFT"] * 200 + ["THEFT"] * 50
    area = ["SOUTH"] * 400 + ["NORTH"] * 400 + ["WEST"] * 200 + ["TINY"] * 20 + ["SMALL"] * 30
    happened = [int(number % 10 == 0) if kind == "THEFT" else int(number % 5 < 2) for number, kind in enumerate(kinds)]
    happened[800:1000] = [int(number % 2 == 0) for number in range(200)]
    days = [f"2024-{1 + number % 12:02d}-{1 + number % 28:02d}" for number in range(len(kinds))]
    rows = make_rows(happened, days, category=kinds, area=area, x=range(len(kinds)), y=range(len(kinds)))
    areas = find_areas(rows, None, None, None, Recorder())
    assert areas is not None
    assert list(areas.ids) == ["SOUTH", "NORTH", "WEST", "TINY", "SMALL"]
    assert areas.x.tolist() == [199.5, 599.5, 899.5, 1009.5, 1034.5]
    rates = rate_areas(rows, areas, np.ones(len(rows), dtype=bool), "all")
    assert rates.incidents.tolist() == [400, 400, 200, 20, 30]
    assert rates.outcomes.tolist()[:3] == [70, 130, 100]
    assert rates.rate[1] / rates.rate[0] == pytest.approx(13 / 7)
    labels = rates.list_labels()
    assert labels[2:] == ["above", "hidden", "few"]
    assert rates.difference[2] == pytest.approx(0.5 - rates.expected[2])
    assert abs(rates.difference[0] - rates.difference[1]) < 0.5 * (rates.rate[1] - rates.rate[0])
    assert np.isnan(rates.difference[3:]).all()
    assert np.isnan(rates.rate[3])
    assert rates.rate[4] == pytest.approx(0.1)


@pytest.fixture
def squares(tmp_path: Path) -> str:
    """The nine squares of the city, their numbers written as real numbers, in degrees."""

    def move(places: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack(transform("EPSG:32616", "EPSG:4326", *places.T.tolist()), axis=1)

    west, south = 3000 * (np.arange(9) % 3), 3000 * (np.arange(9) // 3)
    boxes = shapely.transform(shapely.box(west, south, west + 3000, south + 3000), move)
    shapes = list(shapely.to_wkb(shapely.multipolygons(boxes[:, None])))
    path = tmp_path / "squares.gpkg"
    fields = {"number": "real", "title": "text"}
    columns = [np.arange(9.0), [f"Quarter {each}" for each in range(9)]]
    write_table(path, fields, [Chunk(columns, shapes=shapes)], "multipolygon", "EPSG:4326")
    return f"{path}|layername=squares"


def test_incidents_are_in_the_area_that_they_name_or_lie_in(squares: str) -> None:
    rows, said = make_outcome_rows(500), Recorder()
    named = Rows(
        **{
            **vars(rows),
            "texts": {**rows.texts, "area": Coded(rows.texts["area"].codes, [str(each) for each in range(9)])},
        }
    )
    by_name = find_areas(named, squares, "NUMBER", "title", said)
    by_place = find_areas(rows, squares, "number", None, said)
    assert by_name is not None
    assert by_place is not None
    assert by_name.code.tolist() == rows.texts["area"].codes.tolist() == by_place.code.tolist()
    assert list(by_name.ids) == [str(each) for each in range(9)]
    assert by_name.names[4] == "Quarter 4"
    assert said.messages[-2:] == [
        "500 of 500 incidents name an area of the layer.",
        "500 of 500 incidents lie in an area.",
    ]


def test_areas_of_another_city_and_fields_that_are_not_there_are_refused(squares: str) -> None:
    rows = make_outcome_rows(50)
    far = Rows(**{**vars(rows), "x": rows.x + 1e6})
    with pytest.raises(DataError, match="No incident lies in an area of the layer, and none names one"):
        find_areas(far, squares, None, None, Recorder())
    with pytest.raises(DataError, match=r"The areas have no field NAME.*Choose from: .*number, title"):
        find_areas(rows, squares, "NAME", None, Recorder())
