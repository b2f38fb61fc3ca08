"""Warnings: what is said of a test of them, its page, its rows and the training's page; alarms are counted by hand."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from kit.hostile import WRITABLE, find_faults_of_page
from kit.pages import Page, collapse_blanks, read_figure
from kit.sentences import find_faults, find_faults_of_report
from kit.warningtests import DAYS, make_warning_steps, make_warnings_judged

from riskengine.contract.warnings import Budget, Timing, describe_budget, describe_known, describe_windows
from riskengine.evaluation.warned import WarningsJudged
from riskengine.forecasters.catalogue import make_forecaster
from riskengine.forecasters.modelcard import ModelCard, make_card
from riskengine.forecasters.warningnote import make_note
from riskengine.report.warnings.limits import NO_GROUND, describe_feedback
from riskengine.report.warnings.names import find_words, name_targets
from riskengine.report.warnings.page import write_warnings_report
from riskengine.report.warnings.rows import list_warning_figures, write_warnings_figures
from riskengine.report.warnings.sentences import (
    describe_alarms,
    describe_drift,
    describe_lift,
    describe_missed,
    describe_stay,
    describe_units,
    describe_warnings,
    list_sentences,
)
from riskengine.report.warnings.tables import name_budget
from riskengine.report.warnings.training import write_warning_training_report
from riskengine.report.warnings.verdict import NOTHING, describe_warnings_verdict

#: Days before the test, and of it; the first is a Monday.
BEFORE, TESTED = 56, 140
QUARTER = Budget("share", 0.25)


def make_events() -> np.ndarray:
    """Four areas: A has an event on four days of five, B on every second day two, C on every seventh one, D never."""
    day = np.arange(BEFORE + TESTED)
    events = np.zeros((len(day), 4), np.uint8)
    events[day % 5 != 0, 0] = 1
    events[day % 2 == 0, 1] = 2
    events[day % 7 == 3, 2] = 1
    return events


def spread(*chances: float) -> np.ndarray:
    return np.tile(chances, (BEFORE + TESTED, 1))


def lean(towards: np.ndarray) -> np.ndarray:
    """The default's probabilities, a tenth nearer to what happens on some days, and farther from it on others."""
    happened = make_events() > 0
    sign = np.where(happened, 1.0, -1.0) * np.where(towards, 1.0, -1.0)[:, None]
    return np.clip(MODELS["level"] + 0.1 * sign, 0.02, 0.98)


#: The default warns of A every day, calendar and place of B; a quarter of all area-days each.
MODELS = {
    "level": spread(0.8, 0.5, 0.14, 0.03),
    "constant": spread(0.4, 0.4, 0.4, 0.4),
    "calendar_reset": spread(0.5, 0.7, 0.3, 0.03),
}
DAY = np.arange(BEFORE + TESTED)
#: How a learned model does beside the default.
LEARNED = {"better": DAY >= 0, "worse": DAY < 0, "none": DAY // 7 % 2 == 0}


def judge(learned: str = "none", events: np.ndarray | None = None, **more: str) -> WarningsJudged:
    risks = {**MODELS, **({"boosting": lean(LEARNED[learned])} if learned else {})}
    steps = make_warning_steps(make_events() if events is None else events)
    return make_warnings_judged(steps, risks, DAYS, BEFORE, QUARTER, more)


def test_the_officers_sentence_comes_first_and_counts_right() -> None:
    # Of 140 days A had an event on 112, B on 70, C on 20.
    assert describe_warnings(judge()) == (
        "Of 100 area-days warned of, 80 had a shooting; of 100 picked by calendar and place, 50; of 100 drawn at"
        " random, 36."
    )


def test_few_alarms_are_counted_one_by_one() -> None:
    days = BEFORE + 28
    steps = make_warning_steps(make_events()[:days])
    judged = make_warnings_judged(steps, {name: risk[:days] for name, risk in MODELS.items()}, DAYS, BEFORE, QUARTER)
    assert describe_warnings(judged).startswith(
        "Of the 28 area-days warned of, 23 had a shooting; of the 28 picked by calendar and place, 14; "
    )


def test_what_was_raised_missed_and_where() -> None:
    judged = judge()
    assert collapse_blanks(describe_alarms(judged)) == (
        "Allowed were 25 % of all area-days; really raised, with a threshold that followed the last 28 days before each"
        " warning: 140 alarms, 25.0 % of all area-days. 112 of 140 alarms were true, 0.250 false for each true one."
    )
    # 112 events in A, 140 in B, 20 in C.
    assert collapse_blanks(describe_missed(judged)) == (
        "They came before 112 of the 202 area-days that had a shooting (55.4 %), and before 112 of 272 events (41.2 %);"
        " 160 came without a warning."
    )
    assert collapse_blanks(describe_lift(judged)).startswith(
        "Where each raises 140 alarms, those of level × calendar × place are true 1.60 times as often as those of"
        " calendar and place (95 % interval 1."
    )
    assert describe_units(judged) == (
        "Half of the 140 warnings fell on 1 of 4 areas: whoever lives there bears them. 3 areas were never warned of."
    )
    assert collapse_blanks(describe_stay(judged)) == (
        "Of all warnings 100 % repeat one for the same area in the day before: these say where, and hardly when."
    )
    # 140 days of .8 + .5 + .14 + .03.
    assert describe_drift(judged) == (
        "Over the whole test 206 area-days with an event were expected, and 202 came (0.982 times as many); no month"
        " was farther off than chance would have it."
    )


def test_a_month_that_nobody_expected_is_named() -> None:
    events = make_events()
    # May 2018, wholly in the test: nothing where 31 days of 1.47 were expected.
    events[(DAY >= 120) & (DAY < 151)] = 0
    assert describe_drift(judge("", events)).endswith("; farthest off was May 2018: 45.6 expected, 0 came.")


@pytest.mark.parametrize("learned", LEARNED)
def test_the_verdict_on_a_learned_model(learned: str) -> None:
    said, tone = describe_warnings_verdict(judge(learned))
    said = collapse_blanks(said)
    if learned == "better":
        assert said.startswith(
            "There is a warning beyond place, hour and level: Boosting is better than level ×"
            " calendar × place, log-loss −0."
        )
        assert tone == ""
    else:
        near = "its log-loss differs by +0." if learned == "worse" else "its log-loss differs by "
        assert said.startswith(
            f"{NOTHING}: the one learned model (boosting) is not better than level × calendar × place; {near}"
        )
        assert (", which is WORSE." in said) is (learned == "worse")
        assert tone == "unsure"
    # The default names A's events, calendar and place B's, of which there are more.
    level = said[said.index("What the level adds to calendar and place is calibration") :]
    assert "calibration, but FEWER events are warned of: Level × calendar × place is better, log-loss −0." in level
    assert "calibration error 0.0" in level
    assert "with 140 area-days warned of it names 112 of 272 events, calendar and place 140 (−10.3 points [" in level


def test_several_learned_models_are_counted() -> None:
    risks = {**MODELS, "boosting": lean(LEARNED["none"]), "logistic": lean(LEARNED["worse"])}
    judged = make_warnings_judged(make_warning_steps(make_events()), risks, DAYS, BEFORE, QUARTER)
    said = describe_warnings_verdict(judged)[0]
    assert said.startswith(
        f"{NOTHING}: none of the 2 learned models is better than level × calendar × place; the nearest"
        " (boosting) differs by "
    )
    assert "; 1 is WORSE." in said
    risks |= {"boosting": lean(LEARNED["better"])}
    judged = make_warnings_judged(make_warning_steps(make_events()), risks, DAYS, BEFORE, QUARTER)
    assert "is better than level × calendar × place (1 of 2 learned models is), " in list_sentences(judged)[4]


def test_learned_models_that_found_nothing_of_use() -> None:
    risks = {**MODELS, "boosting": MODELS["level"]}
    judged = make_warnings_judged(make_warning_steps(make_events()), risks, DAYS, BEFORE, QUARTER)
    said = f"{NOTHING}: the one learned model (boosting) gives the forecasts of level × calendar × place. "
    assert describe_warnings_verdict(judged)[0].startswith(said)
    risks |= {"logistic": lean(LEARNED["worse"])}
    judged = make_warnings_judged(make_warning_steps(make_events()), risks, DAYS, BEFORE, QUARTER)
    said = describe_warnings_verdict(judged)[0]
    assert "is better than level × calendar × place; 1 forecasts just as it does; the nearest of the others (" in said


def test_a_level_that_is_no_calibration_is_not_said_to_be() -> None:
    """A sharper model may have the smaller log-loss and the larger calibration error."""
    events = make_events()
    sharp = np.where(events > 0, 0.8, 0.1)
    blunt = np.tile((events[BEFORE:] > 0).mean(axis=0), (len(events), 1))
    judged = make_warnings_judged(
        make_warning_steps(events), {"level": sharp, "calendar_reset": blunt}, DAYS, BEFORE, QUARTER
    )
    assert (
        "The level adds a little to calendar and place, and more events are warned of: Level × calendar × place is"
        in (describe_warnings_verdict(judged)[0])
    )


def test_nothing_learned_was_tried() -> None:
    said, tone = describe_warnings_verdict(judge(""))
    assert said.startswith(
        "Whether anything recent warns beyond place, hour and level was not asked: no learned model, "
    )
    assert tone == "unsure"


def test_a_default_that_is_worse_is_no_default_to_use() -> None:
    steps = make_warning_steps(make_events())
    risks = {"level": MODELS["calendar_reset"], "calendar_reset": MODELS["level"]}
    said, tone = describe_warnings_verdict(make_warnings_judged(steps, risks, DAYS, BEFORE, QUARTER))
    assert "Level × calendar × place is WORSE than calendar and place (log-loss +0." in said
    assert said.endswith("): use that.")
    assert tone == "worse"


def test_a_trained_model_that_is_worse_than_the_default() -> None:
    steps = make_warning_steps(make_events())
    risks = {"boosting": lean(LEARNED["worse"]), **MODELS}
    judged = make_warnings_judged(steps, risks, DAYS, BEFORE, QUARTER)
    assert judged.model == "boosting"
    said, tone = describe_warnings_verdict(judged)
    assert "Boosting is WORSE than level × calendar × place (log-loss +0." in said
    assert said.endswith("): warn by the latter.")
    assert tone == "worse"


def test_too_few_events_are_no_answer_and_the_number_that_would_do_is_said(tmp_path: Path) -> None:
    events = np.zeros((BEFORE + TESTED, 4), np.uint8)
    events[::14, 0] = 1
    judged = judge("better", events)
    said, tone = describe_warnings_verdict(judged)
    assert said.startswith("The 140 windows tested hold 10 events: too few to tell the models apart. 30 would do")
    assert "420 windows" in said
    assert tone == "unsure"
    write_warnings_report(tmp_path / "r.html", judged, {})
    page = Page(tmp_path / "r.html")
    assert page.text.count("too few to tell the models apart") == 1


def test_no_event_at_all(tmp_path: Path) -> None:
    judged = judge("better", np.zeros((BEFORE + TESTED, 4), np.uint8))
    assert describe_warnings(judged) == (
        "None of the 560 area-days tested had a shooting, so nothing can be said about how good warnings are."
    )
    write_warnings_report(tmp_path / "r.html", judged, {})
    assert find_faults_of_report(tmp_path / "r.html") == []


def test_a_model_that_warns_of_nothing(tmp_path: Path) -> None:
    steps = make_warning_steps(make_events())
    judged = make_warnings_judged(steps, {"constant": MODELS["constant"]}, DAYS, BEFORE, QUARTER)
    assert describe_warnings(judged) == (
        "No area-day was warned of, for none stood out of those before; 202 of 560 area-days had a shooting."
    )
    write_warnings_report(tmp_path / "r.html", judged, {})
    assert find_faults_of_report(tmp_path / "r.html") == []


def test_one_unit_is_the_city(tmp_path: Path) -> None:
    timing = Timing(12, 6, 0, 24)
    events = np.repeat(make_events()[:, 1:2], 2, axis=0)
    steps = make_warning_steps(events, timing, categories=["HOMICIDE", "SHOOTING"])
    night = (
        np.where(np.arange(len(events)) % 2 == 1, 0.6, 0.4)[:, None] + 0.001 * np.sin(np.arange(len(events)))[:, None]
    )
    risks = {"level": night, "calendar_reset": np.roll(night, 1, axis=0)}
    judged = make_warnings_judged(steps, risks, timing, 2 * BEFORE, Budget("week", 4))
    said = describe_warnings(judged)
    assert said.startswith("Of the ")
    assert "windows of 12 hours warned of, " in said
    assert " had a homicide or a shooting; " in said
    assert "Allowed were 4 alarms a week; really raised" in describe_alarms(judged)
    assert " a week. " in describe_alarms(judged)
    assert describe_units(judged) == describe_stay(judged) == ""
    write_warnings_report(tmp_path / "r.html", judged, {})
    page = Page(tmp_path / "r.html")
    page.check_order()
    assert "area" not in page.text.replace("area under precision", "")
    assert "Windows of 12 hours that begin at 06:00 and 18:00. A warning is made when its window begins, and knows what"
    assert " happened up to 24 hours before that, and nothing later." in page.text
    assert find_faults_of_report(tmp_path / "r.html") == []


def test_the_page_opens_with_the_answer_and_names_what_failed(tmp_path: Path) -> None:
    judged = judge("none", random_forest="Too few windows: 8 of 30 that are needed.")
    notes = ["108 rows have no time of day", judged.notes[0]] if judged.notes else ["108 rows have no time of day"]
    write_warnings_report(tmp_path / "r.html", judged, {"window": 24}, notes, precursors=["NARCOTICS", "ASSAULT"])
    page = Page(tmp_path / "r.html")
    page.check_order()
    assert page.lead == describe_warnings(judged)
    assert collapse_blanks(describe_warnings_verdict(judged)[0]) in page.text
    assert page.tiles[0].replace("\N{NO-BREAK SPACE}", " ") == "80.0 %"
    for sentence in (NO_GROUND, *list_sentences(judged)[:3]):
        assert page.text.count(collapse_blanks(sentence)) == 1, sentence
    assert "108 rows have no time of day." in page.text
    assert "Of the categories read here this is of that kind, by its name: NARCOTICS." in page.text
    assert page.find_row("Random forest", 2)[1] == "could not be run: Too few windows: 8 of 30 that are needed."
    row = page.find_row("Level × calendar × place ★", 9)
    assert row[3].startswith("compared with")
    assert page.find_row("Calendar × place, level reset baseline", 9)[2].startswith("compared with")
    # As many alarms for each: a constant gets the base rate, 202 of 560, and a quarter of the events.
    assert next(row for row in page.rows if row[0] == "Constant")[7:9] == ["36 %", "25 %"]
    # A, warned of every day.
    assert page.find_row("A000", 9) == ["A000", "140", "112", "112.0", "1.00", "140", "112", "0", "112 of 112"]
    assert page.find_row("A001", 9)[5:] == ["0", "0", "70", "0 of 140"]
    assert find_faults_of_report(tmp_path / "r.html") == []


def test_every_sentence_keeps_the_rules() -> None:
    for learned in (*LEARNED, ""):
        judged = judge(learned, random_forest="Too few windows: 8 of 30 that are needed.")
        assert [fault for said in list_sentences(judged) for fault in find_faults(said)] == []
        assert find_faults(describe_warnings_verdict(judged)[0], judges=True) == []


def test_costs_decide_where_they_are_asked_for(tmp_path: Path) -> None:
    # A miss costs as much as three false alarms: what is likelier than a quarter is warned of.
    steps = make_warning_steps(make_events())
    judged = make_warnings_judged(steps, MODELS, DAYS, BEFORE, Budget("cost", 3.0))
    assert describe_alarms(judged).startswith(
        "Allowed were as many alarms as pay where a missed event costs 3 times a false alarm; really raised: 280 alarms"
    )
    assert describe_lift(judged) == ""
    write_warnings_report(tmp_path / "r.html", judged, {})
    page = Page(tmp_path / "r.html")
    assert page.find_row("a miss costs 3", 7)[2].startswith("280 ")
    assert "28 days before each warning" not in page.text
    assert find_faults_of_report(tmp_path / "r.html") == []


def test_a_large_budget_is_written_out() -> None:
    budgets = (Budget("week", 1234.0), Budget("cost", 2500.0), Budget("week", 2.5))
    assert [name_budget(each) for each in budgets] == ["1,234 a week", "a miss costs 2,500", "2.5 a week"]


def test_bars_of_few_areas_and_a_map_of_many(tmp_path: Path) -> None:
    write_warnings_report(tmp_path / "few.html", judge(), {})
    few = Page(tmp_path / "few.html")
    assert "warned of, had none (false alarm)" in read_figure(few.links[0])
    events = np.tile(make_events(), 6)
    steps = make_warning_steps(events, names=[f"Ward {number}" for number in range(24)])
    risks = {name: np.tile(risk, 6) + 1e-4 * np.arange(24) for name, risk in MODELS.items()}
    write_warnings_report(tmp_path / "many.html", make_warnings_judged(steps, risks, DAYS, BEFORE, QUARTER), {})
    many = Page(tmp_path / "many.html")
    assert "share of the days warned of" in read_figure(many.links[0])
    assert "The other 12 areas" in many.text
    assert many.find_row("Ward 20", 9)[5] == "140"


@pytest.mark.parametrize("name", WRITABLE.values(), ids=WRITABLE)
def test_hostile_names_break_nothing(name: str, tmp_path: Path) -> None:
    # Names of areas are ids of nothing: two may be alike.
    steps = make_warning_steps(make_events(), categories=[name], names=[name, name, "B & <b>", "D"])
    judged = make_warnings_judged(steps, MODELS, DAYS, BEFORE, QUARTER)
    write_warnings_report(tmp_path / "r.html", judged, {}, precursors=[name])
    page = Page(tmp_path / "r.html")
    assert find_faults_of_page(page) == []
    write_warnings_figures(tmp_path / "t.csv", judged)
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert not [row for row in rows if row["at"][:1] in tuple("=+-@")]


def test_what_events_are_called() -> None:
    assert name_targets(["SHOOTING"]) == "a shooting"
    assert name_targets(["AGG. ASSAULT", "Robbery"]) == "an agg. assault or a robbery"
    assert name_targets(["A1", "B", "C"]) == name_targets([]) == name_targets(["<b>"]) == "an event"
    steps = make_warning_steps(make_events(), Timing(168, 0, 0, 0))
    words = find_words(steps, Timing(168, 0, 0, 0))
    assert [words.count(number) for number in (1, 2000)] == ["1 area-week", "2,000 area-weeks"]
    words = find_words(steps, Timing(48, 0, 0, 0))
    assert words.count(2) == "2 windows of 2 days in an area"
    city = find_words(make_warning_steps(make_events()[:, :1]), DAYS)
    assert [city.count(1), city.count(2), city.alone] == ["1 day", "2 days", True]


def test_windows_budgets_and_what_is_known() -> None:
    assert describe_windows(Timing(24, 6)) == "windows of 24 hours that begin at 06:00"
    assert describe_windows(Timing(12, 18)) == "windows of 12 hours that begin at 06:00 and 18:00"
    assert describe_windows(Timing(2)) == "windows of 2 hours that begin every 2 hours from 00:00"
    assert describe_windows(Timing(1)) == "windows of 1 hour that begin every hour from 00:00"
    assert describe_windows(Timing(168, 30)) == "windows of 7 days that begin on Tuesdays at 06:00"
    assert describe_windows(Timing(72, 6)) == "windows of 3 days that begin every 3 days at 06:00"
    assert describe_known(Timing(24, 0, 6, 48)) == (
        "A warning is made 6 hours before its window begins, and knows what happened up to 2 days before that, and"
        " nothing later."
    )
    assert describe_known(DAYS) == (
        "A warning is made when its window begins, and knows all that was recorded until then."
    )
    assert describe_budget(Budget("week", 1.0)) == "1 alarm a week"


def test_what_police_make_themselves_is_named() -> None:
    assert describe_feedback(["SHOOTING"], ["AGG. ASSAULT"]).endswith(
        "By their names none of the categories read here is of that kind."
    )
    said = describe_feedback(["SHOOTING"], ["NARCOTICS", "WEAPONS VIOLATION"])
    assert "these are of that kind, by their names: NARCOTICS, WEAPONS VIOLATION." in said
    assert said.endswith(" Where warnings send anybody, leave them out.")


def test_the_table_has_every_figure() -> None:
    judged = judge("none")
    rows = list(list_warning_figures(judged))
    found = {(row["model"], row["metric"], row.get("at", "")): row for row in rows}
    assert len(found) == len(rows)
    row = found["level", "precision", "25 %, raised"]
    assert (row["value"], row["n"], row["N"]) == (0.8, 112.0, 140.0)
    row = found["constant", "recall_events", "25 %, most likely of the test"]
    assert (row["value"], row["n"], row["N"]) == (0.25, 68.0, 272.0)
    assert found["level", "lift", "25 %, most likely of the test"]["value"] == pytest.approx(1.6)
    assert found["level", "expected", "area A000"]["value"] == pytest.approx(112)
    change = found["boosting", "log_loss_difference", "minus level"]
    assert change["low"] < 0 < change["high"]


def make_card_of(judged: WarningsJudged) -> ModelCard:
    model = make_forecaster("level", threshold=1).fit(judged.panel)
    note = make_note(judged.timing, ["SHOOTING"], ["AGG. ASSAULT"], judged.budget)
    return make_card(model, judged.panel, {}, warning=note)


def test_the_page_of_a_training(tmp_path: Path) -> None:
    judged = judge()
    card = make_card_of(judged)
    write_warning_training_report(tmp_path / "r.html", judged.panel, card, judged, {}, (), ["AGG. ASSAULT"])
    page = Page(tmp_path / "r.html")
    page.check_order()
    assert page.lead == describe_warnings(judged)
    assert page.find_row("Similar categories", 2)[1] == "AGG. ASSAULT"
    assert page.find_row("Windows", 2)[1] == "windows of 24 hours that begin at 00:00"
    assert page.find_row("Budget", 2)[1] == "25 % of all area-days"
    assert page.text.count("that is kept has the same settings, and was trained again on all windows.") == 1
    assert page.text.count(NO_GROUND) == 1
    assert find_faults_of_report(tmp_path / "r.html") == []


def test_the_page_of_a_training_that_held_nothing_out(tmp_path: Path) -> None:
    judged = judge()
    card = replace_note(make_card_of(judged))
    write_warning_training_report(tmp_path / "r.html", judged.panel, card, None, {})
    page = Page(tmp_path / "r.html")
    assert page.lead == (
        "Level × calendar × place has learned from 380 events when and where a shooting is likely; what its warnings"
        " are worth was not measured."
    )
    assert "Not evaluated: no window was held out, so nothing can be said about how good its warnings are." in page.text
    assert page.find_row("Similar categories", 2)[1] == "all others"
    assert find_faults_of_report(tmp_path / "r.html") == []


def replace_note(card: ModelCard) -> ModelCard:
    """The same, where no similar categories were named."""
    assert card.warning is not None
    return card.model_copy(update={"warning": {**card.warning, "similar": []}})
