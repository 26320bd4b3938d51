"""What was promised about time: a reminder before a long notice ends, and that nothing goes after a silence."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import takewhile
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from janitor.core.cron import Cron
from janitor.core.decision import Reason, Verdict
from janitor.core.memory import Hearing, Notice
from janitor.core.notices import counted, reminded, silent_since
from janitor.core.result import Mode, Outcome, RunResult
from janitor.core.units import iso
from janitor.errors import Unavailable
from janitor.sandbox.server import Sandbox
from janitor.store import NewReport, Store, migrations
from tests.cli.test_cli_trust import deletes, target_of, turn_back
from tests.conftest import POLICY, Desk
from tests.factories import DAY, OLD, image_called
from tests.factories import NOW as START
from tests.fakes import RecordingCloud
from tests.replays import decided_again
from tests.run.world import ANNOUNCED, HOUR, World, announced
from tests.slack_stand_in import CHANNEL, TOKEN, SlackStandIn

MINUTE = timedelta(minutes=1)
LONG = replace(OLD, notice=5 * DAY)
TEAM = "#team-web"


def given(length: timedelta = 2 * DAY, due: timedelta | None = None, at: datetime = START) -> Notice:
    return Notice("old", length, at, at + (length if due is None else due))


# Silence, as a value


def days(*numbers: float) -> list[datetime]:
    return [START + number * DAY for number in numbers]


SILENCES = [
    pytest.param(days(1, 2), 3, None, id="every-night"),
    pytest.param(days(1), 3, None, id="as-long-as-the-notice"),
    pytest.param(days(1), 3.1, 1, id="longer-than-the-notice"),
    pytest.param([], 2.1, 0, id="nothing-since-it-was-announced"),
    pytest.param(days(-3, -2, 1), 2, None, id="what-was-before-it-is-no-matter"),
    pytest.param(days(1, 4.5, 5.5), 6, 1, id="a-silence-that-is-over-is-not-forgotten"),
    pytest.param(days(1, 3.5, 6), 7, 3.5, id="the-last-of-two"),
    pytest.param(days(1, 5, 2.5, 4), 5.5, None, id="one-report-that-came-late-is-no-silence"),
    pytest.param(days(1, 3, 1.5), 4, 1.5, id="a-clock-that-was-ahead-makes-no-silence-shorter"),
    pytest.param(days(1, 9), 3.5, 1, id="nor-does-one-that-is-ahead-of-now"),
    pytest.param([], -1, None, id="a-clock-that-went-back-is-no-silence"),
]


@pytest.mark.parametrize(("heard", "now", "since"), SILENCES)
def test_a_silence_is_longer_than_the_notice(heard: list[datetime], now: float, since: float | None) -> None:
    found = silent_since(given(), heard, START + now * DAY)
    assert found == (None if since is None else START + since * DAY)


def test_from_one_night_to_the_next_is_no_silence_however_short_the_notice() -> None:
    assert silent_since(given(HOUR), days(1, 2), START + 2 * DAY + 25 * HOUR) is None
    assert silent_since(given(HOUR), days(1, 2), START + 2 * DAY + 26 * HOUR) == START + 2 * DAY


SCHEDULES = [
    pytest.param("0 3 * * 1", 7, None, id="weekly-and-in-time"),
    pytest.param("0 3 * * 1", 7.2, None, id="weekly-and-some-hours-late"),
    pytest.param("0 3 * * 1", 8, 0, id="weekly-and-one-was-missed"),
    pytest.param("0 3 * * *", 3, 0, id="daily"),
    pytest.param(None, 7, 0, id="nobody-knows"),
]


@pytest.mark.parametrize(("schedule", "now", "since"), SCHEDULES)
def test_with_a_schedule_it_is_a_silence_once_a_run_was_missed(
    schedule: str | None, now: float, since: int | None
) -> None:
    monday = START + 2 * MINUTE
    cron = None if schedule is None else Cron.parse(schedule)

    def next_run(instant: datetime) -> datetime:
        assert cron is not None
        return cron.next_after(instant, ZoneInfo("UTC"))

    found = silent_since(given(at=monday), [], START + now * DAY, next_run if cron else None)
    assert found == (None if since is None else monday)


def test_each_image_goes_by_what_was_heard_in_its_channel() -> None:
    notices = {"a": given(), "b": replace(given(), policy="team"), "c": replace(given(), policy="quiet")}
    hearing = Hearing({"slack": tuple(days(1, 2, 3)), TEAM: tuple(days(1))}, quiet=tuple(days(1, 2, 3, 3.5)))
    now = START + 4 * DAY
    counts = counted(notices, hearing, now, names={}, channels={"team": TEAM, "quiet": "#quiet"})
    assert {image: notice.lapsed for image, notice in counts.items()} == {"a": None, "b": START + DAY, "c": None}


# The reminder, as a value


@pytest.mark.parametrize(
    ("length", "at", "unreminded", "until"),
    [
        pytest.param(5 * DAY, START + 5 * DAY, False, START + 6 * DAY, id="at-its-due-date"),
        pytest.param(5 * DAY, START + 5 * DAY - MINUTE, False, None, id="a-minute-before"),
        pytest.param(5 * DAY, START + 4 * DAY + HOUR, True, START + 5 * DAY + HOUR, id="given-in-vain-before"),
        pytest.param(3 * DAY, START + 3 * DAY, True, None, id="none-was-promised"),
    ],
)
def test_a_promised_reminder_is_waited_for(
    length: timedelta, at: datetime, unreminded: bool, until: datetime | None
) -> None:
    hearing = Hearing(quiet=tuple(days(*range(9))), unreminded=frozenset({"a"} if unreminded else ()))
    [notice] = counted({"a": given(length)}, hearing, at, names={}, channels={}).values()
    assert notice.waits_until == until
    [notice] = counted({"a": replace(given(length), reminded_at=START)}, hearing, at, names={}, channels={}).values()
    assert notice.waits_until is None


@pytest.mark.parametrize(
    ("at", "missed", "due"),
    [
        pytest.param(4 * DAY, False, 5 * DAY, id="in-time"),
        pytest.param(5 * DAY - MINUTE, False, 5 * DAY, id="at-the-last-minute"),
        pytest.param(5 * DAY, False, 6 * DAY, id="when-it-was-due"),
        pytest.param(4 * DAY + HOUR, True, 5 * DAY + HOUR, id="at-the-second-try"),
        pytest.param(4 * DAY - MINUTE, True, 5 * DAY, id="never-earlier-than-announced"),
    ],
)
def test_a_reminder_that_comes_too_late_moves_the_date(at: timedelta, missed: bool, due: timedelta) -> None:
    notice = reminded(given(5 * DAY), START + at, missed=missed)
    assert (notice.reminded_at, notice.due) == (START + at, START + due)


# Runs, with their reports


@dataclass
class Nights(World):
    """A world in which reports are kept, and accepted or not."""

    def night(
        self,
        mode: Mode = Mode.DELETE,
        *,
        accepted: bool = True,
        posted: Sequence[str] = ("slack",),
        **rest: object,
    ) -> RunResult:
        """One run whose report goes to these channels, or has nothing to say; nothing of it arrives, or all."""
        result = self.run(mode, deliver=accepted and bool(posted), owes_report=True, **rest)
        numbers = self.store.add_reports(result.run, [NewReport(channel, "[]") for channel in posted], self.now)
        for number in numbers:
            if accepted:
                self.store.mark_delivered(number, self.now)
            else:
                self.store.mark_undelivered(number, "no answer", self.now)
        return result

    def at(self, day: float) -> "Nights":
        self.now = START + day * DAY
        return self

    def check(self) -> None:
        """Every night is decided again as it was."""
        for summary in self.store.runs(limit=None):
            [target] = self.store.load_run(summary.run).targets
            assert decided_again(self.store.inputs(summary.run)["prod"]) == target.decisions


@pytest.fixture
def nights(tmp_path: Path) -> Iterator[Nights]:
    with Store.open(tmp_path / "janitor.db") as store:
        yield Nights(store, RecordingCloud([image_called("a"), image_called("young", days=1)]), [ANNOUNCED])


def reminders(result: RunResult) -> list[str]:
    return [decision.image.id for decision in result.targets[0].notices.reminded]


def due_of(result: RunResult) -> datetime | None:
    return next(d.due for d in result.targets[0].decisions if d.image.id == "a")


def test_a_janitor_that_was_down_on_the_last_day_reminds_first(nights: Nights) -> None:
    nights.policies = [LONG]
    for day in (0, 1, 2, 3):
        nights.at(day).night(posted=["slack"] if day == 0 else [])
    late = nights.at(5.5).night()
    [target] = late.targets
    [decision] = target.notices.reminded
    assert (announced(late), set(target.notices.overdue), nights.cloud.deleted) == ([], {"a"}, [])
    assert (decision.verdict, decision.reason, decision.due) == (Verdict.WAIT, Reason.NOTICE, START + 6.5 * DAY)
    assert decision.detail.endswith("due for deletion no earlier than 2026-11-29 15:00Z, a day after a reminder of it")
    assert nights.store.load_run(late.run) == late
    assert nights.store.memory("prod").notices["a"].due == START + 6.5 * DAY
    told = nights.at(6.4).night(posted=[])
    assert (reminders(told), nights.cloud.deleted) == ([], [])
    assert told.targets[0].decisions[0].detail.endswith("due for deletion 2026-11-29 15:00Z")
    nights.at(6.5).night()
    assert nights.cloud.deleted == ["a"]
    nights.check()


def test_reminders_that_nobody_accepts_are_given_until_one_is(nights: Nights) -> None:
    nights.policies = [LONG]
    nights.night()
    for day in range(1, 8):
        nights.at(day).night(accepted=day < 4, posted=["slack"] if day >= 4 else [])
    assert nights.cloud.deleted == []
    assert reminders(nights.at(8).night()) == ["a"]
    nights.at(8.9).night(posted=[])
    assert nights.cloud.deleted == []
    nights.at(9).night()
    assert nights.cloud.deleted == ["a"]
    nights.check()


def test_a_reminder_that_is_accepted_at_the_second_try_is_a_day_before_the_deletion(nights: Nights) -> None:
    nights.policies = [LONG]
    for day in range(4):
        nights.at(day).night(posted=["slack"] if day == 0 else [])
    nights.at(4).night(accepted=False)
    second = nights.at(4.5).night()
    overdue = set(second.targets[0].notices.overdue)
    assert (reminders(second), overdue, due_of(second)) == (["a"], {"a"}, START + 5.5 * DAY)
    nights.at(5).night(posted=[])
    assert nights.cloud.deleted == []
    nights.at(5.5).night()
    assert nights.cloud.deleted == ["a"]
    nights.check()


def test_a_reminder_that_was_accepted_and_not_written_down_is_given_again(nights: Nights) -> None:
    """The process died in between, and its report stays undelivered as far as the database knows."""
    nights.policies = [LONG]
    for day in range(4):
        nights.at(day).night(posted=["slack"] if day == 0 else [])
    nights.at(4.5).night(accepted=False)
    again = nights.at(5.5).night()
    assert (reminders(again), nights.cloud.deleted) == (["a"], [])


def test_a_dry_run_promises_and_moves_nothing(nights: Nights) -> None:
    nights.policies = [LONG]
    for day in range(4):
        nights.at(day).night(posted=["slack"] if day == 0 else [])
    dry = nights.at(5.5).night(Mode.DRY_RUN)
    assert (reminders(dry), dry.targets[0].to_delete) == (["a"], ())
    assert nights.store.memory("prod").notices["a"] == replace(given(5 * DAY), name="a")
    assert due_of(nights.at(5.6).night()) == START + 6.6 * DAY


def test_where_nobody_can_be_told_no_reminder_is_waited_for(nights: Nights) -> None:
    nights.policies = [LONG]
    nights.night()
    nights.at(3).night(posted=[])
    nights.policies = [OLD]
    nights.at(5.5).night(channels=None, posted=[])
    assert nights.cloud.deleted == ["a"]


def test_the_history_of_an_image_keeps_the_date_that_was_announced(nights: Nights) -> None:
    nights.policies = [LONG]
    nights.night()
    nights.at(3).night(posted=[])
    nights.at(5).night()
    told = [event.text for event in nights.store.image_history("prod", "a") if event.text.startswith(("ann", "late"))]
    assert told == [
        "announced under policy old: due for deletion 2026-11-28 03:00Z",
        "late reminder: due for deletion 2026-11-29 03:00Z",
    ]


def test_after_a_silence_everything_that_waits_is_announced_anew(nights: Nights) -> None:
    nights.cloud.listed.append(image_called("b", days=14.5))
    nights.night()
    result = nights.at(5).night(accepted=False)
    assert announced(result) == ["a", "b"]
    expected = "no earlier than 2026-11-30 03:00Z, to be announced again after a silence since 2026-11-23 03:00Z"
    assert result.targets[0].decisions[0].detail.endswith(expected)
    assert announced(nights.at(6).night()) == ["a", "b"], "nobody was told yet"
    assert announced(nights.at(7.9).night(posted=[])) == []
    assert nights.cloud.deleted == []
    nights.at(8).night()
    assert nights.cloud.deleted == ["a", "b"]
    nights.check()


def _of_another_target(nights: Nights) -> None:
    number = nights.store.begin_run(Mode.DELETE, nights.now)
    nights.store.finish_run(RunResult(number, Mode.DELETE, Outcome.OK, nights.now, nights.now))


def _fails(nights: Nights) -> None:
    nights.cloud.survey_errors = [Unavailable("down")]
    nights.night()


def _late(day: float) -> Callable[[Nights], None]:
    def act(nights: Nights) -> None:
        nights.night(accepted=False)
        [kept] = nights.store.undelivered()
        nights.store.mark_delivered(kept.report, START + day * DAY)

    return act


def _dead_channel(nights: Nights) -> None:
    nights.at(1).night(accepted=False)
    nights.at(1.9).night(posted=[])


def _refused_once(nights: Nights) -> None:
    nights.at(0.5).night(accepted=False)
    nights.at(1).night()
    nights.at(1.9).night(posted=[])


HEARD = {
    "nothing-to-post": lambda nights: nights.night(posted=[]),
    "a-report-that-was-accepted": lambda nights: nights.night(),
    "a-run-that-failed-and-was-told-of": _fails,
    "a-report-that-was-accepted-late": _late(1.95),
    "one-report-that-was-refused-and-a-later-one-accepted": _refused_once,
    "what-another-channel-did-not-take": lambda nights: nights.night(posted=[TEAM], accepted=False),
}
UNHEARD = {
    "no-run": lambda nights: None,
    "a-report-that-was-not-accepted": lambda nights: nights.night(accepted=False),
    "a-report-that-was-accepted-too-late": _late(3.4),
    "nothing-new-in-a-channel-that-takes-nothing": _dead_channel,
    "a-dry-run": lambda nights: nights.night(Mode.DRY_RUN),
    "not-to-be-posted": lambda nights: nights.run(unposted=True, deliver=False),
    "killed-before-its-report-was-kept": lambda nights: nights.run(owes_report=True, deliver=False),
    "killed": lambda nights: nights.store.begin_run(Mode.DELETE, nights.now),
    "of-another-target": _of_another_target,
}


@pytest.mark.parametrize(
    ("night", "heard"),
    [
        *[pytest.param(night, True, id=name) for name, night in HEARD.items()],
        *[pytest.param(night, False, id=name) for name, night in UNHEARD.items()],
    ],
)
def test_what_breaks_a_silence(nights: Nights, night: Callable[[Nights], object], heard: bool) -> None:
    nights.night()
    night(nights.at(1.9))
    result = nights.at(3.5).night()
    assert (announced(result), nights.cloud.deleted) == (([], ["a"]) if heard else (["a"], []))


def test_a_silence_is_not_forgotten_because_a_run_that_saw_nothing_was_heard(nights: Nights) -> None:
    nights.night()
    _fails(nights.at(4))
    assert announced(nights.at(5).night()) == ["a"]
    assert nights.cloud.deleted == []


def test_a_notice_that_is_longer_than_the_silence_stands(nights: Nights) -> None:
    nights.policies = [LONG]
    nights.night()
    assert announced(nights.at(4.2).night()) == []
    nights.at(5).night()
    assert nights.cloud.deleted == ["a"]


def test_a_wait_that_starts_anew_never_ends_before_the_announced_date(nights: Nights) -> None:
    nights.policies = [replace(OLD, notice=9 * DAY)]
    nights.night()
    nights.policies = [replace(OLD, name="new", notice=DAY)]
    nights.at(1).night()
    again = nights.at(4).night()
    assert (announced(again), due_of(again)) == (["a"], START + 9 * DAY)
    assert announced(nights.at(5).night(posted=[])) == []
    for day in (6, 7, 8, 9):
        nights.at(day).night(posted=[])
        assert nights.cloud.deleted == (["a"] if day == 9 else [])


def test_what_was_spared_in_a_silence_is_said_to_be(nights: Nights) -> None:
    nights.night()
    nights.cloud.listed = [image_called("a", protected=True), image_called("young", days=1)]
    [spared] = nights.at(9).night().targets[0].notices.spared
    assert spared.decision.image.id == "a"


# Another name


RENAMED = [
    pytest.param("a", "golden", True, id="renamed"),
    pytest.param("a", None, True, id="its-name-cannot-be-read-any-more"),
    pytest.param(None, "golden", True, id="it-had-none-that-could-be-read"),
    pytest.param("a", "a", False, id="called-the-same"),
    pytest.param("caf\u00e9", " cafe\u0301", False, id="spelled-otherwise"),
    pytest.param(None, None, False, id="still-without-a-name"),
]


@pytest.mark.parametrize(("before", "after", "anew"), RENAMED)
def test_an_image_that_was_renamed_is_announced_anew(
    nights: Nights, before: str | None, after: str | None, anew: bool
) -> None:
    """People were told of another name, and whoever gave it this one may want to keep it."""
    nights.cloud.listed = [image_called("a", name=before), image_called("young", days=1)]
    nights.night()
    nights.cloud.listed[0] = image_called("a", name=after)
    result = nights.at(2).night()
    assert (announced(result), nights.cloud.deleted) == ((["a"], []) if anew else ([], ["a"]))
    if anew:
        called = before or "an image without a name"
        detail = result.targets[0].decisions[0].detail
        expected = f"no earlier than 2026-11-27 03:00Z, to be announced again, as it was announced as {called}"
        assert detail.endswith(expected)
        assert announced(nights.at(3).night(posted=[])) == []
        nights.at(4).night(posted=[])
        assert nights.cloud.deleted == ["a"]
    nights.check()


def test_an_image_that_has_its_announced_name_back_in_time_keeps_its_date(nights: Nights) -> None:
    nights.night()
    nights.cloud.listed[0] = image_called("a", name="golden")
    assert announced(nights.at(1).night(accepted=False)) == ["a"]
    nights.cloud.listed[0] = image_called("a")
    nights.at(2).night()
    assert nights.cloud.deleted == ["a"]


def test_another_name_announces_anew_also_where_the_date_stays(nights: Nights) -> None:
    """A shorter notice does not bring the date forward, and people shall know what goes then."""
    nights.policies = [LONG]
    nights.night()
    nights.policies = [replace(LONG, notice=DAY)]
    nights.cloud.listed[0] = image_called("a", name="golden")
    again = nights.at(1).night()
    assert (announced(again), due_of(again)) == (["a"], START + 5 * DAY)
    assert announced(nights.at(2).night(posted=[])) == []


# A database of before


def database_of_before(path: Path, notice: Notice) -> None:
    """A database as it was before reminders were waited for, with a standing notice and a quiet night after it."""
    earlier = Migrations("image-janitor")
    for step in takewhile(lambda step: step is not migrations.hearing, migrations.STEPS):
        earlier()(step)
    db = Database(path)
    earlier.apply(db)
    with db.conn:
        for run in (1, 2):
            at = iso(notice.announced_at + (run - 1) * 4 * DAY)
            db.execute(
                "INSERT INTO runs (run, mode, started_at, finished_at, outcome) VALUES (?, 'delete', ?, ?, 'ok')",
                (run, at, at),
            )
            db.execute(
                "INSERT INTO surveys (run, target, started_at, finished_at, outcome) VALUES (?, 'prod', ?, ?, 'ok')",
                (run, at, at),
            )
        given_so = (notice.length.total_seconds(), iso(notice.announced_at), iso(notice.due))
        columns = "target, image, policy, run, length_seconds, announced_at, due"
        db.execute(f"INSERT INTO notices ({columns}) VALUES ('prod', 'a', 'old', 1, ?, ?, ?)", given_so)
    db.close()


@pytest.mark.parametrize(("length", "goes"), [(4 * DAY, 1), (2 * DAY, 0)], ids=["long", "shorter-than-the-gap"])
def test_a_notice_of_before_is_kept_to(tmp_path: Path, length: timedelta, goes: int) -> None:
    database_of_before(tmp_path / "janitor.db", given(length))
    with Store.open(tmp_path / "janitor.db") as store:
        nights = Nights(
            store, RecordingCloud([image_called("a"), image_called("young", days=1)]), [replace(OLD, notice=length)]
        )
        first = nights.at(5).night(accept_survey=True)
        assert (reminders(first), announced(first)) == ((["a"], []) if goes else ([], ["a"]))
        assert nights.cloud.deleted == []
        nights.at(6).night(posted=[])
        assert nights.cloud.deleted == (["a"] if goes else [])


# The command


@pytest.fixture
def noticing(sandbox_desk: Desk, slack: SlackStandIn) -> Desk:
    """A desk whose policy announces long before it deletes."""
    sandbox_desk.amend(f"slack: {{token: {TOKEN}, channel: '{CHANNEL}', base_url: '{slack.base_url}'}}\n")
    sandbox_desk.write("policies/old.yaml", POLICY + "    notice: 5d\n")
    return sandbox_desk


def explained(desk: Desk, image_id: str) -> str:
    return " ".join(desk.janitor("explain", image_id).stdout.split())


def test_the_command_reminds_before_it_deletes(noticing: Desk, sandbox: Sandbox, slack: SlackStandIn) -> None:
    waiting = target_of(noticing, "run")["announced"]
    turn_back(noticing, 5 * DAY + MINUTE)
    slack.refuse_after = 0
    refused = noticing.janitor("run")
    assert (refused.returncode, deletes(sandbox)) == (1, 0)
    assert "Reminder not delivered, due a day after its delivery: " in refused.stdout
    assert noticing.janitor("show", "2").stdout == refused.stdout
    assert "due no date until a reminder of it is accepted; announced 20" in explained(noticing, str(waiting[0]))
    slack.refuse_after = None
    accepted = noticing.janitor("run")
    assert (accepted.returncode, deletes(sandbox)) == (0, 0)
    assert f"Late reminder, due a day after it: {len(waiting)} image" in accepted.stdout
    said = "\n".join(message.shown for message in slack.posted)
    assert all(str(one) in said.partition("Late reminder, due a day after it")[2] for one in waiting)
    assert "due for deletion no earlier than" in explained(noticing, str(waiting[0]))
    assert target_of(noticing, "run")["reminded"] == []
    turn_back(noticing, DAY - MINUTE)
    assert (target_of(noticing, "run")["deletions"], deletes(sandbox)) == ([], 0)
    turn_back(noticing, 2 * MINUTE)
    assert sorted(d["image"] for d in target_of(noticing, "run")["deletions"]) == sorted(map(str, waiting))


def long_ago(desk: Desk, by: timedelta) -> None:
    """Make everything that was done look as if it had been done so much earlier."""
    columns = {
        "runs": ("started_at", "finished_at"),
        "reports": ("created_at", "delivered_at"),
        "notices": ("announced_at", "due", "reminded_at"),
    }
    with closing(sqlite3.connect(desk.folder / "sandbox.db")) as db, db:
        for table, names in columns.items():
            for name in names:
                for row, at in db.execute(f"SELECT rowid, {name} FROM {table} WHERE {name} IS NOT NULL").fetchall():
                    moved = iso(datetime.fromisoformat(at) - by)
                    db.execute(f"UPDATE {table} SET {name} = ? WHERE rowid = ?", (moved, row))


@pytest.mark.parametrize("words", [(), ("--no-post",), ("--dry-run",)], ids=["posted", "not-posted", "dry"])
def test_the_command_announces_anew_after_a_silence(noticing: Desk, sandbox: Sandbox, words: tuple[str, ...]) -> None:
    noticing.write("policies/old.yaml", POLICY + "    notice: 2d\n")
    waiting = target_of(noticing, "run")["announced"]
    long_ago(noticing, 1.5 * DAY)
    noticing.janitor("run", *words)
    long_ago(noticing, DAY)
    last = target_of(noticing, "run")
    if not words:
        assert (last["announced"], deletes(sandbox)) == ([], len(waiting))
        return
    assert (sorted(map(str, last["announced"])), deletes(sandbox)) == (sorted(map(str, waiting)), 0)
    assert {"silence since" in d["detail"] for d in last["decisions"] if d["reason"] == "notice"} == {True}
