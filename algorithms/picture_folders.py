"""A folder of pictures: brought to its place whole, in the stead of that of an earlier run."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from qgis.core import QgsProcessingException

from ..bridge import landing, leftovers
from ..bridge.crs import tr
from ..riskengine.contract.texts import list_names

#: What the engine writes into one, and what GDAL keeps beside a picture that was looked at.
_OURS = re.compile(r"windows\.csv|\d{4}-\d{2}-\d{2}_\d{4}\.png(\.aux\.xml)?")


def check(target: Path, name: str) -> None:
    """Refuse a folder that holds anything but pictures of an earlier run: it is replaced as a whole.

    Raises
    ------
    QgsProcessingException
    """
    foreign = [each.name for each in target.iterdir() if not _OURS.fullmatch(each.name)] if target.is_dir() else []
    if foreign:
        raise QgsProcessingException(
            tr("{name} is {folder}, which holds other files: {names}. Choose a new or empty folder.").format(
                name=name, folder=target, names=list_names(sorted(foreign))
            )
        )


def bring(made: Path, target: Path, name: str, is_cancelled: Callable[[], bool]) -> None:
    """Bring a folder of pictures to its place, or leave what is there as it was.

    Parameters
    ----------
    made : Path
        The folder that was written.
    target : Path
        Where it is to be.
    name : str
        Of the parameter, for a sentence.
    is_cancelled : callable
        Asked while pictures are copied from another disk.

    Raises
    ------
    QgsProcessingException
    """
    check(target, name)
    with landing.sentences(target, tr("Choose a folder that you may write to.")):
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = leftovers.make_folder(target.parent, leftovers.BESIDE)
        try:
            new, old = beside / "new", beside / "old"
            _move(made, new, is_cancelled)
            there = target.exists()
            if there:
                target.replace(old)
            try:
                new.replace(target)
            except OSError:
                if there:
                    old.replace(target)
                raise
        finally:
            shutil.rmtree(beside, ignore_errors=True)


def _move(made: Path, new: Path, is_cancelled: Callable[[], bool]) -> None:
    """Move a folder; to another disk file by file, so that it can be cancelled."""
    with contextlib.suppress(OSError):
        made.replace(new)
        return
    new.mkdir()
    for each in made.iterdir():
        if is_cancelled():
            raise QgsProcessingException(tr("Cancelled."))
        shutil.copyfile(each, new / each.name)
