"""Lists of names written as one text, as in a row of a CSV: a name that holds a separator stands in quotes."""

from __future__ import annotations

import re


def split_names(text: str, separators: str) -> list[str]:
    """Split at any of `separators`; in quotes they belong to the name, where a quote is doubled.

    Quotes that do not surround the whole name are part of it.
    """
    one = rf'\s*(?:"((?:[^"]|"")+)"|([^{separators}]*?))\s*(?:[{separators}]|$)'
    names = [quoted.replace('""', '"') or plain for quoted, plain in re.findall(one, text)]
    return [name for name in names if name]


def quote_name(name: str) -> str:
    """Write a name so that `split_names` gives it back, whatever it holds."""
    plain = name == name.strip() and not any(mark in name for mark in ',;"')
    return name if plain else '"' + name.replace('"', '""') + '"'
