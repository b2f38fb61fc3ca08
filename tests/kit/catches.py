"""Tests of the catch made up for the tests of sentences and pages: chosen places and incidents that tests write."""

from __future__ import annotations

import numpy as np

from riskengine.contract.aims import Catch
from riskengine.evaluation.caught import CatchJudged, Caught
from riskengine.evaluation.judged import Judged
from riskengine.evaluation.layout import choose_units
from riskengine.evaluation.plan import Plan
from riskengine.evaluation.scoring import score_model
from riskengine.maps.panel import Panel
from riskengine.maps.windows import gather_windows
from riskengine.measures.places import count_most, measure_stability


def make_judged_catch(
    panel: Panel,
    expected: dict[str, np.ndarray],
    first: int,
    window: int,
    cells: int,
    moved: dict[str, list[int]] | None = None,
) -> Judged:
    """Make what a test of the catch gives, of models that expect the same in every window.

    Parameters
    ----------
    panel : Panel
        Of units of one size.
    expected : dict of str to ndarray, shape of the units
        By model, that which is compared first is first; those of which most is expected are chosen.
    first, window : int
        Bin that the first window begins with, and its bins.
    cells : int
        Units that are chosen.
    moved : dict of str to list of int, optional
        How many more or fewer each model caught at further positions of the grid, in the first bin of the test.
    """
    starts = np.arange(first, len(panel) - window + 1, window)
    windows = gather_windows(panel, first, window)
    maps = first // window + np.arange(len(starts))
    size = panel.support.measure_km()[panel.mask]
    catch = Catch(cells, "units", window)
    models, risks = {}, {}
    for name, each in expected.items():
        inside = np.zeros(len(size))
        inside[np.argsort(-each[panel.mask], kind="stable")[:cells]] = 1
        counts = np.stack([panel.counts[start : start + window][:, panel.mask] for start in starts]).astype(float)
        caught, total = counts @ inside, counts.sum(axis=2)
        positions = [caught]
        for more in (moved or {}).get(name, []):
            positions.append(caught.copy())
            positions[-1][0, 0] += more
        parts = np.zeros((len(starts), *panel.mask.shape), np.float32)
        parts[:, panel.mask] = inside
        forecast = np.where(panel.mask, each, np.nan).astype(np.float32)
        most = [count_most(one.sum(axis=0), np.ones(len(size)), float(cells)) for one in counts]
        number = len(positions)
        models[name] = Caught(
            name,
            np.stack(positions),
            np.repeat(total[None], number, axis=0),
            np.repeat(np.array(most)[None], number, axis=0),
            np.full(number, float(size @ inside)),
            np.full(number, float(size.sum())),
            parts,
            np.repeat(forecast[None], len(starts), axis=0),
            measure_stability(parts[:, panel.mask], size),
        )
        risks[name] = np.repeat(-np.expm1(-forecast)[None], len(starts), axis=0)
    units = choose_units(windows)
    scores = {
        name: score_model(name, risk, windows.counts[maps], panel.mask, units=units, block=7, reference=0.2)
        for name, risk in risks.items()
    }
    baselines = [name for name in expected if name in ("constant", "prior_counts", "recent_counts")]
    plan = Plan(int(maps[0]), 1, 0, (0,))
    judged = Judged(windows, plan, maps, risks, scores, 7, baselines, next(iter(expected)))
    judged.seconds, judged.units = dict.fromkeys(expected, 1.0), units
    positions = max(len(each.caught) for each in models.values())
    offsets = tuple((number / positions, 0.0) for number in range(positions))
    judged.catch = CatchJudged(catch, panel, starts, models, offsets)
    return judged
