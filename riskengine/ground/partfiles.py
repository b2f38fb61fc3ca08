"""Rows on their way to QGIS: JSON files of a bounded number of rows each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .artefacts import whole_file


class PartFiles:
    """Columns of rows, collected and written as ``part-00000.json`` and ``refused-00000.json`` and so on.

    Parameters
    ----------
    folder : path
    rows : int
        At most so many in one file.
    """

    def __init__(self, folder: Path, rows: int) -> None:
        self.folder, self.rows = folder, rows
        self.files: dict[str, list[Path]] = {"part": [], "refused": []}
        self._held: dict[str, dict[str, list[Any]]] = {}

    def add(self, kind: str, rows: dict[str, list[Any]]) -> None:
        """Add rows to ``part`` (x, y, columns) or to ``refused`` (line, reason, row)."""
        held = self._held.get(kind)
        if held is None:
            self._held[kind] = rows
        else:
            for name, values in rows.items():
                if name == "columns":
                    for column, more in zip(held[name], values, strict=True):
                        column.extend(more)
                else:
                    held[name].extend(values)
        while self._count(kind) >= self.rows:
            self._write(kind, self.rows)

    def flush(self) -> None:
        """Write what is left."""
        for kind in self.files:
            if self._count(kind):
                self._write(kind, self._count(kind))

    def remove(self) -> None:
        """Delete every file written so far."""
        for files in self.files.values():
            for path in files:
                path.unlink(missing_ok=True)

    def _count(self, kind: str) -> int:
        held = self._held.get(kind)
        return len(held["x" if kind == "part" else "line"]) if held else 0

    def _write(self, kind: str, rows: int) -> None:
        held = self._held[kind]

        def take(start: int | None, end: int | None) -> dict[str, list[Any]]:
            return {
                name: [column[start:end] for column in values] if name == "columns" else values[start:end]
                for name, values in held.items()
            }

        path = self.folder / f"{kind}-{len(self.files[kind]):05d}.json"
        with whole_file(path, "folder") as temporary:
            text = json.dumps(take(None, rows), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
            temporary.write_text(text, encoding="utf-8")
        self.files[kind].append(path)
        self._held[kind] = take(rows, None)
