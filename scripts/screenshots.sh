#!/usr/bin/env bash
# Photograph QGIS with the plugin into docs/images: what tests/desktop sees, and the demo's map.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
need_qgis
need_packages xvfb xauth openbox fonts-dejavu-core fonts-open-sans
need_engine
need_tools
need_profile
mkdir -p "$ROOT/docs/images"
cd "$ROOT"
PROBE_PICTURES="$ROOT/docs/images" PYTHONPATH="$DEV/tools" QT_QPA_PLATFORM=xcb \
    xvfb-run -a -s "-screen 0 1400x900x24" "$QGIS_PYTHON" -m pytest -q \
    tests/desktop/test_window.py tests/desktop/test_score_window.py
[ ! -f demo/map.png ] || cp demo/map.png docs/images/demo_map.png
ls "$ROOT/docs/images"
