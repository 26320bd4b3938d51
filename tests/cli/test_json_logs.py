"""The log as JSON: one object a line whatever is logged, with the names and values of events, and without secrets."""

import json
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from janitor.cli.logs import configure_logging, said
from janitor.cli.streams import LogFormat
from tests.cli.test_escaping import FOREIGN
from tests.conftest import Desk
from tests.slack_stand_in import SlackStandIn

Logged = Callable[..., dict[str, Any]]


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[Logged]:
    """Logs one record, and gives the object that is written."""
    before = logging.getLogger().handlers[:]

    def log(message: str, *args: object, logger: str = "janitor.run", **more: Any) -> dict[str, Any]:
        configure_logging(0, ["correct-horse", "1234567890"], LogFormat.JSON)
        logging.getLogger(logger).warning(message, *args, **more)
        written = capsys.readouterr().err
        assert written.count("\n") == 1, written
        assert written.isascii()
        line: dict[str, Any] = json.loads(written)
        return line

    yield log
    logging.getLogger().handlers[:] = before
    logging.getLogger("janitor").setLevel(logging.NOTSET)


def test_an_event_has_its_name_and_its_values(logged: Logged) -> None:
    line = logged("notices-not-started run=%d images=%d file=%s: %s", 12, 3, "a b.prom", "the clock")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z", line.pop("time"))
    assert line == {
        "level": "warning",
        "logger": "janitor.run",
        "event": "notices-not-started",
        "message": "notices-not-started run=12 images=3 file=a b.prom: the clock",
        "fields": {"run": 12, "images": 3, "file": "a b.prom"},
    }


@pytest.mark.parametrize(
    ("message", "args", "event", "fields"),
    [
        pytest.param("serve-ended", (), "serve-ended", None, id="nothing-else"),
        pytest.param(
            "target-%s target=%s: %s", ("failed", "prod", "x"), "target-failed", {"target": "prod"}, id="made"
        ),
        pytest.param("%s target=%s", ("deletion-refused", "a=b"), "deletion-refused", {"target": "a=b"}, id="given"),
        pytest.param("retry call=%r cause=%r", ("GET", "it's"), "retry", {"call": "GET", "cause": "it's"}, id="quoted"),
        pytest.param("left 5%% run=%5d", (7,), "left", {"run": 7}, id="percent"),
        pytest.param("took a=%s b=%s", (float("nan"), 1.5), "took", {"a": "nan", "b": 1.5}, id="no-number"),
        pytest.param("report-late run=%s%s: %s", (1, " to #a", "x=%s"), "report-late", {"run": 1}, id="between"),
    ],
)
def test_names_and_values_are_those_of_the_message(
    logged: Logged, message: str, args: tuple[object, ...], event: str, fields: dict[str, object] | None
) -> None:
    line = logged(message, *args)
    assert (line["event"], line.get("fields"), line["message"]) == (event, fields, message % args)


def test_what_a_library_logs_is_no_event(logged: Logged) -> None:
    line = logged("Invalid HTTP request=%s", "x", logger="uvicorn.error")
    assert (line["event"], "fields" in line, line["message"]) == (None, False, "Invalid HTTP request=x")


@pytest.mark.parametrize("foreign", [foreign for foreign, _ in FOREIGN.values()], ids=list(FOREIGN))
def test_a_foreign_text_ends_no_line_and_is_read_back_exactly(logged: Logged, foreign: str) -> None:
    line = logged("deletion-refused image=%s: said", f"웹{foreign}")
    assert line["fields"] == {"image": f"웹{foreign}"}


def test_no_secret_is_in_any_part(logged: Logged) -> None:
    line = logged("retry call=%s number=%d: %s", "a correct-horse", 1234567890, "correct-horse")
    assert line["fields"] == {"call": "a ***", "number": "***"}
    assert line["message"] == "retry call=a *** number=***: ***"
    assert "correct-horse" not in said("the correct-horse", "error", ValueError("correct-horse"))


def test_an_error_comes_with_its_traceback(logged: Logged) -> None:
    try:
        raise ValueError("a\ncorrect-horse")
    except ValueError:
        line = logged("run-crashed: this is a bug", exc_info=True)
    assert line["exception"].startswith("Traceback (most recent call last):\n")
    assert line["exception"].endswith("\nValueError: a\\n***")


def objects(stderr: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stderr.splitlines()]


def test_everything_that_a_command_says_on_stderr_is_an_object(sandbox_desk: Desk) -> None:
    with SlackStandIn() as slack:
        sandbox_desk.amend(f"slack: {{webhook_url: '{slack.webhook_url}', post: always}}\n")
        slack.refuse_after = 0
        done = sandbox_desk.janitor("run", "--dry-run", "-v", "--log-format", "json")
    assert done.returncode == 1
    lines = objects(done.stderr)
    [failed] = [line for line in lines if line["event"] == "report-undelivered"]
    assert (failed["level"], failed["logger"], failed["fields"]) == ("error", "janitor.notify.delivery", {"run": 1})
    assert lines[-1]["message"].endswith("it is kept, and the next run sends it: exit 1")
    assert slack.webhook_url not in done.stderr
    assert "DRY RUN" in done.stdout


@pytest.mark.parametrize("words", [("runs",), ("check",), ("resend",)], ids=" ".join)
def test_an_error_before_the_configuration_is_read_is_one_too(desk: Desk, words: tuple[str, ...]) -> None:
    done = desk.janitor(*words, "--log-format", "json")
    [line] = objects(done.stderr)
    assert (done.returncode, line["level"], line["event"]) == (2, "error", None)
    assert "janitor.yaml" in line["message"]


def test_a_bug_is_one_too(sandbox_desk: Desk) -> None:
    sandbox_desk.janitor("run", "--dry-run")
    code = "from janitor.report import tables; tables.runs_table = None"
    done = sandbox_desk.janitor("runs", "--log-format", "json", before=code)
    [line] = objects(done.stderr)
    assert (done.returncode, "this is a bug" in line["message"]) == (70, True)
    assert line["exception"].startswith("Traceback")


def test_text_is_what_there_is_without_the_option(sandbox_desk: Desk) -> None:
    plain, text = sandbox_desk.janitor("resend"), sandbox_desk.janitor("resend", "--log-format", "text")
    assert plain.stderr == text.stderr == "no undelivered reports\n"
