"""What a backtest found, in sentences: who is distinguishable from the best baseline, and whether there is a signal."""

from __future__ import annotations

import math

from ..contract.forecasters import FORECASTERS, LONG_RUN
from ..evaluation.judged import Judged


def title(name: str) -> str:
    """A model's name for people."""
    return FORECASTERS[name].title if name in FORECASTERS else {"risk": "The given risk map"}.get(name, name)


def sentences(backtest: Judged) -> list[str]:
    """Which models are distinguishable from the best baseline, which are not, and what could not be run."""
    best, maps = backtest.best_baseline, len(backtest.maps)
    failed = [f"{title(name)} could not be run: {why}" for name, why in backtest.failures.items()]
    if not best:
        return [f"No simple baseline was scored on these {maps} maps: how good this is cannot be said.", *failed]
    others = [name for name in backtest.scores if name != best and math.isfinite(backtest.scores[name].log_loss)]
    found: dict[str, list[str]] = {"better": [], "worse": [], "indistinguishable": []}
    few = False
    for name in others:
        difference = backtest.against(name, best)
        few = few or difference.too_few
        found[difference.verdict].append(name)
    lines = [
        f"The best simple baseline is {title(best)}, with a log-loss of {backtest.scores[best].log_loss:.4f} over"
        f" {maps} maps."
    ]
    if few:
        lines.append(f"{maps} maps are too few to tell any model from it.")
    else:
        ends = {
            "better": "Distinguishably better than it",
            "indistinguishable": "Not distinguishable from it",
            "worse": "Distinguishably worse than it",
        }
        for verdict, start in ends.items():
            if found[verdict]:
                names = sorted(found[verdict], key=lambda name: backtest.against(name, best).mean)
                lines.append(f"{start}: {'; '.join(_told(backtest, name, best) for name in names)}.")
        lines.append(signal(backtest))
    lines += [_by_order(backtest, name) for name in backtest.scores if name not in (*others, best)]
    return [line for line in (*lines, *failed) if line]


def _by_order(backtest: Judged, name: str) -> str:
    """How a model without probabilities compares with the baseline that catches most."""
    best = max(backtest.baselines, key=lambda each: backtest.scores[each].area.caught)
    area, plain, hits = backtest.scores[name].area, backtest.scores[best].area, backtest.hits_against(name, best)
    told = "which is distinguishable" if hits.verdict != "indistinguishable" else "which cannot be told from chance"
    if hits.too_few:
        told = f"which {len(backtest.maps)} maps are too few to tell apart"
    return (
        f"{title(name)} gives no probabilities; by its order the riskiest 5 % of the area hold {area.caught:.0f} of"
        f" {area.incidents:.0f} incidents, those of {title(best)} {plain.caught:.0f}, {told}."
    )


def signal(backtest: Judged) -> str:
    """In words, whether anything beyond each place's long-run mean was found; empty where nothing can be said."""
    means = [name for name in LONG_RUN if name in backtest.scores]
    others = [name for name, score in backtest.scores.items() if name not in means and math.isfinite(score.log_loss)]
    if not means or not others or means == ["constant"]:
        return ""
    mean = min(means, key=lambda name: backtest.scores[name].log_loss)
    # Where incidents are rare a place's own mean may say less than that of all places.
    whose = {"constant": "the study area's long-run mean", "kde": "the smoothed mean of each place"}.get(
        mean, "the long-run mean of each place"
    )
    if all(backtest.against(name, mean).too_few for name in others):
        return ""
    better = [name for name in others if backtest.against(name, mean).verdict == "better"]
    if not better:
        return (
            f"No model is distinguishable from {whose} ({title(mean)}) for the better: in these"
            " data these models found no signal beyond it, so it is the one to use."
        )
    best = min(better, key=lambda name: backtest.scores[name].log_loss)
    gain = 1 - backtest.scores[best].log_loss / backtest.scores[mean].log_loss
    return (
        f"There is a signal beyond {whose} ({title(mean)}): {title(best)} lowers its log-loss"
        f" by {100 * gain:.1f} %{', most of the risk being place' if gain < 0.02 else ''}."
    )


def _told(backtest: Judged, name: str, best: str) -> str:
    difference = backtest.against(name, best)
    text = f"{difference.mean:+.5f}, 95 % interval {difference.low:+.5f} to {difference.high:+.5f}"
    return f"{title(name)} ({text.replace('-', chr(0x2212))})"
