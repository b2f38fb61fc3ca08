"""Write docs/tools.md: every tool with its parameters and outputs, from the declarations.

Run with any Python after changing a declaration; a test holds the page to them.
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from riskengine.contract.tools import kinds as kind_of  # noqa: E402
from riskengine.contract.tools import list_tools  # noqa: E402
from riskengine.contract.tools.base import LARGEST_INTEGER, NEEDED, Parameter, Tool, parameters_of  # noqa: E402
from riskengine.contract.tools.forecast import MODELS  # noqa: E402
from riskengine.contract.tools.refusals import choose_shown_factor  # noqa: E402

PAGE = ROOT / "docs" / "tools.md"
HEAD = """# The tools

Every tool of the Processing toolbox with its parameters, so that a command or a model can be written without opening
the dialog. What the tools are for, and in which order to use them, is told by the [user guide](user-guide.md).
`scripts/make_tools_page.py` writes this page from the declarations in `riskengine/contract/tools`.

A choice is given as its number, or by its name (the word in code style). Advanced parameters are marked with a star.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *(section(tool) for tool in sorted(list_tools().values(), key=lambda each: each.TITLE))])


def section(tool: type[Tool]) -> str:
    """One tool."""
    shown = [each for each in parameters_of(tool) if each.shown is not None]
    lines = [f"## {tool.TITLE}", "", *wrapped(f"`crimerisk:{tool.ID}` · {tool.GROUP}. {tool.SUMMARY}"), ""]
    lines += ["| Parameter | What it is | Values | Default |", "|---|---|---|---|"]
    lines += [row(each) for each in shown]
    if tool.OUTPUTS:
        lines += ["", "Returned besides: " + ", ".join(f"`{each.name}` ({each.title})" for each in tool.OUTPUTS) + "."]
        lines[-1:] = wrapped(lines[-1])
    return "\n".join([*lines, ""])


def wrapped(text: str) -> list[str]:
    """A paragraph in lines of at most 120 columns."""
    return textwrap.wrap(text, 120, break_long_words=False, break_on_hyphens=False)


def row(parameter: Parameter) -> str:
    """One parameter as a row of the table."""
    assert parameter.shown is not None
    star = "*" if parameter.shown.advanced else ""
    what = f"{parameter.title}. {parameter.shown.help}".strip()
    return f"| `{parameter.name}`{star} | {what} | {values(parameter)} | {default(parameter)} |".replace("  ", " ")


def values(parameter: Parameter) -> str:
    """What it may be."""
    kind, limits, factor = parameter.kind, parameter.limits, choose_shown_factor(parameter)
    if kind is MODELS:
        return "numbers or names of [forecasters](methods/forecasters.md#settings)"
    if isinstance(kind, kind_of.Choice):
        named = [
            f"{number} {title}" + ("" if name is None or isinstance(name, bool) else f" `{name}`")
            for number, (name, title) in enumerate(kind.titles.items())
        ]
        return "; ".join(named)
    if isinstance(kind, kind_of.Number):
        low = "" if limits.low is None else f"{'above' if limits.above else 'from'} {limits.low * factor:g}"
        unbounded = limits.high is None or limits.high >= LARGEST_INTEGER
        high = "" if unbounded else f"to {limits.high * factor:g}"
        return " ".join(part for part in ("whole number" if parameter.whole else "number", low, high) if part)
    if isinstance(kind, kind_of.File) and kind.ending:
        return f".{kind.ending} file"
    return _WORDS.get(type(kind), "text")


_WORDS = {
    kind_of.Flag: "yes or no",
    kind_of.Moment: "date and time",
    kind_of.Crs: "CRS",
    kind_of.Extent: "extent",
    kind_of.Field: "field",
    kind_of.Expression: "expression",
    kind_of.File: "file",
    kind_of.Files: "files",
    kind_of.Raster: "raster",
    kind_of.MapLayer: "raster or polygons",
    kind_of.Rasters: "rasters",
    kind_of.Incidents: "point layer",
    kind_of.Places: "point or polygon layer",
    kind_of.Polygons: "polygon layer",
    kind_of.Areas: "polygon layer",
    kind_of.RasterDestination: "GeoTIFF written",
    kind_of.FileDestination: "file written",
    kind_of.FolderDestination: "folder written",
    kind_of.VectorDestination: "layer written",
    kind_of.Settings: "`name=value, …` or JSON",
}


def default(parameter: Parameter) -> str:
    """What it is where nothing is given."""
    value = parameter.default
    if isinstance(parameter.kind, kind_of.Crs) and parameter.kind.working:
        return "chosen"
    if value is NEEDED:
        return "needed"
    if value in (None, "", [], {}):
        return "–"
    if isinstance(parameter.kind, kind_of.Choice):
        numbers = [parameter.kind.values.index(each) for each in (value if isinstance(value, list) else [value])]
        return ", ".join(map(str, numbers))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(f"{each:g}" for each in value)
    return f"{value * choose_shown_factor(parameter):g}" if isinstance(value, (int, float)) else str(value)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
