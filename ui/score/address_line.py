"""The address line: type, press Enter, choose among what was found."""

from __future__ import annotations

from qgis.core import QgsApplication, QgsPointXY, QgsRectangle
from qgis.PyQt.QtCore import QEvent, QObject, QSize, Qt, QTimer, pyqtSignal
from qgis.PyQt.QtGui import QHideEvent, QIcon, QKeyEvent
from qgis.PyQt.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ...bridge import geocoding
from ...bridge.crs import tr
from ...bridge.geocoder_choice import GeocodingError, Service, read_service
from ...bridge.geocoder_key import KeyLocked
from ..tooltips import make_tooltip
from .address_search import AddressSearch
from .geocoder_settings import GeocoderSettings

#: Milliseconds without a key pressed before suggestions are asked for, and the fewest letters.
_PAUSE = 600
_SHORTEST = 4
_ROWS = 6


class AddressLine(QWidget):
    """Finds a place by its address or its coordinates.

    Suggestions appear on Enter; while typing only where the geocoder's server allows it. The arrow keys
    go through them, Enter takes one, Esc puts them away. The last search wins.

    Parameters
    ----------
    parent : QWidget, optional
    """

    #: The name of the place and where it is, WGS 84.
    located = pyqtSignal(str, QgsPointXY)
    #: Why no place was found, as a sentence in plain text.
    failed = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("CrimeRiskAddressLine")
        self._extent: QgsRectangle | None = None
        self._search: AddressSearch | None = None
        self._asked = False

        self.field = QLineEdit()
        self.field.setMaxLength(300)
        self.field.setClearButtonEnabled(True)
        self.field.setPlaceholderText(tr("Address or coordinates"))
        self.field.setAccessibleName(tr("Address or coordinates"))
        self.field.installEventFilter(self)
        self.search_button = _button(_icon("search.svg"), tr("Search (Enter)"))
        self.stop_button = _button(_icon("mActionStop.svg"), tr("Stop searching (Esc)"))
        self.settings_button = _button(_icon("mActionOptions.svg"), tr("Who finds addresses…"))
        self.busy_bar = QProgressBar()
        self.busy_bar.setRange(0, 0)
        self.busy_bar.setTextVisible(False)
        self.busy_bar.setFixedHeight(max(4, self.fontMetrics().height() // 4))

        self.list = _Suggestions()
        self.list.setAccessibleName(tr("Places found"))
        self.list.installEventFilter(self)
        self.source_label = QLabel()
        self.source_label.setOpenExternalLinks(True)
        self.source_label.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)
        self.source_label.setAlignment(Qt.AlignmentFlag.AlignRight)

        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        row.addWidget(self.field, 1)
        for button in (self.search_button, self.stop_button, self.settings_button):
            row.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(row)
        for widget in (self.busy_bar, self.list, self.source_label):
            layout.addWidget(widget)
        self.setFocusProxy(self.field)

        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE)
        self._pause.timeout.connect(self._suggest)
        self.field.textEdited.connect(self._change)
        self.field.returnPressed.connect(self.search)
        self.search_button.clicked.connect(self.search)
        self.stop_button.clicked.connect(self.cancel)
        self.settings_button.clicked.connect(self.show_settings)
        self.list.itemClicked.connect(self._take)
        self._show_busy(False)
        self._put_away()

    def set_extent(self, extent: QgsRectangle) -> None:
        """Say where the data are.

        Parameters
        ----------
        extent : QgsRectangle
            WGS 84; an empty one forgets it. Places elsewhere are found too, but come last.
        """
        self._extent = None if extent.isNull() else QgsRectangle(extent)

    def search(self) -> None:
        """Search now, as Enter does: a single place near the data is taken, several are offered."""
        self._start(asked=True)

    def cancel(self) -> None:
        """Give up what is under way."""
        self._pause.stop()
        if self._search is not None:
            search, self._search = self._search, None
            search.cancel()
        self._show_busy(False)

    def show_settings(self) -> None:
        """Let the user choose who finds addresses."""
        if GeocoderSettings(self).exec():
            self.cancel()
            self._put_away()

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop when the line is closed; not when the window is only minimised."""
        if not event.spontaneous():
            self.cancel()
        super().hideEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the arrow keys, Enter and Esc work between the field and the list."""
        if event.type() == QEvent.Type.KeyPress:
            if watched is self.list and self._list_key(event):
                return True
            if watched is self.field and self._field_key(event):
                return True
        return super().eventFilter(watched, event)

    def _field_key(self, event: QKeyEvent) -> bool:
        if event.key() == Qt.Key.Key_Down and self.list.count():
            self.list.setFocus()
            self.list.setCurrentRow(0)
            return True
        if event.key() == Qt.Key.Key_Escape and (self.list.count() or self._search is not None):
            self.cancel()
            self._put_away()
            return True
        return False

    def _list_key(self, event: QKeyEvent) -> bool:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self.list.currentItem() is not None:
                self._take(self.list.currentItem())
            return True
        if event.key() == Qt.Key.Key_Escape:
            self._put_away()
            self.field.setFocus()
            return True
        if event.key() == Qt.Key.Key_Up and self.list.currentRow() <= 0:
            self.field.setFocus()
            return True
        if event.text().strip() or event.key() == Qt.Key.Key_Backspace:
            # Going on to write changes the search.
            self.field.setFocus()
            QgsApplication.sendEvent(self.field, event)
            return True
        return False

    def _change(self) -> None:
        # What was found or is being found is no answer to what stands there now.
        self.cancel()
        self._put_away()
        if len(self.field.text().strip()) >= _SHORTEST:
            self._pause.start()

    def _suggest(self) -> None:
        try:
            wanted = read_service().suggests_while_typing
        except GeocodingError:
            return
        if wanted:
            self._start(asked=False)

    def _start(self, asked: bool) -> None:
        self.cancel()
        self._put_away()
        text = self.field.text().strip()
        if not text:
            return
        try:
            # The key is read here: QGIS may ask for its master password, and only after Enter.
            service = Service() if geocoding.list_typed_places(text) else geocoding.read_service_with_key(ask=asked)
        except GeocodingError as error:
            if asked or not isinstance(error, KeyLocked):
                self.failed.emit(str(error))
            return
        self._asked = asked
        self._search = AddressSearch(text, self._extent, service)
        self._search.ended.connect(self._end)
        self._show_busy(True)
        self._search.start()

    def _end(self, search: AddressSearch) -> None:
        if search is not self._search:
            return
        self._search = None
        self._show_busy(False)
        if search.problem:
            self.failed.emit(search.problem)
        elif self._asked and len(search.places) == 1 and search.places[0].near:
            self._locate(search.places[0])
        else:
            self._offer(search)

    def _offer(self, search: AddressSearch) -> None:
        for place in search.places:
            name = place.name if place.near else tr("{name} (outside the data)").format(name=place.name)
            item = QListWidgetItem(name)
            item.setToolTip(make_tooltip(name))
            item.setData(Qt.ItemDataRole.UserRole, place)
            self.list.addItem(item)
        self.list.updateGeometry()
        self.list.setVisible(True)
        if search.service.host:
            self.source_label.setText(search.service.attribution_link)
            self.source_label.setVisible(True)
        # Not where the user has gone on to something else.
        if self._asked and self.window().focusWidget() is self.field:
            self.list.setFocus()
            self.list.setCurrentRow(0)

    def _take(self, item: QListWidgetItem) -> None:
        self._locate(item.data(Qt.ItemDataRole.UserRole))

    def _locate(self, place: geocoding.Place) -> None:
        had_focus = self.list.hasFocus()
        self._put_away()
        self.field.setText(place.name)
        self.field.setCursorPosition(0)
        if had_focus:
            self.field.setFocus()
        self.located.emit(place.name, place.point)

    def _put_away(self) -> None:
        if self.list.hasFocus():
            self.field.setFocus()
        self.list.clear()
        for widget in (self.list, self.source_label):
            widget.setVisible(False)

    def _show_busy(self, busy: bool) -> None:
        # Always there, so that nothing below jumps.
        policy = self.busy_bar.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.busy_bar.setSizePolicy(policy)
        self.busy_bar.setVisible(busy)
        self.search_button.setVisible(not busy)
        self.stop_button.setVisible(busy)


class _Suggestions(QListWidget):
    """As high as its rows, up to six."""

    def __init__(self) -> None:
        super().__init__()
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setUniformItemSizes(True)

    def sizeHint(self) -> QSize:
        """The height of the rows."""
        row = self.sizeHintForRow(0) if self.count() else self.fontMetrics().height()
        return QSize(200, row * min(max(self.count(), 1), _ROWS) + 2 * self.frameWidth())

    def minimumSizeHint(self) -> QSize:
        """No higher than the rows."""
        return QSize(50, self.sizeHint().height())


def _icon(name: str) -> QIcon:
    return QgsApplication.getThemeIcon(f"/{name}")


def _button(icon: QIcon, text: str) -> QToolButton:
    button = QToolButton()
    button.setIcon(icon)
    button.setToolTip(text)
    button.setAccessibleName(text)
    button.setAutoRaise(True)
    return button
