"""What a model card keeps of the catch in held-out windows, and the sentence that reads it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ..contract.dates import count_windows, name_window
from ..contract.texts import count_text, part_text
from ..evaluation.judged import Judged
from ..maps.bins import multiply_bin
from ..maps.panel import Panel
from ..measures.compare import Difference
from ..systems.hotspots.chosen import Chosen
from .catch_numbers import compare_catches, find_rival, read_catch
from .units import units_of, words_of
from .verdicts import PLAINLY, format_points, verdict_of_hits
from .words import format_count, format_figure, format_share, inner_title_of


def note_caught(judged: Judged) -> dict[str, Any]:
    """Note what the judged model caught in held-out windows; see `riskengine.forecasters.heldout.CaughtNote`."""
    catch, name = read_catch(judged), judged.model
    found, rival = catch.models[name], find_rival(judged, name)
    change = compare_catches(judged, name, rival) if rival and found.total else None
    verdict = "nothing" if not found.total else "alone" if change is None else verdict_of_hits(change)
    return {
        "windows": len(catch.starts),
        "window": catch.catch.window,
        "bin": catch.panel.bin,
        "kind": judged.panel.support.kind,
        "unit": catch.catch.unit,
        "units": float(found.parts[:, judged.panel.mask].sum() / len(found.parts)),
        "flagged": float(found.flagged.mean()),
        "size": float(found.cells.mean()),
        "caught": found.n,
        "incidents": found.total,
        "most": float(found.most.sum(axis=1).mean()),
        "baseline": rival,
        "baseline_caught": catch.models[rival].n if rival else 0.0,
        "verdict": verdict,
        "change": change and note_difference(change),
    }


def note_difference(change: Difference) -> dict[str, Any]:
    """Note a difference of hit rates: limits that it has not have none in a file, and intervals over time alone no
    places."""
    noted = {name: value if math.isfinite(value) else None for name, value in asdict(change).items()}
    return {name: value for name, value in noted.items() if name != "places" or value}


def read_difference(note: Mapping[str, Any]) -> Difference:
    """Read what `note_difference` noted."""
    limits = {"low": -math.inf, "high": math.inf}
    known: dict[str, Any] = {name: limits[name] if value is None else value for name, value in note.items()}
    return Difference(**known)


def describe_caught(note: Mapping[str, Any]) -> str:
    """Describe what a model caught in held-out windows, beside prior counts, from the note of its card."""
    words, length = words_of(note["kind"]), multiply_bin(note["bin"], note["window"])
    when = count_windows(note["windows"], length)
    share = format_share(note["flagged"] / note["size"] if note["size"] else math.nan)
    number = max(round(note["units"]), 1)
    chosen = words.noun if number == 1 else count_text(number, words.noun)
    each = "" if note["windows"] == 1 else f" for each {name_window(length)}"
    where = f"the {chosen} chosen{each}, {share} of the {words.whole},"
    if not note["incidents"]:
        return f"Tried on {when} held out: no incident happened, so nothing can be said about its catch."
    held = part_text(round(note["caught"]), round(note["incidents"]), "incident")
    said = f"Tried on {when} held out: {where} held {held}"
    if not note["baseline"]:
        return f"{said}."
    # Cells are all alike; areas are counted, or measured in km².
    amount = words.many if note.get("unit") == "units" else words.amount
    beside = f"{inner_title_of(note['baseline'])} at as many {amount} {format_count(note['baseline_caught'])}"
    said += f", {beside}"
    if not (change := note["change"]):
        return f"{said}."
    return f"{said} ({format_points(read_difference(change))}: {PLAINLY[note['verdict']]})."


def describe_chosen(chosen: Chosen, panel: Panel) -> str:
    """Describe the places that were chosen for a window: how many, how large, and what is expected there."""
    words, number = units_of(panel), len(chosen.units)
    size = f"{format_figure(float(chosen.km2.sum()))} {words.measure}, {format_share(float(chosen.share[-1]))}"
    expected, share = float(chosen.expected.sum()), float(chosen.expected_share[-1])
    total = count_text(float(f"{chosen.total:.3g}"), "incident")
    return (
        f"{count_text(number, words.noun)} ({size} of the {words.whole}) {'is' if number == 1 else 'are'} expected to"
        f" hold {format_figure(expected)} of {total}, {format_share(share)}"
    )
