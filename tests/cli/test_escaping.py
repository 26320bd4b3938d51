"""Foreign text on stderr and in every message: one line stays one line, and nothing controls the terminal."""

import logging
import re
import subprocess
import sys

import pytest
from rich.console import Console

from janitor.cli.logs import configure_logging, traceback_of
from janitor.errors import ConfigurationError, Problem, Refused, UsageError
from janitor.escaping import visible
from janitor.report.layout import Page, line
from tests.cli.test_terminal import Screen, plain
from tests.conftest import Desk
from tests.loopback import Answered, Asked, Loopback

FORGED = "2026-01-01T00:00:00Z ERROR janitor.run all is well"
FOREIGN = {
    "newline": ("\n", "\\n"),
    "carriage-return": ("\r", "\\r"),
    "escape": ("\x1b[2J", "\\x1b[2J"),
    "control-sequence-in-one": ("\x9b2J", "\\x9b2J"),
    "next-line": ("\x85", "\\x85"),
    "line-separator": ("\u2028", "\\u2028"),
    "right-to-left-override": ("\u202e", "\\u202e"),
    "isolate": ("\u2066", "\\u2066"),
    "zero-width-space": ("\u200b", "\\u200b"),
    "zero-width-joiner": ("\u200d", "\\u200d"),
    "byte-order-mark": ("\ufeff", "\\ufeff"),
    "tag": ("\U000e0041", "\\U000e0041"),
    "variation-selector": ("\ufe0f", "\\ufe0f"),
    "variation-selector-17": ("\U000e0100", "\\U000e0100"),
    "mongolian-selector": ("\u180b", "\\u180b"),
    "filler": ("\u3164", "\\u3164"),
}
cases = pytest.mark.parametrize(("foreign", "shown"), list(FOREIGN.values()), ids=list(FOREIGN))


@cases
def test_what_is_not_plainly_visible_is_escaped_once(foreign: str, shown: str) -> None:
    assert visible(f"웹{foreign}a") == f"웹{shown}a"
    assert visible(visible(f"웹{foreign}a")) == f"웹{shown}a"


@cases
def test_a_line_of_the_log_is_one_line(foreign: str, shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(0)
    for logger in ("janitor.run", "slack_sdk", "a.library"):
        logging.getLogger(logger).warning("deletion-refused image=%s: said", f"a{foreign}{FORGED}")
    written = capsys.readouterr().err
    assert written.count("\n") == 3
    assert written.count(f" image=a{shown}{FORGED}: said\n") == 3
    assert foreign not in written.replace("\n", "") or foreign == "\n"


def crash(message: str) -> BaseException:
    """An error with a cause whose message is foreign, as it is caught."""
    try:
        try:
            raise ValueError(message)
        except ValueError as error:
            raise RuntimeError(f"from {message}") from error
    except RuntimeError as error:
        return error


@cases
def test_a_traceback_keeps_its_lines_and_each_message_is_one(
    foreign: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(0)
    logging.getLogger("janitor.cli.schedule").error("run-crashed", exc_info=crash(f"a{foreign}{FORGED}"))
    rows = capsys.readouterr().err.split("\n")
    assert f"ValueError: a{shown}{FORGED}" in rows
    assert f"RuntimeError: from a{shown}{FORGED}" in rows
    assert any(row.startswith('  File "') for row in rows)
    assert not any(row.startswith(FORGED[:10]) for row in rows)


def test_the_words_of_another_handler_are_not_taken_over(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(0)
    raw = logging.StreamHandler(open_nothing := Lines())
    logging.getLogger().handlers.insert(0, raw)
    try:
        logging.getLogger("janitor.run").error("crashed", exc_info=crash(f"a\n{FORGED}"))
    finally:
        logging.getLogger().removeHandler(raw)
    assert FORGED in "".join(open_nothing.written).split("\n")
    assert FORGED not in capsys.readouterr().err.split("\n")


class Lines:
    """A stream that keeps what is written."""

    def __init__(self) -> None:
        self.written: list[str] = []

    def write(self, text: str) -> int:
        self.written.append(text)
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""


def test_a_traceback_shows_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(0, ["correct-horse-battery"])
    assert "correct-horse" not in traceback_of(crash("password correct-horse-battery refused"))
    assert "***" in traceback_of(crash("password correct-horse-battery refused"))
    assert capsys.readouterr().err == ""


@cases
def test_messages_of_errors_are_one_line_wherever_they_go(foreign: str, shown: str) -> None:
    assert str(Refused(f"no{foreign}{FORGED}", code=403)) == f"no{shown}{FORGED}"
    problems = [Problem("a.yaml", 1, f"no{foreign}b"), Problem("a.yaml", 2, "two", help="write\nthis")]
    assert str(ConfigurationError(problems)) == f"a.yaml:1: no{shown}b\na.yaml:2: two\nwrite\nthis"


def test_a_page_lets_nothing_through() -> None:
    with Console(width=80) as console, console.capture() as capture:
        console.print(Page(lambda _width: [line("a\x1b[2J\u202e\nb")]))
    assert capture.get() == "a\\x1b[2J\\u202e\\nb\n"


def test_the_answer_of_an_api_reaches_no_terminal_raw(sandbox_desk: Desk) -> None:
    evil = "no\n\x1b[2J\u202e\u200b\x9b31m\nOutcome: ok"

    def answer(_asked: Asked) -> Answered:
        return Answered({"header": {"isSuccessful": False, "resultCode": -3, "resultMessage": evil}})

    with Loopback(answer) as api:
        config = (sandbox_desk.folder / "janitor.yaml").read_text()
        sandbox_desk.write("janitor.yaml", re.sub(r"endpoint: .*", f'endpoint: "{api.url}/compute"', config))
        shown = [sandbox_desk.janitor(*words) for words in (("run", "-vv"), ("check", "--live"))]
    for done in shown:
        assert done.returncode == 1
        assert not re.search("[\x1b\x9b\u202e\u200b]", done.stdout + done.stderr)
        assert "\\x1b[2J\\u202e\\u200b\\x9b31m" in "".join(map(str.strip, (done.stdout + done.stderr).splitlines()))
        assert "Outcome: ok" not in [row.strip() for row in (done.stdout + done.stderr).splitlines()]


@pytest.mark.parametrize("words", [("run", "--target", "\x1b[2Ja\u202e"), ("show", "\x1b[2J"), ("\x9b2J",)])
def test_what_was_typed_is_said_back_escaped(sandbox_desk: Desk, words: tuple[str, ...]) -> None:
    done = sandbox_desk.janitor(*words)
    assert done.returncode == 2
    assert "2J" in done.stderr
    assert not re.search("[\x1b\x9b\u202e]", done.stderr)


def test_a_bug_is_shown_escaped(sandbox_desk: Desk) -> None:
    code = (
        "from janitor.cli.formats import Format, answers\n"
        "def broken(*_):\n"
        f"    raise ValueError('a' + chr(10) + chr(27) + '[2J{FORGED}')\n"
        "answers.IMAGES[Format.TEXT] = broken\n"
        "from janitor.cli.app import main; main()\n"
    )
    sandbox_desk.janitor("run", "--dry-run")
    done = subprocess.run(
        [sys.executable, "-c", code, "images"], capture_output=True, check=False, **sandbox_desk.settings_for_process()
    )
    assert done.returncode == 70
    assert f"ValueError: a\\n\\x1b[2J{FORGED}" in done.stderr.split("\n")
    assert "\x1b" not in done.stderr


DRAWING = """
import logging
from janitor.cli.logs import configure_logging
from janitor.cli.terminal import progress_bar
configure_logging(0)
log = logging.getLogger("janitor.run")
with progress_bar() as progress:
    progress.advance("sandbox", "survey", 1, 3)
    log.warning("first image=[bold]web[/] \\x1b[2J " + "x" * 150)
    progress.advance("other", "survey", 1, 3)
    log.warning("second")
log.warning("third")
"""


def test_the_progress_bar_and_a_line_of_the_log_share_no_line(desk: Desk) -> None:
    desk.environment = {"TERM": "xterm"}
    code, shown = Screen(100).run(desk, [sys.executable, "-c", DRAWING])
    assert code == 0
    before = re.findall(r"([^\n]*?)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ WARNING janitor\.run (\w+)", shown)
    assert [word for _, word in before] == ["first", "second", "third"]
    # What a line begins with is nothing but movements and the erasure of the bar that stood there.
    assert [plain(text.rpartition("\x1b[2K")[2]).strip("\r") for text, _ in before] == ["", "", ""]
    assert "first image=[bold]web[/] \\x1b[2J " + "x" * 150 + "\n" in shown


def test_usage_errors_escape_what_they_name() -> None:
    assert str(UsageError("no target named a\nb")) == "no target named a\\nb"
