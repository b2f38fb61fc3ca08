"""Predict score layer: polygons that become points, and markers that fill the cells of a grid."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsPointXY, QgsProcessingUtils

from ..bridge import layers, styles
from ..bridge.about import describe_result
from ..bridge.crs import transform_arrays
from . import features
from .scored_places import ScoringAlgorithm, spacing_of
from .values import Asked


class Algorithm(ScoringAlgorithm):
    """Predict score layer."""

    def finish(self, asked: Asked, result: dict[str, Any]) -> dict[str, Any]:
        """Write, and style with the names that the fields have got."""
        returned = super().finish(asked, result)
        own = asked.find_parameter("layer").kind.fields
        fields = features.fields_of(own)
        if asked.source is not None:
            # Where the layer had a field of that name already, ours has got another.
            fields = QgsProcessingUtils.combineFields(asked.source.fields(), fields)
        names = dict(zip(own, fields.names()[-len(own) :]))
        spacing = spacing_of(asked)
        self.style_output(
            returned["OUTPUT"],
            self.tr("Predicted scores"),
            lambda layer: styles.style_predicted_scores(layer, result["classes"], names, spacing),
            describe_result(result),
        )
        return returned

    def points_of(self, asked: Asked) -> dict[int, QgsPointXY] | None:
        """The scored points of polygons that are not kept."""
        assert asked.source is not None
        assert asked.places is not None
        kept = self.parameterAsBoolean(asked.parameters, "KEEP_POLYGONS", asked.context)
        if kept or not layers.has_polygons(asked.source):
            return None
        places = asked.places
        x, y = transform_arrays(
            places.x, places.y, places.crs, asked.source.sourceCrs(), asked.context.transformContext()
        )
        return {fid: QgsPointXY(*point) for fid, *point in zip(places.fid.tolist(), x.tolist(), y.tolist())}
