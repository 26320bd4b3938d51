"""The heartbeat: which URL is pinged when, and that no failure of it affects the run."""

import logging
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
import stamina

from janitor.cli.commands.scheduled_run import scheduled_run
from janitor.config import load_settings
from janitor.core.cron import Cron
from janitor.core.result import Mode
from janitor.monitoring.heartbeat import Heartbeat
from janitor.monitoring.punctuality import Punctuality
from janitor.monitoring.watch import Watch
from janitor.sandbox.server import Sandbox
from janitor.shutdown import Stop
from janitor.store import exclusive
from janitor.transport import HttpOptions
from tests.conftest import WITHOUT_WAITING, Desk
from tests.loopback import Answered, Asked, Loopback, in_turn
from tests.raw_server import endless
from tests.slack_stand_in import SlackStandIn

BRISK = HttpOptions(timeout=timedelta(seconds=1), attempts=2, give_up_after=timedelta(seconds=2))


@pytest.fixture
def service() -> Iterator[Loopback]:
    with Loopback(lambda asked: Answered(b"OK")) as running:
        yield running


def beat(url: str | None, *, stop: threading.Event | None = None, patience: HttpOptions = BRISK) -> Heartbeat:
    return Heartbeat(url, stop or threading.Event(), patience)


@pytest.mark.parametrize(
    ("given", "start", "success", "fail"),
    [
        pytest.param("/ping/the-uuid", "/ping/the-uuid/start", "/ping/the-uuid", "/ping/the-uuid/fail", id="a-uuid"),
        pytest.param("/key/slug", "/key/slug/start", "/key/slug", "/key/slug/fail", id="a-slug"),
        pytest.param("/ping/x/", "/ping/x/start", "/ping/x/", "/ping/x/fail", id="slash-at-its-end"),
        pytest.param("/k/s?create=1", "/k/s/start?create=1", "/k/s?create=1", "/k/s/fail?create=1", id="query-stays"),
        pytest.param("/x#part", "/x/start", "/x", "/x/fail", id="fragment-goes"),
        pytest.param("", "/start", "/", "/fail", id="no-path"),
    ],
)
def test_the_addresses(service: Loopback, given: str, start: str, success: str, fail: str) -> None:
    heartbeat = beat(service.url + given)
    heartbeat.start()
    heartbeat.success()
    heartbeat.failure()

    asked = [asked.path + "".join(f"?{key}={value}" for key, value in asked.query.items()) for asked in service.asked]
    assert asked == [start, success, fail]
    assert {(request.method, request.body) for request in service.asked} == {("GET", b"")}


def test_without_an_address_nothing_is_sent(caplog: pytest.LogCaptureFixture) -> None:
    beat(None).start()
    beat(None).failure()

    assert caplog.records == []


@pytest.mark.parametrize(
    ("answers", "tries", "logged"),
    [
        pytest.param([Answered(status=204)], 1, None, id="any-yes-is-one"),
        pytest.param([Answered(status=503), Answered()], 2, None, id="tried-again-after-a-fault"),
        pytest.param([Answered(dropped=True), Answered()], 2, None, id="tried-again-after-a-dropped-connection"),
        pytest.param([Answered(status=500)], 2, "HTTP 500", id="not-for-ever"),
        pytest.param([Answered(status=404)], 1, "HTTP 404", id="no-such-check-is-final"),
        pytest.param(
            [Answered(status=302, headers={"Location": "/elsewhere"})],
            1,
            "HTTP 302, a redirect, which is not followed",
            id="redirects-are-not-followed",
        ),
    ],
)
def test_what_an_answer_means(
    answers: list[Answered], tries: int, logged: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    with stamina.set_testing(True, attempts=100, cap=True), Loopback(in_turn(*answers)) as service:
        beat(f"{service.url}/ping/the-secret").success()

    assert len(service.asked) == tries
    assert [record.levelno for record in caplog.records] == ([logging.WARNING] if logged else [])
    assert logged is None or (logged in caplog.text and "event=success" in caplog.text)
    assert "the-secret" not in caplog.text


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://127.0.0.1:1/the-secret", id="nobody-listens"),
        pytest.param("http://user:the-secret@127.0.0.1:1/x", id="credentials"),
        pytest.param("http://127.0.0.1:1/the-secret/%zz?the-secret", id="odd-address"),
    ],
)
def test_a_ping_that_cannot_be_sent_is_logged_without_its_address(url: str, caplog: pytest.LogCaptureFixture) -> None:
    patience = HttpOptions(timeout=timedelta(seconds=1), attempts=1, give_up_after=timedelta(seconds=1))
    beat(url, patience=patience).failure()

    assert "heartbeat-failed event=fail" in caplog.text
    assert "the-secret" not in caplog.text


def test_an_answer_that_repeats_the_address_is_logged_without_it(caplog: pytest.LogCaptureFixture) -> None:
    with Loopback(lambda asked: Answered(headers={f"no header {asked.path}": "x"})) as service:
        beat(f"{service.url}/ping/the-secret").start()

    assert "illegal header line" in caplog.text
    assert "the-secret" not in caplog.text


@pytest.mark.parametrize(
    ("head", "bits", "told"),
    [
        pytest.param(b"", b"HTTP/1.1 100 Continue\r\n\r\n", "no complete answer within 0.2 s", id="interim-answers"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX-Long: ", b"x", "no complete answer within 0.2 s", id="header"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n", b"x", "no complete answer within 0.2 s", id="body"),
    ],
)
def test_a_service_that_drips_holds_nobody_up(
    head: bytes, bits: bytes, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    patience = HttpOptions(timedelta(seconds=0.2), attempts=1)
    with endless(bits, 0.01, head) as server:
        beat(server.url, patience=patience).start()
    assert told in caplog.text


def test_an_answer_of_a_service_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    with endless(b"x" * 65536, 0, b"HTTP/1.1 200 OK\r\n\r\n") as server:
        beat(server.url, patience=HttpOptions(timedelta(seconds=30), attempts=1)).start()
    assert "the answer is larger than 1 MiB" in caplog.text


def test_once_told_to_stop_a_ping_that_hangs_is_left_behind(caplog: pytest.LogCaptureFixture) -> None:
    stop, held = threading.Event(), threading.Event()
    stop.set()
    with Loopback(lambda asked: Answered(held=held)) as service:
        beat(f"{service.url}/x", stop=stop, patience=HttpOptions(timedelta(seconds=30))).failure()
        held.set()

    assert "no answer before the program had to stop" in caplog.text


# As the command


def pinged(desk: Desk, *words: str) -> tuple[int, list[str]]:
    """The exit code of a command, and what the service was asked meanwhile."""
    with Loopback(lambda asked: Answered(b"OK")) as service:
        desk.amend(f"heartbeat_url: {service.url}/ping/the-secret\n")
        done = desk.janitor(*words)
    assert "the-secret" not in done.stdout + done.stderr
    return done.returncode, service.paths()


START, SUCCESS, FAIL = "GET /ping/the-secret/start", "GET /ping/the-secret", "GET /ping/the-secret/fail"


@pytest.mark.parametrize("words", [("run",), ("run", "--dry-run")], ids=" ".join)
def test_a_run_that_is_done_is_a_success(sandbox_desk: Desk, words: tuple[str, ...]) -> None:
    assert pinged(sandbox_desk, *words) == (0, [START, SUCCESS])


def test_the_start_is_told_before_the_cloud_is_asked(sandbox_desk: Desk, sandbox: Sandbox) -> None:
    asked_before: list[int] = []

    def answer(_asked: Asked) -> Answered:
        asked_before.append(len(sandbox.requests))
        return Answered()

    with Loopback(answer) as service:
        sandbox_desk.amend(f"heartbeat_url: {service.url}\n")
        assert sandbox_desk.janitor("run", "--dry-run").returncode == 0
    assert asked_before == [0, len(sandbox.requests)]


def test_a_run_over_a_limit_is_a_failure(sandbox_desk: Desk) -> None:
    config = (sandbox_desk.folder / "janitor.yaml").read_text()
    sandbox_desk.write("janitor.yaml", config.replace("max_deletions: 1000", "max_deletions: 1"))

    assert pinged(sandbox_desk, "run") == (4, [START, FAIL])


def test_a_report_that_did_not_arrive_is_a_failure(sandbox_desk: Desk) -> None:
    with SlackStandIn() as slack:
        sandbox_desk.amend(f"slack: {{webhook_url: '{slack.webhook_url}-gone'}}\n")

        assert pinged(sandbox_desk, "run") == (1, [START, FAIL])


def test_a_database_that_cannot_be_used_is_a_failure(sandbox_desk: Desk) -> None:
    with closing(sqlite3.connect(sandbox_desk.folder / "sandbox.db")) as foreign:
        foreign.execute("CREATE TABLE ours (word)")

    assert pinged(sandbox_desk, "run") == (1, [START, FAIL])


@pytest.mark.parametrize("words", [("run",), ("run", "--dry-run"), ("apply", "1")], ids=" ".join)
def test_a_run_that_finds_the_database_held_is_none(sandbox_desk: Desk, words: tuple[str, ...]) -> None:
    assert sandbox_desk.janitor("run", "--dry-run").returncode == 0
    sandbox_desk.amend("metrics_file: metrics.prom\n")
    with exclusive(sandbox_desk.folder / "sandbox.db", "janitor run", datetime.now(UTC)):
        assert pinged(sandbox_desk, *words) == (5, [])
    assert not (sandbox_desk.folder / "metrics.prom").exists(), "the holder says what became of its run"


def test_the_service_that_finds_the_database_held_tells_of_no_run(sandbox_desk: Desk) -> None:
    with Loopback(lambda asked: Answered(b"OK")) as service:
        sandbox_desk.amend(f"heartbeat_url: {service.url}\nmetrics_file: metrics.prom\n")
        settings = load_settings(sandbox_desk.folder / "janitor.yaml")
        punctuality = Punctuality(Cron.parse("* * * * *"), settings.timezone, lambda: datetime.now(UTC))
        watch = Watch(settings, Stop(), punctuality)
        with exclusive(settings.database, "janitor run", datetime.now(UTC)):
            scheduled_run(settings, Mode.DELETE, Stop(), watch)
        assert service.paths() == []
        assert not (sandbox_desk.folder / "metrics.prom").exists()
        scheduled_run(settings, Mode.DRY_RUN, Stop(), watch)
        assert service.paths() == ["GET /start", "GET /"]


def test_a_database_that_cannot_be_held_is_a_failure(sandbox_desk: Desk) -> None:
    (sandbox_desk.folder / "sandbox.db.lock").symlink_to("nowhere")

    assert pinged(sandbox_desk, "run") == (1, [FAIL])


def test_a_run_that_is_told_to_end_is_a_failure(sandbox_desk: Desk) -> None:
    started, told = threading.Event(), threading.Event()

    def answer(asked: Asked) -> Answered:
        started.set()
        return Answered(held=told if asked.path == "/start" else None)

    with Loopback(answer) as service:
        sandbox_desk.amend(f"heartbeat_url: {service.url}\n")
        process = subprocess.Popen(
            sandbox_desk.command("run", "-v"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **sandbox_desk.settings_for_process(),
        )
        assert started.wait(20)
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        assert "stopping signal=SIGTERM" in process.stderr.readline()
        told.set()
        process.communicate(timeout=20)

    assert process.returncode == 143
    assert service.paths() == ["GET /start", "GET /fail"]


def test_policies_that_cannot_be_read_are_a_failure_of_a_run_that_never_began(sandbox_desk: Desk) -> None:
    sandbox_desk.write("policies/old.yaml", "policies: []\n")

    assert pinged(sandbox_desk, "run") == (2, [FAIL])


def test_the_service_tells_of_wrong_policies_what_the_command_does(sandbox_desk: Desk) -> None:
    sandbox_desk.write("policies/old.yaml", "policies: []\n")
    with Loopback(lambda asked: Answered(b"OK")) as service:
        sandbox_desk.amend(f"heartbeat_url: {service.url}\nmetrics_file: metrics.prom\n")
        settings = load_settings(sandbox_desk.folder / "janitor.yaml")
        scheduled_run(settings, Mode.DELETE, Stop(), Watch(settings, Stop()))
    assert service.paths() == ["GET /fail"]
    metrics = (sandbox_desk.folder / "metrics.prom").read_text()
    assert "janitor_last_run_exit_code 2.0\n" in metrics
    assert "janitor_last_run_number 0.0\n" in metrics


def test_commands_that_only_look_are_no_heartbeat(sandbox_desk: Desk) -> None:
    assert pinged(sandbox_desk, "check", "--live") == (0, [])


def test_a_dead_service_changes_nothing(sandbox_desk: Desk) -> None:
    sandbox_desk.amend("heartbeat_url: http://127.0.0.1:1/the-secret\n")
    done = sandbox_desk.janitor("run", "--format", "json", before=WITHOUT_WAITING)

    assert done.returncode == 0
    assert '"outcome":"ok"' in done.stdout.replace(" ", "")
    assert done.stderr.count("heartbeat-failed") == 2
    assert "the-secret" not in done.stdout + done.stderr
