"""The page of tools against the declarations it is written from."""

from __future__ import annotations

import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_says_what_the_declarations_say() -> None:
    spec = importlib.util.spec_from_file_location("make_tools_page", ROOT / "scripts" / "make_tools_page.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.PAGE.read_text(encoding="utf-8") == script.page(), "run scripts/make_tools_page.py"
