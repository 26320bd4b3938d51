"""The journal of deletions, and their outcomes."""

from collections.abc import Sequence
from datetime import datetime

from janitor.core.decision import Decision
from janitor.core.memory import Exemption
from janitor.core.planning.deletion import Answered, Requested
from janitor.core.planning.reconciling import Settlement, Unsettled
from janitor.core.units import iso
from janitor.errors import Exempted
from janitor.store import journal
from janitor.store.connection import Connection
from janitor.store.transactions import OnFile
from janitor.store.trust import exemptions, notices, outcomes


class Deletions(OnFile):
    """Keeps the journal of deletions; what several threads record in it at once is one transaction."""

    def journal_request(self, run: int, target: str, decision: Decision, at: datetime) -> int:
        """Record a deletion that is about to be requested: on disk when this returns. Returns its entry.

        Raises Exempted, with nothing recorded, for an image that a person has exempted by then: whoever exempts it
        afterwards finds the request.
        """

        def request(db: Connection) -> int | Exemption:
            given = exemptions.exemption_in_force(db, decision.image, at)
            return given or journal.add_request(db, run, target, decision.image.id, at)

        entry = self._file.together.write(request)
        if isinstance(entry, Exemption):
            raise Exempted(f"exempted by {entry.who} during this run")
        return entry

    def withdraw_request(self, entry: int) -> None:
        """Withdraw a request that was not sent after all."""
        self._file.together.write(lambda db: journal.remove_request(db, entry))

    def journal_answer(self, entry: int, said: Answered, at: datetime) -> None:
        """Record what the API answered: on disk when this returns."""
        self._file.together.write(lambda db: journal.add_answer(db, entry, said, at))

    def unsettled(self, target: str) -> list[Unsettled]:
        """The requests of earlier runs to a target whose outcome no survey has shown yet, oldest first."""
        with self._file.reading() as db:
            return journal.unsettled(db, target)

    def record_settlements(self, run: int, settlements: Sequence[Settlement]) -> None:
        """Record the outcomes of requests of earlier runs, as a run's survey shows them."""
        with self._file.writing() as db:
            journal.add_settlements(db, run, settlements)

    def requested_since(self, at: datetime) -> int:
        """How many deletions were requested since, in all targets."""
        with self._file.reading() as db:
            (count,) = db.execute("SELECT count(*) FROM deletions WHERE requested_at >= ?", (iso(at),)).fetchone()
            return int(count)

    def outcomes_since(self, at: datetime) -> list[Requested]:
        """What became of each image, of all targets, whose deletion was requested since.

        So they count once, whichever run requested them, and also where that run died before it told anybody.
        """
        with self._file.reading() as db:
            return outcomes.requested_since(db, at)

    def announced_since(self, at: datetime) -> int:
        """How many images, of all targets, were announced since."""
        with self._file.reading() as db:
            return notices.announced_since(db, at)

    def asked_since(self, target: str, run: int) -> set[str]:
        """The ids of the images of a target whose deletion was requested in this run or later."""
        with self._file.reading() as db:
            return outcomes.asked_since(db, target, run)

    def deleted(self, target: str) -> set[str]:
        """The ids of the images of a target that the janitor is known to have deleted."""
        with self._file.reading() as db:
            return outcomes.deleted(db, target)
