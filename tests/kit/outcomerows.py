"""Incidents with an outcome, of a city whose rates a test knows."""

from __future__ import annotations

import numpy as np

from riskengine.systems.outcomes.rows import Coded, Rows

#: Share with the outcome by category: the last is what police find.
RATES = {"THEFT": 0.1, "BATTERY": 0.25, "NARCOTICS": 0.95}
AREAS, SIDE = 9, 3000.0
START = np.datetime64("2024-01-01", "D")


def make_outcome_rows(number: int = 2000, days: int = 100, seed: int = 0, drift: float = 0.0) -> Rows:
    """Incidents in nine square areas of 3 km, in the order of their days.

    Each description has a rate of its own around its category's; `drift` is added to the logit from the first to the
    last day. Weather is the same for all of a day and census for all of an area, and neither says anything.
    """
    random = np.random.default_rng(seed)
    day = np.sort(random.integers(0, days, number))
    category = random.choice(len(RATES), number, p=[0.5, 0.35, 0.15]).astype(np.int32)
    description = category * 3 + random.integers(0, 3, number).astype(np.int32)
    x, y = random.uniform(0, 3 * SIDE, (2, number))
    area = (x // SIDE + 3 * (y // SIDE)).astype(np.int32)
    rate = np.array(list(RATES.values()))[category]
    logit = np.log(rate / (1 - rate)) + np.array([-0.8, 0.0, 0.8])[description % 3] + drift * day / days
    incident = np.arange(number, dtype=np.int32) // 2
    return Rows(
        fid=np.arange(number),
        day=START + day.astype("timedelta64[D]"),
        hour=random.integers(0, 24, number).astype(np.int8),
        minute=random.integers(0, 60, number).astype(np.int8),
        x=x,
        y=y,
        texts={
            "category": Coded(category, list(RATES)),
            "description": Coded(description, [f"{name} {letter}" for name in RATES for letter in "abc"]),
            "location": Coded(random.integers(0, 4, number).astype(np.int32), ["STREET", "SHOP", "HOME", "PARK"]),
            "area": Coded(area, [f"area {each}" for each in range(AREAS)]),
            "incident": Coded(incident, [f"J{each}" for each in range(number // 2 + 1)]),
        },
        weather={"temperature": random.normal(50, 15, days)[day]},
        census={"hardship": np.arange(AREAS, dtype=np.float64)[area] * 10, "income": random.random(AREAS)[area]},
        happened=random.random(number) < 1 / (1 + np.exp(-logit)),
        crs="EPSG:32616",
    )
