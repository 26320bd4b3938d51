"""Snapshots: what a survey saw, recorded as changes since the survey before it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from janitor.core.image import Image
from janitor.core.memory import History
from janitor.core.names.image_ids import ImageId, folded
from janitor.core.planning.plan import owns
from janitor.core.survey import Survey
from janitor.core.units import iso
from janitor.core.usage import Usage
from janitor.store.columns import IMAGE, names, places
from janitor.store.connection import Connection
from janitor.store.rows import Row, facts_of, instant, instant_or_none, values_in, values_of
from janitor.store.surveys.clocks import Clocks, record_clocks
from janitor.store.surveys.staging import NOTHING, Since, Staged
from janitor.store.surveys.uses import NEVER_USED, LastUses, last_uses, readings_json, record_uses
from janitor.store.trust.bindings import counts_after
from janitor.store.upgrading import Unfit


def record_survey(
    db: Connection, run: int, target: str, survey: Survey, also_named: Sequence[str] = (), staged: Staged = NOTHING
) -> dict[str, History]:
    """Record what a survey saw; returns the history of each of its images, this survey included, by id.

    Images that were `staged` while the survey went on are recorded from there.
    """
    check_not_overtaken(db, run, target)
    at = iso(survey.finished_at)
    owned = sum(map(owns, survey.images))
    used = record_uses(db, run, target, survey)
    db.execute(
        _ADD_SURVEY,
        {
            "run": run,
            "target": target,
            "started_at": iso(survey.started_at),
            "finished_at": at,
            "usage_problem": survey.usage.problem,
            "usage_unread": _unread_json(survey.usage),
            "usage_remarks": json.dumps(survey.usage.remarks) if survey.usage.remarks else None,
            "usage_readings": readings_json(survey.usage),
            "images": len(survey.images),
            "owned": owned,
            "also_named": json.dumps(also_named) if also_named else None,
        },
    )
    changes = _Changes(run, target, at, watching=survey.usage.problem is None, after=counts_after(db, target, run))
    histories = _compare(db, changes, survey, _Histories(used))
    _write(db, changes, survey.digests, staged)
    return histories


def _unread_json(usage: Usage) -> str | None:
    """The sources that could not be read, each with its part; NULL for none."""
    parts = [(unread.source.value, unread.part) for unread in sorted(usage.unread)]
    return json.dumps(parts) if parts else None


def check_not_overtaken(db: Connection, run: int, target: str) -> None:
    """Raises Unfit if a later run has recorded the target meanwhile: changes can only be recorded in order."""
    later = db.execute(_LATER, (target, run)).fetchone()
    if later:
        raise Unfit(f"run {later[0]} has recorded {target} during run {run}: start one run at a time")


def history_of(db: Connection, target: str, image_id: str) -> History | None:
    """The history of one image up to the latest survey, or None for an image never seen since its target was bound."""
    row = db.execute(_KNOWN, (target, image_id, counts_after(db, target))).fetchone()
    if row is None:
        return None
    return _Histories(last_uses(db, target)).of(row, folded(image_id))


_Since = tuple[str, str | None, str | None]
"""Since when an image is known, watched, and in its status."""


@dataclass(slots=True)
class _Memory:
    """The row of an image in `images`."""

    key: int
    first_seen: str
    watched_since: str | None
    status_since: str | None

    def clocks(self) -> Clocks:
        return (self.key, self.watched_since, self.status_since)

    def since(self) -> _Since:
        return (self.first_seen, self.watched_since, self.status_since)


class _Histories:
    """Makes the histories of images; equal ones are one object, as most images of a fleet have those of others."""

    def __init__(self, uses: LastUses) -> None:
        self._uses = uses
        self._made: dict[_Since, History] = {}

    def of(self, since: _Since, image_id: ImageId) -> History:
        history = self._made.get(since)
        if history is None:
            first_seen, *later = since
            history = self._made[since] = History(instant(first_seen), *map(instant_or_none, later))
        used = self._uses.of(image_id)
        return history if used is NEVER_USED else history.replace(**dict(zip(_USES, used, strict=True)))


_USES = ("last_in_use", "last_held", "unused_since")


@dataclass(slots=True)
class _Changes:
    """How a survey differs from the one before it; the knowledge of runs up to `after` no longer counts.

    Wide because each list of changes is written to the database by a statement of its own.
    """

    run: int
    target: str
    at: str
    watching: bool
    after: int = 0
    new: list[tuple[_Memory, Image]] = field(default_factory=list)
    opened: list[tuple[_Memory, Image]] = field(default_factory=list)
    rewritten: list[tuple[int, bytes]] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    remembered: list[_Memory] = field(default_factory=list)

    def remember(self, memory: _Memory, seen_in: int, status_before: str, image: Image) -> None:
        """Update what is carried over from survey to survey.

        `seen_in` is the run since which the image is as last seen.
        """
        if seen_in <= self.after:
            memory.first_seen, memory.watched_since = self.at, self.at if self.watching else None
            memory.status_since = None
            self.remembered.append(memory)
            return
        watched, changed = self.watching and memory.watched_since is None, status_before != image.status
        if watched:
            memory.watched_since = self.at
        if changed:
            memory.status_since = self.at
        if watched or changed:
            self.remembered.append(memory)


def _compare(db: Connection, changes: _Changes, survey: Survey, made: _Histories) -> dict[str, History]:
    unseen = {image.id: image for image in survey.images}
    histories: dict[str, History] = {}
    for image_id, seen_in, status, before, key, first_seen, watched_since, status_since in db.execute(
        _OPEN, (changes.target,)
    ):
        image = unseen.pop(image_id, None)
        if image is None:
            changes.gone.append(key)
            continue
        digest = survey.digests.get(image_id)
        as_before = digest is not None and digest == before and seen_in > changes.after
        if as_before and status == image.status and (watched_since or not changes.watching):
            histories[image.id] = made.of((first_seen, watched_since, status_since), image.identity)
            continue
        memory = _Memory(key, first_seen, watched_since, status_since)
        changes.remember(memory, seen_in, status, image)
        histories[image.id] = made.of(memory.since(), image.identity)
        if as_before:
            continue
        if seen_in <= changes.after or _facts_in_force(db, memory.key) != values_in(image):
            changes.closed.append(memory.key)
            changes.opened.append((memory, image))
        elif digest is not None:
            changes.rewritten.append((memory.key, digest))
    return histories | _newcomers(db, changes, unseen, made)


def _facts_in_force(db: Connection, key: int) -> Row:
    # One by one: a second copy of all images in memory would be larger than the first, and most are unchanged.
    return values_of(db.execute(_FACTS, (key,)).fetchone())


def _newcomers(db: Connection, changes: _Changes, unseen: dict[str, Image], made: _Histories) -> dict[str, History]:
    histories: dict[str, History] = {}
    seen_before = db.execute("SELECT 1 FROM images WHERE target = ? LIMIT 1", (changes.target,)).fetchone()
    for image_id, image in unseen.items():
        row = db.execute(_VANISHED, (changes.target, image_id)).fetchone() if seen_before else None
        if row is not None:
            memory = _Memory(*row[:4])
            changes.remember(memory, row[4], row[5], image)
            changes.opened.append((memory, image))
        else:
            memory = _Memory(0, changes.at, changes.at if changes.watching else None, None)
            changes.new.append((memory, image))
        histories[image.id] = made.of(memory.since(), image.identity)
    return histories


def _write(db: Connection, changes: _Changes, digests: Mapping[str, bytes], staged: Staged) -> None:
    run, new = changes.run, _without_staged(db, changes, staged)
    db.executemany(_ADD_IMAGE, ((m.key, changes.target, image.id, m.first_seen, m.watched_since) for m, image in new))
    db.executemany(_REMEMBER, ((m.first_seen, m.watched_since, m.status_since, m.key) for m in changes.remembered))
    record_clocks(db, run, (m.clocks() for m, _ in new), (m.clocks() for m in changes.remembered))
    db.executemany(_CLOSE_FACTS, ((run, key) for key in changes.closed + changes.gone))
    db.executemany(_CLOSE_DECISION, ((run, key) for key in changes.gone))
    opened = (*new, *changes.opened)
    db.executemany(_ADD_FACTS, ((m.key, run, *facts_of(image), digests.get(image.id)) for m, image in opened))
    db.executemany(_REWRITE, ((digest, key) for key, digest in changes.rewritten))


def _without_staged(db: Connection, changes: _Changes, staged: Staged) -> list[tuple[_Memory, Image]]:
    """The new images that were not staged, with their keys. Those that were are recorded."""
    (highest,) = db.execute("SELECT coalesce(max(image_key), 0) FROM images").fetchone()
    numbers = [staged.number(image) for _, image in changes.new]
    if any(numbers):
        watched = changes.at if changes.watching else None
        since = Since(changes.run, changes.target, changes.at, watched, highest)
        staged.record(db, since, (number for number in numbers if number is not None))
    rest = [new for new, number in zip(changes.new, numbers, strict=True) if number is None]
    for key, (memory, _image) in enumerate(rest, start=highest + 1 + len(staged.rows)):
        memory.key = key
    return rest


_ADD_SURVEY = """
INSERT INTO surveys (
    run, target, started_at, finished_at, usage_problem, usage_unread, usage_remarks, usage_readings, images, owned,
    also_named
) VALUES (
    :run, :target, :started_at, :finished_at, :usage_problem, :usage_unread, :usage_remarks, :usage_readings, :images,
    :owned, :also_named
)
"""
_LATER = "SELECT run FROM surveys WHERE target = ? AND run > ? AND finished_at IS NOT NULL ORDER BY run DESC LIMIT 1"
_OPEN = """
SELECT i.image, f.from_run, f.status, f.digest, i.image_key, i.first_seen, i.watched_since, i.status_since
FROM images i JOIN image_facts f ON f.image_key = i.image_key AND f.until_run IS NULL
WHERE i.target = ? AND i.present
"""
_FACTS = f"SELECT {names(IMAGE)} FROM image_facts WHERE image_key = ? AND until_run IS NULL"  # noqa: S608 - the names of columns
_VANISHED = """
SELECT i.image_key, i.first_seen, i.watched_since, i.status_since, f.from_run, f.status
FROM images i JOIN image_facts f ON f.image_key = i.image_key
WHERE i.target = ? AND i.image = ? ORDER BY f.from_run DESC LIMIT 1
"""
_KNOWN = """
SELECT first_seen, watched_since, status_since FROM images i WHERE target = ? AND image = ?
    AND EXISTS (SELECT 1 FROM image_facts f WHERE f.image_key = i.image_key AND f.from_run > ?)
"""
_ADD_IMAGE = "INSERT INTO images (image_key, target, image, first_seen, watched_since) VALUES (?, ?, ?, ?, ?)"
_REMEMBER = "UPDATE images SET first_seen = ?, watched_since = ?, status_since = ? WHERE image_key = ?"
_CLOSE_FACTS = "UPDATE image_facts SET until_run = ? WHERE image_key = ? AND until_run IS NULL"
_REWRITE = "UPDATE image_facts SET digest = ? WHERE image_key = ? AND until_run IS NULL"
_CLOSE_DECISION = "UPDATE decisions SET until_run = ? WHERE image_key = ? AND until_run IS NULL"
_ADD_FACTS = f"INSERT INTO image_facts (image_key, from_run, {names(IMAGE)}, digest) VALUES (?, ?, {places(IMAGE)}, ?)"  # noqa: S608 - the names of columns
