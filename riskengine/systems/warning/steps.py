"""What every test of warnings begins with: what is warned of, in which windows, under which budget, and the counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...contract.texts import count_text, list_names
from ...contract.tools.warning import DefinesWarnings
from ...contract.warnings import Budget, Timing, describe_budget, describe_known, describe_windows
from ...ground.context import JobContext
from ...maps.categories import list_recorded
from ...maps.panel import Panel
from .inputs import WarningInputs, look_at_pictures, read_warning_inputs


@dataclass(frozen=True)
class Task:
    """What is warned of, and from what it is learned.

    Attributes
    ----------
    inputs : WarningInputs
    timing : Timing
    budget : Budget
    precursors : list of str
        Categories beside the targets that models read.
    """

    inputs: WarningInputs
    timing: Timing
    budget: Budget
    precursors: list[str]

    @property
    def panel(self) -> Panel:
        """The events, in steps of the windows."""
        return self.inputs.warning.panel


def read_task(parameters: DefinesWarnings, models: Sequence[str], context: JobContext) -> Task:
    """Read the inputs of a job with these models, and count them in steps of its windows."""
    timing = Timing(parameters.window, parameters.begin, parameters.lead, parameters.delay)
    budget = Budget.of_tool(parameters.budget_kind, parameters.budget)
    windows = describe_windows(timing)
    context.log(f"{windows[0].upper()}{windows[1:]}; {describe_budget(budget)} may be warned of")
    context.log(describe_known(timing))
    inputs = read_warning_inputs(
        parameters, parameters.targets, parameters.similar, timing, context, pictures=look_at_pictures(models)
    )
    panel = inputs.warning.panel
    panel.source = parameters.source
    number = count_text(len(inputs.warning.events), "event")
    context.log(f"{number} of {list_names(panel.categories)} to learn from and to be judged by")
    others = [name for name in list_recorded(inputs.incidents) if name not in panel.categories]
    return Task(inputs, timing, budget, parameters.similar or others)
