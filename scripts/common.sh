# Set-up that the scripts share; sourced, never run. Safe to repeat, quick when everything is there.
# shellcheck shell=bash
set -euo pipefail
ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
export CRIMERISK_ENGINE="${CRIMERISK_ENGINE:-$ROOT/.engine}"
export QT_QPA_PLATFORM="${QT_QPA_PLATFORM:-offscreen}"
export PYTHONDONTWRITEBYTECODE=1
# A QGIS profile of the checkout's own, so that nothing of the user's is touched.
DEV="$ROOT/.dev"
export QGIS_CUSTOM_CONFIG_PATH="$DEV/profile"
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-$DEV/runtime}"
QGIS_PYTHON="${QGIS_PYTHON:-/usr/bin/python3}"

# QGIS embeds Python without saying where it lies. Python then looks for the first "python3" on PATH and takes the
# modules that belong to it: those of an activated environment, of pyenv or of conda have no PyQt5 ("Couldn't load SIP
# module"). So the folder of QGIS's own Python comes first, and what sends Python elsewhere in spite of that is dropped;
# conda names its own PROJ and GDAL data, too. VIRTUAL_ENV and CONDA_PREFIX themselves are read by nobody here.
use_qgis_python() {
    PATH="$(dirname "$QGIS_PYTHON"):$PATH"
    unset PYTHONHOME PYTHONPATH PYTHONEXECUTABLE PYTHONPLATLIBDIR
    [ -z "${CONDA_PREFIX:-}" ] || unset PROJ_DATA PROJ_LIB GDAL_DATA GDAL_DRIVER_PATH
}
use_qgis_python

ENGINE_PYTHON="$CRIMERISK_ENGINE/venv/bin/python"

say() { printf '\n== %s\n' "$*"; }

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

APT_OPTIONS=()

# Install Debian packages that are missing.
need_packages() {
    local missing=() name
    for name in "$@"; do
        dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
    done
    [ ${#missing[@]} = 0 ] && return 0
    say "Installing ${missing[*]}"
    if [ "${APT_UPDATED:-}" != 1 ]; then as_root apt-get update -q; APT_UPDATED=1; fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends \
        "${APT_OPTIONS[@]}" "${missing[@]}" 2>&1 | tail -n 3
}

# QGIS 3.40: from bookworm-backports on Debian 12 (whose own 3.22 is too old), elsewhere from the release's packages.
need_qgis() {
    local codename
    codename="$(. /etc/os-release && echo "${VERSION_CODENAME:-}")"
    if [ "$codename" = bookworm ] && ! grep -rqs bookworm-backports /etc/apt/sources.list /etc/apt/sources.list.d; then
        say "Adding bookworm-backports"
        # The mirror that this machine already uses.
        local mirrors
        mirrors="$({ cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null || true; } \
            | sed -nE 's/^URIs: *([^ ]+).*/\1/p; s/^deb +(\[[^]]*\] +)?([^ ]+) +bookworm .*/\2/p' \
            | grep 'debian/*$' || true)"
        if [ -z "$mirrors" ]; then
            echo "No Debian mirror in /etc/apt: add one, or install QGIS 3.40 or later by hand." >&2
            exit 1
        fi
        printf 'deb %s bookworm-backports main\n' "${mirrors%%$'\n'*}" \
            | as_root tee /etc/apt/sources.list.d/bookworm-backports.list >/dev/null
        APT_UPDATED=0
    fi
    if [ "$codename" = bookworm ]; then APT_OPTIONS=(-t bookworm-backports); fi
    need_packages qgis python3-qgis qgis-providers
    APT_OPTIONS=()
    need_packages python3-venv python3-pip g++ python3-dev ca-certificates
}

need_engine() { "$QGIS_PYTHON" "$ROOT/bridge/environment.py" install; }

# The development tools go into one folder beside the checkout's engine; both Pythons read it.
need_tools() {
    local stamp="$DEV/tools.stamp"
    cmp -s "$ROOT/requirements-dev.txt" "$stamp" && return 0
    say "Installing development tools"
    rm -rf "$DEV/tools"
    "$ENGINE_PYTHON" -m pip install -q --disable-pip-version-check --target "$DEV/tools" -r "$ROOT/requirements-dev.txt"
    # pandas-stubs brings a numpy, which must not stand before the one QGIS's Python has.
    rm -rf "$DEV"/tools/numpy "$DEV"/tools/numpy-* "$DEV"/tools/numpy.libs
    cp "$ROOT/requirements-dev.txt" "$stamp"
}

# The plugin as QGIS sees it: a folder called crime_risk in a profile, linked to the checkout.
need_profile() {
    local plugins="$QGIS_CUSTOM_CONFIG_PATH/profiles/default/python/plugins"
    mkdir -p "$plugins" "$XDG_RUNTIME_DIR"
    chmod 700 "$XDG_RUNTIME_DIR"
    ln -sfn "$ROOT" "$plugins/crime_risk"
    grep -qs 'crime_risk=true' "$QGIS_CUSTOM_CONFIG_PATH"/profiles/default/QGIS/QGIS*.ini && return 0
    qgis_process plugins enable crime_risk >/dev/null 2>&1 || qgis_process plugins enable crime_risk
}

# One job of the engine, without QGIS: run_engine JOB JSON.
run_engine() { printf '%s' "$2" | (cd "$ROOT" && "$ENGINE_PYTHON" -m riskengine run "$1" --params -); }
