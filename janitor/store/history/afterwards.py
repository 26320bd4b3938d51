"""What was recorded about images after the nights in which policies would have deleted them: a few queries for all."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime

from janitor.core.image import Sharing
from janitor.core.memory import Exemption
from janitor.core.names.image_ids import ImageId, folded
from janitor.core.names.spelling import normal
from janitor.core.needs import PARTS
from janitor.core.replay.afterwards import Afterwards, Listed, Runs, Surveyed, Used
from janitor.core.result import DeletionOutcome
from janitor.core.usage import Source, Unread, User, UserKind, called
from janitor.store.basis import zone_named
from janitor.store.columns import IMAGE, names
from janitor.store.connection import Connection
from janitor.store.rows import image_of, instant
from janitor.store.surveys.uses import asked_in, unread_in
from janitor.store.values import from_json


def afterwards_of(db: Connection, target: str, images: Collection[ImageId], since: int) -> Afterwards:
    """What is recorded about these images of a target from a run on: as listed, used, exempted and shared."""
    rebound = tuple((run, instant(at)) for run, at in db.execute(_REBOUND, (target,)))
    return Afterwards(
        _surveys(db, target, [run for run, _ in rebound], _unread_elsewhere(db, target, images)),
        rebound,
        _listed(db, target, images, since),
        _used(db, target, images, since),
        tuple(_needing(db, target, since)),
        _granted(db, images),
        tuple((from_json(Exemption, value), (first, end)) for value, first, end in db.execute(_IN_FILES, (since,))),
        _shared(db, target, images),
        _deleted(db, images, since),
        _left_out(db, target, images, since),
    )


def _unread_elsewhere(db: Connection, target: str, images: Collection[ImageId]) -> frozenset[int]:
    """The runs that could not read all that uses images in another target which has listed one of these, too."""
    others = (json.dumps(sorted(images)), target)
    return frozenset(run for (run,) in db.execute(_UNREAD_ELSEWHERE, others))


def _surveys(
    db: Connection, target: str, rebound: Collection[int], unread_elsewhere: Collection[int]
) -> tuple[Surveyed, ...]:
    found = []
    before, had = 0, set[tuple[Source, str]]()
    for run, at, zone, problem, parts, readings, accepted in db.execute(_SURVEYS, (target,)):
        unread = unread_in(parts)
        if any(before <= each < run for each in rebound):  # another account has other services
            had = set()
        before, asked = run, asked_in(readings)
        not_asked = set() if asked is None else had - asked.keys()
        had |= set() if asked is None else asked.keys()
        found.append(
            Surveyed(
                run,
                instant(at),
                None if zone is None else zone_named(zone),
                problem is None,
                problem is None and not unread and not not_asked and run not in unread_elsewhere,
                # Where it was recorded which uses a survey could not see, these are cut off below.
                frozenset[Unread]() if readings is not None else unread,
                bool(accepted),
                frozenset(called(*each) for each in not_asked),
            )
        )
    return tuple(found)


def _listed(db: Connection, target: str, images: Collection[ImageId], since: int) -> dict[ImageId, list[Listed]]:
    # The same image may be listed by several spellings of its id, each of which has a key of its own.
    keys = [key for key, image in db.execute(_IMAGES, (target,)) if folded(image) in images]
    found: defaultdict[ImageId, list[Listed]] = defaultdict(list)
    for image, first, end, *facts in db.execute(_FACTS, (json.dumps(keys), since)):
        found[folded(image)].append(Listed(image_of(image, facts), (first, end)))
    return found


def _used(db: Connection, target: str, images: Collection[ImageId], since: int) -> dict[ImageId, list[Used]]:
    found: defaultdict[ImageId, list[Used]] = defaultdict(list)
    for image, user, name, kind, source, first, end, told_of in db.execute(_USES, (since,)):
        if (key := folded(image)) in images:
            elsewhere = None if told_of == target else told_of
            found[key].append(Used(User(user, name, UserKind(kind), source), (first, end), elsewhere))
    return found


def _needing(db: Connection, target: str, since: int) -> Iterable[Listed]:
    for image, first, end, *facts in db.execute(_NEEDING, (target, since)):
        yield Listed(image_of(image, facts), (first, end))


def _granted(db: Connection, images: Collection[ImageId]) -> dict[ImageId, list[tuple[Exemption, datetime]]]:
    # Of whatever target: an exemption counts for every image of this id.
    found: defaultdict[ImageId, list[tuple[Exemption, datetime]]] = defaultdict(list)
    for image, until, why, who, at in db.execute(_GRANTED):
        if (key := folded(normal(image))) in images:
            found[key].append((Exemption(image, instant(until), why, who), instant(at)))
    return found


def _shared(db: Connection, target: str, images: Collection[ImageId]) -> dict[ImageId, list[tuple[Sharing, Runs]]]:
    found: defaultdict[ImageId, list[tuple[Sharing, Runs]]] = defaultdict(list)
    for image, value, first, end in db.execute(_SHARED, (target,)):
        if (key := folded(image)) in images:
            found[key].append((from_json(Sharing, value), (first, end)))
    return found


def _deleted(db: Connection, images: Collection[ImageId], since: int) -> dict[ImageId, set[int]]:
    found: defaultdict[ImageId, set[int]] = defaultdict(set)
    for run, image in db.execute(_DELETED, (since, DeletionOutcome.DELETED)):
        if (key := folded(image)) in images:
            found[key].add(run)
    return found


def _left_out(
    db: Connection, target: str, images: Collection[ImageId], since: int
) -> dict[ImageId, list[tuple[int, str]]]:
    found: defaultdict[ImageId, list[tuple[int, str]]] = defaultdict(list)
    for run, image, detail in db.execute(_LEFT_OUT, (target, since)):
        if (key := folded(image)) in images:
            found[key].append((run, detail or "no reason recorded"))
    return found


_UNREAD_ELSEWHERE = """
SELECT s.run FROM surveys s
WHERE s.target IN (
    SELECT i.target FROM images i WHERE i.image IN (SELECT value FROM json_each(?)) AND i.target <> ?
) AND (s.finished_at IS NULL OR s.usage_problem IS NOT NULL OR json_array_length(s.usage_unread) > 0)
"""
_SURVEYS = """
SELECT s.run, s.finished_at, r.zone, s.usage_problem, s.usage_unread, s.usage_readings,
    s.good OR s.protected IS NULL
FROM surveys s JOIN runs r ON r.run = s.run
WHERE s.target = ? AND s.finished_at IS NOT NULL ORDER BY s.run
"""
_REBOUND = "SELECT after_run, at FROM rebindings WHERE target = ? ORDER BY after_run, rebinding"
_IMAGES = "SELECT image_key, image FROM images WHERE target = ?"
_FACTS = f"""
SELECT i.image, f.from_run, f.until_run, {names(IMAGE, "f")}
FROM json_each(?) k JOIN images i ON i.image_key = k.value JOIN image_facts f ON f.image_key = i.image_key
WHERE f.until_run IS NULL OR f.until_run > ? ORDER BY f.from_run, i.image
"""  # noqa: S608 - the names of columns
# A use is not seen from the run on in which its source could not be read.
_USES = """
SELECT image, instance, instance_name, kind, source, from_run,
    CASE WHEN carried_from IS NULL THEN until_run WHEN until_run IS NULL THEN carried_from
        ELSE min(until_run, carried_from) END, target
FROM uses WHERE until_run IS NULL OR until_run > ?
ORDER BY from_run, image, instance_name, instance
"""
_NEEDING = f"""
SELECT i.image, f.from_run, f.until_run, {names(IMAGE, "f")}
FROM images i JOIN image_facts f ON f.image_key = i.image_key
WHERE i.target = ? AND (f.until_run IS NULL OR f.until_run > ?)
    AND ({" OR ".join(f"f.properties LIKE '%{key}%'" for key in PARTS)} OR f.unreadable LIKE '%properties%')
ORDER BY f.from_run, i.image
"""  # noqa: S608 - the names of columns and properties
_GRANTED = "SELECT image, until, why, who, created_at FROM exemptions ORDER BY created_at, exemption"
_IN_FILES = """
SELECT value, from_run, until_run FROM file_exemptions WHERE until_run IS NULL OR until_run > ?
ORDER BY from_run, position
"""
_DELETED = """
SELECT run, image FROM deletions WHERE run >= ? AND coalesce(confirmed_outcome, settled_outcome, outcome) = ?
"""
_LEFT_OUT = "SELECT run, image, detail FROM mentions WHERE target = ? AND run >= ? AND kind = 'changed' ORDER BY run"
_SHARED = """
SELECT image, value, from_run, until_run FROM grounds WHERE target = ? AND kind = 'sharing' ORDER BY from_run, image
"""
