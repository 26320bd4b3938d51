"""The past, read for a backtest: all of it as it was at one moment."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from janitor.core.names.image_ids import ImageId
from janitor.core.replay.afterwards import Afterwards
from janitor.core.replay.nights import Lost, RecordedNight, Since
from janitor.store.connection import Connection
from janitor.store.history.afterwards import afterwards_of
from janitor.store.history.nights import lost_of, nights_of
from janitor.store.surveys import recorded
from janitor.store.transactions import OnFile


class Past:
    """What is recorded, as of the beginning of one transaction."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def targets(self) -> list[str]:
        """The names of all targets that any run surveyed."""
        return recorded.targets(self._db)

    def nights(self, target: str, since: Since | None = None) -> Iterator[RecordedNight]:
        """The nights of a target in their order: of that time, or all whose details are kept.

        What a night holds may change when the next is asked for.
        """
        return nights_of(self._db, target, since)

    def afterwards(self, target: str, images: Collection[ImageId], since: int) -> Afterwards:
        """What is recorded about these images of a target from a run on: as listed, used, exempted and shared."""
        return afterwards_of(self._db, target, images, since)

    def lost(self, target: str, since: Since | None = None) -> Lost:
        """The nights of the same time that cannot be replayed."""
        return lost_of(self._db, target, since)


class Backtests(OnFile):
    """Reads the nights of the past, and what was done afterwards."""

    @contextmanager
    def past(self) -> Iterator[Past]:
        """What is recorded, as one transaction; no other method of the store may be used within it."""
        with self._file.reading() as db:
            yield Past(db)
