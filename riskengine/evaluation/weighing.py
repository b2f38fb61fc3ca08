"""Flags by share of something else than area, as of the population: small areas flatter, and crowded ones hide."""

from __future__ import annotations

from dataclasses import replace

from .beside import Weighed
from .flags import DenseFlagging
from .judged import Judged
from .layout import make_units, read_weights
from .scoring import AREA_SHARE, SHARES, make_hits


def weigh(judged: Judged, name: str) -> Weighed:
    """Flag by share of a covariate instead of area, each unit by its incidents per unit of it.

    Raises
    ------
    ParameterError
        If the panel has no such covariate, or it is none to weigh by.
    """
    panel, mask = judged.panel, judged.panel.mask
    origin = max(judged.plan.first - judged.plan.horizon + 1, 0)
    weights = read_weights(panel, name, origin)
    units = judged.units or make_units(panel)
    inner = replace(units, size=weights.ravel()).select(mask.ravel())
    counts = judged.counts[:, mask]
    hits, caught = {}, {}
    for model, risk in judged.risks.items():
        way = DenseFlagging(risk[:, mask], counts, judged.threshold, inner)
        hits[model] = [make_hits(each.share, each, each.total(), judged.block) for each in way.count_shares(SHARES)]
        caught[model] = way.count_by_place(AREA_SHARE)
    return Weighed(name, float(inner.size.sum()), hits, caught, inner.sum_by_place(counts), judged.block)
