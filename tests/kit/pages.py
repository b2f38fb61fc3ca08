"""Reports, read as a browser reads them."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path


def collapse_blanks(text: str) -> str:
    """Write a text with one blank wherever there is white space."""
    return " ".join(text.replace("\N{NO-BREAK SPACE}", " ").split())


class Page(HTMLParser):
    """Tags, those left open, all that a browser would fetch, texts of images, text (whole and between tags), rows."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.source = path.read_text(encoding="utf-8")
        self.open: list[str] = []
        self.links: list[str] = []
        self.alts: list[str] = []
        self.tags: list[str] = []
        self.rows: list[list[str]] = []
        self.text = ""
        self.texts: list[str] = []
        self.feed(self.source)
        self.text = collapse_blanks(self.text)
        self.rows = [[collapse_blanks(cell) for cell in row] for row in self.rows]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = dict(attrs)
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
        self.texts.append(data)
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data + " "

    def find_row(self, start: str, columns: int) -> list[str]:
        """Find the one row of so many columns that begins with a text."""
        matching = [row for row in self.rows if len(row) == columns and row[0].startswith(start)]
        assert len(matching) == 1, (start, columns, [row[0] for row in self.rows])
        return matching[0]
