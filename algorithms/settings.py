"""Texts of parameters as the values that a job takes: lists, and settings of models."""

from __future__ import annotations

import json
import math
import re
from typing import Any, get_args

from qgis.core import QgsProcessingException

from ..bridge.crs import tr
from ..riskengine.contract.tools.base import LARGEST_INTEGER, Parameter
from ..riskengine.contract.written_lists import split_names


def list_of(parameter: Parameter, text: str) -> list[Any] | None:
    """List the items of a list written as text; None where it is empty and that means something.

    A name that holds a separator stands in quotes.

    Raises
    ------
    QgsProcessingException
        If they are not what the parameter takes.
    """
    separator = parameter.kind.separator
    parts = split_names(text, f"{separator};")
    (item,) = get_args(parameter.type)
    if not parts and parameter.nullable:
        return None
    if item is str:
        values: list[Any] = parts
    else:
        values = [_number(part, item) for part in parts]
        if any(value is None or not parameter.limits.allow(value) for value in values):
            raise _refusal(parameter, text)
    if parameter.limits.most is not None and len(values) > parameter.limits.most:
        raise _refusal(parameter, text)
    return values


def _number(text: str, kind: type) -> Any:
    try:
        value = int(text) if kind is int else float(text)
    except ValueError:
        return None
    # Written as a whole number is written everywhere: "1_000" and "१" are none.
    return value if math.isfinite(value) and (kind is float or re.fullmatch(r"[+-]?[0-9]+", text)) else None


def _refusal(parameter: Parameter, text: str) -> QgsProcessingException:
    (item,), limits = get_args(parameter.type), parameter.limits
    what = {int: tr("whole numbers"), float: tr("numbers"), str: tr("names")}[item]
    if limits.low is not None and limits.high is not None and limits.high <= LARGEST_INTEGER:
        what = tr("{what} from {low} to {high}").format(what=what, low=f"{limits.low:g}", high=f"{limits.high:g}")
    most = tr("up to {most} ").format(most=limits.most) if limits.most is not None else ""
    separator = tr("semicolons") if parameter.kind.separator == ";" else tr("commas")
    return QgsProcessingException(
        tr("{name} is {text}; give {most}{what} with {separator} between them, such as {example}{empty}.").format(
            name=parameter.name,
            text=text or tr("empty"),
            most=most,
            what=what,
            separator=separator,
            example=parameter.kind.example,
            empty=tr(", or leave it empty") if parameter.nullable else "",
        )
    )


def parse_settings(text: str, example: str) -> dict[str, Any]:
    """Parse settings written as a JSON object, or as ``name=value`` with commas, semicolons or line ends between them.

    A value is read as JSON where it is some (a number, true, null, a list), else as text.

    Raises
    ------
    QgsProcessingException
        With what was meant to be there.
    """
    text = text.strip()
    if not text:
        return {}
    refusal = QgsProcessingException(
        tr("SETTINGS is {text}; write it such as {example}, or leave it empty.").format(text=text, example=example)
    )
    if text.startswith("{"):
        try:
            values = json.loads(text)
        except ValueError as error:
            raise refusal from error
        return dict(values)
    settings: dict[str, Any] = {}
    # A comma inside brackets belongs to a list.
    for part in re.split(r"[,;\n](?![^\[]*\])", text):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not part.strip():
            continue
        if not equals or not re.fullmatch(r"[A-Za-z_][\w.]*", name) or not value or name in settings:
            raise refusal
        settings[name] = _value(value)
    return settings


def settings_of(parameter: Parameter, text: str) -> dict[str, Any]:
    """Read settings of one model, or of several by their names: ``convlstm.epochs=20`` or JSON of objects.

    Raises
    ------
    QgsProcessingException
        If they cannot be read.
    """
    example = parameter.kind.example
    given = parse_settings(text, example)
    if not parameter.kind.by_model:
        return given
    settings: dict[str, dict[str, Any]] = {}
    for key, value in given.items():
        model, _, name = key.partition(".")
        own = {name: value} if name else value
        if not isinstance(own, dict):
            raise QgsProcessingException(
                tr("SETTINGS gives {model} the value {value}; write it such as {example}.").format(
                    model=model, value=value, example=example
                )
            )
        settings.setdefault(model, {}).update(own)
    return settings


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return {"True": True, "False": False, "None": None}.get(text, text)
