"""The ladder of groups of features: what truly tells of an outcome, and what only names the day or the place."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from kit.outcomerows import AREAS, make_outcome_rows

from riskengine.contract.outcomes import GROUPS
from riskengine.systems.outcomes.groups import (
    DAY_NUMBER,
    SHUFFLED,
    SHUFFLED_WITHOUT_PLACE,
    WITHOUT_PLACE,
    climb_groups,
    list_groups,
    number_days,
    shuffle_census,
)
from riskengine.systems.outcomes.judged import Step
from riskengine.systems.outcomes.splits import split_rows

ROWS = make_outcome_rows(3000, days=60)


@pytest.fixture(scope="module")
def steps() -> list[Step]:
    return climb_groups(ROWS, split_rows(ROWS, "forward"), "boosting_place", tuple(GROUPS))


def test_groups_are_those_that_rows_have_in_their_order() -> None:
    assert list_groups(ROWS) == ("category", "description", "location", "time", "place", "weather", "census")
    bare = replace(ROWS, texts={"category": ROWS.texts["category"]}, weather={}, census={}, x=ROWS.x * np.nan)
    assert list_groups(bare) == ("category", "time")


def test_shuffled_census_gives_each_area_the_values_of_one_area() -> None:
    census = {name: np.where(np.arange(len(ROWS)) < 5, np.nan, each) for name, each in ROWS.census.items()}
    shuffled = shuffle_census(replace(ROWS, census=census), seed=1)
    true = np.column_stack(list(census.values()))[5:]
    given = np.column_stack(list(shuffled.census.values()))
    assert np.isnan(given[:5]).all()
    pairs = np.unique(np.column_stack([true[:, 0], given[5:, 0]]), axis=0)
    assert len(pairs) == AREAS
    assert sorted(pairs[:, 0]) == sorted(pairs[:, 1])
    assert (pairs[:, 0] != pairs[:, 1]).any()
    # Values of one area stay together.
    assert {tuple(each) for each in given[5:]} == {tuple(each) for each in true}


def test_the_day_stands_for_weather() -> None:
    assert set(number_days(ROWS).weather) == {"day"}
    assert np.array_equal(np.diff(number_days(ROWS).weather["day"]), np.diff(ROWS.day.astype(int)))


def test_each_group_is_added_and_left_out_with_the_controls_in_their_places(steps: list[Step]) -> None:
    groups = list_groups(ROWS)
    assert [step.group for step in steps if step.way == "added"] == list(groups)
    assert [step.group for step in steps if step.way == "left_out"] == list(groups)
    controls = [step.control for step in steps if step.way == "control"]
    assert controls == [DAY_NUMBER, SHUFFLED, WITHOUT_PLACE, SHUFFLED_WITHOUT_PLACE]
    assert {step.split for step in steps} == {"forward"}


def test_losses_add_up_along_the_ladder(steps: list[Step]) -> None:
    added = [step for step in steps if step.way == "added"]
    for before, after in pairwise(added):
        assert after.difference.mean == pytest.approx(after.log_loss - before.log_loss)
    top = added[-1].log_loss
    for step in steps:
        if step.way == "left_out":
            assert step.difference.mean == pytest.approx(top - step.log_loss)


def test_what_tells_of_the_outcome_helps_and_weather_and_census_that_do_not_are_no_better_than_controls(
    steps: list[Step],
) -> None:
    found = {(step.group, step.way, step.control): step.difference for step in steps}
    assert found["category", "added", ""].high < 0
    assert found["description", "added", ""].high < 0
    assert found["description", "left_out", ""].mean < 0
    assert found["weather", "added", ""].mean == pytest.approx(found["weather", "control", DAY_NUMBER].mean, abs=0.01)
    assert found["census", "added", ""].mean == pytest.approx(found["census", "control", SHUFFLED].mean, abs=0.01)


def test_a_table_of_rates_climbs_only_what_it_reads() -> None:
    steps = climb_groups(ROWS, split_rows(ROWS, "forward"), "rate_location", tuple(GROUPS))
    assert [(step.group, step.way) for step in steps] == [
        *((group, "added") for group in ("category", "description", "location")),
        *((group, "left_out") for group in ("category", "description", "location")),
    ]
