"""Train score model on a simulated city, small enough that a training takes a second."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from qgis.core import QgsProcessingUtils

#: A training of a second.
SMALL: dict[str, Any] = {
    "WINDOW": 100,
    "RECENT_WINDOW": 20,
    "EPOCHS": 2,
    "FOLDS": 3,
    "WIDTHS": "8",
    "COMPARE": False,
}
#: One that does not end by itself.
ENDLESS = {**SMALL, "EPOCHS": 100_000, "PATIENCE": 100_000}


@pytest.fixture(scope="module")
def build(run: Any, engine_call: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """`build(name, FILTER=…)`: a crime index of the simulated city."""
    folder = tmp_path_factory.mktemp("simulated city")
    engine_call("simulate", {"path": str(folder / "city.csv"), "incidents": 2500, "days": 120, "seed": 5})
    layer = run("importincidents", INPUT=str(folder / "city.csv"), OUTPUT=str(folder / "city.gpkg"))["OUTPUT"]

    def build(name: str, **parameters: Any) -> Path:
        path = folder / f"{name}.crimeindex"
        run(
            "buildcrimeindex",
            INPUT=layer,
            TIME_FIELD="occurred",
            CATEGORY_FIELD="category",
            OUTPUT=str(path),
            **parameters,
        )
        return path

    return build


@pytest.fixture(scope="module")
def engine_call(plugin: Any) -> Any:
    from crime_risk.bridge import client

    return client.call


@pytest.fixture(scope="module")
def city(build: Callable[..., Path]) -> Path:
    return build("city")


@pytest.fixture(scope="module")
def trained(run: Any, city: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A model by the recommended protocol, with its report."""
    folder = tmp_path_factory.mktemp("trained")
    return run(
        "trainscoremodel",
        INPUT=str(city),
        MODEL=str(folder / "city.crimescore"),
        REPORT=str(folder / "report.html"),
        **SMALL,
    )


def card(path: str | Path) -> dict[str, Any]:
    """What a model file says about itself: safetensors begins with the length of a JSON header."""
    content = Path(path).read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    found: dict[str, Any] = json.loads(header["__metadata__"]["crimerisk"])
    return found


def test_recommended(trained: Any) -> None:
    assert 0 < trained["L1_LOW"] < trained["L1"] < trained["L1_HIGH"] < 0.5
    assert 0.5 < trained["COVERAGE"] <= 1
    assert trained["ROWS"] >= trained["INCIDENTS"] > trained["RECENT_INCIDENTS"] > 100
    assert trained["PARAMETERS"] > 0
    assert trained["SECONDS"] > 0
    assert re.fullmatch(r"\d+-8-3", trained["ARCHITECTURE"])
    said = card(trained["MODEL"])
    assert said["protocol"] == "recommended"
    assert (said["window_days"], said["recent_days"], said["complete"]) == (100, 20, True)
    assert said["features"]["groups"] == ["densities", "slopes"], "left empty, the features are the protocol's own"
    report = Path(trained["REPORT"]).read_text(encoding="utf-8")
    assert "On places it has never seen" in report
    assert "The protocols were not compared" in report


def test_compared(run: Any, city: Path, tmp_path: Path) -> None:
    ran = run(
        "trainscoremodel",
        INPUT=str(city),
        MODEL=str(tmp_path / "m.crimescore"),
        REPORT=str(tmp_path / "r.html"),
        **{**SMALL, "COMPARE": True, "AUGMENT": False},
    )
    report = Path(ran["REPORT"]).read_text(encoding="utf-8")
    for words in ("Gradient boosting", "Median score", "The same network on the published features", "Random rows"):
        assert words in report


def test_progress_tells_epoch_losses_and_time_left(
    trained: Any, log_of: Any, run: Any, city: Path, tmp_path: Path
) -> None:
    texts: list[str] = []

    class Listening(log_of):  # type: ignore[misc]
        def setProgressText(self, text: str) -> None:  # noqa: N802
            texts.append(text)

    parameters = {**SMALL, "EPOCHS": 12, "PATIENCE": 12}
    run("trainscoremodel", Listening(), INPUT=str(city), MODEL=str(tmp_path / "m.crimescore"), **parameters)
    told = [text for text in texts if "epoch" in text]
    assert told
    assert re.search(r"epoch \d+ of 12: train 0\.\d+, development 0\.\d+; about .* left", told[0])
    assert len(texts) < 20, "the log is flooded"


def test_published(run: Any, city: Path, tmp_path: Path) -> None:
    """Grown layer by layer, on the published features, without an interval of the network's own."""
    ran = run(
        "trainscoremodel",
        INPUT=str(city),
        PROTOCOL=1,
        MODEL=str(tmp_path / "p.crimescore"),
        REPORT=str(tmp_path / "p.html"),
        **{**SMALL, "WIDTHS": "6, 4"},
    )
    assert ran["ARCHITECTURE"] in ("20-1", "20-6-1", "20-6-4-1")
    said = card(ran["MODEL"])
    assert said["protocol"] == "published"
    assert said["features"]["groups"] == ["pairs"]
    report = Path(ran["REPORT"]).read_text(encoding="utf-8")
    assert "that split leaks" in report
    assert "20-<wbr>6-<wbr>1" in report, "the growth path is not shown"


def test_what_is_chosen_is_used(run: Any, city: Path, tmp_path: Path) -> None:
    ran = run(
        "trainscoremodel",
        INPUT=str(city),
        RADIUS=300,
        REFERENCE_TIME="2024-04-20T00:00:00",
        K=4,
        FEATURES=[0, 6],
        AUGMENT=False,
        GROW=1,
        SEED=7,
        INTERVAL=0.8,
        MODEL=str(tmp_path / "m.crimescore"),
        **{**SMALL, "WIDTHS": "5"},
    )
    said = card(ran["MODEL"])
    assert (said["radius"], said["seed"], said["interval"]) == (300, 7, 0.8)
    assert said["reference_time"] == "2024-04-20T00:00:00"
    assert (said["features"]["groups"], said["features"]["k"]) == (["pairs", "rings"], 4)
    assert ran["ROWS"] == ran["INCIDENTS"], "nothing was to be resampled"
    assert "REPORT" not in ran.results or not ran["REPORT"]


def test_two_windows_of_one_index_and_two_indexes_agree(
    run: Any, city: Path, build: Callable[..., Path], trained: Any, tmp_path: Path
) -> None:
    """The recent incidents are the same, wherever they are read from."""
    recent = build("recent", FILTER="occurred >= '2024-04-05'")
    ran = run(
        "trainscoremodel", INPUT=str(city), RECENT_INDEX=str(recent), MODEL=str(tmp_path / "m.crimescore"), **SMALL
    )
    assert ran["RECENT_INCIDENTS"] == trained["RECENT_INCIDENTS"]
    assert ran["L1"] == trained["L1"]


def test_same_seed_same_model(run: Any, city: Path, trained: Any, tmp_path: Path) -> None:
    ran = run("trainscoremodel", INPUT=str(city), MODEL=str(tmp_path / "city.crimescore"), **SMALL)
    assert Path(ran["MODEL"]).read_bytes() == Path(trained["MODEL"]).read_bytes()


@pytest.mark.parametrize("protocol", [0, 1])
def test_cancel_keeps_the_best_if_asked(
    protocol: int, refusal: Any, run: Any, log_of: Any, city: Path, tmp_path: Path, engine: Any
) -> None:
    model = tmp_path / "kept.crimescore"
    log = _cancel_at_an_epoch(log_of)
    said = refusal(
        "trainscoremodel",
        log,
        INPUT=str(city),
        PROTOCOL=protocol,
        KEEP_BEST=True,
        MODEL=str(model),
        REPORT=str(tmp_path / "r.html"),
        **ENDLESS,
    )
    assert f"Cancelled: the best model so far was kept as {model}" in said
    assert [path.name for path in tmp_path.iterdir()] == [model.name], "one file, and no leftovers"
    assert card(model)["complete"] is False
    assert engine._WORKERS["batch"]._process.is_alive(), "it ended of itself, within its second"


def test_cancel_leaves_nothing_by_default(refusal: Any, log_of: Any, city: Path, tmp_path: Path) -> None:
    said = refusal(
        "trainscoremodel", _cancel_at_an_epoch(log_of), INPUT=str(city), MODEL=str(tmp_path / "m.crimescore"), **ENDLESS
    )
    assert "Cancelled: nothing was written." in said
    assert not list(tmp_path.iterdir())


def test_cancel_before_the_first_epoch_keeps_what_was_there(
    refusal: Any, log_of: Any, city: Path, trained: Any, tmp_path: Path
) -> None:
    """An older model stays, and is not taken for a new one."""
    model = tmp_path / "m.crimescore"
    model.write_bytes(Path(trained["MODEL"]).read_bytes())
    said = refusal("trainscoremodel", log_of(0), INPUT=str(city), KEEP_BEST=True, MODEL=str(model), **ENDLESS)
    assert "Cancelled: nothing was written." in said
    assert model.read_bytes() == Path(trained["MODEL"]).read_bytes()


def test_a_temporary_model_that_is_kept_is_called_that(refusal: Any, log_of: Any, city: Path) -> None:
    log = _cancel_at_an_epoch(log_of)
    model = Path(QgsProcessingUtils.generateTempFilename("kept.crimescore"))
    refusal("trainscoremodel", log, INPUT=str(city), KEEP_BEST=True, MODEL=str(model), **ENDLESS)
    assert model.is_file()
    assert f"{model} is a temporary file: copy it" in "\n".join(log.warnings)


def _cancel_at_an_epoch(log_of: Any) -> Any:
    """A log that cancels as soon as it hears of an epoch."""

    class Impatient(log_of):  # type: ignore[misc]
        def setProgressText(self, text: str) -> None:  # noqa: N802
            if "epoch" in text:
                self.cancel()

    return Impatient()


@pytest.fixture
def train_of(refusal: Any, city: Path, tmp_path: Path) -> Callable[..., str]:
    """The refusal of a training of the city; nothing is written."""

    def train_of(**parameters: Any) -> str:
        given = {"INPUT": str(city), "MODEL": str(tmp_path / "m.crimescore"), **SMALL}
        said: str = refusal("trainscoremodel", **{**given, **parameters})
        assert not list(tmp_path.iterdir())
        return said

    return train_of


@pytest.mark.parametrize("name", ["RADIUS", "WINDOW", "RECENT_WINDOW", "BLOCK_SIZE"])
@pytest.mark.parametrize("value", [0, -2.5])
def test_sizes(name: str, value: float, train_of: Callable[..., str]) -> None:
    assert f"{name} is {value:g}; it must be greater than 0, usually " in train_of(**{name: value})


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"K": 0}, "K is 0; give a whole number from 1 to 1000"),
        ({"EPOCHS": 0}, "EPOCHS is 0; give a whole number from 1"),
        ({"PATIENCE": -1}, "PATIENCE is -1; give a whole number from 1"),
        ({"SEED": -1}, "SEED is -1; give a whole number from 0"),
        ({"FOLDS": 1}, "FOLDS is 1; give a whole number from 3 to 50"),
        ({"INTERVAL": 1}, "INTERVAL is 1; give a number from 0.5 to 0.99"),
        ({"RADIUS": "nan"}, "RADIUS is nan; it must be greater than 0, usually 200"),
        ({"PROTOCOL": 2}, "PROTOCOL is 2; choose one of 0: Recommended; 1: Published"),
        ({"GROW": 3}, "GROW is 3; choose one of"),
        ({"FEATURES": [0, 40]}, "FEATURES is [0, 40]; choose one of 0: Distance and age"),
        ({"RECENT_WINDOW": 200}, "RECENT_WINDOW is 200 days, longer than WINDOW, 100 days"),
        ({"WIDTHS": "64 by 64"}, "WIDTHS is 64 by 64; give up to 32 whole numbers from 1 to 4096"),
        ({"WIDTHS": "64, 0"}, "such as 64, 64, or leave it empty"),
        ({"WIDTHS": ", ".join(["4"] * 33)}, "give up to 32 whole numbers"),
        ({"INPUT": ""}, "INPUT is empty. Crime index is needed"),
        ({"INPUT": "/nowhere/city.crimeindex"}, "/nowhere/city.crimeindex does not exist"),
        ({"RECENT_INDEX": "/nowhere/city.crimeindex"}, "/nowhere/city.crimeindex does not exist"),
        ({"REFERENCE_TIME": "2020-01-01T00:00:00"}, "the reference time is before the first incident"),
        ({"BLOCK_SIZE": 0}, "BLOCK_SIZE is 0; it must be greater than 0, usually 1000"),
        ({"BLOCK_SIZE": 1e6}, "blocks of 1e+06 m, too few to hold some out (3 are needed)"),
        ({"MODEL": "/nowhere/m.crimescore"}, "lies in a folder that does not exist"),
        ({"REPORT": "/nowhere/r.html"}, "lies in a folder that does not exist"),
    ],
)
def test_what_cannot_work_is_told(parameters: dict[str, Any], sentence: str, train_of: Callable[..., str]) -> None:
    assert sentence in train_of(**parameters)


def test_model_may_not_overwrite_the_index(train_of: Callable[..., str], city: Path) -> None:
    before = city.read_bytes()
    assert "is also an input and would be overwritten" in train_of(MODEL=str(city))
    assert city.read_bytes() == before


def test_foreign_index(train_of: Callable[..., str], trained: Any, shared_files: Path) -> None:
    foreign = shared_files / "model.crimeindex"
    foreign.write_bytes(Path(trained["MODEL"]).read_bytes())
    for name in ("INPUT", "RECENT_INDEX"):
        said = train_of(**{name: str(foreign)})
        assert f"{foreign} is not a whole file of this kind" in said
        assert "Choose a crimeindex file" in said


def test_recent_incidents_in_another_crs(train_of: Callable[..., str], build: Callable[..., Path]) -> None:
    other = build("other", CRS="EPSG:32632")
    said = train_of(RECENT_INDEX=str(other))
    assert "different coordinate systems" in said
    assert "Build both with the same CRS" in said
