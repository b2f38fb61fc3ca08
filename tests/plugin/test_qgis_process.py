"""Without a window, from the command line: relative paths, and time zones in which some hours do not exist."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from kit.algorithms import run_script
from kit.panel_file import make_panel_file

ROOT = Path(__file__).resolve().parents[2]
#: The hours that Mexico City (until 2022) and London skip in spring, and some they do not.
TIMES = (
    "2021-04-04 02:30:00",
    "2021-04-04 03:30:00",
    "2021-03-28 01:30:00",
    "2021-03-28 02:30:00",
    "2021-07-01 00:00:01",
)


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A QGIS profile with nothing but the plugin, enabled."""
    folder = tmp_path_factory.mktemp("profile")
    plugins = folder / "python" / "plugins"
    plugins.mkdir(parents=True)
    (plugins / "crime_risk").symlink_to(ROOT)
    return folder


@pytest.fixture(scope="module")
def qgis_process(profile: Path) -> Any:
    if shutil.which("qgis_process") is None:
        pytest.skip("qgis_process is not installed")

    def qgis_process(*arguments: str, cwd: Path, zone: str = "UTC", given: Any = None) -> dict[str, Any]:
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        environment |= {
            "TZ": zone,
            "QT_QPA_PLATFORM": "offscreen",
            "QGIS_CUSTOM_CONFIG_PATH": str(profile),
            "QGIS_PLUGINPATH": str(profile / "python" / "plugins"),
            "LC_ALL": "C.UTF-8",
        }
        done = subprocess.run(
            ["qgis_process", "--json", *arguments],
            cwd=cwd,
            env=environment,
            input=json.dumps(given) if given is not None else None,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
        if arguments[0] == "plugins":
            return {"code": done.returncode}
        begin = done.stdout.find("{")
        answer = json.loads(done.stdout[begin:]) if begin >= 0 else {}
        return answer | {"code": done.returncode, "said": done.stdout + done.stderr}

    qgis_process("plugins", "enable", "crime_risk", cwd=profile)
    return qgis_process


def write_csv(path: Path) -> None:
    rows = "".join(f"-0.1{number},51.5{number},{time},Theft\n" for number, time in enumerate(TIMES))
    path.write_text("longitude,latitude,datetime,category\n" + rows, encoding="utf-8")


@pytest.mark.parametrize("zone", ["America/Mexico_City", "Europe/London"])
def test_the_wall_clock_survives_every_zone(zone: str, qgis_process: Any, tmp_path: Path) -> None:
    """CSV → GeoPackage → index and grids, with relative paths; every time is what the file said."""
    write_csv(tmp_path / "data.csv")
    done = qgis_process(
        "run",
        "crimerisk:importincidents",
        "-",
        cwd=tmp_path,
        zone=zone,
        given={"inputs": {"INPUT": "data.csv", "OUTPUT": "city.gpkg"}},
    )
    assert done["code"] == 0, done
    assert done["results"]["COUNT"] == len(TIMES)
    assert (tmp_path / "city.gpkg").is_file()
    from osgeo import ogr

    package = ogr.Open(str(tmp_path / "city.gpkg"))
    stored = [feature["occurred"].replace("/", "-")[:19] for feature in package.GetLayer(0)]
    assert stored == list(TIMES)
    done = qgis_process(
        "run",
        "crimerisk:rasterizehotspots",
        "-",
        cwd=tmp_path,
        zone=zone,
        given={
            "inputs": {
                "INPUT": "city.gpkg",
                "TIME_FIELD": "occurred",
                "BIN_UNIT": 0,
                "COLUMNS": 2,
                "ROWS": 2,
                "OUTPUT": "grids.tif",
            }
        },
    )
    assert done["code"] == 0, done
    assert (tmp_path / "grids.tif").is_file()
    from osgeo import gdal

    grids = gdal.Open(str(tmp_path / "grids.tif"))
    busy = [
        grids.GetRasterBand(band).GetDescription()
        for band in range(1, grids.RasterCount + 1)
        if (values := grids.GetRasterBand(band).ReadAsArray())[values != 255].any()
    ]
    assert busy == sorted(f"{time[:10]}T{time[11:13]}:00:00" for time in TIMES)


def test_a_panel_on_the_command_line(qgis_process: Any, tmp_path: Path) -> None:
    """Train and forecast by relative paths, in a zone in which some hours do not exist."""
    make_panel_file(tmp_path / "town.gpkg")
    given = {"INPUT": "town.gpkg", "MODEL_KIND": "prior_counts", "MODEL": "town.crimemodel"}
    zone = "America/Mexico_City"
    done = qgis_process("run", "crimerisk:trainforecastmodel", "-", cwd=tmp_path, zone=zone, given={"inputs": given})
    assert done["code"] == 0, done
    given = {
        "INPUT": "town.gpkg|layername=counts_by_area",
        "MODEL": "town.crimemodel",
        "AREAS": "risk.gpkg",
        "STEPS": 4,
    }
    done = qgis_process("run", "crimerisk:forecastrisk", "-", cwd=tmp_path, zone=zone, given={"inputs": given})
    assert done["code"] == 0, done
    assert done["results"]["ORIGIN"] == "2023-01-01T00:00:00"
    from osgeo import ogr

    package = ogr.Open(str(tmp_path / "risk.gpkg"))
    starts = sorted({feature["start"].replace("/", "-")[:19] for feature in package.GetLayer(0)})
    assert starts == [f"2023-0{month}-01 00:00:00" for month in (1, 2, 3, 4)]
    given["OUTPUT"] = "risk.tif"
    del given["AREAS"]
    done = qgis_process("run", "crimerisk:forecastrisk", "-", cwd=tmp_path, zone=zone, given={"inputs": given})
    assert done["code"] != 0
    assert (
        "OUTPUT is risk.tif, but INPUT is a layer of areas. Leave OUTPUT empty: AREAS has the result." in done["said"]
    )
    assert not (tmp_path / "risk.tif").exists()


def test_a_refusal_on_the_command_line(qgis_process: Any, tmp_path: Path) -> None:
    write_csv(tmp_path / "data.csv")
    done = qgis_process(
        "run",
        "crimerisk:importincidents",
        "-",
        cwd=tmp_path,
        given={"inputs": {"INPUT": "data.csv", "OUTPUT": "missing/city.gpkg"}},
    )
    assert done["code"] != 0
    assert "lies in a folder that does not exist" in done["said"]
    assert "Traceback" not in done["said"]


@pytest.mark.parametrize("zone", ["America/Mexico_City", "Europe/London"])
def test_memory_layers_in_every_zone(zone: str, tmp_path: Path) -> None:
    """A memory layer keeps wall clocks too, also when it is read by the index."""
    script = """
layer = processing.run("crimerisk:importincidents", {"INPUT": sys.argv[2], "OUTPUT": "memory:"})["OUTPUT"]
QgsProject.instance().addMapLayer(layer)
times = [feature["occurred"].toString("yyyy-MM-dd HH:mm:ss") for feature in layer.getFeatures()]
index = processing.run(
    "crimerisk:buildcrimeindex", {"INPUT": layer, "TIME_FIELD": "occurred", "OUTPUT": sys.argv[3]}
)
result = [times, index["FIRST"], index["LAST"]]
"""
    write_csv(tmp_path / "data.csv")
    (tmp_path / "crime_risk").symlink_to(ROOT)
    times, first, last = run_script(script, tmp_path, tmp_path / "data.csv", tmp_path / "i.crimeindex", TZ=zone)
    assert times == list(TIMES)
    assert (first, last) == (min(TIMES).replace(" ", "T"), max(TIMES).replace(" ", "T"))
