"""Reports, read as a browser reads them."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from pathlib import Path

_SVG = "data:image/svg+xml;base64,"


def collapse_blanks(text: str) -> str:
    """Write a text with one blank wherever there is white space."""
    return " ".join(text.replace("\N{NO-BREAK SPACE}", " ").split())


def read_figure(link: str) -> str:
    """Read the SVG of a figure; matplotlib writes each text that it draws as a comment, too."""
    assert link.startswith(_SVG)
    return base64.b64decode(link.removeprefix(_SVG)).decode("utf-8")


class Page(HTMLParser):
    """Tags, those left open, everything a browser would fetch, texts of images, the text, and the rows of tables.

    Also the classes of the elements beside their tags, the large text of each tile, and what is copied and not read.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.source = path.read_text(encoding="utf-8")
        self.open: list[str] = []
        self.links: list[str] = []
        self.alts: list[str] = []
        self.tags: list[str] = []
        self.rows: list[list[str]] = []
        self.text = self.copied = ""
        self.elements: list[tuple[str, str]] = []
        self.tiles: list[str] = []
        self.lead = ""
        self.texts: list[str] = []
        self.feed(self.source)
        self.text, self.lead = collapse_blanks(self.text), collapse_blanks(self.lead)
        self.rows = [[collapse_blanks(cell) for cell in row] for row in self.rows]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = dict(attrs)
        self.elements.append((tag, given.get("class") or ""))
        if tag == "b" and ("div", "tile") in self.elements[-2:]:
            self.tiles.append("")
        self.links += [given[name] or "" for name in ("src", "href", "srcset", "action") if name in given]
        if tag == "img":
            self.alts.append(given.get("alt") or "")
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
        if tag not in ("meta", "img", "br", "wbr", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" in self.open:
            return
        self.text += data
        if "pre" in self.open:
            self.copied += data
        if self.open[-1:] == ["b"] and self.elements[-2:] == [("div", "tile"), ("b", "")]:
            self.tiles[-1] += data
        if self.elements[-1:] == [("p", "lead")]:
            self.lead += data
        self.texts.append(data)
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data + " "

    def check_order(self, has_map: bool = True) -> None:
        """Fail unless a sentence comes first, then the map, then figures of three digits; no ISO date is to be read."""
        heading = self.tags.index("h1")
        assert self.elements[heading + 1] == ("p", "lead"), self.elements[heading : heading + 3]
        assert re.fullmatch(r"\S.{40,}\.", self.lead), self.lead
        first = {tag: self.tags.index(tag) for tag in ("img", "table", "h2") if tag in self.tags}
        assert (first["img"] < min(first["table"], first["h2"])) is has_map
        for tile in self.tiles:
            _, point, _ = tile.partition(".")
            figures = "".join(re.findall(r"\d", tile)).lstrip("0")
            assert not point or len(figures) <= 3, tile
        drawn = [read_figure(link) for link in self.links if link.startswith(_SVG)]
        seen = " ".join([*re.findall(r"<!-- (.*?) -->", " ".join(drawn)), *self.alts, self.text])
        assert not re.findall(r"\b\d{4}-[01]\d(?:-\d\d)?\b", seen.replace(collapse_blanks(self.copied), ""))
        assert "not included" not in seen

    def find_row(self, start: str, columns: int) -> list[str]:
        """Find the one row of so many columns that begins with a text."""
        matching = [row for row in self.rows if len(row) == columns and row[0].startswith(start)]
        assert len(matching) == 1, (start, columns, [row[0] for row in self.rows])
        return matching[0]
