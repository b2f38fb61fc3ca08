"""Which values of a field are the outcome: as the user says, or proposed from the values themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...contract.texts import count_text, list_names, show_name
from ...ground.errors import DataError, ParameterError
from .coding import merge_labels
from .reported import mark_rows, reduce_words
from .rows import MISSING, Coded

#: Words of a field that says yes or no.
_YES = frozenset(
    ("true", "yes", "y", "t", "1", "si", "s", "x", "ja", "j", "oui", "wahr", "verdadero", "made", "arrested")
)
_NO = frozenset(
    (
        *("false", "no", "n", "f", "0", "nein", "non", "falsch", "falso", "none"),
        *("not arrested", "not made", "no arrest"),
    )
)
#: Words of values that are an outcome such as an arrest, since somebody was brought before the law; and of those that
#: are none whatever else they say.
_OUTCOME = re.compile(
    r"\b(?:arrest|arrested|booked|cited|cleared by arrest|closed by arrest|charged|summons(?:ed)?|cautioned|caution"
    r"|penalty notice|offender (?:sent|given|fined|deprived|otherwise)|awaiting court|court (?:case|result)"
    r"|local resolution|convicted|sentenced|in custody|detenid[oa]s?|consignad[oa]s?|judicializad[oa]s?|vinculad[oa]s?"
    r"|sentencia"
    r"|festgenommen|festnahme|verhaftet|aufgeklart|geklart)\b"
)
_NONE = re.compile(
    r"\b(?:no|not|non|without|unable|never|refus\w*|unfounded|declin\w*|insufficient|sin|ohne|nicht|ungeklart"
    r"|unresolved|exceptional\w*|open|pending arrest|warrant issued|acquitted)\b"
)
#: Of a field of yes and no, the share of rows that may say something else, such as a header in the midst of a file.
_STRAYS = 0.05
#: Values that a sentence lists.
_LISTED = 8
#: Fields of what became of incidents have no more different values.
_MANY = 40


@dataclass(frozen=True)
class OutcomeRule:
    """What counts as the outcome.

    Attributes
    ----------
    field : str
    values : tuple of str
        That count, as the field has them.
    proposed : bool
        Nobody chose them.
    sentence : str
        For the log: which count, how often, and which do not.
    """

    field: str
    values: tuple[str, ...]
    proposed: bool
    sentence: str

    def describe(self, most: int = 3) -> str:
        """Describe what counts, as ``an arrest (Arrest is True)``; of more than `most` values how many more."""
        rest = len(self.values) - most
        named = "; ".join(map(show_name, self.values[:most])) + (f" and {rest:,} more" if rest > 0 else "")
        said = reduce_words(" ".join((self.field, *self.values)))
        arrest = "arrest" in said and _NO.isdisjoint(map(reduce_words, self.values))
        one_of = "one of: " if len(self.values) > 1 else ""
        return f"{'an arrest' if arrest else 'the outcome'} ({show_name(self.field)} is {one_of}{named})"


def propose_values(labels: Sequence[str], rows: Sequence[int] | None = None) -> list[str]:
    """Propose the values that are an outcome such as an arrest; none where the field does not say one.

    Parameters
    ----------
    labels : sequence of str
    rows : sequence of int, optional
        How often each occurs: of a field that nearly always says yes or no, what else it says does not count.

    Examples
    --------
    >>> propose_values(["False", "True"])
    ['True']
    >>> propose_values(["NONE", "ARREST, BOOKED", "COMPLAINANT REFUSES TO PROSECUTE", "JUVENILE CITED"])
    ['ARREST, BOOKED', 'JUVENILE CITED']
    """
    plain = {label: reduce_words(label) for label in labels}
    number = dict(zip(labels, rows or [1] * len(labels), strict=True))
    strays = sum(number[label] for label, each in plain.items() if each not in _YES and each not in _NO)
    if strays <= _STRAYS * sum(number.values()):
        return [label for label, each in plain.items() if each in _YES]
    return [label for label, each in plain.items() if _OUTCOME.search(each) and not _NONE.search(each)]


def make_rule(field: str, coded: Coded, asked: Sequence[str], parameter: str = "outcome_values") -> OutcomeRule | None:
    """Make the rule of a field; None where nothing was asked for and its values say no outcome.

    Parameters
    ----------
    field : str
    coded : Coded
    asked : sequence of str
        Values that the user chose, however their capitals and blanks are.

    Raises
    ------
    ParameterError
        If the field has none of the values that were asked for.
    """
    counts = np.bincount(coded.codes[coded.codes != MISSING], minlength=len(coded.labels))
    by_share = [coded.labels[number] for number in np.argsort(-counts, kind="stable") if counts[number]]
    if asked:
        by_plain: dict[str, list[str]] = {}
        for label in by_share:
            by_plain.setdefault(_reduce(label), []).append(label)
        unknown = [each for each in asked if _reduce(each) not in by_plain]
        if len(unknown) == len(asked):
            raise ParameterError(
                f"The field {show_name(field)} has no value {list_names(unknown)}",
                parameter=parameter,
                value=unknown[0],
                remedy=f"Choose from: {list_names(by_share, 40)}",
            )
        values = [label for each in dict.fromkeys(map(_reduce, asked)) for label in by_plain.get(each, ())]
    else:
        unknown = []
        values = propose_values(by_share, sorted(counts[counts > 0].tolist(), reverse=True))
    if not values:
        return None
    number = dict(zip(coded.labels, counts.tolist(), strict=True))
    sentence = _describe(field, values, by_share, number, not asked)
    if unknown:
        sentence += f". No row has {list_names(unknown)}, which would count"
    return OutcomeRule(field, tuple(values), not asked, sentence)


def apply_rule(rule: OutcomeRule, coded: Coded) -> NDArray[np.bool_]:
    """Which rows have the outcome, shape (N,); those without a value do not."""
    return mark_rows(coded, set(rule.values).__contains__)


def has_values(coded: Coded, asked: Sequence[str]) -> bool:
    """Whether a field has any of these values."""
    return not {_reduce(each) for each in asked}.isdisjoint(map(_reduce, coded.labels))


def unite_truths(coded: Coded) -> Coded:
    """Make ``true`` and ``false`` of labels that say yes or no, however they do; others stay."""
    plain = [reduce_words(label) for label in coded.labels]
    if not all(each in _YES or each in _NO for each in plain):
        return coded
    return merge_labels(coded.codes, ["true" if each in _YES else "false" for each in plain])


def make_rule_error(tried: Mapping[str, Coded]) -> DataError:
    """Make the error of a table of which nothing says what became of incidents."""
    if not tried:
        return DataError(
            "No field of the table says by its name what became of the incidents",
            parameter="outcome_field",
            remedy="Choose the outcome field, such as Arrest or Resolution, and the values that count: OUTCOME_FIELD "
            "and OUTCOME_VALUES",
        )
    field, coded = next(iter(tried.items()))
    if len(coded.labels) == 1:
        return DataError(
            f"All incidents have the same value of {show_name(field)}, {show_name(coded.labels[0])}: nothing tells "
            "those with the outcome from those without",
            parameter="outcome_field",
            value=field,
            remedy="Choose another OUTCOME_FIELD, or a file that holds incidents of both kinds",
        )
    if len(coded.labels) > _MANY:
        return DataError(
            f"The field {show_name(field)} has {count_text(len(coded.labels), 'value')}, such as "
            f"{list_names(coded.labels, _LISTED)}: it does not look like what became of incidents",
            parameter="outcome_field",
            value=field,
            remedy="Choose another OUTCOME_FIELD, or give OUTCOME_VALUES, the values that count",
        )
    return DataError(
        f"The values of {show_name(field)} do not say which of them are the outcome: {list_names(coded.labels, _MANY)}",
        parameter="outcome_values",
        value=field,
        remedy="Give OUTCOME_VALUES, the values that count, separated by semicolons",
    )


def _reduce(text: str) -> str:
    return " ".join(text.split()).casefold()


def _describe(
    field: str, values: Sequence[str], labels: Sequence[str], number: Mapping[str, int], proposed: bool
) -> str:
    """Describe the rule with how often each value occurs."""
    total, happened = sum(number.values()), sum(number[value] for value in values)
    others = [label for label in labels if label not in values]
    said = (
        f"Outcome: {show_name(field)} is {_list_counts(values, number)}, {happened / total:.1%} of "
        f"{count_text(total, 'incident')}"
    )
    if others:
        said += f". Not counted: {_list_counts(others, number)}"
    if proposed:
        said += ". The values were proposed by their words; to change that, give OUTCOME_VALUES"
    return said


def _list_counts(values: Sequence[str], number: Mapping[str, int]) -> str:
    shown = [f"{show_name(value)!r} ({number[value]:,})" for value in values[:_LISTED]]
    rest = len(values) - _LISTED
    return "; ".join(shown) + (f"; and {count_text(rest, 'other value')}" if rest > 0 else "")
