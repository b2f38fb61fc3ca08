"""Layers of incidents with an outcome, as open data have them, for the plugin's tests."""

from __future__ import annotations

import datetime
import random
from typing import Any

from qgis.core import QgsFeature, QgsGeometry, QgsPointXY, QgsProject, QgsVectorLayer
from qgis.PyQt.QtCore import QDate, QDateTime, QTime

#: Category, description and the share of them with an arrest; the last two are what police find.
KINDS = (
    ("THEFT", "OVER $500", 0.05),
    ("THEFT", "FROM BUILDING", 0.15),
    ("BATTERY", "SIMPLE", 0.3),
    ("BATTERY", "DOMESTIC BATTERY", 0.45),
    ("ASSAULT", "SIMPLE", 0.25),
    ("NARCOTICS", "POSSESS: CANNABIS", 1.0),
    ("CRIMINAL TRESPASS", "TO LAND", 0.7),
)
_PLACES = ("STREET", "APARTMENT", "RESTAURANT")
_FIELDS = (
    "field=occurred:datetime&field=primary_type:string&field=description:string&field=location_description:string"
    "&field=domestic:string&field=community_area:string&field=block:string&field=arrest:string"
)


def make_outcome_layer(
    count: int = 900, days: int = 120, seed: int = 1, outcome: bool = True, unseen: str = "", spatial: bool = True
) -> QgsVectorLayer:
    """Make incidents in four square areas of a town, evenly over `days` days from 2018-01-01.

    Parameters
    ----------
    outcome : bool
        Whether there is a field ``arrest``.
    unseen : str
        A category of the last incident that no other has.
    spatial : bool
        Whether incidents have points.
    """
    chance = random.Random(seed)
    fields = _FIELDS if outcome else _FIELDS.rpartition("&")[0]
    kind = "Point?crs=EPSG:4326" if spatial else "None?"
    layer = QgsVectorLayer(f"{kind}&{fields}" if spatial else f"{kind}{fields}", "crimes", "memory")
    features = []
    for number in range(count):
        category, description, rate = chance.choices(KINDS, weights=(30, 15, 20, 10, 10, 10, 5))[0]
        if unseen and number == count - 1:
            category, description = unseen, unseen
        east, north = chance.random(), chance.random()
        when = datetime.datetime(2018, 1, 1) + datetime.timedelta(
            days=number * days // count, hours=chance.randrange(24), minutes=chance.randrange(60)
        )
        area = str(1 + (east > 0.5) + 2 * (north > 0.5))
        row: list[Any] = [
            QDateTime(QDate(when.year, when.month, when.day), QTime(when.hour, when.minute)),
            category,
            description,
            chance.choice(_PLACES),
            "true" if description.startswith("DOMESTIC") else "false",
            area,
            f"{int(east * 4):02d}{int(north * 4):02d}XX W MAIN ST",
            "true" if chance.random() < rate else "false",
        ]
        feature = QgsFeature(layer.fields())
        feature.setAttributes(row[: layer.fields().count()])
        if spatial:
            feature.setGeometry(QgsGeometry.fromPointXY(QgsPointXY(-87.7 + 0.1 * east, 41.8 + 0.1 * north)))
        features.append(feature)
    added, _ = layer.dataProvider().addFeatures(features)
    assert added
    QgsProject.instance().addMapLayer(layer, False)
    return layer


def make_area_layer() -> QgsVectorLayer:
    """Make the four areas of `make_outcome_layer`, whose ids its area field holds."""
    layer = QgsVectorLayer("Polygon?crs=EPSG:4326&field=number:integer&field=title:string", "areas", "memory")
    for number in range(4):
        west, south = -87.7 + 0.05 * (number % 2), 41.8 + 0.05 * (number // 2)
        corners = [(0, 0), (0.05, 0), (0.05, 0.05), (0, 0.05), (0, 0)]
        feature = QgsFeature(layer.fields())
        feature.setGeometry(QgsGeometry.fromPolygonXY([[QgsPointXY(west + x, south + y) for x, y in corners]]))
        feature.setAttributes([number + 1, f"Area {number + 1}"])
        assert layer.dataProvider().addFeature(feature)
    QgsProject.instance().addMapLayer(layer, False)
    return layer
