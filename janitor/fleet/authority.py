"""The right of a worker to delete in one account: what a run asks for before each deletion."""

import logging
from collections.abc import Container, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from janitor.core.image import Image
from janitor.core.memory import LastExemption
from janitor.core.survey.binding import Binding
from janitor.core.survey.mark import OF_FLEET, Mark
from janitor.core.survey.sample import sample_of
from janitor.errors import FleetError
from janitor.fleet import reached, reservations
from janitor.fleet.database import Connection
from janitor.fleet.nights import Night
from janitor.fleet.ownership import Copy, Ownership

_log = logging.getLogger("janitor.fleet")
_CLOCKS_DIFFER = timedelta(minutes=5)
"""By how much the clock of who began the night may be ahead of this one's."""


class Epochs(Protocol):
    """The epoch in the account's own database."""

    def epoch(self) -> int:
        """The latest that was recorded there; 0 for none."""
        ...

    def record_epoch(self, epoch: int) -> None:
        """Record one: on disk when this returns."""
        ...

    def last_exemption(self) -> LastExemption | None:
        """The exemption that a person granted last; None where nobody ever did."""
        ...

    def knows_exemption(self, granted: LastExemption) -> bool:
        """Whether it knows of this exemption."""
        ...

    def leave_doubt(self, mark: Mark) -> None:
        """Leave this mark beside the database, until a run has noted what it stands for: on disk when this returns."""
        ...

    def requested_since(self, at: datetime) -> int:
        """How many deletions were requested since."""
        ...


class AccountAuthority:
    """One worker's right in one account and night. Safe to use from several threads at once.

    `most` is how many deletions all accounts may have together in the night; without a night, as for a plan that a
    person has reviewed, they are not counted. `listed` are all accounts that are configured now. All methods raise
    FleetError where PostgreSQL does not answer, and Superseded, one of these, where another worker has the account.
    """

    def __init__(
        self,
        connection: Connection,
        ownership: Ownership,
        night: Night | None = None,
        most: int | None = None,
        listed: Container[str] = (),
    ) -> None:
        self._connection = connection
        self._ownership = ownership
        self._night = night
        self._most = most
        self._listed = listed
        self._epochs: Epochs | None = None

    def admit(self, epochs: Epochs) -> Mark | None:
        """Record the epoch in the account's database; what stands for the runs that this does not know, if it is old.

        PostgreSQL knows that the epoch is there only once it is. So of a worker that died in between, the next one
        finds a database whose epoch PostgreSQL knows, and does not take it for an older copy.
        """
        self._epochs = epochs
        found = epochs.epoch()
        known = self._ownership.last_exemption
        copy = self._ownership.judge(found, lacks=known is not None and not epochs.knows_exemption(known))
        doubt = None if copy is Copy.CURRENT else Mark(self._ownership.last_run, OF_FLEET)
        if doubt is not None:
            epochs.leave_doubt(doubt)  # first: once the epoch is recorded, nothing else shows that the copy is old
        if copy is Copy.AHEAD:
            self._ownership.raise_above(found)
        epochs.record_epoch(self._ownership.epoch)
        self._ownership.record(epochs.last_exemption())
        return doubt

    def confirm(self) -> None:
        """Return only if the account is still this worker's."""
        self._ownership.confirm()

    def reaches(self, binding: Binding, images: Sequence[Image]) -> str | None:
        """Why nothing may be deleted there, in a sentence: another account of the fleet reaches the same; or None."""
        return reached.why_not(self._connection, self._ownership.account, binding, sample_of(images), self._listed)

    def reserve(self, target: str, deletions: int) -> str | None:  # noqa: ARG002 - an account has one target
        """Reserve deletions of the night; why they may not be, in a sentence, or None.

        What a worker that died reserved for the account is given back before, but for what it requested.
        """
        own, night = self._ownership, self._night
        if night is None:
            return None
        assert self._epochs is not None, "a run begins by being admitted"
        requested = self._epochs.requested_since(night.begun_at - _CLOCKS_DIFFER)
        reservations.settle(self._connection, night.night, own.account, own.epoch, requested)
        return reservations.reserve(self._connection, night.night, own.account, own.epoch, deletions, self._most)

    def give_back(self, target: str, deletions: int) -> None:  # noqa: ARG002 - an account has one target
        """Give back deletions that were not requested. Where that fails, the account's next run gives them back."""
        own = self._ownership
        if deletions and self._night is not None:
            try:
                reservations.give_back(self._connection, self._night.night, own.account, own.epoch, deletions)
            except FleetError as error:
                _log.warning("reservation-not-given-back account=%s: %s", own.account, error)
