"""Everything that gives the outcome away is found, has its figure, and is kept out unless it was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest

from riskengine.contract.outcomes import READABLE_LEAKS
from riskengine.ground.errors import ParameterError
from riskengine.systems.outcomes.judged import Leak
from riskengine.systems.outcomes.leaks import measure_field
from riskengine.systems.outcomes.repeated import ROWS_FEATURE
from riskengine.systems.outcomes.rows import MISSING

ROWS = 400


def make_table(**columns: Any) -> str:
    """A CSV of `ROWS` incidents, of which every fourth has an arrest, with more columns or others in their place."""
    table: dict[str, Any] = {
        "Date": [f"{np.datetime64('2020-01-01') + row} {row % 24:02d}:00" for row in range(ROWS)],
        "Category": ["THEFT", "ROBBERY", "BURGLARY"] * ROWS,
        "Arrest": ["true" if happened else "false" for happened in list_outcomes()],
        **columns,
    }
    lines = zip(*(list(values)[:ROWS] for values in table.values()), strict=True)
    return "\n".join([",".join(table), *(",".join(map(str, line)) for line in lines), ""])


def list_outcomes() -> Iterator[bool]:
    return (row % 4 == 0 for row in range(ROWS))


def find(leaks: list[Leak], kind: str) -> Leak:
    (leak,) = (leak for leak in leaks if leak.kind == kind)
    return leak


def test_nothing_is_found_where_nothing_is(read_table: Any) -> None:
    dice = np.random.default_rng(0)
    read, _ = read_table(make_table(Beat=dice.integers(1, 20, ROWS), Status=dice.choice(["a", "b"], ROWS)))
    assert read.leaks == []


def test_fields_that_say_the_outcome_are_kept_out_though_asked_for(read_table: Any) -> None:
    sure = ["held" if happened else "free" for happened in list_outcomes()]
    half = ["closed" if happened and row % 8 else "open" for row, happened in enumerate(list_outcomes())]
    table = make_table(Fate=sure, Disposition=half, Weapon=["gun", "knife"] * ROWS, Serial=range(ROWS))
    read, context = read_table(table, other_fields=["Fate", "Disposition", "Weapon"])
    named = {leak.names: leak for leak in read.leaks if leak.kind == "outcome_field"}
    assert set(named) == {("Fate",), ("Disposition",)}
    assert named["Fate",].figure == pytest.approx(1)
    assert named["Disposition",].figure == pytest.approx(0.75, abs=0.02)
    assert all(leak.kept_out and leak.rows == ROWS for leak in named.values())
    assert list(read.rows.labels) == ["Weapon"]
    assert read.kept_out == ("Fate", "Disposition")
    assert any(
        "Fate says what became of incidents (AUC of it alone 1.000): it is kept out" in said
        for said in context.messages
    )


def test_descriptions_that_say_the_outcome_are_left_out(read_table: Any) -> None:
    texts = ["BURGLARY (ARREST MADE)" if row % 8 == 0 else "BURGLARY" for row in range(ROWS)]
    read, _ = read_table(make_table(Description=texts))
    leak = find(read.leaks, "outcome_text")
    assert (leak.names, leak.rows, leak.figure, leak.kept_out) == (("BURGLARY (ARREST MADE)",), ROWS // 8, 1.0, True)
    description = read.rows.texts["description"]
    assert (description.codes == MISSING).sum() == ROWS // 8
    # It is one by definition, too.
    assert find(read.leaks, "by_definition").names == ("BURGLARY (ARREST MADE)",)


def test_the_minute_is_a_leak(read_table: Any) -> None:
    when = [f"2020-01-01 10:{17 if happened else 0:02d}" for happened in list_outcomes()]
    read, context = read_table(make_table(Date=when))
    leak = find(read.leaks, "minute")
    assert leak.figure == pytest.approx(1)
    assert (leak.names, leak.rows, leak.kept_out) == (("Date",), ROWS, True)
    assert (
        "0.0% of incidents recorded on the full hour and 100.0% of incidents recorded at an exact minute"
        in leak.sentence
    )
    assert leak.sentence.rstrip(".") in " ".join(context.messages)
    asked, _ = read_table(make_table(Date=when), use_minute=True)
    assert not find(asked.leaks, "minute").kept_out


def test_rows_of_an_incident_are_a_leak(read_table: Any) -> None:
    # An arrest has two rows, all else one.
    numbers, arrests = [], []
    for row in range(ROWS):
        numbers.append(row - 1 if row % 4 == 1 else row)
        arrests.append("true" if row % 4 < 2 else "false")
    read, _ = read_table(make_table(Case_Number=numbers, Arrest=arrests, Victim=range(ROWS)))
    leak = find(read.leaks, "rows")
    assert (leak.figure, leak.rows, leak.kept_out) == (1.0, ROWS // 2, True)
    assert "0% of rows that are alone, 100% of pairs have it" in leak.sentence
    assert "split by incident" in leak.sentence
    merged, _ = read_table(make_table(Case_Number=numbers, Arrest=arrests, Victim=range(ROWS)), merge=True)
    assert "each incident is one row here" in find(merged.leaks, "rows").sentence


def test_the_rows_that_an_import_has_merged_are_one_too(read_table: Any, tmp_path: Path) -> None:
    outcomes = list(list_outcomes())
    pyogrio.raw.write(
        tmp_path / "merged.gpkg",
        None,
        [
            np.datetime64("2020-01-01", "D") + np.arange(ROWS),
            np.array(["THEFT"] * ROWS, dtype=object),
            np.array(outcomes),
            np.where(outcomes, 3, 1),
        ],
        ["occurred", "category", "arrest", "rows"],
        driver="GPKG",
        geometry_type=None,
    )
    read, _ = read_table(tmp_path / "merged.gpkg", other_fields=["rows"])
    leak = find(read.leaks, "rows")
    assert (leak.names, leak.figure, leak.rows, leak.kept_out) == (("rows",), 1.0, ROWS // 4, True)
    assert read.rows.other == {}
    assert read.kept_out == ("rows",)


def test_descriptions_that_are_outcomes_by_definition_are_named(read_table: Any) -> None:
    kinds = ["NARCOTICS" if row % 4 == 0 and row < 160 else "THEFT" for row in range(ROWS)]
    texts = ["POSS: CRACK" if kind == "NARCOTICS" else f"OVER ${row % 3}00" for row, kind in enumerate(kinds)]
    read, _ = read_table(make_table(Category=kinds, Description=texts))
    leak = find(read.leaks, "by_definition")
    assert (leak.names, leak.rows, leak.figure) == (("POSS: CRACK",), 40, 0.4)
    assert "none of them among what victims or others reported" in leak.sentence
    found = find(read.leaks, "found_by_police")
    assert (found.names, found.rows, found.figure) == (("NARCOTICS",), 40, 0.4)
    assert read.found == ("NARCOTICS",)
    assert "proposed by their words" in found.sentence
    # Thirty incidents at least.
    few = [text if row < 100 else "OVER $100" for row, text in enumerate(texts)]
    assert not [leak for leak in read_table(make_table(Description=few))[0].leaks if leak.kind == "by_definition"]


def test_categories_that_police_discover_can_be_chosen(read_table: Any) -> None:
    read, context = read_table(make_table(), found_by_police=["robbery", "Sorcery"])
    assert read.found == ("ROBBERY", "Sorcery")
    leak = find(read.leaks, "found_by_police")
    assert leak.names == ("ROBBERY",)
    assert "proposed" not in leak.sentence
    assert any("No incident has the category Sorcery" in said for said in context.warnings)


def test_duplicates_are_counted_and_say_what_they_change(read_table: Any) -> None:
    again = [
        f"2020-01-01 {0 if row % 4 == 0 else row % 24:02d}:{0 if row % 4 == 0 else row % 60:02d}" for row in range(ROWS)
    ]
    kinds = ["DRUGS" if row % 4 == 0 else f"KIND {row}" for row in range(ROWS)]
    read, _ = read_table(make_table(Date=again, Category=kinds))
    leak = find(read.leaks, "duplicates")
    assert (leak.rows, leak.kept_out) == (99, False)
    assert leak.figure == pytest.approx(0.25 - 1 / 301)
    assert "0.250 with them and 0.003 without" in leak.sentence
    assert "switch on MERGE" in leak.sentence
    merged, _ = read_table(make_table(Date=again, Category=kinds), merge=True)
    assert find(merged.leaks, "duplicates").kept_out
    assert len(merged.rows) == 301


def test_fields_of_people_are_refused_unless_they_are_asked_for(read_table: Any) -> None:
    table = make_table(VicAge=range(ROWS), Race=["a", "b"] * ROWS, Beat=[1, 2, 3] * ROWS)
    with pytest.raises(ParameterError) as caught:
        read_table(table, other_fields=["Beat", "VicAge"])
    assert "VicAge describes people" in str(caught.value)
    assert "switch on PEOPLE" in str(caught.value)
    unasked, _ = read_table(table, other_fields=["Beat"])
    leak = find(unasked.leaks, "person")
    assert (leak.names, leak.kept_out) == (("VicAge", "Race"), True)
    assert list(unasked.rows.other) == ["Beat"]
    asked, context = read_table(table, other_fields=["VicAge", "Race"], people=True)
    assert not find(asked.leaks, "person").kept_out
    assert list(asked.rows.other) == ["VicAge"]
    assert list(asked.rows.labels) == ["Race"]
    assert any("VicAge, Race describe people" in said for said in context.warnings)


def test_what_is_asked_for_is_read_and_said(read_table: Any) -> None:
    numbers = [row - 1 if row % 4 == 1 else row for row in range(ROWS)]
    texts = ["BURGLARY (ARREST MADE)" if row % 8 == 0 else "BURGLARY" for row in range(ROWS)]
    fate = ["held" if happened else "free" for happened in list_outcomes()]
    kinds = ["NARCOTICS" if row % 5 == 0 else "THEFT" for row in range(ROWS)]
    table = make_table(Category=kinds, Description=texts, Fate=fate, Case_Number=numbers, Victim=range(ROWS))
    read, _ = read_table(table, other_fields=["Fate"], leaks=list(READABLE_LEAKS))
    for kind in READABLE_LEAKS:
        leak = find(read.leaks, kind)
        assert leak.asked, kind
        assert not leak.kept_out, kind
        assert "asked for" in leak.sentence, kind
    assert list(read.rows.labels) == ["Fate"]
    assert read.kept_out == ()
    assert read.rows.other[ROWS_FEATURE][:4].tolist() == [2, 2, 1, 1]
    described = read.rows.texts["description"]
    assert described.labels[described.codes[0]] == "BURGLARY (ARREST MADE)"
    bare, _ = read_table(table, other_fields=["Fate"])
    assert not any(leak.asked for leak in bare.leaks)
    assert bare.rows.other == bare.rows.labels == {}
    assert bare.rows.texts["description"].codes[0] == MISSING


def test_a_fields_auc_is_not_learned_from_the_row_it_is_judged_on() -> None:
    dice = np.random.default_rng(1)
    happened = dice.random(4000) < 0.3
    # A number of its own for each row says nothing, and neither does chance.
    assert measure_field(np.arange(4000, dtype=np.int32), happened) == pytest.approx(0.5, abs=0.03)
    assert measure_field(dice.integers(0, 900, 4000).astype(np.int32), happened) == pytest.approx(0.5, abs=0.03)
    assert measure_field(happened.astype(np.int32) - 1, happened) == pytest.approx(1)


def test_weather_and_census_are_found_by_their_names(read_table: Any) -> None:
    table = make_table(
        TMAX=[f"{row % 30}.5" for row in range(ROWS)],
        meanTemp=range(ROWS),
        **{"HARDSHIP INDEX": range(ROWS), "PER CAPITA INCOME": [f"{row}000" for row in range(ROWS)]},
        Weather_text=["fair", "foul"] * ROWS,
        Rate=range(ROWS),
    )
    read, context = read_table(table)
    assert list(read.rows.weather) == ["TMAX", "meanTemp"]
    assert list(read.rows.census) == ["HARDSHIP INDEX", "PER CAPITA INCOME"]
    assert read.rows.other == {}
    assert read.rows.weather["TMAX"][:3].tolist() == [0.5, 1.5, 2.5]
    assert any("Weather found by its names: TMAX, meanTemp" in said for said in context.messages)
    chosen, _ = read_table(table, weather_fields=["TMAX"], other_fields=["Weather_text", "Rate"])
    assert list(chosen.rows.weather) == ["TMAX"]
    assert list(chosen.rows.labels) == ["Weather_text"]
    assert list(chosen.rows.other) == ["Rate"]
    with pytest.raises(ParameterError, match="Weather_text holds no numbers"):
        read_table(table, weather_fields=["Weather_text"])


def test_numbers_with_gaps_stay_numbers(read_table: Any) -> None:
    gaps = ["" if row % 5 == 0 else "?" if row % 40 == 1 else str(row) for row in range(ROWS)]
    read, context = read_table(make_table(Level=gaps), other_fields=["Level"])
    values = read.rows.other["Level"]
    assert np.isnan(values[[0, 1, 5]]).all()
    assert values[2] == 2
    assert any("Level: 10 of 400 rows hold no number there" in said for said in context.warnings)
