"""What a request for a deletion needs first, as ports: the right to make it, and a journal that knows of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from janitor.core.decision import Decision
from janitor.core.image import Image
from janitor.core.memory import LastExemption
from janitor.core.planning.deletion import Answered
from janitor.core.result import RunResult
from janitor.core.survey.binding import Binding
from janitor.core.survey.mark import Mark


class Epochs(Protocol):
    """What a database knows of its account, and the epoch: how often a process began to own that."""

    def epoch(self) -> int:
        """The latest epoch that was recorded; 0 for none. Raises StoreError."""
        ...

    def record_epoch(self, epoch: int) -> None:
        """Record an epoch: on disk when this returns. Raises StoreError."""
        ...

    def last_exemption(self) -> LastExemption | None:
        """The exemption that a person granted last; None where nobody ever did. Raises StoreError."""
        ...

    def knows_exemption(self, granted: LastExemption) -> bool:
        """Whether it knows of this exemption. Raises StoreError."""
        ...

    def leave_doubt(self, mark: Mark) -> None:
        """Leave this mark beside the database, until a run has noted what it stands for. Raises StoreError."""
        ...

    def requested_since(self, at: datetime) -> int:
        """How many deletions were requested since. Raises StoreError."""
        ...


class Authority(Protocol):
    """The right of this process to delete in the account of a database. Safe to use from several threads at once."""

    def admit(self, epochs: Epochs) -> Mark | None:
        """Begin to own the account with this database, which is held; what stands for what the database cannot know.

        Raises StoreError where another process owns the account by now, or that is not known.
        """
        ...

    def confirm(self) -> None:
        """Return only if no other process has begun to own the account. Raises StoreError if one has, or none knows."""
        ...

    def reaches(self, binding: Binding, images: Sequence[Image]) -> str | None:
        """Note that a target reaches this, where it lists these images; why it may not delete there, or None.

        So it is where another database is of the same account. Raises StoreError where that is not known.
        """
        ...

    def reserve(self, target: str, deletions: int) -> str | None:
        """Count deletions that are about to be requested in a target; why they may not be, as one too many, or None.

        Raises StoreError where that is not known.
        """
        ...

    def give_back(self, target: str, deletions: int) -> None:
        """Count so many less: they were not requested after all. Where that fails, they stay counted."""
        ...


class SoleOwner:
    """The authority of a process whose database alone says who may delete: it holds the lock of that."""

    def admit(self, epochs: Epochs) -> Mark | None:  # noqa: ARG002 - the port's
        """Nothing is unknown."""
        return None

    def confirm(self) -> None:
        """Always."""

    def reaches(self, binding: Binding, images: Sequence[Image]) -> str | None:  # noqa: ARG002 - the port's
        """What is recorded in its database tells of other targets."""
        return None

    def reserve(self, target: str, deletions: int) -> str | None:  # noqa: ARG002 - the port's
        """None are too many."""
        return None

    def give_back(self, target: str, deletions: int) -> None:
        """Nothing is counted."""


@dataclass(frozen=True, slots=True)
class Right:
    """What a command holds that deletes: the authority of its run, and what is told of the run before others are.

    `ended` raises StoreError where the account is another's by now, which reports the run then.
    """

    authority: Authority = field(default_factory=SoleOwner)
    ended: Callable[[RunResult], None] = lambda _result: None


class Journal(Protocol):
    """Where each request is recorded before it is sent and after it is answered."""

    def journal_request(self, run: int, target: str, decision: Decision, at: datetime) -> int:
        """Record a request that is about to be sent; returns the entry. Raises StoreError, and Exempted if it is."""
        ...

    def withdraw_request(self, entry: int) -> None:
        """Withdraw a request that was not sent after all. Raises StoreError."""
        ...

    def journal_answer(self, entry: int, said: Answered, at: datetime) -> None:
        """Record what the API answered. Raises StoreError."""
        ...
