"""What keeps the database small and fast: old details are dropped, tables analysed, the file compacted."""

from collections.abc import Sequence
from datetime import datetime

from janitor.store.history import forgetting
from janitor.store.history.forgetting import Keys, Kind
from janitor.store.transactions import OnFile


class Upkeep(OnFile):
    """Keeps the database small and fast. Nothing here waits for another process that writes: StoreError says so."""

    def mark_dropped(self, before: datetime) -> None:
        """Mark the surveys of before this instant whose details may go: from now on they cannot be read back."""
        with self._file.not_waiting(), self._file.writing() as db:
            forgetting.mark_dropped(db, before)

    def held_back(self, before: datetime) -> dict[str, int]:
        """What keeps details of before this instant from being dropped: standing notices, reports owed, undelivered."""
        with self._file.reading() as db:
            return forgetting.held_back(db, before)

    def is_whole(self) -> bool:
        """Whether everything that was ever recorded is still there."""
        with self._file.reading() as db:
            return forgetting.is_whole(db)

    def rows_due(self, kind: Kind, before: datetime, most: int) -> list[Keys]:
        """The keys of rows of one kind that only marked surveys had, so many at most."""
        with self._file.reading() as db:
            return forgetting.due(db, kind, before, most)

    def drop_rows(self, kind: Kind, keys: Sequence[Keys]) -> None:
        """Delete the rows with these keys."""
        with self._file.not_waiting(), self._file.writing() as db:
            forgetting.drop(db, kind, keys)

    def optimize(self) -> None:
        """Let SQLite analyse the tables that have changed much, a few hundred rows of each index at most."""
        with self._file.not_waiting():
            self._file.optimize()

    def compact(self) -> None:
        """Copy the file without the space of what was deleted. Nothing else can write meanwhile."""
        self._file.compact()
