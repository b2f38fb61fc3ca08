"""The score model's report: self-contained, escaped, honest, and whole whatever is missing."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.pages import Page

from riskengine.ground.errors import OutputError
from riskengine.learning.loop import Curves
from riskengine.measures.clustered import Interval
from riskengine.report import score_figures, score_words
from riskengine.report.openings import describe_score_model
from riskengine.report.score import write_score_report
from riskengine.systems.score.augment import Rows
from riskengine.systems.score.definition import ScoreScale
from riskengine.systems.score.features import FeatureSet
from riskengine.systems.score.model import ScoreCard
from riskengine.systems.score.network import Architecture
from riskengine.systems.score.settings import Settings
from riskengine.systems.score.splits import number_blocks
from riskengine.systems.score.study import Comparison, GrowthStep, HeldOut, Importance, Study

EVIL = '<script>alert("x")</script> & $x_1^2$'
ORIGINALS = 900


def interval(mean: float, reach: float = 0.002) -> Interval:
    return Interval(mean, mean - reach, mean + reach)


def make_study(protocol: str = "recommended", error: float = 0.04) -> Study:
    """A study made up: 900 places in 36 blocks, a third of them copied."""
    random = np.random.default_rng(1)
    x, y = random.uniform(0, 6000, (2, ORIGINALS))
    counts = np.sort(np.exp(random.uniform(0, np.log(500), ORIGINALS)).astype(np.int64))
    counts[0], counts[-1] = 1, 500
    scale = ScoreScale(counts)
    own = scale.to_score(random.permutation(counts))
    source = np.concatenate((np.arange(ORIGINALS), np.flatnonzero(own < 0.3)))
    score = np.concatenate((own, own[own < 0.3]))
    rows = Rows(
        x[source],
        y[source],
        np.zeros(len(source)),
        score,
        source,
        ORIGINALS,
        scale,
        np.datetime64("2020-01-31T23:59:00"),
    )
    row = np.arange(len(rows)) if protocol == "recommended" else np.sort(random.permutation(len(rows))[:100])
    block, corner = number_blocks(rows.x, rows.y, 1000.0)
    predicted = np.clip(score[row] + random.laplace(0, error, len(row)), 0, 1)
    held_out = HeldOut(
        row,
        score[row],
        predicted,
        np.maximum(predicted - 0.1, 0),
        np.minimum(predicted + 0.1, 1),
        block[row],
        corner,
        1000.0,
        np.arange(len(row)) % 3 == 0,
    )
    card = ScoreCard(
        name="ciudad " + EVIL,
        protocol=protocol,  # type: ignore[arg-type]
        features=FeatureSet(groups=("densities", "slopes")),
        architecture=Architecture(inputs=14, widths=(8, 4)),
        radius=200.0,
        window_days=365.0,
        recent_days=31.0,
        reference_time="2020-01-31T23:59:00",
        crs="EPSG:32614",
        extent=(0.0, 0.0, 6000.0, 6000.0),
        count_low=1,
        count_high=500,
        interval=0.9,
        widening=-0.001,
        percentiles=np.linspace(0, 1, 101).tolist(),
        seed=0,
        fingerprint="0123456789abcdef",
        incidents=ORIGINALS,
        recent_incidents=77,
        versions={"torch": "2"},
    )
    curves = [
        (name, Curves([0.3, 0.08, 0.05], [0.2, 0.07, 0.06 + 0.001 * number], best_epoch=3))
        for number, name in enumerate(("fold 1", "fold 2", "final"))
    ]
    study = Study(card, rows, held_out, curves, settings=Settings().to_dict(), seconds=12.3)
    study.growth = [
        GrowthStep("14-3", 45, 0.08, 0.081, 20, True),
        GrowthStep("14-8-3", 147, 0.05, 0.052, 20, True),
        GrowthStep("14-8-4-3", 171, 0.049, 0.053, 20, False),
    ]
    study.comparisons = [
        Comparison("this network", "blocks" if protocol == "recommended" else "random", held_out.l1(), len(row)),
        Comparison("median score", "blocks", interval(0.178), 1000),
        Comparison("this network", "random" if protocol == "recommended" else "blocks", interval(0.0312), 100),
        Comparison("the same network on the published features", "random", interval(0.047), 100),
        Comparison("the same network on the published features", "blocks", interval(0.0535), 100),
        Comparison("gradient boosting", "blocks", interval(0.0612), 1000),
    ]
    study.importance = [
        Importance("densities", 7, 0.13),
        Importance("slopes", 7, 0.004),
        Importance("log density 100 m", 1, 0.03),
    ]
    study.about = {
        "index": "ciudad.crimeindex",
        "incidents": 900,
        "first": "2019-02-01T00:00:00",
        "last": "2020-01-31T23:59:00",
        "recent_incidents": 77,
        "recent_first": "2020-01-01T00:00:00",
        "categories": [["ROBO <b>", 0.7], ["NARCOMENUDEO POSESIÓN", 0.2], ["(none)", 0.1]],
    }
    study.notes = ["Beware: " + EVIL]
    return study


def page(path: Path, study: Study) -> Page:
    write_score_report(path, study)
    made = Page(path)
    assert not made.open
    made.check_order()
    assert "nan" not in re.findall(r"\w+", made.text.lower())
    return made


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Page:
    return page(tmp_path_factory.mktemp("report") / "r.html", make_study())


def test_one_file_escaped_and_told_to_those_who_do_not_see(whole: Page) -> None:
    made = whole
    assert "script" not in made.tags
    assert EVIL not in made.source
    assert "Beware: " + EVIL in made.text
    assert all(link.startswith("data:image/svg") for link in made.links)
    assert not re.search(r"@import|url\(", made.source)
    assert len(made.alts) == made.tags.count("img") == 10
    assert all(len(alt) > 40 for alt in made.alts)
    assert made.source.count('class="scroll"') == made.tags.count("table") - made.source.count('class="card"')


def test_it_opens_with_what_it_says_and_how_far_off_that_is(whole: Page) -> None:
    start = (
        "Asked about a place it has never seen, in an area of 6.00 × 6.00 km, the model says how many incidents were"
        " reported within 200 m in the 365 days up to Fri 31 Jan 2020, 23:59; it is typically off by a factor of 1.2"
    )
    assert whole.lead.startswith(start)
    assert re.search(r": where it says 100, a typical truth is (7\d|8\d) or 1[23]\d\.$", whole.lead)
    study = make_study("published")
    study.card = study.card.model_copy(update={"count_high": 20})
    said = describe_score_model(study)
    assert said.startswith("Asked about a place beside those it learned from, in ")
    assert re.search(r": where it says 10, a typical truth is 9 or 11\.$", said)


@pytest.mark.parametrize(
    ("exactness", "first", "said"),
    [("month", "2019-02-01T00:00:00", "in Feb 2019 – Feb 2020;"), ("day", "", "in the 365 days to Sat 1 Feb 2020;")],
)
def test_its_window_is_said_as_exactly_as_it_is_known(exactness: str, first: str, said: str) -> None:
    """An incident of 1 February at 00:00 is one of that day, or of that month, where no more is known."""
    study, end = make_study(), "2020-02-01T00:00:00"
    study.card = study.card.model_copy(update={"reference_time": end})
    study.about |= {"exactness": exactness, "first": first, "last": end}
    assert said in describe_score_model(study)


@pytest.mark.parametrize(
    "words",
    [
        "On places it has never seen, the model is on average off by 0.0",
        "by a factor of 1.3 in the number of incidents",
        "saw nothing of its 1 km block (36 blocks)",
        "places, never of persons",
        "a nowcast, not a forecast",
        "Jittered copies of one place, and the many incidents of one address, fall on both sides of a random split",
        "the same network on the published features is off by 0.0470 on random rows but by 0.0535",
        "By their names, 20.0 % of the incidents here seem to be found by patrols",
        "Gradient boosting",
        "ciudad.crimeindex: 900 incidents, Fri 1 Feb 2019 to Fri 31 Jan 2020, 23:59",
        "6.0 km from west to east",
        "from 0 (1 incident) to 1 (500)",
        "14-8-4-3",
        "smoothed densities",
        "groups: densities, slopes",
    ],
)
def test_what_it_says(words: str, whole: Page) -> None:
    assert words in whole.text


def test_the_headline_judges_the_model_by_the_simpler_ones() -> None:
    study = make_study()
    sentence, look = score_words.make_headline(study)
    assert "better than the best of the simpler models judged alike, gradient boosting (0.061)" in sentence
    assert look == ""
    study.comparisons[-1] = Comparison("gradient boosting", "blocks", interval(0.02), 1000)
    sentence, look = score_words.make_headline(study)
    assert "WORSE than the best of the simpler models judged alike, gradient boosting (0.020)" in sentence
    assert look == "worse"
    study.comparisons[-1] = Comparison("gradient boosting", "blocks", study.held_out.l1(), 1000)
    assert "no better than" in score_words.make_headline(study)[0]
    for low, high, words, how in (
        (0.001, 0.003, "That is better than", ""),
        (-0.003, -0.001, "That is WORSE than", "worse"),
        (-0.001, 0.003, "It cannot be told from", ""),
        (-0.003, 0.001, "It cannot be told from", "unsure"),
    ):
        minus = Interval((low + high) / 2, low, high)
        # The difference on the same rows decides, whatever the errors' own intervals say.
        study.comparisons[-1] = Comparison("gradient boosting", "blocks", study.held_out.l1(), 1000, minus)
        study.comparisons[1] = replace(study.comparisons[1], minus_model=interval(0.1))
        sentence, look = score_words.make_headline(study)
        assert words in sentence
        assert look == how
        assert "on the same 1,000 rows that one’s error differs by" in sentence
    study.comparisons = []
    assert "simpler" not in score_words.make_headline(study)[0]


def test_published_says_that_it_leaks(tmp_path: Path) -> None:
    study = make_study("published")
    sentence, look = score_words.make_headline(study)
    assert "But that split leaks: on blocks it has never seen, the same network is off by 0.031" in sentence
    assert look == "unsure"
    made = page(tmp_path / "r.html", study)
    assert "these figures are too good" in made.text
    study.comparisons = []
    assert "expect a larger error" in page(tmp_path / "r.html", study).text


def test_factor_is_that_of_the_mean_error() -> None:
    card = make_study().card
    assert score_words.compute_factor(card, 0.045) == pytest.approx(500**0.045)
    assert score_words.compute_factor(card, 0.0) == 1.0


def test_what_was_not_done_is_said(tmp_path: Path) -> None:
    """Nothing grown, nothing compared, nothing copied, one block, no categories."""
    study = make_study()
    rows = study.rows
    own = slice(0, ORIGINALS)
    alone = replace(
        rows, x=rows.x[own], y=rows.y[own], shift=rows.shift[own], score=rows.score[own], source=rows.source[own]
    )
    held = study.held_out
    one = replace(
        held,
        row=held.row[own],
        truth=held.truth[own],
        score=held.score[own],
        lower=held.lower[own],
        upper=held.upper[own],
        block=np.zeros(ORIGINALS, dtype=np.int64),
        corner=np.zeros((1, 2)),
        inner=held.inner[own],
    )
    bare = Study(study.card, alone, one, [("final", Curves())])
    made = page(tmp_path / "r.html", bare)
    for words in (
        "Nothing was grown: the architecture 14-8-4-3 was fixed beforehand",
        "The protocols were not compared",
        "Nothing was resampled",
        "carries no categories",
        "too few blocks for an interval",
        "Not measured in this training",
    ):
        assert words in made.text, words
    incomplete = replace(bare, card=study.card.model_copy(update={"complete": False}))
    assert "The training was cancelled" in page(tmp_path / "r.html", incomplete).text


def test_blocks_with_few_incidents_are_left_out_of_the_map(tmp_path: Path) -> None:
    study = make_study()
    few = study.held_out.block.copy()
    few[:5] = len(study.held_out.corner)
    corner = np.vstack((study.held_out.corner, [[9000.0, 9000.0]]))
    study.held_out = replace(study.held_out, block=few, corner=corner)
    text = page(tmp_path / "r.html", study).text
    assert f"Grey: 1 block with fewer than {score_figures.LEAST_IN_BLOCK} incidents" in text
    assert "Of the 36 blocks shown" in text


def test_same_study_same_report(tmp_path: Path) -> None:
    def figures(path: Path) -> Any:
        write_score_report(path, make_study())
        return re.findall(r'src="([^"]+)"', path.read_text(encoding="utf-8"))

    assert figures(tmp_path / "a.html") == figures(tmp_path / "b.html")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="does not exist"):
        write_score_report(tmp_path / "nowhere" / "r.html", make_study())
