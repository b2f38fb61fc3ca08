"""What every test of warnings begins with: what is warned of, in which windows, under which budget, and the counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...contract.texts import count_text
from ...contract.tools.warning import DefinesWarnings
from ...contract.warnings import Budget, Timing, describe_budget, describe_known, describe_windows
from ...ground.context import JobContext
from ...maps.categories import list_recorded
from ...maps.panel import Panel
from ...maps.warningpanel import make_warning_panel
from .inputs import Inputs, read_inputs


@dataclass(frozen=True)
class Task:
    """What is warned of, and from what it is learned.

    Attributes
    ----------
    inputs : Inputs
    timing : Timing
    budget : Budget
    panel : Panel
    number : int
        Events in it.
    precursors : list of str
        Categories beside the targets that models read.
    """

    inputs: Inputs
    timing: Timing
    budget: Budget
    panel: Panel
    number: int
    precursors: list[str]


def read_task(parameters: DefinesWarnings, warn: Callable[[str], None], context: JobContext) -> Task:
    """Read the inputs of a job, and count them in steps of its windows; `warn` is told what a reader must know."""
    timing = Timing(parameters.window, parameters.begin, parameters.lead, parameters.delay)
    budget = Budget.of_tool(parameters.budget_kind, parameters.budget)
    inputs = read_inputs(parameters, warn, context)
    windows = describe_windows(timing)
    context.log(f"{windows[0].upper()}{windows[1:]}; {describe_budget(budget)} may be warned of")
    context.log(describe_known(timing))
    made = make_warning_panel(
        inputs.incidents,
        parameters.targets,
        parameters.similar,
        inputs.areas,
        timing,
        context,
        unit=inputs.unit,
        place=inputs.place,
    )
    panel = made.panel
    panel.source = parameters.source
    number = int(panel.counts.sum())
    context.log(f"{count_text(number, 'event')} of {', '.join(panel.categories)} to learn from and to be judged by")
    others = [name for name in list_recorded(inputs.incidents) if name not in panel.categories]
    return Task(inputs, timing, budget, panel, number, parameters.similar or others)
