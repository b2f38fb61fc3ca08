"""How the house stands: who imports whom, how large things have grown, which links of the documentation lead nowhere.

Standard library only, and nothing of ours is imported: sources are parsed, never run.  What is right stands in
``docs/architecture.md``, whose tables :func:`read_tables` reads.  The tests fail on what these functions return;
``benchmarks/house.py`` counts it.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ARCHITECTURE = "docs/architecture.md"
ENGINE = "riskengine"
#: The folders that are layers; plugin.py and __init__.py at the root belong to them too.
LAYERS = ("riskengine", "bridge", "algorithms", "ui")
#: Where a path in backticks must lead to a file.
FOLDERS = (*LAYERS, "tests", "scripts", "docs", "resources", "benchmarks")
#: The row of the table that stands for every room in riskengine/systems.
ANY_SYSTEM = "systems/NAME"
LINES_OF_A_FILE = 600
MODULES_OF_A_ROOM = 40
LOOSE_MODULES = 4
COLUMNS = 120
#: Its `about` is one line because QGIS's plugin manager shows every line break in it.
SET_BY_QGIS = {Path("metadata.txt")}


@dataclass(frozen=True)
class Import:
    """One name that a module imports.

    Parameters
    ----------
    path : Path
        The importing file, from the root.
    line : int
    module : str
        Dotted name of the importing module, from the root; "" is the plugin's own ``__init__.py``.
    target : str
        Dotted name of what is imported: from the root where it is ours, else as it is written.
    ours : bool
    relative : bool
        Written with dots in front.
    when : {"load", "call", "types"}
        Runs when the module is loaded, when a function is called, or never (under ``TYPE_CHECKING``).
    """

    path: Path
    line: int
    module: str
    target: str
    ours: bool
    relative: bool
    when: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line} imports {self.target}"


# Files and modules


@lru_cache
def list_files(root: Path = ROOT) -> tuple[Path, ...]:
    """List the files of the checkout, from the root: those git knows, and new ones that it does not ignore."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=root, check=True, capture_output=True).stdout.decode()
        paths = [Path(name) for name in listed.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):  # a copy without its history
        paths = [path.relative_to(root) for path in root.rglob("*")]
    hidden = [path for path in paths if any(part.startswith(".") for part in path.parts)]
    return tuple(sorted(path for path in {*paths} - {*hidden} if (root / path).is_file()))


@lru_cache
def list_modules(root: Path = ROOT) -> dict[str, Path]:
    """Map the dotted name of every module of the plugin to its file."""
    modules = {}
    for path in list_files(root):
        if path.suffix == ".py" and (path.parts[0] in LAYERS or path.name in {"plugin.py", "__init__.py"}):
            parts = path.with_suffix("").parts
            modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return {name: path for name, path in modules.items() if name.split(".")[0] in {*LAYERS, "plugin", ""}}


@lru_cache
def list_imports(root: Path = ROOT) -> tuple[Import, ...]:
    """List every import of the plugin's modules, also those in functions and those for types only."""
    modules = list_modules(root)
    return tuple(each for name in sorted(modules) for each in _imports_of(name, modules, root))


def _imports_of(module: str, modules: Mapping[str, Path], root: Path) -> Iterator[Import]:
    path = modules[module]
    package = path.parent.parts
    for node, when in _statements(ast.parse((root / path).read_text(encoding="utf-8")).body, "load"):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            base = package[: len(package) - node.level + 1] if node.level else ()
            source = ".".join((*base, *(node.module or "").split("."))).strip(".")
            # `from .room import module` imports the module, `from .module import name` the module the name is in.
            inner = [f"{source}.{alias.name}".strip(".") for alias in node.names]
            names = sorted({each if each in modules else source for each in inner})
        relative = isinstance(node, ast.ImportFrom) and node.level > 0
        for name in names:
            ours = relative or (name != "" and name in modules)
            yield Import(path, node.lineno, module, name, ours, relative, when)


def _statements(nodes: list[ast.stmt], when: str) -> Iterator[tuple[ast.Import | ast.ImportFrom, str]]:
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node, when
            continue
        inner = when
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            inner = "types"
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and when == "load":
            inner = "call"
        yield from _statements(getattr(node, "body", []), inner)
        for name in ("orelse", "finalbody", "handlers", "cases"):
            yield from _statements(getattr(node, name, []), when if isinstance(node, ast.If) else inner)


# Who may import whom


def room_of(module: str) -> str:
    """Name the room of a module as the table does: ``bridge``, ``maps``, ``systems/score``, ``worker``."""
    parts = module.split(".")
    if parts[0] != ENGINE:
        return {"": "__init__.py", "plugin": "plugin.py"}.get(parts[0], parts[0])
    if len(parts) == 1:
        return ENGINE
    return "/".join(parts[1:3]) if parts[1] == "systems" else parts[1]


def read_tables(root: Path = ROOT) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Read the two tables under "Who may import whom": what each layer and each room of the engine may import.

    A cell holds names in backticks, or "nothing", or "everything", perhaps "everything but" names.

    Raises
    ------
    ValueError
        The section does not hold exactly two tables.
    """
    text = (root / ARCHITECTURE).read_text(encoding="utf-8")
    section = re.split(r"^## ", text.partition("\n## Who may import whom")[2], flags=re.M)[0]
    tables = re.findall(r"(?:^\|.*\n)+", section + "\n", flags=re.M)
    if len(tables) != 2:
        raise ValueError(f"{ARCHITECTURE} holds {len(tables)} tables of who may import whom, not 2: layers and rooms")
    layers, rooms = (_read_table(table) for table in tables)
    return layers, rooms


def _read_table(table: str) -> dict[str, set[str]]:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    names = {name for row in rows for name in re.findall(r"`([^`]+)`", row[0])}
    allowed = {}
    for row in rows:
        named = set(re.findall(r"`([^`]+)`", row[1]))
        for name in re.findall(r"`([^`]+)`", row[0]):
            allowed[name] = names - named if row[1].startswith("everything") else named
    return allowed


def list_breaks(root: Path = ROOT) -> dict[str, list[str]]:
    """List the imports that the tables do not allow, by the importing layer or room."""
    layers, rooms = read_tables(root)
    breaks: dict[str, list[str]] = {}
    for each in list_imports(root):
        if each.ours and not _is_allowed(each, layers, rooms):
            breaks.setdefault(room_of(each.module), []).append(str(each))
    return breaks


def _is_allowed(each: Import, layers: Mapping[str, set[str]], rooms: Mapping[str, set[str]]) -> bool:
    source, target = room_of(each.module), room_of(each.target)
    if source == target:
        return True
    inside = [name.split(".")[0] == ENGINE for name in (each.module, each.target)]
    if inside == [True, True]:
        # Every room may read riskengine.__version__; riskengine/__init__.py itself imports nothing.
        return target == ENGINE or _row(target) in rooms.get(_row(source), set())
    if inside == [False, True]:
        target = f"{ENGINE}.{target}"
    return target in layers.get(ENGINE if inside[0] else source, set())


def _row(room: str) -> str:
    return ANY_SYSTEM if room.startswith("systems/") else room


def list_unnamed_rooms(root: Path = ROOT) -> list[str]:
    """List rooms that exist and have no row, and rows whose room does not exist."""
    layers, rooms = read_tables(root)
    exist = {_row(room_of(name)) for name in list_modules(root) if name != ENGINE} - {"systems"}
    return sorted(exist ^ ({*layers} - {ENGINE} | {*rooms}))


# Circles


def list_circles(root: Path = ROOT) -> list[list[str]]:
    """List one circle of imports in each tangle of modules that reach each other: names, the first again at the end."""
    targets: dict[str, set[str]] = {name: set() for name in list_modules(root)}
    for each in list_imports(root):
        if each.target in targets and each.ours:
            targets[each.module].add(each.target)
    reach = {name: _reachable(name, targets) for name in targets}
    circles, seen = [], set()
    for name in sorted(targets):
        if name in reach[name] and name not in seen:
            seen |= {other for other in reach[name] if name in reach[other]}
            circles.append(_shortest_circle(name, targets))
    return circles


def _reachable(start: str, targets: Mapping[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        fresh = targets[waiting.pop()] - reached
        reached |= fresh
        waiting += fresh
    return reached


def _shortest_circle(start: str, targets: Mapping[str, set[str]]) -> list[str]:
    ways = [[start]]
    for way in ways:
        for target in sorted(targets[way[-1]]):
            if target == start:
                return [*way, start]
            if all(target not in other for other in ways):
                ways.append([*way, target])
    raise AssertionError(f"{start} is in no circle")


# What must not grow


def list_long_files(root: Path = ROOT) -> list[str]:
    """List Python files of more than 600 lines."""
    lines = {path: len(_read(root / path).splitlines()) for path in list_files(root) if path.suffix == ".py"}
    return [f"{path}: {count} lines" for path, count in lines.items() if count > LINES_OF_A_FILE]


def list_crowded_rooms(root: Path = ROOT) -> list[str]:
    """List folders that hold more than 40 modules of their own."""
    counts: dict[Path, int] = {}
    for path in list_files(root):
        if path.suffix == ".py":
            counts[path.parent] = counts.get(path.parent, 0) + 1
    return [f"{folder}: {count} modules" for folder, count in counts.items() if count > MODULES_OF_A_ROOM]


def list_loose_modules(root: Path = ROOT) -> list[str]:
    """List the modules that lie in riskengine/ itself, in no room."""
    return [str(path) for path in list_modules(root).values() if path.parent == Path(ENGINE)]


def list_forwarders(root: Path = ROOT) -> list[str]:
    """List modules that hold nothing but imports, and perhaps other names for what they import."""
    return [str(path) for path in list_modules(root).values() if _only_forwards(ast.parse(_read(root / path)).body)]


def _only_forwards(body: list[ast.stmt]) -> bool:
    rest = [node for node in body if not (isinstance(node, ast.ImportFrom) and node.module == "__future__")]
    rest = [node for node in rest if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))]
    passes = [
        isinstance(node, ast.Import | ast.ImportFrom)
        or (
            isinstance(node, ast.Assign)
            and (isinstance(node.value, ast.Name | ast.Attribute) or ast.unparse(node.targets[0]) == "__all__")
        )
        for node in rest
    ]
    return bool(passes) and all(passes)


def list_foreign_imports(layer: str, root: Path = ROOT) -> list[Import]:
    """List what a layer, a room or a module (by its dotted name) imports that is neither ours nor standard library."""
    return [
        each
        for each in list_imports(root)
        if not each.ours
        and each.target.split(".")[0] not in sys.stdlib_module_names
        and f"{each.module}.".startswith(f"{layer}.")
    ]


# Prose


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def list_long_lines(root: Path = ROOT) -> list[str]:
    """List lines of prose and code over 120 columns, but for rows of tables and lines that are only a link."""
    long = []
    for path in list_files(root):
        if path.suffix not in {".md", ".py", ".sh", ".toml", ".txt"} or path in SET_BY_QGIS:
            continue
        for number, line in enumerate(_read(root / path).splitlines(), 1):
            row = path.suffix == ".md" and line.lstrip().startswith("|")
            if path.suffix == ".py":  # as ruff counts
                line = re.sub(r" *# (type: ignore|noqa|pragma).*", "", line)
            if len(line) > COLUMNS and not row and not _is_link(line):
                long.append(f"{path}:{number}: {len(line)} columns")
    return long


def _is_link(line: str) -> bool:
    return bool(re.fullmatch(r"\W*(\[[^]]*\]\([^)]*\)|https?://\S+)\W*", line))


def list_broken_links(root: Path = ROOT) -> list[str]:
    """List what the documentation points at and what does not exist: files, headings, and paths in backticks.

    Also the pages that comments and docstrings of code name.  Paths with a capital letter (``jobs/NAME.py``) stand for
    any name.  What an example of docs/extending adds is there once it is applied.
    """
    broken = []
    added = [each for path in list_files(root) if path.suffix == ".patch" for each in list_patched_files(root / path)]
    for path in list_files(root):
        if path.suffix == ".md":
            broken += [each for each in _broken_in(path, root) if each.split(" names ")[-1] not in added]
        elif path.suffix in {".py", ".sh"}:
            named = re.findall(r"\bdocs/[\w/-]+\.md", _read(root / path))
            broken += [f"{path} names {name}" for name in named if not (root / name).is_file()]
    return broken


def _broken_in(path: Path, root: Path) -> Iterator[str]:
    prose = re.sub(r"^```.*?^```", "", _read(root / path), flags=re.M | re.S)
    for name in re.findall(r"`((?:\w+/)+[a-z0-9_.-]+\.\w+)`", prose):
        if name.split("/")[0] in FOLDERS and name == name.lower() and not (root / name).is_file():
            yield f"{path} names {name}"
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", prose)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        page = (root / path.parent / name) if name else root / path
        if not page.exists() or (anchor and anchor not in list_anchors(_read(page))):
            yield f"{path} links to {target}"


def list_anchors(markdown: str) -> set[str]:
    """List the anchors of a page's headings, as GitHub makes them."""
    anchors: dict[str, int] = {}
    for heading in re.findall(r"^#+ +(.+?) *$", re.sub(r"^```.*?^```", "", markdown, flags=re.M | re.S), flags=re.M):
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)
        anchor = re.sub(r"[^\w\- ]", "", plain).lower().replace(" ", "-")
        again = anchors.get(anchor, 0)
        anchors[anchor] = again + 1
        if again:
            anchors[f"{anchor}-{again}"] = 1
    return set(anchors)


def list_patched_files(patch: Path) -> list[str]:
    """List the files that a patch in git's format changes, adds or removes."""
    return sorted(set(re.findall(r"^(?:\+\+\+ b|--- a)/(.+?)\t?$", _read(patch), flags=re.M)))
