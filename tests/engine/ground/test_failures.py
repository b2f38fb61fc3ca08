"""Whatever stops a piece of work is said in one sentence, and only a cancel goes further."""

from __future__ import annotations

import pytest

from riskengine.ground.errors import Cancelled, DataError
from riskengine.ground.failures import describe_failure, keep_going


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            DataError("The history is too short", remedy="Use a longer one"),
            "The history is too short. Use a longer one.",
        ),
        (MemoryError(), "The engine ran out of memory. Use a smaller area, larger cells or a shorter time, or close"),
        (RuntimeError("CUDA out of memory"), "The engine ran out of memory (CUDA out of memory). Use a smaller area"),
        (ImportError("No module named 'x'"), "A package of the engine cannot be imported (No module named 'x'). Open"),
        (ZeroDivisionError("division\nby zero"), "It failed unexpectedly (ZeroDivisionError: division by zero)."),
        (KeyError(), "It failed unexpectedly (KeyError)."),
    ],
)
def test_an_error_as_a_sentence(error: Exception, sentence: str) -> None:
    assert describe_failure(error).startswith(sentence)


def test_what_fails_becomes_a_warning_but_a_cancel_does_not() -> None:
    said: list[str] = []
    with keep_going(said.append, "The model is written, but its report is not"):
        raise ValueError("odd")
    assert said == ["The model is written, but its report is not. It failed unexpectedly (ValueError: odd)."]
    with pytest.raises(Cancelled), keep_going(said.append, "Nothing"):
        raise Cancelled
