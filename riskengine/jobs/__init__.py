"""The jobs a worker can do: one module per job, each with its parameters and its function.

A job's module defines ``Parameters`` (a pydantic model) and ``run(parameters, context) -> dict``.
The modules are imported on demand, so that a quick job does not wait for torch.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from ..ground.context import JobContext
from ..ground.errors import ParameterError


class JobParameters(BaseModel):
    """Base of every job's parameters: unknown names are refused, as a typing error would be."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


def job_names() -> list[str]:
    """Names of all jobs, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def validate(model: type[BaseModel], params: Mapping[str, Any]) -> Any:
    """Check `params` against a job's model; the first fault becomes one sentence.

    Raises
    ------
    ParameterError
        Naming the parameter, its value and what was expected.
    """
    try:
        return model.model_validate(dict(params))
    except ValidationError as error:
        fault = error.errors()[0]
        name = ".".join(str(part) for part in fault["loc"]) or "parameters"
        cause = fault.get("ctx", {}).get("error")
        if isinstance(cause, ParameterError):
            raise cause from error
        message = fault["msg"].removeprefix("Value error, ").rstrip(".")
        value = fault.get("input")
        missing = fault["type"] == "missing"
        raise ParameterError(
            f"Parameter {name!r} is missing" if missing else f"Parameter {name!r} is {value!r}: {message}",
            parameter=name,
            value=None if missing else value,
            remedy=f"Give {name!r} a value that satisfies this",
        ) from error


def run_job(name: str, params: Mapping[str, Any], context: JobContext | None = None) -> dict[str, Any]:
    """Run one job.

    Parameters
    ----------
    name : str
        One of `job_names`.
    params : mapping
        Checked by the job's own pydantic model.
    context : JobContext, optional
        Where progress and log go, and where cancel comes from.

    Returns
    -------
    dict
        JSON-able result.

    Raises
    ------
    CrimeRiskError
        With a sentence that names parameter, value and remedy.
    """
    if name not in job_names():
        raise ParameterError(
            f"There is no job {name!r}", parameter="job", value=name, remedy="Use one of " + ", ".join(job_names())
        )
    module = importlib.import_module(f"{__name__}.{name}")
    parameters = validate(module.Parameters, params)
    result: dict[str, Any] = module.run(parameters, context or JobContext())
    return result
