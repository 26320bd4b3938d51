"""A run costs as much with a long history as with none: what has long been gone is not looked through again."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from janitor.core.image import Image
from janitor.core.memory import Notice
from janitor.core.result import Mode
from janitor.core.survey import Survey
from janitor.core.survey.plausibility import Measure
from janitor.core.usage import Usage, User
from janitor.run.orders import Site
from janitor.store import Store
from janitor.store.surveys.uses import _DELETED
from tests.factories import AMPLE, OLD, image_called, to_delete, usage_of
from tests.fakes import RecordingCloud
from tests.runs import run_of

START = datetime(2026, 1, 1, 3, tzinfo=UTC)
NIGHT = timedelta(days=1)
IMAGES, CHURN, NIGHTS = 50, 10, 60

Steps = Callable[[], int]


def listed(night: int) -> tuple[Image, ...]:
    """The images of a night, of which some are new each time, and as many gone for good."""
    return tuple(image_called(f"ci-{number}") for number in range(night * CHURN, night * CHURN + IMAGES))


@pytest.fixture
def steps(store: Store) -> Iterator[Steps]:
    """Tells how many steps SQLite took since it was asked last, in fives, which no machine makes longer."""
    taken = 0

    def count() -> int:
        nonlocal taken
        taken += 1
        return 0

    def since() -> int:
        nonlocal taken
        before, taken = taken, 0
        return before

    store._file._db.set_progress_handler(count, 5)
    yield since
    store._file._db.set_progress_handler(None, 0)


def survey(store: Store, night: int) -> None:
    """All that a run reads and writes about the images of a night."""
    at, images = START + night * NIGHT, listed(night)
    run = store.begin_run(Mode.DRY_RUN, at)
    earlier = store.last_accepted("prod", run)
    if earlier is not None:
        assert len(store.own_images("prod", earlier[0])) == IMAGES
        assert len(store.known("prod")) == IMAGES
    store.record_survey(run, "prod", Survey(images, Usage(), at, at))
    store.record_measure(run, "prod", Measure(IMAGES, 0, 0), good=True)
    store.record_decisions(run, "prod", [to_delete(image) for image in images])
    store.memory("prod")


def test_what_an_earlier_version_writes_after_the_migration_is_present_too(store: Store) -> None:
    """It was under way when a command of this version opened the database."""
    survey(store, 0)
    store.begin_run(Mode.DRY_RUN, START)
    with store._file.writing() as db:
        db.execute("UPDATE image_facts SET until_run = 2 WHERE image_key IN (1, 3) AND until_run IS NULL")
        db.execute("INSERT INTO images (image_key, target, image, first_seen) VALUES (99, 'prod', 'late', '')")
        facts = "INSERT INTO image_facts (image_key, from_run, status, public, protected, owned)"
        db.execute(f"{facts} VALUES (99, 1, 'active', 0, 0, 1), (3, 2, 'active', 0, 0, 1)")
        present = dict(db.execute("SELECT image_key, present FROM images"))
    assert (present[1], present[2], present[3], present[99]) == (0, 1, 1, 1)


def test_one_image_is_read_in_as_many_steps_whatever_else_was_seen(store: Store, steps: Steps) -> None:
    taken = []
    for night, images in enumerate((50, 500)):
        run, at = store.begin_run(Mode.DRY_RUN, START), START + night * NIGHT
        listed = [image_called(f"ci-{number}") for number in range(images)]
        store.record_survey(run, "prod", Survey(tuple(listed), Usage(), at, at))
        store.record_decisions(run, "prod", [to_delete(image) for image in listed])
        steps()
        seen = store.survey_of("prod", listed[0].id)
        assert seen is not None
        assert seen[1].images == (listed[0],)
        assert store.decision_of(run, "prod", listed[0].id) == to_delete(listed[0])
        taken.append(steps())
    assert taken[1] < 1.15 * taken[0]


def live(store: Store, night: int) -> int:
    """A live run in which some images are announced, and those of two nights before deleted; returns how many."""
    now = START + night * NIGHT
    numbers = range(night * CHURN, night * CHURN + IMAGES)
    cloud = RecordingCloud([aged(number) for number in numbers])
    policy = replace(OLD, notice=2 * NIGHT)
    run = run_of([Site("prod", lambda: cloud)], [policy], store, Mode.DELETE, AMPLE, clock=lambda: now)
    result = run.perform()
    announced = {
        ("prod", decision.image.id): Notice(OLD.name, 2 * NIGHT, now, now + 2 * NIGHT, None, decision.image.name)
        for decision in result.targets[0].notices.announced
    }
    store.announce(result.run, announced, [], now)
    return len(cloud.deleted)


def aged(number: int) -> Image:
    """An image that expires one night before it is the oldest that is listed."""
    expires = START + (number // CHURN - 2) * NIGHT
    return image_called(f"ci-{number}", created_at=expires - timedelta(days=14, hours=1))


def test_a_live_run_takes_as_many_steps_after_many_as_after_few(store: Store, steps: Steps) -> None:
    taken = []
    for night in range(NIGHTS):
        store.optimize()
        steps()
        deleted = live(store, night)
        taken.append(steps())
    assert deleted == CHURN
    assert taken[-1] < 1.15 * taken[5]


def test_a_run_takes_as_many_steps_after_many_runs_as_after_few(store: Store, steps: Steps) -> None:
    taken = []
    for night in range(NIGHTS):
        store.optimize()
        steps()
        survey(store, night)
        taken.append(steps())
    assert taken[-1] < 1.15 * taken[3]


def test_earlier_servers_are_found_in_as_many_steps_after_many_nights_as_after_few(store: Store, steps: Steps) -> None:
    image, taken, deleting = image_called("base"), [], []
    for night in range(NIGHTS):
        run, at = store.begin_run(Mode.DRY_RUN, START), START + night * NIGHT
        servers = [User(f"server-{number}", "web") for number in range(night * CHURN, (night + 1) * CHURN)]
        usage = usage_of({image.id: tuple(servers)})
        store.record_survey(run, "prod", Survey((image,), usage, at, at))
        store.record_measure(run, "prod", Measure(1, 0, CHURN), good=True)
        earlier = [f"server-{number}" for number in range((night - 1) * CHURN, night * CHURN)]
        steps()
        with store._file.writing() as db:
            db.executemany(_DELETED, [(run, "prod", server) for server in earlier])
        deleting.append(steps())
        known = store.earlier_usage("prod", at - 7 * NIGHT).servers
        taken.append(steps())
        assert known.keys() == {server.id for server in servers}
    assert taken[-1] < 1.15 * taken[5]
    assert deleting[-1] < 1.15 * deleting[5]
