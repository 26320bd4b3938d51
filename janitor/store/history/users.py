"""What used the images of a target, night after night, and when each image was last in use, as each night knew it."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from janitor.core.names.image_ids import ImageId, folded
from janitor.core.replay.nights import LastUse, Removed
from janitor.core.usage import User, UserKind
from janitor.store.connection import Connection
from janitor.store.history.streams import Stream
from janitor.store.rows import Row, instant, instant_or_none
from janitor.store.surveys.uses import NEVER_USED


@dataclass(frozen=True, slots=True)
class _Use:
    """A row of `uses`: how the image is spelled there, its user, and the runs in which that changed."""

    image: str
    user: User
    begun: int
    over: int | None
    last_seen: datetime | None
    deleted_in: int | None
    carried_from: int | None

    def holds(self, run: int) -> bool:
        return self.over is None or self.over > run

    def changes(self) -> Iterable[int]:
        return (run for run in (self.over, self.deleted_in, self.carried_from) if run is not None)


class Users:
    """The uses up to a run, from the `first` one on; `by_image` is what a survey saw, and changes with each `advance`.

    A survey that could not read the usage changes nothing.
    """

    def __init__(self, db: Connection, target: str, first: int) -> None:
        self.by_image: dict[ImageId, tuple[User, ...]] = {}
        self._rows: dict[ImageId, list[_Use]] = defaultdict(list)
        self._changing: dict[int, set[ImageId]] = defaultdict(set)
        self._used_by: dict[ImageId, set[ImageId]] = defaultdict(set)
        self._last: dict[ImageId, LastUse] = {}
        self._moving: set[ImageId] = set()
        self._good: list[datetime] = []
        self._accepted = [(run, instant(at)) for run, at in db.execute(_GOOD, (target,))]
        self._now = instant_or_none(db.execute(_READABLE, (target, first)).fetchone()[0])
        self._after = self._run = -1
        self._rows_begun = Stream(db, _USES, (target,))

    def of(self, image: ImageId) -> LastUse:
        """When an image was in use, as the latest run knew it."""
        return self._last.get(image, NEVER_USED)

    def used_by(self, image: ImageId) -> Collection[ImageId]:
        """The images that this image has ever used."""
        return self._used_by.get(image, ())

    def last_without(self, image: ImageId, removed: Removed, until: datetime | None) -> LastUse:
        """When an image was last in use if these had been removed, and if something else had used it until then."""
        used, held = self._latest(image, removed)
        if until is not None:
            used, held = max(used or until, until), max(held or until, until)
        return used, held, self._unused_after(held)

    def advance(
        self, run: int, after: int, readable_at: datetime | None
    ) -> tuple[list[tuple[ImageId, User]], set[ImageId]]:
        """Go on to a run, before which those up to `after` do not count, and whose survey could read the usage then.

        Returns the uses that were over, and the images for which `of` may have changed.
        """
        self._run = run
        self._now = readable_at or self._now
        changed = self._begin(run)
        for at in [at for at in self._changing if at <= run]:
            changed |= self._changing.pop(at)
        ended = [(image, use.user) for image in changed for use in self._rows[image] if use.over == run]
        if after != self._after:
            self._after = after
            changed = set(self._rows)
        self._good = [at for accepted, at in self._accepted if after < accepted < run]
        for image in changed:
            self._see(image, run)
        moved = changed | self._moving
        for image in moved:
            self._date(image)
        return ended, moved

    def _begin(self, run: int) -> set[ImageId]:
        begun = set()
        for row in self._rows_begun.until(run):
            use, image = _use(row), folded(row[1])
            self._rows[image].append(use)
            begun.add(image)
            if use.user.kind is UserKind.IMAGE:
                self._used_by[folded(use.user.id)].add(image)
            for later in use.changes():
                if later > run:
                    self._changing[later].add(image)
        return begun

    def _see(self, image: ImageId, run: int) -> None:
        """What a survey saw using an image: what it could not read, and is known from before, is not in it."""
        seen = [
            use for use in self._rows[image] if use.holds(run) and (use.carried_from is None or use.carried_from > run)
        ]
        if seen:
            seen.sort(key=lambda use: (use.image, use.user.name, use.user.id))
            self.by_image[image] = tuple(use.user for use in seen)
        else:
            self.by_image.pop(image, None)

    def _date(self, image: ImageId) -> None:
        used, held = self._latest(image, {})
        unused = self._unused_after(held)
        self._last[image] = (used, held, unused)
        goes_on = any(use.holds(self._run) for use in self._rows[image] if use.begun > self._after)
        if goes_on or (held is not None and unused is None):
            self._moving.add(image)
        else:
            self._moving.discard(image)

    def _latest(self, image: ImageId, removed: Removed) -> tuple[datetime | None, datetime | None]:
        """When an image was last in use, and last held, if these had been removed."""
        used = held = None
        for use in self._rows.get(image, ()):
            seen = self._seen(use, removed) if use.begun > self._after else None
            if seen is None:
                continue
            used = seen if used is None else max(used, seen)
            if use.deleted_in is None or use.deleted_in > self._run:
                held = seen if held is None else max(held, seen)
        return used, held

    def _seen(self, use: _Use, removed: Removed) -> datetime | None:
        """When a use was last seen, if these had been removed."""
        seen = self._now if use.holds(self._run) else use.last_seen
        if seen is None or use.user.kind is not UserKind.IMAGE or not removed:
            return seen
        run, at = removed.get(folded(use.user.id), (None, seen))
        return None if run is not None and use.begun > run else min(seen, at)

    def _unused_after(self, held: datetime | None) -> datetime | None:
        place = len(self._good) if held is None else bisect_right(self._good, held)
        return self._good[place] if place < len(self._good) else None


def _use(row: Row) -> _Use:
    begun, image, user, name, kind, source, over, last_seen, deleted_in, carried_from = row
    told = User(user, name, UserKind(kind), source)
    return _Use(image, told, begun, over, instant_or_none(last_seen), deleted_in, carried_from)


_USES = """
SELECT from_run, from_run, image, instance, instance_name, kind, source, until_run, last_seen, deleted_in_run,
    carried_from
FROM uses WHERE target = ? ORDER BY from_run
"""
_GOOD = "SELECT run, finished_at FROM surveys WHERE target = ? AND good ORDER BY run"
_READABLE = """
SELECT max(finished_at) FROM (
    SELECT finished_at FROM surveys
    WHERE target = ? AND run < ? AND finished_at IS NOT NULL AND usage_problem IS NULL ORDER BY run DESC LIMIT 1
)
"""
