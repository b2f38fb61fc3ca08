"""The ways in which rows can go from QGIS to the engine and back, on the incidents of Mexico City.

CPU seconds of each way in one run, and as a share of what QGIS takes for its own copy: why docs/methods/files.md
says what it says.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common import make_parser, make_qgis_environment, require_data, round_floats, run_qgis_process, say

#: Run in QGIS's Python: reading, copying in C++, and features one by one.
_IN_QGIS = """
import json, sys, time
from itertools import islice
from qgis.core import *
app = QgsApplication([], False)
app.initQgis()
source, folder = sys.argv[1:]
layer = QgsVectorLayer(source, "incidents", "ogr")
context = QgsProcessingContext()
seconds = {}

def measure(name, work):
    began = time.process_time()
    kept = work()
    seconds[name] = time.process_time() - began

def make_sink(target):
    return QgsProcessingUtils.createFeatureSink(target, context, layer.fields(), layer.wkbType(), layer.crs())[0]

def copy():
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName = "GPKG"
    return QgsVectorFileWriter.writeAsVectorFormatV3(
        layer, folder + "/copied.gpkg", QgsCoordinateTransformContext(), options)

def read():
    return [(f.geometry().constGet().x(), f.geometry().constGet().y(), f.id(), f.attribute(1))
            for f in layer.getFeatures(QgsFeatureRequest().setSubsetOfAttributes([1]))]

def add_batches(target):
    sink, features = make_sink(target), layer.getFeatures()
    while batch := list(islice(features, 5000)):
        sink.addFeatures(batch, QgsFeatureSink.Flag.FastInsert)

def make_features(target):
    sink, batch = make_sink(target), []
    for old in layer.getFeatures():
        new = QgsFeature(layer.fields())
        new.setGeometry(old.geometry())
        new.setAttributes(old.attributes())
        batch.append(new)
        if len(batch) == 5000:
            sink.addFeatures(batch, QgsFeatureSink.Flag.FastInsert)
            batch = []
    sink.addFeatures(batch, QgsFeatureSink.Flag.FastInsert)

measure("copy_in_qgis", copy)
measure("read_in_python", read)
measure("features_in_python_to_file", lambda: make_features(folder + "/made.gpkg"))
measure("iterator_to_memory", lambda: make_sink("memory:").addFeatures(layer.getFeatures()))
measure("batches_to_memory", lambda: add_batches("memory:"))
measure("batches_to_file", lambda: add_batches(folder + "/batches.gpkg"))
print(json.dumps(seconds))
"""


def measure_engine(source: Path, folder: Path) -> dict[str, float]:
    """Measure the engine's ways: reading, and writing with Arrow and with plain arrays."""
    import pyogrio
    from pyogrio.raw import read, write

    seconds: dict[str, float] = {}

    def measure(name: str, work: Callable[[], Any]) -> Any:
        began = time.process_time()
        made = work()
        seconds[name] = time.process_time() - began
        return made

    meta, table = measure("read_with_arrow", lambda: pyogrio.read_arrow(source, layer="incidents"))
    options = {"geometry_type": "Point", "crs": meta["crs"]}
    measure(
        "write_with_arrow",
        lambda: pyogrio.write_arrow(table, folder / "arrow.gpkg", geometry_name=meta["geometry_name"], **options),
    )
    info, _, shapes, columns = measure("read_as_arrays", lambda: read(source, layer="incidents"))
    measure("write_as_arrays", lambda: write(folder / "arrays.gpkg", shapes, columns, info["fields"], **options))
    return seconds


def main() -> None:
    options = make_parser(__doc__).parse_args()
    csv = require_data(options.data, "mexico_city", "fgj_carpetas_2019-02_2020-01.csv")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "incidents.gpkg"
        imported = run_qgis_process("crimerisk:importincidents", {"INPUT": str(csv), "OUTPUT": str(source)})
        say("in QGIS …")
        python = os.environ.get("QGIS_PYTHON", "/usr/bin/python3")
        done = subprocess.run(
            [python, "-c", _IN_QGIS, str(source), name], capture_output=True, text=True, env=make_qgis_environment()
        )
        if done.returncode:
            sys.exit(done.stderr[-2000:])
        seconds = json.loads(done.stdout.splitlines()[-1])
        say("in the engine …")
        seconds |= measure_engine(source, folder)
    shares = {name: value / seconds["copy_in_qgis"] for name, value in seconds.items()}
    made = {"rows": imported["results"]["COUNT"], "cpu_seconds": seconds, "share_of_copy_in_qgis": shares}
    print(json.dumps(round_floats(made, 3)))


if __name__ == "__main__":
    main()
