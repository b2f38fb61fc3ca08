"""Where to go: what is said of a test of the catch, its page, and its rows; n of N is counted by hand here."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from kit.catches import make_judged_catch
from kit.maps import make_stack
from kit.pages import Page, collapse_blanks, read_figure
from kit.panels import make_panel, make_row
from kit.sentences import find_faults, find_faults_of_report
from shapely.geometry import box, mapping

from riskengine.contract.aims import Catch
from riskengine.evaluation.catching import judge_catch_trained, run_catch
from riskengine.evaluation.caught import CellSize
from riskengine.evaluation.exposure import compute_exposure
from riskengine.evaluation.judged import Judged
from riskengine.evaluation.plan import Plan
from riskengine.forecasters.catching.ensemble import CatchEnsemble
from riskengine.forecasters.catching.pointkernel import PointKernel
from riskengine.forecasters.modelcard import make_card
from riskengine.report import catch_words
from riskengine.report.backtest import write_backtest_report
from riskengine.report.catch_numbers import find_used_share, trace_catch
from riskengine.report.catch_sizes import describe_sizes
from riskengine.report.claims import compare, describe_comparison, describe_models, make_headline
from riskengine.report.figures_csv import list_figures
from riskengine.report.learned import describe_learned
from riskengine.report.openings import describe_trial
from riskengine.report.signals import describe_signal
from riskengine.report.training import write_training_report

#: Weeks in all, the first of the test, and of a window.
WEEKS, FIRST, WINDOW = 65, 13, 13
SHAPE = (4, 5)
#: Incidents in a week, by cell, in even and in odd weeks: A always, B in even and C in odd ones, D never in the test.
A, B, C, D, E = (0, 0), (0, 1), (0, 2), (1, 0), (3, 4)
HOSTILE = '<script>alert("x")</script> & {{ 7 * 7 }}'


def make_counts(weeks: int = WEEKS) -> np.ndarray:
    counts = np.zeros((weeks, *SHAPE), np.uint8)
    counts[(..., *A)] = 1
    counts[0::2][(..., *B)] = 1
    counts[1::2][(..., *C)] = 1
    counts[:FIRST][(..., *D)] = 3
    counts[(..., *E)] = 2
    counts[0::3][(..., *E)] = 3
    return counts


def expect(*cells: tuple[int, int]) -> np.ndarray:
    """Most where a model goes to, falling from one to the next."""
    expected = np.full(SHAPE, 0.01)
    for number, cell in enumerate(cells):
        expected[cell] = 5 - number
    return expected


#: What the model and prior counts choose, two cells each; n of the 225 incidents of 52 weeks.
CHOICES = {
    "better": ((A, B), 78, (A, D), 52),
    "worse": ((A, D), 52, (A, B), 78),
    "indistinguishable": ((A, B), 78, (A, C), 78),
}
SAID = {
    "better": "more than chance explains",
    "worse": "a LOSS beyond what chance explains",
    "indistinguishable": "no difference can be told",
}
HEADED = {
    "better": "catches more than",
    "worse": "catches FEWER than",
    "indistinguishable": "its catch cannot be told from that of",
}
TONES = {"better": "", "worse": "worse", "indistinguishable": "unsure"}


def judge(state: str = "better", weeks: int = WEEKS, window: int = WINDOW, **moved: list[int]) -> Judged:
    """Ensemble beside prior counts and a constant that goes to two quiet cells."""
    own, _, prior, _ = CHOICES[state]
    expected = {"ensemble": expect(*own), "prior_counts": expect(*prior), "constant": expect((2, 2), (2, 3))}
    panel = make_stack(make_counts(weeks), bin="1 weeks", cell=200.0, categories=["vehicle theft"])
    return make_judged_catch(panel, expected, FIRST, window, 2, moved or None)


@pytest.mark.parametrize("state", CHOICES)
def test_the_officers_sentence_comes_first_and_counts_right(state: str) -> None:
    judged = judge(state)
    _, caught, _, other = CHOICES[state]
    share, change = 100 * caught / 225, 100 * (caught - other) / 225
    said = collapse_blanks(describe_trial(judged))
    points = f"{change:+.1f}".replace("-", "−")
    assert re.fullmatch(
        rf"The 2 cells chosen for each quarter, 10 % of the study area, held {caught} of 225 incidents"
        rf" \(vehicle theft\), {share:.1f} % \[[\d.]+, [\d.]+\]; as many chosen by prior counts held {other}:"
        rf" {SAID[state]} \({re.escape(points)} points \[[+−][\d.]+, [+−][\d.]+\]\)\.",
        said,
    )
    log = [collapse_blanks(each) for each in describe_comparison(judged)]
    assert log[0] == f"Ensemble: t{said[1:]}"
    assert log[1].startswith(f"PAI {share / 10:.2f} ({caught} of 225, 95 % interval ")
    assert log[1].endswith(f"({caught} of the 173 that as many cells could have held).")


@pytest.mark.parametrize("state", CHOICES)
def test_the_headline_of_a_catch_has_the_grammar_of_all(state: str) -> None:
    judged = judge(state)
    headline, tone = make_headline(judged)
    assert collapse_blanks(headline).startswith(
        f"Ensemble, over 4 quarters: {HEADED[state]} prior counts; the 2 cells chosen for each quarter, 10 % of the"
        f" study area, held {CHOICES[state][1]} of 225 incidents, "
    )
    assert f"against {CHOICES[state][3]} of prior counts (difference " in headline
    assert tone == TONES[state]
    assert headline.endswith("To catch more, use prior counts.") is (state == "worse")
    assert compare(judged, "ensemble").verdict.summary == state
    line = describe_models(judged)["ensemble"]
    assert line.verdict == state
    assert line.text.startswith(f"Ensemble: {HEADED[state]} prior counts ({CHOICES[state][1]} of 225 caught; ")
    assert describe_signal(judged) == ""


def test_prior_counts_are_compared_with_the_other_baseline() -> None:
    lines = describe_models(judge("better"))
    assert lines["prior_counts"].text.startswith("Prior counts: catches more than constant (52 of 225 caught; +23.1 ")
    assert lines["constant"].text.startswith("Constant: catches FEWER than prior counts (0 of 225 caught; ")


def test_a_test_of_few_weeks_tells_no_difference() -> None:
    judged = judge("better", weeks=FIRST + 4, window=4)
    said = collapse_blanks(describe_trial(judged))
    assert said.startswith("The 2 cells chosen for the window of 4 weeks, ")
    assert "as many chosen by prior counts held 4: too short a test to tell a difference (+11.8 points)." in said
    assert make_headline(judged)[0].startswith(
        "Ensemble, over 1 window of 4 weeks: too few weeks to tell its catch from that of prior counts; "
    )
    assert catch_words.describe_brackets(judged) == ""


def test_brackets_are_about_the_windows_that_were_tested() -> None:
    long = "). It is about the 4 quarters tested: places of another quarter may do better or worse than it says. "
    assert long in catch_words.describe_brackets(judge("better"))
    one = "It is about the quarter tested: places of another quarter may do better or worse than it says."
    assert one in catch_words.describe_brackets(judge("better", weeks=FIRST + WINDOW))
    # Windows of a week differ as weeks do; of many that are longer enough is known.
    for windows in (judge("better", weeks=FIRST + 12, window=1), judge("better", weeks=FIRST + 40, window=2)):
        assert "over weeks). Points are percentage points" in catch_words.describe_brackets(windows)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_small_difference_is_called_small_however_sure_it_is(sign: int) -> None:
    """A quarter's 1,300 incidents each; one cell of two is the same, the other has 1 or 2 more a week."""
    counts = np.zeros((FIRST + 52, *SHAPE), np.uint8)
    counts[(..., *A)], counts[(..., *B)], counts[(..., *C)] = 200, 11, 10
    more, fewer = expect(A, B), expect(A, C)
    choices = {"ensemble": more, "prior_counts": fewer}
    if sign < 0:
        choices = {"ensemble": fewer, "prior_counts": more}
    counts[0::2][(..., *B)] += 1
    judged = make_judged_catch(make_stack(counts, bin="1 weeks"), choices, FIRST, WINDOW, 2)
    said = "little more, but beyond what chance explains" if sign > 0 else "a small LOSS beyond what chance explains"
    assert f": {said} (" in describe_trial(judged)


def test_a_catch_of_few_turns_on_single_incidents() -> None:
    few = collapse_blanks(describe_trial(judge("better", weeks=FIRST + 4, window=4)))
    assert few.endswith(" So few turn on single incidents: one more would be 5.9 percentage points more.")
    assert "single incidents" not in describe_trial(judge("better"))


def test_nothing_happened_is_said_so(tmp_path: Path) -> None:
    counts = make_counts()
    counts[FIRST:] = 0
    panel = make_stack(counts, bin="1 weeks")
    judged = make_judged_catch(panel, {"ensemble": expect(A), "prior_counts": expect(B)}, FIRST, WINDOW, 1)
    assert describe_trial(judged).endswith(
        "of the study area: no incident happened in the test, so nothing could be caught."
    )
    assert "no incident lies in the test, so nothing could be caught" in make_headline(judged)[0]
    write_backtest_report(tmp_path / "r.html", judged, {}, [])
    assert find_faults_of_report(tmp_path / "r.html") == []


def test_alone_it_is_set_beside_chance() -> None:
    judged = make_judged_catch(make_stack(make_counts(), bin="1 weeks"), {"ensemble": expect(A)}, FIRST, WINDOW, 1)
    assert describe_trial(judged).endswith("; as many drawn at random would hold about 11.2.")


def test_maps_labels_and_exposure_have_the_places_of_the_layer(tmp_path: Path) -> None:
    """All twenty cells tie, and two can be covered: no more than two are shown, the first ones, as in the layer."""
    judged = run_catch(
        make_stack(np.ones((20, *SHAPE), np.uint8), bin="1 weeks"), ["prior_counts"], Plan(16), Catch(2, "units", 2)
    )
    first = np.zeros(SHAPE, bool)
    first[A] = first[B] = True
    assert judged.catch is not None
    # What is counted shares the tie among all.
    assert judged.catch.models["prior_counts"].parts == pytest.approx(np.full((2, *SHAPE), 0.1))
    assert (judged.flag_cells() == first).all()
    labels = judged.label_cells()
    assert ((labels == labels[0][A]) == first).all()
    panel, flagged = judged.panel, judged.flag_cells()
    west, north, side = judged.heatmaps.grid.west, judged.heatmaps.grid.north, judged.heatmaps.grid.cell
    corner = {"Corner": [mapping(box(west, north - side, west + side, north))]}
    row = compute_exposure(corner, panel.support, panel.mask, judged.risks["prior_counts"], flagged, judged.counts)[0]
    assert (row.flagged, row.flagged_share) == (2, 0.5)
    write_backtest_report(tmp_path / "r.html", judged, {}, [])
    assert "4 of 40 incidents fell in the 2 cells chosen, 10.0 %; 2 of them held any." in Page(tmp_path / "r.html").text


def test_positions_of_the_grid_are_averaged_and_told_apart() -> None:
    judged = judge("better", ensemble=[2, 4, -30], prior_counts=[0, 0, 0], constant=[0, 0, 0])
    said = collapse_blanks(describe_trial(judged))
    assert ", held on average over 4 grid positions 72.0 of 225 incidents (vehicle theft), 32.0 % [" in said
    assert catch_words.describe_given(judged) == (
        "On the grid as it lies ensemble caught 78 of 225, prior counts 52; moved by parts of a cell, 48 to 82."
    )
    assert "over weeks and grid positions" in catch_words.describe_brackets(judged)
    assert catch_words.describe_given(judge("better")) == ""


def make_sizes(
    judged: Judged, *rates: tuple[float, float], flagged: tuple[float, float, float] = (0.08, 0.08, 0.08)
) -> None:
    """Catches of 100 incidents by the model and prior counts on cells of 100, 200 and 400 m, on so many km²."""
    assert judged.catch is not None
    judged.catch.sizes.clear()
    both = ("ensemble", "prior_counts")
    hundred = dict.fromkeys(both, 100.0)
    for side, caught, km2 in zip((100.0, 200.0, 400.0), rates, flagged, strict=True):
        pai = [each / 10 for each in caught]
        held, index = dict(zip(both, caught, strict=True)), dict(zip(both, pai, strict=True))
        judged.catch.sizes.append(CellSize(side, held, hundred, hundred, index, km2))


def test_cell_size_decides_more_only_where_figures_say_so() -> None:
    judged = judge("better")
    assert describe_sizes(judged) == ""
    make_sizes(judged, (40, 38), (30, 31), (20, 18))
    assert collapse_blanks(describe_sizes(judged)) == (
        "Cell size decides more than the model: with as much area, ensemble caught on cells of 100 m 40.0 %, of 200 m"
        " 30.0 % and of 400 m 20.0 %; the two models differ by at most 2 percentage points on any of them."
    )
    make_sizes(judged, (31, 11), (30, 31), (29, 18))
    assert collapse_blanks(describe_sizes(judged)).startswith("With as much area, ensemble caught on cells ")


def test_sizes_that_covered_more_or_less_are_not_compared(tmp_path: Path) -> None:
    """Two cells of 200 m are half a cell of 400 m: one whole cell covers twice as much, and holds more for it."""
    judged = judge("better")
    make_sizes(judged, (40, 38), (30, 31), (60, 58), flagged=(0.084, 0.08, 0.16))
    said = (
        "Cell size decides more than the model: with as much area, ensemble caught on cells of 100 m 40.0 % and of"
        " 200 m 30.0 %; the two models differ by at most 2 percentage points on any of them. Cells of 400 m are not"
        " compared: whole ones cover 0.160 km² instead of 0.0800 km²."
    )
    assert collapse_blanks(describe_sizes(judged)) == said
    write_backtest_report(tmp_path / "r.html", judged, {}, [])
    page = Page(tmp_path / "r.html")
    assert said in page.text
    assert [page.find_row(f"{side} m", 8)[1] for side in ("100", "400")] == ["0.0840", "0.160"]
    make_sizes(judged, (40, 38), (30, 31), (60, 58), flagged=(0.07, 0.08, 0.16))
    assert describe_sizes(judged) == (
        "Cells of 100 m are not compared: whole ones cover 0.0700 km² instead of 0.0800 km². Cells of 400 m are not"
        " compared: whole ones cover 0.160 km² instead of 0.0800 km²."
    )


def test_a_number_of_areas_is_spoken_of_and_drawn_as_a_number(tmp_path: Path) -> None:
    """The large area has most incidents, the small one most a km²; one area is asked for: the large one."""
    counts = np.tile(np.array([3, 2, 1, 0], np.uint8), (24, 1))
    panel = make_panel(counts, ["large", "small", "c", "d"], make_row([8000.0, 1000.0, 1000.0, 1000.0]))
    expected = {"ensemble": np.array([9.0, 2.0, 1.0, 0.1]), "prior_counts": np.array([9.0, 2.0, 1.0, 0.1])}
    judged = make_judged_catch(panel, expected, 12, 3, 1)
    shares, caught = trace_catch(judged, "ensemble")
    assert find_used_share(judged, "ensemble") == 0.25
    # Where the dotted line is, the curve is what was caught: 3 a month; all that were asked for thrice over hold 6.
    assert np.interp(0.25, shares, caught) == pytest.approx(judged.catch.models["ensemble"].n) == pytest.approx(36)
    assert (shares[-1], caught[-1]) == (0.75, pytest.approx(72))
    write_backtest_report(tmp_path / "r.html", judged, {}, [])
    page = Page(tmp_path / "r.html")
    assert "where it expects most incidents, from what was known" in page.text
    assert "percentage points against prior counts on as many areas:" in page.text
    assert "of the most that as many areas could have held (PEI*" in page.text
    assert "Rank 1 first: most incidents expected." in page.text
    assert not re.search(r"per km²|as much area", page.text)
    drawn = [read_figure(link) for link in page.links if link.startswith("data:")]
    assert any("share of the areas chosen, %" in each for each in drawn)
    assert find_faults_of_report(tmp_path / "r.html") == []


def test_of_areas_the_page_says_that_intervals_are_over_time_alone(tmp_path: Path) -> None:
    said = ", over time alone: how other areas would have done it does not say; none with fewer than 6 blocks"
    panel = make_panel(np.tile(np.array([3, 2, 1, 0], np.uint8), (24, 1)))
    areas = make_judged_catch(panel, {"ensemble": np.arange(4.0), "prior_counts": np.arange(4.0)}, 12, 3, 1)
    for judged, shown in ((areas, True), (judge("better"), False)):
        write_backtest_report(tmp_path / "r.html", judged, {}, [])
        assert (said in Page(tmp_path / "r.html").text) is shown


def test_the_page_names_what_is_compared_with(tmp_path: Path) -> None:
    """Without prior counts that is the baseline which caught most."""
    expected = {"ensemble": expect(A, B), "recent_counts": expect(A, D), "constant": expect((2, 2), (2, 3))}
    judged = make_judged_catch(make_stack(make_counts(), bin="1 weeks"), expected, FIRST, WINDOW, 2)
    write_backtest_report(tmp_path / "r.html", judged, {}, [])
    page = Page(tmp_path / "r.html")
    assert "percentage points against recent counts on as many cells: more than chance explains" in page.text
    assert "Start with how many more or fewer than recent counts." in page.text
    assert "prior counts" not in page.text


def test_stable_places_are_said_in_per_cent() -> None:
    assert collapse_blanks(catch_words.describe_stability(judge("better"))) == (
        "Of the places chosen for one quarter, 100 % are chosen for the next one too, of those of prior counts 100 %."
    )
    assert catch_words.describe_stability(judge("better", weeks=FIRST + WINDOW)) == ""


def test_the_page_of_a_catch_opens_with_what_an_officer_needs(tmp_path: Path) -> None:
    judged = judge("indistinguishable", ensemble=[2, 4, -3], prior_counts=[1, 0, 0], constant=[0, 0, 0])
    assert judged.catch is not None
    make_sizes(judged, (40, 38), (30, 31), (20, 18))
    judged.catch.too_fine = "Cells of 200 m are smaller than places are exact"
    path = tmp_path / "r.html"
    write_backtest_report(path, judged, {"heatmaps": "v.tif"}, [])
    page = Page(path)
    page.check_order()
    assert find_faults_of_report(path) == []
    assert page.lead == collapse_blanks(describe_trial(judged))
    assert page.tiles[1:3] == ["+0.2", "3.50"]
    # The last quarter: A has 13 incidents, B 6 or 7.
    assert any("incidents fell in the 2 cells chosen, 3" in alt and "2 of them held any." in alt for alt in page.alts)
    row = page.find_row("Ensemble", 8)
    assert row[1] == "78.8 of 225"
    assert row[-1] == "75 to 82"
    assert page.find_row("Prior counts", 8)[3] == "compared with"
    assert page.find_row("200 m (here)", 8)[2] == "30.0 of 100"
    assert "Cells of 200 m are smaller than places are exact." in page.text
    assert [row[0] for row in page.rows if len(row) == 6][:3] == ["Rank", "1", "2"]
    first = next(row for row in page.rows if len(row) == 6 and row[0] == "1")
    assert re.fullmatch(r"-?\d+\.\d{4}, -?\d+\.\d{4}", first[1])
    assert first[2:] == ["r1c1", "5.0", "13", str(WEEKS - WINDOW)]
    for left_out in ("Six labels", "Percentile", "5 % of the area flagged", "Skill over time"):
        assert left_out not in page.text
    drawn = [read_figure(link) for link in page.links if link.startswith("data:")]
    assert sum("not chosen" in each for each in drawn) == 1
    assert any("incidents that fell there in a quarter" in each for each in drawn)


def test_areas_are_named_and_counted_as_much(tmp_path: Path) -> None:
    counts = np.random.default_rng(2).poisson(np.linspace(0.1, 4, 12), (24, 12)).astype(np.uint8)
    names = [HOSTILE, *(f"Ward {number}" for number in range(11))]
    panel = make_panel(counts, [f"W{number}" for number in range(12)], names=names)
    order = {"ensemble": np.r_[9.0, np.linspace(0.1, 4, 11)], "prior_counts": np.linspace(0.1, 4, 12)}
    judged = make_judged_catch(panel, order, 12, 3, 3)
    assert describe_trial(judged).startswith("The 3 areas chosen for each quarter, 25")
    path = tmp_path / "r.html"
    write_backtest_report(path, judged, {}, [])
    page = Page(path)
    assert find_faults_of_report(path) == []
    assert "<script>" not in page.source
    assert [row[0] for row in page.rows if row[1:3] == ["Ward 10", "W11"]] == ["2"]


def test_every_figure_of_a_catch_is_a_row() -> None:
    judged = judge("better", ensemble=[2], prior_counts=[0], constant=[0])
    make_sizes(judged, (40, 38), (30, 31), (20, 18))
    rows = {(row["model"], row["metric"], row.get("at", "")): row for row in list_figures(judged)}
    rate = rows["ensemble", "catch_hit_rate", "10 % of the area"]
    assert (rate["n"], rate["N"]) == (79.0, 225.0)
    assert rate["low"] < rate["value"] < rate["high"]
    assert rows["ensemble", "catch_pei", "10 % of the area"]["N"] == 173.0
    change = rows["ensemble", "catch_hit_rate_difference", "10 % of the area, minus prior_counts"]
    assert change["value"] == pytest.approx(27 / 225)
    assert rows["ensemble", "catch_hit_rate", "grid moved 0.500 east, 0.000 north"]["n"] == 80.0
    assert rows["prior_counts", "catch_hit_rate", "cells of 100 m"]["n"] == 38
    windows = [key for key in rows if key[:2] == ("ensemble", "catch_hit_rate") and key[2].startswith("window ")]
    assert [rows[key]["n"] for key in windows] == [19.0, 20.0, 19.0, 20.0]
    assert not any("minus" in key[2] and not key[1].startswith("catch") for key in rows)


def test_the_page_of_a_model_says_what_it_learned_and_what_it_caught(tmp_path: Path) -> None:
    rates = np.random.default_rng(5).gamma(0.3, 0.8, (6, 7))
    counts = np.random.default_rng(6).poisson(rates, (WEEKS, 6, 7)).astype(np.uint8)
    panel, first = make_stack(counts, bin="1 weeks", categories=[HOSTILE]), WEEKS - 12
    model = CatchEnsemble(window=4, flagged=0.1).fit(panel.before(first))
    judged = judge_catch_trained(model, panel, first, Catch(4, "units", 4))
    assert judged.catch is not None
    path = tmp_path / "r.html"
    card = make_card(model, panel.before(first))
    write_training_report(path, panel, model, card, judged, "", {"aim": "catch"}, [])
    page = Page(path)
    page.check_order()
    assert find_faults_of_report(path) == []
    caught = judged.catch.models["catch"].n
    assert page.lead.startswith("The 4 cells chosen for each window of 4 weeks, 9.5 % of the study area, held ")
    assert page.find_row("Ensemble for the catch", 7)[1] == f"{caught:.0f} of {counts[first:].sum()}"
    heard = {name: weight for name, weight in zip(model.members, model.weights_, strict=True) if weight}
    said = next(text for text in page.texts if text.startswith("Ensemble for the catch hears "))
    assert all(f"{100 * weight:.0f}" in said for weight in heard.values())
    (powers,) = describe_learned(PointKernel(4, 0.1).fit(panel.before(first)), panel)
    assert re.match(r"Counts and kernel ranks a cell by its incidents so far, .*: here: \d\.\d\d; ", powers)
    assert "one bin ahead" not in page.text


@pytest.mark.parametrize("state", CHOICES)
@pytest.mark.parametrize(("weeks", "window"), [(FIRST + 1, 1), (FIRST + 8, 2), (WEEKS, 13)])
@pytest.mark.parametrize("moved", [{}, {"ensemble": [1], "prior_counts": [0], "constant": [0]}], ids=["here", "moved"])
def test_all_that_is_said_of_a_catch_keeps_the_rules(
    state: str, weeks: int, window: int, moved: dict[str, list[int]], tmp_path: Path
) -> None:
    judged = judge(state, weeks, window, **moved)
    said = [make_headline(judged)[0], *describe_comparison(judged), describe_trial(judged)]
    assert {fault: text for text in said for fault in find_faults(text, judges=True)} == {}
    write_backtest_report(tmp_path / "r.html", judged, {}, [])
    assert find_faults_of_report(tmp_path / "r.html") == []
