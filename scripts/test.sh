#!/usr/bin/env bash
# Set up what is missing and run all tests: engine (no QGIS), plugin (QGIS headless), desktop (a window under Xvfb).
# Usage: scripts/test.sh [engine|plugin|desktop|lint ...] [-k WORD and the like, for pytest]
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

need_qgis
need_packages xvfb xauth openbox fonts-dejavu-core pyqt5-dev-tools
need_engine
need_tools
need_profile

# Layers come first; what begins with a dash, and all that follows it, is for pytest.
WHICH=()
while [ $# -gt 0 ] && [ "${1#-}" = "$1" ]; do WHICH+=("$1"); shift; done
[ ${#WHICH[@]} -gt 0 ] || WHICH=(lint engine plugin desktop)
cd "$ROOT"
export PYTHONPATH="$DEV/tools"
status=0
for layer in "${WHICH[@]}"; do
    say "$layer"
    case "$layer" in
        lint)
            "$ENGINE_PYTHON" -m ruff check . || status=1
            "$ENGINE_PYTHON" -m mypy || status=1 ;;
        engine)
            PYTHONPATH="$ROOT:$DEV/tools" "$ENGINE_PYTHON" -m pytest -p no:pytest_qgis tests/engine "$@" || status=1 ;;
        plugin)
            "$QGIS_PYTHON" -m pytest tests/plugin "$@" || status=1 ;;
        desktop)
            QT_QPA_PLATFORM=xcb xvfb-run -a -s "-screen 0 1400x900x24" \
                "$QGIS_PYTHON" -m pytest tests/desktop "$@" || status=1 ;;
    esac
done
exit $status
