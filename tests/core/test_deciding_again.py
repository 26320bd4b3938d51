"""Every earlier night can be decided again from the database alone, exactly as it was, whatever came later."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from janitor.core.decision import Decision, Reason
from janitor.core.image import Image, Sharing
from janitor.core.memory import Exemption, History
from janitor.core.planning.plan import Limits
from janitor.core.policy import Clock, Expire, Match, Pattern, Policy
from janitor.core.replay.inputs import Inputs
from janitor.core.result import Mode, RunResult
from janitor.core.retention import Family, Keep, Period
from janitor.core.units import iso
from janitor.core.usage import Usage, User
from janitor.errors import CloudError, Refused, Unavailable, UsageError
from janitor.store import Store, migrations
from janitor.store.connection import tables
from janitor.store.database import DatabaseFile
from tests.earlier import database_before
from tests.factories import ALL, DAY, OLD, image_called, usage_of
from tests.factories import NOW as START
from tests.fakes import RecordingCloud
from tests.new_database import new_database
from tests.replays import decided_again
from tests.run.world import NightlyWorld

WEB = Policy("web", Match(name=(Pattern("web-*"),)), Expire(7 * DAY), notice=2 * DAY)
STUCK = Policy("stuck", Match(name=(Pattern("job-*"),)), Expire(2 * DAY, Clock.STATUS))
IDLE = Policy("idle", Match(name=(Pattern("lab-*"),)), Expire(3 * DAY, Clock.LAST_USED))
FAMILIES = Policy(
    "families",
    Match(name=(Pattern("web-*"), Pattern("db-*"))),
    Expire(2 * DAY),
    Keep(Family("name:/^(.+)-[0-9]+$/"), newest=1, periods=((Period.DAILY, 2),)),
)
PINNED = Policy("pinned", Match(name=(Pattern("*1"),)))


class ListeningStore(Store):
    """A store that remembers which histories it gave to each run."""

    def __init__(self, file: DatabaseFile) -> None:
        super().__init__(file)
        self.told: dict[int, dict[str, History]] = {}

    def record_survey(self, run: int, *parts: Any) -> dict[str, History]:
        self.told[run] = super().record_survey(run, *parts)
        return self.told[run]


@dataclass
class World(NightlyWorld):
    """A cloud, a database and nights, each with what it decided as its report had it."""

    store: ListeningStore
    decided: dict[int, tuple[Decision, ...]] = field(default_factory=dict)

    def night(self, mode: Mode = Mode.DELETE, *, deliver: bool = True, **rest: Any) -> RunResult:
        result = super().night(mode, deliver=deliver, **{"accept_survey": True, **rest})
        self.decided[result.run] = result.targets[0].decisions
        return result

    def inputs(self, run: int) -> Inputs:
        return self.store.inputs(run)["prod"]

    def check(self) -> None:
        """Decide every night again, and compare what it knew of its images."""
        for run, histories in self.store.told.items():
            assert self.inputs(run).history == histories
        for run, decisions in self.decided.items():
            if decisions:
                assert decided_again(self.inputs(run)) == decisions


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with ListeningStore.open(new_database(tmp_path / "janitor.db")) as store:
        yield World(
            store, RecordingCloud([image_called("web-2"), image_called("db-3"), image_called("young-1", days=1)])
        )


# What is recorded, one thing after the other


def test_policies_whose_places_are_swapped_are_recorded_as_they_stood(world: World) -> None:
    orders = [[WEB, OLD], [OLD, WEB], [OLD, WEB], [PINNED, WEB], [PINNED, OLD, WEB], [OLD]]
    nights = []
    for policies in orders:
        world.policies = policies
        nights.append(world.night(Mode.DRY_RUN).run)
    for run, policies in zip(nights, orders, strict=True):
        basis = world.inputs(run).basis
        assert basis is not None
        assert list(basis.policies) == policies
        assert list(world.store.policies(run)) == [policy.name for policy in policies]
    world.check()


def test_exemptions_of_files_are_recorded_as_they_stood(world: World) -> None:
    one, other = (Exemption(name, START + 60 * DAY, "why", "keep.yaml") for name in ("web-2", "db-3"))
    lists = [(one, other), (other, one), (replace(one, why="other words"),), (), (one,), (one,)]
    nights = [world.night(Mode.DRY_RUN, exemptions=exemptions).run for exemptions in lists]
    for run, exemptions in zip(nights, lists, strict=True):
        basis = world.inputs(run).basis
        assert basis is not None
        assert basis.exemptions == exemptions
    world.check()


def test_zone_memory_and_limits_are_recorded_with_each_run(world: World) -> None:
    zones = [UTC, ZoneInfo("Asia/Seoul"), timezone(timedelta(hours=-9, minutes=-30)), timezone(timedelta(hours=5))]
    for hours, zone in enumerate(zones):
        limits = Limits(hours, 12.5 * hours)
        result = world.night(
            Mode.DRY_RUN, zone=zone, usage_memory=timedelta(hours=hours), limits=limits, accept_survey=hours == 1
        )
        basis = world.inputs(result.run).basis
        assert basis is not None
        assert (str(basis.zone), basis.usage_memory) == (str(zone), timedelta(hours=hours))
        assert basis.zone.utcoffset(START) == zone.utcoffset(START)
        assert (basis.limits, basis.max_shrink, basis.accept_survey) == (limits, 30.0, hours == 1)


def test_who_was_asked_about_and_is_shared_with_nobody_is_told_from_who_was_not_asked_about(world: World) -> None:
    answers = [
        {},
        {"web-2": Sharing(("p2", "p1"), ("p3",)), "young-1": Sharing(("p1",))},
        {"web-2": Sharing(("p2", "p1"), ("p3",))},
        {"web-2": Sharing(problem="not now")},
    ]
    for shared in answers:
        world.cloud.shared = shared
        world.night(Mode.DRY_RUN)
    told = [world.inputs(run).grounds for run in world.decided]
    assert [grounds and grounds.sharing for grounds in told] == [
        {"web-2": shared.get("web-2", Sharing()), "db-3": Sharing()} for shared in answers
    ]
    world.check()


def test_sharing_that_could_not_be_asked_leaves_nothing_that_looks_like_an_answer(world: World) -> None:
    world.night(Mode.DRY_RUN)
    world.cloud.shared = Unavailable("no answer")
    blind = world.night(Mode.DRY_RUN)
    world.cloud.shared = {}
    world.night(Mode.DRY_RUN)
    assert world.inputs(blind.run).grounds is None
    assert world.inputs(blind.run - 1).grounds == world.inputs(blind.run + 1).grounds


def test_history_is_given_back_as_each_run_knew_it(world: World) -> None:
    [web] = world.cloud.listed = [image_called("web-2")]
    used = usage_of({"web-2": (User("i1", "web"),)})
    nights: list[tuple[str, Usage | CloudError]] = [
        ("active", Unavailable("no answer")),
        ("active", Usage()),
        ("deactivated", used),
        ("deactivated", Unavailable("no answer")),
        ("active", Usage()),
    ]
    at = [START + day * DAY for day in range(5)]
    for status, usage in nights:
        world.cloud.listed, world.cloud.used = [web.replace(status=status)], usage
        world.night(Mode.DRY_RUN)
    known = [(world.inputs(run).history or {})["web-2"] for run in world.decided]
    assert [each.first_seen for each in known] == [at[0]] * 5
    assert [each.watched_since for each in known] == [None, at[1], at[1], at[1], at[1]]
    assert [each.status_since for each in known] == [None, None, at[2], at[2], at[4]]
    assert [each.last_in_use for each in known] == [None, None, at[2], at[2], at[2]]
    world.check()


def test_a_refusal_counts_from_the_run_that_knew_of_it(world: World) -> None:
    world.cloud.answers["web-2"] = Refused("in use", code=409)
    for _ in range(4):
        world.night()
    refusals = [grounds.memory.refusals for run in world.decided if (grounds := world.inputs(run).grounds)]
    assert [each["web-2"].count if each else 0 for each in refusals] == [0, 1, 2, 2]
    world.check()


def test_a_notice_that_ended_since_is_still_known_of_the_nights_that_heeded_it(world: World) -> None:
    world.policies = [WEB]
    world.night()
    world.night()
    world.cloud.used = usage_of({"web-2": (User("i1", "web"),)})
    world.night()  # spares it
    world.night()
    notices = [grounds.memory.notices for run in world.decided if (grounds := world.inputs(run).grounds)]
    assert [set(each) for each in notices] == [set(), {"web-2"}, {"web-2"}, set()]
    assert notices[1]["web-2"].due == START + 2 * DAY
    world.check()


def test_an_exemption_by_command_is_known_of_the_nights_that_heeded_it(world: World) -> None:
    world.night(Mode.DRY_RUN)
    world.store.add_exemptions([("prod", Exemption("web-2", START + 60 * DAY, "tests", "kim"))], world.now - DAY)
    world.night(Mode.DRY_RUN)
    world.store.end_exemptions([("prod", "web-2")], "kim", world.now - DAY)
    world.night(Mode.DRY_RUN)
    exempt = [grounds.memory.exemptions for run in world.decided if (grounds := world.inputs(run).grounds)]
    assert [set(each) for each in exempt] == [set(), {"web-2"}, set()]
    world.check()


def test_other_names_of_a_target_are_recorded(world: World) -> None:
    survey = world.inputs(world.night().run).survey
    later = world.store.begin_run(Mode.DRY_RUN, world.now)
    world.store.record_survey(later, "prod", survey, ("prod-2", "prod-3"))
    assert world.inputs(later - 1).also_named == ()
    assert world.inputs(later).also_named == ("prod-2", "prod-3")


# All of it at once


@dataclass
class Chance:
    """Changes everything that a night may find, at random and the same for a seed."""

    world: World
    random: random.Random
    made: int = 10

    def change(self) -> dict[str, Any]:
        """What a night finds; returns what its orders say."""
        cloud, chance = self.world.cloud, self.random
        cloud.listed = [self._changed(each) for each in cloud.listed] + [
            self._new() for _ in range(chance.randrange(3))
        ]
        cloud.used = Unavailable("no answer") if self.rarely() else usage_of(dict(self._uses()))
        cloud.shared = {each.id: self._sharing() for each in cloud.listed if chance.random() < 0.3}
        held = {each.id: Refused("held", code=409) for each in cloud.listed if self.rarely()}
        cloud.answers = {**cloud.answers, **held}
        down = Unavailable("down")  # before the run decides, or only once it has sent deletions
        cloud.survey_errors = chance.choice([[down], [None, down]]) if self.rarely() else []
        self.world.policies = self._policies()
        self._exempt()
        return {
            "mode": Mode.DRY_RUN if self.rarely() else Mode.DELETE,
            "deliver": not self.rarely(),
            "zone": chance.choice([UTC, ZoneInfo("Asia/Seoul")]),
            "usage_memory": chance.choice([0, 2]) * DAY,
            "exemptions": [each for each in self._file_exemptions() if chance.random() < 0.7],
        }

    def rarely(self) -> bool:
        return self.random.random() < 0.15

    def _new(self) -> Image:
        self.made += 1
        days = (START - self.world.now) / DAY + self.random.randrange(20)
        return image_called(f"{self.random.choice(['web', 'db', 'job', 'lab'])}-{self.made}", days=days)

    def _changed(self, old: Image) -> Image:
        status = self.random.choice(["active", "deactivated"]) if self.rarely() else old.status
        return old.replace(status=status, protected=self.random.random() < 0.05)

    def _uses(self) -> Iterator[tuple[str, tuple[User, ...]]]:
        for each in self.world.cloud.listed:
            if self.random.random() < 0.2:
                yield each.id, tuple(User(f"i{number}", "web") for number in range(self.random.randint(1, 2)))

    def _sharing(self) -> Sharing:
        return self.random.choice([Sharing(("p1",)), Sharing(pending=("p2",)), Sharing(problem="no"), Sharing()])

    def _policies(self) -> list[Policy]:
        chosen = [each for each in (WEB, STUCK, IDLE, FAMILIES, PINNED, OLD) if not self.rarely()] or [OLD]
        return self.random.sample(chosen, len(chosen))

    def _exempt(self) -> None:
        at = self.world.now - timedelta(hours=1)
        for each in self.world.cloud.listed:
            if self.rarely():
                until = at + self.random.randint(1, 9) * DAY
                self.world.store.add_exemptions([("prod", Exemption(each.id, until, "tests", "kim"))], at)
            elif self.rarely():
                self.world.store.end_exemptions([("prod", each.id)], "kim", at)

    def _file_exemptions(self) -> list[Exemption]:
        named = self.random.sample(self.world.cloud.listed, min(2, len(self.world.cloud.listed)))
        return [Exemption(str(each.name), self.world.now + 5 * DAY, "release", "keep.yaml") for each in named]


# What changes rarely, and what tells one series of intervals from another.
INTERVALS = {
    "policy_texts": "position",
    "file_exemptions": "position",
    "grounds": "target || '/' || image || '/' || kind",
    "image_clocks": "image_key",
}


def overlaps(world: World) -> list[tuple[Any, ...]]:
    """Where two intervals of one series hold at once, or one holds never."""
    with world.store._file.reading() as db:
        return [
            (table, *row)
            for table, series in INTERVALS.items()
            for row in db.execute(
                f"SELECT * FROM (SELECT {series} AS series, from_run, until_run, "
                f"lead(from_run) OVER (PARTITION BY {series} ORDER BY from_run) AS next FROM {table}) "
                "WHERE until_run <= from_run OR (next IS NOT NULL AND (until_run IS NULL OR until_run > next))"
            )
        ]


@pytest.mark.parametrize("seed", range(3))
def test_every_night_is_decided_again_exactly_as_it_was(world: World, seed: int) -> None:
    chance = Chance(world, random.Random(seed))
    for _ in range(25):
        world.night(**chance.change())
    world.check()
    for run, decisions in world.decided.items():
        assert world.store.load_run(run).targets[0].decisions == decisions
    assert overlaps(world) == []


def test_the_nights_above_meet_what_decisions_go_by(world: World) -> None:
    chance, reasons = Chance(world, random.Random(0)), Counter[Reason]()
    for _ in range(25):
        result = world.night(**chance.change())
        reasons.update(decision.reason for decision in result.targets[0].decisions)
    assert set(reasons) >= {
        Reason.IN_USE,
        Reason.RECENTLY_USED,
        Reason.USAGE_UNKNOWN,
        Reason.EXEMPT,
        Reason.PINNED,
        Reason.TOO_YOUNG,
        Reason.KEPT_NEWEST,
        Reason.KEPT_DAILY,
        Reason.SHARED,
        Reason.REFUSED,
        Reason.NOTICE,
        Reason.EXPIRED,
    }


# Growth and earlier databases


def rows(store: Store) -> Counter[str]:
    with store._file.reading() as db:
        counts = {table: db.execute(f"SELECT count(*) FROM {table}").fetchone() for table in tables(db)}
        return Counter({table: count for table, (count,) in counts.items()})


def test_an_unchanged_night_adds_a_run_and_a_survey_and_nothing_else(world: World) -> None:
    world.policies = [replace(FAMILIES, notice=90 * DAY), replace(OLD, notice=90 * DAY), PINNED]
    world.cloud.listed = [image_called(f"{kind}-{number}") for kind in ("web", "job") for number in range(50)]
    world.cloud.shared = {"web-7": Sharing(("p1",)), "job-7": Sharing(pending=("p2",)), "job-8": Sharing(problem="no")}
    exemptions = [Exemption(f"job-{number}", START + 90 * DAY, "why", "keep.yaml") for number in range(5)]
    for _ in range(2):  # announced on the first night, and known to be on the second
        world.night(exemptions=exemptions)
    before = rows(world.store)
    for _ in range(3):
        world.cloud.listed = world.cloud.listed[::-1]
        world.night(exemptions=exemptions)
    assert before["grounds"] > 100
    assert rows(world.store) - before == {"runs": 3, "surveys": 3}
    world.check()


EARLIER = """
INSERT INTO runs (run, mode, started_at, finished_at, outcome) VALUES (1, 'delete', :at, :at, 'ok');
INSERT INTO surveys (run, target, started_at, finished_at, images, decisions) VALUES (1, 'prod', :at, :at, 1, 1);
INSERT INTO images (image_key, target, image, first_seen, watched_since, status_since)
    VALUES (1, 'prod', 'web-2', :long_ago, :long_ago, :at);
INSERT INTO image_facts
    (image_key, from_run, name, status, public, protected, created_at, updated_at, properties, owned)
    VALUES (1, 1, 'web-2', 'active', 0, 0, :created, :created, '{}', 1);
INSERT INTO policy_texts (policy, text, from_run) VALUES ('zeal', 'its text', 1), ('old', 'another', 1)
"""


def database_of_before(path: Path) -> None:
    """A database as it was before anything could be decided again, with one run."""
    db = database_before(path, migrations.deciding_again)
    instants = {"at": START - DAY, "long_ago": START - 9 * DAY, "created": START - 30 * DAY}
    with db:
        for statement in EARLIER.split(";\n"):
            db.execute(statement, {name: iso(instant) for name, instant in instants.items()})
    db.close()


def test_a_database_of_before_is_brought_up_to_date_and_claims_nothing_of_its_earlier_runs(tmp_path: Path) -> None:
    database_of_before(tmp_path / "janitor.db")
    with ListeningStore.open(tmp_path / "janitor.db") as store:
        world = World(store, RecordingCloud([image_called("web-2")]), [replace(IDLE, match=ALL), OLD])
        assert store.policies(1) == {"zeal": "its text", "old": "another"}
        before = world.inputs(1)
        assert (before.basis, before.grounds, before.also_named) == (None, None, ())
        assert [each.id for each in before.survey.images] == ["web-2"]
        for _ in range(2):
            world.night(Mode.DRY_RUN)
        assert store.policies(1) == {"zeal": "its text", "old": "another"}
        assert list(store.policies(2)) == ["idle", "old"]
        history = (world.inputs(3).history or {})["web-2"]
        assert (history.watched_since, history.status_since) == (START - 9 * DAY, START - DAY)
        world.check()


def test_history_that_was_not_recorded_is_none_and_not_empty(tmp_path: Path) -> None:
    database_of_before(tmp_path / "janitor.db")
    with ListeningStore.open(tmp_path / "janitor.db") as store:
        with store._file.writing() as db:
            db.execute("DELETE FROM image_clocks")  # as of a run before the last one of an earlier version
        assert store.inputs(1)["prod"].history is None


def test_an_unknown_run_has_no_inputs(world: World) -> None:
    world.night()
    with pytest.raises(UsageError, match="there is no run 7: the latest is 1"):
        world.store.inputs(7)
