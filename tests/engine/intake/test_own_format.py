"""A user's own format: saved by one import, read by the next, shared as a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from kit.contexts import Recorder
from kit.tables import read_table

from riskengine.ground.errors import DataError, OutputError, ParameterError
from riskengine.jobs import run_job

#: Times with an offset, months that only the order of dates tells, a column whose name holds a comma.
ROWS = """nr;ost;nord;"von, am";bis;art
1;13.401;52.501;01.02.2024 22:00 +0000;02.02.2024 06:00 +0000;Einbruch
1;13.401;52.501;01.02.2024 22:00 +0000;02.02.2024 06:00 +0000;Diebstahl
2;13.402;52.502;03.02.2024 10:00 +0000;03.02.2024 11:00 +0000;Straßenraub
"""
BY_HAND = {
    "x": "ost",
    "y": "nord",
    "time": ["von, am"],
    "end": ["bis"],
    "category": "art",
    "id_field": "nr",
    "date_order": "dmy",
    "time_zone": "Europe/Berlin",
    "encoding": "cp1252",
    "delimiter": ";",
}


class Folder:
    """A folder with a file of rows, and imports of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.format = path / "wache.json"
        self.said = Recorder()

    def load(self, text: str = ROWS, **parameters: Any) -> dict[str, list[Any]]:
        (self.path / "rows.csv").write_text(text, "cp1252")
        given = {"path": str(self.path / "rows.csv"), "folder": str(self.path), **parameters}
        self.said = Recorder()
        self.result = run_job("import_csv", given, self.said)
        return read_table(self.result["output"])

    def save(self, **parameters: Any) -> dict[str, list[Any]]:
        return self.load(**{**BY_HAND, "save_profile": str(self.format), **parameters})

    def read(self, text: str = ROWS, **parameters: Any) -> dict[str, list[Any]]:
        return self.load(text, profile_file=str(self.format), **parameters)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_saved_format_gives_the_same_layer(folder: Folder) -> None:
    by_hand = folder.save()
    assert by_hand["occurred"] == ["2024-02-01T23:00:00.000Z", "2024-02-03T11:00:00.000Z"], "dmy, in Berlin"
    assert by_hand["end"] == ["2024-02-02T07:00:00.000Z", "2024-02-03T12:00:00.000Z"]
    assert by_hand["rows"] == [2, 1], "merged by nr"
    assert f"The format was saved as {folder.format}" in "\n".join(folder.said.lines)
    assert folder.read() == by_hand
    assert folder.result["profile"] == "wache"
    assert "info: Format: wache, a saved format." in folder.said.lines


def test_what_is_named_beside_it_comes_first(folder: Folder) -> None:
    folder.save()
    read = folder.read(category="bis", time_zone="UTC", date_order="mdy", occurred="end")
    assert read["category"][0] == "02.02.2024 06:00 +0000"
    assert read["occurred"] == ["2024-02-02T06:00:00.000Z", "2024-03-02T11:00:00.000Z"]


def test_a_format_without_an_end_has_no_middle(folder: Folder) -> None:
    folder.save(end=[])
    with pytest.raises(ParameterError, match=r"OCCURRED is 'middle', but END_FIELD is empty.*Name the column"):
        folder.read(occurred="middle")


def test_columns_that_the_file_lacks_are_named_unless_others_take_their_place(folder: Folder) -> None:
    folder.save()
    other = ROWS.replace("bis", "BISDATUM", 1).replace("art", "Delikt", 1)
    with pytest.raises(ParameterError, match=r"not in the format 'wache': it has no column bis, art; its columns are"):
        folder.read(other)
    assert folder.read(other, end=["BISDATUM"], category="Delikt")["category"] == ["Einbruch", "Straßenraub"]


def test_a_known_format_can_be_saved_and_its_place_still_counts(folder: Folder) -> None:
    """Chicago's format refuses places outside Chicago, and so does a copy of it."""
    rows = (
        "Date,Primary Type,Block,Description,Arrest,Domestic,Latitude,Longitude\n"
        "02/03/2020 10:00:00 AM,THEFT,1 A ST,x,false,false,41.88,-87.63\n"
        "02/04/2020 10:00:00 AM,THEFT,2 A ST,x,false,false,36.62,-91.69\n"
    )
    by_hand = folder.load(rows, save_profile=str(folder.format))
    assert folder.result["profile"] == "chicago"
    assert len(by_hand["occurred"]) == 1
    assert folder.read(rows) == by_hand


def test_a_failed_import_saves_nothing(folder: Folder) -> None:
    with pytest.raises(DataError):
        folder.save(text="nr;ost;nord;von;bis;art\n", time=["von"])
    assert not folder.format.exists()
    with pytest.raises(OutputError, match=r"The folder .* of save_profile does not exist"):
        folder.save(save_profile=str(folder.path / "no" / "wache.json"))
    assert not (folder.path / "incidents.gpkg").exists(), "said before any work"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "does not exist"),
        ("x = 1", "is no JSON text"),
        (b"\xff\xfe\x00", "is no JSON text"),
        ("[1, 2]", "is JSON, but no format of Crime Risk"),
        ('{"id": "a", "title": "a", "crs": "EPSG:4326"}', "is JSON, but lacks 'variants'"),
        ({"x": None}, "has a wrong value of 'variants.0.x'"),
        ({"colour": "red"}, "has 'variants.0.colour', which no format has"),
        ({"date_order": "ydm"}, "has a wrong value of 'variants.0.date_order': input should be 'auto', 'ymd'"),
    ],
)
def test_a_broken_format_says_what_is_wrong(folder: Folder, text: Any, said: str) -> None:
    if isinstance(text, dict):
        folder.save()
        saved = json.loads(folder.format.read_text("utf-8"))
        saved["variants"][0] |= text
        text = json.dumps(saved)
    if text is not None:
        folder.format.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    with pytest.raises(ParameterError) as caught:
        folder.read()
    assert f"The saved format {folder.format} {said}" in str(caught.value)
    assert caught.value.parameter == "profile_file"
    assert caught.value.remedy


def test_a_format_with_an_unknown_zone_names_those_that_are_close(folder: Folder) -> None:
    folder.save()
    folder.format.write_text(folder.format.read_text("utf-8").replace("Europe/Berlin", "Europe/Berlim"), "utf-8")
    with pytest.raises(ParameterError, match=r"wache\.json has a zone that is none.*Europe/Berlin"):
        folder.read()
