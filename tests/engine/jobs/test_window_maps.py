"""Draw window maps: pictures, labels and a stack, what is left out and said, and nothing where it is cancelled."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import rasterio
import shapely
from kit.contexts import Recorder
from kit.incidents import make_incidents
from matplotlib.image import imread
from numpy.typing import NDArray

from riskengine.contract import tags
from riskengine.contract.colours import list_picture_palette, read_colour
from riskengine.ground.errors import Cancelled, CrimeRiskError, DataError, OutputError, ParameterError
from riskengine.intake.incidents import write_exchange
from riskengine.jobs import run_job
from riskengine.maps.unitlayer import UnitRows, write_units
from riskengine.systems.warning.networks import WindowArchitecture, make_network
from riskengine.systems.warning.windowmodel import WindowCard, WindowModel

CRS = "EPSG:32618"
#: Two quarters of 3 km, side by side.
QUARTERS = (shapely.box(0, 0, 3000, 6000), shapely.box(3000, 0, 6000, 6000))
CATEGORIES = ["LARCENY", "SHOOTING", "AUTO THEFT"]
#: x, y, time and category. The victims of one shooting are two rows, one of which is repeated.
ROWS = (
    (1000, 1000, "2014-01-01T00:01", 0),
    (2000, 3000, "2014-01-01T02:01", 0),
    (4000, 3000, "2014-01-01T02:30", 1),
    (4000, 3000, "2014-01-01T02:30", 1),
    (5000, 5000, "2014-01-01T05:10", 2),
    (9000, 9000, "2014-01-01T05:20", 0),
    (1500, 1000, "2014-01-02T21:00", 0),
    (1500, 1000, "NaT", 1),
)


@pytest.fixture
def draw(tmp_path: Path) -> Any:
    """`draw(KEY=…)`: run the job; the result with what was said."""

    def run(
        rows: Any = ROWS, said: Recorder | None = None, ends: Any = (), **parameters: Any
    ) -> tuple[dict[str, Any], Recorder]:
        x, y, time, category = zip(*rows, strict=True)
        incidents = make_incidents(x, y, np.array(time, "datetime64[s]"), category, CATEGORIES)
        write_exchange(tmp_path / "incidents.npz", incidents)
        if ends:
            arrays = dict(np.load(tmp_path / "incidents.npz"))
            np.savez(tmp_path / "incidents.npz", **arrays, end=np.array(ends, "datetime64[s]").astype(np.int64))
        ids = ["W", "E"]
        write_units(tmp_path / "areas.npz", UnitRows(ids, ids, np.array(QUARTERS), np.arange(2), "quarters"))
        given = {
            "incidents": str(tmp_path / "incidents.npz"),
            "areas": str(tmp_path / "areas.npz"),
            "crs": CRS,
            "targets": ["shooting"],
            "pictures": str(tmp_path / "maps"),
            "width": 64,
        }
        said = said or Recorder()
        return run_job("window_maps", {**given, **parameters}, said), said

    return run


def read_table(folder: Path) -> list[dict[str, str]]:
    with (folder / "windows.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_picture(path: Path) -> NDArray[np.uint8]:
    return np.asarray(np.round(imread(path)[..., :3] * 255), dtype=np.uint8)


def test_a_folder_of_pictures_with_their_labels(draw: Any, tmp_path: Path) -> None:
    result, said = draw()
    table = read_table(tmp_path / "maps")
    assert [(row["file"], row["incidents"], row["target_events"], row["label"]) for row in table] == [
        ("2014-01-01_0001.png", "2", "0", "0"),
        ("2014-01-01_0201.png", "3", "1", "1"),
        ("2014-01-01_0401.png", "1", "0", "0"),
        ("2014-01-02_2001.png", "1", "0", "0"),
    ]
    assert table[1]["start"] == "2014-01-01T02:01:00"
    assert table[1]["end"] == "2014-01-01T04:01:00"
    assert {row["probability"] for row in table} == {""}
    assert {each.name for each in (tmp_path / "maps").iterdir()} == {"windows.csv", *(row["file"] for row in table)}
    pictures = {row["file"]: read_picture(tmp_path / "maps" / row["file"]) for row in table}
    assert {each.shape for each in pictures.values()} == {(64, 64, 3)}
    # Only where something happened are there red pixels, and the picture of the shooting is another than all others.
    assert all(
        (each == (255, 0, 0)).all(axis=-1).any() or (each[..., 0] > each[..., 2] + 90).any()
        for each in pictures.values()
    )
    assert len({each.tobytes() for each in pictures.values()}) == 4
    assert (result["windows"], result["with_target"], result["drawn"], result["twice"]) == (4, 1, 6, 1)
    assert result["empty"] == 24 - 4
    assert result["refusals"] == [[7, "no time given"], [5, "in no area"]]
    for sentence in (
        "4 windows",
        "1 of 7 incidents lies in no area and cannot be drawn.",
        "20 windows have no incident and are left out.",
        "1 of 4 windows has a target: 2 rows, which are 1 event, since rows at one time and place are the victims of",
        "1 of 3 target rows is left out (1 x no time given): the window that each belongs to may be labelled as",
        "AUTO THEFT has the colour of SHOOTING: a dot of it need be no target.",
        "1 incident happened at the moment at which one window ends and the next begins: as published, in both.",
    ):
        assert any(sentence in line for line in said.messages), sentence


def test_a_shooting_that_may_be_of_another_window_is_said(draw: Any) -> None:
    ends = [row[2] for row in ROWS]
    ends[2] = "2014-01-01T04:30"
    _, said = draw(ends=ends)
    have = "1 of 2 rows has a start and an end that lie in different windows of 2 hours"
    assert any(line.startswith(have) for line in said.warnings)


def test_half_open_windows_in_other_colours(draw: Any, tmp_path: Path) -> None:
    _, said = draw(style="halfopen", colours=["AUTO THEFT=#00ff00", "LARCENY = #0000FF"], window=6, begin=6)
    rows = [(row["file"], row["incidents"], row["label"]) for row in read_table(tmp_path / "maps")]
    assert rows == [("2014-01-01_0000.png", "5", "1"), ("2014-01-02_1800.png", "1", "0")]
    assert not any("has the colour of" in line for line in said.messages)
    assert any("LARCENY #0000ff" in line and "AUTO THEFT #00ff00" in line for line in said.messages)


def test_a_stack_lies_on_the_map_and_says_when_each_band_is(draw: Any, tmp_path: Path) -> None:
    result, _ = draw(stack=str(tmp_path / "stack.tif"), labels=str(tmp_path / "labels.gpkg"), width=96, height=48)
    palette = np.array([read_colour(shade) for shade in list_picture_palette()], dtype=int)
    with rasterio.open(tmp_path / "stack.tif") as stack:
        assert (stack.count, stack.width, stack.height, stack.dtypes[0]) == (4, 96, 48, "uint8")
        assert stack.crs.to_string() == CRS
        # All areas, with a twentieth of room on each side.
        assert tuple(stack.bounds) == pytest.approx((-300, -300, 6300, 6300))
        assert stack.tags()[tags.KIND] == tags.PICTURES_KIND
        assert stack.tags(2)[tags.START] == "2014-01-01T02:01:00"
        shown = palette[stack.read(2)]
        # The shooting, in the middle between west and east thirds of the quarter, in its red.
        row, column = stack.index(4000, 3000)
    assert shown[row, column] == pytest.approx(np.array(read_colour("#bd3d3a")), abs=60)
    assert np.abs(shown - read_picture(tmp_path / "maps" / "2014-01-01_0201.png")).max() <= 26
    table = pyogrio.raw.read(tmp_path / "labels.gpkg")
    columns = dict(zip(table[0]["fields"].tolist(), table[3], strict=True))
    assert columns["band"].tolist() == [1, 2, 3, 4]
    assert columns["label"].tolist() == [0, 1, 0, 0]
    assert columns["file"].tolist()[1] == "2014-01-01_0201.png"
    assert result["edges"][1] == ["2014-01-01T02:01:00", "2014-01-01T04:01:00"]
    assert "These pictures detect, and warn of nothing." in result["headline"]


def test_what_was_there_stays_where_a_run_is_cancelled(draw: Any, tmp_path: Path) -> None:
    rows = [(1000 + 10 * n, 1000, str(np.datetime64("2014-01-01T00:30") + 60 * n), n % 3) for n in range(400)]
    (tmp_path / "stack.tif").write_bytes(b"earlier")
    before = {each.name for each in tmp_path.iterdir()} | {"incidents.npz", "areas.npz"}
    said = Recorder(lambda said: said.texts[-1].startswith("picture 128"))
    with pytest.raises(Cancelled):
        draw(rows, said, stack=str(tmp_path / "stack.tif"), labels=str(tmp_path / "labels.gpkg"))
    assert {each.name for each in tmp_path.iterdir()} == before
    assert (tmp_path / "stack.tif").read_bytes() == b"earlier"
    result, _ = draw(rows)
    assert len(read_table(tmp_path / "maps")) == result["windows"] > 128


@pytest.mark.parametrize(
    ("parameters", "error", "sentence"),
    [
        ({"targets": ["ARSON"]}, DataError, "No incident has category ARSON"),
        ({"colours": ["ARSON=#112233"]}, DataError, "No incident has category ARSON"),
        ({"colours": ["SHOOTING=red"]}, ParameterError, "SHOOTING=red"),
        ({"window": 5}, ParameterError, "5"),
        ({"width": 5}, ParameterError, "width"),
        ({"pictures": None}, ParameterError, "nothing would be written"),
        ({"start": "2014-01-02T00:00:00", "end": "2014-01-02T03:00:00"}, DataError, "do not fill two windows"),
        ({"start": "2014-01-01T08:00:00", "end": "2014-01-02T08:00:00"}, DataError, "No incident lies in a window"),
        ({"model": "missing.crimewindow"}, CrimeRiskError, "missing.crimewindow"),
    ],
)
def test_what_cannot_be_drawn_is_said(draw: Any, parameters: Any, error: type[Exception], sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        draw(**parameters)


@pytest.fixture
def network(tmp_path: Path) -> str:
    """The file of an untrained network for pictures of 64 × 65 pixels and windows of two hours."""
    architecture = WindowArchitecture(network="model2", width=64, height=65)
    card = WindowCard(
        name="untrained",
        architecture=architecture,
        hours=2,
        targets=["SHOOTING"],
        crs=CRS,
        extent=(-300, -300, 6300, 6300),
        first="2014-01-01T00:01",
        end="2014-01-02T00:01",
        split="forward",
        share=0.1,
        epochs=1,
        seed=0,
        versions={},
    )
    path = tmp_path / "network.crimewindow"
    WindowModel(make_network(architecture), card).save(path)
    return str(path)


def test_what_a_network_says_stands_beside_each_picture(draw: Any, network: str, tmp_path: Path) -> None:
    result, _ = draw(model=network, width=None)
    assert (result["width"], result["height"]) == (64, 65)
    told = [float(row["probability"]) for row in read_table(tmp_path / "maps")]
    pictures = [read_picture(tmp_path / "maps" / row["file"]) for row in read_table(tmp_path / "maps")]
    assert told == pytest.approx(WindowModel.load(network).predict(np.array(pictures)).tolist(), abs=1e-6)
    assert len(set(told)) == 4


def test_a_network_of_another_city_is_said_to_know_little(draw: Any, network: str, tmp_path: Path) -> None:
    _, said = draw(model=network, width=None)
    assert not any("other areas" in line for line in said.messages)
    known = WindowModel.load(network)
    elsewhere = known.card.model_copy(update={"extent": (3000, -300, 9600, 6300), "targets": ["LARCENY"]})
    WindowModel(known.network, elsewhere).save(network)
    _, said = draw(model=network, width=None, pictures=str(tmp_path / "again"))
    assert "The network learned from pictures of other areas, so what it says of these means little." in said.warnings
    assert "The network was asked for LARCENY, so its probability is of these." in said.warnings


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"window": 4}, "The network looks at windows of 2 hours"),
        ({"width": 80}, "The network looks at pictures of 64 × 65 pixels, and these are 80 × 65"),
        ({"crs": "EPSG:32617"}, "The network's pictures are in EPSG:32618"),
    ],
)
def test_a_network_looks_only_at_pictures_such_as_it_knows(
    draw: Any, network: str, parameters: Any, sentence: str
) -> None:
    with pytest.raises(ParameterError, match=sentence):
        draw(**{"model": network, "width": None, **parameters})


def test_a_folder_with_other_things_is_left_alone(draw: Any, tmp_path: Path) -> None:
    (tmp_path / "maps").mkdir()
    draw()
    with pytest.raises(OutputError, match="not empty"):
        draw()
    assert len(read_table(tmp_path / "maps")) == 4


def test_areas_of_another_city_are_refused(draw: Any) -> None:
    with pytest.raises(DataError, match="None of the 2 incidents lies in one of the 2 areas"):
        draw([(1e5, 1e5, "2014-01-01T01:00", 1), (1e5, 1e5, "2014-01-03T01:00", 1)])


def test_days_are_no_windows_of_hours(draw: Any) -> None:
    rows = [(1000, 1000, f"2014-01-{day:02}", 1) for day in range(1, 20)]
    with pytest.raises(ParameterError, match="exact to the day"):
        draw(rows)
