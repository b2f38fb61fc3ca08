"""The backtest's report: its sentences, its rows, one file, everything escaped; whole whatever is missing."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kit.maps import make_stack
from kit.pages import Page, collapse_blanks

from riskengine.contract.dates import format_span
from riskengine.evaluation.exposure import AreaExposure
from riskengine.evaluation.judged import Judged
from riskengine.evaluation.judging import judge_fitted
from riskengine.evaluation.offsets import OffsetFigures
from riskengine.evaluation.plan import Plan
from riskengine.evaluation.scoring import score_model
from riskengine.forecasters.baselines import ConstantForecaster, PriorCounts, PriorShare
from riskengine.ground.errors import OutputError
from riskengine.intake.findings import Finding
from riskengine.maps.heatmaps import Heatmaps
from riskengine.measures.compare import Difference
from riskengine.measures.metrics import AreaHits, reliability
from riskengine.report import backtest_figures, backtest_maps, claims
from riskengine.report.backtest import write_backtest_report
from riskengine.report.openings import describe_trial
from riskengine.report.units import words_of
from riskengine.report.verdicts import format_interval, verdict_of, verdict_of_hits
from riskengine.report.words import format_change, format_count, format_flagged

EVIL = '<script>alert("x")</script> & $x_1^2$ {{ 7 * 7 }}'
FIRST, MAPS = 60, 110
BASELINES = ["constant", "prior_counts"]
Risk = Callable[[np.ndarray], np.ndarray]


def rates() -> np.ndarray:
    """A known rate of each cell."""
    return np.random.default_rng(3).gamma(0.4, 0.5, (7, 8))


def make_heatmaps(maps: int = MAPS) -> Heatmaps:
    counts = np.random.default_rng(4).poisson(rates(), (maps, 7, 8)).astype(np.uint8)
    mask = np.ones((7, 8), bool)
    mask[0, :2] = False
    counts[:, ~mask] = 0
    return make_stack(counts, mask, categories=[EVIL])


#: Forecasts by name: the truth, the same on all cells, nearly the truth, and its opposite.
RISKS: dict[str, Risk] = {
    "ensemble": lambda rate: 1 - np.exp(-rate),
    "constant": lambda rate: np.full_like(rate, float((1 - np.exp(-rate)).mean())),
    "prior_counts": lambda rate: 0.7 * (1 - np.exp(-rate)) + 0.08,
    "convlstm": lambda rate: 0.9 - 0.8 * (1 - np.exp(-rate)),
}


def make_backtest(
    names: tuple[str, ...] = ("ensemble", "constant", "prior_counts", "convlstm"), maps: int = MAPS
) -> Judged:
    heatmaps = make_heatmaps(maps)
    scored = np.arange(FIRST, maps)
    risks = {}
    for name in names:
        risk = np.repeat(RISKS[name](rates())[None], len(scored), axis=0).astype(np.float32)
        risk[:, ~heatmaps.mask] = np.nan
        risks[name] = risk
    scores = {
        name: score_model(name, risk, heatmaps.counts[scored], heatmaps.mask, block=7, reference=0.2)
        for name, risk in risks.items()
    }
    return Judged(
        heatmaps,
        Plan(FIRST, 1, 20, (0, 1)),
        scored,
        risks,
        scores,
        7,
        [name for name in BASELINES if name in names],
        names[0],
        seconds=dict.fromkeys(names, 1.25),
    )


def page(path: Path, backtest: Judged, has_map: bool = True, **given: object) -> Page:
    write_backtest_report(path, backtest, {"heatmaps": EVIL, "areas": None}, [], **given)  # type: ignore[arg-type]
    made = Page(path)
    assert not made.open
    made.check_order(has_map)
    assert not {"nan", "inf", "None"} & set(re.findall(r"\w+", made.text))
    return made


@pytest.fixture(scope="module")
def backtest() -> Judged:
    made = make_backtest()
    made.failures["sftt"] = "Too few maps. " + EVIL
    made.seed_scores["convlstm"] = [0.5, 0.6, 0.7]
    made.notes.append("Beware of " + EVIL)
    return made


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, backtest: Judged) -> Page:
    return page(
        tmp_path_factory.mktemp("report") / "r.html",
        backtest,
        findings=[Finding("snapped", "Places are snapped. " + EVIL)],
        offsets={"prior_counts": OffsetFigures(((0.0, 0.0), (0.5, 0.0)), (0.2, 0.3), (4.0, 6.0), (0.30, 0.34))},
        exposure=[AreaExposure(f"Area {number} {EVIL}", 4, 0.05, 0.1, 0.01 * number, 0.02) for number in range(15)],
    )


def test_one_file_escaped_and_told_to_those_who_do_not_see(whole: Page) -> None:
    assert "script" not in whole.tags
    assert EVIL not in whole.source
    for words in ("Beware of ", "Places are snapped. ", "Too few maps. ", "Area 14 "):
        assert collapse_blanks(words + EVIL) in whole.text
    assert collapse_blanks(EVIL) in whole.find_row("Categories", 2)[1]
    assert all(link.startswith("data:image/svg") or link == "#notes" for link in whole.links)
    assert not re.search(r"@import|url\(", whole.source)
    assert len(whole.alts) == whole.tags.count("img") == 11
    assert all(len(alt) > 60 for alt in whole.alts)
    assert whole.source.count('class="scroll"') == whole.tags.count("table") - whole.source.count('class="card"')


def test_it_opens_with_what_was_caught_where_and_when(whole: Page, backtest: Judged) -> None:
    area, plain = backtest.scores["ensemble"].area, backtest.scores["prior_counts"].area
    assert whole.lead == (
        "Ensemble was tried on 50 days, Fri 1 Mar – Fri 19 Apr 2024, in 13.5 km²: the riskiest 2 of 54 cells (3.7 % of"
        f" the area) caught {area.caught:.0f} of {area.incidents:,.0f} incidents ({collapse_blanks(EVIL)}),"
        f" {100 * area.caught / area.incidents:.1f} %; the simple method prior counts caught {plain.caught:.0f}, and as"
        f" many cells drawn at random would catch about {2 / 54 * area.incidents:.0f}."
    )
    assert whole.tiles[0] == f"{100 * area.hit_rate:.1f}\N{NO-BREAK SPACE}%"
    assert whole.tiles[2] == f"{backtest.scores['ensemble'].log_loss:.3f}"


def test_an_opening_without_a_simple_method_without_incidents_and_of_a_map_that_was_given() -> None:
    made = make_backtest(("ensemble", "constant"))
    area = made.scores["ensemble"].area
    end = f"; as many cells drawn at random would catch about {2 / 54 * area.incidents:.0f}."
    assert describe_trial(made).endswith(end)
    made.heatmaps.counts[FIRST:] = 0
    made.scores["ensemble"] = score_model("ensemble", made.risks["ensemble"], made.counts, made.heatmaps.mask)
    said = ", in 13.5 km²: no incident happened there, so nothing can be said about how good it is."
    assert describe_trial(made) == f"Ensemble was tried on 50 days, Fri 1 Mar – Fri 19 Apr 2024{said}"
    made.model, made.scores["risk"] = "risk", made.scores["ensemble"]
    assert describe_trial(made).startswith("The risk map was tried on 50 days, ")


def test_a_caption_counts_what_lies_in_flagged_cells(whole: Page, backtest: Judged) -> None:
    place = backtest_maps.choose_maps(backtest)["typical"]
    counts = backtest.heatmaps.counts[FIRST + place]
    flagged = np.isin(backtest.label_cells()[place], [1, 4, 5])
    day = np.datetime64("2024-01-01") + FIRST + place
    said = f"A typical map, {format_span(day, day + 1)}: {counts.sum()} incidents in {(counts > 0).sum()} cells,"
    number = f"{flagged.sum()} flagged cell{'' if flagged.sum() == 1 else 's'}"
    assert f"{said} {counts[flagged].sum()} of the incidents in the {number}." in whole.text


def test_the_answer_comes_first(whole: Page, backtest: Judged) -> None:
    score, plain = backtest.scores["ensemble"], backtest.scores["prior_counts"]
    difference = backtest.compare_losses("ensemble", "prior_counts")
    assert difference.high < 0
    said = whole.text[whole.text.index("Ensemble, over 50 test maps") :]
    # Both rank the cells alike here.
    assert said.startswith(
        "Ensemble, over 50 test maps: better calibrated, catches as many;"
        f" log-loss {score.log_loss:.3f} against {plain.log_loss:.3f} of prior counts, the best simple baseline"
        f" (difference −{abs(difference.mean):.4f}, 95 % interval"
    )
    caught, share = f"{score.area.caught:,.0f}", f"{100 * score.area.hit_rate:.1f} %"
    assert (
        f"; with the riskiest 2 of 54 cells (3.7 % of the area) flagged it catches {share} of the incidents ({caught}"
        f" of {score.area.incidents:,.0f}) against {share} ({caught}) of prior counts, which also catches"
        " the most (difference +0.00 percentage points, 95 % interval +0.00 to +0.00)."
    ) in said[:900]
    assert (
        "There is a signal beyond the long-run mean (prior counts, the best of the 2 models that know nothing recent):"
        " 1 of the 2 other models is better calibrated than it, and none catches more (1 could not be compared). The"
        " best probabilities are those of ensemble (log-loss −0."
    ) in said[:1500]


def test_a_sentence_and_a_row_for_every_model(whole: Page, backtest: Judged) -> None:
    for words in (
        "Ensemble: better calibrated than prior counts, catches as many (log-loss −0.0",
        "Prior counts: the best simple baseline; catches more than constant (log-loss 0.",
        "Constant: WORSE calibrated than prior counts, and catches FEWER (log-loss +0.",
        "ConvLSTM: WORSE calibrated than prior counts, and catches FEWER (log-loss +1.",
        " of 662 caught, −",
        "SFTT could not be run: Too few maps.",
    ):
        assert words in whole.text, words
    for name, title in (
        ("ensemble", "Ensemble ★"),
        ("prior_counts", "Prior counts baseline"),
        ("convlstm", "ConvLSTM"),
    ):
        score = backtest.scores[name]
        row = whole.find_row(title, 9)
        assert row[1] == f"{score.log_loss:.4f}"
        assert row[3] == f"{score.brier:.4f}"
        assert row[5:7] == [f"{score.auc:.3f}", f"{score.average_precision:.3f}"]
        assert row[8] == "1.2"
        assert row[7] == ("0.10000 3 seeds" if name == "convlstm" else "–")
        area = score.area
        row = whole.find_row(title.removesuffix(" ★"), 7)
        assert row[2] == f"{format_count(area.caught)} / {area.incidents:,.0f}"
        assert row[3] == f"{100 * area.precision:.1f} %"
        # n over the flagged square kilometres: cells of 500 m.
        assert row[6] == f"{area.caught / (area.flagged * 0.25):.3f}"


def test_shares_and_percentiles_always_with_their_numbers(whole: Page, backtest: Judged) -> None:
    for hits in backtest.scores["ensemble"].shares:
        row = whole.find_row(f"{100 * hits.at:.0f} %", 11)
        assert row[2] == f"{format_count(hits.area.caught)} / {hits.area.incidents:,.0f}"
    rows = [row for row in whole.rows if len(row) == 13 and row[0].isdigit()]
    assert [int(row[0]) for row in rows] == 2 * list(range(85, 100))
    at_95 = backtest.scores["ensemble"].percentiles["stack"][10].area
    assert rows[10][3] == f"{at_95.caught:,.0f} / {at_95.incidents:,.0f}"
    assert rows[10][1] == f"{100 * at_95.flagged / at_95.cells:.1f} %"
    labels = [row for row in whole.rows if len(row) == 9 and row[0].isdigit()]
    assert [int(row[0]) for row in labels] == 2 * list(range(85, 100))
    assert {sum(int(cell.replace(",", "")) for cell in row[3:]) for row in labels} == {50 * 54}


def test_grid_position_exposure_and_card(whole: Page) -> None:
    # Mean and standard deviation of 0.2 and 0.3, of 4 and 6, and of 0.30 and 0.34, by hand.
    row = whole.find_row("Prior counts", 5)
    assert row[1:] == [
        "2",
        "25.0 % ± 7.1 % 20.0 % to 30.0 %",
        "5.00 ± 1.41 4.00 to 6.00",
        "0.3200 ± 0.0283 0.3000 to 0.3400",
    ]
    areas = [row for row in whole.rows if len(row) == 7 and row[0].startswith("Area ")]
    assert [int(row[0].split()[1]) for row in areas] == list(range(14, -1, -1))
    assert areas[0][4:] == ["14.0 %", "2.0 %", "7.00"]
    for words in ("places, never of persons", "The other 3 areas", "50 maps, Fri 1 Mar – Fri 19 Apr 2024"):
        assert words in whole.text, words
    assert whole.find_row("Fits", 2)[1].startswith("3, every 20 maps")
    assert whole.find_row("Seeds", 2)[1] == "0, 1"
    assert whole.find_row("Grid", 2)[1].startswith("56 cells of 500.0 m (8 × 7), upper-left")
    assert whole.find_row("CRS", 2)[1] == "EPSG:32614"
    assert "numpy " in whole.find_row("Versions", 2)[1]


def test_no_signal_is_said_in_words() -> None:
    made = make_backtest(("convlstm", "constant", "prior_counts"))
    sentence, tone = claims.make_headline(made)
    assert sentence.startswith("ConvLSTM, over 50 test maps: WORSE calibrated, and catches FEWER; log-loss 1.56 ")
    assert sentence.endswith(" Use prior counts instead.")
    assert tone == "worse"
    assert claims.describe_signal(made).startswith(
        "These models found no signal beyond the long-run mean (prior counts, the best of the 2 models that know"
        " nothing recent): the one other model is not better calibrated than it, and catches no more. The nearest,"
        " ConvLSTM, differs by +"
    )


def test_no_signal_at_all_is_said_too() -> None:
    """Where one probability for all cells is the best that simple models know, places are not known either."""
    made = make_backtest(("convlstm", "constant", "prior_counts"))
    poor = made.scores["prior_counts"]
    made.scores["prior_counts"] = replace(poor, log_loss=9.0, fold_loss=poor.fold_loss + 9.0)
    assert claims.describe_signal(made).endswith(
        "Neither where nor when it happens could be told better than by one probability for all cells."
    )


def test_a_small_gain_is_called_small_and_set_beside_the_baselines_own() -> None:
    made = make_backtest(("ensemble", "constant", "prior_counts"))
    base = made.scores["prior_counts"]
    made.scores["ensemble"] = replace(
        base, name="ensemble", log_loss=0.99 * base.log_loss, fold_loss=0.99 * base.fold_loss
    )
    share = 1 - base.log_loss / made.scores["constant"].log_loss
    assert (
        "The gain is small, 1.00 % of the log-loss; that of prior counts is already"
        f" {100 * share:.1f} % below a constant’s."
    ) in collapse_blanks(claims.make_headline(made)[0])


def test_a_difference_that_may_be_chance_is_not_called_one() -> None:
    made = make_backtest(("ensemble", "constant", "prior_counts"))
    same = made.scores["prior_counts"]
    wobble = 0.01 * np.where(np.arange(50) % 2, 1.0, -1.0)
    made.scores["ensemble"] = replace(same, name="ensemble", fold_loss=same.fold_loss + wobble)
    sentence, tone = claims.make_headline(made)
    assert sentence.startswith("Ensemble, over 50 test maps: as well calibrated, catches as many; log-loss ")
    assert tone == "unsure"
    assert claims.describe_models(made)["ensemble"].verdict == "indistinguishable"
    assert claims.describe_signal(made).startswith("These models found no signal beyond")


@pytest.mark.parametrize(
    ("flagged", "cells", "said"),
    [
        (21, 42, "1 of 2 cells (50 % of the area)"),
        (21, 21 * 30, "1 of 30 cells (3.3 % of the area)"),
        (21 * 9, 21 * 200, "9 of 200 cells (4.5 % of the area)"),
        (21 * 10, 21 * 219, "5 % of the area"),
        (21, 21 * 20, "5 % of the area"),
        (21 * 1000, 21 * 20_000, "5 % of the area"),
    ],
)
def test_few_cells_are_not_called_5_percent(flagged: float, cells: int, said: str) -> None:
    assert collapse_blanks(format_flagged(AreaHits(0.05, flagged, cells, 12, 18, 12, 18, 21), words_of("grid"))) == said


def test_a_grid_of_two_cells_says_what_was_flagged(tmp_path: Path) -> None:
    """One cell is the least that can be flagged, and half of the area."""
    counts = np.random.default_rng(1).poisson([[[0.8, 0.3]]], (50, 1, 2)).astype(np.uint8)
    heatmaps = make_stack(counts)
    made = judge_fitted([PriorCounts(), PriorShare(), ConstantForecaster()], heatmaps, 30)
    area = made.scores[made.model].area
    caught = f"{100 * area.hit_rate:.1f} % of the incidents ({area.caught:.0f} of {area.incidents:.0f})"
    verdict = collapse_blanks(claims.make_headline(made)[0])
    few = "11 of the 16 lie in one cell"
    assert f"with the riskiest 1 of 2 cells (50 % of the area) flagged it catches {caught[:-1]}; {few})" in verdict
    text = page(tmp_path / "r.html", made).text
    assert "With the riskiest 1 of 2 cells (50 % of the area) flagged in each map" in text
    assert "in the riskiest 1 of 2 cells (50 % of the area):" in text
    # A row a share that was wanted, 1 to 20 %.
    assert text.count("here 50 %") == 7
    assert "5 % of the area" not in text
    assert made.scores[made.model].to_dict()["flagged_share_5"] == 0.5
    made.scores["constant"] = replace(made.scores["constant"], log_loss=float("nan"))
    line = collapse_blanks(claims.describe_models(made)["constant"].text)
    assert line.startswith("Constant: its values are no probabilities, so only their order is judged; catches ")


def test_the_rival_in_hits_is_the_baseline_that_catches_most() -> None:
    """A constant can have the best log-loss of the baselines and yet say nothing of where."""
    made = make_backtest(("ensemble", "constant", "prior_counts"))
    poor = made.scores["prior_counts"]
    made.scores["prior_counts"] = replace(poor, log_loss=9.0, fold_loss=poor.fold_loss + 9.0)
    assert made.best_baseline == "constant"
    assert claims.find_catcher(made) == "prior_counts"
    sentence, _ = claims.make_headline(made)
    assert " of constant, the best simple baseline (difference " in sentence
    assert ") of prior counts, the simple baseline that catches the most (difference " in sentence


def test_one_model_alone(tmp_path: Path) -> None:
    sentence, tone = claims.make_headline(make_backtest(("ensemble",)))
    assert "no simple baseline was scored beside it, so nothing can be said about how good that is; log" in sentence
    assert tone == "unsure"
    text = page(tmp_path / "r.html", make_backtest(("constant",))).text
    assert "Backtest of 1 hotspot forecast" in text
    assert (
        "Constant, over 50 test maps: the best simple baseline; no other simple baseline to compare its catch with;"
    ) in text
    assert "No other model was scored." in text


def test_one_fold(tmp_path: Path) -> None:
    text = page(tmp_path / "r.html", make_backtest(maps=FIRST + 1)).text
    assert "Ensemble, over 1 test map: too few maps to tell it from the simple baselines; log-loss" in text
    assert (
        "Whether there is a signal beyond the long-run mean (prior counts, the best of the 2 models that know nothing"
        " recent) cannot be told from 1 test map."
    ) in text
    assert "A typical map" in text
    assert "A busy map" not in text


def test_models_without_figures(tmp_path: Path) -> None:
    made = make_backtest()
    nothing = float("nan")
    empty = AreaHits(0.05, 0.0, 0, 0.0, 0.0, 0.0, 0.0)
    for name in ("convlstm", "ensemble"):
        old = made.scores[name]
        made.scores[name] = replace(
            old, log_loss=nothing, brier=nothing, auc=nothing, area=empty, fold_loss=np.full(50, nothing)
        )
        made.seconds[name] = nothing
        made.risks[name][:] = np.nan
        text = claims.describe_models(made)["convlstm"].text
        assert text == "ConvLSTM: no forecast that could be scored."
        assert claims.make_headline(made)[0].startswith("No answer") is (name == "ensemble")
    text = page(tmp_path / "r.html", made, has_map=False).text
    assert "50 days, Fri 1 Mar – Fri 19 Apr 2024, in 13.5 km²: it gave no forecast that could be judged." in text
    assert "No answer: ensemble has no forecast that could be scored on 50 test maps." in text
    assert "Prior counts: the best simple baseline" in text


def test_a_given_risk_map_that_holds_no_probabilities(tmp_path: Path) -> None:
    """It is judged by its order alone: hits, maps and labels, but no log-loss."""
    made = make_backtest()
    nothing = float("nan")
    made.seconds = {}
    made.scores["ensemble"] = replace(
        made.scores["ensemble"],
        log_loss=nothing,
        brier=nothing,
        brier_skill=nothing,
        fold_loss=np.full(50, nothing),
        reliability=reliability([], []),
    )
    made.risks["ensemble"] *= 40
    text = page(tmp_path / "r.html", made).text
    area = made.scores["ensemble"].area
    assert (
        "Ensemble, over 50 test maps: its values are no probabilities, so only their order is judged; catches as"
        " many; with the riskiest 2 of 54 cells (3.7 % of the area) flagged it catches"
        f" {100 * area.hit_rate:.1f} % of the incidents ({area.caught:.0f} of {area.incidents:.0f})"
    ) in text
    # Prior counts rank the cells in the same order here.
    assert "of prior counts, the simple baseline that catches the most (difference +0.00 percentage points" in text
    assert "Evaluation of a risk map" in text
    assert "More maps: risk and what happened" in text
    assert "A busy map" in text


@pytest.mark.parametrize(
    ("maps", "judged", "told"),
    [
        (5, "too few maps to tell its catch from that of prior counts", ", too few maps for an interval"),
        (50, "catches as many as prior counts", ", 95 % interval +0.00 to +0.00"),
    ],
)
def test_an_order_over_too_few_maps_is_not_called_chance(maps: int, judged: str, told: str) -> None:
    made = make_backtest(("ensemble", "constant", "prior_counts"), FIRST + maps)
    made.scores["ensemble"] = replace(made.scores["ensemble"], log_loss=float("nan"))
    (sentence,) = (line for line in claims.describe_comparison(made) if "only their order is judged" in line)
    area = made.scores["ensemble"].area
    assert collapse_blanks(sentence) == (
        f"Ensemble: its values are no probabilities, so only their order is judged; {judged} ({area.caught:.0f} of"
        f" {area.incidents:.0f} caught, +0.00 percentage points{told})."
    )


def test_categories_that_nobody_recorded_are_not_all(tmp_path: Path) -> None:
    made = make_backtest(("constant", "prior_counts"))
    made.heatmaps.categories = []
    found = page(tmp_path / "r.html", made)
    assert found.find_row("Categories", 2)[1] == "categories not recorded"
    assert "all categories" not in found.text
    made.heatmaps.categories = [f"offence {number}" for number in range(1, 7)]
    found = page(tmp_path / "r.html", made)
    assert "offence 4 and 2 more categories ·" in found.text
    assert found.find_row("Categories", 2)[1].endswith("offence 5, offence 6")


def test_hit_rates_are_better_when_higher() -> None:
    assert verdict_of_hits(Difference(0.02, 0.01, 0.03, 0.95, 10)) == "better"
    assert verdict_of_hits(Difference(-0.02, -0.03, -0.01, 0.95, 10)) == "worse"
    assert verdict_of_hits(Difference(0.02, -0.01, 0.05, 0.95, 10)) == "indistinguishable"


def test_a_test_without_incidents(tmp_path: Path) -> None:
    made = make_backtest()
    made.heatmaps.counts[FIRST:] = 0
    for name, risk in made.risks.items():
        made.scores[name] = score_model(name, risk, made.counts, made.heatmaps.mask, reference=0.2)
    text = page(tmp_path / "r.html", made).text
    assert "; no incident lies in the test, so nothing could be caught; log-loss 0." in text


def test_maps_shown_are_a_quiet_a_typical_and_a_busy_one() -> None:
    made = make_backtest()
    made.heatmaps.counts[FIRST:] = 0
    # Map FIRST + k of 50 holds 49 - k incidents.
    for place in range(50):
        made.heatmaps.counts[FIRST + place, 3, 3] = 49 - place
    assert backtest_maps.choose_maps(made) == {"quiet": 44, "typical": 25, "busy": 5}


def test_words_for_differences() -> None:
    told = Difference(-0.00123, -0.00160, -0.00086, 0.95, 10)
    assert verdict_of(told) == "better"
    assert collapse_blanks(format_interval(told)) == "−0.00123, 95 % interval −0.00160 to −0.00086"
    few = Difference(-0.00123, float("-inf"), float("inf"), 0.95, 3)
    assert verdict_of(few) == "too few"
    assert format_interval(few) == "−0.00123, too few maps for an interval"
    # A rounding error is no difference.
    none = Difference(1.18e-10, float("-inf"), float("inf"), 0.95, 3)
    assert format_interval(none) == "+0.00, too few maps for an interval"
    # A limit just below 0 must not look as if it lay above.
    assert format_change(-0.0000001) == "−0.00000"
    assert format_change(0.0) == "+0.00000"
    assert format_count(12.0) == "12"
    assert format_count(1234.6) == "1,235"


def test_same_backtest_same_figures(backtest: Judged) -> None:
    shared = backtest_maps.choose_common_scale(backtest, "ensemble", [0, 1])
    labels = backtest.label_cells()
    maps = [backtest_maps.draw_happened_map(backtest, "ensemble", 0, shared, labels) for _ in range(2)]
    curves = [backtest_figures.draw_hit_rate_curves(backtest) for _ in range(2)]
    assert maps[0] == maps[1]
    assert curves[0] == curves[1]
    assert maps[0] != backtest_maps.draw_happened_map(backtest, "ensemble", 1, shared, labels)


def test_a_folder_that_is_not_there(tmp_path: Path, backtest: Judged) -> None:
    with pytest.raises(OutputError, match="does not exist"):
        write_backtest_report(tmp_path / "nowhere" / "r.html", backtest, {}, [])
