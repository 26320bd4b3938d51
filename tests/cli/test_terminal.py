"""What commands print is complete, whatever the width of the terminal and the state of the streams."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from janitor.cli.console import console
from janitor.cli.terminal import print_out
from janitor.config.screen import screen_environment
from janitor.report.layout import Page, line
from janitor.sandbox.server import Sandbox
from tests.conftest import Desk

UNUSABLE = ["0", "1", "39", "-80", "abc", "", "80.0", "²", "99999", "9" * 30]


@dataclass
class Screen:
    """A pseudo-terminal of that many columns, and what a command showed on it."""

    columns: int

    def show(self, desk: Desk, *words: str, typed: str = "", stdout: bool = True) -> tuple[int, str]:
        """The exit code, and all that came to the terminal, at which somebody types that.

        With `stdout` False only stderr and stdin are on it.
        """
        settings = desk.settings_for_process()
        ours, theirs = self._opened(typed)
        with Path(os.devnull).open("wb") as nowhere:
            streams = theirs, theirs if stdout else nowhere.fileno(), theirs
            with desk.fork_server.on_streams(streams, words, settings["cwd"], settings["env"]) as process:
                os.close(theirs)
                shown = _shown_on(ours)
                return process.wait(), shown

    def run(self, desk: Desk, command: list[str]) -> tuple[int, str]:
        """The same of any command that is started."""
        ours, theirs = self._opened("")
        settings = desk.settings_for_process()
        with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, **settings) as process:
            os.close(theirs)
            shown = _shown_on(ours)
        return process.returncode, shown

    def _opened(self, typed: str) -> tuple[int, int]:
        """Our end of the terminal, and that of the command."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 25, self.columns, 0, 0))
        os.write(ours, typed.encode())
        return ours, theirs


def _shown_on(ours: int) -> str:
    """All that comes to the terminal until nobody has it open; then it is closed."""
    shown = b"".join(_chunks(ours))
    os.close(ours)
    return shown.decode().replace("\r\n", "\n")


def _chunks(ours: int) -> Iterator[bytes]:
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # what Linux says once nobody has the other end open
            return
        if not chunk:
            return
        yield chunk


def plain(text: str) -> str:
    """Text without colours and the movements of a cursor."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


# The width


@pytest.fixture
def surveyed(sandbox_desk: Desk) -> Desk:
    """A desk with a run behind it and an exemption."""
    decisions = sandbox_desk.target("run", "--dry-run")["decisions"]
    given = sandbox_desk.janitor("keep", decisions[0]["image"], "--for", "30d", "--why", "a test", "--by", "somebody")
    assert given.returncode == 0, given.stderr
    sandbox_desk.write("first-id", decisions[0]["image"])
    return sandbox_desk


@pytest.mark.parametrize("columns", UNUSABLE)
def test_columns_that_no_terminal_has_count_as_unknown(columns: str) -> None:
    assert screen_environment({"COLUMNS": columns, "LINES": "0", "TERM": "xterm"}) == {"TERM": "xterm"}


@pytest.mark.parametrize("columns", ["40", "79", "10000"])
def test_columns_in_range_are_taken(columns: str) -> None:
    assert screen_environment({"COLUMNS": columns, "LINES": "24"}) == {"COLUMNS": columns, "LINES": "24"}


def test_commands_print_the_same_for_unusable_columns_as_for_80(surveyed: Desk) -> None:
    image = (surveyed.folder / "first-id").read_text()
    commands = [["show", "1"], ["images"], ["runs"], ["explain", image], ["keep", "--list"], ["check"]]
    commands += [["waiting"], ["policies"], ["show", "latest", "--summary"]]

    def shown(columns: str) -> list[tuple[int, str, str]]:
        surveyed.environment = {"COLUMNS": columns}
        every = [surveyed.janitor(*words) for words in commands]
        return [(done.returncode, done.stdout, done.stderr) for done in every]

    expected = shown("80")
    assert all(code == 0 and len(text.splitlines()) > 1 for code, text, _ in expected)
    assert shown("0") == expected
    assert shown("²") == expected


def test_a_live_run_without_a_usable_width_says_what_it_deleted(sandbox_desk: Desk, sandbox: Sandbox) -> None:
    sandbox_desk.environment = {"COLUMNS": "0", "LINES": "0"}
    done = sandbox_desk.janitor("run")

    assert done.returncode == 0, done.stderr
    deleted = [request.image for request in sandbox.requests if request.method == "DELETE" and request.image]
    assert deleted
    assert all(image in done.stdout for image in deleted)
    assert "Outcome: " in done.stdout


def test_a_terminal_shows_the_same_words_as_a_file(surveyed: Desk) -> None:
    image = (surveyed.folder / "first-id").read_text()
    surveyed.environment = {"COLUMNS": "40", "TERM": "xterm"}
    for words in (("show", "1"), ("images",), ("explain", image), ("waiting",), ("policies",), ("keep", "--list")):
        code, shown = Screen(40).show(surveyed, *words)
        assert (code, plain(shown)) == (0, surveyed.janitor(*words).stdout)


@pytest.mark.parametrize(("columns", "width"), [(0, 80), (20, 80), (50, 50), (100, 100)])
def test_a_terminal_is_as_wide_as_it_says_or_80(surveyed: Desk, columns: int, width: int) -> None:
    surveyed.environment = {"COLUMNS": "", "TERM": "xterm"}
    code, shown = Screen(columns).show(surveyed, "show", "1")
    assert (code, max(map(len, plain(shown).splitlines()))) == (0, width)


def test_the_progress_bar_shows_without_a_usable_width(sandbox_desk: Desk) -> None:
    sandbox_desk.environment = {"COLUMNS": "0", "LINES": "0", "TERM": "xterm"}
    code, shown = Screen(0).show(sandbox_desk, "run", "--dry-run", stdout=False)
    assert code == 0
    assert "sandbox" in plain(shown)


def test_a_report_that_renders_to_nothing_is_a_bug() -> None:
    with pytest.raises(RuntimeError, match="nothing was rendered"):
        print_out(Page(lambda _width: [line(), line("  ")]))


def test_a_report_that_renders_to_nothing_is_exit_70(surveyed: Desk) -> None:
    code = (
        "from janitor.report import text; from janitor.report.layout import Page; "
        "text.text_report = lambda *_, **__: Page(lambda _width: [])"
    )
    done = surveyed.janitor("show", "1", before=code)
    assert (done.returncode, done.stdout) == (70, "")
    assert "this is a bug" in done.stderr


def test_every_console_is_made_in_one_place() -> None:
    package = Path(__file__).parents[2] / "janitor"
    makers = {path.name for path in package.rglob("*.py") if re.search(r"\bConsole\(", path.read_text("utf-8"))}
    assert makers == {"console.py"}
    assert console().width >= 40
