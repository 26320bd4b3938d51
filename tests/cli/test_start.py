"""A command loads what it uses and nothing else: most of what a short command takes is loading."""

import subprocess
import sys
from io import StringIO

import pytest
from rich.console import Console

from janitor.config.screen import plain_width, screen_environment
from tests.conftest import Desk

PROBE = """
import atexit, sys
atexit.register(lambda: print(*sys.modules, file=sys.stderr))
from janitor.cli.app import main
main()
"""
RARE = frozenset(
    [
        "ahocorasick_rs",
        "apscheduler",
        "asyncio",
        "httpx._main",
        "keystoneauth1",
        "openstack",
        "prometheus_client",
        "pygments",
        "regex",
        "slack_sdk",
        "sqlite_utils",
        "stamina",
        "starlette",
        "uvicorn",
        "janitor.cloud.openstack.client",
        "janitor.monitoring",
        "janitor.notify.channels",
        "janitor.references.matching",
        "janitor.sandbox.server",
    ]
)
"""What only some configurations, mishaps or single commands need."""
OF_RUNS = frozenset(["certifi", "httpcore", "httpx", "janitor.cloud.toast.client", "janitor.notify", "janitor.run"])
OF_TABLES = frozenset(["rich.console"])
OF_POLICIES = frozenset(["janitor.config.policy_files.schema"])
OF_CONFIGURATION = frozenset(["pydantic", "sqlite3", "re2", "yaml", "janitor.config", "janitor.core", "janitor.store"])


def loaded(desk: Desk, *words: str) -> frozenset[str]:
    command = [sys.executable, "-c", PROBE, *words]
    process = subprocess.run(command, capture_output=True, check=False, **desk.settings_for_process())
    assert process.returncode == 0, process.stderr
    return frozenset(process.stderr.splitlines()[-1].split())


@pytest.mark.parametrize(
    ("words", "without"),
    [
        ("--help", RARE | OF_RUNS | OF_TABLES | OF_POLICIES | OF_CONFIGURATION),
        ("--version", RARE | OF_RUNS | OF_TABLES | OF_POLICIES | OF_CONFIGURATION),
        ("run --help", RARE | OF_RUNS | OF_TABLES | OF_POLICIES | OF_CONFIGURATION),
        ("show 1", RARE | OF_RUNS | OF_TABLES | OF_POLICIES),
        ("show 1 --format json", RARE | OF_RUNS | OF_TABLES | OF_POLICIES),
        ("images", RARE | OF_RUNS | OF_TABLES | OF_POLICIES),
        ("keep --list", RARE | OF_RUNS | OF_TABLES),
        ("runs", RARE | OF_RUNS | OF_POLICIES),
        ("runs --format json", RARE | OF_RUNS | OF_TABLES | OF_POLICIES),
        ("show latest -q", RARE | OF_RUNS | OF_TABLES | OF_POLICIES),
        ("images --verdict delete --format csv", RARE | OF_RUNS | OF_TABLES | OF_POLICIES),
        ("waiting", RARE | OF_RUNS | OF_TABLES | OF_POLICIES),
        ("policies", RARE | OF_RUNS | OF_TABLES | OF_POLICIES),
        ("check", RARE | OF_RUNS | OF_TABLES),
        ("run --dry-run", RARE | OF_TABLES),
        ("run", RARE | OF_TABLES),
    ],
)
def test_a_command_loads_nothing_that_it_does_not_use(sandbox_desk: Desk, words: str, without: frozenset[str]) -> None:
    assert sandbox_desk.janitor("run", "--dry-run", "--no-post").returncode == 0  # which makes the database
    assert sorted(loaded(sandbox_desk, *words.split()) & without) == []


def test_explaining_an_image_loads_nothing_else(sandbox_desk: Desk) -> None:
    assert sandbox_desk.janitor("run", "--dry-run", "--no-post").returncode == 0
    image = sandbox_desk.target("images")["images"][0]["id"]
    assert sorted(loaded(sandbox_desk, "explain", image) & (RARE | OF_RUNS | OF_TABLES)) == []


@pytest.mark.parametrize(
    "environ",
    [{}, {"COLUMNS": "120"}, {"COLUMNS": "39"}, {"COLUMNS": "0"}, {"COLUMNS": "99999"}, {"NO_COLOR": "1"}],
    ids=str,
)
def test_without_a_terminal_the_width_is_that_of_rich(environ: dict[str, str]) -> None:
    console = Console(file=StringIO(), _environ=screen_environment(environ))
    assert console.color_system is None
    assert plain_width(StringIO(), environ) == console.width


@pytest.mark.parametrize("name", ["FORCE_COLOR", "TTY_COMPATIBLE"])
def test_where_styles_are_forced_rich_is_asked(name: str) -> None:
    assert Console(file=StringIO(), _environ={name: "1"}).is_terminal
    assert plain_width(StringIO(), {name: "1"}) is None
