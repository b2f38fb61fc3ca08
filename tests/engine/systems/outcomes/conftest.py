"""Tables of incidents written by the tests, read as the tools read them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kit.contexts import Recorder

from riskengine.contract.tools.outcomemodel import TrainOutcomeModel
from riskengine.jobs.models import model_of
from riskengine.systems.outcomes.reading import ReadRows, read_rows

ReadTable = Callable[..., tuple[ReadRows, Recorder]]


@pytest.fixture
def read_table(tmp_path: Path) -> ReadTable:
    """Read the text of a CSV, or a file, with parameters of *Train outcome model*."""

    def read(table: str | Path, required: bool = True, **given: Any) -> tuple[ReadRows, Recorder]:
        if isinstance(table, str):
            path = tmp_path / "incidents.csv"
            path.write_text(table, encoding="utf-8")
        else:
            path = table
        asked = {"incidents": str(path), "model_output": str(tmp_path / "made.crimeoutcome"), **given}
        context = Recorder()
        return read_rows(model_of(TrainOutcomeModel)(**asked), context, required), context  # type: ignore[arg-type]

    return read
