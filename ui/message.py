"""A place for a sentence, with a button where there is something to do about it."""

from __future__ import annotations

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QSize, Qt
from qgis.PyQt.QtWidgets import QFrame, QGridLayout, QLabel, QPushButton, QWidget

from ..bridge.crs import tr

_ICONS = {"info": "mIconInfo.svg", "warning": "mIconWarning.svg", "error": "mIconCritical.svg"}


class Message(QFrame):
    """A sentence with an icon; hidden while there is nothing to say.

    Parameters
    ----------
    parent : QWidget, optional
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.icon_label = QLabel()
        self.label = QLabel()
        self.label.setWordWrap(True)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.set_up_button = QPushButton(tr("Set up engine…"))
        grid = QGridLayout(self)
        grid.addWidget(self.icon_label, 0, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(self.label, 0, 1)
        grid.addWidget(self.set_up_button, 1, 1, Qt.AlignmentFlag.AlignLeft)
        grid.setColumnStretch(1, 1)
        self.clear()

    def say(self, text: str, level: str = "info", set_up: bool = False) -> None:
        """Show a sentence.

        Parameters
        ----------
        text : str
        level : {"info", "warning", "error"}
        set_up : bool
            Offer to set up the engine.
        """
        side = round(self.fontMetrics().height() * 1.2)
        self.icon_label.setPixmap(QgsApplication.getThemeIcon(_ICONS[level]).pixmap(QSize(side, side)))
        self.label.setText(text)
        self.label.setAccessibleName(text)
        self.set_up_button.setVisible(set_up)
        self.setVisible(bool(text))

    def clear(self) -> None:
        """Say nothing."""
        self.say("")

    @property
    def text(self) -> str:
        """What is said."""
        return self.label.text()
