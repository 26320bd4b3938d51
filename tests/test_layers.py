"""Imports point inward: shell -> adapters -> ports -> core, and adapters never import each other."""

import ast
from pathlib import Path

import pytest

import janitor

ROOT = Path(janitor.__file__).parent

EVERYWHERE = {"errors", "escaping", "expressions"}
CORE = {
    "core",
    "model",
    "units",
    "policy",
    "guards",
    "clocks",
    "retention",
    "decide",
    "plan",
    "basis",
    "cron",
    "notices",
    "refusals",
    "settling",
    "gate",
    "applying",
    "exemptions",
    "sharing",
    "remarks",
    "image_ids",
    "needs",
    "redaction",
}
TRANSPORT = {"transport"}
PORTS = {"cloud", "files", "report", "yaml_lines"}
ADAPTERS = {"policy_files", "settings", "store", "slack", "notify", "cloud", "report", "sandbox"}
SENDING = {"cloud", "slack", "notify"}
DECLARED = {"references"}
SHELL = {
    "run",
    "orders",
    "sites",
    "accounts",
    "cleaning",
    "surveying",
    "deleting",
    "carrying_out",
    "freshness",
    "rereading",
    "stopping",
    "schedule",
    "wiring",
    "delivery",
    "outbox",
    "commands",
    "explain",
    "announcing",
    "review",
    "siblings",
    "heartbeat",
    "metrics",
    "http_face",
    "punctuality",
    "watch",
    "progress",
    "logs",
    "terminal",
    "streams",
    "cli",
    "__main__",
}
PURE_FORBIDDEN = {
    "yaml",
    "httpx",
    "sqlite3",
    "sqlite_utils",
    "slack_sdk",
    "pydantic",
    "rich",
    "click",
    "logging",
    "time",
}


def modules() -> list[Path]:
    return sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


def room(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"janitor.{alias.name}" for alias in node.names} if node.module == "janitor" else {node.module}
    return found


def rooms_imported(path: Path) -> set[str]:
    rooms = {name.split(".")[1] for name in imports(path) if name.startswith("janitor.")}
    return rooms - {room(path), "__version__"} - EVERYWHERE


def test_every_module_has_its_place() -> None:
    assert {room(path) for path in modules()} <= EVERYWHERE | CORE | TRANSPORT | PORTS | ADAPTERS | DECLARED | SHELL


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_inward(path: Path) -> None:
    place = room(path)
    if place in EVERYWHERE:
        allowed = set()
    elif place in CORE | TRANSPORT:
        allowed = CORE
    elif place in DECLARED:
        allowed = CORE | TRANSPORT | {"files"}
    elif place == "settings":
        allowed = CORE | TRANSPORT | PORTS | DECLARED
    elif place in SENDING:
        allowed = CORE | TRANSPORT | PORTS | ({"notify"} if place == "slack" else set())
    elif place in ADAPTERS | PORTS:
        allowed = CORE | PORTS
    else:
        allowed = CORE | TRANSPORT | PORTS | ADAPTERS | DECLARED | SHELL
    assert rooms_imported(path) <= allowed


@pytest.mark.parametrize(
    "path", [path for path in modules() if room(path) in CORE], ids=lambda path: str(path.relative_to(ROOT))
)
def test_the_core_knows_no_machinery(path: Path) -> None:
    assert not {imported.split(".")[0] for imported in imports(path)} & PURE_FORBIDDEN


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_only_the_settings_read_the_environment(path: Path) -> None:
    text = path.read_text()
    assert room(path) == "settings" or ("os.environ" not in text and "getenv" not in text)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))
