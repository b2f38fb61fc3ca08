"""Files that were altered: used or refused with a sentence that names the part, never anything else."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from kit.mutations import alter_index, alter_model, read_index, read_model, write_index, write_model

from riskengine.contract import tags as tagnames
from riskengine.forecasters.modelfile import load_model
from riskengine.ground import containers
from riskengine.ground.errors import CrimeRiskError, FormatError
from riskengine.jobs import run_job
from riskengine.maps.heatmaps import read_heatmaps
from riskengine.maps.risk import read_risk
from riskengine.systems.score.index import CrimeIndex, has_annoy
from riskengine.systems.score.model import ScoreModel

FILES = Path(__file__).resolve().parents[2] / "contracts" / "files" / "0.3.0"
ALTERED = Path(__file__).resolve().parents[4] / "shared" / "cases" / "artefacts"
MODELS = sorted(path.name for path in FILES.glob("*.crimemodel"))
READERS: dict[str, Any] = {".crimemodel": load_model, ".crimescore": ScoreModel.load, ".crimeindex": CrimeIndex.load}


@pytest.mark.parametrize("name", [*MODELS, "city.crimescore", "city.crimeindex", "annoy.crimeindex"])
def test_altered_at_random(name: str, tmp_path: Path) -> None:
    content, path = (FILES / name).read_bytes(), tmp_path / name
    alter = alter_index if path.suffix == ".crimeindex" else alter_model
    outcomes: Counter[str] = Counter()
    for seed in range(60):
        made, _ = alter(content, random.Random(f"{name} {seed}"))
        path.write_bytes(made)
        try:
            READERS[path.suffix](path)
            outcomes["read"] += 1
        except CrimeRiskError as error:
            outcomes["refused"] += 1
            said = str(error)
            assert any(words in said for words in ("is damaged", "is not a", "newer", "does not know")), said
    assert outcomes["refused"] > 20
    assert outcomes["read"] > 0, "some alterations are harmless"


@pytest.mark.parametrize(
    ("name", "array", "value", "sentence"),
    [
        ("kde", "long_bandwidth_", np.float64(1e30), r"long_bandwidth_ holds 1e\+30, which is out of range"),
        ("kde", "weight_", np.int64(1 << 60), "weight_ holds .*, which is out of range"),
        ("etas", "pace_", np.ones(7, np.int64), "pace_ holds numbers of type int64"),
        ("kde", "half_life_", np.ones(2), r"half_life_ is of shape \(2,\)"),
        ("etas", "pace_", np.ones(8), r"pace_ is of shape \(8,\)"),
        ("logistic", "scale_", np.zeros(28), "scale_ holds 0, which is out of range"),
        ("logistic", "scale_", np.ones(27), r"scale_ is of shape \(27,\)"),
        ("boosting", "trees_roots", np.zeros(60, np.int32), "leads to one node twice"),
        ("boosting", "trees_feature", np.full(420, 99, np.int32), "trees_feature leads nowhere"),
        ("st_resnet", "spans_", np.zeros((0, 3), np.int64), "spans_ names no maps"),
        ("convlstm", "network.last.bias", np.zeros(2, np.float32), r"last\.bias is of shape \(2,\)"),
        ("sftt", "network.last.bias", np.zeros(1), r"last\.bias is of .* torch\.float64"),
        ("ensemble", "weights_", np.full(5, 0.1), "weights_ does not fit the members"),
    ],
)
def test_what_was_learned_is_checked(name: str, array: str, value: Any, sentence: str, tmp_path: Path) -> None:
    card, arrays = read_model((FILES / f"{name}.crimemodel").read_bytes())
    path = tmp_path / "m.crimemodel"
    path.write_bytes(write_model(card, {**arrays, array: np.asarray(value)}, True))
    with pytest.raises(FormatError, match=sentence):
        load_model(path)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"window": {"start": "2024-01-01", "end": "soon", "maps": 3}}, r"window\.end"),
        ({"fingerprint": "\ud800"}, "fingerprint holds half a character"),
        ({"metrics": {"kde": {"against": {"baseline": "constant"}}}}, r"metrics\.kde\.against"),
        ({"metrics": {"kde": {"auc": "high"}}}, r"metrics\.kde\.auc"),
        ({"settings": {"bandwidth": 1e30}}, r"bandwidth is 1e\+30: from 0 to 1e\+06 is possible"),
        ({"seed": float("nan")}, "seed is no number"),
    ],
)
def test_a_card_is_checked(changes: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    card, arrays = read_model((FILES / "kde.crimemodel").read_bytes())
    path = tmp_path / "m.crimemodel"
    path.write_bytes(write_model({**card, **changes}, arrays, True))
    with pytest.raises(FormatError, match=sentence):
        load_model(path)


def test_a_flipped_bit_is_told_by_the_checksum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "i.crimeindex"
    index = CrimeIndex.load(FILES / "city.crimeindex")
    index.save(path)
    counted: list[int] = []
    compute = containers.compute_checksum
    monkeypatch.setattr(containers, "compute_checksum", lambda *given: counted.append(1) or compute(*given))
    CrimeIndex.load(path)
    CrimeIndex.load(path)
    assert len(counted) == 1, "once for each file and change"
    card, arrays = read_model((FILES / "kde.crimemodel").read_bytes())
    model = tmp_path / "m.crimemodel"
    whole = write_model(card, arrays, True)
    # The lowest bit of the last number: a value that could as well be right.
    model.write_bytes(whole[:-8] + bytes([whole[-8] ^ 1]) + whole[-7:])
    with pytest.raises(FormatError, match="its checksum is another one"):
        load_model(model)


@pytest.mark.skipif(not has_annoy(), reason="annoy could not be compiled here")
@pytest.mark.parametrize("word", [-1, 2**31 - 1, 10**6])
def test_annoy_is_not_led_astray(word: int, tmp_path: Path) -> None:
    index = CrimeIndex.load(FILES / "annoy.crimeindex")
    assert index.method == "annoy"
    index.save(tmp_path / "a.crimeindex")
    content = (tmp_path / "a.crimeindex").read_bytes()
    card, parts = read_index(content)
    nodes = parts["annoy.ann"].view(np.int32).reshape(-1, 6).copy()
    nodes[-1, 2] = word
    path = tmp_path / "b.crimeindex"
    path.write_bytes(write_index(card, {**parts, "annoy.ann": nodes.reshape(-1).view(np.uint8)}, True))
    with pytest.raises(FormatError, match=r"annoy\.ann holds a node that leads nowhere"):
        CrimeIndex.load(path)


def test_a_raster_larger_than_its_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.tif"
    profile = {"driver": "GTiff", "width": 9_000, "height": 9_000, "count": 1, "dtype": "float64"}
    with rasterio.open(path, "w", tiled=True, SPARSE_OK="TRUE", crs="EPSG:32631", **profile) as target:
        target.update_tags(**{tagnames.KIND: tagnames.HEATMAPS_KIND})
    for read in (read_heatmaps, read_risk):
        with pytest.raises(FormatError, match=r"9,000 columns x 9,000 rows x 1 band, which its file .* cannot hold"):
            read(str(path))
    for width, said in (
        (20_000, r"20,000 columns x 9,000 rows x 1 band, which its file .* cannot hold"),
        (60_000, "540,000,000 cells; the limit is 500,000,000"),
    ):
        with rasterio.open(path, "w", tiled=True, SPARSE_OK="TRUE", **{**profile, "width": width}) as target:
            target.update_tags(**{tagnames.KIND: tagnames.HEATMAPS_KIND})
        with pytest.raises(FormatError, match=said):
            read_heatmaps(path)


@pytest.mark.skipif(not ALTERED.is_dir(), reason="no altered files beside the checkout")
@pytest.mark.parametrize("path", sorted(ALTERED.glob("*_use_*")), ids=lambda path: path.name)
def test_those_that_broke_0_3(path: Path, tmp_path: Path) -> None:
    city = str(FILES / "city.crimeindex")
    jobs: dict[str, tuple[str, dict[str, Any]]] = {
        ".crimeindex": ("query_score", {"index": str(path), "x": 5e5, "y": 5.3e6}),
        ".crimescore": ("query_score", {"index": city, "model": str(path), "x": 5e5, "y": 5.3e6}),
        ".crimemodel": ("forecast", {"model": str(path), "heatmaps": str(FILES / "grids.tif")}),
        ".tif": ("forecast", {"model": str(FILES / "kde.crimemodel"), "heatmaps": str(path)}),
    }
    job, given = jobs[path.suffix]
    if job == "forecast":
        given |= {"output": str(tmp_path / "risk.tif"), "steps": 1, "extras": []}
    with pytest.raises(FormatError, match=r"is damaged|is not a whole|the limit is"):
        run_job(job, given)
