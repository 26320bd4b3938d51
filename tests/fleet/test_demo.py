"""The demonstration of a fleet: what it tells, and that it leaves nothing behind."""

import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conftest import Desk
from tests.fleet.postgres import Databases

ACCOUNTS = "8"
LONG = 240


def left() -> set[Path]:
    return set(Path(tempfile.gettempdir()).glob("janitor-fleet-demo-*")) | set(
        Path("/tmp").glob("janitor-fleet-demo-*")
    )


def workers_left() -> list[str]:
    """The command lines of workers of demonstrations."""
    return [line for line in command_lines() if "janitor-fleet-demo-" in line]


def command_lines() -> Iterator[str]:
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            yield file.read_bytes().replace(b"\0", b" ").decode(errors="replace")


@pytest.mark.timeout(300)
def test_it_tells_of_a_night_in_which_a_worker_is_killed(desk: Desk, databases: Databases) -> None:
    before = left()
    with desk.started("fleet", "demo", "--accounts", ACCOUNTS) as process:
        output, errors = process.communicate(LONG)
    assert process.returncode == 0, output + errors
    assert "kill -9: worker " in output
    assert re.search(
        r"^account-\d+: begun by worker \d in epoch \d+, and run again by\nworker \d in epoch \d+;", output, re.M
    )
    assert f"{ACCOUNTS} accounts, all well" in output
    assert "none of them twice" in output
    assert max(map(len, output.splitlines())) <= 80
    assert (left() - before, workers_left()) == (set(), [])


@pytest.mark.timeout(300)
def test_interrupted_it_leaves_nothing_behind(desk: Desk, databases: Databases) -> None:
    before = left()
    command = desk.command("fleet", "demo", "--accounts", ACCOUNTS)
    with subprocess.Popen(command, stdout=subprocess.PIPE, **desk.settings_for_process()) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "The workers are started" in line:
                break
        process.send_signal(signal.SIGINT)
        process.stdout.read()
    assert process.returncode == 130
    assert (left() - before, workers_left()) == (set(), [])
