"""The crime index: neighbours and counts around any point, behind one interface, in one file.

Two ways to answer: an exact k-d tree (SciPy), and Annoy's random-projection trees as in Garrido Czacki (2021).
Annoy is there because the published method is named for it; the exact tree is the default
(``scripts/benchmark.sh main_job`` times both).
"""

from __future__ import annotations

import tempfile
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from scipy.spatial import cKDTree

from ... import __version__
from ...contract.choices import Search
from ...ground.artefacts import compute_fingerprint, make_damage_error, read_bundle, read_head, write_bundle
from ...ground.context import JobContext
from ...ground.damage import ArraySpec, CrsText, Damaged, Moment, check_arrays, describe_fault
from ...ground.errors import DependencyError, ParameterError
from ...intake.incidents import NO_CATEGORY, Incidents

Floats = NDArray[np.float64]

KIND = "crimerisk.crimeindex"
FORMAT = 1
#: Points asked of the tree at once: large enough to be fast, small enough to cancel within a second.
CHUNK = 50_000
_ANNOY_FILE = "annoy.ann"
#: Places that one of Annoy's nodes lists.
_LISTED = 4
#: Metres that a projected coordinate has at most; seconds since 1970 of the years 1 to 9999.
FARTHEST, _FIRST, _LAST = 1e9, -62_135_596_800, 253_402_300_799
_COLUMNS = {
    "x": ArraySpec("f", ("count",), -FARTHEST, FARTHEST),
    "y": ArraySpec("f", ("count",), -FARTHEST, FARTHEST),
    "time": ArraySpec("i", ("count",), _FIRST, _LAST),
    "category": ArraySpec("i", ("count",), NO_CATEGORY, np.iinfo(np.int32).max),
    "fid": ArraySpec("i", ("count",)),
}


class IndexHead(BaseModel):
    """What a crime index says about itself; see `CrimeIndex` and the job that builds it."""

    model_config = ConfigDict(extra="allow", strict=True)
    crs: CrsText
    method: Search
    trees: int = Field(ge=1, le=10_000)
    seed: int = Field(ge=-(2**31), lt=2**31)
    count: int = Field(ge=1)
    categories: list[str]
    fingerprint: str
    first: Moment | None = None
    last: Moment | None = None
    recall: float | None = Field(default=None, ge=0, le=1)
    exactness: str = ""


def has_annoy() -> bool:
    """Say whether the optional package annoy could be compiled on this machine."""
    try:
        import annoy  # noqa: F401
    except ImportError:
        return False
    return True


class CrimeIndex:
    """Incidents with their search structure.

    Parameters
    ----------
    incidents : Incidents
        Places in metres of `crs`.
    crs : str
        WKT or authority code of a projected CRS in metres.
    method : {"exact", "annoy"}
    trees, seed : int
        Annoy's number of trees and seed.

    Raises
    ------
    DependencyError
        If method is "annoy" and the package is not installed.
    """

    def __init__(
        self, incidents: Incidents, crs: str, method: Search = "exact", trees: int = 10, seed: int = 0
    ) -> None:
        if trees < 1:
            raise ParameterError(
                f"trees is {trees}; Annoy needs at least 1", parameter="trees", value=trees, remedy="Use 10, or more"
            )
        self.incidents = incidents
        self.crs = crs
        self.method: Search = method
        self.trees = trees
        self.seed = seed
        # Annoy computes in 32-bit floats: metres are kept small by counting them from the centre.
        self.centre = (float(incidents.x.mean()), float(incidents.y.mean())) if len(incidents) else (0.0, 0.0)
        self._annoy: Any = self._build_annoy() if method == "annoy" else None
        self._annoy_folder: tempfile.TemporaryDirectory[str] | None = None

    def __len__(self) -> int:
        return len(self.incidents)

    @cached_property
    def tree(self) -> cKDTree:
        """The exact tree over all incidents, built when first needed."""
        return cKDTree(np.column_stack((self.incidents.x, self.incidents.y)))

    def _new_annoy(self) -> Any:
        try:
            from annoy import AnnoyIndex
        except ImportError as error:
            raise DependencyError(
                "The package annoy is not installed in the engine (it has to be compiled)",
                parameter="method",
                value="annoy",
                remedy="Use the exact index, or install a C++ compiler and repair the engine",
            ) from error
        return AnnoyIndex(2, "euclidean")

    def _build_annoy(self) -> Any:
        annoy = self._new_annoy()
        annoy.set_seed(self.seed + 1)
        x, y = self.incidents.x - self.centre[0], self.incidents.y - self.centre[1]
        for number, point in enumerate(zip(x.tolist(), y.tolist(), strict=True)):
            annoy.add_item(number, point)
        # One thread: with more, the trees depend on scheduling and the index is not reproducible.
        annoy.build(self.trees, n_jobs=1)
        return annoy

    def find_nearest(self, x: Floats, y: Floats, k: int) -> tuple[Floats, NDArray[np.int64]]:
        """Find the k nearest incidents of each point, nearest first.

        Returns
        -------
        distance : ndarray, shape (n, k)
            Metres; inf where there are fewer than k incidents.
        number : ndarray of int, shape (n, k)
            Row of the incident; `len(self)` where there is none.
        """
        if self._annoy is None:
            distance, number = self.tree.query(np.column_stack((x, y)), k=np.arange(1, k + 1), workers=-1)
            return distance, number.astype(np.int64)
        distance = np.full((len(x), k), np.inf)
        number = np.full((len(x), k), len(self), dtype=np.int64)
        for row, point in enumerate(zip(x - self.centre[0], y - self.centre[1], strict=True)):
            rows, far = self._annoy.get_nns_by_vector(point, k, include_distances=True)
            number[row, : len(rows)] = rows
            distance[row, : len(rows)] = far
        return distance, number

    def recall(self, k: int = 10, sample: int = 1000) -> float:
        """Share of the true k nearest neighbours that the index finds, on a seeded sample of incidents.

        Distances are compared, not identities: at a shared coordinate any of the incidents is right.
        """
        if self._annoy is None or not len(self):
            return 1.0
        k = min(k, len(self))
        rows = np.random.default_rng(self.seed).choice(len(self), min(sample, len(self)), replace=False)
        x, y = self.incidents.x[rows], self.incidents.y[rows]
        exact, _ = self.tree.query(np.column_stack((x, y)), k=np.arange(1, k + 1), workers=-1)
        approximate, _ = self.find_nearest(x, y, k)
        # 32-bit floats at city distances are right to a few millimetres.
        return float((approximate <= exact[:, -1:] + 0.01).mean())

    def count_within(
        self,
        x: Floats,
        y: Floats,
        radius: float,
        counted: NDArray[np.bool_] | None = None,
        context: JobContext | None = None,
    ) -> NDArray[np.int64]:
        """Number of incidents closer than `radius` to each point.

        Parameters
        ----------
        x, y : ndarray, shape (n,)
            Metres.
        radius : float
            Metres; the distance must be smaller, as in the published definition.
        counted : ndarray of bool, shape (len(self),), optional
            Which incidents count (e.g. a time window); all by default.
        """
        if not radius > 0:
            raise ParameterError(
                f"radius is {radius:g} m; it must be greater than 0",
                parameter="radius",
                value=radius,
                remedy="The published radius is 200 m",
            )
        context = context or JobContext()
        if self._annoy is not None:
            return self._count_broadening(x, y, radius, counted, context)
        if counted is None or counted.all():
            tree = self.tree
        else:
            tree = cKDTree(np.column_stack((self.incidents.x[counted], self.incidents.y[counted])))
        points = np.column_stack((x, y))
        # Asked in spatial order the same branches of the tree stay in the processor's cache: three times faster.
        cell = np.floor((points - points.min(axis=0, initial=np.inf)) / (4 * radius))
        order = np.lexsort((points[:, 0], cell[:, 1], cell[:, 0])) if len(points) else np.zeros(0, dtype=np.int64)
        points = points[order]
        result = np.zeros(len(points), dtype=np.int64)
        closer = np.nextafter(radius, 0.0)
        for start in range(0, len(points), CHUNK):
            part = slice(start, start + CHUNK)
            result[order[part]] = tree.query_ball_point(points[part], closer, return_length=True, workers=-1)
            context.progress(min(start + CHUNK, len(points)) / len(points), "Counting incidents around each point")
        return result

    def _count_broadening(
        self, x: Floats, y: Floats, radius: float, counted: NDArray[np.bool_] | None, context: JobContext
    ) -> NDArray[np.int64]:
        # As published: ask for more and more neighbours until the farthest lies beyond the radius.
        result = np.zeros(len(x), dtype=np.int64)
        number = 32
        for row, point in enumerate(zip((x - self.centre[0]).tolist(), (y - self.centre[1]).tolist(), strict=True)):
            if row % 1000 == 0:
                context.progress(row / len(x), "Counting incidents around each point (Annoy)")
            while True:
                rows, far = self._annoy.get_nns_by_vector(point, number, include_distances=True)
                # Annoy may return fewer than asked for long before it has seen them all: only its own size ends it.
                if number >= len(self) or (far and far[-1] >= radius):
                    break
                number *= 2
            near = np.searchsorted(np.asarray(far), radius, side="left")
            result[row] = near if counted is None else int(counted[rows[:near]].sum())
            number = max(32, min(number, 2 * int(near) + 2))
        return result

    def save(self, path: str | Path, meta: dict[str, Any] | None = None) -> None:
        """Write the index as one ``.crimeindex`` file, whole or not at all."""
        incidents = self.incidents
        arrays: dict[str, NDArray[Any]] = {
            "x": incidents.x,
            "y": incidents.y,
            "time": incidents.time.astype("datetime64[s]").astype(np.int64),
            "category": incidents.category,
            "fid": incidents.fid,
        }
        head = {
            "crs": self.crs,
            "method": self.method,
            "trees": self.trees,
            "seed": self.seed,
            "count": len(self),
            "categories": incidents.categories,
            "engine": __version__,
            "fingerprint": compute_fingerprint(*arrays.values()),
            **(meta or {}),
        }
        # Annoy keeps the file it wrote mapped, which on Windows stands in the way of removing the folder.
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            blobs = {}
            if self._annoy is not None:
                blobs[_ANNOY_FILE] = Path(folder) / _ANNOY_FILE
                self._annoy.save(str(blobs[_ANNOY_FILE]))
            write_bundle(path, KIND, FORMAT, head, arrays, blobs)

    @classmethod
    def load(cls, path: str | Path, context: JobContext | None = None) -> CrimeIndex:
        """Read an index; an Annoy index is answered exactly where annoy is not installed.

        Raises
        ------
        FormatError
            If the file is truncated, foreign or newer.
        """
        meta, arrays, others = read_bundle(path, KIND, FORMAT, "index")
        try:
            head = IndexHead.model_validate(meta)
            check_arrays(_COLUMNS, arrays, {"count": head.count})
            if arrays["category"].max(initial=NO_CATEGORY) >= len(head.categories):
                raise Damaged("category holds a number beyond the list of categories")
            return cls._restore(head, arrays, others, context)
        except (ValidationError, Damaged) as error:
            raise make_damage_error(path, KIND, "index", describe_fault(error)) from error

    @classmethod
    def _restore(
        cls,
        head: IndexHead,
        arrays: dict[str, NDArray[Any]],
        others: dict[str, NDArray[np.uint8]],
        context: JobContext | None,
    ) -> CrimeIndex:
        incidents = Incidents(
            x=arrays["x"].astype(np.float64, copy=False),
            y=arrays["y"].astype(np.float64, copy=False),
            time=arrays["time"].astype("datetime64[s]"),
            category=arrays["category"].astype(np.int32, copy=False),
            categories=head.categories,
            fid=arrays["fid"],
            exactness=head.exactness,
        )
        index = cls(incidents, head.crs, trees=head.trees, seed=head.seed)
        if head.method == "annoy":
            if has_annoy():
                index._load_annoy(others)
            elif context is not None:
                context.warn("annoy is not installed in the engine: the index answers exactly instead")
        return index

    def _load_annoy(self, others: dict[str, NDArray[np.uint8]]) -> None:
        if _ANNOY_FILE not in others:
            raise Damaged(f"it has no {_ANNOY_FILE}")
        places = np.column_stack((self.incidents.x - self.centre[0], self.incidents.y - self.centre[1]))
        check_annoy(others[_ANNOY_FILE], places)
        self._annoy_folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        file = Path(self._annoy_folder.name) / _ANNOY_FILE
        others[_ANNOY_FILE].tofile(file)
        self._annoy = self._new_annoy()
        self._annoy.load(str(file))
        self.method = "annoy"


def read_index_head(path: str | Path) -> dict[str, Any]:
    """Read what an index says about itself, without its incidents.

    Raises
    ------
    FormatError
    """
    meta, bundle = read_head(path, KIND, FORMAT, "index")
    bundle.close()
    try:
        IndexHead.model_validate(meta)
    except ValidationError as error:
        raise make_damage_error(path, KIND, "index", describe_fault(error)) from error
    return meta


def check_annoy(content: NDArray[np.uint8], places: Floats) -> None:
    """Refuse nodes that would lead Annoy, which trusts them, out of its file or round in circles.

    A node is six 32-bit words: how many places lie below it, an offset, two children, and a place or a direction. The
    places come first. A node of up to four places lists them in the words from its children on; any other has
    two children, which were written before it.

    Raises
    ------
    Damaged
    """
    if content.size % 24 or content.size < 24 * (len(places) + 1):
        raise Damaged(f"{_ANNOY_FILE} is not as long as its incidents ask")
    nodes = np.frombuffer(content, np.int32).reshape(-1, 6)
    numbers, count = nodes.view(np.float32), len(places)
    if not ((nodes[:count, 0] == 1).all() and np.array_equal(numbers[:count, 4:], places.astype(np.float32))):
        raise Damaged(f"{_ANNOY_FILE} holds other places than its incidents")
    below, inner = nodes[count:], nodes[count:, 0] > _LISTED
    if below[-1, 0] != count or not ((below[:, 0] >= 1) & (below[:, 0] <= count)).all():
        raise Damaged(f"{_ANNOY_FILE} holds a node that does not say how many places lie below it")
    own = np.arange(count, len(nodes))[inner, None]
    children = below[inner, 2:4]
    wrong = bool(((children < 0) | (children >= own)).any())
    for number in range(1, _LISTED + 1):
        listed = below[below[:, 0] == number, 2 : 2 + number]
        wrong = wrong or bool(((listed < 0) | (listed >= count)).any())
    if wrong:
        raise Damaged(f"{_ANNOY_FILE} holds a node that leads nowhere")
    if not (np.isfinite(numbers[count:][inner, 1]).all() and np.isfinite(numbers[count:][inner, 4:]).all()):
        raise Damaged(f"{_ANNOY_FILE} holds a direction that is none")
