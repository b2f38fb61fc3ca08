"""QGIS's own network tools on a layer: seconds and metres, as JSON. Run by QGIS's Python, with the layer and pairs."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from qgis.analysis import (
    QgsGraphAnalyzer,
    QgsGraphBuilder,
    QgsNetworkDistanceStrategy,
    QgsVectorLayerDirector,
)
from qgis.core import QgsApplication, QgsPointXY, QgsVectorLayer


def measure(source: str, pairs: list[list[list[float]]], repeats: int) -> dict[str, Any]:
    """Build the graph several times; find the shortest way of each pair of vertices, as *Shortest path* does."""
    built: list[float] = []
    for _ in range(repeats):
        began = time.process_time()
        layer = QgsVectorLayer(source, "streets", "ogr")
        director = QgsVectorLayerDirector(layer, -1, "", "", "", QgsVectorLayerDirector.Direction.DirectionBoth)
        director.addStrategy(QgsNetworkDistanceStrategy())
        builder = QgsGraphBuilder(layer.crs(), True, 0, "EPSG:7030")
        director.makeGraph(builder, [QgsPointXY(*place) for place in pairs[0]])
        graph = builder.takeGraph()
        built.append(time.process_time() - began)
    asked, metres = [], []
    for pair in pairs:
        start, end = (graph.findVertex(QgsPointXY(*place)) for place in pair)
        began = time.process_time()
        tree, costs = QgsGraphAnalyzer.dijkstra(graph, start, 0)
        way, vertex = [graph.vertex(end).point()], end
        while tree[vertex] != -1:
            vertex = graph.edge(tree[vertex]).fromVertex()
            way.append(graph.vertex(vertex).point())
        asked.append(time.process_time() - began)
        metres.append(costs[end])
    return {"build": built, "query": asked, "metres": metres}


if __name__ == "__main__":
    application = QgsApplication([], False)
    application.initQgis()
    given = json.load(sys.stdin)
    print(json.dumps(measure(given["source"], given["pairs"], given["repeats"])))
