"""What is written beside the code: its links lead somewhere, and no line is too long to read."""

from __future__ import annotations

from kit import house


def test_every_link_and_path_leads_somewhere() -> None:
    assert house.list_broken_links() == []


def test_no_line_of_prose_or_code_is_too_long() -> None:
    assert house.list_long_lines() == []
