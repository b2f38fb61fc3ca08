"""The answer: the score large and in its colour, where it stands, and what it rests on."""

from __future__ import annotations

from collections.abc import Sequence

from qgis.PyQt.QtCore import QPointF, QRectF, QSize, Qt
from qgis.PyQt.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from qgis.PyQt.QtWidgets import QGridLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from ...bridge import styles
from ...bridge.crs import tr
from ..tooltips import make_tooltip
from .answers import Answer


def choose_ink(colour: QColor) -> QColor:
    """Choose black or white, whichever reads better on `colour`."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.getRgbF()[:3]]
    luminance = sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear))
    # Where the contrasts of WCAG with black and with white are equal.
    return QColor(Qt.GlobalColor.black if luminance > 0.179 else Qt.GlobalColor.white)


class ScoreTile(QWidget):
    """The score as a large number on its colour."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text, self._colour = "", QColor()
        font = self.font()
        font.setPointSizeF(font.pointSizeF() * 2.6)
        font.setBold(True)
        self.setFont(font)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_score(self, score: float | None) -> None:
        """Two decimals; a dash where nothing is known."""
        self._text = "–" if score is None else f"{score:.2f}"
        self._colour = QColor() if score is None else styles.choose_score_colour(score)
        self.update()

    @property
    def colour(self) -> QColor:
        """Invalid where nothing is known."""
        return self._colour

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        return QSize(round(metrics.horizontalAdvance("0.00") * 1.35), round(metrics.height() * 1.35))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        fill = self._colour if self._colour.isValid() else self.palette().mid().color()
        painter.setPen(QPen(self.palette().mid().color(), 1))
        painter.setBrush(fill)
        round_by = self.fontMetrics().height() / 8
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), round_by, round_by)
        painter.setPen(choose_ink(fill))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._text)


class ScoreScaleBar(QWidget):
    """The classes of the score from 0 to 1, with a mark at this one and a bracket for its interval."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._score: float | None = None
        self._interval: tuple[float, float] | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_score(self, score: float | None, interval: tuple[float, float] | None) -> None:
        """Move the mark and the bracket."""
        self._score, self._interval = score, interval
        self.update()

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        return QSize(metrics.averageCharWidth() * 20, round(metrics.height() * 2.3))

    minimumSizeHint = sizeHint  # noqa: N815

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        metrics = self.fontMetrics()
        line = metrics.height()
        margin = metrics.horizontalAdvance("0.0") / 2 + 1
        width = self.width() - 2 * margin
        top, high = line * 0.75, line * 0.45

        def at(score: float) -> float:
            return margin + width * score

        small = self.font()
        small.setPointSizeF(small.pointSizeF() * 0.85)
        painter.setFont(small)
        ink = self.palette().windowText().color()
        for low, upper, colour, _ in styles.read_score_classes():
            painter.fillRect(QRectF(at(low), top, at(upper) - at(low), high), QColor(colour))
            painter.setPen(ink)
            box = QRectF(at(low) - margin, top + high, 2 * margin, line)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, f"{low:g}")
        painter.drawText(QRectF(at(1) - margin, top + high, 2 * margin, line), Qt.AlignmentFlag.AlignCenter, "1")
        painter.setPen(QPen(self.palette().mid().color(), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(QRectF(at(0), top, width, high))
        painter.setPen(QPen(ink, max(line / 10, 1.5)))
        if self._interval:
            left, right = map(at, self._interval)
            level = top - line * 0.2
            painter.drawLine(QPointF(left, level), QPointF(right, level))
            for end in (left, right):
                painter.drawLine(QPointF(end, level), QPointF(end, top + high))
        if self._score is not None:
            x, half = at(self._score), line * 0.28
            tip = top - line * 0.25 if self._interval else top
            painter.setBrush(ink)
            painter.setPen(QPen(self.palette().window().color(), 1))
            painter.drawPolygon(
                QPolygonF([QPointF(x - half, tip - line / 2), QPointF(x + half, tip - line / 2), QPointF(x, tip)])
            )


def format_reference_date(answer: Answer) -> str:
    """Format the day up to which incidents count."""
    return str(answer.result["reference_time"]).partition("T")[0]


def percentile_text(percentile: float) -> str:
    """A percentile; finer at its ends, where a rounded 100 would say too much."""
    return f"{percentile:.1f}" if percentile < 1 or percentile > 99 else f"{percentile:.0f}"


def list_rows(answer: Answer) -> list[tuple[str, str]]:
    """List what the answer says beside the score: titles and texts."""
    result = answer.result
    one, many = tr("1 incident in {days} days up to {date}"), tr("{count} incidents in {days} days up to {date}")
    count = (one if answer.incidents == 1 else many).format(
        count=f"{answer.incidents:,}", days=f"{result['window_days']:g}", date=format_reference_date(answer)
    )
    lines = []
    if answer.percentile is not None:
        # An incident's own place is the yardstick: most of a city's ground is calmer than where its incidents are.
        share = tr("{percentile} of the incidents' own places")
        lines.append((tr("Percentile"), share.format(percentile=percentile_text(answer.percentile))))
    if answer.predicted:
        title = tr("{share} % interval").format(share=f"{result['interval'] * 100:g}")
        lines.append((title, f"{answer.lower:.2f} – {answer.upper:.2f}"))
    lines.append((tr("Within {radius} m").format(radius=f"{result['radius']:g}"), count))
    if answer.predicted:
        lines.append((tr("Exact score"), f"{result['exact']['score']:.2f}"))
        lines.append((tr("Model"), answer.model))
    return lines


def list_sentences(answer: Answer) -> list[str]:
    """List everything the answer says in words; the first is the score."""
    if answer.score is None:
        said = tr("No score: the place lies outside the data")
    else:
        said = tr("Crime score {score}").format(score=f"{answer.score:.2f}")
    return [said, *(f"{title}: {text}" for title, text in list_rows(answer))]


class AnswerView(QWidget):
    """Shows one answer; its accessible description says it all in words."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(tr("Crime score of the place"))
        self.place_label = QLabel()
        self.place_label.setWordWrap(True)
        font = self.place_label.font()
        font.setBold(True)
        self.place_label.setFont(font)
        self.tile = ScoreTile()
        self.bar = ScoreScaleBar()
        _make_selectable(self.place_label)
        self.table = QGridLayout()
        self.table.setColumnStretch(1, 1)
        right = QVBoxLayout()
        right.addWidget(self.place_label)
        right.addWidget(self.bar)
        right.addStretch(1)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.addWidget(self.tile, 0, 0, Qt.AlignmentFlag.AlignTop)
        grid.addLayout(right, 0, 1)
        grid.addLayout(self.table, 1, 0, 1, 2)
        grid.setColumnStretch(1, 1)

    def show_answer(self, answer: Answer) -> None:
        """Show an answer in place of the last one."""
        said = list_sentences(answer)
        coordinates = tr("longitude {longitude}, latitude {latitude}").format(
            longitude=f"{answer.point.x():.6f}", latitude=f"{answer.point.y():.6f}"
        )
        self.place_label.setText(answer.name)
        self.place_label.setToolTip(coordinates)
        self.tile.show_score(answer.score)
        interval = (answer.lower, answer.upper) if answer.lower is not None and answer.upper is not None else None
        self.bar.show_score(answer.score, interval)
        self._fill_table(list_rows(answer))
        spoken = ". ".join([answer.name, *said, coordinates])
        self.setAccessibleDescription(spoken)
        self.tile.setAccessibleName(said[0])
        self.tile.setToolTip(make_tooltip(spoken))

    def _fill_table(self, said: Sequence[tuple[str, str]]) -> None:
        while self.table.count():
            self.table.takeAt(0).widget().deleteLater()
        for number, (title, text) in enumerate(said):
            name, value = QLabel(title), QLabel(text)
            value.setWordWrap(True)
            _make_selectable(value)
            value.setAccessibleName(f"{title}: {text}")
            self.table.addWidget(name, number, 0, Qt.AlignmentFlag.AlignTop)
            self.table.addWidget(value, number, 1)


def _make_selectable(label: QLabel) -> None:
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
