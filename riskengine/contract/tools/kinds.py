"""What a parameter is: a number, a choice, a layer, a destination. Markers of a tool's declaration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from ..texts import tr

#: Fields of a vector destination by name, in their order.
Fields = Mapping[str, Literal["text", "integer", "long", "real", "datetime"]]


@dataclass(frozen=True)
class Kind:
    """Base of all kinds."""


@dataclass(frozen=True)
class Number(Kind):
    """A whole or real number."""


@dataclass(frozen=True)
class Flag(Kind):
    """Yes or no."""


@dataclass(frozen=True)
class Moment(Kind):
    """A date with its time of day, by the wall clock."""


@dataclass(frozen=True)
class Point(Kind):
    """A place that is typed or picked on the map; the job gets longitude and latitude, WGS 84."""


@dataclass(frozen=True)
class Text(Kind):
    """Free text; a list is written with `separator` between its items.

    Attributes
    ----------
    separator : str
    example : str
        For the sentence of a refusal.
    long : bool
        Several lines.
    """

    separator: str = ","
    example: str = ""
    long: bool = False


@dataclass(frozen=True)
class Choice(Kind):
    """One of several values, or some of them.

    Attributes
    ----------
    titles : dict
        Title by value. Their order is that of the integers in saved models and commands: a new value goes last, for
        ever.
    """

    titles: Mapping[Any, str]

    @property
    def values(self) -> tuple[Any, ...]:
        """The values in the order of their integers."""
        return tuple(self.titles)

    def __hash__(self) -> int:
        return hash(tuple(self.titles))


@dataclass(frozen=True)
class Settings(Kind):
    """Settings of models, as ``name=value`` or JSON.

    Attributes
    ----------
    example : str
    by_model : bool
        Each belongs to a model: ``model.name=value``.
    """

    example: str
    by_model: bool = False


@dataclass(frozen=True)
class Crs(Kind):
    """A CRS of the user's choice.

    Attributes
    ----------
    working : bool
        In which the work is done: projected, in metres. Left empty, the UTM zone of the incidents.
    """

    working: bool = False


@dataclass(frozen=True)
class Extent(Kind):
    """West, south, east and north in the working CRS."""


@dataclass(frozen=True)
class Field(Kind):
    """A field of a layer, or several where the type is a list; `of` is the layer's key."""

    of: str


@dataclass(frozen=True)
class Expression(Kind):
    """An expression on the features of a layer; `of` is the layer's key."""

    of: str


@dataclass(frozen=True)
class File(Kind):
    """A file that is read.

    Attributes
    ----------
    ending : str
        The only ending allowed, without its point.
    filter : str
        For the file dialog, where several endings are.
    """

    ending: str = ""
    filter: str = ""


@dataclass(frozen=True)
class Files(Kind):
    """Files that are read."""


@dataclass(frozen=True)
class Raster(Kind):
    """A raster layer; the job gets its file."""


@dataclass(frozen=True)
class MapLayer(Kind):
    """A raster, or the same of areas: the job gets a file, of which `contract.tools.units` says more.

    Attributes
    ----------
    holds : {"counts", "risk"}
        Hotspot grids or a panel, which are given as their file; or a risk, whose features are given as a GeoPackage of
        their own with the fields of `RISK_FIELDS` that there are.
    """

    holds: Literal["counts", "risk"]


#: What the job reads of polygons with a risk; all but the risk may be missing.
RISK_FIELDS: Fields = {"id": "text", "name": "text", "start": "datetime", "end": "datetime", "risk": "real"}


@dataclass(frozen=True)
class Rasters(Kind):
    """Raster layers; the job gets their files."""


@dataclass(frozen=True)
class Incidents(Kind):
    """A point layer of incidents; the job gets them in the working CRS, as a file.

    The tool declares `time_field`, `category_field` and `filter` beside it.
    """


@dataclass(frozen=True)
class Places(Kind):
    """Points, or polygons of which a point inside each is taken; the job gets a file of x and y."""

    polygons: bool = False


@dataclass(frozen=True)
class Polygons(Kind):
    """Polygons; the job gets them as GeoJSON in the working CRS, and their extent where none was given."""


@dataclass(frozen=True)
class Areas(Kind):
    """Named polygons; the job gets a GeoJSON file. The tool declares `area_name` beside them."""


#: Columns of ids and geometries of a table that Processing has written for the job: no field of a layer has such names.
EXCHANGE_ID, EXCHANGE_SHAPES = "crimerisk_fid", "crimerisk_geom"


@dataclass(frozen=True)
class Table(Kind):
    """Any vector layer or table; the job gets a file of its features, in the layer's CRS.

    Attributes
    ----------
    whole : bool
        With all fields, whether a parameter names them or not. Such a file may be the user's own: it is only read, and
        may be given as ``path|layername=table``.
    lines : bool
        A layer of lines alone.
    """

    whole: bool = False
    lines: bool = False


@dataclass(frozen=True)
class Units(Kind):
    """Polygons or lines to count in; the job gets a file of them in the working CRS, whatever is wrong with them.

    The tool declares `area_id` and `area_name` beside them, which may be left empty.
    """


@dataclass(frozen=True)
class FeatureIds(Kind):
    """A file in which the job says which features it keeps; Processing asks for it where `of` is wanted."""

    of: str


@dataclass(frozen=True)
class Scratch(Kind):
    """A file or folder for the exchange with the job, which Processing provides; `name` is the file's."""

    name: str


@dataclass(frozen=True)
class LayerName(Kind):
    """The name of a layer; `of` is its key."""

    of: str


@dataclass(frozen=True, kw_only=True)
class Destination(Kind):
    """Something that is written.

    Attributes
    ----------
    style : str
        Key of `bridge.styles.BY_RESULT`, or else QML of resources/styles.
    abstract : str
        Key of the job's result with a sentence for the layer's metadata.
    after : str
        Key of the layer whose abstract stands before it.
    maker : str
        Key of the job's result with the title of what made it, where the layer's name ends with that.
    created : bool
        Whether an optional one is made unless it is switched off.
    units : {"", "grid", "areas"}
        What it is made of alone: cells of a grid, or areas; empty for both. See `contract.tools.units`.
    """

    style: str = ""
    abstract: str = ""
    after: str = ""
    maker: str = ""
    created: bool = True
    units: Literal["", "grid", "areas"] = ""


@dataclass(frozen=True)
class RasterDestination(Destination):
    """A GeoTIFF."""


@dataclass(frozen=True)
class FileDestination(Destination):
    """A file of another kind.

    Attributes
    ----------
    filter : str
        Its kind and ending, such as ``HTML files (*.html)``.
    outlives : bool
        It is there to outlive a cancel, so it is never removed.
    read_on : bool
        Later steps choose it by its ending, so a name with another one is refused.
    """

    filter: str = ""
    outlives: bool = False
    read_on: bool = False

    @property
    def ending(self) -> str:
        """The only ending that its name may have, without its point; empty where any will do."""
        return find_ending(self.filter) if self.read_on else ""


@dataclass(frozen=True)
class PanelDestination(FileDestination):
    """A panel, a GeoPackage of its own: its layer of counts is loaded, and is what later steps get."""

    filter: str = tr("Panels of counts (*.gpkg)")
    read_on: bool = True


@dataclass(frozen=True)
class FolderDestination(Destination):
    """A folder of files."""


@dataclass(frozen=True)
class VectorDestination(Destination):
    """A layer or table, wherever Processing writes one.

    Attributes
    ----------
    geometry : {"point", "line", "polygon", "any", "none"}
    fields : mapping of str to type
        Of the features that the job writes into the exchange file; empty where the algorithm says them itself.
    of : str
        Key of the whole table of which it holds the rows, all their fields and more; empty for other layers.
    """

    geometry: Literal["point", "line", "polygon", "any", "none"] = "point"
    fields: Fields = field(default_factory=dict)
    of: str = ""

    @property
    def has_times(self) -> bool:
        """Whether its features have dates with times: those that no declaration lists are incidents."""
        return not self.fields or "datetime" in self.fields.values()

    def __hash__(self) -> int:
        return hash((self.geometry, tuple(self.fields)))


def find_ending(filter: str) -> str:
    """Find the ending of files in the filter of a file dialog, without its point."""
    return filter.partition("*.")[2].rstrip(")")


def make_kind(kind: Any) -> Kind:
    """Make the kind of a plain type."""
    if kind is bool:
        return Flag()
    if kind in (int, float):
        return Number()
    if kind is datetime:
        return Moment()
    return Text()
