"""Settings of users and of files: one check of names, types and limits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from riskengine.forecasters.catalogue import make_forecaster
from riskengine.ground.errors import ParameterError
from riskengine.learning.settings import check_choice, check_positive, read_settings


@dataclass(frozen=True)
class Schedule:
    epochs: int = 3


class Model:
    def __init__(
        self, rate: float = 0.1, members: tuple[str, ...] = (), schedule: str | Schedule = "dense", size: int | None = 3
    ) -> None:
        pass


def read(**given: object) -> dict[str, object]:
    return read_settings(Model, given, "The model", "settings.model", {"size": (1, 64)})


def test_they_come_as_the_arguments_have_them() -> None:
    given = {"rate": 1, "members": ["a", "b"], "schedule": {"epochs": 5}, "size": None}
    assert read(**given) == {"rate": 1.0, "members": ("a", "b"), "schedule": Schedule(5), "size": None}
    kept = np.arange(3)
    assert read(members=kept)["members"] is kept, "what JSON does not know is left to the class"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"colour": 1}, "The model has no setting 'colour'. It has rate, members, schedule, size."),
        ({"rate": "fast"}, "The model's setting rate is 'fast': input should be a valid number. Give rate such a"),
        ({"size": 2.5}, "The model's setting size is 2.5: "),
        ({"size": "3"}, "The model's setting size is '3': input should be a valid integer."),
        ({"size": 65}, "The model's setting size is 65: from 1 to 64 is possible."),
        ({"members": [1]}, "The model's setting members is [1]: input should be a valid string."),
    ],
)
def test_one_sentence(given: dict[str, object], sentence: str) -> None:
    with pytest.raises(ParameterError) as caught:
        read(**given)
    assert caught.value.describe().startswith(sentence)
    assert caught.value.parameter == "settings.model"


def test_numbers_and_choices() -> None:
    check_positive(a=1, b=1e-9)
    with pytest.raises(ParameterError, match=r"b is 0; it must be greater than 0\. Give a positive number"):
        check_positive(a=1, b=0)
    with pytest.raises(ParameterError, match=r"a is nan; it must be greater than 0\. Try 3"):
        check_positive("Try 3", a=float("nan"))
    check_choice("padding", "zeros", ("zeros",), "")
    with pytest.raises(ParameterError, match=r"padding is 'none'\. Use zeros"):
        check_choice("padding", "none", ("zeros",), "Use zeros")


@pytest.mark.parametrize("name", ["threshold", "seed"])
def test_what_has_a_parameter_of_its_own_is_no_setting(name: str) -> None:
    with pytest.raises(ParameterError, match=f"member prior_share hold {name}, which is that of the whole ensemble"):
        make_forecaster("ensemble", members=["prior_share"], member_settings={"prior_share": {name: 2}})
    # Given beside the settings, it is left out where there is no such argument.
    assert make_forecaster("prior_share", threshold=2, seed=5).settings()["threshold"] == 2
