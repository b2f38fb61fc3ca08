"""The checks of the house find what they are there for: a small house in which every rule is broken once."""

from __future__ import annotations

from pathlib import Path

import pytest
from kit import house

#: A page that is not there; in two parts, since this file is looked through too.
ABSENT = "docs/" + "absent.md"

TABLES = """# Architecture

## Who may import whom

| Layer | May import |
|---|---|
| `riskengine` | nothing |
| `ui` | `bridge`, `riskengine.contract` |

| Room | May import |
|---|---|
| `contract`, `ground` | nothing |
| `systems/NAME` | `ground` |
| `report` | everything but `jobs` |
| `jobs` | everything |

## Words

[here](#words), [there](#nowhere), [away](absent.md), `riskengine/absent.py`, `riskengine/NAME.py`
"""
FILES = {
    "docs/architecture.md": TABLES,
    "ui/__init__.py": "",
    "ui/dock.py": "from ..riskengine.contract import tools\nfrom ..riskengine import ground\nimport torch\nX = {}",
    "riskengine/__init__.py": "",
    "riskengine/contract/__init__.py": "",
    "riskengine/contract/tools.py": "import numpy\nTOOLS = ()",
    "riskengine/ground/__init__.py": "",
    "riskengine/ground/errors.py": "def f():\n    if 1:\n        pass\n    else:\n        from .context import C",
    "riskengine/ground/context.py": "if TYPE_CHECKING:\n    from . import errors\nC = 1",
    "riskengine/ground/alias.py": '"""Nothing."""\nfrom .context import C\nD = C\n__all__ = ["D"]',
    "riskengine/systems/__init__.py": "",
    "riskengine/systems/score/__init__.py": "",
    "riskengine/systems/score/model.py": "from ...ground.errors import f\nfrom ..areas import model\nX = {}",
    "riskengine/systems/areas/__init__.py": "",
    "riskengine/systems/areas/model.py": f"# see {ABSENT}\n",
    "riskengine/report/page.py": "from ..jobs.run import run\nfrom ..ground.errors import f\nX = {}",
    "riskengine/jobs/run.py": "run = 1\n" * 601,
    "README.md": "x" * 121 + "\n| " + "x" * 121 + " |\n- [a](https://" + "x" * 121 + ")\n",
}


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_imports_against_the_table(broken: Path) -> None:
    assert house.list_breaks(broken) == {
        "ui": ["ui/dock.py:2 imports riskengine.ground"],
        "systems/score": ["riskengine/systems/score/model.py:2 imports riskengine.systems.areas.model"],
        "report": ["riskengine/report/page.py:1 imports riskengine.jobs.run"],
    }
    assert house.list_unnamed_rooms(broken) == []
    (broken / "riskengine" / "worker.py").write_text("")
    house.list_files.cache_clear()
    house.list_modules.cache_clear()
    assert house.list_unnamed_rooms(broken) == ["worker"]


def test_foreign_imports(broken: Path) -> None:
    assert [each.target for each in house.list_foreign_imports("riskengine.contract", broken)] == ["numpy"]
    assert [each.target for each in house.list_foreign_imports("ui", broken)] == ["torch"]


def test_circles_through_functions_and_types(broken: Path) -> None:
    circle = ["riskengine.ground.context", "riskengine.ground.errors", "riskengine.ground.context"]
    assert house.list_circles(broken) == [circle]


def test_sizes_and_forwarders(broken: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert house.list_long_files(broken) == ["riskengine/jobs/run.py: 601 lines"]
    assert house.list_loose_modules(broken) == ["riskengine/__init__.py"]
    assert house.list_forwarders(broken) == ["riskengine/ground/alias.py"]
    assert house.list_crowded_rooms(broken) == []
    monkeypatch.setattr(house, "MODULES_OF_A_ROOM", 3)
    assert house.list_crowded_rooms(broken) == ["riskengine/ground: 4 modules"]


def test_long_lines_and_broken_links(broken: Path) -> None:
    assert house.list_long_lines(broken) == ["README.md:1: 121 columns"]
    assert sorted(house.list_broken_links(broken)) == [
        "docs/architecture.md links to #nowhere",
        "docs/architecture.md links to absent.md",
        "docs/architecture.md names riskengine/absent.py",
        f"riskengine/systems/areas/model.py names {ABSENT}",
    ]


def test_files_of_a_patch(tmp_path: Path) -> None:
    patch = tmp_path / "a.patch"
    patch.write_text("--- a/one.py\n+++ b/one.py\n--- /dev/null\n+++ b/new.py\n--- a/gone.py\n+++ /dev/null\n")
    assert house.list_patched_files(patch) == ["gone.py", "new.py", "one.py"]
