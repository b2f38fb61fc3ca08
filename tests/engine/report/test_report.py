"""Reports: self-contained, escaped, and honest."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from kit.maps import make_stack
from kit.pages import Page

from riskengine.contract.tools.backtest import BacktestForecast
from riskengine.contract.tools.base import parameters_of
from riskengine.contract.tools.forecast import ConvLSTMPrediction, TrainForecastModel
from riskengine.contract.tools.kinds import Areas, Destination, File, Incidents, Raster, Rasters
from riskengine.contract.tools.risk import EvaluateRisk
from riskengine.evaluation.judged import Judged
from riskengine.evaluation.judging import judge_fitted
from riskengine.forecasters.baselines import ConstantForecaster, PriorCounts, PriorShare
from riskengine.forecasters.modelcard import make_card
from riskengine.forecasters.networks.convlstm import ConvLSTMForecaster
from riskengine.ground.context import JobContext
from riskengine.maps.heatmaps import Heatmaps
from riskengine.report.claims import make_headline
from riskengine.report.html import format_crs, format_number
from riskengine.report.outputs import FILES, hide_folders
from riskengine.report.training import write_training_report
from riskengine.report.words import format_figure, format_percent, format_share, weights_text
from riskengine.systems.hotspots.steps import forecast

EVIL = '<script>alert("x")</script> & $x_1^2$'


@pytest.fixture(scope="module")
def heatmaps() -> Heatmaps:
    random = np.random.default_rng(0)
    rate = random.gamma(0.5, 0.6, (6, 6))
    mask = np.ones((6, 6), bool)
    mask[0, :2] = False
    counts = random.poisson(rate, (50, 6, 6)).astype(np.uint8)
    return make_stack(counts, mask, categories=[EVIL])


@pytest.fixture(scope="module")
def model(heatmaps: Heatmaps) -> ConvLSTMForecaster:
    return ConvLSTMForecaster(sequence_length=6, channels=4, layers=1, epochs=2).fit(heatmaps.before(40))


@pytest.fixture(scope="module")
def held_out(heatmaps: Heatmaps, model: ConvLSTMForecaster) -> Judged:
    return judge_fitted([model, PriorCounts(), PriorShare(), ConstantForecaster()], heatmaps, 40)


def make(path: Path, heatmaps: Heatmaps, model: ConvLSTMForecaster, held_out: Judged | None) -> tuple[str, Page]:
    card = make_card(model, heatmaps.before(40))
    write_training_report(
        path,
        heatmaps,
        model,
        card,
        held_out,
        weights_text(card.window.end, 0.8, refitted=False),
        {"heatmaps": EVIL, "seed": 0, "model": None},
        [EVIL],
        forecast(model, card, heatmaps, 2, JobContext()),
    )
    page = Page(path)
    assert not page.open
    page.check_order()
    return page.source, page


def test_it_says_what_is_forecast_and_what_such_forecasts_caught(
    tmp_path: Path, heatmaps: Heatmaps, model: ConvLSTMForecaster, held_out: Judged
) -> None:
    _, page = make(tmp_path / "r.html", heatmaps, model, held_out)
    area = held_out.scores["convlstm"].area
    what = f"Forecast by ConvLSTM: where incidents ({EVIL}) are likeliest on"
    assert page.lead.startswith(f"{what} Tue 20 – Wed 21 Feb 2024, ")
    assert "It was tried on 10 days, Sat 10 – Mon 19 Feb 2024" in page.lead
    assert f" caught {area.caught:.0f} of {area.incidents:.0f} incidents" in page.lead
    assert "Hotspot forecast: ConvLSTM, Tue 20 – Wed 21 Feb 2024" in page.text
    _, page = make(tmp_path / "r.html", heatmaps, model, None)
    assert page.lead.endswith(" km². How good that is was not measured.")


def test_a_model_alone_shows_a_held_out_map(
    tmp_path: Path, heatmaps: Heatmaps, model: ConvLSTMForecaster, held_out: Judged
) -> None:
    card = make_card(model, heatmaps.before(40))
    given = {"until": "2024-02-10T00:00:00", "layer": "no date: 2024-99-10"}
    for judged in (held_out, None):
        write_training_report(tmp_path / "r.html", heatmaps, model, card, judged, "", given, [])
        page = Page(tmp_path / "r.html")
        page.check_order(has_map=judged is not None)
        assert page.find_row("layer", 2)[1] == "no date: 2024-99-10"
        assert ("A typical held-out map, " in page.text) is (judged is not None)
        assert page.find_row("until", 2)[1] == "Sat 10 Feb 2024"
    assert "from 50 days, Mon 1 Jan – Mon 19 Feb 2024, in" in page.lead
    assert page.lead.endswith("how good its forecasts are was not measured.")


def test_report_is_one_file_and_escaped(
    tmp_path: Path, heatmaps: Heatmaps, model: ConvLSTMForecaster, held_out: Judged
) -> None:
    text, page = make(tmp_path / "r.html", heatmaps, model, held_out)
    assert "script" not in page.tags
    assert EVIL not in text
    assert EVIL in page.text
    assert all(link.startswith("data:image/") for link in page.links)
    assert len(page.links) == 6
    assert not re.search(r"@import|url\(", text)
    for words in ("Prior counts", "Constant", "never of persons", "Fingerprint", "Fri 9 Feb 2024", "EPSG:32614"):
        assert words in page.text
    assert "nan" not in page.text.lower().split()


def test_report_says_how_the_interval_was_made_or_why_there_is_none(
    tmp_path: Path, heatmaps: Heatmaps, model: ConvLSTMForecaster, held_out: Judged
) -> None:
    _, few = make(tmp_path / "few.html", heatmaps, model, held_out)
    assert "too few held-out maps for an interval" in few.text
    assert "learned from the first 80 % of the maps, up to Fri 9 Feb 2024: the model was not fitted again" in few.text
    assert "inf" not in few.text.replace("−", " ").replace("+", " ").split()
    longer = judge_fitted([model, PriorCounts(), ConstantForecaster()], heatmaps, 20)
    _, enough = make(tmp_path / "enough.html", heatmaps, model, longer)
    assert "studentised bootstrap of 10 blocks of consecutive maps" in enough.text
    assert "too few" not in enough.text


def test_report_without_evaluation_says_so(tmp_path: Path, heatmaps: Heatmaps, model: ConvLSTMForecaster) -> None:
    _, page = make(tmp_path / "r.html", heatmaps, model, None)
    assert "Not evaluated" in page.text
    assert len(page.links) == 3


def test_held_out_scores_share_folds(held_out: Judged) -> None:
    assert len(held_out.maps) == 10
    assert {len(score.fold_loss) for score in held_out.scores.values()} == {10}
    assert {score.area.incidents for score in held_out.scores.values()} == {held_out.scores["constant"].area.incidents}
    for score in held_out.scores.values():
        assert score.fold_loss.mean() == pytest.approx(score.log_loss)
        assert score.curve[-1].hit_rate == pytest.approx(1.0)
    assert held_out.scores["constant"].brier_skill == 0


def test_unobserved_maps_are_not_scored(heatmaps: Heatmaps) -> None:
    observed = np.ones(50, bool)
    observed[[41, 45]] = False
    gaps = Heatmaps(heatmaps.counts, heatmaps.edges, heatmaps.mask, heatmaps.grid, "1 days", observed)
    assert len(judge_fitted([PriorCounts(), ConstantForecaster()], gaps, 40).maps) == 8


def test_verdict_says_plainly_when_the_model_is_worse(heatmaps: Heatmaps) -> None:
    class Bad(ConstantForecaster):
        name = "convlstm"

        def _risk(self, total: np.ndarray, maps: int, heatmaps: Heatmaps) -> np.ndarray:
            return np.asarray(0.9)

    bad = judge_fitted([Bad(), PriorCounts(), ConstantForecaster()], heatmaps, 20)
    assert make_headline(bad)[0].startswith("ConvLSTM, over 30 test maps: WORSE calibrated, and catches FEWER; log")
    same = ConstantForecaster()
    same.name = "convlstm"
    alike, tone = make_headline(judge_fitted([same, ConstantForecaster()], heatmaps, 20))
    assert alike.startswith("ConvLSTM, over 30 test maps: as well calibrated, catches as many; log-loss")
    assert tone == "unsure"
    few, tone = make_headline(judge_fitted([same, ConstantForecaster()], heatmaps, 40))
    assert few.startswith("ConvLSTM, over 10 test maps: too few maps to tell it from the simple baselines; log-loss")
    assert tone == "unsure"
    good = judge_fitted([PriorCounts(), ConstantForecaster()], heatmaps, 20)
    assert make_headline(good)[0].startswith("Prior counts, over 30 test maps: better calibrated, and catches more;")


def test_words() -> None:
    assert format_percent(0.1234) == "12.3\N{NO-BREAK SPACE}%"
    assert format_percent(float("nan")) == format_number(None) == "–"
    for value, said in (
        (0.04231, "0.0423"),
        (9.996, "10.0"),
        (0.99951, "1.00"),
        (1234.5, "1,230"),
        (0.0, "0"),
        (-0.123456, "−0.123"),
        (0.00001234, "0.0000123"),
        (None, "–"),
    ):
        assert format_figure(value) == said
    assert [format_share(value) for value in (0.2034, 1.0, float("nan"))] == [
        "20.3\N{NO-BREAK SPACE}%",
        "100\N{NO-BREAK SPACE}%",
        "–",
    ]
    assert format_crs('PROJCS["WGS 84 / UTM zone 14N",GEOGCS[...]]') == "WGS 84 / UTM zone 14N"


def test_a_report_shows_files_by_name_alone() -> None:
    given = {"heatmaps": "/home/ann/maps.tif", "extras": ["/home/ann/a.tif", "b.tif"], "risk": None, "kind": "a/b"}
    assert hide_folders(given) == {"heatmaps": "maps.tif", "extras": ["a.tif", "b.tif"], "risk": None, "kind": "a/b"}


def test_every_file_that_a_judging_tool_takes_is_shown_by_name() -> None:
    files = (File, Raster, Rasters, Incidents, Areas, Destination)
    for tool in (BacktestForecast, ConvLSTMPrediction, TrainForecastModel, EvaluateRisk):
        for parameter in parameters_of(tool):
            assert not isinstance(parameter.kind, files) or parameter.key in FILES, (tool.ID, parameter.key)
