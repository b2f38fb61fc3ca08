"""`benchmarks/intake.py` runs every case that there is, and its right values are those that pandas finds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import intake_cases

    return intake_cases


def test_the_cases_are_those_of_the_list(benchmark: Any, data_folder: Path) -> None:
    page = data_folder.parent / "cases" / "README.md"
    if not page.is_file():
        pytest.skip("the cases are not among the data")
    names: list[str] = []
    # Below the two lines that say what the columns are.
    for line in page.read_text(encoding="utf-8").splitlines()[2:]:
        first, bar, _ = line.partition("|")
        if bar:
            names.append(names[-1] if first.strip() == "same" else first.strip())
    assert [case.file for case in benchmark.CASES] == names


def test_the_values_written_down_are_what_pandas_finds(benchmark: Any, data_folder: Path) -> None:
    import intake_files

    names = ("chicago/crimes_2015_10k.csv", "portland/burglary_2012_2017.csv")
    if not all((data_folder / name).is_file() for name in names):
        pytest.skip("the files are not among the data")
    assert [intake_files.work_out(data_folder, name) for name in names] == [
        intake_files.Values(*intake_files.FILES[name]) for name in names
    ]
