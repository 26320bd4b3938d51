"""Runs after a silence: what breaks one, and that what waited through it, or has another name, is announced again."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from janitor.core.memory import Notice
from janitor.core.result import Mode, Outcome, RunResult
from janitor.core.units import iso
from janitor.errors import Unavailable
from janitor.store import Store, migrations
from tests.earlier import database_before
from tests.factories import DAY, OLD, image_called
from tests.factories import NOW as START
from tests.fakes import RecordingCloud
from tests.run.nights import LONG, TEAM, Nights, due_of, given, reminders
from tests.run.world import announced


def test_after_a_silence_everything_that_waits_is_announced_again(nights: Nights) -> None:
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


def test_a_wait_that_starts_again_never_ends_before_the_announced_date(nights: Nights) -> None:
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


@pytest.mark.parametrize(("before", "after", "again"), RENAMED)
def test_an_image_that_was_renamed_is_announced_again(
    nights: Nights, before: str | None, after: str | None, again: bool
) -> None:
    """People were told of another name, and whoever gave it this one may want to keep it."""
    nights.cloud.listed = [image_called("a", name=before), image_called("young", days=1)]
    nights.night()
    nights.cloud.listed[0] = image_called("a", name=after)
    result = nights.at(2).night()
    assert (announced(result), nights.cloud.deleted) == ((["a"], []) if again else ([], ["a"]))
    if again:
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


def test_another_name_announces_again_also_where_the_date_stays(nights: Nights) -> None:
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
    db = database_before(path, migrations.hearing)
    with db:
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
