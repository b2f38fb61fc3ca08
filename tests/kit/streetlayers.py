"""Streets of the town, as a layer of QGIS."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kit.layers import EAST, METRES, NORTH
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsFeature,
    QgsField,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QMetaType

#: Vertices in metres from the town's corner.
Line = Sequence[tuple[float, float]]


def make_streets(lines: Iterable[Line] | None = None, crs: str = "EPSG:4326") -> QgsVectorLayer:
    """Make a memory layer of streets with a number and a name; by default a lattice over the whole town."""
    layer = QgsVectorLayer(f"LineString?crs={crs}", "streets", "memory")
    fields = [QgsField("number", QMetaType.Type.Int), QgsField("name", QMetaType.Type.QString)]
    layer.dataProvider().addAttributes(fields)
    layer.updateFields()
    project = QgsProject.instance()
    move = QgsCoordinateTransform(QgsCoordinateReferenceSystem(METRES), QgsCoordinateReferenceSystem(crs), project)
    features = []
    for number, line in enumerate(make_lattice() if lines is None else lines):
        feature = QgsFeature(layer.fields())
        vertices = [move.transform(QgsPointXY(EAST + x, NORTH + y)) for x, y in line]
        feature.setGeometry(QgsGeometry.fromPolylineXY(vertices))
        feature.setAttributes([number, f"{number} Street"])
        features.append(feature)
    assert layer.dataProvider().addFeatures(features)[0]
    layer.updateExtents()
    project.addMapLayer(layer, False)
    return layer


def make_lattice(streets: int = 7, block: float = 500.0) -> list[Line]:
    """Streets from block to block, each a line of its own between two crossings."""
    ends = range(streets)
    east = [((x * block, y * block), ((x + 1) * block, y * block)) for y in ends for x in ends[:-1]]
    return east + [tuple((y, x) for x, y in line) for line in east]
