"""The level with the maps before: the pictures it reads, what it refuses, and that it is the level unless proven."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kit.contexts import Recorder
from kit.incidents import make_incidents
from kit.panels import make_panel

from riskengine.forecasters.catalogue import make_forecaster
from riskengine.forecasters.levels.models import Level
from riskengine.forecasters.modelcard import make_card
from riskengine.forecasters.modelfile import load_model, save_model
from riskengine.ground.errors import DataError
from riskengine.maps.extras import choose_extent, make_pictures
from riskengine.maps.panel import Extras, Panel

SMALL = {"features": 2, "epochs": 2, "learning_rate": 0.01, "batch_size": 16}


def make_pictured(bins: int = 240, seed: int = 0) -> Panel:
    """Two areas; each has more events on the day after the picture was full on its side."""
    random = np.random.default_rng(seed)
    pictures = random.poisson(0.3, (bins, 1, 8, 8)).astype(np.uint8)
    busy = (random.random((bins, 2)) < 0.5).astype(np.uint8)
    pictures[:, 0, :, :4] += 3 * busy[:, :1, None]
    pictures[:, 0, :, 4:] += 3 * busy[:, 1:, None]
    rates = np.where(np.vstack([busy[:1], busy[:-1]]) > 0, 0.9, 0.1)
    counts = random.poisson(rates).astype(np.uint8)
    return make_panel(counts, bin="1 days", start="2022-01-03", extras=Extras(pictures=pictures))


def test_an_incident_is_drawn_where_and_when_it_was() -> None:
    times = ["2024-01-01T05:00", "2024-01-01T23:59", "2024-01-02T00:00", "2024-01-02T08:00", "2024-01-03T00:00"]
    incidents = make_incidents(
        x=[0.5, 3.99, 4.0, np.nan, 1.0], y=[7.9, 0.0, 8.0, 1.0, 1.0], time=np.array(times, dtype="datetime64[s]")
    )
    edges = np.array(["2024-01-01", "2024-01-02", "2024-01-03"], dtype="datetime64[s]")
    every, second = np.ones(5, dtype=bool), np.arange(5) == 1
    pictures = make_pictures(incidents, edges, [every, second], (0.0, 0.0, 4.0, 8.0), side=4)
    assert pictures.shape == (2, 2, 4, 4)
    expected = np.zeros((2, 2, 4, 4), dtype=np.uint8)
    # Row 0 is the northernmost; on the eastern and northern border an incident lies inside, without a place nowhere.
    expected[0, 0, 0, 0] = expected[0, :, 3, 3] = expected[1, 0, 0, 3] = 1
    np.testing.assert_array_equal(pictures, expected)


def test_pictures_are_known_when_counts_are() -> None:
    panel = replace(make_pictured(), delay=4)
    assert len(panel.cut(50).extras.pictures) == 50
    assert len(panel.before(50).extras.pictures) == 46
    assert len(panel.before(50).drop_delay().extras.pictures) == 46


def test_areas_without_pictures_are_refused() -> None:
    panel = replace(make_pictured(), extras=Extras())
    with pytest.raises(DataError, match="looks at maps of all crime, and this panel of areas comes without"):
        make_forecaster("level_maps", **SMALL).fit(panel)


def test_what_the_maps_before_say_is_found_and_kept_in_a_file(tmp_path: Path) -> None:
    panel = make_pictured(bins=500)
    context = Recorder()
    model = make_forecaster("level_maps", features=4, epochs=8, learning_rate=0.01, batch_size=16)
    model.fit(panel.before(400), context)
    assert model.corrects_ == 1, context.lines
    events = panel.counts[400:] > 0
    losses = []
    for each in (model, Level().fit(panel.before(400))):
        risk = each.predict_each(panel, 400).astype(float)
        losses.append(-np.log(np.where(events, risk, 1 - risk)).mean())
    assert losses[0] < losses[1] - 0.05
    save_model(tmp_path / "m.crimemodel", model, make_card(model, panel.before(400), {"level_maps": {"log_loss": 0.1}}))
    again, _ = load_model(tmp_path / "m.crimemodel")
    np.testing.assert_array_equal(again.predict_window(panel, 3), model.predict_window(panel, 3))


def test_it_is_the_level_where_maps_say_nothing() -> None:
    panel = make_pictured()
    random = np.random.default_rng(1)
    panel = replace(panel, counts=random.poisson(0.4, panel.counts.shape).astype(np.uint8))
    context = Recorder()
    model = make_forecaster("level_maps", **SMALL).fit(panel.before(200), context)
    np.testing.assert_array_equal(model.predict(panel, 3), Level().fit(panel.before(200)).predict(panel, 3))
    assert any("proves nothing: the level stays as it is" in line for line in context.lines)


def test_pictures_after_the_origin_are_not_read() -> None:
    panel = replace(make_pictured(), delay=2)
    model = make_forecaster("level_maps", **SMALL, proven=False).fit(panel.before(200))
    pictures = panel.extras.pictures.copy()
    pictures[208:] = 200
    changed = replace(panel, extras=replace(panel.extras, pictures=pictures))
    one, other = (model.forecast_known(each, 200) for each in (panel, changed))
    np.testing.assert_array_equal(one[:11], other[:11])
    assert not np.array_equal(one[11:], other[11:])


def test_other_areas_than_it_was_fitted_on_are_refused() -> None:
    panel = make_pictured()
    model = make_forecaster("level_maps", **SMALL, proven=False).fit(panel.before(200))
    with pytest.raises(DataError, match="fitted on maps of 1 layer for 2 areas"):
        model.predict(replace(panel.take(np.array([0])), extras=panel.extras))


def test_pictures_without_borders_show_all_but_a_few_places() -> None:
    """In steps of a kilometre, which a stray far away and a few more incidents leave where they are."""
    random = np.random.default_rng(0)
    x, y = random.uniform(300, 4800, 1000), random.uniform(-900, 900, 1000)
    x[0], y[0], x[1] = 1e6, -1e6, np.nan
    times = np.full(1000, np.datetime64("2024-01-01", "s"))
    assert choose_extent(make_incidents(x, y, times)) == (0.0, -1000.0, 5000.0, 1000.0)
    assert choose_extent(make_incidents(x[:900], y[:900], times[:900])) == (0.0, -1000.0, 5000.0, 1000.0)
    one = make_incidents([1500.0], [2000.0], times[:1])
    assert choose_extent(one) == (1000.0, 2000.0, 2000.0, 3000.0)
