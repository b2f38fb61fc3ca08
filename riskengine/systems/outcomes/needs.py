"""What a trained model needs of a layer: its fields by the names that they had in training, else by what they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...contract.fieldnames import find_field
from ...contract.texts import list_names
from ...contract.tools.outcomemodel import PredictOutcome
from ...ground.errors import DataError
from .model import OutcomeCard
from .rows import Rows

#: Groups of features whose fields Join context adds.
_JOINED = ("weather", "census")
_ROLES = ("category", "description", "location", "domestic")


class AskedRows:
    """The parameters of a prediction as `read_rows` takes them: fields that were left empty are those of the training.

    Parameters
    ----------
    parameters : PredictOutcome
    card : OutcomeCard
    names : sequence of str
        Of the layer's fields.

    Raises
    ------
    DataError
        If the layer lacks fields of weather, census or others that the model reads.
    """

    def __init__(self, parameters: PredictOutcome, card: OutcomeCard, names: Sequence[str]) -> None:
        self._parameters = parameters
        roles = {role: name for role, name in card.fields.items() if role != "outcome"}
        self._fields = {f"{'id' if role == 'incident' else role}_field": name for role, name in roles.items()}
        self._names = names
        self.found_by_police = parameters.found_by_police or card.found
        self.people = True
        self.use_minute = card.minute
        self.leaks = card.leaks
        for group in (*_JOINED, "other"):
            setattr(self, f"{group}_fields", _find_all(group, getattr(card, group), names))

    def __getattr__(self, key: str) -> object:
        given = getattr(self._parameters, key)
        return given if given or key not in self._fields else find_field(self._fields[key], self._names)


def _find_all(group: str, wanted: Sequence[str], names: Sequence[str]) -> list[str]:
    found = {name: find_field(name, names) for name in wanted}
    missing = [name for name, there in found.items() if there is None]
    if missing:
        whole = "it has none of them" if len(missing) == len(wanted) else "the others are there"
        what = f"fields of {group}" if group in _JOINED else "fields"
        raise DataError(
            f"The model reads {what} that the layer does not have: {list_names(missing, 40)}; {whole}",
            parameter="incidents",
            remedy=(
                "Add them to the incidents with Join context, with the same prefix as before the training"
                if group in _JOINED
                else "Give the fields the names that they had in the training"
            ),
        )
    return [name for name in found.values() if name is not None]


def check_groups(card: OutcomeCard, rows: Rows) -> list[str]:
    """Refuse rows without a text that the model reads, and say what else they lack, which counts as missing.

    Returns
    -------
    list of str
        Sentences without their full stop.

    Raises
    ------
    DataError
    """
    missing = [role for role in _ROLES if role in card.groups and role in card.fields and role not in rows.texts]
    if missing:
        named = list_names([f"{role} ({card.fields[role]})" for role in missing])
        raise DataError(
            f"The model reads fields that were not found in the layer: {named}",
            parameter=f"{missing[0]}_field",
            value="",
            remedy="Choose the field that holds it",
        )
    lacking = []
    if "time" in card.groups and np.isnat(rows.day).all():
        lacking.append("The model reads when incidents happened, but no time was found: it counts as missing")
    if "place" in card.groups and card.crs and not np.isfinite(rows.x).any():
        lacking.append("The model reads the places of incidents, but the table has none: they count as missing")
    if "rows" in card.leaks and "incident" not in rows.texts:
        lacking.append("The model reads how many rows an incident has, but there is no incident number: each has one")
    return lacking
