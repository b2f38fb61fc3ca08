"""What every tool must do, whoever declares it: `check_tool`.

Run for one tool while it is being made::

    scripts/test.sh plugin -k TOOL
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from qgis.core import Qgis, QgsApplication, QgsProcessingAlgorithm, QgsProcessingContext, QgsProject

from .algorithms import Log, read_refusal, run_algorithm

ROOT = Path(__file__).resolve().parents[2]


def list_tool_ids() -> list[str]:
    """List the ids of all tools, before QGIS has loaded the plugin."""
    code = "import json; from riskengine.contract.tools import list_tools; print(json.dumps(list(list_tools())))"
    done = subprocess.run(
        [os.environ.get("QGIS_PYTHON", "/usr/bin/python3"), "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    ids: list[str] = json.loads(done.stdout)
    return ids


def algorithm_of(name: str) -> QgsProcessingAlgorithm:
    """Find the algorithm of a tool in QGIS's registry."""
    return QgsApplication.processingRegistry().algorithmById(f"crimerisk:{name}")


def check_tool(name: str, inputs: Mapping[str, Any], folder: Path) -> None:
    """Check all that every tool promises.

    Parameters
    ----------
    name : str
        Its id.
    inputs : mapping of str to value
        Values of what it needs, by the names of Processing: layers and files that hold something.
    folder : Path
        An empty one.
    """
    algorithm = algorithm_of(name)
    assert algorithm is not None, f"there is no tool {name}: is its class in riskengine/contract/tools?"
    check_description(algorithm)
    check_texts(algorithm.tool)
    check_job(algorithm.tool)
    check_choices(algorithm, inputs)
    check_limits(algorithm, inputs)
    check_destinations(algorithm, inputs, folder)


def check_description(algorithm: QgsProcessingAlgorithm) -> None:
    """It is found, explained and drawn in the toolbox, and copied as QGIS copies it."""
    assert algorithm.groupId()
    assert len(algorithm.tags()) >= 4
    assert len(algorithm.shortDescription()) > 20
    assert len(algorithm.shortHelpString()) > 200
    assert Path(algorithm.svgIconPath()).is_file(), f"resources/icons/{algorithm.name()}.svg is missing"
    assert not algorithm.icon().isNull()
    assert algorithm.canExecute()[0]
    for parameter in algorithm.parameterDefinitions():
        assert parameter.description(), parameter.name()
        assert parameter.name() == parameter.name().upper()
    copy = algorithm.create()
    assert type(copy) is type(algorithm)
    assert copy is not algorithm
    assert [p.name() for p in copy.parameterDefinitions()] == [p.name() for p in algorithm.parameterDefinitions()]
    # Runs in a background thread: QGIS would otherwise freeze for the length of a training.
    assert not algorithm.flags() & Qgis.ProcessingAlgorithmFlag.NoThreading


def check_texts(tool: Any) -> None:
    """Titles begin with a capital, help is made of sentences."""
    from crime_risk.riskengine.contract.tools.base import parameters_of

    assert tool.SUMMARY.endswith(".")
    keys = {each.key: each for each in parameters_of(tool)}
    for parameter in parameters_of(tool):
        if parameter.shown is not None:
            assert parameter.shown.title[0].isupper(), parameter.key
            assert not parameter.shown.help or parameter.shown.help[-1] in ".!", parameter.key
        if parameter.where is not None:
            # Yes or no is a choice, too.
            known = getattr(keys[parameter.where.key].kind, "values", (True, False))
            assert {parameter.where.value, parameter.where.also} - {None} <= set(known), parameter.key


def check_job(tool: Any) -> None:
    """The engine knows the job, and the styles that the declaration names are there."""
    from crime_risk.bridge import styles
    from crime_risk.riskengine.contract.tools.base import parameters_of

    assert [*(ROOT / "riskengine" / "jobs").rglob(f"{tool.JOB}.py")], f"riskengine/jobs/{tool.JOB}.py is missing"
    for parameter in parameters_of(tool):
        if style := getattr(parameter.kind, "style", ""):
            known = style in styles.BY_RESULT or (styles.FOLDER / f"{style}.qml").is_file()
            assert known, f"neither bridge.styles.BY_RESULT nor resources/styles knows {style}"


def _context() -> QgsProcessingContext:
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    return context


def _complete(
    algorithm: QgsProcessingAlgorithm, inputs: Mapping[str, Any], folder: Path, chosen: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The inputs, and a destination for all that is needed."""
    given = dict(inputs)
    for name, make in _destinations(algorithm, chosen):
        given.setdefault(name, make(folder))
    return given


def check_choices(algorithm: QgsProcessingAlgorithm, inputs: Mapping[str, Any]) -> None:
    """A choice is taken by its number and by its name; a number beyond the last is refused with all of them."""
    from crime_risk.riskengine.contract.tools import kinds
    from crime_risk.riskengine.contract.tools.base import parameters_of

    for parameter in parameters_of(algorithm.tool):
        if not isinstance(parameter.kind, kinds.Choice):
            continue
        values = parameter.kind.values
        made = algorithm._with_integers({parameter.name: str(values[-1])})
        assert made[parameter.name] in (len(values) - 1, [len(values) - 1]), parameter.key
        fine, why = algorithm.checkParameterValues({**inputs, parameter.name: len(values)}, _context())
        assert not fine, parameter.key
        assert why.startswith(f"{parameter.name} is {len(values)}; choose one of 0: "), why


def check_limits(algorithm: QgsProcessingAlgorithm, inputs: Mapping[str, Any]) -> None:
    """A number beyond its limit is refused, in a sentence that names it and the remedy; the limit itself is taken."""
    from crime_risk.riskengine.contract.tools.refusals import choose_shown_factor, is_refused

    from .limits import list_cases

    for parameter, value in list_cases(algorithm.tool):
        if getattr(parameter.type, "__origin__", None) is list:
            continue
        asked = {**inputs, parameter.name: value * choose_shown_factor(parameter)}
        fine, why = algorithm.checkParameterValues(asked, _context())
        # What it does together with other parameters is no matter of limits.
        refused = not fine and why.startswith(f"{parameter.name} is ") and ("give a" in why or "it must be" in why)
        assert refused == is_refused(parameter, value), (parameter.name, value, why)


def check_destinations(algorithm: QgsProcessingAlgorithm, inputs: Mapping[str, Any], folder: Path) -> None:
    """A destination that cannot be written is refused before any work, and nothing is left."""
    good = _complete(algorithm, inputs, folder)
    occupied = folder / "folder.gpkg"
    for name, make in _destinations(algorithm):
        said = read_refusal(algorithm.name(), **{**good, name: make(folder / "no such folder")})
        assert f"The destination of {name}, {folder / 'no such folder'}" in said, said
        assert "lies in a folder that does not exist. Choose another file." in said
        assert not list(folder.iterdir()), name
        occupied.mkdir()
        said = read_refusal(algorithm.name(), **{**good, name: str(occupied)})
        assert f"The destination of {name}, {occupied}, is a folder. Choose another file." in said
        assert list(folder.iterdir()) == [occupied], name
        occupied.rmdir()


def _destinations(
    algorithm: QgsProcessingAlgorithm, chosen: Mapping[str, Any] | None = None
) -> Iterator[tuple[str, Callable[[Path], str]]]:
    """Destinations by name; those that are written with some choices alone where these are `chosen`, by key."""
    from crime_risk.riskengine.contract.tools import kinds
    from crime_risk.riskengine.contract.tools.base import parameters_of

    for parameter in parameters_of(algorithm.tool):
        kind, name = parameter.kind, parameter.name
        # The inputs of these checks are grids, of which a tool refuses to make what it makes of areas.
        if getattr(kind, "units", "") == "areas":
            continue
        if parameter.where is not None and (chosen or {}).get(parameter.where.key) != parameter.where.value:
            continue
        if isinstance(kind, kinds.RasterDestination):
            yield name, lambda folder, name=name: str(folder / f"{name.lower()}.tif")
        elif isinstance(kind, kinds.FileDestination):
            ending = kinds.find_ending(kind.filter)
            yield name, lambda folder, name=name, ending=ending: str(folder / f"{name.lower()}.{ending}")
        elif isinstance(kind, kinds.VectorDestination):
            yield name, lambda folder, name=name: f"ogr:dbname='{folder / 'out.gpkg'}' table=\"{name.lower()}\" (geom)"


def check_run(name: str, inputs: Mapping[str, Any], folder: Path) -> None:
    """Run it with everything it can write, and once more with each choice that adds to it: all outputs are there."""
    from crime_risk.riskengine.contract.tools.base import parameters_of

    algorithm = algorithm_of(name)
    names = {each.key: each.name for each in parameters_of(algorithm.tool)}
    shown = {each.name for each in parameters_of(algorithm.tool) if each.shown is not None}
    for number, chosen in enumerate(list_runs(algorithm.tool)):
        place = folder / str(number)
        place.mkdir()
        choices = {names[key]: value for key, value in chosen.items()}
        ran = run_algorithm(name, Log(), **_complete(algorithm, {**inputs, **choices}, place, chosen))
        for parameter_name, _ in _destinations(algorithm, chosen):
            assert parameter_name in ran.results or parameter_name in _REMOVED, parameter_name
        for output in algorithm.tool.OUTPUTS:
            if output.name not in shown and (chosen.get("aim") == "catch" or not _is_caught(output)):
                assert ran.results[output.name] is not None, f"{output.name}: the job's result has no {output.key}"
        assert "could not be styled" not in ran.log.text


def list_runs(tool: Any) -> list[dict[str, Any]]:
    """List what is chosen, by key, to see all that a tool writes and tells: the defaults, and what adds to them."""
    from crime_risk.riskengine.contract.tools import kinds
    from crime_risk.riskengine.contract.tools.base import parameters_of

    wheres = [each.where for each in parameters_of(tool) if isinstance(each.kind, kinds.Destination) and each.where]
    runs = [{}, *({each.key: each.value} for each in wheres)]
    # What was caught is there with the catch alone.
    if any(map(_is_caught, tool.OUTPUTS)) and {"aim": "catch"} not in runs:
        runs.append({"aim": "catch"})
    return runs


def _is_caught(output: Any) -> bool:
    return bool(output.key.startswith("catch."))


#: Files that are gone when all went well.
_REMOVED = ("CHECKPOINT",)
