"""Fixtures for several tests: a sandbox, a folder with a configuration for it, and the command as a process."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
import uvicorn.server
from hypothesis import settings

from janitor.sandbox.options import Options
from janitor.sandbox.server import Sandbox, running
from janitor.store import Store
from tests.fork_server import Forked, ForkServer
from tests.in_memory import folder_in_memory
from tests.new_database import new_database
from tests.slack_stand_in import SlackStandIn

WITHOUT_WAITING = (
    "import stamina; from janitor.shutdown import Stop; stamina.set_testing(True, attempts=100, cap=True); "
    "Stop.wait = lambda stop, _seconds=None: stop.is_set()"
)
"""What a command runs before it, so that it tries again at once."""
_ONLY_WHERE_ASKED_FOR = frozenset({"glance", "container"})

POLICY = """\
policies:
  - name: old
    match: {name: "*"}
    expire: {after: 90d}
"""


def pytest_configure(config: pytest.Config) -> None:
    """Temporary folders are in memory; `--basetemp` and TMPDIR put them elsewhere. No example has to end in time."""
    folder = folder_in_memory()
    if folder is not None and "TMPDIR" not in os.environ:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(folder))
        tempfile.tempdir = str(folder)
    settings.register_profile("whatever the machine does", deadline=None)
    settings.load_profile("whatever the machine does")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """A real Glance and a built container are tested only on request: they install what they need."""
    apart = collection_path.name in _ONLY_WHERE_ASKED_FOR and collection_path.parent == Path(__file__).parent
    return True if apart and not any(collection_path.name in asked for asked in config.args) else None


@dataclass
class Desk:
    """A folder with janitor.yaml and policies/, and the command run in it as a user would."""

    folder: Path
    fork_server: ForkServer
    environment: dict[str, str] = field(default_factory=dict)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def amend(self, text: str) -> None:
        """Add keys to janitor.yaml."""
        path = self.folder / "janitor.yaml"
        path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-W", "error", "-m", "janitor", *words]

    def settings_for_process(self) -> dict[str, Any]:
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "COLUMNS": "80", **self.environment}
        return {"cwd": self.folder, "env": environment, "text": True, "encoding": "utf-8"}

    def janitor(self, *words: str, before: str = "") -> "subprocess.CompletedProcess[str]":
        """The command, with Python code that its process runs first."""
        with self.started(*words, before=before) as process:
            output, errors = process.communicate(60)
        return subprocess.CompletedProcess(["janitor", *words], process.returncode, output, errors)

    def started(self, *words: str, before: str = "") -> AbstractContextManager[Forked]:
        """The same, at work."""
        settings = self.settings_for_process()
        return self.fork_server.started(words, settings["cwd"], settings["env"], before=before)

    def target(self, *words: str) -> dict[str, Any]:
        """The first target of a command's JSON output."""
        target: dict[str, Any] = json.loads(self.janitor(*words, "--format", "json").stdout)["targets"][0]
        return target


@pytest.fixture(scope="session", autouse=True)
def sandboxes_end_at_once() -> Iterator[None]:
    """uvicorn looks every tenth of a second whether it is to end, and then waits as long for its connections."""
    often = SimpleNamespace(**{**vars(asyncio), "sleep": lambda _seconds: asyncio.sleep(0.005)})
    with patch.object(uvicorn.server, "asyncio", often):
        yield


@pytest.fixture(scope="session")
def fork_server() -> Iterator[ForkServer]:
    with ForkServer() as server:
        yield server


@pytest.fixture
def desk(tmp_path: Path, fork_server: ForkServer) -> Desk:
    return Desk(tmp_path, fork_server)


@pytest.fixture
def hangup_as_usual() -> Iterator[None]:
    """Processes that are started do not ignore SIGHUP, even where the tests run under nohup."""
    before = signal.signal(signal.SIGHUP, lambda _number, _frame: None)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running(Options(images=120)) as started:
        yield started


@pytest.fixture
def sandbox_desk(desk: Desk, sandbox: Sandbox) -> Desk:
    """A desk whose janitor.yaml cleans the sandbox, for real, with one greedy policy and ample limits."""
    desk.write(
        "janitor.yaml", sandbox.configuration(mode="delete") + "limits: {max_deletions: 1000, max_share: 100%}\n"
    )
    desk.write("policies/old.yaml", POLICY)
    return desk


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A new database, in the folder of the test as janitor.db."""
    with Store.open(new_database(tmp_path / "janitor.db")) as opened:
        yield opened


@pytest.fixture
def slack() -> Iterator[SlackStandIn]:
    with SlackStandIn() as started:
        yield started


@pytest.fixture
def line_of() -> Callable[[str, str], str]:
    """The only line of a text that holds some words."""

    def find(text: str, words: str) -> str:
        [line] = [line for line in text.splitlines() if words in line]
        return line

    return find
