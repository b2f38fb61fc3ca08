"""The pydantic model of a job, made from the declaration of its tool, and what is said of values it refuses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model

from ..contract.tools.base import NEEDED, Group, Parameter, Problem, Tool, parameters_of
from ..contract.tools.kinds import Destination
from ..contract.tools.refusals import describe_requirement, describe_wrong_ending
from ..contract.tools.results import list_unasked_problems
from ..contract.tools.units import list_unit_problems
from ..ground.errors import CrimeRiskError, OutputError, ParameterError


class JobParameters(BaseModel):
    """Base of every job's parameters: unknown names are refused, as a typing error would be."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


def model_of(tool: type[Tool]) -> type[JobParameters]:
    """Make the model of a tool's job; its instances have the attributes that the declaration annotates."""
    if tool not in _MODELS:
        _MODELS[tool] = _made(tool)
    return _MODELS[tool]


_MODELS: dict[type[Tool], type[JobParameters]] = {}


def _made(tool: type[Tool]) -> type[JobParameters]:
    fields: dict[str, Any] = {}
    groups: dict[str, tuple[type[Group], dict[str, Any]]] = {}
    for parameter in parameters_of(tool):
        if not parameter.job:
            continue
        if parameter.group:
            assert parameter.members is not None
            _, members = groups.setdefault(parameter.group, (parameter.members, {}))
            members[parameter.key] = _field(parameter)
        else:
            fields[parameter.key] = _field(parameter)
    for key, (kind, members) in groups.items():
        group: Any = create_model(kind.__name__, __base__=JobParameters, **members)
        fields[key] = (group | None, None)
    model: type[JobParameters] = create_model(tool.__name__, __base__=JobParameters, **fields)
    return model


def _field(parameter: Parameter) -> tuple[Any, Any]:
    """Type and default, as `create_model` takes them."""
    limits = parameter.limits
    kind: Any = parameter.type
    bounds: dict[str, Any] = {}
    if limits.low is not None:
        bounds["gt" if limits.above else "ge"] = limits.low
    if limits.high is not None:
        bounds["le"] = limits.high
    origin = get_origin(kind)
    if origin is list:
        (item,) = get_args(kind)
        items: Any = list[Annotated[item, Field(**bounds)]] if bounds else list[item]  # type: ignore[valid-type]
        kind = Annotated[items, Field(min_length=limits.fewest, max_length=limits.most), BeforeValidator(_as_list)]
    elif bounds:
        kind = Annotated[kind, Field(**bounds)]
    if parameter.nullable:
        kind = Annotated[kind | None, BeforeValidator(_empty_as_none)] if parameter.type is str else kind | None
    if parameter.default is NEEDED:
        return kind, ...
    # Lists and objects are copied by pydantic.
    return kind, parameter.default


def _as_list(value: Any) -> Any:
    """One text stands for a list of it; empty ones are none."""
    if isinstance(value, str):
        value = [value]
    return [each for each in value if each != ""] if isinstance(value, list) else value


def _empty_as_none(value: Any) -> Any:
    return None if value == "" else value


def check_parameters(tool: type[Tool] | None, model: type[BaseModel], params: Mapping[str, Any]) -> Any:
    """Check `params` against a job's model and its tool's rules; the first fault becomes one sentence.

    Raises
    ------
    ParameterError
        Naming the parameter, its value and what was expected.
    """
    try:
        parameters = model.model_validate(dict(params))
    except ValidationError as error:
        raise _refusal(tool, error) from error
    written = {each.key for each in parameters_of(tool) if isinstance(each.kind, Destination)} if tool else set()
    for name, value in dict(params).items():
        _check_texts(name, value, OutputError if name in written else ParameterError)
    if tool is not None:
        _check_endings(tool, parameters)
        values = dict(parameters)
        _refuse_first(tool.list_problems(values), values)
        _refuse_first(list_unasked_problems(tool, values, values), values)
    return parameters


def check_units(tool: type[Tool], parameters: Any, **are_areas: bool) -> None:
    """Check that a job's layers go together, and that it was asked for results of their units.

    Parameters
    ----------
    tool : type of Tool
    parameters : pydantic model
        Of its job.
    **are_areas : bool
        Of each layer, by its key, whether it holds areas; others are grids.

    Raises
    ------
    ParameterError
    """
    _refuse_first(list_unit_problems(tool, are_areas, dict(parameters)), dict(parameters))


def _refuse_first(problems: Iterable[Problem], values: Mapping[str, Any]) -> None:
    for problem in problems:
        names = {key: key for key in values} | {"value": _text(values[problem.key])}
        raise ParameterError(problem.text.format(**names), parameter=problem.key, value=values[problem.key])


def _check_texts(name: str, value: Any, error: type[CrimeRiskError]) -> None:
    """Refuse texts that are none; the name of a file may be of bytes that are no text, as Python carries them."""
    if isinstance(value, str):
        try:
            held = value.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            held = b"\0"
        if b"\0" in held:
            raise error(
                f"Parameter {name!r} is {value!r}, which is no text",
                parameter=name,
                remedy=f"Give {name!r} a text that can be written",
            )
    elif isinstance(value, Mapping):
        for item in value.values():
            _check_texts(name, item, error)
    elif isinstance(value, list | tuple):
        for item in value:
            _check_texts(name, item, error)


def _check_endings(tool: type[Tool], parameters: BaseModel) -> None:
    """Refuse names of files that later steps would not take; before hours of work rather than after."""
    for parameter in parameters_of(tool):
        path = getattr(parameters, parameter.key, None) if parameter.job and not parameter.group else None
        if path and (why := describe_wrong_ending(parameter, path)):
            name = parameter.key
            raise ParameterError(f"{name} is {path}; {why}", parameter=name, value=path)


def to_dict(parameters: Group) -> dict[str, Any]:
    """A job's parameters as JSON-able values by key."""
    assert isinstance(parameters, BaseModel)
    return parameters.model_dump(mode="json")


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_text(each) for each in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _refusal(tool: type[Tool] | None, error: ValidationError) -> ParameterError:
    fault = error.errors()[0]
    name = ".".join(str(part) for part in fault["loc"]) or "parameters"
    cause = fault.get("ctx", {}).get("error")
    if isinstance(cause, ParameterError):
        return cause
    value = fault.get("input")
    if fault["type"] == "missing":
        return ParameterError(
            f"Parameter {name!r} is missing", parameter=name, remedy=f"Give {name!r} a value that satisfies this"
        )
    if fault["type"] in _BOUNDS and (parameter := _declared(tool, fault["loc"])) is not None:
        return ParameterError(
            f"{name} is {_text(value)}; {describe_requirement(parameter)}", parameter=name, value=value
        )
    message = fault["msg"].removeprefix("Value error, ").rstrip(".")
    return ParameterError(
        f"Parameter {name!r} is {value!r}: {message}",
        parameter=name,
        value=value,
        remedy=f"Give {name!r} a value that satisfies this",
    )


#: What pydantic calls a number outside its limits.
_BOUNDS = ("greater_than", "greater_than_equal", "less_than", "less_than_equal")


def _declared(tool: type[Tool] | None, place: tuple[int | str, ...]) -> Parameter | None:
    path = [str(part) for part in place if not isinstance(part, int)]
    return next(
        (
            each
            for each in (parameters_of(tool) if tool is not None else ())
            if [*filter(None, (each.group,)), each.key] == path
        ),
        None,
    )
