"""The index built last and the model trained last are remembered, whoever made them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kit.algorithms import run_in_background
from kit.windows import forget_choices, wait_for
from qgis.core import QgsProcessingUtils
from qgis.PyQt.QtCore import QObject, QThread


@pytest.fixture
def last(plugin: Any) -> Iterator[Any]:
    """The module, of a user who has chosen nothing yet."""
    from crime_risk.bridge import last_files

    forget_choices(last_files)
    yield last_files
    forget_choices(last_files)


class Listener(QObject):
    """Hears what a window hears."""

    def __init__(self, news: Any) -> None:
        super().__init__()
        self.heard: list[tuple[str, bool]] = []
        news.file_made.connect(self.hear)

    def hear(self, path: str) -> None:
        self.heard.append((path, QThread.currentThread() is self.thread()))


def test_what_the_toolbox_makes_in_the_background_is_noticed(
    last: Any, log_of: Any, town_layer: Any, tmp_path: Path
) -> None:
    from crime_risk.bridge.news import NEWS

    listener, path = Listener(NEWS), str(tmp_path / "new.crimeindex")
    asked = {"INPUT": town_layer, "TIME_FIELD": "occurred", "OUTPUT": path}
    assert run_in_background("buildcrimeindex", asked, log_of())[0]
    wait_for(lambda: listener.heard)
    # In the thread of windows, once.
    assert listener.heard == [(path, True)]
    assert (last.find_last(last.INDEX), last.find_last(last.MODEL)) == (path, "")
    # Where it is gone, none is offered.
    Path(path).unlink()
    assert last.find_last(last.INDEX) == ""


def test_a_model_that_was_trained_is_noticed(last: Any, run: Any, index_file: Path, tmp_path: Path) -> None:
    path = str(tmp_path / "town.crimescore")
    small = {"RECENT_WINDOW": 20, "EPOCHS": 1, "FOLDS": 3, "WIDTHS": "8", "COMPARE": False, "K": 3}
    run("trainscoremodel", INPUT=str(index_file), MODEL=path, WINDOW=100, **small)
    assert last.find_last(last.MODEL) == path


def test_a_temporary_file_is_offered_until_qgis_is_closed(last: Any, tmp_path: Path) -> None:
    kept, gone = tmp_path / "kept.crimeindex", Path(QgsProcessingUtils.tempFolder()) / "gone.crimeindex"
    for path in (kept, gone):
        path.touch()
        last.announce(str(path))
    assert last.find_last(last.INDEX) == str(gone)
    # As in another session.
    last._session.clear()
    assert last.find_last(last.INDEX) == str(kept)
    gone.unlink()


def test_that_no_model_was_wanted_is_remembered(last: Any, tmp_path: Path) -> None:
    (tmp_path / "a.crimescore").touch()
    last.announce(str(tmp_path / "a.crimescore"))
    last.remember(last.MODEL, "")
    assert last.find_last(last.MODEL) == ""
    last._session.clear()
    assert last.find_last(last.MODEL) == ""
