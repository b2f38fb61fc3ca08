"""At every limit, and one step to either side, dialog and job give the same answer."""

from __future__ import annotations

from kit.limits import list_disagreements


def test_dialogs_and_jobs_agree() -> None:
    assert list_disagreements() == []
