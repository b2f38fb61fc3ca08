"""Outcomes: whether there will be an arrest, and what that figure is made of.

Chicago 2018, every model at random and forward in time, of all incidents, of victims' reports and strict, within
category, calibration before and after the shift, groups of features with intervals and controls, areas; Chicago 2015,
as published, over ten random splits; San Francisco 2012 (repeated rows merged) and 2017, split by incident; the speed
of training beside scikit-learn and of the join beside pandas. Each part prints its figures as a line of JSON, and the
last line is one JSON object of all.

Usage: scripts/benchmark.sh outcomes [--only PART,PART]; parts: train_speed, chicago_2018, groups, draws,
       chicago_2015, san_francisco, join_speed
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from common import make_parser, round_floats
from outcome_parts.join_speed import join_vs_bare
from outcome_parts.measuring import (
    measure_chicago_2015,
    measure_chicago_2018,
    measure_draws,
    measure_groups,
    measure_san_francisco,
    measure_training,
    time_part,
)

#: The first is the speed of training: the memory that it reports is the most that the process ever had.
PARTS: Mapping[str, Callable[[Path], dict[str, Any]]] = {
    "train_speed": measure_training,
    "chicago_2018": measure_chicago_2018,
    "groups": measure_groups,
    "draws": measure_draws,
    "chicago_2015": measure_chicago_2015,
    "san_francisco": measure_san_francisco,
    "join_speed": join_vs_bare,
}


def main() -> None:
    """Measure the parts that are asked for."""
    parser = make_parser(__doc__ or "")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--only", default=",".join(PARTS), help="parts, separated by commas")
    given = parser.parse_args()
    found: dict[str, Any] = {}
    for part in given.only.split(","):
        began = time.perf_counter()
        made = PARTS[part](given.data)
        time_part(part, began)
        print(json.dumps(round_floats({"part": part, **made})), flush=True)
        found |= made
    print(json.dumps(round_floats(found)))


if __name__ == "__main__":
    main()
