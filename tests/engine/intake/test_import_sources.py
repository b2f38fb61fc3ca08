"""What an input may be: a file of any kind, a folder, an archive, or several of them, read as one table."""

from __future__ import annotations

import datetime
import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kit.contexts import Recorder
from kit.tables import read_table
from kit.workbooks import make_ods, make_xls, make_xlsx

from riskengine.ground.errors import CrimeRiskError, DataError, ParameterError
from riskengine.intake import sources
from riskengine.jobs import run_job

HEAD = "lon,lat,when,kind"
ROWS = ["-99.15,19.44,2019-02-01 23:00,Daño", "-99.16,19.45,2019-02-02 01:30,Robo"]
TEXT = "\n".join([HEAD, *ROWS]) + "\n"
CELLS = [
    ["lon", "lat", "when", "kind"],
    [-99.15, 19.44, datetime.datetime(2019, 2, 1, 23, 0), "Daño"],
    [-99.16, 19.45, datetime.datetime(2019, 2, 2, 1, 30), "Robo"],
]
STREET = "Crime ID,Month,Longitude,Latitude,Location,LSOA code,Crime type"
OUTCOME = "Crime ID,Month,Longitude,Latitude,Location,LSOA code,Outcome type"


class Import:
    """One import, with everything it wrote and said."""

    def __init__(self, path: Path, **parameters: Any) -> None:
        folder = path.parent / "made"
        folder.mkdir(exist_ok=True)
        context = Recorder()
        refused = folder / "refused.gpkg"
        given = {"path": str(path), "folder": str(folder), "refused": str(refused), **parameters}
        self.result = run_job("import_csv", given, context)
        self.said = "\n".join(context.messages)
        self.warnings = "\n".join(context.warnings)
        self.columns = read_table(self.result["output"])
        self.times = [str(time)[:16].replace(" ", "T") for time in self.columns["occurred"]]
        self.refused = read_table(refused)


@pytest.fixture
def refuse(tmp_path: Path) -> Callable[..., str]:
    """Write a file and read the sentence with which its import is refused."""

    def refuse(data: bytes, name: str) -> str:
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(CrimeRiskError) as caught:
            Import(path)
        assert caught.value.remedy
        return str(caught.value)

    return refuse


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(text, encoding="utf-8")
    return path


def pack(files: dict[str, str | bytes]) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return raw.getvalue()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", TEXT.encode()),
        ("a.tsv", TEXT.replace(",", "\t").encode()),
        ("a.txt", TEXT.replace(",", ";").encode("cp1252")),
        ("a.csv.gz", gzip.compress(TEXT.encode())),
        ("a.gz", gzip.compress(make_xlsx({"S": CELLS}))),
        ("a.zip", pack({"deep/er/a.csv": TEXT, "__MACOSX/a.csv": "x", ".hidden.csv": "y", "readme.md": "z"})),
        ("b.zip", pack({"a.csv.gz": gzip.compress(TEXT.encode("utf-16"))})),
        ("c.zip", pack({"a.xlsx": make_xlsx({"S": CELLS})})),
        ("a.xlsx", make_xlsx({"S": CELLS})),
        ("a.ods", make_ods({"S": CELLS})),
        ("a.xls", make_xls({"S": CELLS})),
    ],
)
@pytest.mark.parametrize("ending", [True, False])
def test_every_format_with_and_without_its_ending(tmp_path: Path, name: str, data: bytes, ending: bool) -> None:
    path = tmp_path / (name if ending else "download")
    path.write_bytes(data)
    done = Import(path)
    assert done.times == ["2019-02-01T23:00", "2019-02-02T01:30"]
    assert done.columns["kind" if "kind" in done.columns else "category"] == ["Daño", "Robo"]
    assert done.columns["place"] == [(-99.15, 19.44), (-99.16, 19.45)]
    assert not done.refused["line"]


@pytest.mark.parametrize("make", [make_xlsx, make_ods, make_xls])
def test_a_workbook(tmp_path: Path, make: Any) -> None:
    rows = [
        ["Burglary, all districts"],
        [],
        ["lon", "lat", "day", "clock", "code"],
        [-99.15, 19.44, datetime.datetime(2024, 3, 10), datetime.time(23, 15), 7.0],
        [None, None, datetime.datetime(2024, 3, 11), datetime.time(0, 35), 12.5],
        [-99.16, 19.45, datetime.datetime(2024, 3, 12), datetime.time(12, 0), 3.0],
    ]
    path = tmp_path / "a"
    path.write_bytes(make({"Cover": [], "Cases": rows, "Other": CELLS}))
    done = Import(path)
    assert done.times == ["2024-03-10T23:15", "2024-03-12T12:00"]
    assert done.columns["code"] == [7, 3]
    assert list(zip(done.refused["line"], done.refused["row"], strict=True)) == [(5, ",,2024-03-11,00:35:00,12.5")]
    assert "the sheet Cases was read; it has also Other" in done.said
    assert Import(path, files=["other"]).times == ["2019-02-01T23:00", "2019-02-02T01:30"]


def test_day_numbers_of_a_workbook_stay_numbers(tmp_path: Path) -> None:
    rows = [["lon", "lat", "date", "n"], *([-99.15, 19.44, 45361.5 + n, 10.0**6 * n] for n in range(6))]
    (tmp_path / "a.xlsx").write_bytes(make_xlsx({"S": rows}))
    done = Import(tmp_path / "a.xlsx")
    assert done.times[0] == "2024-03-10T12:00"
    assert done.columns["n"] == [10**6 * n for n in range(6)]


def make_year() -> bytes:
    """Two months of data.police.uk, as it packs them."""
    files: dict[str, str | bytes] = {}
    for month in ("2021-01", "2021-02"):
        for kind, head in (("street", STREET), ("outcomes", OUTCOME)):
            row = f"{kind}{month},{month},-0.1,51.5,On or near X,E01,Burglary\n"
            files[f"{month}/{month}-metropolitan-{kind}.csv"] = f"{head}\n{row}"
        files[f"{month}/{month}-metropolitan-stop-and-search.csv"] = "Type,Date,Latitude,Longitude\na,b,c,d\n"
    return pack(files)


def test_a_year_of_police_uk(tmp_path: Path) -> None:
    path = tmp_path / "year.zip"
    path.write_bytes(make_year())
    done = Import(path)
    assert done.columns["Crime ID"] == ["street2021-01", "street2021-02"]
    assert done.times == ["2021-01-01T00:00", "2021-02-01T00:00"]
    assert "2 files are read: 2021-01-metropolitan-street.csv, 2021-02-metropolitan-street.csv" in done.said
    assert "4 other files are not read: 2 x *-outcomes.csv, 2 x *-search.csv. Files to read (FILES)" in done.warnings
    asked = Import(path, files=["*-OUTCOMES.csv"])
    assert asked.columns["Crime ID"] == ["outcomes2021-01", "outcomes2021-02"]
    assert Import(path, files=["2021-02/*-street.csv"]).result["rows"] == 1
    with pytest.raises(ParameterError, match=r"No file fits \*-strete.csv; there are year.zip/2021-01/2021-01-metro"):
        Import(path, files=["*-strete.csv"])


def test_of_a_folder_the_files_that_are_alike(tmp_path: Path) -> None:
    folder = tmp_path / "data.tar"
    for number in range(3):
        write(folder / "sub" / f"{number}.csv", TEXT.replace("2019", f"201{number}"))
    write(folder / "A-codes.csv", "code,meaning\n1,Robo\n")
    write(folder / "empty.csv", "")
    write(folder / "notes.docx", "x")
    done = Import(folder)
    assert [time[:4] for time in done.times] == ["2010", "2010", "2011", "2011", "2012", "2012"]
    assert "2 other files are not read: empty.csv, *-codes.csv" in done.warnings
    assert "Not tables of rows, or not asked for: notes.docx." in done.said


def test_columns_are_matched_by_name(tmp_path: Path) -> None:
    first = write(tmp_path / "1.csv", TEXT)
    second = write(tmp_path / "2.csv", "kind;extra;when;lat;lon\nFraude;x;2019-03-01 10:00;19.4;-99.1\na;b;c;d\n")
    third = write(tmp_path / "3.csv", "when,lat,lon\n2019-04-01 10:00,19.4,-99.1\n2019-04-01 10:00,19.4,-99.1,9\n")
    done = Import(first, more=[str(second), str(third)], category="kind")
    assert done.columns["category"] == ["Daño", "Robo", "Fraude", None]
    assert done.columns["extra"] == [None, None, "x", None]
    assert done.times[2:] == ["2019-03-01T10:00", "2019-04-01T10:00"]
    assert list(zip(*(done.refused[name] for name in ("file", "line", "reason", "row")), strict=True)) == [
        ("2.csv", 3, "wrong number of fields: '4 instead of 5'", "a,b,c,d"),
        ("3.csv", 3, "wrong number of fields: '4 instead of 3'", "2019-04-01 10:00,19.4,-99.1,9"),
    ]
    assert "3.csv has no column kind, extra" in done.said


def test_rows_of_an_earlier_file_are_left_out_and_those_of_one_file_kept(tmp_path: Path) -> None:
    first = write(tmp_path / "1.csv", "\n".join([HEAD, *ROWS, ROWS[0]]))
    second = write(tmp_path / "2.csv", "\n".join([HEAD, ROWS[0], ROWS[0], ROWS[1].replace("Robo", "Fraude")]))
    done = Import(first, more=[str(second)])
    assert done.result["imported"] == 4
    assert list(zip(done.refused["file"], done.refused["line"], done.refused["reason"], strict=True)) == [
        ("2.csv", line, "the same row as in an earlier file: '1.csv'") for line in (2, 3)
    ]
    assert "2 rows of 2.csv are in 1.csv too" in done.said
    # The same file named twice is read once.
    assert Import(first, more=[str(first)]).result["rows"] == 3


def lock(data: bytes) -> bytes:
    """Mark the members of an archive as encrypted."""
    made = bytearray(data)
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        made[made.index(mark) + place] |= 1
    return bytes(made)


def make_tar() -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.csv"), io.BytesIO())
    return raw.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.zip", lock(pack({"a.csv": TEXT})), "a.zip/a.csv is locked with a password"),
        ("a.zip", pack({"a.csv": TEXT * 99})[:200], "a.zip is broken or was not downloaded to its end"),
        ("a.zip", pack({}), "The archive a.zip holds no table of rows: it is empty"),
        (
            "a.zip",
            pack({"a.pdf": "x", "b.zip": pack({})}),
            "it holds a.zip/a.pdf, a.zip/b.zip. Unpack the archive in it",
        ),
        ("a.zip", pack({"x/a.shp": b"", "x/a.dbf": b""}), "holds a layer already (shapefile). Drag it into QGIS"),
        ("a.gz", gzip.compress(TEXT.encode())[:-12], "a.gz is broken"),
        ("a.tar.gz", gzip.compress(make_tar()), "is a tar archive, which is not read. Unpack it"),
        ("a.rar", b"Rar!\x1a\x07", "kind RAR, which is not read. Unpack it"),
        ("a.json", b' {"type": "FeatureCollection", "features": []}', "layer already (GeoJSON). Drag it into QGIS"),
        ("a", b"SQLite format 3\0", "is a layer already (GeoPackage)"),
        ("a.shp", b"\x00\x00\x27\x0a", "is a layer already (shapefile)"),
        ("a.kml", b"<?xml version='1.0'?><kml>", "is a layer already (KML)"),
        ("a.xls", b"<html><table><tr><td>lon</td></tr></table>", "is a web page, whatever its ending"),
        ("a.xls", b"\xd0\xcf\x11\xe0" + bytes(2000), "cannot be read as a spreadsheet"),
        ("a.xlsx", make_xlsx({"S": []}), "has no sheet with rows"),
        ("a.csv", bytes(range(256)) * 50, "is neither a text nor a spreadsheet"),
    ],
)
def test_what_cannot_be_read_is_said_with_a_remedy(refuse: Any, name: str, data: bytes, message: str) -> None:
    assert message in refuse(data, name)


def test_a_broken_member_is_named(refuse: Any) -> None:
    data = bytearray(pack({"a.csv": TEXT, "b.csv": TEXT.replace("a", "b") * 500}))
    data[-200] ^= 255
    said = refuse(bytes(data), "a.zip")
    assert said.startswith("a.zip/b.csv is broken")


@pytest.mark.parametrize("name", ["a.zip", "a.gz", "a.xlsx"])
def test_an_archive_that_would_fill_the_disk(name: str, refuse: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_BOMB_BYTES", 100_000)
    text = TEXT * 20_000
    files = {"xl/workbook.xml": text} if name == "a.xlsx" else {"a.csv": text}
    said = refuse(gzip.compress(text.encode()) if name == "a.gz" else pack(files), name)
    assert "times what it takes packed" in said
    assert "unpack it yourself" in said


def test_a_folder_without_tables_and_a_file_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "empty.zip").mkdir()
    with pytest.raises(DataError, match=r"The folder empty\.zip holds no table of rows: it is empty"):
        Import(tmp_path / "empty.zip")
    with pytest.raises(ParameterError, match="There is no file"):
        Import(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("head", "rows", "names", "said"),
    [
        ("lon,lat,when,kind,", ["{},x", "{},y"], {"field_5": ["x", "y"]}, "without a name are called field_5"),
        ("lon,lat,when,kind,,", ["{},,", "{}"], {}, ""),
        ("lon,lat,when,kind,note,note", ["{},x,1", "{},y,2"], {"note": ["x", "y"], "note_2": [1, 2]}, "note_2"),
        ("lon,lat,when,kind,,note", ["{},x,1", "{},y,2"], {"field_5": ["x", "y"], "note": [1, 2]}, "field_5"),
        ("lon,lat,when,kind,n,n_2,n", ["{},1,2,3", "{},4,5,6"], {"n_2": [2, 5], "n_3": [3, 6]}, "n_3"),
    ],
)
def test_headers_with_empty_and_doubled_names(
    tmp_path: Path, head: str, rows: list[str], names: dict[str, list[Any]], said: str
) -> None:
    text = "\n".join([head, *(row.format(ROWS[number]) for number, row in enumerate(rows))])
    done = Import(write(tmp_path / "a.csv", text))
    assert len(done.times) == 2
    assert {name: done.columns[name] for name in names} == names
    assert set(done.columns) <= {"fid", "place", "occurred", "category", "kind", "n", *names}
    assert done.said.count("without a name") + done.said.count("occur twice") == (1 if said else 0)
    assert said in done.said


def test_rows_of_an_incident_are_merged_by_its_number(tmp_path: Path) -> None:
    rows = [f"{ROWS[0]},7", f"{ROWS[1]},8", f"{ROWS[1]},7", ",,2019-02-01 23:00,x,8", f"{ROWS[0]},", f"{ROWS[0]},"]
    path = write(tmp_path / "a.csv", "\n".join([f"{HEAD},case", *rows]))
    done = Import(path, id_field="case", category="kind")
    assert done.columns["rows"] == [2, 1, 1, 1]
    assert done.columns["category"] == ["Daño", "Robo", "Daño", "Daño"]
    assert (done.result["merged"], done.result["refused"], done.refused["line"]) == (1, 1, [5])
    with pytest.raises(ParameterError, match="no column 'cases' for id_field"):
        Import(path, id_field="cases")
