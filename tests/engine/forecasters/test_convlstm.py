"""The ConvLSTM forecast: it learns, it is repeatable, and it never sees the future."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import torch
from kit.contexts import Recorder
from kit.maps import make_stack, make_travelling, write_stack

from riskengine.contract.forecasters import BASELINES
from riskengine.forecasters.baselines import ConstantForecaster, PriorShare
from riskengine.forecasters.networks.causal import CausalState, build_sequence, read_calendar
from riskengine.forecasters.networks.convlstm import ConvLSTMForecaster
from riskengine.forecasters.networks.network import ConvLSTMNetwork
from riskengine.forecasters.networks.windows import TrainingStack, WindowSamples
from riskengine.ground.context import JobContext
from riskengine.ground.errors import Cancelled, DataError, FormatError, OutputError, ParameterError
from riskengine.jobs import run_job
from riskengine.learning.threads import repeatable
from riskengine.learning.training import compute_weighted_loss
from riskengine.learning.trainingstate import Schedule
from riskengine.maps.grid import Grid
from riskengine.maps.heatmaps import Heatmaps
from riskengine.maps.panel import Extras
from riskengine.measures.metrics import log_loss

TINY: dict[str, Any] = {"sequence_length": 6, "channels": 6, "layers": 1, "batch_size": 4}


@pytest.fixture(scope="module")
def fitted() -> tuple[Heatmaps, ConvLSTMForecaster]:
    heatmaps = make_travelling()
    model = ConvLSTMForecaster(epochs=25, learning_rate=0.02, **TINY)
    return heatmaps, model.fit(heatmaps.before(72))


def test_it_learns_what_counts_cannot(fitted: tuple[Heatmaps, ConvLSTMForecaster]) -> None:
    heatmaps, model = fitted
    truth = heatmaps.counts[72:]
    losses = {
        each.name: log_loss(each.predict_each(heatmaps, 72), truth)
        for each in (model, ConstantForecaster(), PriorShare())
    }
    assert model.curves_.loss[-1] < 0.8 * model.curves_.start
    assert min(model.curves_.validation) < 0.8 * model.curves_.validation_start
    assert losses["convlstm"] < 0.75 * losses["constant"]
    assert losses["convlstm"] < 0.75 * losses["prior_share"]


def test_the_network_never_looks_ahead() -> None:
    torch.manual_seed(0)
    network = ConvLSTMNetwork(4, 2)
    torch.nn.init.normal_(network.last.weight)
    inputs, context = torch.randn(8, 1, 4, 5, 5), torch.randn(8, 1, 13)
    before, _ = network(inputs, context)
    inputs[5:] += 1.0
    after, _ = network(inputs, context)
    assert torch.equal(before[:5], after[:5])
    assert not torch.equal(before[5:], after[5:])


def test_the_past_alone_decides_a_forecast(fitted: tuple[Heatmaps, ConvLSTMForecaster]) -> None:
    heatmaps, model = fitted
    before = model.predict_each(heatmaps, 60)
    for changed in (60, 71, 89):
        counts = heatmaps.counts.copy()
        counts[changed:] = 1 - counts[changed:]
        after = model.predict_each(make_stack(counts), 60)
        known = changed - 60 + 1
        assert np.array_equal(before[:known], after[:known]), f"map {changed} reached a forecast made before it"
        if changed < 89:
            assert not np.array_equal(before[known], after[known])


def test_one_pass_equals_one_forecast_at_a_time(fitted: tuple[Heatmaps, ConvLSTMForecaster]) -> None:
    heatmaps, model = fitted
    each = model.predict_each(heatmaps, 66)
    for number, origin in enumerate(range(66, 90)):
        assert model.predict(heatmaps.before(origin))[0] == pytest.approx(each[number], abs=1e-6)


def test_either_schedule_forecasts_the_same_at_the_same_weights(fitted: tuple[Heatmaps, ConvLSTMForecaster]) -> None:
    heatmaps, model = fitted
    other = ConvLSTMForecaster(schedule="windows", **TINY).restore(model.state())
    each = other.predict_each(heatmaps, 66)
    assert np.array_equal(each, model.predict_each(heatmaps, 66))
    for origin in (66, 71, 72, 89):
        assert other.predict(heatmaps.before(origin))[0] == pytest.approx(each[origin - 66], abs=1e-6)


def test_a_window_by_itself_is_the_same_in_one_pass_and_cut_off_sequences_go_on() -> None:
    torch.manual_seed(0)
    network = ConvLSTMNetwork(4, 2)
    torch.nn.init.normal_(network.last.weight)
    inputs, context = torch.randn(9, 2, 4, 5, 6), torch.randn(9, 2, 13)
    whole, _ = network(inputs, context)
    for length in (1, 4, 9):
        window, _ = network(inputs[:length], context[:length], targets=slice(-1, None))
        assert torch.allclose(window[0], whole[length - 1], atol=1e-6)
    first, state = network(inputs[:5], context[:5])
    second, _ = network(inputs[5:], context[5:], state)
    assert torch.allclose(torch.cat([first, second]), whole, atol=1e-6)


def test_the_published_schedule_has_one_target_a_window_and_a_window_a_map() -> None:
    heatmaps = make_travelling(30)
    observed = np.ones(30, bool)
    observed[20] = False
    sequence, _ = build_sequence(heatmaps.counts, observed, heatmaps.mask, heatmaps.edges)
    samples = {}
    for supervision in ("dense", "windows"):
        schedule = Schedule(sequence_length=6, stride=2, batch_size=4, windows=1000, supervision=supervision)
        data = TrainingStack(sequence, heatmaps.counts, observed, heatmaps.mask)
        samples[supervision] = WindowSamples(data, schedule, 1.0)
    drawn = {
        name: [window for batch in each.epoch(np.random.default_rng(1)) for window in batch]
        for name, each in samples.items()
    }
    # Maps 6 to 29 follow a window of six with something before it; map 20 was not observed.
    assert sorted(start + 5 for start, _, _ in drawn["windows"]) == [each for each in range(6, 30) if each != 20]
    assert len(drawn["dense"]) == 12
    device = torch.device("cpu")
    assert samples["windows"].batch([(4, 0, 0)], device)[-1].sum(dim=(1, 2, 3)).tolist() == [0, 0, 0, 0, 0, 64]
    assert samples["dense"].batch([(18, 0, 0)], device)[-1].sum(dim=(1, 2, 3)).tolist() == [64, 64, 0, 64, 64, 64]


def test_the_published_schedule_learns_too() -> None:
    heatmaps = make_travelling()
    model = ConvLSTMForecaster(epochs=8, learning_rate=0.02, schedule="windows", **TINY).fit(heatmaps.before(72))
    assert min(model.curves_.validation) < 0.9 * model.curves_.validation_start


def test_settings_make_the_same_forecaster_again() -> None:
    for model in (
        ConvLSTMForecaster(schedule="windows", padding="ignore", border=2, epochs=3),
        ConvLSTMForecaster(schedule=Schedule(crop=8, epochs=4)),
    ):
        again = ConvLSTMForecaster(**model.settings())
        assert again.training == model.training
        assert again.settings() == model.settings()
    with pytest.raises(ParameterError, match="schedule is 'sparse'"):
        ConvLSTMForecaster(schedule="sparse")


def test_training_never_sees_what_it_is_not_given() -> None:
    first = make_travelling()
    counts = first.counts.copy()
    counts[72:] = 1
    models = [ConvLSTMForecaster(epochs=2, **TINY).fit(each.before(72)) for each in (first, make_stack(counts))]
    for one, other in zip(*(model.network_.state_dict().values() for model in models), strict=True):
        assert torch.equal(one, other)


def test_a_planted_future_is_of_no_use() -> None:
    """Coin flips cannot be forecast; every other map is a filled gap that gives the next one away."""
    random = np.random.default_rng(4)
    counts = (random.random((100, 6, 6)) < 0.5).astype(np.uint8)
    observed = np.arange(100) % 2 == 0
    counts[1:-1:2] = counts[2::2]
    heatmaps = make_stack(counts, observed=observed)
    model = ConvLSTMForecaster(epochs=12, learning_rate=0.02, **TINY).fit(heatmaps.before(80))
    risk = model.predict_each(heatmaps, 80)[observed[80:]]
    assert log_loss(risk, counts[80:][observed[80:]]) > 0.99 * np.log(2)


def test_an_unobserved_map_is_never_read() -> None:
    random = np.random.default_rng(5)
    counts = (random.random((20, 4, 4)) < 0.3).astype(np.uint8)
    other = counts.copy()
    observed = np.ones(20, bool)
    observed[[7, 13]] = False
    other[~observed] = 1 - other[~observed]
    mask = np.ones((4, 4), bool)
    edges = make_stack(counts).edges
    sequences = [build_sequence(each, observed, mask, edges)[0] for each in (counts, other)]
    assert np.array_equal(sequences[0].inputs, sequences[1].inputs)
    assert np.array_equal(sequences[0].context, sequences[1].context)


def test_causal_inputs_by_hand() -> None:
    state = CausalState(np.ones((1, 2), bool), shrinkage=1e-9)
    assert state.prior() == pytest.approx(np.full((1, 2), 0.5))
    for event in ([1, 0], [1, 1], [0, 0], [1, 0]):
        state.update(np.array([event]))
    assert state.prior() == pytest.approx(np.array([[0.75, 0.25]]))
    assert state.inputs()[0] == pytest.approx(np.array([[1, 0]]))


def test_calendar_knows_weekdays_and_hours() -> None:
    days = read_calendar((np.datetime64("2024-01-01") + np.arange(9)).astype("datetime64[s]"), 8)
    assert list(days[:, :7].argmax(axis=1)) == [0, 1, 2, 3, 4, 5, 6, 0]  # 2024-01-01 was a Monday
    assert not days[:, 7:].any()
    hours = read_calendar(np.datetime64("2024-01-01T00:00:00") + np.arange(0, 49) * np.timedelta64(3600, "s"), 48)
    assert not np.allclose(hours[3, 7:], hours[15, 7:])
    assert hours[3, 7:] == pytest.approx(hours[27, 7:])
    weeks = read_calendar((np.datetime64("2024-01-01") + 7 * np.arange(4)).astype("datetime64[s]"), 3)
    assert not weeks.any()


def test_untrained_network_is_the_running_mean() -> None:
    heatmaps = make_travelling(40)
    model = ConvLSTMForecaster(**TINY)
    model.network_ = model.build()
    _, state = build_sequence(heatmaps.counts, heatmaps.observed, heatmaps.mask, heatmaps.edges)
    assert model.predict(heatmaps)[0] == pytest.approx(state.prior(), rel=1e-4)


@pytest.mark.parametrize("weight", [1.0, 4.0])
def test_weighting_does_not_bias_the_probability(weight: float) -> None:
    """The weighted loss is smallest where the corrected probability is the share of events."""
    events = torch.tensor([1.0] * 3 + [0.0] * 7).reshape(1, 1, 1, 10)
    logit = torch.zeros(1, requires_grad=True)
    optimiser = torch.optim.LBFGS([logit], max_iter=100)

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        loss, _ = compute_weighted_loss(
            logit.expand_as(events), torch.zeros_like(events), events, torch.ones_like(events), weight
        )
        loss.backward()
        return loss

    for _ in range(5):
        optimiser.step(closure)
    assert torch.sigmoid(logit).item() == pytest.approx(0.3, abs=1e-3)


def test_cells_outside_the_study_area_never_enter_the_loss() -> None:
    counts = make_travelling(60).counts
    mask = np.ones((8, 8), bool)
    mask[:, 6:] = False
    other = counts.copy()
    other[:, ~mask] = 1 - other[:, ~mask]
    models = [ConvLSTMForecaster(epochs=2, **TINY).fit(make_stack(each, mask)) for each in (counts, other)]
    assert models[0].curves_.loss == models[1].curves_.loss
    risk = models[0].predict(make_stack(counts, mask))
    assert np.isnan(risk[0, ~mask]).all()
    assert ((risk[0, mask] > 0) & (risk[0, mask] < 1)).all()


def test_same_seed_same_result_other_seed_other_result() -> None:
    heatmaps = make_travelling(50)
    runs = [ConvLSTMForecaster(epochs=2, seed=seed, **TINY).fit(heatmaps) for seed in (3, 3, 4)]
    assert runs[0].curves_.loss == runs[1].curves_.loss
    assert np.array_equal(runs[0].predict(heatmaps, 3), runs[1].predict(heatmaps, 3))
    assert runs[0].curves_.loss != runs[2].curves_.loss


def test_repeatable_operations_are_asked_for_on_a_gpu_and_only_while_training() -> None:
    asked = torch.are_deterministic_algorithms_enabled
    assert not asked()
    with repeatable(torch.device("cuda")):
        assert asked()
        assert torch.is_deterministic_algorithms_warn_only_enabled()
    assert not asked()
    with repeatable(torch.device("cpu")):
        assert not asked()


def test_a_long_forecast_reports_and_can_be_stopped(fitted: tuple[Heatmaps, ConvLSTMForecaster]) -> None:
    heatmaps, model = fitted
    context = Recorder(cancel_when=lambda said: len(said.texts) == 3)
    with pytest.raises(Cancelled):
        model.predict(heatmaps, 50, context)
    assert context.texts == [f"Forecasting map {number} of 50" for number in (1, 2, 3)]


def test_a_further_step_does_not_change_the_nearer_ones(fitted: tuple[Heatmaps, ConvLSTMForecaster]) -> None:
    heatmaps, model = fitted
    risk = model.predict(heatmaps, 15)
    assert np.array_equal(risk[:4], model.predict(heatmaps, 4))
    assert ((risk > 0) & (risk < 1)).all()


def test_large_maps_are_cut_to_windows() -> None:
    heatmaps = make_travelling(40, side=24)
    model = ConvLSTMForecaster(epochs=2, **TINY)
    model.training = replace(model.training, crop=8)
    model.fit(heatmaps)
    assert model.predict(heatmaps, 2).shape == (2, 24, 24)


@pytest.mark.parametrize(
    "name", ["sequence_length", "channels", "layers", "epochs", "learning_rate", "batch_size", "positive_weight"]
)
def test_parameters_must_be_positive(name: str) -> None:
    with pytest.raises(ParameterError, match=f"{name} is -1"):
        ConvLSTMForecaster(**{name: -1})


# Further layers


def test_another_category_that_comes_a_day_before_is_learned_from() -> None:
    """Coin flips cannot be forecast, unless another category shows today where something happens tomorrow."""
    random = np.random.default_rng(2)
    counts = (random.random((100, 6, 6)) < 0.5).astype(np.uint8)
    herald = np.roll(counts, -1, axis=0)
    extras = Extras(random.random((2, 6, 6)).astype(np.float32), ("a", "b"), herald[None], ("herald",))
    heatmaps = make_stack(counts, extras=extras)
    model = ConvLSTMForecaster(epochs=20, learning_rate=0.02, **TINY).fit(heatmaps.before(80))
    risk = model.predict_each(heatmaps, 80)
    assert log_loss(risk, counts[80:]) < 0.5 * np.log(2)
    again = ConvLSTMForecaster(**model.settings()).restore(model.state())
    for origin in (80, 85, 99):
        assert again.predict(heatmaps.before(origin))[0] == pytest.approx(risk[origin - 80], abs=1e-6)
    # Beyond the end of the history the other category is not known either.
    assert log_loss(model.predict(heatmaps.before(80), 2)[1], counts[81]) > 0.9 * np.log(2)
    # It is known only when its day is over.
    channels = herald.copy()
    channels[85:] = 1 - channels[85:]
    after = model.predict_each(make_stack(counts, extras=replace(extras, channels=channels[None])), 80)
    assert np.array_equal(risk[:6], after[:6])
    assert not np.array_equal(risk[6], after[6])
    with pytest.raises(ParameterError, match="2 static layers and 1 category channel, these maps come with 0 and 0"):
        model.predict(make_stack(counts))


# The job


def job(folder: Path, heatmaps: str, context: JobContext | None = None, **more: Any) -> dict[str, Any]:
    params = {"heatmaps": heatmaps, "output": str(folder / "risk.tif"), "epochs": 3, **TINY, **more}
    return run_job("convlstm", params, context)


def test_job_writes_risk_model_and_report(tmp_path: Path) -> None:
    mask = np.ones((8, 8), bool)
    mask[0] = False
    heatmaps = write_stack(tmp_path / "héat maps.tif", make_stack(make_travelling().counts, mask))
    context = Recorder()
    result = job(
        tmp_path,
        heatmaps,
        context,
        steps=2,
        model_output=str(tmp_path / "a.crimemodel"),
        report=str(tmp_path / "a.html"),
    )
    json.dumps(result, allow_nan=False)
    assert result["bins"] == ["2024-03-31T00:00:00", "2024-04-01T00:00:00"]
    assert result["held_out_bins"] == 18
    assert set(result["metrics"]) == {"convlstm", "prior_share", *BASELINES}
    assert result["log_loss_ratio_constant"] == pytest.approx(
        result["metrics"]["convlstm"]["log_loss"] / result["metrics"]["constant"]["log_loss"], rel=1e-4
    )
    assert len(result["loss"]) == len(result["validation"]) == 3
    assert any(
        text.startswith("epoch 2 of 3, loss") and "against the running mean" in text and "left" in text
        for text in context.texts
    )
    with rasterio.open(tmp_path / "risk.tif") as risk:
        assert risk.tags()["CRIMERISK_KIND"] == "risk"
        assert "On 18 held-out maps" in risk.tags()["CRIMERISK_CARD"]
        assert risk.descriptions == ("2024-03-31T00:00:00", "2024-04-01T00:00:00")
        values = risk.read()
        assert (values[:, 0] == risk.nodata).all()
        assert ((values[:, 1:] > 0) & (values[:, 1:] < 1)).all()
    report = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "héat maps.tif" in report
    assert str(tmp_path) not in report
    # 90 maps, of which 18 were held out.
    kept = (
        "The weights are those learned from the first 80\N{NO-BREAK SPACE}% of the maps, up to Tue 12 Mar 2024: the"
        " model"
    )
    assert kept in report
    assert any(text.startswith(kept) for text in context.messages)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.crimemodel", "a.html", "héat maps.tif", "risk.tif"]


def test_job_applies_a_model_and_scores_what_it_never_saw(tmp_path: Path) -> None:
    whole = make_travelling()
    early = write_stack(tmp_path / "early.tif", whole.before(60))
    model = str(tmp_path / "m.crimemodel")
    job(tmp_path, early, model_output=model)  # trained on the first 48 maps
    late = job(tmp_path, write_stack(tmp_path / "all.tif", whole), model=model, report=str(tmp_path / "r.html"))
    assert late["held_out_bins"] == 90 - 48
    context = Recorder()
    seen = job(
        tmp_path,
        write_stack(tmp_path / "seen.tif", whole.before(48)),
        context,
        model=model,
        report=str(tmp_path / "seen.html"),
    )
    assert seen["held_out_bins"] == 0
    assert seen["metrics"] == {}
    assert any("not evaluated" in text for text in context.warnings)


def test_job_refuses_a_model_for_other_bins_or_cells(tmp_path: Path) -> None:
    whole = make_travelling(50)
    model = str(tmp_path / "m.crimemodel")
    job(tmp_path, write_stack(tmp_path / "a.tif", whole), model_output=model)
    whole.bin = "1 weeks"
    with pytest.raises(ParameterError, match="trained on maps of 1 days, these are maps of 1 weeks"):
        job(tmp_path, write_stack(tmp_path / "b.tif", whole), model=model)
    whole.bin = "1 days"
    whole.support = Grid(0.0, 0.0, 250.0, 8, 8, "EPSG:32614")
    with pytest.raises(ParameterError, match="cells of 500 m, these are cells of 250 m"):
        job(tmp_path, write_stack(tmp_path / "c.tif", whole), model=model)


def test_job_refuses_bad_input_with_a_sentence(tmp_path: Path) -> None:
    whole = make_travelling(40)
    with pytest.raises(DataError, match=r"holds 8 maps, 2 of them held out; ConvLSTM needs at least 11 to learn"):
        job(tmp_path, write_stack(tmp_path / "short.tif", whole.before(8)))
    with pytest.raises(DataError, match="The stack holds 1 map, 1 of them held out"):
        job(tmp_path, write_stack(tmp_path / "one.tif", whole.before(1)))
    with pytest.raises(DataError, match="No incident"):
        job(tmp_path, write_stack(tmp_path / "none.tif", make_stack(np.zeros((40, 4, 4), np.uint8))))
    with pytest.raises(DataError, match="No cell"):
        job(tmp_path, write_stack(tmp_path / "out.tif", make_stack(whole.counts, np.zeros((8, 8), bool))))
    with rasterio.open(
        tmp_path / "foreign.tif", "w", driver="GTiff", width=2, height=2, count=1, dtype="uint8"
    ) as foreign:
        foreign.write(np.zeros((1, 2, 2), np.uint8))
    with pytest.raises(FormatError, match="not a stack of hotspot grids"):
        job(tmp_path, str(tmp_path / "foreign.tif"))
    with pytest.raises(ParameterError, match="epochs is 0; give a whole number from 1 to 10000"):
        job(tmp_path, str(tmp_path / "short.tif"), epochs=0)
    with pytest.raises(OutputError, match="of report does not exist"):
        job(tmp_path, str(tmp_path / "short.tif"), report=str(tmp_path / "nowhere" / "r.html"))
    assert not (tmp_path / "risk.tif").exists()


def test_as_few_maps_as_the_message_names_are_enough(tmp_path: Path) -> None:
    # Of 14 maps 3 are held out, and 11 are left to learn from.
    assert job(tmp_path, write_stack(tmp_path / "a.tif", make_travelling(14)))["held_out_bins"] >= 1


def test_a_constant_stack_can_be_forecast(tmp_path: Path) -> None:
    result = job(
        tmp_path,
        write_stack(tmp_path / "a.tif", make_stack(np.ones((30, 1, 1), np.uint8))),
        report=str(tmp_path / "r.html"),
    )
    assert result["metrics"]["convlstm"]["auc"] is None
    json.dumps(result, allow_nan=False)


def test_cancel_during_training_leaves_nothing(tmp_path: Path) -> None:
    heatmaps = write_stack(tmp_path / "a.tif", make_travelling())
    context = Recorder(cancel_when=lambda said: sum(text.startswith("epoch") for text in said.texts) == 3)
    with pytest.raises(Cancelled):
        job(tmp_path, heatmaps, context, model_output=str(tmp_path / "m.crimemodel"))
    assert sum(text.startswith("epoch") for text in context.texts) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["a.tif"]


@pytest.mark.parametrize("name", ["output", "model_output", "report"])
@pytest.mark.parametrize("file", ["a" * 250, "a\0b", "folder"])
def test_a_name_that_cannot_be_written_is_refused_before_training(tmp_path: Path, name: str, file: str) -> None:
    file += {"output": ".tif", "model_output": ".crimemodel", "report": ".html"}[name]
    folder = f"folder{Path(file).suffix}"
    (tmp_path / folder).mkdir()
    heatmaps = write_stack(tmp_path / "a.tif", make_travelling(40))
    context = Recorder()
    with pytest.raises(OutputError, match=name):
        job(tmp_path, heatmaps, context, **{name: str(tmp_path / file)})
    assert not context.texts
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tif", folder]


def test_a_failing_report_costs_neither_risk_nor_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heatmaps = write_stack(tmp_path / "a.tif", make_travelling(40))
    model, report = str(tmp_path / "m.crimemodel"), str(tmp_path / "r.html")
    for error in (OutputError("The disk is full", parameter="report", remedy="Free some space"), ValueError("odd")):

        def fail(*args: object, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr("riskengine.jobs.convlstm.write_training_report", fail)
        context = Recorder()
        result = job(tmp_path, heatmaps, context, model_output=model, report=report)
        assert result["report"] is None
        assert result["model"] == model
        assert any("its report is not" in text and str(error) in text for text in context.warnings)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tif", "m.crimemodel", "risk.tif"]


def test_a_later_stack_is_scored_once_there_is_a_past(tmp_path: Path) -> None:
    whole = make_travelling(100)
    model = str(tmp_path / "m.crimemodel")
    job(tmp_path, write_stack(tmp_path / "early.tif", whole.before(50)), model_output=model)

    def later(name: str, empty: int, maps: int) -> tuple[dict[str, Any], list[str]]:
        """The maps from 60 on, the first `empty` of them without incidents."""
        counts = whole.counts[60 : 60 + maps].copy()
        counts[:empty] = 0
        heatmaps = make_stack(counts)
        heatmaps.edges = whole.edges[60 : 61 + maps]
        context = Recorder()
        return job(tmp_path, write_stack(tmp_path / name, heatmaps), context, model=model), context.messages

    result, said = later("some.tif", 1, 40)
    assert result["held_out_bins"] == 40 - TINY["sequence_length"]
    assert any("evaluation starts with Thu 7 Mar 2024: what is before" in text for text in said)
    assert later("rare.tif", 10, 40)[0]["held_out_bins"] == 40 - 11
    result, said = later("last.tif", 9, 10)
    assert result["held_out_bins"] == 0
    assert any("an incident before it: the forecast is not evaluated" in text for text in said)
