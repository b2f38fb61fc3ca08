"""Who finds addresses: the geocoder, where it is, and Google's key."""

from __future__ import annotations

from qgis.gui import QgsPasswordLineEdit
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ...bridge import geocoder_key
from ...bridge.crs import tr
from ...bridge.geocoder_choice import (
    GOOGLE,
    NOMINATIM,
    GeocodingError,
    Service,
    check_endpoint,
    make_default_endpoint,
    read_kind,
    read_service,
    save_service,
)


class GeocoderSettings(QDialog):
    """Shows and changes which geocoder is asked.

    A key that is kept is never read back: the field is for a new one.

    Parameters
    ----------
    parent : QWidget, optional
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("CrimeRiskGeocoderSettings")
        self.setWindowTitle(tr("Crime Risk: addresses"))
        self._shown = {kind: read_service(kind, checked=False) for kind in (NOMINATIM, GOOGLE)}

        self._typing = {kind: service.typing for kind, service in self._shown.items()}

        self.kind_box = QComboBox()
        self.kind_box.addItem(tr("OpenStreetMap (Nominatim)"), NOMINATIM)
        self.kind_box.addItem(tr("Google Maps"), GOOGLE)
        self.endpoint_field = QLineEdit()
        self.endpoint_field.setClearButtonEnabled(True)
        self.endpoint_field.setToolTip(tr("For a server of your own; empty for the one that QGIS uses."))
        self.countries_field = QLineEdit()
        self.typing_box = QCheckBox(tr("Suggest while I type"))

        self.key_field = QgsPasswordLineEdit()
        self.remove_button = QPushButton(tr("Remove key"))
        self.remove_button.setAutoDefault(False)
        key_row = QHBoxLayout()
        key_row.addWidget(self.key_field, 1)
        key_row.addWidget(self.remove_button)
        self.key_label = QLabel(tr("&Google key"))
        self.key_label.setBuddy(self.key_field)

        self.privacy_label = _sentence()
        self.problem_label = _sentence()
        self.problem_label.setObjectName("problem")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)

        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        form.addRow(tr("&Addresses from"), self.kind_box)
        form.addRow(tr("&Endpoint"), self.endpoint_field)
        form.addRow(tr("&Countries"), self.countries_field)
        form.addRow("", self.typing_box)
        form.addRow(self.key_label, key_row)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addWidget(self.privacy_label)
        layout.addWidget(self.problem_label)
        layout.addStretch(1)
        layout.addWidget(self.buttons)

        self.kind_box.setCurrentIndex(self.kind_box.findData(read_kind()))
        self._kind = self.kind_box.currentData()
        self.kind_box.currentIndexChanged.connect(self._change_kind)
        self.endpoint_field.textChanged.connect(self._explain)
        self.typing_box.clicked.connect(self._choose_typing)
        self.remove_button.clicked.connect(self._remove_key)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self._show_service()

    def sizeHint(self) -> QSize:
        """Wide enough for an endpoint, high enough for the sentences."""
        width = 40 * self.fontMetrics().averageCharWidth() + 200
        return QSize(width, self.layout().totalHeightForWidth(width))

    def accept(self) -> None:
        """Keep what was chosen; stay open with a sentence if it cannot be used."""
        service = self._entered()
        key = self.key_field.text().strip()
        try:
            check_endpoint(service.kind, service.endpoint)
            if service.kind == GOOGLE:
                if key:
                    geocoder_key.store_key(key)
                elif not geocoder_key.has_key():
                    raise GeocodingError(tr("Google key: enter one, or choose OpenStreetMap, which needs none."))
            save_service(service)
        except GeocodingError as error:
            self._say(str(error))
            return
        finally:
            self._show_key()
        self.key_field.clear()
        super().accept()

    def reject(self) -> None:
        """Close without a trace of a key that was typed."""
        self.key_field.clear()
        super().reject()

    def _entered(self) -> Service:
        # Not as the box shows it: where it is forbidden, the box is empty.
        typing = self._typing[self._kind]
        return Service(self._kind, self.endpoint_field.text(), self.countries_field.text(), typing)

    def _choose_typing(self, wanted: bool) -> None:
        self._typing[self._kind] = wanted

    def _change_kind(self) -> None:
        self._shown[self._kind] = self._entered()
        self._kind = self.kind_box.currentData()
        self._show_service()

    def _show_service(self) -> None:
        service = self._shown[self._kind]
        self.endpoint_field.setPlaceholderText(make_default_endpoint(service.kind))
        self.endpoint_field.setText(service.endpoint)
        self.countries_field.setText(service.countries)
        google = service.kind == GOOGLE
        self.countries_field.setPlaceholderText(
            tr("everywhere; or the one to prefer: mx") if google else tr("everywhere; or only in these: mx, us")
        )
        for widget in (self.key_label, self.key_field, self.remove_button):
            widget.setVisible(google)
        self._show_key()
        self._explain()
        self._say("")

    def _show_key(self) -> None:
        kept = geocoder_key.has_key()
        self.remove_button.setEnabled(kept)
        self.key_field.setPlaceholderText(
            tr("kept, encrypted; enter another to replace it") if kept else tr("none yet; paste it here")
        )

    def _explain(self) -> None:
        try:
            endpoint = check_endpoint(self._kind, self.endpoint_field.text())
        except GeocodingError:
            endpoint = ""
        service = Service(self._kind, endpoint)
        self.typing_box.setEnabled(not service.is_public)
        self.typing_box.setChecked(not service.is_public and self._typing[self._kind])
        text = tr("What you look up is sent to {host}, with the area of your data; incidents never are.").format(
            host=service.host or tr("this server")
        )
        if self._kind == GOOGLE:
            text += " " + tr(
                "The key is kept encrypted in QGIS's authentication database. Google's terms may not allow its "
                "results on other maps."
            )
        if service.is_public:
            text += " " + tr("This server is open to everyone and forbids suggestions while typing: press Enter.")
        else:
            self.typing_box.setToolTip(
                tr("Every pause in typing is a request, which whoever runs the server may count.")
            )
        self.privacy_label.setText(text)
        self._fit()

    def _remove_key(self) -> None:
        try:
            geocoder_key.remove_key()
            self._say(tr("The key was removed."))
        except GeocodingError as error:
            self._say(str(error))
        self._show_key()

    def _say(self, text: str) -> None:
        self.problem_label.setText(text)
        self.problem_label.setVisible(bool(text))
        self._fit()

    def _fit(self) -> None:
        """Make room for sentences that have become longer."""
        if self.isVisible():
            self.layout().activate()
            self.resize(self.width(), max(self.height(), self.layout().totalHeightForWidth(self.width())))


def _sentence() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    return label
