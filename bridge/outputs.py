"""Writing results as QGIS layers: whole, or not at all."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from qgis.core import (
    QgsDataSourceUri,
    QgsFeature,
    QgsFeatureSink,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingUtils,
    QgsProviderRegistry,
)

from .crs import tr

_BATCH = 5000


def check_destination(path: str, name: str) -> None:
    """Refuse a destination that cannot be written before any work is done.

    Raises
    ------
    QgsProcessingException
        Naming the output, the path and the remedy.
    """
    target = Path(path)
    if target.is_dir():
        problem = tr("is a folder")
    elif not target.parent.is_dir():
        problem = tr("lies in a folder that does not exist")
    elif not os.access(target.parent, os.W_OK):
        problem = tr("lies in a folder that is not writable")
    elif target.exists() and not os.access(target, os.W_OK):
        problem = tr("is not writable")
    else:
        return
    raise QgsProcessingException(
        tr("The destination of {name}, {path}, {problem}. Choose another file.").format(
            name=name, path=path, problem=problem
        )
    )


def file_of(destination: str) -> tuple[Path | None, str]:
    """Find file and layer name of a vector destination; (None, "") for a memory layer or a database."""
    text = destination.strip()
    if text.startswith("ogr:"):
        uri = QgsDataSourceUri(text[4:])
        return Path(uri.database()), uri.table()
    # Other providers are told by their name before a colon; a drive has but one letter.
    if not text or text in ("TEMPORARY_OUTPUT", "memory") or re.match(r"[A-Za-z]{2,}:", text):
        return None, ""
    parts = QgsProviderRegistry.instance().decodeUri("ogr", text)
    return Path(parts.get("path") or text), parts.get("layerName") or ""


def is_temporary(path: str | Path) -> bool:
    """Say whether a file will be removed when QGIS is closed."""
    return Path(QgsProcessingUtils.tempFolder()) in Path(path).parents


def is_same_file(one: Path, other: Path) -> bool:
    """Say whether two paths lead to one file: by a link, or by another spelling, too."""
    # What is no path, such as a long source of a layer in memory, exists nowhere, and is no error here.
    if os.path.exists(one) and os.path.exists(other):  # noqa: PTH110
        return os.path.samefile(one, other)  # noqa: PTH121
    return os.path.normcase(os.path.realpath(one)) == os.path.normcase(os.path.realpath(other))


def quote_name(name: str) -> str:
    """A name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """A text as SQL has it."""
    return "'" + text.replace("'", "''") + "'"


def clashes(one: Path, one_layer: str, other: Path, other_layer: str) -> bool:
    """Say whether writing one destroys the other.

    Two tables of a GeoPackage, whose names know no case, live together; without a table's name the whole file is meant.
    """
    apart = one_layer and other_layer and one_layer.lower() != other_layer.lower()
    return not apart and is_same_file(one, other)


def fill_sink(
    sink: QgsFeatureSink,
    features: Iterable[QgsFeature],
    count: int,
    feedback: QgsProcessingFeedback,
    low: float = 0.0,
    high: float = 100.0,
    batch_size: int = _BATCH,
) -> int:
    """Add features in batches; returns how many.

    Raises
    ------
    QgsProcessingException
        If a batch is refused (e.g. a full disk), or on cancel; the caller then discards the output.
    """
    added = 0
    batch: list[QgsFeature] = []

    def flush() -> None:
        nonlocal added
        if feedback.isCanceled():
            raise QgsProcessingException(tr("Cancelled: nothing was written."))
        if not sink.addFeatures(batch, QgsFeatureSink.Flag.FastInsert):
            raise _unwritten(sink)
        added += len(batch)
        batch.clear()
        feedback.setProgress(low + (high - low) * min(added / max(count, 1), 1.0))

    for feature in features:
        batch.append(feature)
        if len(batch) >= batch_size:
            flush()
    if batch:
        flush()
    if not sink.flushBuffer():
        raise _unwritten(sink)
    return added


def _unwritten(sink: QgsFeatureSink) -> QgsProcessingException:
    return QgsProcessingException(
        tr("The output could not be written: {why}. Free some disk space or choose another destination.").format(
            why=sink.lastError() or "?"
        )
    )


def discard(path: str) -> None:
    """Remove a file that an interrupted run has written.

    Raises
    ------
    OSError
        If the system does not let it be removed.
    """
    Path(path).unlink(missing_ok=True)
