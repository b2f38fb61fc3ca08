"""`check_forecaster`: every promise of a forecaster, whatever it is made of; what a contributor runs.

``python -m pytest tests/engine/forecasters -k NAME`` asks a forecaster that has a record in
`riskengine.contract.forecasters`, each promise a test of its own. `check_forecaster` asks any other, from any test.
"""

from __future__ import annotations

import inspect
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from kit.contexts import Recorder, make_cancelled_context
from kit.maps import make_stack
from kit.panels import make_panel_of_cells

from riskengine.contract.forecasters import (
    COVARIATES,
    FORECASTERS,
    GRID,
    NEIGHBOURS,
    RECORDS,
    ForecasterRecord,
    LineStyle,
)
from riskengine.forecasters.base import Forecaster, Maps
from riskengine.forecasters.catalogue import import_forecaster, make_forecaster
from riskengine.forecasters.modelcard import make_card
from riskengine.forecasters.modelfile import load_model, save_model
from riskengine.forecasters.modelfit import check_fits
from riskengine.ground.errors import Cancelled, DataError, ParameterError
from riskengine.maps.grid import Grid
from riskengine.maps.heatmaps import Heatmaps
from riskengine.maps.panel import Extras
from riskengine.measures.metrics import auc

#: Maps of the city, and the first that is forecast.
MAPS, FIRST = 72, 60
#: One pass over the maps and a forecast of each origin may round differently.
CLOSE = {"rtol": 2e-5, "atol": 1e-7}
#: Kinds of maps that all but networks, which take too long for them, are asked on: bins, threshold, binary.
KINDS = (
    ("1 days", 2, False),
    ("1 days", 1, True),
    ("2 hours", 1, False),
    ("1 weeks", 1, False),
    ("1 months", 1, False),
)


def make_small_city(bin_length: str = "1 days", maps: int = MAPS, binary: bool = False) -> Heatmaps:
    """Make a city of busy and quiet cells, two of them outside, days without observation, a static layer and another
    category.
    """
    random = np.random.default_rng(11)
    rates = random.gamma(0.7, 0.6, (5, 6))
    counts = random.poisson(rates, (maps, 5, 6)).astype(np.uint8)
    mask = np.ones((5, 6), dtype=bool)
    mask[0, 0] = mask[3, 2] = False
    observed = np.ones(maps, dtype=bool)
    observed[[0, 9, 30, FIRST - 1, FIRST + 3]] = False
    extras = Extras(
        random.normal(size=(1, 5, 6)).astype(np.float32),
        ("distance",),
        random.poisson(rates, (1, maps, 5, 6)).astype(np.uint8),
        ("other",),
    )
    grid = Grid(500_000.0, 4_000_000.0, 250.0, 6, 5, "EPSG:32614")
    counts = np.minimum(counts, 1) if binary else counts
    start = "2018-01-01" if bin_length.endswith("months") else "2023-01-02"
    return make_stack(counts, mask, bin_length, start, grid, observed=observed, binary=binary, extras=extras)


def make_announced_city() -> Heatmaps:
    """Toss a coin whether something happens at (1, 1); the next map, and no other, tells at (3, 4)."""
    random = np.random.default_rng(5)
    counts = random.poisson(0.1, (400, 5, 6)).astype(np.uint8)
    coin = random.integers(0, 2, 400)
    counts[:, 1, 1] = coin
    counts[1:, 3, 4] = coin[:-1]
    return make_stack(counts, start="2023-01-01", cell=1.0)


def poison(heatmaps: Heatmaps, which: Any) -> Heatmaps:
    """Poison the maps with other counts, of their own category and the other one, in some of them."""
    counts, channels = heatmaps.counts.copy(), heatmaps.extras.channels.copy()
    counts[which] = 7 - np.minimum(counts[which], 7)
    channels[:, which] = 200
    return replace(heatmaps, counts=counts, extras=replace(heatmaps.extras, channels=channels))


class Subject:
    """A forecaster under test, as small as its record says it can be; fitted once for all checks.

    Attributes
    ----------
    name : str
    record : ForecasterRecord
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.record = FORECASTERS[name]

    def make(self, **settings: Any) -> Forecaster:
        """Make an unfitted one."""
        return make_forecaster(self.name, seed=3, **{**self.record.quick_settings, **settings})

    @cached_property
    def fitted(self) -> Forecaster:
        """Fitted on the maps of the small city before `FIRST`."""
        return self.make().fit(make_small_city().before(FIRST))


Check = Callable[[Subject], None]


def check_its_record(subject: Subject) -> None:
    """The record says what the class is."""
    record, cls = subject.record, import_forecaster(subject.name)
    assert issubclass(cls, Forecaster), f"{cls.__name__} is no Forecaster"
    assert cls.name == record.name == subject.name, f"the class calls itself {cls.name!r}, the record {record.name!r}"
    assert make_forecaster(subject.name).name == subject.name
    assert record.title, "a forecaster needs a title"
    assert record.summary.endswith("."), "a summary is a sentence"
    assert record.simple or not record.baseline, "what stands beside every model is simple"
    assert record.baseline or not record.quick_baseline, "what stands beside a raster stands beside every model"
    assert record.needs <= {GRID, NEIGHBOURS, COVARIATES}
    assert record.network == hasattr(subject.make(), "checkpoint"), "a network keeps a checkpoint, nobody else"
    others = [each.line for each in RECORDS if each.name != subject.name]
    drawn = [(line.dashes, line.marker) for line in others]
    assert (record.line.dashes, record.line.marker) not in drawn, "another forecaster's line has its dashes and marker"


def check_settings(subject: Subject) -> None:
    """Every setting has a default, is kept as it was given, and no other is taken."""
    given = dict(inspect.signature(import_forecaster(subject.name)).parameters)
    assert "threshold" in given, "every forecaster takes a threshold"
    without = [name for name, each in given.items() if each.default is inspect.Parameter.empty]
    assert not without, f"no default: {without}"
    settings = subject.fitted.settings()
    assert set(settings) == set(given)
    assert settings == subject.make().settings(), "fit changed a setting"
    with pytest.raises(ParameterError, match="no setting 'tea_leaves'"):
        make_forecaster(subject.name, tea_leaves=3)


def check_probabilities(subject: Subject) -> None:
    """Forecasts are probabilities inside the study area, one step ahead and several."""
    city = make_small_city()
    assert_probabilities(subject.fitted.predict_each(city, FIRST), city)
    ahead = subject.fitted.predict(city, steps=3)
    assert len(ahead) == 3
    assert_probabilities(ahead, city)


def check_maps_stay(subject: Subject) -> None:
    """Neither fit nor a forecast changes the maps it is handed; fit returns the forecaster."""
    city, untouched = make_small_city(), make_small_city()
    model = subject.make()
    assert model.fit(city.before(FIRST)) is model
    model.predict_each(city, FIRST)
    for ours, given in ((city, untouched), (city.extras, untouched.extras)):
        for key, value in vars(given).items():
            if isinstance(value, np.ndarray):
                np.testing.assert_array_equal(getattr(ours, key), value, f"it changed the maps' {key}")


def check_nothing_from_the_future(subject: Subject) -> None:
    """What comes after the origin changes no forecast."""
    city, origin = make_small_city(), FIRST + 6
    changed = poison(city, slice(origin, None))
    before, after = (subject.fitted.predict_each(each, FIRST) for each in (city, changed))
    known = origin - FIRST + 1
    np.testing.assert_array_equal(before[:known], after[:known])
    # The same maps do change the forecasts that may read them: the check would see a leak.
    assert not np.array_equal(before[known:], after[known:], equal_nan=True), "it reads no map at all"
    alone = [subject.fitted.predict(each.before(origin)) for each in (city, changed)]
    np.testing.assert_array_equal(*alone)
    ahead = [subject.fitted.predict_ahead(each, FIRST, 2) for each in (city, changed)]
    np.testing.assert_array_equal(ahead[0][: known + 1], ahead[1][: known + 1])


def check_no_signal_from_the_future(subject: Subject) -> None:
    """A signal that is only known too late helps nobody."""
    # 280 tosses: chance is 0.5 with a standard deviation of 0.034.
    assert abs(compute_late_signal_auc(subject.make()) - 0.5) < 0.14, "it knows a coin before it is tossed"


def check_unobserved_maps(subject: Subject) -> None:
    """Maps without observation teach nothing and are read by nobody."""
    city = make_small_city()
    changed = poison(city, ~city.observed)
    other = subject.make().fit(changed.before(FIRST))
    np.testing.assert_array_equal(subject.fitted.predict_each(city, FIRST), other.predict_each(changed, FIRST))


def check_one_pass(subject: Subject) -> None:
    """One pass over the maps gives what each origin gives."""
    city = make_small_city()
    alone = [subject.fitted.predict(city.before(origin))[0] for origin in range(FIRST, MAPS)]
    np.testing.assert_allclose(subject.fitted.predict_each(city, FIRST), alone, **CLOSE)


def check_further_ahead(subject: Subject) -> None:
    """Forecasts further ahead are those made earlier."""
    city = make_small_city()
    alone = [subject.fitted.predict(city.before(target - 2), 3)[-1] for target in range(FIRST, MAPS)]
    np.testing.assert_allclose(subject.fitted.predict_ahead(city, FIRST, 3), alone, **CLOSE)


def check_window(subject: Subject) -> None:
    """The incidents of the next bins as one window: by unit, from what was known, no fewer in a longer one."""
    city, origin = make_small_city(), FIRST + 6
    expected = subject.fitted.predict_window(city.before(origin), 4)
    assert expected.dtype == np.float32
    assert expected.shape == city.mask.shape
    assert np.array_equal(np.isnan(expected), ~city.mask), "NaN outside, and only there"
    assert expected[city.mask].min() >= 0
    changed = poison(city, slice(origin, None))
    np.testing.assert_array_equal(subject.fitted.predict_window(changed.before(origin), 4), expected)
    assert not np.array_equal(subject.fitted.predict_window(changed, 4), expected, equal_nan=True)
    assert np.all(subject.fitted.predict_window(city.before(origin), 1)[city.mask] <= expected[city.mask] * 1.001)
    with pytest.raises(ParameterError, match="steps is 0"):
        subject.fitted.predict_window(city, 0)


def check_late_window(subject: Subject) -> None:
    """Counts that come three bins late leave three bins that are over: the window begins behind them."""
    late = replace(make_small_city(), delay=3)
    known = late.before(FIRST + 6)
    assert len(known) == FIRST + 3
    window = subject.fitted.predict_window(known, 2)[late.mask]
    at_once = replace(known, delay=0)
    whole, over = (subject.fitted.predict_window(at_once, steps)[late.mask] for steps in (5, 3))
    np.testing.assert_allclose(window, whole - over, rtol=2e-3, atol=1e-5)


def check_windows(subject: Subject) -> None:
    """Windows one after the other are those of each origin, where counts come late, too."""
    for delay in (0, 3):
        city = replace(make_small_city(), delay=delay)
        alone = [subject.fitted.predict_window(city.before(start), 5) for start in (FIRST, FIRST + 5)]
        np.testing.assert_allclose(subject.fitted.predict_windows(city, FIRST, 5), alone, **CLOSE)


def check_window_of_areas(subject: Subject) -> None:
    """The same cells as areas expect the same."""
    city = replace(make_small_city(), extras=Extras())
    areas = make_panel_of_cells(city)
    one, other = (subject.make().fit(each.before(FIRST)).predict_window(each, 4) for each in (city, areas))
    np.testing.assert_allclose(other, one[city.mask], rtol=1e-3)


def check_needs(subject: Subject) -> None:
    """It reads what its record says it needs, and nothing else."""
    city, needs = make_small_city(), subject.record.needs
    other = replace(city.extras, static=city.extras.static[:, ::-1, ::-1].copy(), channels=city.extras.channels // 2)
    risks = [subject.fitted.predict(each) for each in (city, replace(city, extras=other))]
    # A small network may have learned to trust none of them.
    if not (subject.record.network and COVARIATES in needs):
        same = np.array_equal(*risks, equal_nan=True)
        assert same != (COVARIATES in needs), "its record is wrong on whether it reads covariates"
    # Cells change places; who knows nothing of places forecasts each as before.
    order = np.random.default_rng(2).permutation(int(city.mask.sum()))
    moved, counts = make_small_city(), city.counts[:, city.mask][:, order]
    moved.counts[:, city.mask] = counts
    moved.extras.channels[:, :, city.mask] = city.extras.channels[:, :, city.mask][:, :, order]
    moved.extras.static[:, city.mask] = city.extras.static[:, city.mask][:, order]
    there = subject.make().fit(moved.before(FIRST)).predict(moved)[:, city.mask]
    alike = np.allclose(there, subject.fitted.predict(city)[:, city.mask][:, order], **CLOSE)
    assert alike != bool(needs & {GRID, NEIGHBOURS}), "its record is wrong on whether it knows where a cell lies"


def check_state(subject: Subject) -> None:
    """Settings and state are all there is, and they are plain."""
    city, model = make_small_city(), subject.fitted
    settings = json.loads(json.dumps(model.settings()))
    state = {key: np.array(value) for key, value in model.state().items()}
    assert all(array.dtype.kind in "biufU" for array in state.values())
    again = make_forecaster(subject.name, **settings).restore(state)
    np.testing.assert_array_equal(model.predict_each(city, FIRST), again.predict_each(city, FIRST))


def check_model_file(subject: Subject) -> None:
    """It comes back from a model file as it was."""
    city, model = make_small_city(), subject.fitted
    card = make_card(model, city.before(FIRST), {subject.name: {"log_loss": 0.1}})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.crimemodel"
        save_model(path, model, card)
        again, read = load_model(path)
    assert type(again) is type(model)
    assert read == card
    assert again.settings() == model.settings()
    assert check_fits(read, city) == []
    assert (read.name, read.window.end) == (subject.name, str(city.edges[FIRST]))
    np.testing.assert_array_equal(again.predict(city, 3), model.predict(city, 3))


def check_the_same_seed(subject: Subject) -> None:
    """The same seed gives the same forecast."""
    city = make_small_city()
    again = subject.make().fit(city.before(FIRST))
    np.testing.assert_array_equal(subject.fitted.predict(city, 2), again.predict(city, 2))


def check_refusals(subject: Subject) -> None:
    """A history with nothing in it, or too short, is refused; so are no steps."""
    city = make_small_city().before(FIRST)
    with pytest.raises(DataError, match="No incident"):
        subject.make().fit(replace(city, counts=np.zeros_like(city.counts)))
    with pytest.raises(DataError, match="observed maps"):
        subject.make().fit(replace(city, observed=np.zeros(FIRST, dtype=bool)))
    few = city.observed & (np.cumsum(city.observed) < subject.make().least_maps)
    with pytest.raises(DataError, match="observed maps"):
        subject.make().fit(replace(city, observed=few))
    with pytest.raises(ParameterError, match="steps is 0"):
        subject.fitted.predict(city, 0)


def check_cancel(subject: Subject) -> None:
    """A cancelled forecast stops, several steps ahead within a target."""
    with pytest.raises(Cancelled):
        subject.fitted.predict_each(make_small_city(), FIRST, make_cancelled_context())
    context = Recorder(cancel_when=lambda said: len(said.shares) == 3)
    with pytest.raises(Cancelled):
        subject.fitted.predict_ahead(make_small_city(), FIRST, 3, context)
    assert len(context.shares) == 3, "it went on for more than a target"


def check_progress(subject: Subject) -> None:
    """Progress is reported, and never goes back."""
    context = Recorder()
    subject.fitted.predict_each(make_small_city(), FIRST, context)
    shares = context.shares
    # Networks can be cancelled between their parts, of which they do not speak.
    assert shares or subject.record.network, "a forecast reports its progress"
    assert shares == sorted(shares)
    assert max(shares, default=0) <= 1


def check_kind_of_maps(subject: Subject, bin_length: str, threshold: int, binary: bool) -> None:
    """Other bins, thresholds and binary maps: as many events are forecast as there are, about."""
    city = make_small_city(bin_length, binary=binary)
    model = subject.make(threshold=threshold).fit(city.before(FIRST))
    each = model.predict_each(city, FIRST)
    assert_probabilities(each, city)
    alone = [model.predict(city.before(origin))[0] for origin in (FIRST, FIRST + 4, MAPS - 1)]
    np.testing.assert_allclose(each[[0, 4, -1]], alone, **CLOSE)
    seen = city.counts[FIRST:][city.observed[FIRST:]][:, city.mask] >= threshold
    forecast = each[city.observed[FIRST:]][:, city.mask]
    assert 0.6 < forecast.mean() / seen.mean() < 1.6


def check_threshold(subject: Subject) -> None:
    """More than one incident is rarer than one, and binary maps do not know of it."""
    city = make_small_city()
    twice = subject.make(threshold=2).fit(city.before(FIRST)).predict(city)
    assert np.nanmean(twice) < np.nanmean(subject.fitted.predict(city))
    with pytest.raises(ParameterError, match="threshold is 2"):
        subject.make(threshold=2).fit(make_small_city(binary=True).before(FIRST))


#: What every forecaster is asked, by name; what networks, too slow for it, are not asked.
CHECKS: dict[str, Check] = {
    "its_record": check_its_record,
    "settings": check_settings,
    "probabilities": check_probabilities,
    "maps_stay": check_maps_stay,
    "nothing_from_the_future": check_nothing_from_the_future,
    "no_signal_from_the_future": check_no_signal_from_the_future,
    "unobserved_maps": check_unobserved_maps,
    "one_pass": check_one_pass,
    "further_ahead": check_further_ahead,
    "window": check_window,
    "late_window": check_late_window,
    "windows": check_windows,
    "needs": check_needs,
    "state": check_state,
    "model_file": check_model_file,
    "the_same_seed": check_the_same_seed,
    "refusals": check_refusals,
    "cancel": check_cancel,
    "progress": check_progress,
}
QUICK_CHECKS: dict[str, Check] = {
    "threshold": check_threshold,
    "window_of_areas": check_window_of_areas,
    **{
        f"{bins}, threshold {threshold}{', binary' * binary}": partial(
            check_kind_of_maps, bin_length=bins, threshold=threshold, binary=binary
        )
        for bins, threshold, binary in KINDS
    },
}


def checks_of(name: str) -> dict[str, Check]:
    """List what a forecaster is asked."""
    return CHECKS if FORECASTERS[name].network else {**CHECKS, **QUICK_CHECKS}


def check_forecaster(name: str, cls: type[Forecaster] | None = None, record: ForecasterRecord | None = None) -> None:
    """Ask a forecaster for everything that a forecaster promises.

    Parameters
    ----------
    name : str
        Of a record in `riskengine.contract.forecasters`, or of `cls`.
    cls : type of Forecaster, optional
        One that has no record there.
    record : ForecasterRecord, optional
        What would be said of `cls`; by default that it needs nothing beside the counts.

    Raises
    ------
    AssertionError
        With the first promise that is broken.
    """
    with _listed(name, cls, record):
        subject = Subject(name)
        for title, check in checks_of(name).items():
            try:
                check(subject)
            except (Exception, pytest.fail.Exception) as error:
                raise AssertionError(f"{name} fails {title!r} ({check.__doc__}): {error}") from error


@contextmanager
def _listed(name: str, cls: type[Forecaster] | None, record: ForecasterRecord | None) -> Iterator[None]:
    """Within the block the forecaster is one of the list, from a module of the package."""
    if cls is None:
        yield
        return
    module = ModuleType("riskengine.forecasters.under_test")
    setattr(module, cls.__name__, cls)
    if record is None:
        record = ForecasterRecord(name=name, place="", title=name, summary=f"{name}.", line=LineStyle("#000", "", name))
    record = replace(record, place=f"under_test:{cls.__name__}")
    with patch.dict(sys.modules, {module.__name__: module}), patch.dict(FORECASTERS, {name: record}):
        yield


def assert_probabilities(risk: Maps, heatmaps: Heatmaps) -> None:
    """Assert that there are probabilities in the study area, neither 0 nor 1, and NaN outside."""
    assert risk.dtype == np.float32
    assert risk.shape[1:] == heatmaps.mask.shape
    assert np.array_equal(np.isnan(risk), np.broadcast_to(~heatmaps.mask, risk.shape)), "NaN outside, and only there"
    assert risk[:, heatmaps.mask].min() > 0
    assert risk[:, heatmaps.mask].max() < 1


def compute_late_signal_auc(model: Forecaster, first: int = 120) -> float:
    """Compute how well a coin is forecast that is known only after it was tossed."""
    city = make_announced_city()
    risk = model.fit(city.before(first)).predict_each(city, first)
    return auc(risk[:, 1, 1], city.counts[first:, 1, 1])
