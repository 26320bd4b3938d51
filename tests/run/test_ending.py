"""A run that is told to stop does so in time, with a complete report."""

import json
import signal
import subprocess
import sys
import threading
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta

import pytest

from janitor.core.result import Outcome
from janitor.shutdown import Stop, within
from janitor.store import Store
from tests.conftest import Desk
from tests.fakes import RecordingCloud
from tests.fork_server import Forked
from tests.run.stopped_runs import IMAGE, FaultInjector, account
from tests.runs import run_over
from tests.slack_stand_in import SlackStandIn

IMPATIENT = "from janitor.transport import deadline; deadline._GRACE = 0.2; "
"""Less grace than a container gives: what is tested does not depend on how much there is."""


def ended(
    process: AbstractContextManager["Forked | subprocess.Popen[str]"],
    injector: FaultInjector,
    *signals: signal.Signals,
    within_seconds: float = 10,
) -> "subprocess.CompletedProcess[str]":
    """What a command says when it gets these signals at that point, one shortly after the other."""
    with process as command:
        assert injector.seen.wait(60)
        for number in signals[:-1]:
            command.send_signal(number)
            threading.Event().wait(0.04)
        command.send_signal(signals[-1])
        try:
            output, errors = command.communicate(timeout=within_seconds)
        finally:
            command.kill()
    assert "Traceback" not in errors
    assert "Error" not in errors
    return subprocess.CompletedProcess("janitor", command.returncode, output, errors)


HANGING = [
    pytest.param(FaultInjector("issue-token", hang=True), id="token"),
    pytest.param(FaultInjector("list-images", hang=True), id="survey"),
    pytest.param(FaultInjector("detail-instances", hang=True), id="instances"),
    pytest.param(FaultInjector("delete-image", hang=True), id="deletion"),
    pytest.param(FaultInjector("delete-image", 2, first_answer=True, hang=True), id="second-deletion-done-unanswered"),
    pytest.param(FaultInjector("list-images", 2, hang=True), id="confirmation"),
]


@pytest.mark.usefixtures("hangup_as_usual")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("injector", HANGING)
def test_a_run_that_hangs_ends_in_time_with_its_report(
    desk: Desk, injector: FaultInjector, number: signal.Signals
) -> None:
    injector = injector.again()
    with account(desk, injector) as cloud:
        done = ended(desk.started("run", "--format", "json", before=IMPATIENT), injector, number)
        asked = [request.image for request in cloud.requests if request.method == "DELETE"]
        assert done.returncode == 128 + number
        report = json.loads(done.stdout)
        assert report["outcome"] == "failed"
        assert report["targets"][0]["error"]
        outcomes = {entry["image"]: entry["outcome"] for entry in report["targets"][0]["deletions"]}
        assert set(asked) <= set(outcomes)
        assert "deleted" not in outcomes.values(), "nothing was confirmed"
        after = json.loads(desk.janitor("run", "--format", "json").stdout)
        assert after["outcome"] == "ok"
        assert [entry["image"] for entry in after["targets"][0]["settled"]] == list(outcomes)


def test_requests_in_flight_are_finished_and_what_was_done_is_confirmed(desk: Desk) -> None:
    injector = FaultInjector("delete-image", 2, first_answer=True)
    with account(desk, injector) as cloud:
        started: list[Forked] = []
        answering = threading.Event()

        def terminate() -> None:
            started[0].send_signal(signal.SIGTERM)
            answering.wait(0.3)  # answered only when the stop has arrived for certain

        injector.act = terminate
        with desk.started("run", "--format", "json") as process:
            started.append(process)
            output, _ = process.communicate(timeout=10)
        asked = [request.image for request in cloud.requests if request.method == "DELETE"]
    target = json.loads(output)["targets"][0]
    assert process.returncode == 143
    assert [(entry["image"], entry["outcome"]) for entry in target["deletions"]] == [(i, "deleted") for i in asked]
    assert len(asked) == 2
    planned = sum(decision["verdict"] == "delete" for decision in target["decisions"])
    assert target["error"] == f"interrupted: {planned - 2} of {planned} deletions were not sent"


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_further_signals_change_nothing(desk: Desk, second: signal.Signals) -> None:
    injector = FaultInjector("delete-image", hang=True)
    with account(desk, injector):
        done = ended(desk.started("run", before=IMPATIENT), injector, signal.SIGTERM, second, second, second)
    assert done.returncode == 143
    assert "Outcome not known yet, the next run finds out" in done.stdout


def test_a_hangup_that_is_ignored_changes_nothing(desk: Desk) -> None:
    injector = FaultInjector("list-images", first_answer=True)
    with account(desk, injector):
        command = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *desk.command("run")]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **desk.settings_for_process()
        )
        done = ended(process, injector, signal.SIGHUP, signal.SIGHUP)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Deleted, confirmed gone" in done.stdout


def test_slack_that_hangs_holds_nobody_and_loses_nothing(desk: Desk) -> None:
    injector = FaultInjector("list-images", first_answer=True)
    posting, over = threading.Event(), threading.Event()

    def hang() -> None:
        posting.set()
        over.wait(60)

    with account(desk, injector), SlackStandIn() as slack:
        slack.before = hang
        desk.amend(f"slack: {{webhook_url: '{slack.webhook_url}', post: always}}\n")
        hurry = "from datetime import timedelta; from janitor.cli.commands import reporting; "
        hurry += "reporting._TIME_TO_POST = timedelta(seconds=0.2); "
        command = desk.started("run", before=hurry + IMPATIENT)
        done = ended(command, replace(injector, seen=posting), signal.SIGTERM, within_seconds=6)
        over.set()
        assert done.returncode == 143
        assert "Deleted, confirmed gone" in done.stdout
        slack.before = lambda: None
        slack.posted.clear()
        assert desk.janitor("run").returncode == 0
        assert any("late" in message.shown and "run 1" in message.shown for message in slack.posted)


@pytest.mark.usefixtures("hangup_as_usual")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_service_that_is_told_to_end_in_a_run_ends_it_likewise(desk: Desk, number: signal.Signals) -> None:
    injector = FaultInjector("delete-image", hang=True)
    soon = "from datetime import timedelta; from janitor.core.cron import Cron; "
    soon += "Cron.next_after = lambda cron, instant, zone: instant + timedelta(seconds=0.2); "
    with account(desk, injector, more='schedule: "* * * * *"\n'):
        done = ended(desk.started("serve", before=soon + IMPATIENT), injector, number, number)
    assert done.returncode == 128 + number
    assert "Outcome not known yet, the next run finds out" in done.stdout


def test_a_target_that_cannot_be_left_is_left_behind(store: Store) -> None:
    stop, over = Stop(), threading.Event()

    def hang(_: str) -> None:
        stop.set()
        over.wait(60)

    cloud = RecordingCloud([IMAGE, IMAGE.replace(id="b")], on_delete=hang)
    try:
        result = run_over(store, cloud, stop=stop, deletions_at_once=1, patience=timedelta(seconds=0.1))
        left = store.unsettled("t0")
    finally:
        over.set()
    assert result.outcome is Outcome.FAILED
    assert (result.targets[0].error or "").startswith("interrupted")
    assert [asked.decision.image.id for asked in left] == ["a"]


def test_whatever_else_hangs_the_process_ends_within_its_grace() -> None:
    hanging = (
        "import os, signal, threading; from datetime import timedelta; from janitor import shutdown; "
        "shutdown.GRACE = timedelta(seconds=0.2)\n"
        "with shutdown.stopping_on_signals(shutdown.Stop()): "
        "os.kill(os.getpid(), signal.SIGINT); threading.Event().wait(60)"
    )
    done = subprocess.run([sys.executable, "-c", hanging], capture_output=True, timeout=20, text=True)
    assert (done.returncode, done.stderr) == (130, "")


def test_a_request_that_nothing_can_end_does_not_keep_the_process(desk: Desk) -> None:
    hanging = (
        "import os, signal, threading; from datetime import timedelta; from janitor import run, shutdown; "
        "from janitor.cloud.toast.client import ToastClient; "
        "run.wait_for = lambda work, stop, _: shutdown.wait_for(work, stop, timedelta(seconds=0.2)); "
        "ToastClient.delete = lambda *_: os.kill(os.getpid(), signal.SIGTERM) or threading.Event().wait(60); "
    )
    with account(desk, FaultInjector("nothing")):
        with desk.started("run", before=hanging) as process:
            output, _ = process.communicate(timeout=8)
        assert process.returncode == 143
        assert "a request unanswered" in " ".join(output.split())
        after = json.loads(desk.janitor("run", "--format", "json").stdout)
    assert [entry["outcome"] for entry in after["targets"][0]["settled"]] == ["failed"]
    assert after["outcome"] == "ok"


def test_what_is_done_within_a_stop_s_patience_counts() -> None:
    stop = Stop()
    assert within(lambda: 3, stop, timedelta(seconds=5)) == 3
    stop.set()
    assert within(lambda: 3, stop, timedelta(seconds=5)) == 3
    over = threading.Event()
    assert within(lambda: over.wait(60), stop, timedelta()) is None
    over.set()
    with pytest.raises(ZeroDivisionError):
        within(lambda: 1 / 0, stop, timedelta(seconds=5))
