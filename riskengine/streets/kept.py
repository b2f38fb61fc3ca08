"""Networks kept beside the layer they were built from, and used again while nothing has changed.

A ``.crimenet`` holds the arrays of a network and what it was built from: size and time of the layer's file, the layer,
the parameters. Whatever is wrong with it, the network is built again.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__
from ..contract.tools.base import parameters_of
from ..contract.tools.kinds import EXCHANGE_ID
from ..contract.tools.routes import ReadsNetwork
from ..ground.artefacts import read_bundle, write_bundle
from ..ground.containers import Arrays
from ..ground.context import JobContext
from ..ground.damage import ArraySpec, Damaged, check_arrays
from ..ground.errors import FormatError, OutputError
from ..ground.wholetables import split_path
from .building import build_network
from .network import Network
from .reading import Streets, read_streets

KIND, VERSION = "crimerisk.crimenet", 1
_ENDING = ".crimenet"
_SPECS = {
    "x": ArraySpec("f", ("nodes",), -1e9, 1e9),
    "y": ArraySpec("f", ("nodes",), -1e9, 1e9),
    "tail": ArraySpec("i", ("edges",), 0),
    "head": ArraySpec("i", ("edges",), 0),
    "metres": ArraySpec("f", ("edges",), 0, 1e8),
    "forward": ArraySpec("b", ("edges",)),
    "backward": ArraySpec("b", ("edges",)),
    "speed": ArraySpec("f", ("edges",), 1e-6, 1e6),
    "lit": ArraySpec("i", ("edges",), -1, 1),
    "line": ArraySpec("i", ("edges",), 0),
    "first": ArraySpec("i", ("begins",), 0),
    "vertices": ArraySpec("f", ("vertices", 2), -1e9, 1e9),
}
#: No layer of streets has more rows; a file that says so would ask for all memory.
_MOST_ROWS = 100_000_000
_CRS = re.compile(r"[A-Z]+:\d+")


@dataclass(frozen=True)
class OpenNetwork:
    """A network, built or read again, and the streets that it is of.

    Attributes
    ----------
    network : Network
    notes : tuple of str
        What was said while it was built.
    kept : bool
        Whether it was built before.
    parameters : ReadsNetwork
    """

    network: Network
    notes: tuple[str, ...]
    kept: bool
    parameters: ReadsNetwork

    @cached_property
    def streets(self) -> Streets:
        """The layer's rows and lines; read when they are asked for."""
        return read_streets(self.parameters, JobContext(), self.network.crs)


def open_network(parameters: ReadsNetwork, context: JobContext, crs: str = "") -> OpenNetwork:
    """Read the network kept beside the layer if it is of the same file and parameters; else build and keep it.

    It is kept beside GeoPackages alone: layers of other formats come as copies that are gone after the run.

    Parameters
    ----------
    parameters : ReadsNetwork
    context : JobContext
        What was said while the network was built is said again.
    crs : str
        The working CRS; left empty, the UTM zone of the middle of the streets.

    Raises
    ------
    DataError, FormatError, ParameterError
        If the streets cannot be read or used.
    """
    path, made_of = find_kept_path(parameters.network), _describe_source(parameters, crs)
    if path and path.is_file():
        with suppress(FormatError, Damaged):
            network, said = _read_network(path, made_of)
            for message, level in said:
                context.log(message, level)
            context.log(f"The network is as it was: read from {path.name}")
            return OpenNetwork(network, tuple(message for message, _ in said), True, parameters)
    said = []

    def log(message: str, level: str) -> None:
        said.append((message, level))
        context.log(message, level)

    # A context of its own, so that what is said can be said again.
    noted = JobContext(context.progress, log, context.cancelled)
    context.progress(0.0, "Reading the streets")
    streets = read_streets(parameters, noted, crs)
    network = build_network(streets, parameters, noted)
    found = OpenNetwork(network, tuple(message for message, _ in said), False, parameters)
    # Read for the network: not a second time for whoever asks for it.
    found.__dict__["streets"] = streets
    if path and streets.table.id_field != EXCHANGE_ID:
        # Where nothing can be written the network is built each time.
        with suppress(OutputError):
            meta = {"made_of": made_of, "crs": network.crs, "rows": network.rows, "said": said}
            write_bundle(path, KIND, VERSION, meta, {name: getattr(network, name) for name in _SPECS})
    return found


def find_kept_path(layer: str) -> Path | None:
    """Find where the network of a layer is kept: beside a GeoPackage, by its name and the layer's; else nowhere."""
    file, table = split_path(layer)
    path = Path(file)
    if path.suffix.casefold() != ".gpkg":
        return None
    names = [path.stem, *([re.sub(r"[^\w-]", "_", table)] if table else [])]
    return path.with_name(".".join(names) + _ENDING)


def _describe_source(parameters: ReadsNetwork, crs: str) -> dict[str, Any]:
    """All that a network depends on."""
    file, table = split_path(parameters.network)
    # What SQLite has not yet moved into the file stands beside it.
    stamps = [
        [each.stat().st_size, str(each.stat().st_mtime_ns)]
        for each in (Path(file), Path(f"{file}-wal"))
        if each.is_file() and each.stat().st_size
    ]
    keys = [each.key for each in parameters_of(ReadsNetwork) if each.key != "network"]
    asked = {key: getattr(parameters, key) for key in keys}
    return {"stamps": stamps, "layer": table or "", "crs": crs, "version": __version__, **asked}


def _read_network(path: Path, made_of: dict[str, Any]) -> tuple[Network, list[tuple[str, str]]]:
    """Read a kept network and what was said of it.

    Raises
    ------
    FormatError, Damaged
        If it is none, or of something else.
    """
    meta, arrays, _ = read_bundle(path, KIND, VERSION, "network")
    if meta.get("made_of") != made_of:
        raise Damaged("it is of other streets")
    crs, rows, said = (meta.get(key) for key in ("crs", "rows", "said"))
    if not isinstance(crs, str) or not (crs == made_of["crs"] or _CRS.fullmatch(crs)):
        raise Damaged("its CRS is none")
    if not isinstance(said, list) or not all(
        isinstance(each, list) and len(each) == 2 and all(isinstance(text, str) for text in each) for each in said
    ):
        raise Damaged("what it says is no text")
    if type(rows) is not int or rows > _MOST_ROWS:
        raise Damaged("it does not say how many lines there are")
    _check_network(arrays, rows)
    given = {each.name: arrays[each.name] for each in fields(Network) if each.name in arrays}
    return Network(**given, crs=crs, rows=rows), [(message, level) for message, level in said]


def _check_network(arrays: Arrays, rows: int) -> None:
    check_arrays(_SPECS, arrays)
    nodes, edges, vertices = (len(arrays[name]) for name in ("x", "tail", "vertices"))
    first = arrays["first"]
    if len(first) != edges + 1 or first[0] != 0 or first[-1] != vertices or (np.diff(first) < 2).any():
        raise Damaged("its edges do not fill its vertices")
    for name, most in (("tail", nodes), ("head", nodes), ("line", rows)):
        if arrays[name].max(initial=-1) >= most:
            raise Damaged(f"{name} is out of range")
