"""The benchmark of routes: the months that it tests, and the figures that its checks read."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from riskengine.systems.routes.delivered import JudgedWays, describe_delivery
from riskengine.systems.routes.results import Interval, RouteCheck

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def bench() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        import routes
        from route_parts import held_out

        yield SimpleNamespace(parts=routes.PARTS, usage=routes.__doc__, held_out=held_out)


def test_the_tested_months_are_those_of_the_rule_and_nothing_is_tried_on_them(bench: Any) -> None:
    months = bench.held_out.draw_months()
    assert months == ("2015-03", "2015-05", "2015-10", "2015-12", "2016-02", "2016-06")
    assert not {"2013-06", "2014-10", "2016-03"} & set(months)
    assert not set(months) & set(bench.held_out.DEVELOPMENT)
    assert max(bench.held_out.DEVELOPMENT) < "2015"


def test_every_key_that_is_read_is_there(bench: Any) -> None:
    random = np.random.default_rng(1)
    short = random.poisson(20, (6, 50))
    near = np.repeat(np.stack([random.poisson(0.7 * short), short])[..., None], 3, axis=-1)
    first = describe_delivery(JudgedWays("risk", np.stack([0.7 * short, short]), np.ones((2, 6, 50)), near))
    check = RouteCheck(("2015-06",) * 6, 50, (first,), ((10.0, Interval(0.8)),))
    found = bench.held_out.describe_check(SimpleNamespace(check=check))
    assert found["held_out_100"] == found["held_out_200"] == first.delivered[100].value
    assert abs(found["promised_minus_delivered_100"]) < 0.08
    value, low, high = found["held_out_by_risk"]["risk"]["within_100"]
    assert low < value < high
    assert found["held_out_by_risk"]["risk"]["incidents"]["100"] == [int(each) for each in near.sum((1, 2))[:, 1]]


def test_its_usage_names_every_part(bench: Any) -> None:
    named = bench.usage.split("parts: ")[1].replace("\n", " ")
    assert [each.strip() for each in named.split(",")] == list(bench.parts)
