"""Routes: whether fronts are exact, how fast they are found, and what less exposed ways deliver in months not seen.

Fronts against brute force and golden values; the front of Baltimore's streets against SciPy's Dijkstra, by distance;
building and asking the graph against QGIS's network analysis, and how both grow; Baltimore and San Francisco on months
that nobody knew of, by every risk and control. Each part prints its figures as a line of JSON, and the last line is one
JSON object of all.

Usage: scripts/benchmark.sh routes [--only PART,PART]; parts: optimal, fronts, graphs, growth, held_out
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from common import make_parser, round_floats, say
from route_parts.fronts import check_fronts, measure_fronts
from route_parts.graphs import compare_graphs, measure_growth
from route_parts.held_out import measure_held_out

PARTS: Mapping[str, Callable[[Path], dict[str, Any]]] = {
    "optimal": check_fronts,
    "fronts": measure_fronts,
    "graphs": compare_graphs,
    "growth": measure_growth,
    "held_out": measure_held_out,
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
        say(f"{part}: {time.perf_counter() - began:.0f} s")
        print(json.dumps(round_floats({"part": part, **made})), flush=True)
        found |= made
    print(json.dumps(round_floats(found)))


if __name__ == "__main__":
    main()
