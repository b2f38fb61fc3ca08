"""Known formats of open crime data, as data: one JSON file each, told by their headers.

A profile has variants, because portals rename their columns.  Names are compared by their letters and
digits alone, so that ``Primary Type``, ``PrimaryType`` and ``primary_type`` are one name.
"""

from __future__ import annotations

import difflib
import functools
import unicodedata
from collections.abc import Collection, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from ...contract.choices import DateOrder
from ...contract.texts import list_names, show_names
from ...ground.errors import ParameterError

#: Columns of a file that a refusal lists.
_LISTED = 40
_HAND = "Choose 'Columns named by hand' (profile 'columns') and name the columns of X, Y and time"


class Variant(BaseModel):
    """One way in which a publisher has named its columns.

    ``end`` are the columns of the end of the span that ``time`` begins, ``id`` numbers the incidents. Where the numbers
    of ``category`` need those of a second column to say what happened, that is ``category_detail``, and
    ``category_names`` has keys such as 3/0.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    signature: tuple[str, ...]
    x: str
    y: str
    time: tuple[str, ...]
    end: tuple[str, ...] = ()
    id: str | None = None
    category: str | None = None
    category_detail: str | None = None
    category_names: dict[str, str] = {}
    crs: str | None = None
    bbox: tuple[float, float, float, float] | None = None
    date_order: DateOrder | None = None
    notes: tuple[str, ...] = ()

    def list_columns(self) -> dict[str, tuple[str, ...]]:
        """List the columns by the parameters of *Import incidents* that name others in their place."""
        one = {"x": self.x, "y": self.y, "category": self.category, "id_field": self.id}
        return {"time": self.time, "end": self.end, **{key: (name,) for key, name in one.items() if name}}


class Profile(BaseModel):
    """A publisher's format: columns, CRS, the area its places lie in, and what its users must know.

    ``bbox`` is west, south, east, north in the units of ``crs``; ``zone`` names the time zone of the place (IANA),
    which is suggested where times are not local. ``number`` is the format's integer in Processing, published and never
    changed; a user's own format has none, and its ``zone`` is applied. ``encoding`` and ``delimiter`` are those of the
    files where they cannot be detected.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    title: str
    crs: str
    number: int | None = None
    zone: str | None = None
    bbox: tuple[float, float, float, float] | None = None
    date_order: DateOrder | None = "auto"
    encoding: str | None = None
    delimiter: str | None = None
    notes: tuple[str, ...] = ()
    variants: tuple[Variant, ...] = Field(min_length=1)


@functools.cache
def read_profiles() -> dict[str, Profile]:
    """Read all profiles by id, sorted by id."""
    files = sorted(Path(__file__).parent.glob("*.json"))
    loaded = [Profile.model_validate_json(file.read_text(encoding="utf-8")) for file in files]
    return {profile.id: profile for profile in loaded}


def reduce_name(name: str) -> str:
    """Reduce a column name to its letters and digits, without case."""
    return "".join(letter for letter in unicodedata.normalize("NFC", name).casefold() if letter.isalnum())


def find_column(name: str, header: Sequence[str]) -> int | None:
    """Find where `name` stands in `header`; None if nowhere or twice.

    Exactly, else however its accents are coded and without case and outer spaces, else by letters and digits alone.
    """
    for reduce in (str, _reduce_case, reduce_name):
        wanted = reduce(name)
        same = [number for number, other in enumerate(header) if reduce(other) == wanted]
        # Two names of signs alone have no letters in common.
        if same and wanted:
            return same[0] if len(same) == 1 or reduce is str else None
    return None


def _reduce_case(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold().strip()


def join_names(names: Sequence[str], header: Sequence[str]) -> list[str]:
    """Join the names that were one before they were split at commas, if the column is called by all of them."""
    whole = _split(",".join(names))
    for column in header:
        if len(names) > 1 and _split(column) == whole:
            return [column]
    return list(names)


def _split(text: str) -> list[str]:
    return [_reduce_case(part) for part in text.split(",")]


def choose_profile(header: Sequence[str]) -> tuple[Profile, Variant]:
    """Choose the profile whose columns `header` has; the variant that explains most columns wins.

    Raises
    ------
    ParameterError
        If no profile fits or several do; lists the columns and says how to name them by hand.
    """
    fits: list[tuple[int, Profile, Variant]] = []
    for profile in read_profiles().values():
        fits += [
            (len(variant.signature), profile, variant)
            for variant in profile.variants
            if all(find_column(name, header) is not None for name in variant.signature)
        ]
    best = [fit for fit in fits if fit[0] == max(length for length, _, _ in fits)]
    columns = list_names(header, _LISTED)
    if not best:
        raise ParameterError(
            f"No profile fits this file; its columns are {columns}",
            parameter="profile",
            value="auto",
            remedy=_HAND,
        )
    if len({profile.id for _, profile, _ in best}) > 1:
        names = ", ".join(sorted({profile.id for _, profile, _ in best}))
        raise ParameterError(
            f"Several profiles fit this file ({names}); its columns are {columns}",
            parameter="profile",
            value="auto",
            remedy=f"Choose one of them. Or: {_HAND}",
        )
    return best[0][1], best[0][2]


def choose_variant(profile: Profile, header: Sequence[str], named: Collection[str] = ()) -> Variant:
    """Choose the variant of a chosen profile that `header` has the columns for.

    `named` are the parameters that name other columns than the profile's, as `Variant.list_columns` calls them.

    Raises
    ------
    ParameterError
        If the file lacks columns of every variant.
    """
    own = profile.number is None
    # Not all files of a known format say when a span ends; who saved a format wants all that it names.
    passed = {*named} if own else {*named, "end"}
    lacking: list[list[str]] = []
    for variant in sorted(profile.variants, key=lambda each: -len(each.signature)):
        needed = [name for key, names in variant.list_columns().items() if key not in passed for name in names]
        missing = [name for name in needed if find_column(name, header) is None]
        if not missing:
            return variant
        lacking.append(missing)
    missing = min(lacking, key=len)
    raise ParameterError(
        f"The file is not in the format {profile.title if own else profile.id!r}: it has no column "
        f"{list_names(missing, _LISTED)}; its columns are {list_names(header, _LISTED)}",
        parameter="profile_file" if own else "profile",
        value=profile.id,
        remedy="Name the columns that take their place, beside the saved format, or choose another"
        if own
        else f"Choose 'auto' to have the format detected. Or: {_HAND}",
    )


def require_column(name: str, header: Sequence[str], parameter: str) -> int:
    """Where the column `name` stands.

    Raises
    ------
    ParameterError
        With the columns there are and the closest names.
    """
    number = find_column(name, header)
    if number is not None:
        return number
    by_plain = {reduce_name(other): other for other in header}
    close = [by_plain[match] for match in difflib.get_close_matches(reduce_name(name), by_plain, n=3, cutoff=0.5)]
    hint = f"Did you mean {' or '.join(show_names(close))}" if close else "Choose one of them"
    raise ParameterError(
        f"The file has no column {name!r} for {parameter}; its columns are {list_names(header, _LISTED)}",
        parameter=parameter,
        value=name,
        remedy=hint,
    )
