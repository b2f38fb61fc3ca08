"""Which panels a trained model fits: its own areas in any order, and what is said of all others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely
from kit.maps import make_stack
from kit.panels import make_panel, make_row

from riskengine.forecasters.baselines import PriorCounts
from riskengine.forecasters.modelcard import ModelCard, make_card
from riskengine.forecasters.modelfile import load_model, save_model
from riskengine.forecasters.modelfit import arrange_like, check_fits
from riskengine.ground.errors import FormatError, ParameterError
from riskengine.maps.panel import Covariate, Extras, Panel

COUNTS = np.arange(48).reshape(12, 4) % 5


def make_trained(panel: Panel) -> ModelCard:
    return make_card(PriorCounts().fit(panel), panel)


def give_covariates(panel: Panel, *names: str, delay: int = 1) -> Panel:
    """Fixed values, one for each area, and a dated covariate of each other name."""
    first, *others = names
    areas = len(panel.mask)
    dated = [Covariate(name, np.full((len(panel), areas), 3, np.float32), delay) for name in others]
    static = np.arange(areas, dtype=np.float32)[None]
    return replace(panel, extras=Extras(static, (first,), covariates=tuple(dated)))


def test_a_card_says_which_areas_and_how_late(tmp_path: Path) -> None:
    panel = give_covariates(make_panel(COUNTS, delay=2), "income", "mobility")
    model = PriorCounts().fit(panel)
    save_model(tmp_path / "m.crimemodel", model, make_card(model, panel))
    _, card = load_model(tmp_path / "m.crimemodel")
    assert (card.format, card.delay, card.grid) == (3, 2, None)
    assert card.units is not None
    assert card.units["ids"] == ["A", "B", "C", "D"]
    assert card.units["sizes"] == [1e6] * 4
    assert card.units["x"] == [500.0, 1500.0, 2500.0, 3500.0]
    assert card.static == ["income"]
    assert card.covariates == [{"name": "mobility", "delay": 1}]
    assert check_fits(card, panel) == []


def test_a_grid_that_is_known_at_once_keeps_the_older_format() -> None:
    """So that its file can be read by the versions before; one with a delay would be read as one without."""
    stack = make_stack(COUNTS.reshape(12, 2, 2))
    assert make_trained(stack).format == 2
    assert make_trained(replace(stack, delay=1)).format == 3


def test_areas_in_another_order_are_brought_to_the_models() -> None:
    panel = give_covariates(make_panel(COUNTS), "income", "mobility")
    card = make_trained(panel)
    turned = panel.take(np.array([2, 0, 3, 1]))
    assert turned.support.ids == ("C", "A", "D", "B")
    assert turned.counts[0].tolist() == [2, 0, 3, 1]
    assert check_fits(card, turned) == []
    back = arrange_like(card, turned)
    assert back.support.ids == panel.support.ids
    assert np.array_equal(back.counts, panel.counts)
    assert np.array_equal(back.extras.static, panel.extras.static)
    assert shapely.equals(back.support.geometries, panel.support.geometries).all()


def test_other_areas_are_refused_and_named() -> None:
    card = make_trained(make_panel(COUNTS))
    with pytest.raises(ParameterError) as refused:
        check_fits(card, make_panel(COUNTS, ["A", "X", "Y\u202eZ\n", "W"]))
    assert str(refused.value).startswith(
        "The model was trained on 4 areas: 3 of them are not in this panel (B, C, D); 3 of 4 areas of the panel are"
        " new to it (X, YZ, W). Count the incidents by the areas it was trained on, or train a model on these"
    )
    with pytest.raises(ParameterError, match=r"trained on 4 areas: 1 of them is not in this panel \(D\)\. "):
        check_fits(card, make_panel(COUNTS[:, :3]))
    with pytest.raises(ParameterError, match=r"trained on 4 areas: 1 of 5 areas of the panel is new to it \(E\)\. "):
        check_fits(card, make_panel(np.arange(60).reshape(12, 5)))


def test_boundaries_that_changed_are_named() -> None:
    card = make_trained(make_panel(COUNTS))
    # B gave 300 m to C; the border between C and D moved by a hand's breadth.
    (warning,) = check_fits(card, make_panel(COUNTS, shapes=make_row([1000.0, 700.0, 1300.1, 999.9])))
    assert warning == (
        "Boundaries changed since the model was trained: of 2 of 4 areas their sizes or middles differ (B, C). What it"
        " learned there may be of other places: train a model on this panel"
    )
    # As large as before, elsewhere.
    moved = make_row([1000.0] * 4)
    moved[3] = shapely.box(3100, 0, 4100, 1000)
    (warning,) = check_fits(card, make_panel(COUNTS, shapes=moved))
    assert "of 1 of 4 areas its size or middle differs (D)" in warning


def test_covariates_that_are_lacking_are_refused_and_others_left_out() -> None:
    panel = give_covariates(make_panel(COUNTS), "income", "mobility")
    card = make_trained(panel)
    with pytest.raises(ParameterError, match=r"covariates that this panel lacks: income, mobility; it has none"):
        check_fits(card, make_panel(COUNTS))
    with pytest.raises(ParameterError, match=r"lacks: mobility; it has income, footfall"):
        check_fits(card, give_covariates(panel, "income", "footfall"))
    more = give_covariates(panel, "income", "footfall", "mobility", delay=2)
    assert check_fits(card, more) == [
        "The model was trained without these covariates of the panel, and reads none of them: footfall",
        "The covariate mobility is known 2 months late in this panel, and was known 1 month late when the model was"
        " trained: its forecasts may be off",
    ]
    assert [each.name for each in arrange_like(card, more).extras.covariates] == ["mobility"]
    assert arrange_like(make_trained(make_panel(COUNTS)), more).extras.static.size == 0


def test_a_delay_is_the_models() -> None:
    panel = make_panel(COUNTS, delay=1)
    card = make_trained(replace(panel, delay=2))
    assert check_fits(card, panel) == [
        "The panel says that its counts are known 1 month late; the model was trained for counts known 2 months late,"
        " and that holds"
    ]
    assert arrange_like(card, panel).delay == 2


def test_grids_and_areas_are_told_apart() -> None:
    panel, stack = make_panel(COUNTS), make_stack(COUNTS.reshape(12, 2, 2), bin="1 months", start="2020-01")
    with pytest.raises(ParameterError, match="trained on a panel of areas, and these are hotspot grids"):
        check_fits(make_trained(panel), stack)
    with pytest.raises(ParameterError, match="trained on hotspot grids, and this is a panel of areas"):
        check_fits(make_trained(stack), panel)
    with pytest.raises(ParameterError, match="trained on bins of 1 month, this panel has bins of 1 week"):
        check_fits(make_trained(panel), make_panel(COUNTS, bin="1 weeks", start="2020-01-06"))


@pytest.mark.parametrize("change", [{"ids": ["A", "A", "C", "D"]}, {"sizes": [1.0]}, {"kind": "wards"}, None])
def test_a_card_of_areas_that_does_not_hold_together(change: dict[str, object] | None, tmp_path: Path) -> None:
    panel = make_panel(COUNTS)
    card = make_trained(panel)
    assert card.units is not None
    units = None if change is None else {**card.units, **change}
    save_model(tmp_path / "m.crimemodel", PriorCounts().fit(panel), card.model_copy(update={"units": units}))
    with pytest.raises(FormatError, match="is damaged: its description does not hold together"):
        load_model(tmp_path / "m.crimemodel")
