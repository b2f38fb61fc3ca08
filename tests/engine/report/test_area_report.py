"""The backtest's report of areas and of street segments: their words, their maps, the figures that were judged."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely
from kit.contexts import Recorder
from kit.hostile import HOSTILE, find_faults_of_page
from kit.judged import State, add_beside, make_judged
from kit.pages import Page, collapse_blanks, read_figure
from kit.panels import write_counts
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from riskengine.contract.texts import show_name
from riskengine.evaluation.exposure import AreaExposure
from riskengine.evaluation.judged import Judged
from riskengine.jobs import run_job
from riskengine.maps.areas import make_areas
from riskengine.measures.compare import Difference
from riskengine.report import canvas
from riskengine.report.backtest import write_backtest_report
from riskengine.report.beside import describe_control, describe_delay, list_covariates
from riskengine.report.canvas import make_canvas
from riskengine.report.card import metrics_of
from riskengine.report.claims import describe_comparison, describe_held_out, make_headline
from riskengine.report.figures import draw_risk_map
from riskengine.report.figures_csv import write_figures
from riskengine.report.limits import describe_flattery, list_limits
from riskengine.report.openings import describe_trial

MODELS = (("ensemble", "truth"), ("constant", "flat"), ("prior_counts", "near"))
CELLS = re.compile(r"\b(?:[Cc]ells?|[Gg]rids?)\b")


def judge(kind: str = "areas", maps: int = 60) -> Judged:
    return make_judged(State(maps, 4, "many", MODELS, (), kind))


@pytest.fixture(scope="module")
def judged() -> Judged:
    return add_beside(judge())


def write(path: Path, made: Judged, exposure: list[AreaExposure] | None = None) -> Page:
    write_backtest_report(path, made, {"heatmaps": "counts.gpkg", "areas": None}, [], exposure=exposure)
    return Page(path)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, judged: Judged) -> Page:
    return write(tmp_path_factory.mktemp("report") / "r.html", judged)


def test_it_opens_with_how_many_incidents_lay_in_how_many_areas_of_how_many_km2(page: Page, judged: Judged) -> None:
    area, plain = judged.scores["ensemble"].area, judged.scores["prior_counts"].area
    assert area.weights is not None
    # 16 areas of 0.3 to 1.5 km², 13.8 km² together; 5 % of them are 0.69 km² of each of 60 maps.
    assert area.weights.flagged == pytest.approx(60 * 0.05 * 13.8)
    few = area.few
    assert few is not None
    held = f"{few.incidents:.0f} of the {area.incidents:.0f} lie in {few.cells} areas"
    assert page.lead == (
        "Ensemble was tried on 60 months, Sep 2020 – Aug 2025, in 13.8 km²: the riskiest"
        f" {area.flagged / 60:.0f} areas for their size (5 % of 13.8 km²) caught {area.caught:.0f} of"
        f" {area.incidents:,.0f} incidents (burglary), {100 * area.hit_rate:.1f} % ({held}); the simple method prior"
        f" counts caught {plain.caught:.0f}, and as many km² drawn at random would catch about"
        f" {0.05 * area.incidents:.0f}."
    )


def test_no_word_of_it_is_one_of_grids(page: Page) -> None:
    assert CELLS.findall(page.text) == []
    assert CELLS.findall(" ".join(page.alts)) == []
    drawn = [read_figure(link) for link in page.links if link.startswith("data:image/svg")]
    assert CELLS.findall(" ".join(re.findall(r"<!-- (.*?) -->", " ".join(drawn)))) == []
    page.check_order()


def test_where_nearly_all_areas_have_incidents_the_probability_of_one_says_little(page: Page, tmp_path: Path) -> None:
    said = "the probability of it says little: take shorter bins, or more Incidents that count."
    assert said not in page.text
    made = judge(maps=20)
    every = replace(made, panel=replace(made.panel, counts=made.panel.counts + 1))
    assert said in write(tmp_path / "r.html", every).text


def test_its_tables_have_the_figures_that_were_judged(page: Page, judged: Judged) -> None:
    for name, title in (("ensemble", "Ensemble"), ("prior_counts", "Prior counts baseline")):
        area = judged.scores[name].area
        row = page.find_row(title, 7)
        assert row[1].startswith(f"{100 * area.hit_rate:.1f} %")
        assert row[2] == f"{area.caught:,.0f} / {area.incidents:,.0f}"
        # Both weights beside each other: of the areas, and of their km².
        assert row[3] == f"{100 * area.precision_by_count:.1f} % {100 * area.precision:.1f} % of km²"
        assert row[6] == f"{area.caught / (60 * 0.05 * 13.8):.3f}"
    assert page.find_row("Areas", 2)[1] == "16 areas of 0.3 to 1.5 km² (half of them below 0.9 km²)"
    assert page.find_row("Event", 2)[1] == "at least 1 incident in an area and bin"
    assert page.find_row("Counts known", 2)[1] == "2 months late"


def test_what_stands_beside_it(page: Page, judged: Judged) -> None:
    late, weighed = judged.late, judged.weighed
    assert late is not None
    assert weighed is not None
    model = judged.scores["ensemble"]
    row = page.find_row("Ensemble", 6)
    assert row[1:5] == [
        f"{model.log_loss:.4f}",
        f"{100 * model.area.hit_rate:.1f} %",
        f"{late.at_once['ensemble'].log_loss:.4f}",
        f"{100 * late.at_once['ensemble'].area.hit_rate:.1f} %",
    ]
    by_area, by_people = model.area, weighed.find_hits("ensemble").area
    row = page.find_row("Ensemble", 5)
    assert row[2] == f"{by_area.caught:.0f} / {by_area.incidents:.0f}"
    assert row[4] == f"{by_people.caught:.0f} / {by_people.incidents:.0f}"
    row = page.find_row("wards", 5)
    assert row[0] == "wards 16 areas, half of them below 0.900 km²"
    assert row[2] == f"{by_area.caught:.0f} / {by_area.incidents:.0f}"
    assert row[4] == f"{by_area.flagged / 60:.0f} of 16"
    assert page.find_row("Covariates", 2)[1] == "residents (does not change), residents by month (known 1 month late)"
    for heading in ("By share of residents", "Which units?", "Counts that come late", "covariates worth anything"):
        assert heading in page.text


def test_a_delay_is_said_with_what_it_costs_of_the_gain(judged: Judged) -> None:
    assert judged.late is not None
    once = {
        name: replace(judged.scores[name], log_loss=loss) for name, loss in (("ensemble", 0.62), ("prior_counts", 0.64))
    }
    cost = {"ensemble": Difference(0.005, 0.002, 0.008, 0.95, 10, 8)}
    none = {"ensemble": Difference(float("nan"), float("-inf"), float("inf"), 0.95, 0)}
    made = replace(judged, late=replace(judged.late, at_once=once, losses=cost, hits=none))
    assert collapse_blanks(describe_delay(made)) == (
        "Counts are known 2 months late; that cost ensemble +0.00500 of log-loss, 95 % interval +0.00200 to +0.00800;"
        " that is 25.0 % of what it gains over the best baseline where there is no delay."
    )
    assert describe_delay(made) in describe_comparison(made)
    assert describe_delay(replace(judged, late=None)).endswith("made without those that came later.")
    assert describe_delay(judge()) == ""


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        (Difference(-0.01, -0.02, -0.005, 0.95, 10), "they tell it something that chance does not."),
        (Difference(-0.001, -0.02, 0.018, 0.95, 10), "what they add cannot be told from chance."),
        (Difference(0.01, 0.005, 0.02, 0.95, 10), "it does WORSE with the true ones."),
    ],
)
def test_a_control_says_whether_the_covariates_tell_anything(loss: Difference, said: str, judged: Judged) -> None:
    assert describe_control(replace(judged.controls[0], loss=loss), judged.panel).endswith(said)


def test_small_areas_flatter_and_what_the_constant_catches_shows_it(judged: Judged) -> None:
    caught = judged.scores["constant"].area
    # At equal risk the smallest come first: more than their share of the incidents.
    assert caught.hit_rate > 0.05
    said = collapse_blanks(describe_flattery(judged))
    assert said.startswith("Small areas flatter: ")
    assert f"The constant, which knows nothing of any place, catches {100 * caught.hit_rate:.2g}" in said
    assert describe_flattery(make_judged(State(8, 4, "many", MODELS))) == ""


def test_limits_of_areas_and_of_covariates(judged: Judged) -> None:
    said = " ".join(list_limits(judged.panel))
    assert "deprivation name places" in said
    assert "boundaries have changed" in said
    assert "column of the incidents" in said
    assert "deprivation" not in " ".join(list_limits(judge().panel))
    assert len(list_limits(make_judged(State(1, 4, "one", MODELS)).panel)) == 3


def test_a_card_says_of_how_many_areas_it_speaks(judged: Judged) -> None:
    area = judged.scores["ensemble"].area
    said = collapse_blanks(describe_held_out("ensemble", metrics_of(judged)))
    assert f"in the riskiest {area.flagged / 60:.0f} areas for their size (5 % of 13.8 km²) it catches" in said


def test_less_than_one_area_is_a_part_of_one() -> None:
    made = judge()
    area = made.scores["ensemble"].area
    made.scores["ensemble"] = replace(made.scores["ensemble"], area=replace(area, flagged=0.3 * area.maps))
    said = collapse_blanks(describe_trial(made))
    assert "the riskiest part of one area for its size (5 % of 13.8 km²) caught" in said


def test_segments_are_told_in_km_of_their_length(tmp_path: Path) -> None:
    made = judge("segments", 8)
    page = write(tmp_path / "r.html", made)
    area = made.scores["ensemble"].area
    assert f"the riskiest {area.flagged / 8:.0f} segments for their size (5 % of 4.60 km) caught" in page.lead
    assert page.find_row("Segments", 2)[1] == "16 segments of 0.1 to 0.5 km (half of them below 0.3 km)"
    assert CELLS.findall(page.text) == []
    assert "areas" not in make_headline(made)[0]
    assert "SER, per km" in page.text


def test_hostile_names_of_covariates_units_and_areas(tmp_path: Path) -> None:
    for key in ("script", "long word", "mathtext", "right to left"):
        made = add_beside(judge(maps=8), HOSTILE[key], HOSTILE[key] + "!")
        exposure = [AreaExposure(HOSTILE[key], 4, 0.05, 0.1, 0.1, 0.02)]
        assert find_faults_of_page(write(tmp_path / "r.html", made, exposure)) == []
        assert list_covariates(made.panel)[0] == (show_name(HOSTILE[key]), "does not change")


def test_the_csv_has_the_columns_of_grids_and_what_stands_beside(tmp_path: Path, judged: Judged) -> None:
    write_figures(tmp_path / "f.csv", judged)
    with (tmp_path / "f.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["model", "metric", "at", "value", "n", "N", "low", "high"]
    found = {(row["model"], row["metric"], row["at"]): row for row in rows}
    assert len(found) == len(rows)
    area = judged.scores["ensemble"].area
    caught = found["ensemble", "hit_rate", "5 % of the area"]
    assert float(caught["n"]) == pytest.approx(area.caught, rel=1e-6)
    assert float(found["ensemble", "flagged_share", "5 % of the area"]["value"]) == pytest.approx(0.05)
    assert judged.late is not None
    assert judged.weighed is not None
    once = found["ensemble", "log_loss", "counts known at once"]
    assert float(once["value"]) == pytest.approx(judged.late.at_once["ensemble"].log_loss, rel=1e-6)
    people = found["ensemble", "hit_rate", "5 % of residents"]
    assert float(people["n"]) == pytest.approx(judged.weighed.find_hits("ensemble").area.caught, rel=1e-6)
    assert float(found["ensemble", "hit_rate", "units wards, 0.69 km² flagged"]["n"]) == pytest.approx(area.caught)
    assert ("ensemble", "log_loss_difference", "true minus shuffled covariates") in found


def count_shapes(figure: str) -> int:
    return read_figure(figure).count('clip-path="url(#')


def test_a_map_has_an_outline_for_each_area_and_thousands_of_areas_are_one_picture() -> None:
    def draw(number: int) -> str:
        corner = 1000.0 * np.arange(number)
        squares = shapely.box(corner, 0.0, corner + 1000, 1000.0)
        areas, _ = make_areas([str(each) for each in range(number)], squares, "EPSG:27700")
        return draw_risk_map(np.linspace(0, 0.5, number, dtype=np.float32), areas, "June 2024")

    few, many = draw(canvas.MANY_SHAPES), draw(canvas.MANY_SHAPES + 1)
    assert count_shapes(few) >= canvas.MANY_SHAPES
    assert count_shapes(many) < 20
    assert len(many) < len(few)


def test_an_area_with_a_hole_shows_what_lies_in_it() -> None:
    ring = shapely.box(0, 0, 3000, 3000) - shapely.box(1000, 1000, 2000, 2000)
    areas, _ = make_areas(["ring"], np.array([ring], dtype=object), "EPSG:27700")
    figure = Figure(figsize=(1, 1), dpi=90)
    axes = figure.add_axes((0, 0, 1, 1))
    make_canvas(areas).fill(axes, np.ma.array([1.0]), cmap=ListedColormap(["#ff0000"]), vmin=0, vmax=1)
    drawn = FigureCanvasAgg(figure)
    drawn.draw()
    pixels = np.asarray(drawn.buffer_rgba())[..., :3]
    assert pixels[15, 15].tolist() == [255, 0, 0]
    assert pixels[45, 45].tolist() == [255, 255, 255]


def test_dots_lie_in_the_middle_of_their_areas() -> None:
    made = judge()
    x, y = make_canvas(made.panel.support).find_middles(np.arange(16) == 1)
    # The second area reaches from 0.3 to 0.9 km, and all are 1 km high.
    assert (x.tolist(), y.tolist()) == ([0.6], [0.5])


def test_the_report_of_a_training_on_areas(tmp_path: Path) -> None:
    panel = judge(maps=28).panel
    given = {"heatmaps": write_counts(tmp_path / "counts.gpkg", panel), "kind": "logistic", "delay": 2}
    output = {"model_output": str(tmp_path / "m.crimemodel"), "report": str(tmp_path / "r.html")}
    run_job("train_forecast", {**given, **output}, Recorder())
    page = Page(tmp_path / "r.html")
    page.check_order()
    assert CELLS.findall(page.text) == []
    assert CELLS.findall(" ".join(page.alts)) == []
    assert re.match(
        r"Logistic was tried on 7 months, .* in 13.8 km²: the riskiest \d+ areas for their size \(5 % of", page.lead
    )
    assert page.find_row("Areas", 2)[1] == "16 areas of 0.3 to 1.5 km² (half of them below 0.9 km²)"
    assert page.find_row("Counts known", 2)[1] == "2 months late"
    assert page.find_row("History", 2)[1].startswith("36 months, ")
    assert "Count by the column where the police give one" in page.text
