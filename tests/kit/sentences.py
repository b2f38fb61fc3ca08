"""The rules for every sentence that a report or a log says, as far as a test can hold them.

`find_faults` says which a text breaks. Quoted data ('…') and settings to be copied (NAME=value) are not sentences.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

#: What the house counts.
_PLAIN = (
    "area band bin block card cell character column coordinate copy count crime cube date day edge epoch event feature "
    "field figure file fit fold forecast format gap grid group "
    "hour hotspot incident layer letter line map member minute model "
    "month name neighbour network offset parameter pair part people place point polygon position probability query "
    "question raster reason repeat row second seed sheet space stack step stray table test tile time tree value "
    "warning week window word year metre percentile share stage street"
)
#: One, and many.
NOUNS = {noun: noun[:-1] + "ies" if noun.endswith("y") and noun != "day" else noun + "s" for noun in _PLAIN.split()} | {
    "category": "categories",
    "class": "classes",
    "index": "indexes",
    "address": "addresses",
    "person": "persons",
}
_ONE = "|".join(NOUNS)
_MANY = "|".join(NOUNS.values())
#: What may stand between a number and its noun; a preposition, a unit or a verb ends the count.
_BETWEEN = (
    r"(?:(?!(?:of|in|to|and|or|a|an|the|per|by|at|on|for|with|from|is|was|has|are|were|had|that|which|this|over|each|km"
    r"|m|h|s|mm|GB|MB|x)"
    r"\b)[a-z][a-z-]* ){0,2}?"
)
#: Numbers of two digits and more, and all but one, with their thousands.
_NOT_ONE = r"(?<![\d.,:/–-])(?:0|[2-9]|[1-9]\d[\d,]*|\d[\d,]*\.\d+)"
_JUST_ONE = r"(?<![\d.,:/–-])1"
_VERBS = {"are": "is", "were": "was", "have": "has", "lie": "lies", "hold": "holds", "do": "does", "need": "needs"}
_OF_MANY, _OF_ONE = "|".join(_VERBS), "|".join(_VERBS.values())

_RULES: tuple[tuple[str, str], ...] = (
    (rf"{_JUST_ONE} {_BETWEEN}(?:{_MANY})\b", "one of many"),
    (rf"{_NOT_ONE} {_BETWEEN}(?:{_ONE})\b(?![-'’]| (?:{_MANY})\b)", "many of one"),
    (rf"(?<!of ){_JUST_ONE} {_BETWEEN}(?:{_ONE}) (?:{_OF_MANY})\b", "one … are"),
    (rf"(?<!of )(?<!of the )(?<!of all ){_NOT_ONE} {_BETWEEN}(?:{_MANY}) (?:{_OF_ONE})\b", "many … is"),
    (rf"{_JUST_ONE} of (?:the )?[\d,]+ {_BETWEEN}(?:{_MANY}) (?:{_OF_MANY})\b", "one of … are"),
    (rf"{_NOT_ONE} of (?:the )?[\d,]+ {_BETWEEN}(?:{_MANY}) (?:{_OF_ONE})\b", "many of … is"),
    (r"\(s\)", "a plural in brackets"),
    (r"\b(?:days?|hours?|weeks?|months?|maps?) 1\b(?! of)", "a number behind its noun"),
    (r"[,:;] ?[.;,)]|\(\s*\)|: and\b|, and [.,;]|^\W*$", "an empty list"),
    (r"\bBand \d+\b|\(Gray\)", "a band of a raster"),
    (r"\b\d{4}-\d{2}-\d{2}|\bnot included\b|\d T\d{2}:\d{2}", "a date that is not said as people say it"),
    (r"\b(?:None(?! of)|nan|NaN|(?:True|False)(?! [a-z])|inf)\b", "a value of Python"),
    (r"\bnp\.|numpy\.|datetime64|\barray\(|dtype|<class|object at 0x|\{'|\['", "a value of Python"),
    (r"(?<=\S)  +(?=\S)", "two blanks"),
    (r" [.,;:](?!\w)", "a blank before a stop"),
    (r"\.\.(?!\.)|,,|\.,", "two stops"),
)
_COMPILED = [(re.compile(pattern), why) for pattern, why in _RULES]
_DECIMAL = re.compile(r"(?<![\w.,/-])\d[\d,]*\.\d+(?![.\w]*\.?\d)")
#: Figures of a number in a sentence, beside the zeros before them.
_DIGITS = 4
_QUOTED = re.compile(
    r"(?<!\w)'[^']*'(?!\w)|\b[A-Z][A-Z_]+(?:=| to )\d{4}-\S+|\b[A-Z][A-Z_]+=\S+|(?<!\w)/[^\s,;]+/[^\s,;]+"
)
_STOPS = (".", "!", "?", ":", "…", "”", ")")
_BETTER = re.compile(r"\b[Bb]etter\b")
#: "Not distinguishably better" claims nothing.
_DENIED = re.compile(r"\b(?:no|not|none|neither|nothing|smaller is|larger is)\b", re.IGNORECASE)
_CATCH = re.compile(r"\d[\d,.]* of \d")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-ZÀ-Þ])")


def find_faults(text: str, *, judges: bool = False, ends: bool = True, prose: bool = True) -> list[str]:
    """Find which rules a text breaks, each with the words that do.

    Parameters
    ----------
    text : str
    judges : bool
        It says how good a forecast is: beside the word *better* stands what is caught, in the same sentence.
    ends : bool
        It is made of sentences: it ends with a stop.
    prose : bool
        Its figures are to be read, not looked up: they are short.
    """
    plain = _QUOTED.sub("…", " ".join(text.split(" ")).replace("\N{NO-BREAK SPACE}", " ").strip())
    faults = [f"{why}: {found[0]!r}" for rule, why in _COMPILED for found in rule.finditer(plain)]
    if prose:
        long = [number for number in _DECIMAL.findall(plain) if _count_figures(number) > _DIGITS]
        faults += [f"too many figures: {number}" for number in long]
    if ends and not plain.endswith(_STOPS):
        faults.append(f"no stop at the end: {plain[-20:]!r}")
    if judges:
        sentences = _SENTENCE.split(plain)
        faults += [f"better without the catch: {each!r}" for each in sentences if _lacks_catch(each)]
    return faults


def _lacks_catch(sentence: str) -> bool:
    found = _BETTER.search(sentence)
    return found is not None and not _DENIED.search(sentence[: found.start()]) and not _CATCH.search(sentence)


def _count_figures(number: str) -> int:
    return len(number.replace(",", "").replace(".", "").lstrip("0"))


class Block(NamedTuple):
    """A text of a page: in which tag it stands, of which class, below which heading."""

    tag: str
    classes: str
    heading: str
    text: str

    @property
    def is_prose(self) -> bool:
        """Whether it is made of sentences."""
        return self.tag in ("p", "li", "figcaption") and self.classes != "sub"


#: Tags whose text is one for itself.
_BLOCKS = (
    "p",
    "li",
    "figcaption",
    "td",
    "th",
    "h1",
    "h2",
    "h3",
    "summary",
    "pre",
    "div",
    "b",
    "span",
    "title",
    "footer",
)
_ALONE = ("div", "b", "span")


class _Blocks(HTMLParser):
    def __init__(self, source: str) -> None:
        super().__init__()
        self.found: list[Block] = []
        self._open: list[tuple[str, str]] = []
        self._texts: list[str] = []
        self._heading = ""
        self._style = False
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._style = tag == "style"
        inside = any(each in ("p", "li", "td") for each, _ in self._open)
        if tag in _BLOCKS and not (tag in _ALONE and inside):
            self._open.append((tag, dict(attrs).get("class") or ""))
            self._texts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._style = False
        if not self._open or self._open[-1][0] != tag:
            return
        (name, classes), text = self._open.pop(), " ".join(self._texts.pop().split())
        if name in ("h1", "h2"):
            self._heading = text
        if text:
            self.found.append(Block(name, classes, self._heading, text))

    def handle_data(self, data: str) -> None:
        if self._texts and not self._style:
            self._texts[-1] += data


def list_blocks(path: Path) -> list[Block]:
    """List the texts of a report; parameters as they were given, and lines to be copied, are none."""
    found = _Blocks(path.read_text(encoding="utf-8")).found
    return [block for block in found if block.heading != "Parameters" and block.tag != "pre"]


def find_faults_of_report(path: Path) -> list[str]:
    """Find the rules that a report breaks, each with the text that does."""
    found = []
    for block in list_blocks(path):
        judges = block.is_prose and block.classes.startswith("verdict")
        faults = find_faults(block.text, judges=judges, ends=block.is_prose, prose=block.is_prose)
        # An empty cell, a dash, a name.
        faults = [fault for fault in faults if block.is_prose or not fault.startswith("an empty list: ")]
        found += [f"{fault} in <{block.tag}> {block.text[:160]}" for fault in faults]
    return found


def list_bare_counts(path: Path) -> Iterator[str]:
    """List the places where a number is put before a noun that is always of many: "{n} maps" says "1 maps" one day.

    Numbers in capitals are constants, and none of them is 1.
    """
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            for number, text in zip(node.values, node.values[1:], strict=False):
                if not isinstance(number, ast.FormattedValue) or not isinstance(text, ast.Constant):
                    continue
                if (found := _BARE.match(str(text.value))) and not _is_fine(number.value):
                    yield f"{path.name}:{number.lineno}: {{{ast.unparse(number.value)}}}{found[0]}"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from (f"{path.name}:{node.lineno}: {found[0]}" for found in _GAP.finditer(node.value))


#: A noun of many behind a number; "x has rows" and "5 times finer" count nothing that may be one.
_BARE = re.compile(rf" (?!holds |names ){_BETWEEN}(?!times\b)(?:{_MANY})\b")
_GAP = re.compile(rf"\{{(?!(?:name|settings)\b)[a-z_]+\}} {_BETWEEN}(?!times\b)(?:{_MANY})\b")


#: They say how many, and of what, themselves.
_HELPERS = ("count_text", "part_text", "none_text", "format_change")


def _is_fine(value: ast.expr) -> bool:
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in _HELPERS:
        return True
    name = value.attr if isinstance(value, ast.Attribute) else value.id if isinstance(value, ast.Name) else ""
    return name.isupper()
