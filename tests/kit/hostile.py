"""Names that users, files and pranksters give, and what must not be seen of them in anything that people read."""

from __future__ import annotations

import re
import unicodedata

from .pages import Page

#: By what they try.
HOSTILE: dict[str, str] = {
    "script": '<script>alert("x")</script>',
    "image": "<img src=x onerror=alert(1)>",
    "entity": "&lt;b&gt; &amp; &#x202e;",
    "attribute": "\" onmouseover='alert(1)' x=\"",
    "expression": "[% env('HOME') %]",
    "template": "{{ 7 * 7 }} {% raw %} ${7 * 7} %s {0} {name}",
    "formula": '=HYPERLINK("http://example.org","x")',
    "command": "@SUM(1+1)*cmd|' /C calc'!A0",
    "plus": "+1+1",
    "minus": "-2+3",
    "right to left": "abc\u202egnp.exe",
    "isolates": "\u2066a\u2067b\u2069\u061c",
    "zero width": "in\u200bvi\u2060si\ufeffble",
    "nothing": "\u200b\u200e",
    "line ends": "two\nlines\r\nand\ta tab\u2028more",
    "controls": "bell\x07 escape\x1b[31m delete\x7f next\x85",
    "nul": "before\x00after",
    "long word": "x" * 10_000,
    "long": "many words " * 1_000,
    "quotes": 'O\'Brien "the" `cat`; DROP TABLE incidents; --',
    "backslashes": "C:\\temp\\new\\u0041",
    "emoji": "\N{HOCHO}\N{FACE WITH TEARS OF JOY}\N{WOMAN}\u200d\N{PERSONAL COMPUTER}",
    "mathtext": "$x^2$ $\\frac{1}{0}$ $",
    "arabic": "سرقة",
    "zalgo": "z" + "\u0351\u0346" * 40 + "algo",
    "half a pair": "lone \ud83d half",
}
#: No text of a file in UTF-8, and no JSON of QGIS's, holds half a pair; names of files do.
WRITABLE = {key: name for key, name in HOSTILE.items() if key != "half a pair"}
#: No name of a file may hold these, or be as long.
FILE_NAMES = {key: name[:60].replace("/", "_").replace("\x00", "") for key, name in HOSTILE.items() if key != "nul"}
#: The longest run of letters without a break that a page may hold: with the ellipsis.
_LONGEST = 70
_JOINERS = "\u200c\u200d"


def list_unseen(text: str) -> list[str]:
    """List the letters of a text that no one sees, or that turn what is around them."""
    return [
        f"U+{ord(letter):04X}"
        for letter in text
        if unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp") and letter not in "\n\t\r" + _JOINERS
    ]


def list_long_words(text: str) -> list[str]:
    """List words that would break the page they stand on."""
    return [f"{word[:20]}… of {len(word)}" for word in text.split() if len(word) > _LONGEST]


def find_faults_of_page(page: Page) -> list[str]:
    """Find what a hostile name has done to a report."""
    faults = [f"a tag {tag} is open" for tag in page.open]
    faults += [f"a tag {tag}" for tag in page.tags if tag in ("script", "iframe", "object", "a href")]
    faults += [f"it fetches {link[:40]}" for link in page.links if not link.startswith(("data:image/", "#"))]
    faults += [f"an attribute {found}" for found in re.findall(r"<[a-z]+[^>]*\s(on[a-z]+)=", page.source)]
    faults += [f"{letter} in the source" for letter in list_unseen(page.source)]
    return faults + list_long_words(" ".join(page.texts))
