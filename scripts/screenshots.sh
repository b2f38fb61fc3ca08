#!/usr/bin/env bash
# Photograph QGIS with the plugin into docs/images: the walk-through of README on Chicago, step by step, in a project in
# degrees and in one in metres, with its layout and all reports; the walk through London of docs/user-guide-areas.md;
# and what tests/desktop sees. Look at each picture before it is committed.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
CHICAGO="${CRIMERISK_DATA:-$ROOT/../shared/data}/chicago/crimes_2018.csv"
if [ ! -f "$CHICAGO" ]; then
    echo "There is no $CHICAGO, on which the walk-through is photographed. Give its folder in CRIMERISK_DATA." >&2
    exit 1
fi
LONDON="$(dirname "$CHICAGO")/../london"
need_qgis
need_packages xvfb xauth openbox fonts-dejavu-core fonts-open-sans chromium
need_engine
need_tools
need_profile
cd "$ROOT"
MADE="$(mktemp -d)"
trap 'rm -rf "$MADE"' EXIT
WALK="$ROOT/docs/images/walk-through"
mkdir -p "$MADE"/{degrees,metres,windows,reports,areas} "$WALK"/{degrees,metres,reports} "$ROOT/docs/images/areas"

# Run tests of the desktop, which photograph: photograph FOLDER TEST…
photograph() {
    PROBE_PICTURES="$1" PYTHONPATH="$DEV/tools" QT_QPA_PLATFORM=xcb \
        xvfb-run -a -s "-screen 0 1400x900x24" "$QGIS_PYTHON" -m pytest -q "${@:2}"
}

# The first page of a report, as a browser shows it: page FILE.html PICTURE.png
page() {
    chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1100,1500 \
        --screenshot="$2" "file://$1" >/dev/null 2>&1
    [ -s "$2" ] || { echo "$1 could not be photographed." >&2; exit 1; }
}

# Keep the pictures of a folder in another, with their 256 best colours, at a third of the size: keep FROM TO
keep() {
    "$ENGINE_PYTHON" - "$1" "$2" <<'END'
import sys
from pathlib import Path

from PIL import Image

for picture in Path(sys.argv[1]).glob("*.png"):
    whole = Image.open(picture).convert("RGB")
    few = whole.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(Path(sys.argv[2]) / picture.name, optimize=True)
END
}

say "Walking through Chicago in degrees, and in metres"
WALK_CSV="$CHICAGO" WALK_CRS=EPSG:4326 photograph "$MADE/degrees" tests/desktop/test_walk_through.py
keep "$MADE/degrees" "$WALK/degrees"
WALK_CSV="$CHICAGO" WALK_CRS=EPSG:32616 photograph "$MADE/metres" tests/desktop/test_walk_through.py
keep "$MADE/metres" "$WALK/metres"

say "Making the reports that the walk-through does not"
run() { qgis_process run "crimerisk:$1" -- "${@:2}" >/dev/null 2>"$MADE/log" || { cat "$MADE/log" >&2; exit 1; }; }
incidents="$MADE/metres/city.gpkg|layername=incidents"
run backtestforecast INPUT="$MADE/metres/grids.tif" REPORT="$MADE/metres/backtest.html" \
    AREAS="$(dirname "$CHICAGO")/community_areas.geojson" AREA_NAME=name INCIDENTS="$incidents"
run rasterizehotspots INPUT="$incidents" TIME_FIELD=occurred CATEGORY_FIELD=category CATEGORIES="BURGLARY;THEFT" \
    END=2018-07-25 EXTENT="$MADE/metres/grids.tif" CELL_SIZE=500 OUTPUT="$MADE/before.tif"
run trainforecastmodel INPUT="$MADE/before.tif" MODEL="$MADE/before.crimemodel"
run forecastrisk MODEL="$MADE/before.crimemodel" INPUT="$MADE/before.tif" STEPS=7 OUTPUT="$MADE/week.tif"
run evaluaterisk INPUT="$MADE/week.tif" GRIDS="$MADE/metres/grids.tif" REPORT="$MADE/metres/evaluation.html"
run selectperiod INPUT="$incidents" TIME_FIELD=occurred REPORT="$MADE/metres/period.html"
run trainscoremodel INPUT="$MADE/metres/city.crimeindex" FOLDS=5 MODEL="$MADE/city.crimescore" \
    REPORT="$MADE/metres/score.html"
for report in "$MADE"/metres/*.html; do
    page "$report" "$MADE/reports/$(basename "$report" .html).png"
done

keep "$MADE/reports" "$WALK/reports"

say "Walking through London by area"
if [ -f "$LONDON/burglary_2019-01_2022-04.csv" ]; then
    fields='"id": "LSOA11CD", "name": "LSOA11NM", "column": "LSOA code", "crs": "EPSG:32630", "test": "2021-07-01"'
    files="\"csv\": \"$LONDON/burglary_2019-01_2022-04.csv\", \"areas\": \"$LONDON/geo/LSOA_2011_London_gen_MHW.shp\""
    WALK_AREAS="{$files, $fields}" photograph "$MADE/areas" tests/desktop/test_area_walk.py
    page "$MADE/areas/05-backtest.html" "$MADE/areas/05-backtest.png"
    keep "$MADE/areas" "$ROOT/docs/images/areas"
else
    echo "There is no $LONDON/burglary_2019-01_2022-04.csv: the pictures of docs/images/areas stay as they are." >&2
fi

say "Photographing the windows of the tests"
photograph "$MADE/windows" tests/desktop/test_window.py tests/desktop/test_score_window.py
keep "$MADE/windows" "$ROOT/docs/images"
[ ! -f demo/map.png ] || cp demo/map.png docs/images/demo_map.png

find "$ROOT/docs/images" -name '*.png' | sort
