#!/usr/bin/env bash
# Make build/crime_risk.zip for Plugins ▸ Manage and Install Plugins ▸ Install from ZIP.
# It holds what pb_tool.cfg lists, and no more.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python3 - <<'PYTHON'
import configparser
import zipfile
from pathlib import Path

settings = configparser.ConfigParser()
settings.read("pb_tool.cfg")
name, files = settings["plugin"]["name"], settings["files"]
paths = [Path(part) for key in ("python_files", "extras") for part in files[key].split()]
for folder in files["extra_dirs"].split():
    paths += [path for path in sorted(Path(folder).rglob("*"))
              if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"]
target = Path("build") / f"{name}.zip"
target.parent.mkdir(exist_ok=True)
with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as bundle:
    for path in paths:
        bundle.write(path, f"{name}/{path.as_posix()}")
print(target.absolute())
PYTHON
