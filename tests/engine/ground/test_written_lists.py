"""Names in one text: what is written is what is read, whatever the names hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskengine.contract.written_lists import quote_name, split_names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("date, time", ["date", "time"]),
        ("date;time,", ["date", "time"]),
        ('"DATE, OCC",TIME', ["DATE, OCC", "TIME"]),
        ('TIME ; "DATE; OCC" ', ["TIME", "DATE; OCC"]),
        ('"the ""real"" day"', ['the "real" day']),
        ('time "local",day', ['time "local"', "day"]),
        ('"real" day, hour', ['"real" day', "hour"]),
        ('"day, hour', ['"day', "hour"]),
        ("", []),
        (" , ;", []),
    ],
)
def test_names_in_quotes_keep_their_separators(text: str, names: list[str]) -> None:
    assert split_names(text, ",;") == names


@given(st.lists(st.text(alphabet='a",; é', min_size=1).filter(str.strip), max_size=4))
def test_what_is_quoted_is_read_back(names: list[str]) -> None:
    assert split_names(", ".join(map(quote_name, names)), ",;") == names
