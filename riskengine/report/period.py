"""The report of a chosen period: monthly counts, and the months that were kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.patches import Patch

from ..ground.artefacts import whole_file
from ..intake.incidents import Incidents
from ..maps.period import Period
from .figures import STYLE, label_dates, make_figure, to_data_uri
from .html import render
from .openings import describe_period

KEPT, LEFT_OUT = "#0072B2", "#bfc5cc"


def draw_monthly_chart(period: Period) -> str:
    """Draw bars of the monthly counts, the chosen months in blue; a line at the limit."""
    with mpl.rc_context(STYLE):
        figure = make_figure(9.0, 3.6)
        axes = figure.add_subplot()
        starts = period.months.astype("datetime64[D]")
        days = ((period.months + 1).astype("datetime64[D]") - starts).astype(int)
        colours = np.where(period.chosen, KEPT, LEFT_OUT)
        axes.bar(starts, period.counts, width=days * 0.9, align="edge", color=list(colours))
        axes.axhline(period.limit, color="#D55E00", linestyle="--", linewidth=1.4)
        axes.set_ylabel("incidents a month")
        axes.set_ylim(bottom=0)
        axes.set_axisbelow(True)
        label_dates(axes)
        axes.grid(visible=False, axis="x")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        line = axes.get_lines()[0]
        axes.legend(
            [Patch(color=KEPT), Patch(color=LEFT_OUT), line],
            ["chosen", "left out", f"at least {period.limit:,.6g} a month"],
            ncols=3,
            loc="lower center",
            bbox_to_anchor=(0.5, 1.0),
        )
        return to_data_uri(figure)


def write_period_report(
    path: str | Path,
    period: Period,
    incidents: Incidents,
    refused: int,
    parameters: dict[str, Any],
    parameter: str = "report",
) -> None:
    """Write the report.

    Parameters
    ----------
    path : path
    period : Period
    incidents : Incidents
        All that the period was chosen from.
    refused : int
        Features that could not be used at all.
    parameters : dict
        As the job got them.
    """
    years = sorted({int(str(month)[:4]) for month in period.months})
    by_month = {
        str(month): (int(count), bool(kept))
        for month, count, kept in zip(period.months, period.counts, period.chosen, strict=True)
    }
    first, last = incidents.span
    values = {
        "opening": describe_period(period, len(incidents)),
        "period": period,
        "total": len(incidents),
        "refused": refused,
        "first": first,
        "exactness": incidents.exactness,
        "last": last,
        "chart": draw_monthly_chart(period),
        "rows": [(year, [by_month.get(f"{year}-{month:02}") for month in range(1, 13)]) for year in years],
        "kept_months": int(period.chosen.sum()),
        "empty_months": int((period.counts == 0).sum()),
        "by_median": parameters.get("least") is None,
        "parameters": parameters,
    }
    text = render("period.html", values)
    with whole_file(path, parameter) as temporary:
        temporary.write_text(text, encoding="utf-8")
