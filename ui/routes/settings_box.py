"""What ways are asked with: streets, risk, cap on detour, travel; numbers are remembered for the next time."""

from __future__ import annotations

from pathlib import Path

from qgis.core import (
    Qgis,
    QgsFieldProxyModel,
    QgsMapLayer,
    QgsRasterLayer,
    QgsSettings,
    QgsVectorLayer,
)
from qgis.gui import QgsCollapsibleGroupBox, QgsFieldComboBox, QgsMapLayerComboBox
from qgis.PyQt.QtCore import QTimer, pyqtSignal
from qgis.PyQt.QtWidgets import QComboBox, QDoubleSpinBox, QFormLayout, QWidget

from ...bridge.area_layers import describe_no_risk
from ...bridge.crs import tr
from ...bridge.layers import TIME_TYPES
from ...riskengine.contract.fieldnames import find_field
from ...riskengine.contract.tools.base import parameters_of
from ...riskengine.contract.tools.routes import TRAVEL
from ...riskengine.contract.tools.saferoutes import RouteQuestion
from .layers_at_hand import LayersAtHand
from .route_task import Settings

_GROUP = "crime_risk/routes_dock"
#: Typing and turning a wheel end some time after the last key.
_CALM_MILLISECONDS = 400


class SettingsBox(QgsCollapsibleGroupBox):
    """Streets, risk, cap on detour and travel.

    Parameters
    ----------
    layers : LayersAtHand
    parent : QWidget, optional
    """

    #: The settings have changed, and have been calm for a moment.
    changed = pyqtSignal()

    def __init__(self, layers: LayersAtHand, parent: QWidget | None = None) -> None:
        super().__init__(tr("Data"), parent)
        self.setObjectName("crime_risk_route_settings")
        self._layers = layers
        self._parameters = {each.key: each for each in parameters_of(RouteQuestion)}
        kinds = Qgis.LayerFilter
        self.streets_box = QgsMapLayerComboBox()
        self.streets_box.setFilters(Qgis.LayerFilters(kinds.LineLayer))
        self.streets_box.setAllowEmptyLayer(True, tr("choose lines"))
        self.risk_box = QgsMapLayerComboBox()
        self.risk_box.setFilters(Qgis.LayerFilters(kinds.PointLayer | kinds.PolygonLayer | kinds.RasterLayer))
        self.risk_box.setAllowEmptyLayer(True, tr("choose incidents or a risk"))
        self.risk_box.setToolTip(
            tr("Points with a time are incidents. Rasters, areas with a risk and scored places are taken as they are.")
        )
        self.time_box = QgsFieldComboBox()
        self.time_box.setFilters(
            QgsFieldProxyModel.Filter.Date | QgsFieldProxyModel.Filter.DateTime | QgsFieldProxyModel.Filter.String
        )
        self.time_box.setAllowEmptyFieldName(True)
        self.time_box.setToolTip(tr("When it happened. Left empty, the points are scored places."))
        self.field_box = QgsFieldComboBox()
        self.field_box.setFilters(QgsFieldProxyModel.Filter.Numeric)
        self.field_box.setAllowEmptyFieldName(True)
        self.field_box.setToolTip(self._help("exposure_field"))
        self.detour_box = QDoubleSpinBox()
        self.detour_box.setDecimals(0)
        limits = self._parameters["detour"].limits
        self.detour_box.setRange(limits.low, limits.high)
        self.detour_box.setSuffix(" %")
        self.detour_box.setToolTip(self._help("detour"))
        self.travel_box = QComboBox()
        for value, title in TRAVEL.titles.items():
            self.travel_box.addItem(tr(title), value)
        self.travel_box.setToolTip(self._help("travel"))

        form = QFormLayout(self)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.DontWrapRows)
        form.addRow(tr("S&treets"), self.streets_box)
        form.addRow(tr("&Risk"), self.risk_box)
        form.addRow(tr("Ti&me field"), self.time_box)
        form.addRow(tr("&Or field of streets"), self.field_box)
        form.addRow(tr("Cap on &detour"), self.detour_box)
        form.addRow(tr("Tra&vel"), self.travel_box)

        kept = QgsSettings()
        kept.beginGroup(_GROUP)
        self.detour_box.setValue(kept.value("detour", RouteQuestion.detour, type=float))
        self.travel_box.setCurrentIndex(
            max(self.travel_box.findData(kept.value("travel", RouteQuestion.travel, type=str)), 0)
        )
        self._calm = QTimer(self)
        self._calm.setSingleShot(True)
        self._calm.setInterval(_CALM_MILLISECONDS)
        self._calm.timeout.connect(self._tell)
        self.streets_box.layerChanged.connect(self._take_streets)
        self.risk_box.layerChanged.connect(self._take_risk)
        for signal in (
            self.time_box.fieldChanged,
            self.field_box.fieldChanged,
            self.detour_box.valueChanged,
            self.travel_box.currentIndexChanged,
        ):
            signal.connect(lambda *_: self._calm.start())
        self._take_streets(self.streets_box.currentLayer())
        self._take_risk(self.risk_box.currentLayer())

    def read_settings(self) -> Settings | None:
        """Read the settings; None while streets or risk are not chosen."""
        streets, risk = self.streets_box.currentLayer(), self.risk_box.currentLayer()
        given = self.field_box.currentField()
        if streets is None or (risk is None and not given):
            return None
        rest = {"detour": self.detour_box.value(), "travel": self.travel_box.currentData()}
        taken = self._layers.take(streets)
        if given:
            return Settings(taken, exposure_field=given, **rest)
        if isinstance(risk, QgsRasterLayer):
            path = Path(risk.source())
            return Settings(taken, raster=str(path.absolute()) if path.is_file() else risk.source(), **rest)
        if self.time_box.isEnabled() and self.time_box.currentField():
            return Settings(taken, incidents=self._layers.take(risk, self.time_box.currentField()), **rest)
        if risk.geometryType() == Qgis.GeometryType.Polygon and not describe_no_risk("risk", risk):
            return Settings(taken, areas=self._layers.take(risk, areas=True), **rest)
        return Settings(taken, scores=self._layers.take(risk), **rest)

    def _help(self, key: str) -> str:
        shown = self._parameters[key].shown
        assert shown is not None
        return tr(shown.help)

    def _take_streets(self, layer: QgsMapLayer | None) -> None:
        self.field_box.setLayer(layer)
        self._calm.start()

    def _take_risk(self, layer: QgsMapLayer | None) -> None:
        points = layer if isinstance(layer, QgsVectorLayer) and layer.geometryType().name == "Point" else None
        self.time_box.setLayer(points)
        self.time_box.setEnabled(points is not None)
        if points is not None:
            self.time_box.setField(_find_time_field(points))
        self._calm.start()

    def _tell(self) -> None:
        kept = QgsSettings()
        kept.beginGroup(_GROUP)
        kept.setValue("detour", self.detour_box.value())
        kept.setValue("travel", self.travel_box.currentData())
        self.changed.emit()


def _find_time_field(layer: QgsVectorLayer) -> str:
    """The field that incidents of this plugin have, else the first of dates; empty where there is none."""
    fields = layer.fields()
    usual = find_field(RouteQuestion.time_field, fields.names())
    if usual is not None:
        return usual
    dated = [each.name() for each in fields if TIME_TYPES.get(each.type()) in ("date", "datetime")]
    return dated[0] if dated else ""
