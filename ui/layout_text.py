"""Texts of a print layout that fit where they stand: they wrap, then shrink, and are cut when nothing else is left."""

from __future__ import annotations

from qgis.core import Qgis, QgsLayoutItemLabel, QgsLayoutSize, QgsLayoutUtils, QgsPrintLayout, QgsTextFormat
from qgis.core import QgsTextRenderer as Renderer

_DPI = 300.0
#: A line is drawn a hair wider or narrower at another resolution.
_SPARE = 0.98


class Ruler:
    """Measures texts in millimetres, as a layout draws them.

    Parameters
    ----------
    layout : QgsPrintLayout
    """

    def __init__(self, layout: QgsPrintLayout) -> None:
        self.context = QgsLayoutUtils.createRenderContextForLayout(layout, None, _DPI)
        self._scale = self.context.convertToPainterUnits(1.0, Qgis.RenderUnit.Millimeters)

    def measure_width(self, text: str, form: QgsTextFormat) -> float:
        """Measure one line."""
        return float(Renderer.textWidth(self.context, form, [text])) / self._scale

    def measure_height(self, lines: list[str], form: QgsTextFormat) -> float:
        """Measure lines that are wrapped already."""
        mode = Qgis.TextLayoutMode.RectangleAscentBased
        return float(Renderer.textHeight(self.context, form, lines, mode)) / self._scale

    def wrap(self, text: str, width: float, form: QgsTextFormat) -> list[str]:
        """Wrap a text between its words; a word that is wider than a line is broken."""
        width *= _SPARE
        words = [part for word in text.split() for part in self._break(word, width, form)]
        lines: list[str] = []
        for word in words:
            if lines and self.measure_width(f"{lines[-1]} {word}", form) <= width:
                lines[-1] += f" {word}"
            else:
                lines.append(word)
        return lines

    def _break(self, word: str, width: float, form: QgsTextFormat) -> list[str]:
        parts = []
        while self.measure_width(word, form) > width and len(word) > 1:
            share = width / self.measure_width(word, form)
            taken = max(int(len(word) * share), 1)
            while taken > 1 and self.measure_width(word[:taken], form) > width:
                taken -= 1
            parts.append(word[:taken])
            word = word[taken:]
        return [*parts, word]

    def cut(self, text: str, width: float, most: int, form: QgsTextFormat) -> list[str]:
        """Wrap a text into at most so many lines; the last one says with an ellipsis that there is more."""
        # What is beyond can never be seen, and would take long to measure.
        lines = self.wrap(text[: most * _MOST_CHARACTERS], width, form)
        if len(lines) <= most and len(text) <= most * _MOST_CHARACTERS:
            return lines
        lines = lines[:most]
        while lines[-1] and self.measure_width(f"{lines[-1]}…", form) > width * _SPARE:
            lines[-1] = lines[-1][:-1]
        return [*lines[:-1], f"{lines[-1].rstrip(' ,.')}…"]


#: No line of the page holds more.
_MOST_CHARACTERS = 400


def quote(text: str) -> str:
    """Quote a text for where expressions in brackets are evaluated: names are data."""
    return text.replace("[%", "[ %")


def fit_label(ruler: Ruler, item: QgsLayoutItemLabel, height: float, smallest: float) -> float:
    """Let a label's text fit its width and so much height: smaller, down to so many points, and cut at last.

    Returns
    -------
    float
        The height that it needs, millimetres; the label has it now.
    """
    text, form = item.currentText(), QgsTextFormat(item.textFormat())
    width = item.sizeWithUnits().width()
    if not text.strip():
        item.attemptResize(QgsLayoutSize(width, 0.0, Qgis.LayoutUnit.Millimeters))
        return 0.0
    size = form.size()
    while True:
        form.setSize(size)
        line = ruler.measure_height(["Ág"], form)
        most = max(int(height / line), 1)
        lines = ruler.cut(text, width, most, form)
        needed = ruler.measure_height(lines, form)
        is_whole = not lines[-1].endswith("…") or text.rstrip().endswith("…")
        if (is_whole and needed <= height) or size - 1 < smallest:
            break
        size -= 1
    while needed > height and len(lines) > 1:
        lines = ruler.cut(text, width, len(lines) - 1, form)
        needed = ruler.measure_height(lines, form)
    item.setTextFormat(form)
    if " ".join(lines).split() != text.split():
        # Broken words and a cut text are not what the expression gives.
        item.setText(quote("\n".join(lines)))
    needed += ruler.measure_height(["Ág"], form) * 0.25
    item.attemptResize(QgsLayoutSize(width, needed, Qgis.LayoutUnit.Millimeters))
    return needed
