"""Snapshots and decisions read back exactly, whatever came later, and histories equal those of a full scan."""

import random
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from janitor.core.decision import Decision, Reason, Verdict
from janitor.core.image import Image
from janitor.core.memory import History
from janitor.core.names.image_ids import folded
from janitor.core.planning.plan import owns
from janitor.core.result import Mode, Outcome, RunResult, SurveySummary, TargetResult
from janitor.core.survey import Survey
from janitor.core.usage import Source, Unread, Usage, User, UserKind
from janitor.errors import StoreError
from janitor.store import Store
from tests.factories import make_image, usage_of
from tests.new_database import new_database

EPOCH = datetime(2026, 11, 1, 3, tzinfo=UTC)
NIGHT = timedelta(days=1)
IMAGE = make_image("ci-web-1", id="a", created_at=EPOCH - NIGHT, updated_at=EPOCH - NIGHT, properties={"os": "x"})


def survey(night: int, *images: Image, usage: Usage | None = None) -> Survey:
    at = EPOCH + night * NIGHT
    return Survey(images, usage or Usage(), at, at + timedelta(minutes=1))


def instant(night: int) -> datetime:
    return survey(night).finished_at


def record(store: Store, taken: Survey, target: str = "prod") -> tuple[int, dict[str, History]]:
    run = store.begin_run(Mode.DRY_RUN, taken.started_at)
    return run, store.record_survey(run, target, taken)


def rows(store: Store, table: str) -> int:
    with store._file.reading() as db:
        (count,) = db.execute(f"SELECT count(*) FROM {table}").fetchone()
        return int(count)


# What a survey may hold: few ids, so that images vanish, come back and change.
INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
TEXTS = st.text(max_size=5)
IMAGES = st.builds(
    Image,
    id=st.sampled_from(["a", "b", "c", "D%_", "é'\""]),
    name=st.none() | TEXTS,
    status=st.sampled_from(["active", "deactivated", "", "future-status"]),
    public=st.booleans(),
    protected=st.booleans(),
    created_at=st.none() | INSTANTS,
    updated_at=st.none() | INSTANTS,
    size=st.none() | st.integers(-1, 2**63 - 1),
    disk_format=st.none() | TEXTS,
    min_disk=st.none() | st.integers(0, 9),
    min_ram=st.none() | st.integers(0, 9),
    properties=st.none() | st.dictionaries(TEXTS, TEXTS, max_size=2),
    owned=st.booleans(),
    visibility=st.none() | st.sampled_from(["shared", "public"]),
    owner=st.none() | TEXTS,
    os_hidden=st.none() | st.booleans(),
    tags=st.none() | st.lists(TEXTS, max_size=2).map(tuple),
    unreadable=st.dictionaries(st.sampled_from(["createdAt", "properties.x"]), TEXTS, max_size=2),
)
# What uses an image has an id of its own, which tells its kind.
USERS = st.builds(
    lambda use, name: User(use[0], name, use[1]),
    use=st.sampled_from([("i1", UserKind.INSTANCE), ("i2", UserKind.INSTANCE), ("v1", UserKind.VOLUME)]),
    name=st.sampled_from(["", "web", "db"]),
)
USES = st.dictionaries(
    st.sampled_from(["a", "b", "d%_", "not listed"]),
    st.lists(USERS, min_size=1, max_size=3, unique=True).map(
        lambda users: tuple(sorted(users, key=lambda user: (user.name, user.id)))
    ),
)


def without_volumes(used: dict[str, tuple[User, ...]]) -> Usage:
    """The same where the volumes could not be read."""
    seen = {image: tuple(user for user in users if user.kind != UserKind.VOLUME) for image, users in used.items()}
    return usage_of(
        {image: users for image, users in seen.items() if users},
        unread=frozenset({Unread(Source.VOLUMES)}),
        remarks=("volumes could not be read",),
    )


USAGES = st.builds(Usage, problem=TEXTS) | st.builds(Usage, by_image=USES) | USES.map(without_volumes)
FLEETS = st.lists(IMAGES, max_size=5, unique_by=lambda image: image.id).map(tuple)
VERDICTS = st.tuples(st.sampled_from(Verdict), st.sampled_from(Reason), st.none() | TEXTS, TEXTS, st.none() | INSTANTS)
# A target of a night: not part of the run, failed, surveyed only, or surveyed and decided on, perhaps in part.
NIGHTS = st.lists(
    st.fixed_dictionaries(
        {
            target: st.none()
            | st.just("failed")
            | st.tuples(FLEETS, USAGES, st.none() | st.lists(VERDICTS, max_size=5))
            for target in ("prod", "dev")
        }
    ),
    max_size=6,
)


def in_order(images: Sequence[Image]) -> tuple[Image, ...]:
    return tuple(sorted(images, key=lambda image: (image.created_at or datetime.min.replace(tzinfo=UTC), image.id)))


def scanned(past: Sequence[Survey], image: Image) -> History:
    """The history as a scan of every survey of the target, the latest included, finds it."""
    sightings = [(taken, seen) for taken in past for seen in taken.images if seen.id == image.id]
    changes = [later[0].finished_at for before, later in pairwise(sightings) if before[1].status != later[1].status]
    used = list(uses(past, image))
    watched = [taken.finished_at for taken, _ in sightings if taken.usage.problem is None]
    return History(
        sightings[0][0].finished_at,
        watched[0] if watched else None,
        changes[-1] if changes else None,
        used[-1] if used else None,
        used[-1] if used else None,
    )


def uses(past: Sequence[Survey], image: Image) -> Iterator[datetime]:
    """When it was in use: as seen, and for as long as the kind of a user that was seen cannot be read."""
    users: set[User] = set()
    for taken in past:
        if taken.usage.problem is None:
            unread = {user for user in users if any(one.covers(user.kind, user.source) for one in taken.usage.unread)}
            users = unread | set(taken.usage.by_image.get(image.identity, ()))
            if users:
                yield taken.finished_at


class Simulation:
    """Records night after night, and remembers what was recorded, each as it should be read back."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.past: dict[str, list[Survey]] = {"prod": [], "dev": []}
        self.surveys: list[dict[str, Survey]] = []
        self.results: list[RunResult] = []

    def run(self, night: dict[str, object]) -> None:
        started_at = instant(len(self.results)) - timedelta(minutes=2)
        run = self.store.begin_run(Mode.DRY_RUN, started_at)
        self.surveys.append({})
        targets = tuple(self.clean(run, target, what) for target, what in night.items() if what is not None)
        result = RunResult(run, Mode.DRY_RUN, Outcome.OK, started_at, instant(len(self.results)), targets)
        self.store.finish_run(result)
        self.results.append(result)

    def clean(self, run: int, target: str, what: object) -> TargetResult:
        result = TargetResult(target, Outcome.FAILED, "no answer")
        if isinstance(what, tuple):
            fleet, usage, verdicts = what
            self.record(run, target, survey(len(self.results), *fleet, usage=usage))
            if verdicts is not None:
                decisions = self.decide(run, target, in_order(fleet), verdicts)
                result = TargetResult(target, Outcome.OK, None, SurveySummary(len(fleet), len(fleet)), decisions)
        self.store.finish_target(run, result)
        return result

    def record(self, run: int, target: str, taken: Survey) -> None:
        histories = self.store.record_survey(run, target, taken)
        self.past[target].append(taken)
        assert histories == {image.id: scanned(self.past[target], image) for image in taken.images}
        self.surveys[-1][target] = replace(taken, images=in_order(taken.images))

    def decide(self, run: int, target: str, images: Sequence[Image], verdicts: list[tuple]) -> tuple[Decision, ...]:  # type: ignore[type-arg]
        decisions = tuple(
            Decision(image, verdict, policy, reason, detail, due)
            for image, (verdict, reason, policy, detail, due) in zip(images, verdicts, strict=False)
        )
        self.store.record_decisions(run, target, decisions)
        return decisions


@settings(max_examples=60, deadline=None)
@given(nights=NIGHTS)
def test_every_run_reads_back_exactly_whatever_came_later(nights: list[dict[str, object]]) -> None:
    with tempfile.TemporaryDirectory() as folder, Store.open(new_database(Path(folder) / "janitor.db")) as store:
        simulation = Simulation(store)
        for night in nights:
            simulation.run(night)
        for result, surveys in zip(simulation.results, simulation.surveys, strict=True):
            assert store.surveys(result.run) == surveys
            assert store.load_run(result.run) == result
            for target, taken in surveys.items():
                assert store.own_images(target, result.run) == {image.id for image in taken.images if owns(image)}
        for target in store.targets():
            check_single_images(store, target)
        with store._file.reading() as db:
            assert db.execute(OF_ANOTHER_PRESENCE).fetchall() == []
        for target, past in simulation.past.items():
            for image in {image.id: image for taken in past for image in taken.images}.values():
                assert store.history_of(target, image.id) == scanned(past, image)


def check_single_images(store: Store, target: str) -> None:
    """What is read of one image of the latest survey is what the whole of it says of that image."""
    run = store.latest_survey(target)
    assert run is not None
    whole, [reported] = store.surveys(run)[target], [t for t in store.load_run(run).targets if t.target == target]
    for image_id in ("a", "b", "c", "D%_", "é'\""):
        listed = tuple(image for image in whole.images if image.id == image_id)
        using = {image: users for image, users in whole.usage.by_image.items() if image == folded(image_id)}
        alone = replace(whole, images=listed, usage=replace(whole.usage, by_image=using))
        assert store.survey_of(target, image_id) == (run, alone)
        decided = [decision for decision in reported.decisions if decision.image.id == image_id]
        assert store.decision_of(run, target, image_id) == next(iter(decided), None)


OF_ANOTHER_PRESENCE = """
SELECT image FROM images i
WHERE present <> EXISTS (SELECT 1 FROM image_facts f WHERE f.image_key = i.image_key AND f.until_run IS NULL)
"""
FACTS = {
    "name": None,
    "status": "deactivated",
    "public": True,
    "protected": True,
    "created_at": None,
    "updated_at": EPOCH + timedelta(microseconds=1),
    "size": None,
    "disk_format": "raw",
    "min_disk": None,
    "min_ram": 1,
    "properties": None,
    "owned": False,
    "unreadable": {"size": "big"},
}


@pytest.mark.parametrize("fact", FACTS)
def test_each_fact_that_changes_makes_one_row(store: Store, fact: str) -> None:
    record(store, survey(0, IMAGE))
    changed = IMAGE.replace(**{fact: FACTS[fact]})
    run, _ = record(store, survey(1, changed))
    assert rows(store, "image_facts") == 2
    assert store.surveys(run)["prod"].images == (changed,)
    assert store.surveys(run - 1)["prod"].images == (IMAGE,)


def test_an_image_that_comes_back_keeps_what_was_known_of_it(store: Store) -> None:
    record(store, survey(0, IMAGE))
    record(store, survey(1))
    _, histories = record(store, survey(2, IMAGE.replace(status="deactivated")))
    assert histories["a"] == History(instant(0), instant(0), status_since=instant(2))
    assert rows(store, "images") == 1


def test_the_watch_begins_when_the_usage_can_be_read(store: Store) -> None:
    unreadable = Usage(problem="no answer")
    _, first = record(store, survey(0, IMAGE, usage=unreadable))
    _, second = record(store, survey(1, IMAGE))
    assert (first["a"].watched_since, second["a"].watched_since) == (None, instant(1))


def test_a_use_is_not_over_because_nobody_could_look(store: Store) -> None:
    used = usage_of({"a": (User("i1", "web"),)})
    record(store, survey(0, IMAGE, usage=used))
    blind, histories = record(store, survey(1, IMAGE, usage=Usage(problem="no answer")))
    assert histories["a"].last_in_use == instant(0), "what nobody saw is not claimed"
    assert store.surveys(blind)["prod"].usage == Usage(problem="no answer")
    seeing, histories = record(store, survey(2, IMAGE, usage=used))
    assert histories["a"].last_in_use == instant(2)
    assert rows(store, "uses") == 1
    _, histories = record(store, survey(3, IMAGE))
    assert histories["a"].last_in_use == instant(2)
    assert store.surveys(seeing)["prod"].usage == used


def test_a_use_counts_whatever_case_the_image_list_writes_its_id_in(store: Store) -> None:
    _, histories = record(store, survey(0, IMAGE.replace(id=" A"), usage=usage_of({"a": (User("i1", "web"),)})))
    assert histories[" A"].last_in_use == instant(0)


def test_the_same_id_in_two_targets_is_two_images(store: Store) -> None:
    record(store, survey(0, IMAGE), "prod")
    _, histories = record(store, survey(1, IMAGE.replace(status="killed")), "dev")
    assert histories["a"] == History(instant(1), instant(1))


def test_a_run_that_was_overtaken_cannot_record(store: Store) -> None:
    slow = store.begin_run(Mode.DELETE, EPOCH)
    store.record_survey(slow, "dev", survey(0, IMAGE))
    fast = store.begin_run(Mode.DELETE, EPOCH)
    store.finish_target(fast, TargetResult("prod", Outcome.FAILED, "no answer"))
    store.record_survey(slow, "prod", survey(0, IMAGE))  # the faster one has not seen this target
    store.record_survey(fast, "dev", survey(1))
    late = store.begin_run(Mode.DRY_RUN, EPOCH)
    store.record_survey(late, "lab", survey(2))
    with pytest.raises(StoreError, match=f"run {late} has recorded lab during run {fast}: start one run at a time"):
        store.record_survey(fast, "lab", survey(1, IMAGE))
    with pytest.raises(StoreError, match=f"run {fast} has recorded dev during run {slow}"):
        store.record_decisions(slow, "dev", [Decision(IMAGE, Verdict.DELETE, "p", Reason.EXPIRED, "old")])
    assert store.surveys(fast)["dev"].images == ()


def test_a_survey_that_cannot_be_stored_leaves_no_trace(store: Store) -> None:
    record(store, survey(0, IMAGE))
    run = store.begin_run(Mode.DRY_RUN, instant(1))
    with pytest.raises(StoreError, match="cannot be stored"):
        store.record_survey(run, "prod", survey(1, IMAGE.replace(size=0), IMAGE.replace(id="b", size=2**63)))
    with pytest.raises(StoreError, match="cannot be stored"):
        store.record_survey(run, "prod", survey(1, IMAGE.replace(name="\ud800")))
    assert store.surveys(run) == {}
    assert (rows(store, "image_facts"), rows(store, "images")) == (1, 1)


def fleet(size: int) -> tuple[Image, ...]:
    chance = random.Random(1)
    return tuple(
        IMAGE.replace(
            id=str(uuid.UUID(int=chance.getrandbits(128))),
            name=f"ci-web-{number}",
            created_at=EPOCH - timedelta(seconds=chance.randrange(10**7)),
        )
        for number in range(size)
    )


def kept(images: Sequence[Image]) -> tuple[Decision, ...]:
    return tuple(Decision(image, Verdict.KEEP, "ci", Reason.TOO_YOUNG, "expires then", EPOCH) for image in images)


def test_an_unchanged_fleet_adds_less_than_8_kib_a_run_and_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "janitor.db"
    images, sizes, counts = fleet(1000), [], set()
    usage = usage_of({images[0].id: (User("i1", "web"),)})
    for night in range(21):
        with Store.open(path) as store:
            run, _ = record(store, survey(night, *images, usage=usage))
            store.record_decisions(run, "prod", kept(images))
            target = TargetResult("prod", Outcome.OK, None, SurveySummary(1000, 1000), kept(images))
            store.finish_target(run, target)
            store.finish_run(RunResult(run, Mode.DRY_RUN, Outcome.OK, EPOCH, EPOCH, (target,)))
            counts.add(tuple(rows(store, table) for table in ("images", "image_facts", "decisions", "uses")))
        sizes.append(path.stat().st_size)
        images = images[::-1]  # the order of the list does not matter
    assert counts == {(1000, 1000, 1000, 1)}
    assert (sizes[-1] - sizes[0]) / 20 < 8 * 1024


DECIDED = {
    "verdict": Verdict.DELETE,
    "policy": None,
    "reason": Reason.EXPIRED,
    "detail": "",
    "due": EPOCH + timedelta(microseconds=1),
}


@pytest.mark.parametrize("part", DECIDED)
def test_each_part_of_a_decision_that_changes_makes_one_row(store: Store, part: str) -> None:
    images = in_order(fleet(20))
    before = kept(images)
    after = (before[0].replace(**{part: DECIDED[part]}), *before[1:])
    for night, decisions in enumerate([before, before, after, after]):
        run, _ = record(store, survey(night, *images))
        store.record_decisions(run, "prod", decisions)
    assert rows(store, "decisions") == 21
    assert [store.load_run(run).targets[0].decisions for run in (1, 2, 3, 4)] == [before, before, after, after]


def test_an_image_that_is_not_decided_on_has_no_decision_left_over(store: Store) -> None:
    images = in_order(fleet(2))
    for night, decisions in enumerate([kept(images), kept(images[:1])]):
        run, _ = record(store, survey(night, *images))
        store.record_decisions(run, "prod", decisions)
    assert store.load_run(run).targets[0].decisions == kept(images[:1])
