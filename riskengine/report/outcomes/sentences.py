"""What is said of one study of outcome models: sentences that an analyst and a chief can read aloud."""

from __future__ import annotations

import math

from ...contract.dates import format_days, format_moment
from ...contract.outcomes import MODELS, OutcomeSplit
from ...contract.texts import count_text, list_names, show_name
from ...systems.outcomes.judged import OutcomeStudy, Score
from ...systems.outcomes.repeated import SharedNumbers
from ..areas_words import format_hundred
from ..html import format_number
from ..words import format_change, format_percent
from . import words

#: Splits by how much they say of what is to come: the first that was tested stands at the top.
_HEADLINES: tuple[OutcomeSplit, ...] = ("forward", "incident", "blocks", "random")
#: Beyond this difference of the AUC, or this part of the log-loss, a model does not do "almost the same" as a table.
_ALMOST_AUC, _ALMOST_LOSS = 0.02, 0.05


def choose_split(study: OutcomeStudy) -> OutcomeSplit:
    """Choose the split whose figures stand at the top: the one that was asked for, or the one that says most."""
    if study.tested_rows is not None:
        return study.tested_rows.split
    return next(split for split in _HEADLINES if study.find(study.default, split) is not None)


def find_pair(study: OutcomeStudy, model: str) -> tuple[Score, Score | None]:
    """Find the headline scores of a model: of all reports, and of what victims reported where there is a difference."""
    split = choose_split(study)
    every, victims = study.find(model, split), study.find(model, split, "victims")
    assert every is not None
    return every, victims if victims is not None and victims.rows < every.rows else None


def describe_model(study: OutcomeStudy, outcome: str) -> str:
    """Say what the model tells, of all reports and of what victims reported: what the report opens with."""
    every, victims = find_pair(study, study.default)
    named = show_name(outcome) if outcome else "the outcome"
    opening = f"From kind, place and time of an incident this model says how likely {named} is."
    if not _has_both(every):
        ended = "All" if every.base else "None"
        return f"{opening} {ended} of the incidents tested have it, so nothing says whether it tells them apart."
    text = (
        f"{opening} Of 100 pairs of one with it and one without, it gives the first the higher probability in"
        f" {_format_pairs(every)}"
    )
    if victims is not None:
        text += f"; {words.AMONG['victims']} alone, in {_format_pairs(victims)}"
    flatters = "" if every.split != "random" else " This is the test at random, which flatters."
    return f"{text}. A coin does in 50.{flatters}"


def _has_both(score: Score) -> bool:
    """Whether some of the incidents tested had the outcome, and some had not."""
    return 0 < score.base < 1


def _format_pairs(score: Score) -> str:
    return format_hundred(score.figures["auc"].mean)


def describe_verdict(study: OutcomeStudy) -> tuple[str, str]:
    """Say what a table of rates does on the same incidents, and of which class on the page that verdict is."""
    model, victims = find_pair(study, study.default)
    table, table_victims = find_pair(study, study.reference)
    title = MODELS[study.reference].title
    named = f"A table of rates ({title[:1].lower()}{title[1:]})"
    if study.default == study.reference:
        return f"{named} is what was trained: there is nothing simpler beside it.", "unsure"
    if not _has_both(model):
        return f"{named} cannot be compared with it: the incidents tested ended all alike.", "unsure"
    reached, gap = _format_pairs(table), _subtract_auc(model, table)
    if victims is not None and table_victims is not None:
        reached += f" and {_format_pairs(table_victims)}"
        gap = max(gap, _subtract_auc(victims, table_victims))
    change = study.differences.get((study.default, model.split, "all"))
    if change is None or not math.isfinite(change.low):
        return (
            f"{named} has {reached}; there are too few days to tell which of them is nearer to what happened.",
            "unsure",
        )
    measured = f"log-loss less the table’s: {words.format_long_difference(change)}"
    if change.low > 0:
        return f"{named} has {reached}, and its probabilities are nearer to what happened ({measured}).", "worse"
    if change.high >= 0:
        return f"{named} has {reached}: no difference can be told from chance ({measured}).", "unsure"
    gained = 1 - model.figures["log_loss"].mean / table.figures["log_loss"].mean
    same = " does almost the same: it" if gap < _ALMOST_AUC and gained < _ALMOST_LOSS else ""
    return (
        f"{named}{same} has {reached}. The model’s probabilities are nearer to what happened, by"
        f" {format_percent(gained)} of the log-loss ({measured})."
    ), ""


def _subtract_auc(model: Score, table: Score) -> float:
    return model.figures["auc"].mean - table.figures["auc"].mean


def describe_found(study: OutcomeStudy) -> str:
    """Say how much of the outcomes is what police found themselves, and why figures come twice."""
    every, victims = find_pair(study, study.default)
    if victims is None:
        return (
            "None of the categories is one that police find themselves, so all incidents count as victims’ reports."
            " Where that is wrong, name these categories and train again."
        )
    rows = 1 - victims.rows / every.rows
    leak = next((leak for leak in study.leaks if leak.kind == "found_by_police" and leak.names), None)
    names = f" ({list_names(leak.names)})" if leak is not None else ""
    outcomes = "none of the tested ones has the outcome"
    if every.base:
        part = 1 - victims.rows * victims.base / (every.rows * every.base)
        outcomes = f"they have {format_percent(part, 0)} of the outcomes"
    return (
        f"Police found {format_percent(rows, 0)} of these incidents themselves{names}, and {outcomes}."
        f" {words.FOUND_BY_POLICE} So every figure stands twice: of all"
        " incidents, and of what victims reported."
    )


def describe_spans(study: OutcomeStudy) -> str:
    """Say when the incidents are from, and how many were learned from and tested at the top."""
    split = choose_split(study)
    counts = (
        f"{count_text(study.learned[split], 'incident')} to learn from, {study.tested[split]:,} to test"
        if split in study.learned and split in study.tested
        else count_text(find_pair(study, study.default)[0].rows, "test incident")
    )
    when = f"Incidents of {format_days(study.first, study.last)}"
    if split == "forward":
        when += f", tested from {format_moment(study.origin)} on"
    return f"{when}: {counts}. {words.SPLITS[split]}: {_lower(words.WHAT_SPLITS_ARE[split])}"


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def describe_within(study: OutcomeStudy) -> str:
    """Explain the AUC within a category in one sentence, with the model's and the table's."""
    names = (study.default, study.reference)
    model, table = (find_pair(study, name)[0].figures["within_category_auc"].mean for name in names)
    if not math.isfinite(model):
        return ""
    return (
        "Most pairs of an incident with the outcome and one without are of two categories, which any table of rates"
        " tells apart; the AUC within a category asks about pairs of the same category alone, where the category’s rate"
        f" has 0.500: the model has {format_number(model, 3)}, the table {format_number(table, 3)}."
    )


def describe_calibration(study: OutcomeStudy) -> str:
    """Say how far probabilities are off before and after the shift, and what nobody could have known, apart."""
    score = find_pair(study, study.default)[0]
    raw, shifted, oracle = (score.figures[name].mean for name in ("ece", "ece_shifted", "ece_oracle"))
    if not math.isfinite(raw):
        return ""
    text = f"Probabilities are off by {format_number(raw, 3)} on average (expected calibration error)"
    if not math.isfinite(shifted):
        return f"{text}; no shift of the logit was learned."
    shift = f"one shift of the logit by {format_change(score.shift, 2)}, learned on the last days before the test"
    if shifted < raw:
        text += f"; {shift}, brings that down to {format_number(shifted, 3)}"
    else:
        text += f"; {shift}, does not help: {format_number(shifted, 3)}"
    if math.isfinite(oracle):
        text += (
            f". An oracle that learned the shift on the test itself would have {format_number(oracle, 3)}, which nobody"
            " can have in use"
        )
    return f"{text}."


def list_maturity(study: OutcomeStudy) -> list[str]:
    """Say which days training left out because their outcomes were not known; nothing where no test is forward."""
    if not study.origin:
        return []
    if not study.maturity:
        return [
            "Training goes up to the first day of the test: it reads outcomes that were not all known then, which a"
            " model in use cannot. Set a maturity to see what that is worth."
        ]
    days = count_text(study.maturity, "day before the test was", "days before the test were")
    said = f"{days} left out of training, since outcomes were not all known when the test began."
    return [said, *filter(None, [describe_open_test(study)])]


def describe_open_test(study: OutcomeStudy) -> str:
    """Say how much of a test forward in time is younger than the maturity, and the calibration of the rest."""
    found = study.open_test
    if found is None or not found.young_rows:
        return ""
    text = (
        f"The last {count_text(found.young_days, 'day')} of the {found.days:,} that are tested forward in time"
        f" ({found.young_rows:,} of {count_text(found.rows, 'incident')}) are younger than the maturity: their"
        " outcomes that are still to come count as misses, so probabilities and shift may look worse than they are"
    )
    older = found.days - found.young_days
    if math.isnan(found.ece):
        return f"{text}; {count_text(older, 'older day')} are too few to tell how much."
    raw, shifted = format_number(found.ece, 3), format_number(found.ece_shifted, 3)
    return (
        f"{text}; on the {count_text(older, 'day')} before them the calibration error is {raw}, and {shifted} after the"
        " shift."
    )


def describe_shared(shared: SharedNumbers) -> str:
    """Say what rows of one incident do to splits and to intervals by days; empty where there are none."""
    if not shared.rows:
        return ""
    text = (
        f"{_count_shared(shared)}. Drawn at random row by row, such rows are on both sides, which flatters: the split"
        " by incident is the one to read, or switch on MERGE. Intervals by days take all rows of one day together"
    )
    if not shared.apart:
        return text
    apart = count_text(shared.apart, "incident has rows", "incidents have rows")
    return f"{text}; {apart} of several days, for which they are a little too narrow"


def describe_shared_rates(shared: SharedNumbers) -> str:
    """Say what rows of one incident do to intervals of rates; empty where there are none."""
    if not shared.rows:
        return ""
    return (
        f"{_count_shared(shared)}. Intervals of rates take each row for an incident of its own, so they are too narrow:"
        " switch on MERGE"
    )


def _count_shared(shared: SharedNumbers) -> str:
    rows, incidents = count_text(shared.rows, "row"), count_text(shared.incidents, "incident")
    return f"{rows} are of {incidents} with several rows each"


def describe_base(score: Score) -> str:
    """Say how many incidents figures rest on, and their share with the outcome."""
    return f"{count_text(score.rows, 'incident')}, {format_percent(score.base)} with the outcome"
