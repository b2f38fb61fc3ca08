"""What scores were counted from: names of layers and layouts say it."""

from __future__ import annotations

import numpy as np

from ...contract.dates import format_days, format_window
from ...intake.incidents import Incidents
from ...maps.counted import tell_counted
from .definition import in_window


def tell_window(incidents: Incidents, days: float, reference: np.datetime64) -> dict[str, str]:
    """Tell QGIS of which window scores are, and how many incidents of which days stood in it."""
    times = incidents.time[in_window(incidents, days, reference)[0]]
    covered = format_days(times.min(), times.max(), incidents.exactness) if len(times) else ""
    first, last = (times.min(), times.max()) if len(times) else (reference, reference)
    return tell_counted(len(times), format_window(days, reference, incidents.exactness, first, last), covered)
