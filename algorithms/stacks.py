"""One stack a category: brought to the folder asked for, all of them or none."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from qgis.core import QgsProcessingException, QgsRasterLayer

from ..bridge import outputs
from ..bridge.crs import tr
from ..riskengine.contract import tags

#: What GDAL keeps beside a raster; statistics of the stack that was there before are none of the new one's.
_BESIDE = ".aux.xml"


def bring(made: Path, target: Path, names: list[str], output: str) -> list[str]:
    """Move stacks to a folder; those of an earlier run are replaced, whatever else has their names is kept.

    Parameters
    ----------
    made : Path
        Folder in which they were written.
    names : list of str
        Of their files.
    output : str
        File of all categories together, which may lie in the same folder.

    Returns
    -------
    list of str
        Names of those that replaced one.

    Raises
    ------
    QgsProcessingException
        Before anything is moved, if a file is there that is no stack of hotspot grids, or the output itself; with the
        folder as it was, if it cannot be written.
    """
    there = [name for name in names if (target / name).exists()]
    _check(target, there, output)
    news = {name: target / f".{name}.new" for name in names}
    olds = {name: target / f".{name}.old" for name in there}
    swapped: list[str] = []
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name, new in news.items():
            shutil.move(made / name, new)
        for name, new in news.items():
            if name in olds:
                (target / name).replace(olds[name])
            swapped.append(name)
            new.replace(target / name)
    except OSError as error:
        with contextlib.suppress(OSError):
            for name in swapped:
                (target / name).unlink(missing_ok=True)
                if name in olds:
                    olds[name].replace(target / name)
            for new in news.values():
                new.unlink(missing_ok=True)
        raise QgsProcessingException(
            tr("STACKS: {folder} cannot be written ({why}). Choose another folder.").format(
                folder=target, why=error.strerror or error
            )
        ) from error
    for name, old in olds.items():
        # What another program holds open stays behind under its other name: the stacks themselves are there.
        with contextlib.suppress(OSError):
            old.unlink()
            (target / f"{name}{_BESIDE}").unlink(missing_ok=True)
    return there


def _check(target: Path, there: list[str], output: str) -> None:
    own = [name for name in there if outputs.is_same_file(target / name, Path(output))]
    if own:
        raise QgsProcessingException(
            tr(
                "OUTPUT is {path}, which is also the file of a category in STACKS, {folder}. Choose another file for "
                "one of them."
            ).format(path=output, folder=target)
        )
    foreign = [name for name in there if not _is_stack(target / name)]
    if foreign:
        raise QgsProcessingException(
            tr(
                "STACKS is {folder}, where {names} would be overwritten, which Rasterize hotspot grids did not write. "
                "Choose another folder."
            ).format(folder=target, names=", ".join(foreign))
        )


def _is_stack(path: Path) -> bool:
    layer = QgsRasterLayer(str(path), path.name)
    return layer.isValid() and f"{tags.KIND}={tags.HEATMAPS_KIND}" in layer.dataProvider().htmlMetadata()
