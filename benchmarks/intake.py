"""What comes in right: small files with one fault each, and every real file of incidents with nothing said about it.

The cases of ../shared/cases run with their own commands (`intake_cases.py`), the files with INPUT alone
(`intake_files.py`), all through qgis_process.  What is right is written down there; ``--work-out`` prints the values of
the files as pandas alone finds them.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable
from pathlib import Path

from common import make_parser, require_data, say
from intake_cases import CASES, Place
from intake_files import FILES, REFUSED, describe_difference, judge_refusal, work_out


def main() -> None:
    """Run what is asked for, say each verdict, and print the counts."""
    parser = make_parser(__doc__.splitlines()[0])
    parser.add_argument(
        "--work-out", action="store_true", help="print the right values of the files, from pandas alone"
    )
    parser.add_argument("--only", default="", metavar="WORD", help="only cases and files whose name holds this")
    options = parser.parse_args()
    data: Path = options.data
    cases = require_data(data.parent, "cases")
    require_data(data, "mexico_city")
    if options.work_out:
        for name in FILES:
            print(f'    "{name}": {work_out(data, name)},')
        return
    with tempfile.TemporaryDirectory() as scratch:
        place = Place(cases, Path(scratch))
        wanted = [case for case in CASES if options.only in case.file]
        right = _count((case.file, *case.judge(place)) for case in wanted)
        names = [name for name in FILES if options.only in name]
        fine = _count((name, *describe_difference(data, name, place.out)) for name in names)
        named = [name for name in REFUSED if options.only in name]
        fine += _count((name, *judge_refusal(data, name, place.out)) for name in named)
    counts = {"cases": len(wanted), "cases_right": right, "files": len(names) + len(named), "files_right": fine}
    print(json.dumps(counts))


def _count(verdicts: Iterable[tuple[str, bool, str]]) -> int:
    count = 0
    for name, right, seen in verdicts:
        say(f"{'right' if right else 'WRONG'}  {name}: {seen}")
        count += right
    return count


if __name__ == "__main__":
    main()
