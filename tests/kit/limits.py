"""Every limit of every tool, asked on both sides: of the dialog and of the job.

Run as a script it prints the answers of one side: ``limits.py dialog`` with QGIS's Python, ``limits.py job`` with the
engine's. `list_disagreements` runs both and compares.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

ROOT = Path(__file__).resolve().parents[2]
#: What a tool cannot do without though each may be left empty by itself, by the names of Processing.
BESIDE: dict[str, dict[str, Any]] = {
    "addcovariates": {"FIELDS": "occurred", "KEY_FIELD": "occurred"},
    "checkroutes": {"NEAREST": 100, "FARTHEST": 50_000},
    "countareas": {"UNITS": "squares", "SIZE": 500},
    "classifyrisk": {"OUTPUT": "TEMPORARY_OUTPUT"},
    "joincontext": {"TABLE": "reports"},
    "networkexposure": {"INCIDENTS": "reports"},
    "saferoutes": {"INCIDENTS": "reports", "START": "0,0 [EPSG:4326]", "END": "1,1 [EPSG:4326]"},
    "forecastrisk": {"OUTPUT": "TEMPORARY_OUTPUT"},
    "trainwarning": {"TARGETS": "SHOOTING"},
    "windowmaps": {"TARGETS": "SHOOTING", "PICTURES": "TEMPORARY_OUTPUT"},
    "backtestwarnings": {"TARGETS": "SHOOTING"},
    "trainwindownetwork": {"TARGETS": "SHOOTING"},
}
#: How far beyond a limit of a real number is asked, relative to it.
STEP = 1e-6


def list_cases(tool: Any) -> Iterator[tuple[Any, float]]:
    """Yield each number of a tool with the values at its limits and one step to either side, as the job has them."""
    from crime_risk.riskengine.contract.tools.base import LARGEST_INTEGER, parameters_of

    for parameter in parameters_of(tool):
        limits = parameter.limits
        whole = int in (parameter.type, *get_args(parameter.type))
        if parameter.shown is None or not parameter.job:
            continue
        for end, sign in ((limits.low, -1), (limits.high, 1)):
            # A dialog holds no whole number beyond these, so there is nothing to ask.
            if end is None or (whole and abs(end) >= LARGEST_INTEGER):
                continue
            step = 1 if whole else STEP * max(abs(end), 1.0)
            yield from ((parameter, end + sign * far * step) for far in (-1, 0, 1))


def ask_dialogs() -> list[list[Any]]:
    """Ask the dialogs: tool, parameter, value, whether it is taken. Needs QGIS's Python."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from qgis.core import QgsApplication, QgsProcessingContext, QgsProject

    application = QgsApplication.instance()
    if application is None:
        application = QgsApplication([], False)
        application.initQgis()
    from crime_risk.algorithms.provider import make_algorithms
    from crime_risk.riskengine.contract.tools.base import parameters_of
    from crime_risk.riskengine.contract.tools.refusals import choose_shown_factor

    answers = []
    with tempfile.TemporaryDirectory() as folder:
        inputs = _inputs(Path(folder))
        for algorithm in make_algorithms():
            algorithm.initAlgorithm()
            context = QgsProcessingContext()
            context.setProject(QgsProject.instance())
            given = {
                each.name: inputs[type(each.kind).__name__](each)
                for each in parameters_of(algorithm.tool)
                if each.shown is not None and not each.optional and type(each.kind).__name__ in inputs
            }
            given.update(BESIDE.get(algorithm.name(), {}))
            fine, why = algorithm.checkParameterValues(given, context)
            assert fine, (algorithm.name(), why)
            for parameter, value in list_cases(algorithm.tool):
                shown = value * choose_shown_factor(parameter)
                text = str(int(shown)) if float(shown).is_integer() else repr(shown)
                asked = text if get_origin(parameter.type) is list else shown
                fine, why = algorithm.checkParameterValues({**given, parameter.name: asked}, context)
                # What other parameters make of it is no matter of limits.
                limited = why.startswith(f"{parameter.name} is ") and ("give " in why or "it must be" in why)
                taken = fine or not limited
                answers.append([algorithm.name(), parameter.name, value, taken])
        del inputs
        QgsProject.instance().clear()
    return answers


def _inputs(folder: Path) -> dict[str, Any]:
    """What is needed besides, by the kind of parameter: an input of the right kind that holds next to nothing."""
    from osgeo import gdal
    from qgis.core import QgsProject, QgsVectorLayer

    raster = folder / "grids.tif"
    gdal.UseExceptions()
    gdal.GetDriverByName("GTiff").Create(str(raster), 2, 2, 1)
    layer = QgsVectorLayer("Point?crs=EPSG:4326&field=occurred:datetime", "reports", "memory")
    areas = QgsVectorLayer("Polygon?crs=EPSG:4326&field=id:integer", "areas", "memory")
    lines = QgsVectorLayer("LineString?crs=EPSG:4326&field=occurred:datetime", "streets", "memory")
    for each in (layer, areas, lines):
        QgsProject.instance().addMapLayer(each, False)

    def file(parameter: Any) -> str:
        path = folder / f"file.{parameter.kind.ending or 'csv'}"
        path.touch()
        return str(path)

    return {
        "Raster": lambda parameter: str(raster),
        "File": file,
        "MapLayer": lambda parameter: str(raster),
        "Incidents": lambda parameter: layer,
        "Table": lambda parameter: lines if parameter.kind.lines else layer,
        "Units": lambda parameter: areas,
        "Field": lambda parameter: "occurred",
        "RasterDestination": lambda parameter: str(folder / "out.tif"),
        "PanelDestination": lambda parameter: str(folder / "out.gpkg"),
        "FileDestination": lambda parameter: str(folder / f"out.{parameter.kind.ending or 'file'}"),
        "VectorDestination": lambda parameter: "memory:",
    }


def ask_jobs() -> list[list[Any]]:
    """Ask the jobs, as `ask_dialogs` does the dialogs. Needs the engine's Python."""
    from crime_risk.riskengine.contract.tools import list_tools
    from crime_risk.riskengine.contract.tools.base import NEEDED, parameters_of
    from crime_risk.riskengine.ground.errors import ParameterError
    from crime_risk.riskengine.jobs.models import check_parameters, model_of

    answers = []
    for name, tool in list_tools().items():
        needed = {each.key: "x" for each in parameters_of(tool) if each.job and each.default is NEEDED}
        for parameter, value in list_cases(tool):
            whole = int in (parameter.type, *get_args(parameter.type))
            given: Any = int(value) if whole else value
            given = [given] if get_origin(parameter.type) is list else given
            asked = {parameter.key: given}
            try:
                check_parameters(
                    tool, model_of(tool), {**needed, **({parameter.group: asked} if parameter.group else asked)}
                )
                taken = True
            except ParameterError as error:
                limited = "give " in str(error) or "it must be" in str(error)
                taken = not limited or parameter.key not in (error.parameter or "").split(".")
            answers.append([name, parameter.name, value, taken])
    return answers


def list_disagreements() -> list[str]:
    """List where dialog and job differ; starts both Pythons."""
    sides = []
    for side, python in (
        ("dialog", os.environ.get("QGIS_PYTHON", "/usr/bin/python3")),
        ("job", str(Path(os.environ.get("CRIMERISK_ENGINE", ROOT / ".engine")) / "venv" / "bin" / "python")),
    ):
        done = subprocess.run([python, __file__, side], capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr)
        sides.append(json.loads(done.stdout.splitlines()[-1]))
    return compare(*sides)


def compare(dialogs: list[list[Any]], jobs: list[list[Any]]) -> list[str]:
    """Say where two lists of answers differ."""
    words = {True: "takes", False: "refuses"}
    others = {(tool, name, value): taken for tool, name, value, taken in jobs}
    assert len(others) == len(jobs) == len(dialogs) > 50, (len(others), len(jobs), len(dialogs))
    return [
        f"{tool} {name}={value!r}: the dialog {words[taken]} it, the job {words[others[tool, name, value]]} it"
        for tool, name, value, taken in dialogs
        if others[tool, name, value] != taken
    ]


def _main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        # The plugin's folder may have any name, so its package gets one here.
        (Path(folder) / "crime_risk").symlink_to(ROOT)
        sys.path.insert(0, folder)
        answers = {"dialog": ask_dialogs, "job": ask_jobs}[sys.argv[1]]()
    print(json.dumps(answers))
    sys.stdout.flush()
    # QGIS may crash while it is taken down, when all is said.
    os._exit(0)


if __name__ == "__main__":
    _main()
