"""Uses that a run could not have seen: nobody knows whether they began or ended, whatever the next run sees."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from janitor.core.replay.differences.between import Cause, ChangedUses, Compared
from janitor.core.replay.differences.causes import difference
from janitor.core.result import Mode
from janitor.core.usage import Reading, Source, Unread, Usage, User, UserKind
from janitor.store import Store
from tests.factories import image_called, usage_of
from tests.fakes import RecordingCloud
from tests.run.world import NightlyWorld

WEB = User("s1", "web-1", source="servers in R1")
DISK = User("v1", "disk-1", UserKind.VOLUME, source="volumes in R1")
TEXT = User("main.tf", "main.tf:4", UserKind.REFERENCE, source="reference /infra/*.tf")
KERNEL = User("old", "old, whose kernel it is", UserKind.UNIDENTIFIED)

SERVERS = Reading(Source.SERVERS, "R1", "/compute")
SERVERS_TOO = Reading(Source.SERVERS, "R1", "/compute-2")
VOLUMES = Reading(Source.VOLUMES, "R1", "/volume")
VOLUMES_OFF = Reading(Source.VOLUMES, problem="not asked: turned off")
TEXTS = Reading(Source.REFERENCES, "", "/infra/*.tf")


def asked(*readings: Reading, used_by: User | None = None, unread: Unread | None = None) -> Usage:
    unread_parts = frozenset({unread} if unread else ())
    return usage_of({"one": (used_by,)} if used_by else {}, readings=readings, unread=unread_parts)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[NightlyWorld]:
    with Store.open(tmp_path / "janitor.db") as store:
        yield NightlyWorld(store, RecordingCloud([image_called("one", days=40), image_called("two", days=1)]))


def nights(world: NightlyWorld, *used: Usage) -> None:
    for one in used:
        world.cloud.used = one
        world.night(Mode.DRY_RUN)


def uses_of(world: NightlyWorld, before: int, after: int) -> ChangedUses:
    found = world.store.compared("prod", before, after)
    assert isinstance(found, Compared)
    return found.uses


def causes_of(world: NightlyWorld, before: int, after: int) -> tuple[Cause, ...]:
    found = world.store.compared("prod", before, after)
    assert isinstance(found, Compared)
    [decided] = difference(found).decisions
    return decided.candidates or (decided.cause,)


FAILED = Usage(problem="no answer")
READ = {
    "asked": (asked(SERVERS, VOLUMES), asked(SERVERS, VOLUMES, used_by=DISK), None),
    "turned-on": (asked(SERVERS, VOLUMES_OFF), asked(SERVERS, VOLUMES, used_by=DISK), Cause.SOURCES),
    "new-in-the-catalogue": (asked(SERVERS), asked(SERVERS, VOLUMES, used_by=DISK), Cause.SOURCES),
    "one-more-endpoint": (asked(SERVERS), asked(SERVERS, SERVERS_TOO, used_by=WEB), Cause.SOURCES),
    "declared-only-now": (asked(SERVERS), asked(SERVERS, TEXTS, used_by=TEXT), Cause.SOURCES),
    "declared-before": (asked(SERVERS, TEXTS), asked(SERVERS, TEXTS, used_by=TEXT), None),
    "optional-and-failed": (
        asked(SERVERS, VOLUMES, unread=Unread(Source.VOLUMES)),
        asked(SERVERS, VOLUMES, used_by=DISK),
        Cause.USAGE_UNREAD,
    ),
    "another-one-failed": (
        asked(SERVERS, VOLUMES, unread=Unread(Source.VOLUMES)),
        asked(SERVERS, VOLUMES, used_by=WEB),
        None,
    ),
    "nothing-could-be-read": (FAILED, asked(SERVERS, used_by=WEB), Cause.USAGE_UNREAD),
    "told-by-the-list-itself": (asked(), asked(used_by=KERNEL), None),
}


@pytest.mark.parametrize(("before", "after", "unless"), READ.values(), ids=READ)
def test_a_use_began_only_if_an_earlier_run_could_have_seen_it(
    world: NightlyWorld, before: Usage, after: Usage, unless: Cause | None
) -> None:
    nights(world, before, after)
    uses = uses_of(world, 1, 2)
    assert [use.unless for use in (*uses.begun, *uses.first_read)] == [unless]
    assert bool(uses.begun) is (unless is None)


ENDED = {name: case for name, case in READ.items() if name not in ("nothing-could-be-read", "optional-and-failed")}


@pytest.mark.parametrize(("after", "before", "unless"), ENDED.values(), ids=ENDED)
def test_a_use_ended_only_if_a_later_run_could_have_seen_it(
    world: NightlyWorld, before: Usage, after: Usage, unless: Cause | None
) -> None:
    nights(world, before, after)
    uses = uses_of(world, 1, 2)
    assert [use.unless for use in (*uses.ended, *uses.no_longer_read)] == [unless]
    assert bool(uses.ended) is (unless is None)


def test_a_run_in_between_that_could_see_it_tells(world: NightlyWorld) -> None:
    off, on, used = asked(SERVERS), asked(SERVERS, VOLUMES), asked(SERVERS, VOLUMES, used_by=DISK)
    nights(world, off, on, used, off, on)
    assert [use.user.id for use in uses_of(world, 1, 3).begun] == ["v1"]
    assert [use.user.id for use in uses_of(world, 3, 5).ended] == ["v1"]
    assert [use.user.id for use in uses_of(world, 3, 4).no_longer_read] == ["v1"]


def test_what_another_source_says_is_the_cause_and_no_event(world: NightlyWorld) -> None:
    off, used = asked(SERVERS, VOLUMES_OFF), asked(SERVERS, VOLUMES, used_by=DISK)
    nights(world, off, used, off)
    assert causes_of(world, 1, 2) == causes_of(world, 2, 3) == (Cause.SOURCES,)


def test_of_references_that_an_earlier_version_read_it_is_not_known_which(world: NightlyWorld) -> None:
    nights(world, asked(SERVERS, TEXTS), asked(SERVERS, TEXTS, used_by=TEXT))
    with world.store._file.writing() as db:
        db.execute("""UPDATE surveys SET usage_readings = '[{"source": "servers", "region": "R1"}]' WHERE run = 1""")
    [use] = uses_of(world, 1, 2).first_read
    assert use.unless is Cause.UNKNOWN
