"""Formats of incidents that the user saved: those without a folder live in the QGIS profile."""

from __future__ import annotations

from pathlib import Path

from qgis.core import QgsProcessingException

from .crs import tr
from .engine_state import ROOT, find_own_folder

_ENDING = ".json"


def choose_formats_folder() -> Path:
    """Choose the folder of the formats that are named without one, whether or not it exists."""
    return (find_own_folder() or ROOT / ".formats") / "formats"


def is_bare(name: str) -> bool:
    """Whether a format is named without a folder."""
    return bool(name) and not any(mark in name for mark in "/\\") and name not in (".", "..")


def find_format(name: str) -> Path:
    """Find the format of a bare name, with or without its ending.

    Raises
    ------
    QgsProcessingException
        With the names that there are.
    """
    folder = choose_formats_folder()
    for path in (folder / name, folder / f"{name}{_ENDING}"):
        if path.is_file():
            return path
    known = ", ".join(sorted(path.stem for path in folder.glob(f"*{_ENDING}"))) or tr("none yet")
    raise QgsProcessingException(
        tr(
            "PROFILE_FILE: there is no saved format {name} in {folder}; saved are: {known}. Choose one of them, or a "
            "file with its folder."
        ).format(name=name, folder=folder, known=known)
    )


def choose_destination(name: str) -> Path:
    """Choose where the format of a bare name is saved; its folder is made.

    Raises
    ------
    QgsProcessingException
        If that cannot be.
    """
    folder = choose_formats_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise QgsProcessingException(
            tr("SAVE_PROFILE: the folder {folder} cannot be made ({why}). Name a file with its folder.").format(
                folder=folder, why=error.strerror or error
            )
        ) from error
    return folder / (name if name.lower().endswith(_ENDING) else f"{name}{_ENDING}")
