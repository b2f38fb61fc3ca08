"""Texts that people see: translated where they are shown, names cleaned and cut, numbers with their nouns.

Data keep their names as they are; only what is shown of them passes through here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

#: Letters of a name that are shown.
NAME_LENGTH = 60
#: Names of a list that are shown.
_NAMES = 5
#: What no one sees, or what turns the text around it: marks of direction, of width zero, tags, line separators. Joiners
#: stay, since some scripts need them, and so do line ends and tabs.
_UNSEEN = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
#: They stand alone in file names that are no valid text: no file of UTF-8 can hold them.
_HALVES = re.compile("[\ud800-\udfff]")
#: What a sentence ends with.
_STOPS = (".", "!", "?", ":", "…")
_BLANKS = {ord(letter): " " for letter in "\n\t"}


def tr(text: str) -> str:
    """Mark a text for Qt's lupdate; translation happens where it is shown."""
    return text


def clean_text(text: str) -> str:
    """Take out of a text what no one sees, or what turns the text around it; line ends and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    return make_writable(_CONTROLS.sub(" ", _UNSEEN.sub("", text)))


def end_sentence(text: str) -> str:
    """End a text with a stop where it has none."""
    return text if text.endswith(_STOPS) or not text else f"{text}."


def make_writable(text: str) -> str:
    """Leave out what no text of a file can hold: zeros, and halves of a pair."""
    return _HALVES.sub("\N{REPLACEMENT CHARACTER}", text.replace("\0", ""))


def replace_controls(text: str) -> str:
    """Replace line ends and what no text of a file may hold, and keep all else as it is."""
    return make_writable(_CONTROLS.sub(" ", text.translate(_BLANKS)))


def show_name(name: object, most: int = NAME_LENGTH) -> str:
    """Make a name that users or files gave fit to be shown: on one line, cut with an ellipsis, nothing hidden in it.

    QGIS computes ``[% expressions %]`` in names of layers and in legends: they are no expressions any more.
    """
    # Of a text of megabytes the beginning will do.
    plain = " ".join(clean_text(str(name)[: 4 * most]).split()).replace("[%", "[ %")
    return plain[: most - 1] + "…" if len(plain) > most else plain or "(blank)"


def show_names(names: Iterable[object]) -> list[str]:
    """Make names fit to be shown; see `show_name`."""
    return [show_name(name) for name in names]


def list_names(names: Sequence[object], most: int = _NAMES, between: str = ", ") -> str:
    """List the first names, fit to be shown, and how many more there are."""
    rest = len(names) - most
    return between.join(show_names(names[:most])) + (f" and {rest:,} more" if rest > 0 else "")


def list_values(values: Sequence[object], most: int = _NAMES) -> str:
    """List values, which may hold commas themselves, as parameters take them: with semicolons between."""
    return list_names(values, most, "; ")


def count_text(number: float, one: str, many: str = "") -> str:
    """Say how many of something there are: "1 incident", "2,000 incidents"; "1 month is", "2 months are"."""
    return f"{format_amount(number)} {one if number == 1 else many or one + 's'}"


def part_text(part: float, whole: float, noun: str, one: str = "", many: str = "") -> str:
    """Say how many of how many there are, and what they do: "1 of 60 maps is a gap", "2 of 60 maps are gaps"."""
    return f"{format_amount(part)} of {count_text(whole, noun)} {one if part == 1 else many}".rstrip()


def none_text(whole: float, noun: str, does: str, does_not: str) -> str:
    """Say that none of so many does something: "None of the 60 rows can", "The only row cannot"."""
    return f"The only {noun} {does_not}" if whole == 1 else f"None of the {count_text(whole, noun)} {does}"


def format_amount(number: float) -> str:
    """Format a number of things, whole or not, with its thousands."""
    return f"{number:,.0f}" if number == round(number) else f"{number:,.4g}"
