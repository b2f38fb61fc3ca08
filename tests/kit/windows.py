"""The plugin's modules, Qt's events, and addresses of a local server, for tests with windows."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kit import waiting
from kit.geocoder_server import GeocoderServer, geocoder_server
from qgis.core import QgsSettings
from qgis.PyQt.QtCore import QCoreApplication

ROOT = Path(__file__).resolve().parents[2]


def wait_for(condition: Callable[[], Any], seconds: float = 30) -> None:
    """Wait until something holds, and let Qt work meanwhile."""
    waiting.wait_for(condition, seconds, QCoreApplication.processEvents)


def add_package(factory: pytest.TempPathFactory) -> None:
    """Make the checkout importable the way QGIS does, as the package ``crime_risk``; its folder may have any name."""
    if importlib.util.find_spec("crime_risk") is None:
        folder = factory.mktemp("plugins")
        (folder / "crime_risk").symlink_to(ROOT)
        sys.path.insert(0, str(folder))


def import_modules(factory: pytest.TempPathFactory, *names: str, **renamed: str) -> SimpleNamespace:
    """Modules of the plugin, each under the last part of its name or under the name it is given here."""
    add_package(factory)
    wanted = {name.rpartition(".")[2]: name for name in names} | renamed
    return SimpleNamespace(**{key: importlib.import_module(f"crime_risk.{name}") for key, name in wanted.items()})


def forget_choices(last_files: Any) -> None:
    """Let the dock begin as a new user's; `last_files` is the module ``bridge.last_files``."""
    QgsSettings().remove("crime_risk/score_dock")
    last_files._session.clear()


@contextmanager
def chosen_server(choice: Any, geocoding: Any) -> Iterator[GeocoderServer]:
    """Run a server of one's own, which may be asked while typing, as the service for addresses.

    `choice` and `geocoding` are the modules `bridge.geocoder_choice` and `bridge.geocoding`; neither a choice nor
    an answer is left behind.
    """
    QgsSettings().remove("crime_risk/geocoder")
    geocoding.forget()
    with geocoder_server() as server:
        choice.save_service(choice.Service("nominatim", server.nominatim))
        yield server
    QgsSettings().remove("crime_risk/geocoder")
    geocoding.forget()
