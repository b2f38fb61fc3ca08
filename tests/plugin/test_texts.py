"""Texts of the declarations: Qt's lupdate sees them, and what a translator makes of them is shown."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kit.tools import algorithm_of
from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QTranslator

ROOT = Path(__file__).resolve().parents[2]


def texts() -> Iterator[str]:
    """Every text of a declaration that a user reads."""
    from crime_risk.riskengine.contract.tools import kinds, list_tools
    from crime_risk.riskengine.contract.tools.base import parameters_of

    for tool in list_tools().values():
        yield from (tool.TITLE, tool.GROUP, tool.SUMMARY, tool.HELP)
        yield from (output.title for output in tool.OUTPUTS)
        for parameter in parameters_of(tool):
            if parameter.shown is not None:
                yield from filter(None, (parameter.shown.title, parameter.shown.help))
            if isinstance(parameter.kind, kinds.Choice) and parameter.key != "profile":
                yield from parameter.kind.titles.values()


def test_lupdate_sees_every_text(plugin: Any, tmp_path: Path) -> None:
    if shutil.which("pylupdate5") is None:
        pytest.skip("pylupdate5 is not installed; scripts/test.sh installs it with pyqt5-dev-tools")
    files = [str(path) for path in (ROOT / "riskengine" / "contract").rglob("*.py")]
    command = ["pylupdate5", *files, "-ts", str(tmp_path / "texts.ts")]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    written = (tmp_path / "texts.ts").read_text(encoding="utf-8")
    seen = {html.unescape(text) for text in re.findall(r"<source>(.*?)</source>", written, flags=re.S)}
    missed = sorted(set(texts()) - seen)
    assert not missed
    assert len(seen) > 300


class Shouting(QTranslator):
    """Says every text of the declarations in capitals."""

    def translate(self, context: str, text: str, disambiguation: str | None = None, number: int = -1) -> Any:
        return text.upper() if context == "@default" else None

    def isEmpty(self) -> bool:  # noqa: N802
        return False


def test_a_translation_is_shown(plugin: Any) -> None:
    translator = Shouting()
    QgsApplication.instance().installTranslator(translator)
    try:
        tool = algorithm_of("upsamplerisk").create()
        assert tool.displayName() == "UPSAMPLE RISK MAP"
        assert "SMOOTHER, NOT MORE EXACT" in tool.shortHelpString()
        method = tool.parameterDefinition("METHOD")
        assert (method.description(), method.options()[1]) == ("INTERPOLATION", "CUBIC")
    finally:
        QgsApplication.instance().removeTranslator(translator)
