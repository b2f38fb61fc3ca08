"""HTML reports from templates: self-contained, and every text from a user escaped."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from .. import __version__
from ..contract.dates import count_bins, format_moment, format_span
from ..contract.texts import clean_text, count_text, end_sentence, show_name, show_names
from ..maps.area import describe_area
from ..maps.panel import Panel
from .units import count_steps
from .words import SHOWN_CATEGORIES, categories_text, format_change, format_figure, format_percent, format_share

#: A moment as tools hand it to each other.
_ISO_TIME = re.compile(r"\b\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?)?\b")

#: Letters of a parameter's value that are shown.
_SETTING_LENGTH = 400


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        finalize=_clean,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(name=show_name, setting=_show_setting, count=count_text)
    environment.filters.update(number=format_number, percent=format_percent, moment=format_moment, signed=format_change)
    environment.filters.update(figure=format_figure, share=format_share, sentence=end_sentence)
    environment.globals.update(span=format_span)
    return environment


def _show_setting(value: Any) -> str:
    """Show a parameter's value on one line of a table; times as people say them."""
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_show_setting, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "–" if value is None else _ISO_TIME.sub(_say_moment, show_name(value, _SETTING_LENGTH))


def _say_moment(found: re.Match[str]) -> str:
    """A moment as people say it; what only looks like one stays."""
    try:
        return format_moment(found[0])
    except ValueError:
        return found[0]


def _clean(value: Any) -> Any:
    """What every expression of a template passes through."""
    if not isinstance(value, str):
        return value
    text = clean_text(value)
    return Markup(text) if isinstance(value, Markup) else text


def format_number(value: float | None, digits: int = 4) -> str:
    """Format a figure for a table; a dash where there is none."""
    return "–" if value is None or not np.isfinite(value) else f"{value:,.{digits}f}"


def render(template: str, values: dict[str, Any]) -> str:
    """Fill a template of this package."""
    made = format_moment(datetime.now().replace(second=0, microsecond=0))
    return _environment().get_template(template).render(made=made, version=__version__, **values)


def history_of(panel: Panel) -> dict[str, Any]:
    """Collect what a report says of the maps it rests on."""
    counts, mask = panel.counts, panel.mask
    # Map by map: a long stack does not come into memory as a whole.
    incidents = sum(int(counts[number][mask].sum(dtype=np.int64)) for number in np.flatnonzero(panel.observed))
    return {
        "span": format_span(panel.edges[0], panel.edges[-1]),
        "counted": count_steps(panel, len(panel)),
        "unobserved": int((~panel.observed).sum()),
        "incidents": incidents,
        "area": describe_area(panel),
        "categories": categories_text(panel.categories),
        "categories_short": categories_text(panel.categories, SHOWN_CATEGORIES),
        "kind": "binary (at least one incident)" if panel.binary else "counts",
        "filled": panel.filled,
        "delay": count_bins(panel.delay, panel.bin) if panel.delay else "",
        "layers": _list_layers(panel),
    }


def _list_layers(panel: Panel) -> str:
    """Names of what is known beside the counts; of a covariate by bin how late, too."""
    extras = panel.extras
    dated = []
    for each in extras.covariates:
        late = f" (known {count_bins(each.delay, panel.bin)} late)" if each.delay > 0 else ""
        dated.append(show_name(each.name) + late)
    return ", ".join([*show_names((*extras.static_names, *extras.channel_names)), *dated])


def format_crs(crs: str) -> str:
    """Format the name of a CRS given as WKT or authority code, short enough for a table."""
    if '["' in crs:
        return crs.split('["', 1)[1].split('"', 1)[0]
    return crs[:80] or "unknown"
