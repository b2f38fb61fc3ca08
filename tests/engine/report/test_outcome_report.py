"""The report of an outcome model: what it says of chosen figures, and that hostile names stay names."""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kit.hostile import HOSTILE, find_faults_of_page
from kit.outcomestudies import BASE, ROWS, VICTIMS, VICTIMS_BASE, make_study, spread
from kit.pages import Page
from kit.sentences import find_faults, find_faults_of_report
from numpy.typing import NDArray

from riskengine.contract.outcomes import OutcomeSplit
from riskengine.measures.clustered import Interval
from riskengine.report.outcomes.areas import describe_areas, describe_correlation, list_area_rows
from riskengine.report.outcomes.ladder import describe_group
from riskengine.report.outcomes.page import COLUMNS, write_outcome_figures, write_outcome_report
from riskengine.report.outcomes.sentences import (
    choose_split,
    describe_calibration,
    describe_found,
    describe_model,
    describe_verdict,
    describe_within,
    list_maturity,
)
from riskengine.systems.outcomes.cases import study_cases
from riskengine.systems.outcomes.judged import OutcomeStudy, Tested
from riskengine.systems.outcomes.rows import Coded, Rows

FORWARD: OutcomeSplit = "forward"


def write(
    folder: Path, study: OutcomeStudy, outcome: str = "an arrest (Arrest is true)", indicator: str = "hardship"
) -> Page:
    path = folder / "r.html"
    given = {"incidents": "chicago.gpkg", "kind": study.default, "maturity": study.maturity}
    notes = ["The time was found by its name", "Resolution says the outcome itself"]
    write_outcome_report(path, study, given, "EPSG:32616", notes, outcome, indicator)
    return Page(path)


@pytest.fixture(scope="module")
def study() -> OutcomeStudy:
    return make_study()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, study: OutcomeStudy) -> Page:
    folder = tmp_path_factory.mktemp("report")
    page = write(folder, study)
    assert find_faults_of_report(folder / "r.html") == []
    return page


def make_rows(days: NDArray[np.datetime64], happened: NDArray[np.bool_]) -> Rows:
    """Thefts of these days, at noon and nowhere."""
    number = len(days)
    clock, nowhere = np.full(number, 12, np.int8), np.full(number, np.nan)
    kinds = {"category": Coded(np.zeros(number, np.int32), ["THEFT"])}
    return Rows(np.arange(number), days, clock, clock * 0, nowhere, nowhere, kinds, happened=happened)


def compare_with_table(study: OutcomeStudy, difference: Interval) -> OutcomeStudy:
    """The same study with another difference between the default and the table of rates, of all reports forward."""
    return replace(study, differences={**study.differences, (study.default, FORWARD, "all"): difference})


def set_figure(study: OutcomeStudy, model: str, name: str, value: Interval) -> OutcomeStudy:
    scores = [
        replace(score, figures={**score.figures, name: value}) if score.model == model else score
        for score in study.scores
    ]
    return replace(study, scores=scores)


def test_it_opens_with_what_the_model_tells_of_all_and_of_victims_reports(page: Page) -> None:
    assert page.lead == (
        "From kind, place and time of an incident this model says how likely an arrest (Arrest is true) is. Of 100"
        " pairs of one with it and one without, it gives the first the higher probability in 90; among what victims"
        " reported alone, in 82. A coin does in 50."
    )
    assert page.tiles == ["0.903", "0.817", "0.897", "0.806", "0.760"]
    assert "It says nothing about a person, and it is no ground to leave a report uninvestigated" in page.text
    page.check_order(has_map=False)


def test_a_table_of_rates_that_does_almost_the_same_is_said_to(study: OutcomeStudy, page: Page) -> None:
    said, kind = describe_verdict(study)
    assert kind == ""
    assert said.startswith(
        "A table of rates (rate of category, description and location) does almost the same: it has 90 and 81."
    )
    assert "by 2.7\N{NO-BREAK SPACE}% of the log-loss (log-loss less the table’s: −0.0070, 95 % interval" in said
    assert " ".join(said.replace("\N{NO-BREAK SPACE}", " ").split()) in page.text


@pytest.mark.parametrize(
    ("difference", "kind", "told"),
    [
        (Interval(-0.001, -0.003, 0.001), "unsure", "no difference can be told from chance"),
        (Interval(0.004, 0.001, 0.007), "worse", "and its probabilities are nearer to what happened"),
        (Interval(-0.004, math.nan, math.nan), "unsure", "there are too few days"),
    ],
)
def test_the_verdict_goes_by_the_interval(study: OutcomeStudy, difference: Interval, kind: str, told: str) -> None:
    said, found = describe_verdict(compare_with_table(study, difference))
    assert found == kind
    assert told in said
    assert "almost the same" not in said
    assert find_faults(said, judges=True) == []


def test_a_model_that_is_far_nearer_than_the_table_is_not_almost_the_same(study: OutcomeStudy) -> None:
    far = set_figure(study, study.reference, "log_loss", spread(0.30, 0.003))
    assert "almost the same" not in describe_verdict(far)[0]
    assert "by 16.0\N{NO-BREAK SPACE}% of the log-loss" in describe_verdict(far)[0]


def test_it_says_how_much_of_the_outcomes_police_found_themselves(study: OutcomeStudy) -> None:
    rows = 100 * (1 - VICTIMS / ROWS)
    outcomes = 100 * (1 - VICTIMS * VICTIMS_BASE / (ROWS * BASE))
    said = describe_found(study).replace("\N{NO-BREAK SPACE}", " ")
    assert said.startswith(
        f"Police found {rows:.0f} % of these incidents themselves (NARCOTICS, PROSTITUTION), and they have"
        f" {outcomes:.0f} % of the outcomes."
    )


@pytest.mark.parametrize(("base", "whole"), [(0.0, "None"), (1.0, "All")])
def test_a_test_in_which_all_incidents_ended_alike_is_said_to_tell_nothing(
    base: float, whole: str, study: OutcomeStudy, tmp_path: Path
) -> None:
    nothing = Interval(math.nan, math.nan, math.nan)
    scores = [
        replace(score, base=base, figures=dict.fromkeys(score.figures, nothing) | {"log_loss": Interval(0.1, 0, 1)})
        for score in study.scores
    ]
    alike = replace(study, scores=scores)
    assert f"{whole} of the incidents tested have it" in describe_model(alike, "Arrest: true")
    assert describe_verdict(alike)[0].endswith("the incidents tested ended all alike.")
    assert ("none of the tested ones has the outcome" in describe_found(alike)) == (not base)
    assert "nan" not in write(tmp_path, alike).text.lower()


def test_without_anything_that_police_find_figures_come_once(study: OutcomeStudy, tmp_path: Path) -> None:
    scores = [replace(score, rows=ROWS) if score.reported == "victims" else score for score in study.scores]
    page = write(tmp_path, replace(study, scores=scores, leaks=[]))
    assert find_faults_of_report(tmp_path / "r.html") == []
    assert page.tiles == ["0.903", "0.897", "0.760"]
    assert "None of the categories is one that police find themselves" in page.text
    assert "No leak was found." in page.text


def test_where_nothing_was_tested_forward_the_top_says_which_split_it_is_of(tmp_path: Path) -> None:
    made = make_study()
    scores = [score for score in made.scores if score.split == "random"]
    page = write(tmp_path, replace(made, scores=scores, steps=[], areas=[], origin="", curves={}))
    assert "At random, as published: days, streets and rows of one incident are on both" in page.text
    assert "Forward in time" not in page.text
    assert page.lead.endswith("This is the test at random, which flatters.")


def test_the_top_is_of_the_split_that_was_asked_for(study: OutcomeStudy) -> None:
    assert choose_split(study) == "forward"
    asked = Tested("random", np.arange(3), np.full(3, 0.2))
    assert choose_split(replace(study, tested_rows=asked)) == "random"


def test_all_models_stand_in_the_table_of_each_split_with_what_they_differ_from_the_table(page: Page) -> None:
    rows = [row for row in page.rows if row[0] == "Boosted trees with coordinates and past local rate"]
    # Of each split the first table, and one of more figures for all, victims' and strict reports.
    assert [len(row) for row in rows] == [8, 9, 9, 9] * 2
    assert rows[0][1:4] == ["0.903 0.899 to 0.907", "0.252", "−0.0070 −0.0081 to −0.0059"]
    assert rows[0][4:] == ["0.817 0.813 to 0.821", "0.199", "−0.0060 −0.0071 to −0.0049", "0.787 0.783 to 0.791"]
    heads = next(row for row in page.rows if len(row) == 4 and row[1].startswith("All incidents"))
    assert heads[1:3] == [
        "All incidents 32,000 incidents, 20.0 % with the outcome",
        "Reported by victims 26,240 incidents, 11.5 % with the outcome",
    ]


def test_auc_within_a_category_is_explained_in_one_sentence(study: OutcomeStudy) -> None:
    said = describe_within(study)
    assert said.endswith("where the category’s rate has 0.500: the model has 0.760, the table 0.754.")
    assert said.count(". ") == 0


def test_calibration_before_and_after_the_shift_and_the_oracle_apart(study: OutcomeStudy) -> None:
    said = describe_calibration(study)
    assert "off by 0.018 on average" in said
    assert (
        "one shift of the logit by −0.11, learned on the last days before the test, brings that down to 0.007" in said
    )
    assert said.endswith(
        "An oracle that learned the shift on the test itself would have 0.005, which nobody can have in use."
    )
    worse = set_figure(study, study.default, "ece_shifted", spread(0.03, 0.01))
    assert "does not help: 0.030" in describe_calibration(worse)


@pytest.mark.parametrize(
    ("days", "told"), [(28, "28 days before the test were"), (1, "1 day before the test was"), (0, "Set a")]
)
def test_it_says_which_days_were_left_out(study: OutcomeStudy, days: int, told: str) -> None:
    said = " ".join(list_maturity(replace(study, maturity=days)))
    assert told in said
    assert find_faults(said) == []


def test_open_cases_stand_beside_what_was_left_out(study: OutcomeStudy, page: Page, tmp_path: Path) -> None:
    # Without days nobody can tell; a fall at the end is none all the same.
    assert "Outcomes come days to months after an incident, so rates fall toward the end of a file" in page.text
    days = np.arange("2018-01-01", "2018-07-01", dtype="datetime64[D]").repeat(10)
    young = days >= np.datetime64("2018-06-01")
    happened = (np.arange(len(days)) % 10 < 4) & (~young | (np.arange(len(days)) % 10 < 1))
    cases = study_cases(make_rows(days, happened))
    path = tmp_path / "r.html"
    write_outcome_report(path, study, {}, cases={"all": cases, "victims": cases})
    assert find_faults_of_report(path) == []
    assert "In the 28 days up to Sat 30 Jun 2018, among what victims reported, there are 25 %" in Page(path).text
    assert "Outcomes observed of those expected, by the age of the case." in Page(path).alts


def test_each_group_gets_a_sentence_and_controls_stand_beside(study: OutcomeStudy) -> None:
    assert describe_group(study, "category").startswith("helps: −0.0810 (−0.0840 to −0.0780) when added")
    weather = describe_group(study, "weather")
    assert weather.startswith("hurts: +0.0012 (+0.0003 to +0.0021) when added to those above, +0.0010")
    assert "In its place the day's number has +0.0008" in weather
    census = describe_group(study, "census")
    assert census.startswith("adds nothing that can be told from chance: −0.0005")
    assert "In its place census shuffled among areas has −0.0004" in census
    assert census.endswith(
        "Where models are not told the place it gives −0.0035 (−0.0044 to −0.0026); there census shuffled among areas"
        " has −0.0018 (−0.0027 to −0.0009), so most of that is a label of the area."
    )
    assert describe_group(study, "other") == ""


def test_a_group_that_helps_only_while_others_are_missing_is_said_to(study: OutcomeStudy) -> None:
    steps = [
        replace(step, difference=spread(0.0, 0.001)) if (step.group, step.way) == ("time", "left_out") else step
        for step in study.steps
    ]
    assert describe_group(replace(study, steps=steps), "time").startswith(
        "helps only as long as the others are missing"
    )


def test_leaks_have_their_figure_and_what_became_of_them(page: Page) -> None:
    rows = {row[0]: row[1:] for row in page.rows if len(row) == 5}
    assert rows["Says the outcome"] == [
        "Resolution says the outcome itself.",
        "AUC 1.000 alone",
        "156,385",
        "kept out",
    ]
    assert rows["Outcome by definition"][1:] == ["5.0 % of all outcomes", "2,100", "shown apart"]
    assert rows["Found by police"][1:] == ["53.0 % of all outcomes", "28,000", "shown apart"]
    assert rows["Describes people"][1:] == ["–", "156,385", "kept out"]
    # What is not kept out stands at the top, too.
    assert page.text.count("3,319 rows are exact duplicates.") == 2
    assert page.text.count("Resolution says the outcome itself.") == 1
    assert rows["Exact duplicates"][1:] == ["+0.134 in the share with the outcome", "3,319", "read"]


def test_areas_are_counted_beside_what_chance_makes(study: OutcomeStudy) -> None:
    areas = study.areas[0]
    off = int(((areas.low > 0) | (areas.high < 0)).sum())
    assert describe_areas(areas).startswith(f"{off} of 76 areas have another share of outcomes than was predicted (")
    assert describe_areas(areas).endswith("where chance alone makes it about 4.")
    fewer = replace(areas, observed=areas.observed - 0.02, low=areas.low - 0.02, high=areas.high - 0.02)
    assert "less than was predicted, which is the level and no difference between areas" in describe_areas(fewer)
    # What lies off 0 by the level alone is not counted beyond it.
    beyond = int(describe_areas(fewer).split("beyond it ")[1].split(" of 76 ")[0])
    assert beyond < int(describe_areas(fewer).split(" of 76 ")[0])
    few = next(row for row in list_area_rows(areas) if row.rows == 60)
    assert few.difference == "–"
    # Whole numbers have no decimals, and one that is not known is a dash.
    shown = {row.name: row.indicator or "" for row in list_area_rows(areas)}
    assert shown["Area 2"] == "–"
    assert all(text.lstrip("-").isdigit() for name, text in shown.items() if name != "Area 2")


def test_what_follows_from_the_indicator_goes_by_both_correlations(study: OutcomeStudy) -> None:
    areas = study.areas[0]
    assert describe_correlation(areas, "hardship") == (
        "Raw rates rise with hardship (Spearman +0.60, +0.43 to +0.72); observed less predicted, they cannot be told to"
        " follow it (+0.05, −0.18 to +0.27). So areas differ because other things are reported there, not beyond that"
        " as far as can be told."
    )
    sure = replace(areas, residual_correlation=Interval(-0.4, -0.6, -0.2))
    assert "observed less predicted, they fall with it (−0.40" in describe_correlation(sure, "hardship")
    assert "probabilities that are wrong for them" in describe_correlation(sure, "hardship")
    assert describe_correlation(replace(areas, raw_correlation=None), "hardship") == ""


def test_every_figure_stands_in_the_table(tmp_path: Path, study: OutcomeStudy) -> None:
    path = tmp_path / "figures.csv"
    write_outcome_figures(path, study)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    keys = {tuple(row[name] for name in COLUMNS[:5]): (row["value"], row["low"], row["high"]) for row in rows}
    assert len(keys) == len(rows)
    assert keys["model", "boosting_place", "forward", "victims", "auc"] == ("0.817", "0.813", "0.821")
    minus = keys["model", "boosting_place", "forward", "all", "log_loss_minus_rate_location"]
    assert minus == ("-0.007", "-0.0081", "-0.0059")
    assert keys["group control: the day's number", "weather", "forward", "all", "log_loss_difference"][0] == "0.0008"
    assert keys["leak person, kept out", "names AGE", "", "all", "figure"] == ("", "", "")
    assert keys["areas", "all areas", "forward", "all", "raw_correlation"] == ("0.6", "0.43", "0.72")
    assert sum(row["what"] == "area" for row in rows) == 2 * 77 * 5


def test_hostile_names_stay_names(tmp_path: Path) -> None:
    names = list(HOSTILE.values())
    made = make_study(names, names)
    assert find_faults_of_page(write(tmp_path, made, HOSTILE["script"], HOSTILE["long word"])) == []
    path = tmp_path / "figures.csv"
    write_outcome_figures(path, make_study([HOSTILE["formula"]], [HOSTILE["formula"], HOSTILE["plus"]]))
    with path.open(encoding="utf-8", newline="") as file:
        cells = [cell for row in csv.DictReader(file) for name, cell in row.items() if name in COLUMNS[:5]]
    assert not {cell[:1] for cell in cells} & set("=+-@\t\r")
