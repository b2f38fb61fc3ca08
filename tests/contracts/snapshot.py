"""What is published, as JSON: every algorithm with its parameters and outputs, every job with its parameters.

What users have written down (models, scripts, project files, calls of ``qgis_process``) names these; so what is in the
snapshots stays valid for good. The tests compare today's with them; only additions are made to the snapshots.

Usage, when something new is published, from the repository's root:

    PYTHONPATH=.dev/tools /usr/bin/python3 tests/contracts/snapshot.py algorithms    with QGIS's Python
    .engine/venv/bin/python tests/contracts/snapshot.py jobs                         with the engine's
"""

from __future__ import annotations

import importlib
import json
import math
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
#: QGIS has limits of its own where none are given: the largest numbers of C++.
_NO_LIMIT = 1e300


def _limit(value: Any) -> Any:
    if isinstance(value, int | float):
        return None if not math.isfinite(value) or abs(value) > _NO_LIMIT else value
    return _plain(value)


def _plain(value: Any) -> Any:
    """A default as JSON; QGIS's own objects by their text."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if getattr(value, "isNull", bool)():
        return None
    text = getattr(value, "asExpression", None) or getattr(value, "toString", None)
    return str(text() if text else value)


def _word(value: Any) -> Any:
    """A QGIS enumeration's value as a number, whether it is an int, a Python enum or one of sip's."""
    return int(getattr(value, "value", value))


#: Further properties by name, each read where the definition has such a method.
_FURTHER = {
    "minimum": ("minimum", _limit),
    "maximum": ("maximum", _limit),
    "data_type": ("dataType", _word),
    "data_types": ("dataTypes", lambda value: [_word(each) for each in value]),
    "layer_type": ("layerType", _word),
    "behavior": ("behavior", _word),
    "options": ("options", list),
    "multiple": ("allowMultiple", bool),
    "multi_line": ("multiLine", bool),
    "least_inputs": ("minimumNumberInputs", int),
    "parent": ("parentLayerParameterName", str),
    "parent_parameter": ("parentParameterName", str),
    "default_unit": ("defaultUnit", _word),
    "extension": ("extension", str),
    "file_filter": ("fileFilter", str),
    "create_by_default": ("createByDefault", bool),
    "default_extension": ("defaultFileExtension", str),
}


def _parameter(definition: Any) -> dict[str, Any]:
    from qgis.core import QgsProcessingParameterDefinition

    flags, flag = definition.flags(), QgsProcessingParameterDefinition.Flag
    found: dict[str, Any] = {
        "type": definition.type(),
        "description": definition.description(),
        "default": _plain(definition.defaultValue()),
        "optional": bool(flags & flag.FlagOptional),
        "advanced": bool(flags & flag.FlagAdvanced),
        "hidden": bool(flags & flag.FlagHidden),
        "destination": bool(definition.isDestination()),
    }
    for name, (method, convert) in _FURTHER.items():
        if hasattr(definition, method):
            found[name] = convert(getattr(definition, method)())
    return found


def algorithms() -> dict[str, Any]:
    """Everything that the registered provider offers, by id; needs QGIS with the plugin loaded.

    Returns
    -------
    dict
        ``name``, ``group``, ``model`` (a chain of others), ``parameters`` and ``outputs`` by name, in their order.
    """
    from qgis.core import QgsApplication, QgsProcessingModelAlgorithm

    provider = QgsApplication.processingRegistry().providerById("crimerisk")
    return {
        one.id(): {
            "name": one.displayName(),
            "group": one.group(),
            "group_id": one.groupId(),
            "model": isinstance(one, QgsProcessingModelAlgorithm),
            "parameters": {each.name(): _parameter(each) for each in one.parameterDefinitions()},
            "outputs": {
                each.name(): {"type": each.type(), "description": each.description()}
                for each in one.outputDefinitions()
            },
        }
        for one in sorted(provider.algorithms(), key=lambda one: str(one.id()))
    }


def _whole(schema: Any, known: Mapping[str, Any]) -> Any:
    """A JSON schema with what it refers to in place, and without titles and texts: their names may change."""
    if isinstance(schema, list):
        return [_whole(each, known) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _whole(known[schema["$ref"].removeprefix("#/$defs/")], known)
    found: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "properties":
            found[key] = {name: _whole(each, known) for name, each in value.items()}
        elif key not in ("title", "description", "default", "$defs"):
            found[key] = value if key in ("enum", "const", "required") else _whole(value, known)
    return found


def jobs() -> dict[str, Any]:
    """Every job of the engine: its parameters, each with ``required``, ``default`` and ``schema``."""
    names = importlib.import_module("riskengine.jobs").job_names()
    found: dict[str, Any] = {}
    for name in names:
        parameters = importlib.import_module("riskengine.jobs").parameters_model(name)
        schema = parameters.model_json_schema()
        required = schema.get("required", [])
        found[name] = {
            each: {
                "required": each in required,
                "default": part.get("default"),
                "schema": _whole(part, schema.get("$defs", {})),
            }
            for each, part in schema.get("properties", {}).items()
        }
    return found


def read(name: str) -> dict[str, Any]:
    """The snapshot ``algorithms`` or ``jobs``."""
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return found


def settled(name: str) -> dict[tuple[str, ...], tuple[Any, Any]]:
    """What was changed on purpose of the snapshot ``algorithms`` or ``jobs``: (before, now) by its place.

    ``settled.json`` holds place, before, now and the reason of each.
    """
    rows = json.loads((FOLDER / "settled.json").read_text(encoding="utf-8"))[name]
    return {tuple(place): (before, now) for place, before, now, why in rows if why}


def differences(before: Any, now: Any, *place: str) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """(place, before, now) of everything that was there before and is not the same now.

    Further algorithms, jobs, parameters, outputs and choices are no differences. A further limit is one: within a
    schema what was not said before is as much as what was.
    """
    if isinstance(before, dict) and isinstance(now, dict):
        keys = [*before, *(key for key in now if "schema" in place and key not in before)]
        for key in keys:
            yield from differences(before.get(key), now.get(key), *place, key)
    elif place[-1:] == ("enum",) and isinstance(now, list) and set(before) <= set(now):
        return
    elif before != now:
        yield place, before, now


def _start_qgis(folder: Path) -> Any:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from qgis.core import QgsApplication

    application = QgsApplication([], False)
    application.initQgis()
    # Processing lies beside QGIS's own plugins.
    sys.path.append(str(Path(QgsApplication.pkgDataPath()) / "python" / "plugins"))
    from processing.core.Processing import Processing

    Processing.initialize()
    (folder / "crime_risk").symlink_to(ROOT)
    sys.path.insert(0, str(folder))
    plugin = importlib.import_module("crime_risk").classFactory(None)
    plugin.initProcessing()
    return application, plugin


def main(name: str) -> None:
    """Write one of the snapshots."""
    if name == "algorithms":
        with tempfile.TemporaryDirectory() as folder:
            held = _start_qgis(Path(folder))
            found = algorithms()
        assert held
    else:
        sys.path.insert(0, str(ROOT))
        found = jobs()
    text = json.dumps(found, ensure_ascii=False, indent=1) + "\n"
    (FOLDER / f"{name}.json").write_text(text, encoding="utf-8")
    print(f"{name}.json: {len(found)}", flush=True)
    # QGIS's objects would be taken down in the wrong order.
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
