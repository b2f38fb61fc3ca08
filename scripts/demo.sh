#!/usr/bin/env bash
# The main job, end to end, on a fresh Debian machine: set up, simulate a city (or take FILE), run the model "From CSV
# to risk map" through qgis_process, backtest every baseline and the default forecaster, forecast the next seven maps
# with the trained model, train a score model and predict with it, and end with the paths of what was made.
# Usage: scripts/demo.sh [FILE [FOLDER]]   (FILE may be whatever Import incidents reads, a folder too)
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

FILE="${1:-}"
mkdir -p "${2:-$ROOT/demo}"
OUT="$(cd "${2:-$ROOT/demo}" && pwd)"
if [ -n "$FILE" ] && [ ! -e "$FILE" ]; then
    echo "There is no file $FILE. Give the path of a file of incidents, or nothing for a simulated city." >&2
    exit 1
fi

need_qgis
need_packages fonts-dejavu-core
need_engine
need_profile

# What this script makes, first what is to be opened: the folder may be the user's own, so nothing else is removed.
MADE=(crime_risk.qgz map.png report.html backtest.html look.html score_report.html backtest.csv crime_risk.gpkg
    hotspots.tif risk.tif classes.tif next_maps.tif city.crimeindex city.crimemodel city.crimescore)
for name in "${MADE[@]}"; do
    rm -f "$OUT/$name" "$OUT/$name"-{wal,shm} "$OUT/$name.aux.xml" "$OUT/${name%.tif}".{qml,qmd}
done

if [ -z "$FILE" ]; then
    say "Simulating a city: 40,000 incidents in a year, and one row in a hundred with a fault"
    FILE="$OUT/simulated_city.csv"
    TITLE="Crime Risk: a simulated city"
    run_engine simulate >/dev/null \
        "{\"path\": \"$FILE\", \"incidents\": 40000, \"days\": 365, \"seed\": 7, \"dirt\": 0.01}"
else
    FILE="$(cd "$(dirname "$FILE")" && pwd)/$(basename "$FILE")"
    TITLE="Crime Risk: $(basename "$FILE")"
fi

# A tool's log alone: without the lists of inputs and outputs, and the dots and numbers of its progress.
run_tool() {
    local tab=$'\t'
    qgis_process run "crimerisk:$1" -- "${@:2}" 2>&1 | sed -uE \
        -e "/^(WARNING|ERROR):/!{/^[A-Za-z0-9_]+:$tab/d}" \
        -e '/^100 - done/d' \
        -e ':more; s/^\.+//; s/^([1-9]?0)([.[:alpha:]]|$)/\2/; t more' \
        -e '/^(-+|Inputs|Results)?$/d'
}

say "From the file to a risk map: incidents, hotspot grids, crime scores, a forecast and its classes"
table() { printf "ogr:dbname='%s' table=\"%s\" (geom)" "$OUT/crime_risk.gpkg" "$1"; }
run_tool csv_to_risk_map \
    csv="$FILE" \
    incidents="$(table incidents)" \
    refused_rows="$(table refused_rows)" \
    a_look_at_the_incidents="$OUT/look.html" \
    hotspot_grids="$OUT/hotspots.tif" \
    crime_index="$OUT/city.crimeindex" \
    crime_scores="$(table crime_scores)" \
    trained_model="$OUT/city.crimemodel" \
    report="$OUT/report.html" \
    risk="$OUT/risk.tif" \
    risk_classes="$OUT/classes.tif" \
    class_polygons="$(table class_polygons)"

# A simulated city is never too small for what follows, a file of the user's may be.
or_go_on() {
    [ "$FILE" != "$OUT/simulated_city.csv" ] || exit 1
    echo "There is no $1; the reason stands above. The rest goes on without it." >&2
}

say "Backtest: on the maps that are known, is any forecaster better than plain counts?"
run_tool backtestforecast \
    INPUT="$OUT/hotspots.tif" \
    REPORT="$OUT/backtest.html" \
    TABLE="$OUT/backtest.csv" || or_go_on backtest

say "The next seven maps, by the model trained above"
run_tool forecastrisk \
    MODEL="$OUT/city.crimemodel" \
    INPUT="$OUT/hotspots.tif" \
    STEPS=7 \
    OUTPUT="$OUT/next_maps.tif" || or_go_on "forecast of seven maps"

say "A score model: the crime scores of a year, estimated from its last month alone"
train_and_predict() {
    # Half the folds, and no comparison with other models: enough to see what it does, in half a minute.
    run_tool trainscoremodel \
        INPUT="$OUT/city.crimeindex" \
        FOLDS=5 \
        COMPARE=false \
        MODEL="$OUT/city.crimescore" \
        REPORT="$OUT/score_report.html" &&
        run_tool predictscore \
            INDEX="$OUT/city.crimeindex" \
            MODEL="$OUT/city.crimescore" \
            SPACING=250 \
            OUTPUT="$(table predicted_scores)"
}
train_and_predict || or_go_on "score model"

say "A project with all layers, and a picture of it"
"$QGIS_PYTHON" "$ROOT/scripts/make_project.py" "$OUT" "$TITLE"

say "Done. Open crime_risk.qgz in QGIS, and read report.html and backtest.html before you believe a map:"
for name in "${MADE[@]}"; do
    [ ! -e "$OUT/$name" ] || echo "$OUT/$name"
done
