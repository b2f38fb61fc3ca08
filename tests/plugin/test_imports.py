"""Loading the plugin costs nothing: qgis, PyQt and the standard library, and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import json, sys
import qgis.core, qgis.gui, qgis.utils
application = qgis.core.QgsApplication([], False)
application.initQgis()
before = set(sys.modules)
sys.path.insert(0, sys.argv[1])
from crime_risk import classFactory
plugin = classFactory(None)
plugin.initProcessing()
loaded = sorted(set(sys.modules) - before)
count = len(qgis.core.QgsApplication.processingRegistry().providerById("crimerisk").algorithms())
print("RESULT " + json.dumps({"loaded": loaded, "count": count}), flush=True)
plugin.unload()
"""
OURS = {"crime_risk", "qgis", "PyQt5", "PyQt6", "sip"}


def test_nothing_beyond_qgis_and_the_standard_library(tmp_path: Path) -> None:
    (tmp_path / "crime_risk").symlink_to(ROOT)
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**environment, "QT_QPA_PLATFORM": "offscreen"},
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    assert lines, done.stderr
    result = json.loads(lines[0].removeprefix("RESULT "))
    assert result["count"] >= 6
    foreign = {name.split(".")[0] for name in result["loaded"]} - OURS - set(sys.stdlib_module_names)
    assert not foreign, f"loading the plugin imports {sorted(foreign)}"
    # The engine's science is another process's business: what both sides must agree on is all that is read here.
    engine = [name for name in result["loaded"] if name.startswith("crime_risk.riskengine.")]
    assert all(name.startswith("crime_risk.riskengine.contract") for name in engine), engine
    assert not [name for name in result["loaded"] if name.startswith("crime_risk.ui")]
