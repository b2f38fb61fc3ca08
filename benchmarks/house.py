"""How much a new tool and a new forecaster touch, and whether the house keeps its own rules.

Static and quick: sources, patches and prose are read, nothing is run.  Names every offender first; the last line is one
JSON object.  Aimed at: ``files_for_a_tool`` at most 8, ``files_for_a_forecaster`` at most 6, ``loose_modules`` at most
4, all others 0.  null stands for what cannot be counted here.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from kit import house  # noqa: E402


def name_all(title: str, offenders: list[str]) -> int:
    """Print what was counted, one a line, and return how many there are."""
    print(f"{title}: {len(offenders)}")
    for each in offenders:
        print(f"  {each}")
    return len(offenders)


def count_patched(name: str) -> int | None:
    """Count the files that an example in docs/extending changes; None while there is no such example."""
    patch = ROOT / "docs" / "extending" / f"{name}.patch"
    return name_all(f"Files for a {name}", house.list_patched_files(patch)) if patch.is_file() else None


def count_disagreeing_limits() -> int | None:
    """Count the limits on which dialog and job give different answers; None while nothing asks both sides."""
    try:
        from kit.limits import list_disagreements
    except ImportError:
        return None
    return name_all("Limits that disagree", [str(each) for each in list_disagreements()])


def main() -> None:
    breaks = house.list_breaks()
    imports = [f"{room}: {each}" for room, offenders in breaks.items() for each in offenders]
    name_all("Imports that the table does not allow", imports)
    result = {
        "files_for_a_tool": count_patched("tool"),
        "files_for_a_forecaster": count_patched("forecaster"),
        "import_circles": name_all("Circles of imports", [" → ".join(way) for way in house.list_circles()]),
        "loose_modules": name_all("Modules in no room", house.list_loose_modules()),
        "rooms_breaking_the_table": len(breaks),
        "limits_that_disagree": count_disagreeing_limits(),
        "lines_over_120": name_all("Lines over 120 columns", house.list_long_lines()),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
