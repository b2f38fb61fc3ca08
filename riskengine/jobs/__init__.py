"""The jobs a worker can do: one module per job, with its function; those of a group of tools may share a folder.

A job's module defines ``run(parameters, context) -> dict``. The parameters are those of the tool that it serves (see
`riskengine.contract.tools`), or of a pydantic model ``Parameters`` in the module where no tool shows them. The modules
are imported on demand, so that a quick job does not wait for torch.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from typing import Any

from ..contract.tools import tool_of_job
from ..ground.context import JobContext
from ..ground.errors import ParameterError
from .models import JobParameters, check_parameters, model_of

#: Modules of this package that are no jobs.
_NO_JOBS = ("models",)


@cache
def _find_jobs() -> dict[str, str]:
    """The module of each job by its name: of this package, or of a folder in it."""
    found: dict[str, str] = {}
    for module in pkgutil.iter_modules(__path__):
        place = f"{__name__}.{module.name}"
        if module.ispkg:
            folder = importlib.import_module(place).__path__
            found |= {each.name: f"{place}.{each.name}" for each in pkgutil.iter_modules(folder)}
        elif module.name not in _NO_JOBS:
            found[module.name] = place
    return found


def job_names() -> list[str]:
    """List the names of all jobs, sorted."""
    return sorted(_find_jobs())


def parameters_model(name: str) -> type[JobParameters]:
    """The pydantic model of a job's parameters."""
    tool = tool_of_job(name)
    if tool is not None:
        return model_of(tool)
    model: type[JobParameters] = importlib.import_module(_find_jobs()[name]).Parameters
    return model


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
    parameters = check_parameters(tool_of_job(name), parameters_model(name), params)
    module = importlib.import_module(_find_jobs()[name])
    result: dict[str, Any] = module.run(parameters, context or JobContext())
    return result
