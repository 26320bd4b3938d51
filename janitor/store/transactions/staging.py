"""A survey that is recorded while it goes on, as far as that can be undone."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import count

from janitor.core.image import Image
from janitor.core.memory import History
from janitor.core.survey import Survey
from janitor.errors import StoreError
from janitor.store.database import DatabaseFile
from janitor.store.surveys import staging
from janitor.store.surveys.staging import NOTHING, Staged

_log = logging.getLogger("janitor.store")

_BATCH = 1_000
_TABLES = count(1)

Record = Callable[[int, str, Survey, Sequence[str], Staged], dict[str, History]]
"""Records what a run saw in a target, with other names by which policies may know it, and what was staged."""


class Stage:
    """Takes the images of a target's first survey as they come; those of later ones are hardly ever new.

    For one thread at a time; `close` when done. Where staging fails, as where there is no room for a temporary table,
    nothing is staged, and recording takes longer.
    """

    def __init__(self, file: DatabaseFile, target: str, record: Record) -> None:
        self._file = file
        self._target = target
        self._record = record
        self._staged = Staged(f"temp.staged_{next(_TABLES)}")
        self._waiting: list[tuple[int, Image, bytes | None]] = []
        self._open = False
        try:
            with file.reading() as db:
                self._open = staging.create(db, target, self._staged.table)
        except StoreError as error:
            self._give_up(error)

    def add(self, images: Iterable[Image], digests: Mapping[str, bytes]) -> None:
        """Take images, and the digests of their entries by id; one that comes again, changed, is left to the end."""
        if not self._open:
            return
        for image in images:
            number = len(self._staged.rows) + 1
            if self._staged.rows.setdefault(image.id, (number, image))[0] == number:
                self._waiting.append((number, image, digests.get(image.id)))
        if len(self._waiting) >= _BATCH:
            self._write()

    def _write(self) -> None:
        try:
            with self._file.reading() as db:
                staging.write(db, self._staged.table, self._waiting)
        except StoreError as error:
            self._give_up(error)
        self._waiting.clear()

    def record(self, run: int, survey: Survey, also_named: Sequence[str] = ()) -> dict[str, History]:
        """Record what the survey saw; returns the history of each of its images by id, this survey included.

        `also_named` are other names by which policies may know the target. Raises StoreError.
        """
        if self._open:
            self._write()
        return self._record(run, self._target, survey, also_named, self._staged if self._open else NOTHING)

    def _give_up(self, error: StoreError) -> None:
        _log.info("not-staged target=%s: %s", self._target, error)
        self.close()

    def close(self) -> None:
        """Forget what was staged."""
        if not self._open:
            return
        self._open = False
        try:
            with self._file.reading() as db:
                staging.drop(db, self._staged.table)
        except StoreError as error:
            _log.info("not-dropped target=%s: %s", self._target, error)
