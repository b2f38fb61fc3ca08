"""Mobility by day and region, as medians of the month before; gaps filled from later days, or from earlier ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...contract.choices import StudyFilling
from ...contract.dates import format_moment
from ...ground.errors import DataError

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Mobility:
    """A table of days and regions.

    Attributes
    ----------
    rows : DataFrame
        Columns `region` and `day` (datetime64), and those of `names`; in the order of the file.
    names : tuple of str
    region_of : ndarray of str, shape (N,)
        The region of each area.
    """

    rows: pd.DataFrame
    names: tuple[str, ...]
    region_of: NDArray[np.str_]

    def compute_medians(self, month: np.datetime64, filling: StudyFilling) -> Floats:
        """Compute the medians of a month for each area, shape (N, names).

        ``backward`` fills a gap with the next row of the table, as published: a later day, or behind the last day of a
        region the first of the next one. ``forward`` fills it with the last day known in the region.
        """
        values = list(self.names)
        filled = self.rows.copy()
        if filling == "backward":
            filled[values] = filled[values].bfill()
        else:
            filled[values] = filled.groupby("region", sort=False)[values].ffill()
        of_month = filled[filled["day"].to_numpy().astype("datetime64[M]") == month]
        medians = of_month.groupby("region")[values].median()
        found = medians.reindex(self.region_of)
        # A region without a row in the month is taken as the middle one.
        return found.fillna(medians.median()).to_numpy(dtype=np.float64)

    def check(self, months: NDArray[np.datetime64]) -> None:
        """Refuse months of which nothing is known.

        Raises
        ------
        DataError
        """
        known = self.rows.dropna()["day"].to_numpy().astype("datetime64[M]")
        missing = months[~np.isin(months, known)]
        if len(missing):
            raise DataError(
                f"The table of mobility has nothing of {format_moment(missing[0].astype('datetime64[s]'), 'month')}, and each month takes that"
                " of the month before",
                parameter="mobility",
                value=str(missing[0]),
                remedy="Leave mobility out, or give incidents of the months that it covers",
            )
