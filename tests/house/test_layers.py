"""Imports point inward: which folder may import which is read from the table of docs/architecture.md."""

import ast
import re
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import janitor

ROOT = Path(janitor.__file__).parent
ARCHITECTURE = (ROOT.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
MOST_MODULES = {"core": 20, "sandbox": 27, "sandbox/openstack": 16}
USUAL_MODULES = 15
MOST_LINES = 300
IN_THE_CORE = {"msgspec", "cronsim"}
NOT_IN_THE_CORE = {"sqlite3", "logging", "time"}


def table() -> dict[str, set[str]]:
    """The folders that each folder may import, by the first table with these columns."""
    found = re.search(r"^\| folder \| promise \| may import \|\n\| ?-.*\n((?:\|.*\n)+)", ARCHITECTURE, re.MULTILINE)
    assert found is not None
    rows = ([cell.strip() for cell in row.strip("|").split("|")] for row in found[1].splitlines())
    return {folder.strip("`/"): set(re.findall(r"`([a-z]+)`", allowed)) for folder, _promise, allowed in rows}


def everywhere() -> set[str]:
    """The modules that everything may import."""
    found = re.search(r"^Everything may import (.*?)\.$", ARCHITECTURE, re.MULTILINE | re.DOTALL)
    assert found is not None
    return set(re.findall(r"`([a-z]+)`", found[1]))


MAY_IMPORT = table()
EVERYWHERE = everywhere()


def modules() -> list[Path]:
    return sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


def folder(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"janitor.{alias.name}" for alias in node.names} if node.module == "janitor" else {node.module}
    return found


def folders_imported(path: Path) -> set[str]:
    folders = {name.split(".")[1] for name in imports(path) if name.startswith("janitor.")}
    return folders - {folder(path), "__version__", "CHANGES"} - EVERYWHERE


EVERY = pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))


def test_every_module_has_its_place() -> None:
    assert {folder(path) for path in modules()} == EVERYWHERE | MAY_IMPORT.keys() | {"__main__"}


@EVERY
def test_imports_are_those_of_the_table(path: Path) -> None:
    allowed = MAY_IMPORT.keys() if folder(path) in ("cli", "__main__") else MAY_IMPORT.get(folder(path), set())
    assert folders_imported(path) <= allowed


def test_no_folders_import_each_other() -> None:
    assert list(TopologicalSorter(MAY_IMPORT).static_order())
    for subfolder in {path.parent for path in modules()}:
        for path in subfolder.glob("*.py"):
            assert folder(path) not in folders_imported(path)


@pytest.mark.parametrize(
    "path", [path for path in modules() if folder(path) == "core"], ids=lambda path: str(path.relative_to(ROOT))
)
def test_the_core_knows_no_machinery(path: Path) -> None:
    imported = {name.split(".")[0] for name in imports(path)} - {"janitor"}
    assert imported - sys.stdlib_module_names <= IN_THE_CORE
    assert not imported & NOT_IN_THE_CORE


@EVERY
def test_only_the_fleet_knows_postgresql(path: Path) -> None:
    imported = {name.split(".")[0] for name in imports(path)}
    assert folder(path) == "fleet" or not imported & {"psycopg", "psycopg_pool", "procrastinate"}


@EVERY
def test_only_the_configuration_reads_the_environment(path: Path) -> None:
    text = path.read_text()
    assert folder(path) == "config" or ("os.environ" not in text and "getenv" not in text)


@EVERY
def test_every_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))


@pytest.mark.parametrize("inside", sorted({path.parent for path in modules()}), ids=lambda path: path.name)
def test_no_folder_is_too_full_to_be_looked_through(inside: Path) -> None:
    count = len([path for path in inside.glob("*.py") if path.name != "__init__.py"])
    assert count <= MOST_MODULES.get(str(inside.relative_to(ROOT)), USUAL_MODULES)


def test_no_module_is_too_long_to_be_read_at_once() -> None:
    sizes = {path.relative_to(ROOT): len(path.read_text(encoding="utf-8").splitlines()) for path in modules()}
    assert {str(path): size for path, size in sizes.items() if size > MOST_LINES} == {}
