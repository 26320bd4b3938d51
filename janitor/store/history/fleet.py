"""The images of a target, what uses them and their histories, night after night: only what changed is read again."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from janitor.core.image import Image
from janitor.core.memory import History
from janitor.core.names.image_ids import ImageId
from janitor.core.replay.nights import Change
from janitor.core.usage import Unread, User, UserKind
from janitor.store.columns import IMAGE, covering, names
from janitor.store.connection import Connection
from janitor.store.history.streams import Stream
from janitor.store.history.users import Users
from janitor.store.rows import Row, image_of, instant, instant_or_none
from janitor.store.trust.bindings import counts_after

_Clocks = tuple[datetime, datetime | None, datetime | None]
"""Since when an image is known, watched, and in its status."""


class Fleet:
    """What the surveys of a target saw, from a run on, and what they knew from before; it changes with each `advance`.

    `images` are those that a survey listed, by id; `histories` those of all images that any of the surveys did, and
    `uses` what uses images, by folded id. `past_uses` also has what did before.
    """

    def __init__(self, db: Connection, target: str, first: int) -> None:
        self._db, self._target = db, target
        self.images: dict[str, Image] = {}
        self.histories: dict[str, History] = {}
        self._listed: dict[int, Image] = {}
        self._known: dict[int, Image] = {}
        self._clocks: dict[int, _Clocks] = {}
        self._unrecorded: set[int] = set()
        self._keys: dict[ImageId, set[int]] = defaultdict(set)
        self._after: int | None = None
        self._latest_after = counts_after(db, target)
        self._over = Stream(db, _OVER, (first, target))
        self._begun = Stream(db, _BEGUN, (target, first))
        self._ticked = Stream(db, _TICKED, (target, first))
        self._first = first
        self._users = self.past_uses = Users(db, target, first)
        self.uses = self._users.by_image

    @property
    def clocks_known(self) -> bool:
        """Whether the clocks of all listed images were recorded; otherwise they are what is known of them since."""
        return self._unrecorded.isdisjoint(self._listed)

    def uses_besides(self, unread: frozenset[Unread]) -> dict[ImageId, tuple[User, ...]]:
        """What uses images, without what these sources may have told of."""
        kept = (
            (image, tuple(user for user in users if not any(one.covers(user.kind, user.source) for one in unread)))
            for image, users in self.uses.items()
        )
        return {image: users for image, users in kept if users}

    def advance(self, run: int, at: datetime, readable_at: datetime | None) -> Change:
        """Go on to the next survey, which ended at this instant; returns what differs from the one before.

        `readable_at` is that instant, too, where the survey could read the usage.
        """
        after = counts_after(self._db, self._target, run)
        gone = {key for (key,) in self._over.until(run)}
        opened = {key: image_of(image, facts) for key, image, *facts in self._new(run)}
        left = {self._listed[key].id: self._listed[key] for key in gone - opened.keys() if key in self._listed}
        for image_id, image in left.items():
            del self.images[image_id]
            for key in self._keys[image.identity] & gone:
                self._listed.pop(key, None)
        moved = self._date(run, at, after, opened)
        for key, image in opened.items():
            self._listed[key] = self._known[key] = self.images[image.id] = image
            self._keys[image.identity].add(key)
        ended, used = self._users.advance(run, after, readable_at)
        moved |= {key for image in used for key in self._keys.get(image, ())}
        for key in moved:
            image = self._known[key]
            self.histories[image.id] = History(*self._clocks[key], *self._users.of(image.identity))
        left_users = [(image, user) for image, user in ended if user.kind is UserKind.IMAGE and user.id in left]
        return Change(list(opened.values()), left, frozenset(), left_users)

    def _new(self, run: int) -> Iterable[Row]:
        """The images that a survey saw first, or changed: their keys, ids and facts. Of the first survey, all."""
        if run == self._first:
            return self._db.execute(_LISTED, {"target": self._target, "run": run})
        return self._begun.until(run)

    def _date(self, run: int, at: datetime, after: int, opened: dict[int, Image]) -> set[int]:
        """Take over the clocks of images as a run knew them; returns the keys of those that may have changed."""
        ticked = list(self._ticked.until(run))
        # What `images` says of them counts now; where a target was bound to another account since, less did then.
        if after == self._after == self._latest_after:
            for key, first_seen, watched, status in ticked:
                self._clocks[key] = (instant(first_seen), instant_or_none(watched), instant_or_none(status))
                self._unrecorded.discard(key)
            moved = {key for key, *_ in ticked} | opened.keys()
            rows = [row for key in opened.keys() - self._clocks.keys() for row in self._clocks_at(run, after, key)]
        else:
            self._after, moved = after, set(self._listed.keys() | opened.keys())
            rows = self._clocks_at(run, after, None)
        for key, *clocks in rows:
            self._clocks[key] = self._as_known(key, at, *clocks)
        for key in opened.keys() & self._unrecorded & self._known.keys():
            if self._known[key].status != opened[key].status:
                self._clocks[key] = (*self._clocks[key][:2], at)
        return moved & (self._known.keys() | opened.keys())

    def _clocks_at(self, run: int, after: int, key: int | None) -> list[Row]:
        as_now = after == self._latest_after
        values = {"run": run, "target": self._target, "after": after, "as_now": as_now, "key": key}
        return self._db.execute(_CLOCKS if key is None else _CLOCKS_OF_ONE, values).fetchall()

    def _as_known(
        self, key: int, at: datetime, seen: str, recorded: int | None, watched: str, status: str, *latest: str | None
    ) -> _Clocks:
        """The clocks of an image. If they were not recorded then, what is known of it since and was so before."""
        self._unrecorded.discard(key)
        if recorded is not None:
            return instant(seen), instant_or_none(watched), instant_or_none(status)
        self._unrecorded.add(key)
        later = (instant_or_none(each) for each in latest)
        watched_since, status_since = (each if each is not None and each <= at else None for each in later)
        return instant(seen), watched_since, status_since


_FACTS = f"i.image_key, i.image, {names(IMAGE, 'f')}"
_LISTED = f"""
SELECT {_FACTS} FROM images i JOIN image_facts f ON f.image_key = i.image_key
WHERE i.target = :target AND {covering("f", "run")}
"""  # noqa: S608 - the names of columns, as below
_BEGUN = f"""
SELECT f.from_run, {_FACTS} FROM images i JOIN image_facts f ON f.image_key = i.image_key
WHERE i.target = ? AND f.from_run > ? ORDER BY f.from_run
"""  # noqa: S608
_OVER = """
SELECT f.until_run, f.image_key FROM image_facts f CROSS JOIN images i ON i.image_key = f.image_key
WHERE f.until_run > ? AND i.target = ? ORDER BY f.until_run
"""
_TICKED = """
SELECT c.from_run, c.image_key, i.first_seen, c.watched_since, c.status_since
FROM images i JOIN image_clocks c ON c.image_key = i.image_key
WHERE i.target = ? AND c.from_run > ? ORDER BY c.from_run
"""
_CLOCKS = f"""
SELECT i.image_key, CASE WHEN :as_now THEN i.first_seen ELSE (
    SELECT s.finished_at FROM image_facts g JOIN surveys s ON s.target = i.target AND s.run = g.from_run
    WHERE g.image_key = i.image_key AND g.from_run > :after ORDER BY g.from_run LIMIT 1
) END, c.from_run, c.watched_since, c.status_since, i.watched_since, i.status_since
FROM images i
JOIN image_facts f ON f.image_key = i.image_key
    AND {covering("f", "run")}
LEFT JOIN image_clocks c ON c.image_key = i.image_key
    AND {covering("c", "run")}
WHERE i.target = :target
"""  # noqa: S608 - conditions of ours
_CLOCKS_OF_ONE = f"{_CLOCKS} AND i.image_key = :key"
