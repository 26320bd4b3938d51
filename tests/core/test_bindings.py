"""A target is bound to the account that it reaches: another one behind its name is not judged by its history."""

import io
import os
import pty
import random
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from janitor.cloud.toast.client import ToastClient
from janitor.core.image import Image
from janitor.core.memory import Exemption
from janitor.core.policy import Clock, Expire, Match, Pattern, Policy
from janitor.core.result import DeletionOutcome, Mode, Outcome, RunResult
from janitor.core.survey.binding import Binding, Known, recognise
from janitor.core.usage import Usage, User
from janitor.errors import Exit, Refused, Unavailable, UsageError
from janitor.notify.announcing import start_notices
from janitor.notify.slack.blocks import slack_messages
from janitor.report.routing import Share
from janitor.report.text import text_report
from janitor.run import exit_code
from janitor.run.orders import Site
from janitor.run.review import reviewed_plan
from janitor.sandbox.options import Options
from janitor.sandbox.server import Sandbox, running
from janitor.store import Store
from tests.conftest import Desk
from tests.factories import AMPLE, DAY, OLD, image_called, make_run, make_target
from tests.factories import NOW as START
from tests.fakes import RecordingCloud
from tests.openstack_account import PROJECT
from tests.openstack_account import Cloud as OpenStackCloud
from tests.openstack_account import serving as serving_openstack
from tests.runs import run_of
from tests.slack_stand_in import texts_of
from tests.toast_account import APPKEY

ANNOUNCED = replace(OLD, notice=2 * DAY)
IDLE = Policy("idle", Match(name=(Pattern("idle-*"),)), Expire(2 * DAY, Clock.LAST_USED))
OURS, THEIRS, MOVED = (Binding("memory", name) for name in ("ours", "theirs", "moved"))


def fleet(word: str, count: int = 10) -> list[Image]:
    return [image_called(f"{word}-{number}") for number in range(count)]


@dataclass
class World:
    """A cloud, a database and nights."""

    store: Store
    cloud: RecordingCloud
    policies: list[Policy] = field(default_factory=lambda: [OLD])
    now: datetime = START

    def night(self, mode: Mode = Mode.DELETE, *, deliver: bool = True, **rest: Any) -> RunResult:
        orders: dict[str, Any] = {"limits": AMPLE, **rest}
        sites = [Site("prod", lambda: self.cloud)]
        result = run_of(sites, self.policies, self.store, mode, clock=lambda: self.now, **orders).perform()
        [target] = result.targets
        told = [*target.notices.announced, *target.notices.reminded] if deliver else []
        start_notices(self.store, result, self.policies, {("prod", each.image.id) for each in told}, self.now)
        self.now += DAY
        return result

    def reach(self, binding: Binding, *listed: Image) -> None:
        self.cloud = RecordingCloud(list(listed), reached=binding)

    def histories(self) -> dict[str, Any]:
        run = self.store.latest_survey("prod")
        return dict(self.store.inputs(run or 0)["prod"].history or {})


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with Store.open(tmp_path / "janitor.db") as store:
        yield World(store, RecordingCloud(fleet("ours"), reached=OURS))


# Whether it is the same


def known(expected: str, listed: str, *, run: int | None = 7) -> Known:
    return Known(run, frozenset(expected), frozenset(listed))


@pytest.mark.parametrize(
    ("bound", "seen", "same", "words"),
    [
        pytest.param(OURS, known("ab", ""), True, "", id="bound-to-it"),
        pytest.param(THEIRS, known("abcd", "abcx"), True, "3 of the 4 own images", id="most-are-listed"),
        pytest.param(THEIRS, known("abcd", "abxy"), False, "of the 4 own images that run 7 knew, 2", id="half-are"),
        pytest.param(THEIRS, known("abcd", "wxyz"), False, "janitor target rebind prod", id="none-is"),
        pytest.param(THEIRS, known("", "wxyz"), False, "no own image to recognise it by", id="no-own-image"),
        pytest.param(THEIRS, known("", "wxyz", run=None), True, "no survey was accepted", id="no-good-survey"),
        pytest.param(None, known("", "wxyz", run=None), True, "", id="new"),
        pytest.param(None, known("abcde", "abcde"), True, "Bound to the present endpoint", id="of-before"),
        pytest.param(None, known("abcde", "vwxya"), True, "Bound to", id="of-before-and-mostly-replaced"),
        pytest.param(None, known("abcd", "vwxy"), True, "Bound to", id="of-before-and-few"),
        pytest.param(None, known("abcde", "vwxyz"), False, "is not recorded", id="of-before-and-none-left"),
    ],
)
def test_whether_a_target_is_the_account_that_it_was(
    bound: Binding | None, seen: Known, same: bool, words: str
) -> None:
    found = recognise("prod", OURS, bound, seen)
    assert (found.same, words in found.words, bool(words)) == (same, True, bool(found.words))


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (Binding("toast", "d1"), Binding("toast", "d2"), "endpoint or appkey"),
        (Binding("openstack", "p1", "https://a"), Binding("openstack", "p2", "https://a"), "project p1 -> p2"),
        (
            Binding("openstack", "p", "https://a"),
            Binding("openstack", "p", "https://b"),
            "endpoint https://a -> https://b",
        ),
        (Binding("toast", "d1"), Binding("openstack", "p", "https://a"), "api: toast -> openstack"),
    ],
)
def test_what_changed_is_said(before: Binding, after: Binding, words: str) -> None:
    assert before.changes(after) == words


# What a client reaches


@pytest.mark.parametrize(
    ("endpoint", "appkey", "same"),
    [
        ("https://api.example.com/compute", APPKEY, True),
        ("HTTPS://API.example.com.:443//compute/", APPKEY, True),
        ("https://api.example.com/compute", "another", False),
        ("https://api.example.com:8443/compute", APPKEY, False),
        ("https://api.example.com/compute/v2", APPKEY, False),
        ("https://other.example.com/compute", APPKEY, False),
    ],
)
def test_an_appkey_at_an_endpoint_is_one_account_however_it_is_written(endpoint: str, appkey: str, same: bool) -> None:
    usual = ToastClient("https://api.example.com/compute", APPKEY, "u", "p").binding()
    found = ToastClient(endpoint, appkey, "u", "p").binding()
    assert (found == usual) is same
    assert (len(found.account), appkey in str(found) + repr(found)) == (64, False)


def test_a_project_at_an_image_service_is_one_account() -> None:
    with serving_openstack(OpenStackCloud()) as (client, listening):
        assert client.binding() == Binding("openstack", PROJECT, f"{listening.url}/image")


# Another account behind the name


def test_nothing_of_another_account_is_deleted(world: World) -> None:
    world.policies = [ANNOUNCED]
    world.night()
    world.night()
    world.reach(THEIRS, *fleet("theirs"))
    for arguments in ({}, {"accept_survey": True}, {"mode": Mode.DRY_RUN}):
        result = world.night(**arguments)
        [target] = result.targets
        assert (target.outcome, exit_code(result), world.cloud.deleted) == (Outcome.REFUSED, Exit.LIMIT, [])
        assert (target.decisions, target.notices.announced, target.notices.spared) == ((), (), ())
        assert "now reaches a different account (endpoint or appkey)" in (target.error or "")
        assert "`janitor target rebind prod`" in (target.error or "")
    assert len(world.store.memory("prod").notices) == 10


@pytest.mark.parametrize("visibility", [None, "public", "community"])
def test_an_account_without_an_image_of_its_own_is_not_recognised_by_that(world: World, visibility: str | None) -> None:
    theirs = [replace(each, owned=False, visibility=visibility) for each in fleet("public")] if visibility else []
    world.cloud.listed = theirs
    world.night()
    world.reach(THEIRS, *theirs, *fleet("theirs"))
    [target] = world.night().targets
    assert (target.outcome, world.cloud.deleted) == (Outcome.REFUSED, [])
    assert "run 1 recorded no own image to recognise it by" in (target.error or "")
    assert "`janitor target rebind prod`" in (target.error or "")
    world.store.rebind("prod", "ann", world.now)
    assert world.night().outcome is Outcome.OK
    assert world.cloud.deleted


def test_a_target_without_a_good_survey_is_bound_anew(world: World) -> None:
    world.cloud.used = Usage(problem="no answer")
    world.night()
    world.reach(THEIRS, *fleet("theirs"))
    [target] = world.night().targets
    assert (target.outcome, len(world.cloud.deleted)) == (Outcome.OK, 10)
    assert "bound again (endpoint or appkey): no survey was accepted before" in target.survey.remarks


def test_nothing_is_settled_by_the_list_of_another_account(world: World) -> None:
    world.cloud.undone = {"ours-0"}
    world.cloud.survey_errors = [None, Unavailable("no answer")]
    world.policies = [replace(OLD, match=Match(name=(Pattern("ours-0"),)))]
    world.night()
    back, world.cloud = world.cloud, RecordingCloud(fleet("theirs"), reached=THEIRS)
    assert world.night().targets[0].earlier.settled == ()
    world.cloud = back
    [settled] = world.night(Mode.DRY_RUN).targets[0].earlier.settled
    assert settled.outcome is DeletionOutcome.ACCEPTED


def test_a_reviewed_plan_is_not_applied_to_another_account(world: World) -> None:
    plan = world.night(Mode.DRY_RUN)
    approved = reviewed_plan(world.store, plan.run, world.policies, 9 * DAY, world.now)
    # Even where it has some of the same images.
    world.reach(THEIRS, *fleet("ours", 3), *fleet("theirs"))
    result = world.night(approved=approved)
    assert (exit_code(result), world.cloud.deleted) == (Exit.LIMIT, [])


@pytest.mark.parametrize("problem", [None, "no answer"])
def test_a_night_of_another_account_leaves_no_trace(tmp_path: Path, problem: str | None) -> None:
    """What is decided later, and what is known of each image, is as if the target had not run that night."""
    told = []
    for swapped in (False, True):
        with Store.open(tmp_path / f"{swapped}.db") as store:
            world = World(
                store, RecordingCloud([*fleet("ours"), image_called("idle-1")], reached=OURS), [IDLE, ANNOUNCED]
            )
            ours = world.cloud
            ours.used = Usage({"idle-1": (User("i1", "web-1"),), "ours-1": (User("i1", "web-1"),)}, instances=1)
            nights = [world.night()]
            if swapped:
                world.reach(THEIRS, *fleet("theirs"), image_called("idle-1"))
                world.cloud.used = Usage(problem=problem) if problem else Usage({"idle-1": (User("i2", "x"),)})
                world.night()
                world.cloud = ours
            else:
                world.now += DAY
            ours.used = Usage(instances=1)
            nights += [world.night() for _ in range(4)]
            told.append(
                (
                    [night.targets[0].decisions for night in nights],
                    [night.targets[0].notices.announced for night in nights],
                    world.histories(),
                    store.memory("prod"),
                    sorted(ours.deleted),
                )
            )
    assert told[0] == told[1]
    assert told[0][-1]


def test_a_moved_endpoint_is_bound_anew_and_said(world: World) -> None:
    world.policies = [ANNOUNCED]
    world.night()
    world.night()
    world.reach(MOVED, *fleet("ours"))
    [target] = world.night().targets
    assert (target.outcome, len(world.cloud.deleted)) == (Outcome.OK, 10)
    assert [remark for remark in target.survey.remarks if "bound again (endpoint or appkey)" in remark]
    assert world.store.bound("prod") == MOVED
    assert world.store.load_run(3).targets[0].survey.remarks == target.survey.remarks
    assert world.night().targets[0].survey.remarks == ()


def test_what_we_deleted_ourselves_does_not_make_a_stranger(world: World) -> None:
    world.cloud.listed = [*fleet("ours"), image_called("young-1", days=1), image_called("young-2", days=1)]
    world.night()
    world.reach(MOVED, *world.cloud.listed)
    assert world.night().outcome is Outcome.OK


def test_images_of_another_account_that_may_be_seen_do_not_make_it_the_same(world: World) -> None:
    world.night(Mode.DRY_RUN)
    shared = [replace(each, owned=False, visibility="shared") for each in fleet("ours")]
    world.reach(THEIRS, *shared, *fleet("theirs"))
    assert world.night().outcome is Outcome.REFUSED


def test_images_that_another_account_may_not_see_do_not_make_it_the_same(world: World) -> None:
    world.night(Mode.DRY_RUN)
    world.reach(THEIRS, *fleet("theirs"))
    world.cloud.unseen = {each.id for each in fleet("ours")}
    assert world.night().outcome is Outcome.REFUSED


def test_a_database_without_bindings_is_bound_and_it_is_said(world: World) -> None:
    world.night(Mode.DRY_RUN)
    with world.store._file.writing() as db:
        db.execute("DELETE FROM bindings")
    [target] = world.night(Mode.DRY_RUN).targets
    assert (target.outcome, world.store.bound("prod")) == (Outcome.OK, OURS)
    [remark] = target.survey.remarks
    assert remark.startswith("What changed since the last run, and how to lift what it blocks: docs/upgrading.md (")
    assert remark.endswith(
        " Bound to the present endpoint and appkey: where it reaches another account, nothing will be deleted."
    )
    for words in ("slack.accepts", "--metrics-host", "--yes"):
        assert words in remark


@pytest.mark.parametrize(
    "reached",
    [OURS, Binding("openstack", "0123456789abcdef" * 2, "https://kr1-api-image-infrastructure.nhncloudservice.com/v2")],
)
def test_what_is_said_after_an_upgrade_is_cut_in_no_report(reached: Binding) -> None:
    remark = recognise("prod", reached, None, known("abcde", "abcde")).words
    result = make_run(make_target(remarks=(remark,)))
    terminal = io.StringIO()
    Console(file=terminal, width=80, highlight=False).print(text_report(result, None, zone=UTC))
    assert remark in " ".join(terminal.getvalue().split())
    blocks = [
        text["text"]
        for message in slack_messages(Share(None, result, result), None, UTC)
        for text in texts_of(message.blocks)
    ]
    assert any(remark in text for text in blocks)


def test_the_first_run_binds_in_silence(world: World) -> None:
    assert world.night(Mode.DRY_RUN).targets[0].survey.remarks == ()
    assert world.store.bound("prod") == OURS


# Bound anew by a person


def test_after_rebinding_the_history_begins_anew_and_can_still_be_read(world: World) -> None:
    world.policies = [ANNOUNCED]
    world.cloud.used = Usage({"ours-1": (User("i1", "web-1"),)}, instances=1)
    first = world.night()
    history = world.store.image_history("prod", "ours-1")
    inputs = world.store.inputs(first.run)
    world.store.add_exemptions([("prod", Exemption("ours-2", START + 90 * DAY, "why", "ann"))], world.now)
    world.store.rebind("prod", "ann", world.now)
    assert world.store.bound("prod") is None
    assert world.store.memory("prod").notices == {}
    assert world.store.last_good("prod", 9) is None
    assert world.store.known("prod") == []
    assert world.store.history_of("prod", "ours-1") is None
    world.reach(THEIRS, *fleet("theirs"), image_called("ours-2"))
    second = world.night()
    assert (second.outcome, world.store.bound("prod")) == (Outcome.OK, THEIRS)
    assert len(second.targets[0].notices.announced) == 10
    assert [d.reason.value for d in second.targets[0].decisions if d.image.id == "ours-2"] == ["exempt"]
    assert world.store.load_run(first.run) == first
    assert world.store.inputs(first.run) == inputs
    assert world.store.image_history("prod", "ours-1")[: len(history)] == history
    assert world.store.image_history("prod", "ours-2")[0].text.startswith("first seen")


def test_a_plan_of_before_is_not_applied_after_rebinding(world: World) -> None:
    plan = world.night(Mode.DRY_RUN)
    world.store.rebind("prod", "ann", world.now)
    with pytest.raises(UsageError, match="prod was bound to another account after run 1"):
        reviewed_plan(world.store, plan.run, world.policies, 9 * DAY, world.now)


def change(draw: random.Random, world: World) -> None:
    """Something that happens to an account between two nights."""
    cloud = world.cloud
    for _ in range(draw.randint(0, 3)):
        name = draw.choice(("a-1", "a-2", "a-3", "idle-1", "idle-2", "idle-3"))
        there = {each.id: each for each in cloud.listed}
        match draw.randint(0, 5):
            case 0:
                there.pop(name, None)
            case 1:
                there.setdefault(name, image_called(name, days=draw.choice((1, 12, 30))))
            case 2 if name in there:
                there[name] = replace(there[name], status=draw.choice(("active", "deactivated", "killed")))
            case 3:
                users = {each: (User("i1", "web-1"),) for each in there if draw.random() < 0.3}
                cloud.used = draw.choice((Usage(users, instances=1), Usage(users, instances=1), Unavailable("no")))
            case 4:
                cloud.answers[name] = Refused("no", code=403)
            case _:
                cloud.answers.pop(name, None)
        cloud.listed = list(there.values())


@pytest.mark.parametrize("seed", range(12))
def test_a_target_that_was_bound_anew_behaves_like_one_that_never_ran(tmp_path: Path, seed: int) -> None:
    """The same images, by the same ids: nothing that was known of them before may count."""
    told: list[list[Any]] = [[], []]
    for place, earlier in enumerate((0, 6)):
        with Store.open(tmp_path / f"{place}.db") as store:
            world = World(store, RecordingCloud(fleet("a", 4)), [IDLE, ANNOUNCED], START - earlier * DAY)
            world.cloud.survey_errors = []
            draw = random.Random(seed)
            for _ in range(earlier):
                change(draw, world)
                world.night(accept_survey=True)
            if earlier:
                store.rebind("prod", "ann", world.now)
            draw = random.Random(seed + 1000)
            world.cloud = RecordingCloud([*fleet("a", 4), image_called("idle-1"), image_called("idle-2")])
            for _ in range(6):
                change(draw, world)
                result = world.night(usage_memory=DAY)
                [target] = result.targets
                settled = [(each.decision, each.outcome) for each in target.earlier.settled]
                told[place] += [
                    (result.run - earlier, target.outcome, target.decisions, target.notices.announced, settled),
                    (world.histories(), store.memory("prod"), sorted(store.known("prod"))),
                    (store.deleted("prod"), store.earlier_usage("prod", START - 90 * DAY)),
                ]
            told[place].append(sorted(world.cloud.deleted))
    assert told[1] == told[0]


# As people type it


@pytest.fixture
def other() -> Iterator[Sandbox]:
    with running(Options(images=60, seed=7, appkey="another-appkey")) as started:
        yield started


def swapped(desk: Desk, sandbox: Sandbox, other: Sandbox) -> None:
    path = desk.folder / "janitor.yaml"
    text = path.read_text().replace(sandbox.url, other.url).replace(sandbox.options.appkey, other.options.appkey)
    path.write_text(text)


def test_another_account_behind_a_target_and_the_way_out(sandbox_desk: Desk, sandbox: Sandbox, other: Sandbox) -> None:
    assert sandbox_desk.janitor("run", "--dry-run").returncode == Exit.OK
    swapped(sandbox_desk, sandbox, other)
    before = len(other.account.images)
    for words in (["run"], ["run", "--accept-survey"], ["apply", "1"]):
        refused = sandbox_desk.janitor(*words)
        assert refused.returncode == Exit.LIMIT, refused.stdout + refused.stderr
        assert "it now reaches a different account (endpoint or appkey)" in " ".join(refused.stdout.split())
    assert len(other.account.images) == before
    unasked = sandbox_desk.janitor("target", "rebind", "sandbox")
    assert (unasked.returncode, "--yes" in unasked.stderr) == (Exit.USAGE, True)
    assert sandbox_desk.janitor("run").returncode == Exit.LIMIT
    rebound = sandbox_desk.janitor("target", "rebind", "sandbox", "--yes")
    assert (rebound.returncode, "reaches, and starts a new history" in rebound.stdout) == (Exit.OK, True), (
        rebound.stderr
    )
    assert "if you say yes" not in rebound.stderr.lower(), "nothing was asked"
    assert "sandbox is bound to the endpoint and appkey that it reached before. From" in " ".join(
        rebound.stderr.split()
    )
    assert "present" not in rebound.stderr, "what is configured now was never bound"
    assert sandbox_desk.janitor("run").returncode == Exit.OK
    assert len(other.account.images) < before
    assert sandbox_desk.janitor("show", "1").returncode == Exit.OK
    assert "120" in sandbox_desk.janitor("runs").stdout
    with closing(sqlite3.connect(sandbox_desk.folder / "sandbox.db")) as conn:
        script = "\n".join(conn.iterdump())
    assert (sandbox.options.appkey in script, other.options.appkey in script) == (False, False)


def typed(desk: Desk, answer: str) -> tuple[int, str]:
    """The command at a terminal, at which somebody types: its exit code, and what the terminal shows."""
    master, slave = pty.openpty()
    try:
        os.write(master, answer.encode())
        words = desk.command("target", "rebind", "sandbox")
        ended = subprocess.run(
            words,
            stdin=slave,
            stdout=subprocess.DEVNULL,
            stderr=slave,
            timeout=60,
            check=False,
            **desk.settings_for_process(),
        )
        return ended.returncode, os.read(master, 10_000).decode()
    finally:
        os.close(slave)
        os.close(master)


@pytest.mark.parametrize(("answer", "code"), [("yes\n", Exit.OK), ("y\n", Exit.FAILED), ("\n", Exit.FAILED)])
def test_at_a_terminal_a_yes_is_asked_for(sandbox_desk: Desk, answer: str, code: Exit) -> None:
    sandbox_desk.janitor("run", "--dry-run")
    ended, shown = typed(sandbox_desk, answer)
    assert (ended, "Type yes: " in shown) == (code, True), shown
    assert "If you say yes, everything recorded about sandbox stops counting" in shown
    with Store.open_existing(sandbox_desk.folder / "sandbox.db") as store:
        assert (store.bound("sandbox") is None) is (code is Exit.OK)


def test_a_target_of_which_nothing_is_recorded_cannot_be_bound_anew(sandbox_desk: Desk) -> None:
    nothing = sandbox_desk.janitor("target", "rebind", "sandbox", "--yes")
    assert (nothing.returncode, "nothing recorded yet" in nothing.stderr) == (Exit.USAGE, True)
    sandbox_desk.janitor("run", "--dry-run")
    unknown = sandbox_desk.janitor("target", "rebind", "prod", "--yes")
    assert (unknown.returncode, "targets recorded: sandbox" in unknown.stderr) == (Exit.USAGE, True)
