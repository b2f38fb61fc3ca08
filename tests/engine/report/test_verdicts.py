"""Better at what: probabilities and the catch, always both; who counts as a long-run mean, and what counts match."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.maps import make_stack
from kit.pages import Page, collapse_blanks

from riskengine.evaluation.backtest import run_backtest
from riskengine.evaluation.judged import Judged
from riskengine.evaluation.plan import Plan
from riskengine.evaluation.scoring import score_model
from riskengine.forecasters.baselines import ConstantForecaster, PriorCounts
from riskengine.forecasters.kde import SpaceTimeKDE
from riskengine.forecasters.modelcard import ModelCard, make_card
from riskengine.forecasters.modelfile import load_model, save_model
from riskengine.maps.heatmaps import Heatmaps
from riskengine.measures.concentration import FewCells, find_few_cells
from riskengine.measures.metrics import count_area_hits
from riskengine.report.backtest import write_backtest_report
from riskengine.report.card import describe_forecast, metrics_of
from riskengine.report.claims import describe_comparison, describe_held_out, describe_models, make_headline
from riskengine.report.signals import describe_signal
from riskengine.report.units import words_of
from riskengine.report.verdicts import Verdict
from riskengine.report.words import format_figure, format_hits, format_share

SIDE, DAYS, FIRST = 10, 90, 20
#: By how much the model's log-loss and its hits on each map differ from the baseline's, by verdict.
LOSSES = {"better": -0.05, "indistinguishable": 0.0, "worse": 0.05}
CATCHES = {"better": 1, "indistinguishable": 0, "worse": -1}
WORDS = {
    ("better", "better"): "better calibrated, and catches more",
    ("better", "indistinguishable"): "better calibrated, catches as many",
    ("better", "worse"): "better calibrated, but catches FEWER",
    ("indistinguishable", "better"): "as well calibrated, and catches more",
    ("indistinguishable", "indistinguishable"): "as well calibrated, catches as many",
    ("indistinguishable", "worse"): "as well calibrated, but catches FEWER",
    ("worse", "better"): "WORSE calibrated, but catches more",
    ("worse", "indistinguishable"): "WORSE calibrated, catches as many",
    ("worse", "worse"): "WORSE calibrated, and catches FEWER",
}
MARKS = {
    ("better", "worse"): ("mixed", "unsure"),
    ("worse", "better"): ("mixed", "unsure"),
    ("indistinguishable", "indistinguishable"): ("indistinguishable", "unsure"),
    ("better", "better"): ("better", ""),
    ("better", "indistinguishable"): ("better", ""),
    ("indistinguishable", "better"): ("better", ""),
    ("worse", "worse"): ("worse", "worse"),
    ("worse", "indistinguishable"): ("worse", "worse"),
    ("indistinguishable", "worse"): ("worse", "worse"),
}
ADVICE = {
    ("better", "worse"): "To catch more, use prior counts.",
    ("indistinguishable", "worse"): "To catch more, use prior counts.",
    ("worse", "better"): "For probabilities, use prior counts.",
    ("worse", "indistinguishable"): "Use prior counts instead.",
    ("worse", "worse"): "Use prior counts instead.",
}


def make_maps() -> Heatmaps:
    """Three incidents a map or more, scattered: no cell holds many."""
    random = np.random.default_rng(2)
    counts = (random.random((DAYS, SIDE, SIDE)) < 0.1).astype(np.uint8)
    counts[:, 0, :3] += 1
    return make_stack(counts)


def judge(loss: float = 0.0, catch: float = 0.0, maps: int = DAYS - FIRST) -> Judged:
    """The ensemble beside prior counts, with losses and hits that differ by so much, and a little noise."""
    heatmaps, scored = make_maps(), np.arange(FIRST, FIRST + maps)
    risk = np.full((maps, SIDE, SIDE), 0.1, np.float32)
    scores = {
        name: score_model(name, risk, heatmaps.counts[scored], heatmaps.mask, reference=0.2)
        for name in ("ensemble", "prior_counts")
    }
    base, noise = scores["prior_counts"], 0.01 * np.sin(np.arange(maps) ** 2)
    own = scores["ensemble"]
    object.__setattr__(own, "fold_loss", base.fold_loss + loss + noise)
    object.__setattr__(own, "log_loss", float(own.fold_loss.mean()))
    object.__setattr__(own, "fold_caught", base.fold_caught + catch + 10 * noise)
    return Judged(heatmaps, Plan(FIRST), scored, {}, scores, 7, ["prior_counts"], "ensemble", seconds={"ensemble": 1.0})


@pytest.mark.parametrize(("probabilities", "catch"), WORDS)
def test_every_pair_of_verdicts_is_said_in_one_sentence(probabilities: str, catch: str) -> None:
    judged = judge(LOSSES[probabilities], CATCHES[catch])
    words, (mark, tone) = WORDS[probabilities, catch], MARKS[probabilities, catch]
    headline, headed = make_headline(judged)
    first = collapse_blanks(headline).partition(").")[0]
    assert first.startswith(f"Ensemble, over 70 test maps: {words}; log-loss ")
    assert re.search(r"against 0\.\d{3} of prior counts, the best simple baseline \(difference [+−]0\.\d+, 95 %", first)
    assert re.search(
        r"; with the riskiest 5 % of the area flagged it catches [\d.]+ % of the incidents \([\d.]+ of [\d,]+\) against"
        r" [\d.]+ % \([\d.]+\) of prior counts, which also catches the most \(difference [+−][\d.]+ percentage points,"
        r" 95 % interval [+−][\d.]+ to [+−][\d.]+",
        first,
    )
    assert headed == tone
    assert headline.endswith(ADVICE.get((probabilities, catch), " of those of prior counts."))
    line = describe_models(judged)["ensemble"]
    assert line.verdict == mark
    than = "as" if probabilities == "indistinguishable" else "than"
    named = words.replace(" calibrated", f" calibrated {than} prior counts")
    assert collapse_blanks(line.text).startswith(f"Ensemble: {named} (log-loss ")
    assert " caught, " in line.text
    # What a file that is kept says later is the same.
    kept = describe_held_out("ensemble", metrics_of(judged))
    assert kept.startswith(f"On 70 held-out maps: {words}; log-loss of its probabilities ")
    assert "of prior counts, which also catches the most (difference " in kept


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (Verdict("too few", "too few"), "too few maps to tell it from the simple baselines"),
        (Verdict("better", "too few"), "better calibrated than kde; too few maps to tell its catch from that of etas"),
        (
            Verdict("too few", "better"),
            "too few maps to tell its probabilities from those of kde; catches more than etas",
        ),
        (
            Verdict("worse", "nothing"),
            "WORSE calibrated than kde; no incident lies in the test, so nothing could be caught",
        ),
        (Verdict("baseline", "worse"), "the best simple baseline; catches FEWER than etas"),
        (Verdict("better", "unrecorded"), "better calibrated than kde; its catch was not recorded"),
        (
            Verdict("none", "better"),
            "its values are no probabilities, so only their order is judged; catches more than etas",
        ),
        (
            Verdict("alone", "alone"),
            "no simple baseline was scored beside it, so nothing can be said about how good that is",
        ),
    ],
)
def test_what_cannot_be_compared_is_said_so(verdict: Verdict, words: str) -> None:
    assert verdict.describe("kde", "etas") == words


def test_nothing_is_called_better_or_distinguishable_alone() -> None:
    for loss in LOSSES.values():
        for catch in CATCHES.values():
            judged = judge(loss, catch)
            for sentence in (*make_headline(judged), *describe_comparison(judged)):
                assert "istinguishabl" not in sentence
                for after in re.findall(r"(?i)\bbetter\b ?(\w*)", sentence):
                    assert after == "calibrated", sentence


@pytest.mark.parametrize("maps", [1, 70])
def test_a_test_map_is_one(maps: int) -> None:
    sentence, _ = make_headline(judge(maps=maps))
    assert f"over {maps} test map{'' if maps == 1 else 's'}: " in sentence
    kept = describe_held_out("ensemble", metrics_of(judge(maps=maps)))
    assert kept.startswith(f"On {maps} held-out map{'' if maps == 1 else 's'}: ")
    assert ("too few maps for an interval" in kept) is (maps == 1)


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ([35, 1], "35 of the 36 lie in one cell"),
        ([18, 1, *[1] * 17], "18 of the 36 lie in one cell"),
        ([36], "all 36 lie in one cell"),
        ([12, 10, *[1] * 14], "22 of the 36 lie in 2 cells"),
        ([8, 7, 6, *[1] * 15], "21 of the 36 lie in 3 cells"),
        ([7, 6, 4, *[1] * 19], ""),
        ([1, 1, 1], ""),
    ],
)
def test_few_cells_that_hold_most_incidents_are_named_with_the_catch(held: list[int], said: str) -> None:
    """Catching 35 of 36 is no feat where 35 lie in one cell."""
    counts = np.zeros((1, 400), np.int64)
    counts[0, : len(held)] = held
    risk = np.linspace(1, 0, 400)[None]
    area = count_area_hits(risk, counts)
    text = collapse_blanks(format_hits(area, words_of("grid")))
    assert text.endswith(f" of the incidents ({area.caught:.0f} of {sum(held)}{'; ' + said if said else ''})")


def test_few_cells_are_counted_over_all_maps(tmp_path: Path) -> None:
    """On each map an incident of its own, and always in the same cell."""
    counts = np.zeros((40, 30, 30), np.uint8)
    counts[:, 4, 4] = 1
    counts[np.arange(8), 0, np.arange(8)] = 1
    judged = run_backtest(make_stack(counts), ["prior_counts"], Plan(8), workers=1)
    assert judged.scores["prior_counts"].area.few == FewCells(1, 32.0)
    headline = collapse_blanks(make_headline(judged)[0])
    assert "it catches 100 % of the incidents (32 of 32; all 32 lie in one cell)" in headline
    assert "(32 of 32; all 32 lie in one cell)" in collapse_blanks(" ".join(describe_comparison(judged)))
    kept = describe_held_out("prior_counts", metrics_of(judged))
    assert "(32 of 32; all 32 lie in one cell)" in collapse_blanks(kept)
    assert find_few_cells(np.zeros(9)) is None
    path = tmp_path / "r.html"
    write_backtest_report(path, judged, {}, [])
    report = Page(path)
    assert "caught 32 of 32 incidents, 100 % (all 32 lie in one cell)" in collapse_blanks(report.lead)
    assert "of the incidents in the riskiest 5 % of the area: 32 of 32; all 32 lie in one cell" in report.text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.04123, "0.0412"), (0.19751, "0.198"), (12.345, "12.3"), (1234.5, "1,230"), (0.99996, "1.00"), (0.0, "0")],
)
def test_figures_at_the_top_have_three_digits(value: float, text: str) -> None:
    assert format_figure(value) == text


def test_all_is_100_per_cent() -> None:
    assert collapse_blanks(format_share(1.0)) == "100 %"


def fitted_card(metrics: dict[str, Any]) -> ModelCard:
    return make_card(PriorCounts().fit(make_maps()), make_maps(), metrics)


def test_a_kept_model_says_both_and_an_older_one_what_it_knows(tmp_path: Path) -> None:
    judged = judge(LOSSES["better"], CATCHES["worse"])
    metrics = metrics_of(judged)
    metrics["prior_counts"], metrics["ensemble"] = metrics["ensemble"], metrics["prior_counts"]
    path = tmp_path / "m.crimemodel"
    save_model(path, PriorCounts().fit(make_maps()), fitted_card(metrics))
    card = load_model(path)[1]
    assert card.metrics["prior_counts"]["against"] == metrics["prior_counts"]["against"]
    line = describe_forecast(card.name, ["2024-12-31", "2025-01-01"], card.bin, card.window.end, card.metrics)
    assert "On 70 held-out maps: better calibrated, but catches FEWER; log-loss of its probabilities " in line
    months = describe_forecast("kde", ["2022-05-01", "2022-06-01"], "1 months", "2022-05-01", card.metrics)
    said = "Forecast for May 2022 (1 map of 1 month). Model: Space-time KDE, trained on maps up to Apr 2022. "
    assert months.startswith(said)
    del metrics["prior_counts"]["against"]["catch"]
    save_model(path, PriorCounts().fit(make_maps()), fitted_card(metrics))
    said = describe_held_out("prior_counts", load_model(path)[1].metrics)
    assert re.fullmatch(
        r"On 70 held-out maps: better calibrated; its catch was not recorded; log-loss of its probabilities [\d.]+.%"
        r" lower than that of prior counts, the best simple baseline\.",
        said,
    )


def test_a_card_with_a_catch_that_is_none_is_refused() -> None:
    metrics = metrics_of(judge())
    for name, value in (("caught", -1.0), ("verdict", "best"), ("share", 7.0), ("change", {"mean": 2.0})):
        broken = {**metrics["ensemble"]["against"], "catch": {**metrics["ensemble"]["against"]["catch"], name: value}}
        with pytest.raises(ValueError, match=name):
            fitted_card({"prior_counts": {"against": broken}})


def make_changing() -> Heatmaps:
    """Hot cells that move every 30 days: recent maps tell more than old ones."""
    random = np.random.default_rng(8)
    rates = [np.roll(np.where(np.arange(64) < 8, 0.7, 0.03), 9 * (day // 30)).reshape(8, 8) for day in range(150)]
    return make_stack((random.random((150, 8, 8)) < np.stack(rates)).astype(np.uint8))


def make_steady() -> Heatmaps:
    """Two hot places, each of them spread over several cells: smoothing helps, nothing recent does."""
    random = np.random.default_rng(9)
    y, x = np.mgrid[:12, :12]
    rate = 0.01 + 0.3 * np.exp(-((x - 3) ** 2 + (y - 3) ** 2) / 6) + 0.2 * np.exp(-((x - 8) ** 2 + (y - 9) ** 2) / 4)
    return make_stack((random.random((150, 12, 12)) < rate).astype(np.uint8))


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(("heatmaps", "counts"), [(make_changing(), False), (make_steady(), True)])
def test_a_kernel_density_with_a_recent_part_is_no_long_run_mean(
    heatmaps: Heatmaps, counts: bool, workers: int
) -> None:
    judged = run_backtest(heatmaps, ["kde", "prior_counts"], Plan(100), workers=workers)
    assert SpaceTimeKDE().fit(heatmaps.before(100)).is_long_run is counts
    assert ("kde" in judged.long_run) is counts
    signal = describe_signal(judged)
    if counts:
        assert signal.startswith("No signal beyond the long-run mean (")
        assert "the best of the 3 models that know nothing recent) was sought" in signal
    else:
        assert signal.startswith(
            "There is a signal beyond the long-run mean (constant, the best of the 2 models that know nothing recent):"
            " the one other model is better calibrated than it, and catches more"
        )
        assert re.search(r"The best probabilities are those of space-time KDE \(log-loss −0\.\d+, .* lower\)\.", signal)
        assert re.search(r"The most is caught by space-time KDE \(difference \+[\d.]+ percentage points, 95", signal)
        assert signal.endswith(" No long-run mean here is smoothed in space: a part of that may be smoothing alone.")


def test_a_signal_may_lie_in_the_catch_alone() -> None:
    judged = judge(LOSSES["indistinguishable"], CATCHES["better"])
    assert describe_signal(judged).startswith(
        "There is a signal beyond the long-run mean (prior counts) in the catch alone: the one other model is not"
        " better calibrated than it, and catches more. The most is caught by ensemble (difference +"
    )


def test_one_fit_with_a_recent_part_is_enough() -> None:
    """Refitted every 25 maps: the first fit has seen one state of the city alone, later ones its change."""
    judged = run_backtest(make_changing(), ["kde", "prior_counts"], Plan(29, refit=40), workers=1)
    assert SpaceTimeKDE().fit(make_changing().before(29)).is_long_run
    assert judged.long_run == ["prior_counts", "constant"]


def test_a_given_map_is_no_long_run_mean_whatever_it_is_called() -> None:
    judged = judge()
    judged.recent = {"prior_counts"}
    assert judged.long_run == []
    assert describe_signal(judged) == ""


def test_counts_in_the_signal_add_up_to_the_list_below_it(tmp_path: Path) -> None:
    models = ["kde", "prior_counts", "prior_share", "recent_counts", "logistic"]
    judged = run_backtest(make_changing(), models, Plan(100), workers=1)
    judged.failures["sftt"] = "Too few maps."
    signal, lines = describe_signal(judged), describe_models(judged)
    counted = re.findall(r"the best of the (\d) models|of the (\d) other models|\((\d) could not be compared", signal)
    assert sum(int(number) for each in counted for number in each if number) == len(lines) == 7
    assert len(counted) == 3
    path = tmp_path / "r.html"
    write_backtest_report(path, judged, {}, [])
    assert all(collapse_blanks(line.text) in Page(path).text for line in lines.values())
    said = describe_comparison(judged)
    assert said[1] == signal
    assert said[2:-1] == [
        lines[name].text for name in sorted(judged.scores, key=lambda name: judged.scores[name].log_loss)
    ]
    assert said[-1] == "SFTT could not be run: Too few maps."
    assert not any(re.search(r"\(\)|, ,|: \.", sentence) for sentence in said)


def test_a_baseline_that_is_best_counts_the_others() -> None:
    steady = make_steady()
    judged = run_backtest(steady, ["prior_share", "constant", "prior_counts", "recent_counts"], Plan(100), workers=1)
    assert judged.best_baseline == judged.model == "prior_share"
    headline, tone = make_headline(judged)
    assert headline.startswith("Prior share, over 50 test maps: the best simple baseline; catches as many; log-loss 0.")
    assert "the other simple baseline that catches the most (difference " in headline
    assert headline.endswith("None of the 3 other models is better calibrated than it, and none catches more.")
    assert tone == "unsure"
    alone = run_backtest(steady, {"constant": ConstantForecaster()}, Plan(100), workers=1)
    assert make_headline(alone)[0].endswith("No other model was scored.")


@pytest.mark.parametrize(
    ("value", "beside", "shown"),
    [(0.22162, 0.22221, "0.2216"), (0.22162, 0.2254, "0.222"), (0.222, 0.222, "0.222"), (1234.4, 1234.6, "1,234")],
)
def test_figures_side_by_side_can_be_told_apart(value: float, beside: float, shown: str) -> None:
    assert format_figure(value, beside) == shown
