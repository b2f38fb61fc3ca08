"""The dialog of *Import incidents*: what a file holds and how it will be read, before anything is imported."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kit.windows import import_modules, wait_for
from qgis.core import QgsApplication

#: Nothing tells X from Y or what the times are called, but two columns by hand.
ROWS = """ref;a;b;seen on;kind
1;2.301;48.801;2024-03-01 10:00;theft
2;2.302;48.802;2024-03-02 11:30;assault
3;;;2024-03-03 12:00;theft
4;2.304;48.804;2024-03-04 13:00;<b>arson</b>
"""


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory, qgis_processing: None) -> Iterator[SimpleNamespace]:
    found = import_modules(
        tmp_path_factory, "bridge.client", "bridge.news", dialog="ui.importing.dialog", provider="algorithms.provider"
    )
    provider = found.provider.CrimeRiskProvider()
    QgsApplication.processingRegistry().addProvider(provider)
    yield found
    found.client.shutdown()
    QgsApplication.processingRegistry().removeProvider(provider)


@pytest.fixture
def dialog(modules: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    # The window that pytest-qgis stands in with has no browser.
    monkeypatch.setattr("processing.gui.ParametersPanel.iface", None)
    algorithm = QgsApplication.processingRegistry().createAlgorithmById("crimerisk:importincidents")
    made = modules.dialog.ImportDialog(algorithm, lambda: None)
    made.show()
    yield made
    made.close()
    made.deleteLater()


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text(ROWS, "utf-8")
    return path


def choose(dialog: Any, **parameters: Any) -> None:
    """Give values, and wait until the whole file has been looked at."""
    panel = dialog.mainWidget()
    panel.setParameters(parameters)
    panel.look()
    wait_for(lambda: panel._task is None)


def texts(table: Any, row: int) -> list[str]:
    return [table.item(row, column).text() for column in range(table.columnCount())]


def test_rows_are_shown_and_columns_offered_even_where_none_can_be_told(dialog: Any, csv: Path) -> None:
    choose(dialog, INPUT=str(csv))
    panel = dialog.mainWidget()
    assert texts(panel.preview.rows, 1) == ["2", "2.302", "48.802", "2024-03-02 11:30", "assault"]
    assert "No profile fits this file" in panel.preview.message.text
    combo = panel.columns["X_FIELD"]
    assert [combo.itemText(number) for number in range(combo.count())] == ["", "ref", "a", "b", "seen on", "kind"]


def test_what_is_chosen_in_the_drop_downs_is_how_the_file_is_read(dialog: Any, csv: Path) -> None:
    choose(dialog, INPUT=str(csv))
    panel = dialog.mainWidget()
    for name, column in (("X_FIELD", "a"), ("Y_FIELD", "b"), ("TIME_FIELD", "seen on"), ("CATEGORY_FIELD", "kind")):
        combo = panel.columns[name]
        combo.setCurrentIndex(combo.findText(column))
    panel.look()
    wait_for(lambda: panel._task is None)
    assert "1 of 4 rows would be refused: 1 × no coordinates." in panel.preview.message.text
    assert texts(panel.preview.read, 1) == ["3", "Sat 2 Mar 2024, 11:30", "2.302", "48.802", "assault", ""]
    assert texts(panel.preview.read, 2)[-1] == "no coordinates"
    given = dialog.createProcessingParameters()
    assert [given[name] for name in ("X_FIELD", "Y_FIELD", "TIME_FIELD", "CATEGORY_FIELD")] == [
        "a",
        "b",
        "seen on",
        "kind",
    ]


def test_columns_of_a_list_are_quoted_where_they_hold_a_separator(dialog: Any, tmp_path: Path) -> None:
    path = tmp_path / "awkward.csv"
    head = '"no, of case",a,b,"from, date","from ""clock""","to; all"'
    path.write_text(f"{head}\n1,2.3,48.8,2024-03-01,10:00,2024-03-01 12:00\n", "utf-8")
    choose(dialog, INPUT=str(path), X_FIELD="a", Y_FIELD="b")
    panel = dialog.mainWidget()
    for name, text in (("END_FIELD", '"to; all"'), ("ID_FIELD", "no, of case"), ("TIME_FIELD", '"from ""clock"""')):
        combo = panel.columns[name]
        assert combo.findText(text) > 0, name
        combo.setCurrentIndex(combo.findText(text))
    panel.columns["TIME_FIELD"].setEditText('"from, date", "from ""clock"""')
    panel.look()
    wait_for(lambda: panel._task is None)
    assert "The only row would not be refused." in panel.preview.message.text
    assert texts(panel.preview.read, 0)[1] == "Fri 1 Mar 2024, 10:00"
    found = [panel.columns[name].lineEdit().placeholderText() for name in ("TIME_FIELD", "END_FIELD", "ID_FIELD")]
    assert found == ['found: "from, date", "from ""clock"""', 'found: "to; all"', "found: no, of case"]


def test_a_name_that_is_not_there_is_said_before_the_run(dialog: Any, csv: Path) -> None:
    choose(dialog, INPUT=str(csv), PROFILE="columns", X_FIELD="a", Y_FIELD="bb", TIME_FIELD="seen on")
    assert "no column 'bb'" in dialog.mainWidget().preview.message.text


def test_a_file_that_is_not_there_is_said(dialog: Any, tmp_path: Path) -> None:
    choose(dialog, INPUT=str(tmp_path / "gone.csv"))
    assert "gone.csv" in dialog.mainWidget().preview.message.text
    assert not dialog.mainWidget().preview.tabs.isVisible()


def test_a_known_format_says_what_it_takes(dialog: Any, tmp_path: Path) -> None:
    path = tmp_path / "known.csv"
    path.write_text("longitude,latitude,datetime\n2.3,48.8,2024-03-01 10:00\n2.31,48.81,2024-03-02 10:00\n", "utf-8")
    choose(dialog, INPUT=str(path))
    panel = dialog.mainWidget()
    assert "None of 2 rows would be refused." in panel.preview.message.text
    assert panel.columns["TIME_FIELD"].lineEdit().placeholderText() == "found: datetime"
    # What is only shown is not given: the run finds it by itself.
    assert not dialog.createProcessingParameters()["TIME_FIELD"]


def test_closing_the_dialog_ends_the_look(dialog: Any, csv: Path) -> None:
    panel = dialog.mainWidget()
    panel.setParameters({"INPUT": str(csv)})
    panel.look()
    dialog.close()
    assert panel._task is None


def test_what_needs_an_engine_is_looked_at_as_soon_as_there_is_one(
    modules: SimpleNamespace, dialog: Any, csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def call(*_: Any, **__: Any) -> Any:
        raise modules.client.EngineMissing("The engine is not installed")

    with monkeypatch.context() as without:
        without.setattr(modules.client, "call", call)
        choose(dialog, INPUT=str(csv), X_FIELD="a", Y_FIELD="b", TIME_FIELD="seen on")
        message = dialog.mainWidget().preview.message
        assert (message.text, message.set_up_button.isVisible()) == ("The engine is not installed", True)
    modules.news.NEWS.engine_changed.emit()
    wait_for(lambda: dialog.mainWidget()._task is None)
    assert "would be refused" in message.text
    assert not message.set_up_button.isVisible()
    assert texts(dialog.mainWidget().preview.read, 1)[1] == "Sat 2 Mar 2024, 11:30"
