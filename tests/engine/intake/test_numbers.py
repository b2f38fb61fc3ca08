"""Numbers from texts: what a column of a CSV file that nobody typed holds."""

from __future__ import annotations

import numpy as np
import pytest

from riskengine.intake.numbers import read_numbers


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        (["1", " 2.5 ", '"-3"', "1e3", "+.5"], [1, 2.5, -3, 1000, 0.5]),
        (["NA", "", None, "..", "-", "NULL", "#N/A", "7"], [np.nan] * 7 + [7]),
        # Every text with a comma can be read as thousands, so that is what it is.
        (["1,234", "12,345.5", "7"], [1234, 12345.5, 7]),
        # One that cannot decides for the whole column.
        (["1,234", "0,5", "1.234,5"], [1.234, 0.5, 1234.5]),
        (["1 234", "1\u00a0234", "1\u202f234,5", "1'234"], [1234, 1234, 1234.5, 1234]),
        (["\u22125"], [-5]),
    ],
)
def test_a_column_decides_how_its_numbers_are_read(texts: list[str | None], numbers: list[float]) -> None:
    read, refused = read_numbers(texts)
    assert np.array_equal(read, numbers, equal_nan=True)
    assert refused == []


def test_what_is_no_number_is_given_back_as_often_as_it_occurs() -> None:
    hostile = ["inf", "1_000", "0x10", "12%", "1e999", "=1+1", "1;2", "1,2,3x"]
    read, refused = read_numbers([*hostile, "12%", "4"])
    assert np.isnan(read[:-1]).all()
    assert read[-1] == 4
    assert refused == [*hostile, "12%"]
