"""What a forked command does is what a command does that is started."""

import subprocess

import pytest

from tests.conftest import Desk

WORDS = [("--version",), ("check",), ("check", "--config", "elsewhere.yaml"), ("no-command",)]


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_a_forked_command_is_one_that_was_started(sandbox_desk: Desk, words: tuple[str, ...]) -> None:
    started = subprocess.run(
        sandbox_desk.command(*words), capture_output=True, check=False, **sandbox_desk.settings_for_process()
    )
    forked = sandbox_desk.janitor(*words)
    assert (forked.returncode, forked.stdout, forked.stderr) == (started.returncode, started.stdout, started.stderr)


def test_what_python_reads_at_its_start_needs_a_start(desk: Desk) -> None:
    desk.environment = {"PYTHONUTF8": "0"}
    with pytest.raises(ValueError, match="Python reads this when it starts"):
        desk.janitor("--version")
