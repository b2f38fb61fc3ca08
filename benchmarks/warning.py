"""Early warning: what the published network sees, and what warnings of windows that have not begun are worth.

Baltimore's homicides and shootings, events and not rows, models learned from 2011 to 2014 and tested from 2015 to 17
September 2016, known at once and (``delay_24h``) a day late; robbery in Chicago and New York, where nothing was tuned;
simulated cities with precursors of a known strength and without. Each part prints its figures as a line of JSON, and
the last line is one JSON object of all.

Usage: scripts/benchmark.sh warning [--only PART,PART] [--setups SETUP,…] [--seeds N] [--networks] [--full]
       parts: setups, delay, half_lives, elsewhere, precursors, speed, warm, pictures, ladder
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from common import make_parser, round_floats, say
from warning_data import BALTIMORE
from warning_models import measure_elsewhere, measure_half_lives, measure_setups, measure_speed, measure_warm
from warning_network import SIZE, make_baltimore_scene, measure_ladder
from warning_network import measure_speed as measure_network_speed
from warning_pictures import measure_pictures
from warning_precursors import SEEDS, measure_precursors

from riskengine.systems.warning.networks import RECIPES

#: The published network whose accuracy is measured; the ladder's networks take as many epochs as they need to be told
#: apart on two cores.
NETWORK, LADDER_EPOCHS = "model2", 15
DELAY = 24


def measure_all_setups(given: argparse.Namespace, delay: int) -> dict[str, Any]:
    """Measure Baltimore's set-ups with a delay in hours."""
    return measure_setups(given.data, delay, given.setups.split(","), given.networks)


def measure_network(given: argparse.Namespace) -> dict[str, Any]:
    """Measure the published network, its ladder, and its speed; at the published size where it is asked for."""
    recipe = RECIPES[NETWORK]
    scene = make_baltimore_scene(given.data, *((recipe.width, recipe.height) if given.full else (SIZE, SIZE)))
    speed = measure_network_speed(scene, NETWORK)
    return {**measure_ladder(scene, NETWORK, given.epochs, given.ladder_epochs), **speed}


def measure_drawing(given: argparse.Namespace) -> dict[str, Any]:
    """Measure the drawing of windows; what is compared is at the top, all else beside it."""
    found = measure_pictures(given.data)
    return {"images_vs_matplotlib": found["images_vs_matplotlib"], "pictures": found}


PARTS: Mapping[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "setups": lambda given: measure_all_setups(given, 0),
    "delay": lambda given: {f"delay_{DELAY}h": measure_all_setups(given, DELAY)},
    "half_lives": lambda given: {"half_lives": measure_half_lives(given.data, given.setups.split(","))},
    "elsewhere": lambda given: measure_elsewhere(given.data),
    "precursors": lambda given: {"precursors": measure_precursors(given.seeds)},
    "speed": lambda given: measure_speed(given.data),
    "warm": lambda given: measure_warm(given.data),
    "pictures": measure_drawing,
    "ladder": measure_network,
}


def main() -> None:
    """Measure the parts that are asked for."""
    parser = make_parser(__doc__ or "")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--only", default=",".join(PARTS), help="parts, separated by commas")
    parser.add_argument("--setups", default=",".join(BALTIMORE), help="of Baltimore, separated by commas")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="simulated cities of each kind")
    parser.add_argument("--networks", action="store_true", help="the networks among the warning models, too")
    parser.add_argument("--full", action="store_true", help="the published network at its published size")
    parser.add_argument("--epochs", type=int, help="of the published network (default: as many as published)")
    parser.add_argument("--ladder-epochs", type=int, default=LADDER_EPOCHS, help="of each network of the ladder")
    given = parser.parse_args()
    found: dict[str, Any] = {}
    for part in given.only.split(","):
        began = time.perf_counter()
        made = PARTS[part](given)
        say(f"{part}: {time.perf_counter() - began:.0f} s")
        print(json.dumps(round_floats({"part": part, **made})), flush=True)
        found |= made
    print(json.dumps(round_floats(found)))


if __name__ == "__main__":
    main()
