"""Crime Risk ▸ Set up engine… in a window: what it says, and that the task outlives it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kit.windows import import_modules, wait_for
from qgis.PyQt.QtCore import QCoreApplication, Qt
from qgis.PyQt.QtGui import QGuiApplication
from qgis.PyQt.QtWidgets import QDialog

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory, qgis_app: Any) -> SimpleNamespace:
    """The plugin's modules, imported the way QGIS does: as a package of any name."""
    return import_modules(
        tmp_path_factory,
        "bridge.environment",
        dialog="ui.engine_dialog",
        task="bridge.engine_task",
        state="bridge.engine_state",
    )


class Installer:
    """Stands in for the installation: reports, then waits until it may end."""

    def __init__(self) -> None:
        self.may_end = threading.Event()
        self.problem = ""
        self.thread = ""
        self.wanted: tuple[Any, ...] = ()

    def __call__(self, on_progress: Any, on_log: Any, is_cancelled: Any, *wanted: Any, repair: bool) -> Any:
        from crime_risk.bridge import environment

        self.thread = threading.current_thread().name
        self.wanted = (*wanted, repair)
        on_log("Collecting torch")
        on_progress(0.4, "Downloading torch (191.8 MB)")
        while not self.may_end.wait(0.02):
            if is_cancelled():
                raise environment.SetupCancelled
        if self.problem:
            raise environment.EngineSetupError(self.problem)
        on_progress(1.0, "The engine is ready")
        return environment.EngineStatus(folder="", ready=True, state="ready")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "motor ñ"
    monkeypatch.setenv("CRIMERISK_ENGINE", str(path))
    return path


@pytest.fixture
def installer(plugin: SimpleNamespace, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installer]:
    fake = Installer()
    monkeypatch.setattr(plugin.environment, "install", fake)
    monkeypatch.setattr(plugin.task, "_task", None)
    yield fake
    fake.may_end.set()
    task = plugin.task.find_task()
    wait_for(lambda: task is None or not task.running)


@pytest.fixture
def dialog(plugin: SimpleNamespace, installer: Installer) -> Iterator[QDialog]:
    window = plugin.dialog.EngineDialog()
    window.show()
    yield window
    window.close()


def downloading(window: Any) -> bool:
    return "Downloading torch" in window.step_label.text()


def test_it_says_what_is_there(plugin: SimpleNamespace, dialog: Any, folder: Path) -> None:
    assert "not installed" in dialog.state_label.text()
    assert dialog.install_button.text() == "Install"
    assert not dialog.remove_button.isEnabled()
    assert not dialog.cancel_button.isVisible()
    assert dialog.folder_field.text() == str(folder)
    python = plugin.environment.python_of_engine()
    python.parent.mkdir(parents=True)
    python.touch()
    state = {"format": 1, "stage": "ready", "requirements": "older", "packages": {"torch": "2.13.0+cpu"}}
    plugin.state.write_state(folder, state)
    dialog.close()
    dialog.show()
    assert dialog.install_button.text() == "Update"
    plugin.state.write_state(folder, {**state, "requirements": plugin.state.compute_fingerprint()})
    dialog.close()
    dialog.show()
    assert dialog.install_button.text() == "Repair"
    assert "PyTorch 2.13.0 (CPU)" in dialog.state_label.text()
    assert "the exact index serves" in dialog.state_label.text()
    assert dialog.remove_button.isEnabled()


def test_the_task_outlives_the_dialog(plugin: SimpleNamespace, dialog: Any, installer: Installer) -> None:
    dialog.python_widget.setFilePath("/some/python3")
    dialog.install_button.click()
    wait_for(lambda: downloading(dialog))
    assert installer.thread != threading.main_thread().name
    assert installer.wanted == ("/some/python3", "cpu", False, False)
    assert dialog.progress_bar.value() == 400
    assert not dialog.install_button.isEnabled()
    assert not dialog.torch_box.isEnabled()
    assert "go on working" in dialog.state_label.text()
    # What pip or a folder's name says is no HTML.
    assert {label.textFormat() for label in (dialog.state_label, dialog.step_label)} == {Qt.TextFormat.PlainText}
    dialog.close()
    second = plugin.dialog.EngineDialog()
    second.show()
    assert second.log_view.toPlainText() == "Collecting torch"
    assert downloading(second)
    with pytest.raises(plugin.environment.EngineSetupError, match="already"):
        plugin.task.start(plugin.task.EngineTask("remove"))
    installer.may_end.set()
    wait_for(second.install_button.isEnabled)
    assert second.step_label.text() == "The engine is ready."
    assert not second.cancel_button.isVisible()
    second.close()


def test_cancel(dialog: Any, installer: Installer) -> None:
    dialog.install_button.click()
    wait_for(lambda: downloading(dialog))
    dialog.cancel_button.click()
    wait_for(dialog.install_button.isEnabled)
    assert dialog.step_label.text().startswith("Cancelled. What was installed so far is kept")
    assert dialog.cancel_button.isEnabled()


def test_a_failure_is_a_sentence_and_the_log_can_be_copied(dialog: Any, installer: Installer) -> None:
    installer.problem = "The disk is full. Free some space."
    installer.may_end.set()
    dialog.install_button.click()
    wait_for(dialog.install_button.isEnabled)
    assert dialog.step_label.text() == installer.problem

    log = "Collecting torch\nThe disk is full. Free some space."
    assert dialog.log_view.toPlainText() == log

    def copied() -> bool:
        # A click that nobody's mouse made carries no time, and the X server refuses the clipboard to who asks with an
        # older time than its last owner: a change of the window's title brings a fresh one.
        dialog.setWindowTitle(f"Set up engine {time.monotonic()}")
        QCoreApplication.processEvents()
        dialog.copy_button.click()
        return bool(QGuiApplication.clipboard().ownsClipboard() and QGuiApplication.clipboard().text() == log)

    wait_for(copied)
    # Who owns the clipboard is asked for it: the QGIS windows of other tests would wait for this process in vain.
    QGuiApplication.clipboard().clear()


def test_what_the_task_says_while_the_dialog_turns_to_it_is_shown(
    plugin: SimpleNamespace, dialog: Any, installer: Installer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The task is another thread: a quick failure is over before the dialog listens, and its lines were lost."""
    started: list[Any] = []
    start = plugin.task.start
    monkeypatch.setattr(plugin.task, "start", lambda task: started.append(start(task)))

    def held_up(method: Callable[..., None]) -> Callable[..., None]:
        def write(*text: str) -> None:
            installer.may_end.set()
            end = time.monotonic() + 30
            while started and len(started[0].lines) < 2 and time.monotonic() < end:
                time.sleep(0.01)
            method(*text)

        return write

    for name in ("clear", "setPlainText", "appendPlainText"):
        monkeypatch.setattr(dialog.log_view, name, held_up(getattr(dialog.log_view, name)))
    installer.problem = "The disk is full. Free some space."
    dialog.install_button.click()
    wait_for(dialog.install_button.isEnabled)
    assert dialog.log_view.toPlainText() == "Collecting torch\nThe disk is full. Free some space."


def test_the_real_installation_explains_an_unfit_python(
    plugin: SimpleNamespace, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugin.task, "_task", None)
    old = tmp_path / "python3.8"
    old.write_text(f'#!/bin/sh\ncat <<\'END\'\n[[3, 8, 0], "{old}", ""]\nEND\n')
    old.chmod(0o755)
    window = plugin.dialog.EngineDialog()
    window.show()
    window.python_widget.setFilePath(str(old))
    window.install_button.click()
    wait_for(window.install_button.isEnabled)
    assert "is Python 3.8.0, which is too old" in window.step_label.text()
    window.start("remove")
    wait_for(window.install_button.isEnabled)
    assert window.step_label.text() == "The engine was removed."
    assert not folder.exists()
    window.close()
