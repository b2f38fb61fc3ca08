"""Who may import whom, as DESIGN.md says; read from the source, so that nothing has to be importable here."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ("riskengine", "bridge", "algorithms", "ui")
#: What each layer may use of the others.
MAY_USE = {
    "riskengine": set(),
    "bridge": set(),
    "algorithms": {"bridge"},
    "ui": {"bridge"},
    "__init__.py": {"plugin"},
    "plugin.py": {"algorithms", "ui", "bridge"},
}
#: Third-party modules on the QGIS side: qgis at module level; numpy, which QGIS ships, inside functions.
AT_TOP = {"qgis"}
INSIDE = {"qgis", "numpy"}


def sources(layer: str) -> list[Path]:
    return [ROOT / layer] if layer.endswith(".py") else sorted((ROOT / layer).rglob("*.py"))


def only_for_types(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def imports(nodes: list[ast.stmt], top: bool = True) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    """Every import of a module, and whether it runs when the module is loaded."""
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node, top
        elif not only_for_types(node):
            inner = top and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            bodies = [getattr(node, name, []) for name in ("body", "orelse", "finalbody", "handlers", "cases")]
            for body in bodies:
                yield from imports(body, inner)


def names(path: Path, node: ast.Import | ast.ImportFrom) -> list[str]:
    """Absolute dotted names, ours as seen from the repository's root."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not node.level:
        return [node.module or ""]
    package = path.relative_to(ROOT).parent.parts
    base = package[: len(package) - node.level + 1]
    if node.module:
        return [".".join(("", *base, *node.module.split(".")))]
    return [".".join(("", *base, alias.name)) for alias in node.names]


def found(layer: str) -> Iterator[tuple[Path, int, str, bool]]:
    for path in sources(layer):
        for node, top in imports(ast.parse(path.read_text(encoding="utf-8")).body):
            for name in names(path, node):
                yield path.relative_to(ROOT), node.lineno, name, top


def test_there_is_something_to_check() -> None:
    assert all(len(sources(layer)) > 1 for layer in LAYERS)


@pytest.mark.parametrize("layer", MAY_USE)
def test_who_may_import_whom(layer: str) -> None:
    allowed = MAY_USE[layer] | {layer.removesuffix(".py")}
    for path, line, name, _ in found(layer):
        ours = name.startswith(".")
        first = name.lstrip(".").split(".")[0]
        where = f"{path}:{line} imports {name}"
        if ours:
            # What both sides must agree on is read by both.
            assert first in allowed or name.startswith(".riskengine.contract"), where
        else:
            assert first not in {*LAYERS, "plugin", "crime_risk"}, f"{where}: the package's folder may have any name"


def test_the_engine_knows_neither_qgis_nor_qt() -> None:
    for path, line, name, _ in found("riskengine"):
        assert name.split(".")[0] not in {"qgis", "PyQt5", "PyQt6", "osgeo", "processing"}, f"{path}:{line} {name}"


def test_the_contract_needs_the_standard_library_alone() -> None:
    """Both sides read it: QGIS has nothing else."""
    room = ROOT / "riskengine" / "contract"
    for path in sorted(room.rglob("*.py")):
        for node, _ in imports(ast.parse(path.read_text(encoding="utf-8")).body):
            for name in names(path, node):
                own = name.startswith(".riskengine.contract.")
                assert own or name.split(".")[0] in sys.stdlib_module_names, f"{path}:{node.lineno} imports {name}"


@pytest.mark.parametrize("layer", [layer for layer in MAY_USE if layer != "riskengine"])
def test_the_qgis_side_imports_nothing_heavy(layer: str) -> None:
    standard = sys.stdlib_module_names
    for path, line, name, top in found(layer):
        if name.startswith("."):
            continue
        first = name.split(".")[0]
        allowed = AT_TOP if top else INSIDE | {"processing"}
        assert first in standard or first in allowed, f"{path}:{line} imports {name}"


@pytest.mark.parametrize(
    "name", ["environment", "engine_state", "engine_process", "client", "processes", "pip_runner", "base_python"]
)
def test_what_runs_without_qgis(name: str) -> None:
    """The set-up and the client serve scripts and servers too."""
    path = ROOT / "bridge" / f"{name}.py"
    if not path.is_file():
        pytest.skip(f"bridge/{name}.py is not there any more")
    for node, top in imports(ast.parse(path.read_text(encoding="utf-8")).body):
        assert not (top and any(found.split(".")[0] == "qgis" for found in names(path, node))), name


def test_no_code_hidden_in_files() -> None:
    """Artefacts load without running code: nothing unpickles."""
    for path in sources("riskengine"):
        text = path.read_text(encoding="utf-8")
        assert "import pickle" not in text, path
        assert "allow_pickle=True" not in text, path
        assert "torch." + "load(" not in text, path
