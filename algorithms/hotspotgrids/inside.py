"""The incidents that a selection keeps, as a layer like the one they came from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsFeature,
    QgsFeatureRequest,
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingFeatureSource,
    QgsProcessingFeedback,
    QgsProcessingParameterFeatureSink,
)

from ...bridge import styles
from ...bridge.places import no_validity_check
from ..incident_algorithm import IncidentAlgorithm


def add_output(algorithm: IncidentAlgorithm, title: str) -> None:
    """INCIDENTS: optional, with the fields and the CRS of INPUT."""
    algorithm.add(
        QgsProcessingParameterFeatureSink(
            "INCIDENTS", title, QgsProcessing.SourceType.TypeVectorPoint, optional=True, createByDefault=False
        ),
        "Those that are kept, with all their fields.",
    )


def file_of_ids(parameters: dict[str, Any], folder: Path) -> str | None:
    """Where the job is to write which incidents it keeps; None if nobody asks."""
    return str(folder / "kept.npy") if parameters.get("INCIDENTS") is not None else None


def write(
    algorithm: IncidentAlgorithm,
    parameters: dict[str, Any],
    context: QgsProcessingContext,
    feedback: QgsProcessingFeedback,
    ids: str | None,
    title: str,
) -> dict[str, Any]:
    """The results to add: the destination, if it was asked for."""
    if ids is None:
        return {}
    import numpy as np

    kept = set(np.load(ids).tolist())
    source = algorithm.parameterAsSource(parameters, "INPUT", context)
    destination = algorithm.write_layer(
        parameters,
        "INCIDENTS",
        context,
        feedback,
        source.fields(),
        source.wkbType(),
        source.sourceCrs(),
        _features(source, kept),
        len(kept),
    )
    algorithm.style_output(destination, title, styles.incidents)
    return {} if destination is None else {"INCIDENTS": destination}


def _features(source: QgsProcessingFeatureSource, kept: set[int]) -> Iterator[QgsFeature]:
    # Asked for by their ids, a provider would look up one after the other.
    for feature in source.getFeatures(QgsFeatureRequest(), no_validity_check()):
        if feature.id() in kept:
            yield feature
