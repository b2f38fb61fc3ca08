"""Numbers and names in plain words, as all reports and the log have them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..contract.forecasters import title_of
from ..measures.metrics import AreaHits

#: Categories named below the title; the table names all.
SHOWN_CATEGORIES = 4


def categories_text(categories: Sequence[str], most: int | None = None) -> str:
    """Which categories were counted, beyond `most` only the first; never "all", which nobody recorded."""
    if not categories:
        return "categories not recorded"
    if most is None or len(categories) <= most:
        return ", ".join(categories)
    return f"{', '.join(categories[:most])} and {len(categories) - most} more categories"


def within(name: str) -> str:
    """What a forecaster is called within a sentence: "plain counts", but "ConvLSTM"."""
    title = title_of(name)
    first = title.partition(" ")[0].partition("-")[0]
    return title[:1].lower() + title[1:] if first.istitle() else title


def percent(value: float | None, digits: int = 1) -> str:
    """A share as a percentage; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{100 * value:.{digits}f}\N{NO-BREAK SPACE}%"


def change(value: float, digits: int = 5) -> str:
    """A difference with its sign, a true minus, even where it is rounded to zero; a dash where there is none."""
    if not math.isfinite(value):
        return "–"
    # Adding zero makes of a negative zero a plain one.
    return f"{value + 0.0:+.{digits}f}".replace("-", "\N{MINUS SIGN}")


def count(value: float) -> str:
    """A number of incidents; with a decimal only where ties were shared out."""
    return f"{value:,.0f}" if abs(value - round(value)) < 0.05 else f"{value:,.1f}"


def of_all(hits: AreaHits) -> str:
    """n of N, never the share alone."""
    return f"{percent(hits.hit_rate)} of the incidents ({count(hits.caught)} of {count(hits.incidents)})"


def moment(value: object) -> str:
    """An ISO time for people: no T, no midnight."""
    return str(value).replace("T", " ").removesuffix(":00").removesuffix(" 00:00")


def weights_text(trained_until: str, share: float | None, refitted: bool) -> str:
    """Which maps the model that is kept was fitted on, beside those it was judged on.

    Parameters
    ----------
    trained_until : str
        ISO time: the end of what it was fitted on.
    share : float, optional
        Of the maps, at their begin, that the judged model was fitted on; None for one that was read from a file.
    refitted : bool
        Whether the kept model was fitted again, on all maps.
    """
    end = moment(trained_until)
    if refitted:
        return (
            "The figures are those of the model that did not know the held-out maps. The model that is kept has the"
            f" same settings and was fitted again on all maps up to {end}."
        )
    if share is None:
        return f"The weights are those of the model file, learned from maps before {end}."
    if share == 1:
        return f"The model was fitted on all maps up to {end}."
    return (
        f"The weights are those learned from the first {percent(share, 0)} of the maps, before {end}: the model was not"
        " fitted again on the maps held out."
    )


def maps_text(number: int) -> str:
    """How many maps were judged."""
    return f"{number:,} test {'map' if number == 1 else 'maps'}"
