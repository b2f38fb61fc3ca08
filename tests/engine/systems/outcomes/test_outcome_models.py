"""The models of an outcome: what each learns, what it must not see, and what a file keeps of it."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kit.outcomerows import RATES, make_outcome_rows
from scipy.sparse import csr_array
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from riskengine.contract.outcomes import DEFAULT_MODEL, GROUPS, MODELS, OutcomeGroup
from riskengine.ground.context import JobContext
from riskengine.ground.damage import Damaged
from riskengine.ground.errors import Cancelled
from riskengine.systems.outcomes.models.base import Predictor, Reading, make_predictor
from riskengine.systems.outcomes.models.logistic import fit_logistic
from riskengine.systems.outcomes.models.trees import MOST_LEVELS, flatten_category_trees
from riskengine.systems.outcomes.rows import MISSING, Coded, Floats, Rows

EVERY: tuple[OutcomeGroup, ...] = tuple(GROUPS)
BOOSTINGS = ("boosting", "boosting_place", "gbm")
LEARNED, ASKED = make_outcome_rows(600, days=40), make_outcome_rows(300, days=60, seed=1)
_FITTED: dict[str, Predictor] = {}


def fit(name: str, rows: Rows = LEARNED, groups: tuple[OutcomeGroup, ...] = EVERY) -> Predictor:
    return make_predictor(name, Reading(groups)).fit(rows)


def fitted(name: str) -> Predictor:
    """A model of `LEARNED`, fitted once."""
    return _FITTED.setdefault(name, fit(name))


def rename(rows: Rows, role: str, labels: dict[str, str]) -> Rows:
    coded = rows.texts[role]  # type: ignore[index]
    renamed = Coded(coded.codes, [labels.get(label, label) for label in coded.labels])
    return replace(rows, texts={**rows.texts, role: renamed})  # type: ignore[dict-item]


def make_few(events: dict[tuple[str, str, str], tuple[int, int]]) -> Rows:
    """Rows of (category, description, location): so many with the outcome, and so many in all."""
    kinds = [kind for kind, (_, number) in events.items() for _ in range(number)]
    happened = [place < had for had, number in events.values() for place in range(number)]
    nothing = np.full(len(kinds), np.nan)
    return Rows(
        fid=np.arange(len(kinds)),
        day=np.full(len(kinds), np.datetime64("2024-05-01", "D")),
        hour=np.full(len(kinds), MISSING, dtype=np.int8),
        minute=np.full(len(kinds), MISSING, dtype=np.int8),
        x=nothing,
        y=nothing,
        texts={
            role: Coded(np.arange(len(kinds), dtype=np.int32), [kind[place] for kind in kinds])
            for place, role in enumerate(("category", "description", "location"))
        },  # type: ignore[arg-type]
        happened=np.array(happened, dtype=bool),
    )


def test_smoothed_rates_are_what_a_hand_computes() -> None:
    rows = make_few(
        {
            ("THEFT", "SHOP", "STORE"): (8, 10),
            ("THEFT", "BIKE", "STREET"): (0, 30),
            ("ARSON", "HOUSE", "HOME"): (2, 60),
        }
    )
    asked = make_few(
        {
            ("THEFT", "SHOP", "STORE"): (0, 1),
            ("THEFT", "SHOP", "PARK"): (0, 1),
            ("THEFT", "POCKET", "STORE"): (0, 1),
            ("FRAUD", "SHOP", "STORE"): (0, 1),
        }
    )
    overall = 10.5 / 101
    theft = (8 + 20 * overall) / (40 + 20)
    shop = (8 + 20 * theft) / (10 + 20)
    store = (8 + 20 * shop) / (10 + 20)
    expected = {
        "rate": [theft, theft, theft, overall],
        "rate_description": [shop, shop, theft, overall],
        "rate_location": [store, shop, theft, overall],
    }
    for name, rates in expected.items():
        assert fit(name, rows).predict(asked) == pytest.approx(rates, rel=1e-12), name
    unseen = fit("rate_location", rows).find_unseen(asked)
    assert {role: np.flatnonzero(mask).tolist() for role, mask in unseen.items()} == {
        "category": [3],
        "description": [2],
        "location": [1],
    }


@pytest.mark.parametrize("name", MODELS)
def test_a_restored_model_says_what_the_fitted_one_said(name: str) -> None:
    model = fitted(name)
    said = model.predict(ASKED)
    state = {key: np.array(array) for key, array in model.state().items()}
    restored = make_predictor(name, Reading(EVERY)).restore(state)
    assert np.array_equal(restored.predict(ASKED), said)
    assert ((said > 0) & (said < 1)).all()
    assert set(restored.state()) == set(state)
    assert {key: mask.sum() for key, mask in restored.find_unseen(ASKED).items()} == {
        key: mask.sum() for key, mask in model.find_unseen(ASKED).items()
    }


@pytest.mark.parametrize("name", MODELS)
def test_every_model_tells_what_happened_from_what_did_not(name: str) -> None:
    assert roc_auc_score(ASKED.outcomes, fitted(name).predict(ASKED)) > 0.7


@pytest.mark.parametrize("name", MODELS)
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=2, deadline=None)
def test_neither_the_order_of_rows_nor_that_of_labels_is_anything(name: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    shuffled = LEARNED.select(random.permutation(len(LEARNED)))
    texts = {}
    for role, coded in shuffled.texts.items():
        order = random.permutation(len(coded.labels))
        # And one more label, which no row has.
        texts[role] = Coded(np.argsort(order).astype(np.int32)[coded.codes], [*(coded.labels[k] for k in order), "?"])
    again = fit(name, replace(shuffled, texts=texts))
    assert np.array_equal(again.predict(ASKED), fitted(name).predict(ASKED))


@pytest.mark.parametrize("name", MODELS)
def test_what_was_never_seen_takes_the_rate_of_what_it_is_part_of(name: str) -> None:
    strange = rename(ASKED, "category", {"THEFT": "PIRACY"})
    piracy = strange.texts["category"].codes == 0
    model = fitted(name)
    overall = (LEARNED.outcomes.sum() + 0.5) / (len(LEARNED) + 1)
    said = model.predict(strange)
    assert said[piracy] == pytest.approx(overall, rel=1e-6)
    assert np.array_equal(said[~piracy], model.predict(ASKED)[~piracy])
    assert np.array_equal(model.find_unseen(strange)["category"], piracy)
    if "description" not in model.find_unseen(strange):
        return
    strange = rename(ASKED, "description", {"THEFT a": "OF A CAMEL"})
    camel = strange.texts["description"].codes == 0
    theft = LEARNED.outcomes[LEARNED.texts["category"].codes == 0]
    rate = (theft.sum() + 20 * overall) / (len(theft) + 20)
    if name != "ensemble":
        assert model.predict(strange)[camel] == pytest.approx(rate, rel=1e-6)
    assert np.array_equal(model.find_unseen(strange)["description"], camel)


@pytest.mark.parametrize("name", MODELS)
def test_rows_may_lack_everything(name: str) -> None:
    bare = replace(
        ASKED,
        day=np.full(len(ASKED), np.datetime64("NaT", "D")),
        hour=np.full(len(ASKED), MISSING, dtype=np.int8),
        x=np.full(len(ASKED), np.nan),
        y=np.full(len(ASKED), np.nan),
        texts={role: Coded(np.full(len(ASKED), MISSING, dtype=np.int32), ()) for role in ASKED.texts},
        weather={},
        census={},
        happened=None,
    )
    said = fitted(name).predict(bare)
    assert np.ptp(said) < 1e-6
    nothing = replace(bare, texts={}, happened=ASKED.outcomes)
    assert fit(name, nothing).predict(ASKED) == pytest.approx(ASKED.outcomes.mean(), abs=0.02)
    assert len(fitted(name).predict(ASKED.select(np.arange(0)))) == 0


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("always", [True, False])
def test_where_outcomes_are_all_alike_there_is_only_a_rate(name: str, always: bool) -> None:
    model = fit(name, replace(LEARNED, happened=np.full(len(LEARNED), always)))
    said = model.predict(ASKED)
    assert (said > 0.98).all() if always else (said < 0.02).all()
    assert np.array_equal(make_predictor(name, Reading(EVERY)).restore(model.state()).predict(ASKED), said)


@pytest.mark.parametrize("name", [name for name in MODELS if "time" in MODELS[name].groups])
def test_a_model_reads_its_groups_alone_and_the_minute_only_when_asked(name: str) -> None:
    other = replace(
        ASKED,
        hour=((ASKED.hour.astype(int) + 7) % 24).astype(np.int8),
        minute=(59 - ASKED.minute).astype(np.int8),
        weather={"temperature": -ASKED.weather["temperature"]},
        x=ASKED.y,
        y=ASKED.x,
    )
    said = fitted(name).predict(ASKED)
    assert not np.array_equal(fitted(name).predict(other), said)
    assert np.array_equal(fitted(name).predict(replace(ASKED, minute=other.minute)), said)
    fields = fit(name, groups=("category", "description", "location"))
    assert np.array_equal(fields.predict(other), fields.predict(ASKED))
    leaky = make_predictor(name, Reading(("category", "time"), minute=True))
    minute = np.where(LEARNED.outcomes, 17, 0).astype(np.int8)
    leaky.fit(replace(LEARNED, minute=minute))
    told = replace(ASKED, minute=np.where(ASKED.outcomes, 17, 0).astype(np.int8))
    assert roc_auc_score(ASKED.outcomes, leaky.predict(told)) > 0.97


@pytest.mark.parametrize("name", ["boosting", "boosting_place"])
def test_no_row_sees_its_own_outcome_nor_any_of_its_day(name: str) -> None:
    seen = make_table(name, LEARNED)
    for row in (0, 300, len(LEARNED) - 1):
        day = LEARNED.day == LEARNED.day[row]
        turned = replace(LEARNED, happened=LEARNED.outcomes ^ day)
        assert np.array_equal(make_table(name, turned)[day], seen[day], equal_nan=True)
        if row == 0 and name == DEFAULT_MODEL:
            # And other rows do see it: the test above is none that cannot fail.
            assert not np.array_equal(make_table(name, turned)[~day], seen[~day], equal_nan=True)


def make_table(name: str, rows: Rows) -> Floats:
    """The table that trees are grown on."""
    model = make_predictor(name, Reading(EVERY)).fit(rows)
    return model._make_columns().learn(rows)  # type: ignore[attr-defined, no-any-return]


@pytest.mark.parametrize("name", BOOSTINGS)
def test_more_descriptions_than_levels_are_learned_too(name: str) -> None:
    random = np.random.default_rng(3)
    number, many = 6000, MOST_LEVELS + 150
    codes = np.sort(random.integers(0, many, number)).astype(np.int32)
    rows = make_outcome_rows(number, days=100, seed=3)
    described = Coded(codes, [f"{code:04d}" for code in range(many)])
    happened = random.random(number) < np.where(codes % 2 == 0, 0.9, 0.1)
    order = random.permutation(number)
    shuffled = {**rows.texts, "description": described.select(order)}
    rows = replace(rows, texts=shuffled, happened=happened[order])
    rows = replace(rows, texts={**shuffled, "category": Coded(np.zeros(number, np.int32), ["ANY"])})
    rows = replace(rows, labels={"precinct": described.select(order)})
    asked, learned = rows.select(np.arange(number) % 4 == 0), rows.select(np.arange(number) % 4 > 0)
    model = fit(name, learned)
    assert roc_auc_score(asked.outcomes, model.predict(asked)) > 0.8
    restored = make_predictor(name, Reading(EVERY)).restore(model.state())
    assert np.array_equal(restored.predict(asked), model.predict(asked))


def test_trees_say_what_scikit_learn_says() -> None:
    random = np.random.default_rng(4)
    table = np.column_stack(
        [random.integers(0, 255, 5000), random.integers(0, 6, 5000), *random.normal(0, 1e6, (3, 5000))]
    ).astype(np.float32)
    table[::7, 3] = np.nan
    table[::5, 1] = np.nan
    happened = (table[:, 0] % 3 == 0) ^ (random.random(5000) < 0.2) ^ (table[:, 2] > 1e5)
    model = HistGradientBoostingClassifier(categorical_features=[0, 1], max_iter=40, early_stopping=False)
    model.fit(table, happened)
    asked = table.copy()
    asked[random.random(asked.shape) < 0.2] = np.nan
    expected = model.decision_function(asked)
    assert flatten_category_trees(model)(asked) == pytest.approx(expected, abs=1e-5)
    # Between two neighbouring numbers of the table stands a limit of twice their digits.
    edges = np.unique(table[:, 2])[:200].repeat(2).astype(np.float32)
    near = table[: len(edges)].copy()
    near[:, 2] = edges
    assert flatten_category_trees(model)(near) == pytest.approx(model.decision_function(near), abs=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_a_state_that_does_not_hold_together_is_refused(name: str) -> None:
    state = {key: np.array(array) for key, array in fitted(name).state().items()}
    missed = []
    for key, array in state.items():
        cut = [{**state, key: array[:-1]}] if array.ndim and len(array) > 1 else []
        for damaged in ({other: kept for other, kept in state.items() if other != key}, *cut):
            try:
                make_predictor(name, Reading(EVERY)).restore(damaged)
            except (Damaged, KeyError):
                continue
            missed.append(key)
    assert missed == []


def test_the_tables_have_the_published_worth_on_chicago(data_folder: Path) -> None:
    crimes = pd.read_csv(data_folder / "chicago" / "crimes_2018.csv", usecols=[0, 4, 5, 6, 7])
    day = pd.to_datetime(crimes["Date"]).to_numpy().astype("datetime64[D]")
    nothing = np.full(len(crimes), np.nan)
    clock = np.full(len(crimes), MISSING, dtype=np.int8)
    fields = {"category": "PrimaryType", "description": "Description", "location": "LocationDescription"}
    factors = {role: pd.factorize(crimes[field]) for role, field in fields.items()}
    texts = {role: Coded(codes.astype(np.int32), list(labels)) for role, (codes, labels) in factors.items()}
    happened = crimes["Arrest"].to_numpy(dtype=bool)
    rows = Rows(np.arange(len(crimes)), day, clock, clock, nothing, nothing, texts, happened=happened)  # type: ignore[arg-type]
    tested = day > day.max() - np.timedelta64(44, "D")
    for name, auc in {"rate": 0.8065, "rate_description": 0.8879, "rate_location": 0.8971}.items():
        said = fit(name, rows.select(~tested)).predict(rows.select(tested))
        assert roc_auc_score(happened[tested], said) == pytest.approx(auc, abs=1e-4), name


def test_rates_of_the_kit_are_found() -> None:
    rows = make_outcome_rows(20_000)
    said = fit("rate", rows).predict(rows)
    for code, rate in enumerate(RATES.values()):
        # Descriptions spread around the category's rate, and draw it towards a half a little.
        assert said[rows.texts["category"].codes == code][0] == pytest.approx(rate, abs=0.06)


@pytest.mark.parametrize("name", [name for name in MODELS if not MODELS[name].simple])
def test_a_fit_is_cancelled_on_its_way(name: str) -> None:
    said: list[str] = []
    cancelled = threading.Event()

    def hear(share: float, text: str) -> None:
        said.append(text)
        if share > 0.3 or text.startswith("Fitting"):
            cancelled.set()

    context = JobContext(hear, None, cancelled)
    with pytest.raises(Cancelled):
        make_predictor(name, Reading(EVERY)).fit(LEARNED, context)
    assert any("trees" in text or "network" in text or "logistic" in text for text in said)


def test_logistic_weights_are_those_of_the_least_loss() -> None:
    random = np.random.default_rng(6)
    table = csr_array(random.normal(size=(800, 4)) * (random.random((800, 4)) < 0.5))
    happened = random.random(800) < expit(table @ np.array([1.0, -2.0, 0.5, 0.0]) - 1)
    model = LogisticRegression(C=1.0, tol=1e-8).fit(table, happened)
    found = fit_logistic(table, happened, JobContext())
    assert found == pytest.approx(np.append(model.coef_[0], model.intercept_), abs=1e-3)


@pytest.mark.parametrize("name", ["logistic", "boosting", "gbm"])
def test_numbers_too_large_for_a_table_are_learned_as_the_largest(name: str) -> None:
    rows = make_outcome_rows(300)
    large = np.where(rows.outcomes, 1e300, 2.0**62)
    model = make_predictor(name, Reading(("other",))).fit(replace(rows, weather={}, census={"large": large}))
    p = model.predict(replace(rows, weather={}, census={"large": large}))
    assert np.isfinite(p).all()


def test_few_rows_grow_small_trees_unless_larger_ones_foretell_rows_left_out_better() -> None:
    rows = make_outcome_rows(1500, days=50)
    middle_x, middle_y = np.median(rows.x), np.median(rows.y)
    tangled = (rows.hour < 12) ^ (rows.x < middle_x) ^ (rows.y < middle_y)
    splits = {}
    for name, happened in (("plain", rows.outcomes), ("tangled", tangled)):
        trees = fit("boosting_place", replace(rows, happened=happened)).trees_  # type: ignore[attr-defined]
        splits[name] = (trees.feature >= 0).sum() / len(trees.roots)
    assert splits["plain"] <= 3 < splits["tangled"] <= 7
