#!/usr/bin/env bash
# Set up what a benchmark needs and run benchmarks/NAME.py in the right Python; its last line is one JSON object.
# Usage: scripts/benchmark.sh NAME [arguments]
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
NAME="${1:-}"
if [ ! -f "$ROOT/benchmarks/$NAME.py" ]; then
    THERE="$(cd "$ROOT/benchmarks" && ls ./*.py | sed 's/^\.\///; s/\.py$//' | tr '\n' ' ')"
    echo "There is no benchmark '$NAME'. There are: $THERE" >&2
    exit 1
fi
shift
{ need_qgis; need_engine; need_profile; } >&2
export PYTHONPATH="$ROOT"
exec "$ENGINE_PYTHON" "$ROOT/benchmarks/$NAME.py" "$@"
