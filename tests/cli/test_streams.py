"""A command whose standard streams are full, closed or missing: its work is done, and it reports the problem."""

import json
import os
import re
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from janitor.sandbox.server import Sandbox
from tests.conftest import Desk
from tests.loopback import Answered, Loopback
from tests.slack_stand_in import SlackStandIn

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="the system has no /dev/full")


def with_stdout(desk: Desk, stdout: int, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        desk.command(*words),
        stdout=stdout,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
        **desk.settings_for_process(),
    )


def on_a_full_disk(desk: Desk, *words: str) -> "subprocess.CompletedProcess[str]":
    with FULL.open("w") as full:
        return with_stdout(desk, full.fileno(), *words)


def into_a_closed_pipe(desk: Desk, *words: str) -> "subprocess.CompletedProcess[str]":
    reader, writer = os.pipe()
    os.close(reader)
    try:
        return with_stdout(desk, writer, *words)
    finally:
        os.close(writer)


def redirected(desk: Desk, redirection: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """The command as a shell runs it with that redirection."""
    command = ["sh", "-c", f'exec "$@" {redirection}', "sh", *desk.command(*words)]
    return subprocess.run(command, capture_output=True, timeout=60, check=False, **desk.settings_for_process())


def deletes(sandbox: Sandbox) -> int:
    return sum(request.method == "DELETE" for request in sandbox.requests)


@needs_full
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_report_that_finds_the_disk_full_is_said_after_all_else_was_done(
    sandbox_desk: Desk, sandbox: Sandbox, form: str
) -> None:
    with SlackStandIn() as slack, Loopback(lambda _asked: Answered()) as healthchecks:
        sandbox_desk.amend(f"slack: {{webhook_url: '{slack.webhook_url}', post: always}}\n")
        sandbox_desk.amend(f"heartbeat_url: {healthchecks.url}/ping\nmetrics_file: janitor.prom\n")
        done = on_a_full_disk(sandbox_desk, "run", "--format", form)
        pinged, posted = healthchecks.paths(), len(slack.posted)

    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.endswith("the report could not be printed (No space left on device): janitor show 1")
    assert deletes(sandbox) > 0
    assert posted > 0
    assert pinged == ["GET /ping/start", "GET /ping/fail"]
    assert "janitor_last_run_exit_code 1.0" in (sandbox_desk.folder / "janitor.prom").read_text()
    shown = json.loads(sandbox_desk.janitor("show", "1", "--format", "json").stdout)
    assert len(shown["targets"][0]["deletions"]) == deletes(sandbox)


@needs_full
def test_a_run_that_could_not_begin_says_why_where_its_report_cannot(sandbox_desk: Desk) -> None:
    sandbox_desk.write("sandbox.db", "this is no database")
    done = on_a_full_disk(sandbox_desk, "run")
    assert done.returncode == 1
    assert re.search(r"could not be printed \(No space left on device\): .*sandbox\.db", done.stderr)


@needs_full
@pytest.mark.parametrize(
    "words", [("--help",), ("--version",), ("run", "--help"), ("check",), ("runs",), ("images", "--format", "json")]
)
def test_a_command_that_cannot_print_says_so(sandbox_desk: Desk, words: tuple[str, ...]) -> None:
    sandbox_desk.janitor("run", "--dry-run")
    done = on_a_full_disk(sandbox_desk, *words)
    assert (done.returncode, done.stderr) == (1, "janitor: stdout could not be written: No space left on device\n")


@pytest.mark.parametrize(
    "words",
    [("--help",), ("--version",), ("check",), ("runs",), ("show", "1"), ("images",), ("images", "--format", "json")],
)
def test_a_closed_pipe_is_no_failure_of_a_command_that_only_reads(sandbox_desk: Desk, words: tuple[str, ...]) -> None:
    sandbox_desk.janitor("run", "--dry-run")
    done = into_a_closed_pipe(sandbox_desk, *words)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_run_whose_reader_is_gone_says_where_its_report_is(sandbox_desk: Desk, sandbox: Sandbox) -> None:
    done = into_a_closed_pipe(sandbox_desk, "run")
    assert done.returncode == 1
    assert done.stderr.endswith("the report could not be printed (Broken pipe): janitor show 1\n")
    assert deletes(sandbox) > 0


def test_what_a_run_found_ranks_before_what_it_could_not_print(sandbox_desk: Desk) -> None:
    config = (sandbox_desk.folder / "janitor.yaml").read_text()
    sandbox_desk.write("janitor.yaml", config.replace("max_deletions: 1000", "max_deletions: 1"))
    assert into_a_closed_pipe(sandbox_desk, "run").returncode == 4


@pytest.mark.parametrize("missing", ["2>&-", ">&-", "<&-", "<&- >&- 2>&-"])
def test_missing_streams_are_no_reason_not_to_run(sandbox_desk: Desk, sandbox: Sandbox, missing: str) -> None:
    done = redirected(sandbox_desk, missing, "run", "-vv")
    assert done.returncode == 0, done.stderr
    assert deletes(sandbox) > 0
    assert ("Outcome: " in done.stdout) == (">&-" not in missing.replace("2>&-", ""))
    after = sandbox_desk.janitor("check")
    assert (after.returncode, after.stderr) == (0, ""), (
        "no file took the place of a stream, to be written to by the log"
    )


@needs_full
def test_a_log_that_cannot_be_written_ends_nothing(sandbox_desk: Desk, sandbox: Sandbox) -> None:
    done = redirected(sandbox_desk, "2>/dev/full", "run", "-vv")
    assert done.returncode == 0
    assert "Outcome: " in done.stdout
    assert deletes(sandbox) > 0


@needs_full
def test_a_service_goes_on_when_a_report_cannot_be_printed_and_tries_the_next(sandbox_desk: Desk) -> None:
    sandbox_desk.amend('schedule: "* * * * *"\n')
    soon = "from datetime import timedelta; from janitor.core.cron import Cron; "
    soon += "Cron.next_after = lambda cron, instant, zone: instant + timedelta(seconds=0.2); "
    code = f"{soon}from janitor.cli.app import main; main()"
    with (
        FULL.open("w") as full,
        subprocess.Popen(
            [sandbox_desk.command()[0], "-c", code, "serve"],
            stdout=full,
            stderr=subprocess.PIPE,
            **sandbox_desk.settings_for_process(),
        ) as process,
    ):
        assert process.stderr is not None
        kill = threading.Timer(60, process.kill)
        kill.start()
        said = (line for line in process.stderr if "report-not-printed" in line)
        first, second = next(said, ""), next(said, "")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        kill.cancel()
    assert (first.strip()[-14:], second.strip()[-14:]) == ("janitor show 1", "janitor show 2")
