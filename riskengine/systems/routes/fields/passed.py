"""Incidents that a way passes: those within a distance of it, each counted once along a straight street."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.signal import oaconvolve

from ....contract.routes import Spread
from .kernel import Floats, KernelField

#: Looks at the kernel along each side of a cell, of which the mean is taken: at its rim it has no limit.
_LOOKS = 20
#: Share of each incident that is spread by a Gaussian first, as wide as the distance: what happened somewhere says
#: something of the streets around, too. Chosen on Baltimore, 2012 to 2014: within 100 m .005 worse than without it,
#: within 200 m .07 better.
_AROUND = 0.5


class PassedField(KernelField):
    """Incidents passed per metre and year.

    An incident is spread so that along a straight line it adds up to one wherever the line is nearer than the distance,
    and to nothing beyond: by 1 ÷ (π √(R² − r²)) at r metres from it. So the exposure of a way is the number of
    incidents within the distance, where a density counts an incident the more, the nearer it is to the way. Half of
    each incident is spread by a Gaussian first.
    """

    unit = "incidents passed per metre and year"
    what, width = "passes of", "within"
    cells_in_kernel = 10

    def spread(self, counts: Floats, kernel: float, cell: float) -> Floats:
        """The incidents passed per metre at the nodes of a grid, from the incidents at each of them."""
        mixed = (1 - _AROUND) * counts + _AROUND * gaussian_filter(counts, kernel / cell, mode="constant")
        # Fourier transforms leave values just below nothing.
        return np.asarray(np.maximum(oaconvolve(mixed, compute_passing(kernel, cell), mode="same"), 0.0))


def compute_passing(distance: float, cell: float) -> Floats:
    """What an incident adds to each metre at the nodes around it, shape (n, n), the incident in the middle."""
    far = int(distance / cell) + 1
    looks = (np.arange(_LOOKS) + 0.5) / _LOOKS - 0.5
    at = (np.arange(-far, far + 1)[:, None] + looks).ravel() * cell
    inside = distance**2 - at[:, None] ** 2 - at**2
    with np.errstate(divide="ignore", invalid="ignore"):
        passing = np.where(inside > 0, 1 / (np.pi * np.sqrt(inside)), 0.0)
    means = passing.reshape(2 * far + 1, _LOOKS, 2 * far + 1, _LOOKS).mean(axis=(1, 3))
    # An incident adds up to one on each line nearer than the distance: twice the distance over all lines.
    return np.asarray(means * (2 * distance / (means.sum() * cell**2)))


#: By how incidents are spread.
FIELDS: Mapping[Spread, type[KernelField]] = {"gaussian": KernelField, "passed": PassedField}
