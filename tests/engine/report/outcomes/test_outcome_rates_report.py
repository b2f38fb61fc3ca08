"""The report of Outcome rates, its sentences and its table."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kit.contexts import Recorder
from kit.hostile import HOSTILE, find_faults_of_page
from kit.outcomerows import make_outcome_rows
from kit.pages import Page

from riskengine.report.outcomes.rates_page import write_rates_report
from riskengine.report.outcomes.rates_tables import write_rates_csv
from riskengine.report.outcomes.rates_words import describe_cases, describe_found, describe_headline
from riskengine.systems.outcomes.arealayer import find_areas
from riskengine.systems.outcomes.ratesstudy import RatesStudy, study_rates
from riskengine.systems.outcomes.rows import Coded, Rows

Study = Callable[..., RatesStudy]


@pytest.fixture
def study() -> Study:
    """`study(rows)`: what is found of them, narcotics found by police."""

    def study(rows: Rows | None = None, found: tuple[str, ...] = ("NARCOTICS",)) -> RatesStudy:
        rows = make_outcome_rows() if rows is None else rows
        category, said = rows.texts["category"], Recorder()
        known = np.array([label in found for label in category.labels])
        return study_rates(rows, ~known[category.codes], found, find_areas(rows, None, None, None, said), said)

    return study


def test_every_figure_comes_twice_with_its_interval(study: Study) -> None:
    rows = make_outcome_rows()
    victims = rows.texts["category"].codes != 2
    said = describe_headline(study(rows), "an arrest (Arrest is true)")
    every, some = rows.outcomes.mean(), rows.outcomes[victims].mean()
    shares = [float(each) / 100 for each in re.findall(r"(\d+\.\d) % \(\d", said.replace("\N{NO-BREAK SPACE}", " "))]
    assert shares == pytest.approx([every, some], abs=0.001)
    assert said.startswith("Of 2,000 incidents of Mon 1 Jan – Tue 9 Apr 2024, ")
    assert f"of {victims.sum():,}." in said
    lost = 1 - rows.outcomes[victims].sum() / rows.outcomes.sum()
    assert f"has {100 * lost:.1f}\N{NO-BREAK SPACE}% of the outcomes" in describe_found(study(rows))


def test_where_police_found_nothing_figures_come_once(study: Study, tmp_path: Path) -> None:
    found = study(found=())
    assert list(found.of) == ["all"]
    assert describe_found(found).startswith("By their names none of the categories are such")
    write_rates_report(tmp_path / "page.html", found, "an arrest (Arrest is true)", [("true", 3, True)], {})
    assert "Reported by victims" not in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_a_fall_at_the_end_is_said_to_be_none(study: Study) -> None:
    """Of the last three weeks no outcome is known yet."""
    rows = make_outcome_rows(6000, 200)
    late = rows.day > rows.day.max() - np.timedelta64(21, "D")
    said = describe_cases(study(replace(rows, happened=rows.outcomes & ~late)))
    assert said[0].startswith("In the 28 days up to Thu 18 Jul 2024, among what victims reported, there are 2")
    assert said[0].endswith("so rates fall toward the end of a file: that is not a fall.")
    assert said[1].startswith("Proposed maturity: 21 days, the age from which on")
    assert said[2].startswith("Most outcomes are missing of: BATTERY, ")
    short = describe_cases(study(make_outcome_rows(500, 40)))
    assert short[1].startswith("The file is of 40 days, too few to show how long outcomes take (84 are needed).")


def test_the_csv_holds_all_that_the_page_says(study: Study, tmp_path: Path) -> None:
    rows = make_outcome_rows()
    write_rates_csv(tmp_path / "rates.csv", study(rows))
    found = {
        (row["rows"], row["at"], row["figure"]): row
        for row in csv.DictReader((tmp_path / "rates.csv").open(encoding="utf-8"))
    }
    theft = rows.texts["category"].codes == 0
    row = found["all", "category THEFT", "rate"]
    assert float(row["number"]) == pytest.approx(rows.outcomes[theft].mean(), abs=1e-5)
    assert float(row["low"]) < float(row["number"]) < float(row["high"])
    assert found["all", "category THEFT", "incidents"]["number"] == str(theft.sum())
    own = (rows.texts["area"].codes == 3) & (rows.texts["category"].codes != 2)
    assert found["victims", "compared area area 3", "incidents"]["number"] == str(own.sum())
    assert ("victims", "category NARCOTICS", "rate") not in found
    assert found["victims", "all", "proposed_maturity"]["number"] == "0"


def test_hostile_names_do_no_harm(study: Study, tmp_path: Path) -> None:
    rows = make_outcome_rows(3000)
    names = list(HOSTILE.values())
    codes = np.arange(3000) % len(names)
    texts = {role: Coded(codes.astype(np.int32), names) for role in ("category", "description", "location", "area")}
    found = study(replace(rows, texts={**rows.texts, **texts}), tuple(names[:3]))
    path = tmp_path / "page.html"
    values = [(name, 1, False) for name in names]
    write_rates_report(path, found, "x", values, {}, "EPSG:32616", findings=["A finding"])
    assert find_faults_of_page(Page(path)) == []
    write_rates_csv(tmp_path / "rates.csv", found)
    with (tmp_path / "rates.csv").open(encoding="utf-8", newline="") as file:
        cells = {row["at"] for row in csv.DictReader(file)}
    # Names are whole, and no cell is a formula.
    assert f"category {HOSTILE['formula']}" in cells
    assert not {cell[:1] for cell in cells} & set("=+-@\t\r")


def test_as_many_categories_as_incidents_are_left_to_the_table_of_figures(study: Study, tmp_path: Path) -> None:
    rows = make_outcome_rows(500)
    each = Coded(np.arange(500, dtype=np.int32), [f"kind {number}" for number in range(500)])
    found = study(replace(rows, texts={"category": each}), ())
    write_rates_report(tmp_path / "page.html", found, "Arrest: true", [], {})
    page = Page(tmp_path / "page.html")
    assert "440 values with fewer incidents" in page.text
    assert len({row[0] for row in page.rows if row and row[0].startswith("kind ")}) == 60
