#!/usr/bin/env bash
# The main job, end to end, on a fresh Debian machine: set up, simulate a city (or take FILE.csv), run the whole chain
# through qgis_process, backtest every baseline and the default forecaster, forecast the next week with it, train a
# score model and predict with it, and end with the paths of what was made.
# Usage: scripts/demo.sh [FILE.csv [FOLDER]]
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

FILE="${1:-}"
mkdir -p "${2:-$ROOT/demo}"
OUT="$(cd "${2:-$ROOT/demo}" && pwd)"
if [ -n "$FILE" ] && [ ! -f "$FILE" ]; then
    echo "There is no file $FILE. Give the path of a CSV, or nothing for a simulated city." >&2
    exit 1
fi

need_qgis
need_packages fonts-dejavu-core
need_engine
need_profile

# Only what this script makes: the folder may be the user's own.
rm -f "$OUT"/crime_risk.{gpkg,gpkg-wal,gpkg-shm,qgz} \
    "$OUT"/{hotspots,risk,classes,next_week}.{tif,tif.aux.xml,qml,qmd} \
    "$OUT"/{map.png,report.html,backtest.html,backtest.csv,training.html,score_report.html} \
    "$OUT"/{city.crimeindex,convlstm.crimemodel,ensemble.crimemodel,score.crimescore}
if [ -z "$FILE" ]; then
    say "Simulating a city"
    FILE="$OUT/simulated_city.csv"
    TITLE="Crime Risk: a simulated city"
    run_engine simulate "{\"path\": \"$FILE\", \"incidents\": 40000, \"days\": 365, \"seed\": 7, \"dirt\": 0.01}"
else
    FILE="$(cd "$(dirname "$FILE")" && pwd)/$(basename "$FILE")"
    TITLE="Crime Risk: $(basename "$FILE")"
fi

say "Running the chain: import, index, scores, grids, forecast, classes"
table() { printf "ogr:dbname='%s' table=\"%s\" (geom)" "$OUT/crime_risk.gpkg" "$1"; }
qgis_process run "$ROOT/resources/models/main_chain.model3" -- \
    csv="$FILE" \
    incidents="$(table incidents)" \
    refused_rows="$(table refused_rows)" \
    crime_index="$OUT/city.crimeindex" \
    crime_scores="$(table crime_scores)" \
    hotspot_grids="$OUT/hotspots.tif" \
    risk="$OUT/risk.tif" \
    trained_model="$OUT/convlstm.crimemodel" \
    report="$OUT/report.html" \
    risk_classes="$OUT/classes.tif" \
    class_polygons="$(table class_polygons)"

say "Backtesting the forecasters, and forecasting the next seven maps with the default one"
backtest_and_forecast() {
    qgis_process run crimerisk:backtestforecast -- \
        INPUT="$OUT/hotspots.tif" \
        REPORT="$OUT/backtest.html" \
        TABLE="$OUT/backtest.csv" &&
        qgis_process run crimerisk:trainforecastmodel -- \
            INPUT="$OUT/hotspots.tif" \
            MODEL="$OUT/ensemble.crimemodel" \
            REPORT="$OUT/training.html" &&
        qgis_process run crimerisk:forecastrisk -- \
            MODEL="$OUT/ensemble.crimemodel" \
            INPUT="$OUT/hotspots.tif" \
            STEPS=7 \
            OUTPUT="$OUT/next_week.tif"
}
if ! backtest_and_forecast; then
    # A simulated city is never too small for it, a file of the user's may be.
    [ -n "${1:-}" ] || exit 1
    echo "There is no backtest or forecast of the default model; the reason stands above. The rest goes on." >&2
fi

say "Training a score model and predicting a grid of scores"
train_and_predict() {
    # Half the folds, and no comparison with other models: enough to see what it does, in half a minute.
    qgis_process run crimerisk:trainscoremodel -- \
        INPUT="$OUT/city.crimeindex" \
        FOLDS=5 \
        COMPARE=false \
        MODEL="$OUT/score.crimescore" \
        REPORT="$OUT/score_report.html" &&
        qgis_process run crimerisk:predictscore -- \
            INDEX="$OUT/city.crimeindex" \
            MODEL="$OUT/score.crimescore" \
            SPACING=250 \
            OUTPUT="$(table predicted_scores)"
}
if ! train_and_predict; then
    [ -n "${1:-}" ] || exit 1
    echo "There is no score model; the reason stands above. The rest goes on without it." >&2
fi

say "Making the project and the map"
"$QGIS_PYTHON" "$ROOT/scripts/make_project.py" "$OUT" "$TITLE"

say "Done"
for name in crime_risk.gpkg hotspots.tif risk.tif classes.tif next_week.tif city.crimeindex convlstm.crimemodel \
    ensemble.crimemodel score.crimescore crime_risk.qgz map.png report.html backtest.html backtest.csv training.html \
    score_report.html; do
    [ ! -e "$OUT/$name" ] || echo "$OUT/$name"
done
