"""The crime index and the score model that were chosen or made last: what the next question is asked with."""

from __future__ import annotations

from pathlib import Path

from qgis.core import QgsSettings

from ..riskengine.contract.tools.kinds import find_ending
from ..riskengine.contract.tools.shared import CRIME_INDEX, SCORE_MODEL
from .news import NEWS
from .outputs import is_temporary

INDEX, MODEL = find_ending(CRIME_INDEX), find_ending(SCORE_MODEL)
#: Where each is kept, by its files' ending.
_KEYS = {INDEX: "crime_risk/score_dock/index", MODEL: "crime_risk/score_dock/model"}
#: Those of this session, temporary ones among them, by ending.
_session: dict[str, str] = {}


def find_last(ending: str) -> str:
    """Find the last file of a kind that is still there; empty if there is none, or if none was wanted last."""
    last = [_session.get(ending), QgsSettings().value(_KEYS[ending], "", type=str)]
    return next((path for path in last if path == "" or (path is not None and Path(path).is_file())), "")


def remember(ending: str, path: str) -> None:
    """Remember what was chosen, also that none was; a temporary file until QGIS is closed."""
    _session[ending] = path
    if not is_temporary(path):
        QgsSettings().setValue(_KEYS[ending], path)


def announce(path: str) -> None:
    """Remember a file that a tool has made, and tell the windows; of other kinds nothing is said."""
    ending = Path(path).suffix[1:].lower()
    if ending in _KEYS:
        remember(ending, path)
        NEWS.file_made.emit(path)
