"""The error tree: everything that is expected to go wrong, each with the exit code it means.

    JanitorError                 1   something expected failed
    ├── UsageError               2   the command as typed cannot be carried out
    │   └── ConfigurationError   2   every problem of configuration and policies at once
    ├── CloudError               1   a target's API
    │   ├── Refused              1   said no, for good: code and message
    │   │   └── Denied           1   does not accept the credentials
    │   ├── Unavailable          1   gave no usable answer, however often asked
    │   │   └── RetryLater        1   asked us to wait longer than we do
    │   │       └── NotSent      1   that wait is not over, and nothing was sent
    │   ├── Implausible          4   gave a list that repeats itself or does not end
    │   └── AnotherAccount       4   is another account than the one that the database knows
    ├── StoreError               1   the database
    │   └── FleetError           1   the fleet's database, or what it says
    │       └── Superseded       1   another worker has the account or the shard now
    ├── Exempted                 1   a person exempted the image before its deletion was requested
    ├── Busy                     5   another run holds the database
    ├── DeliveryError            1   a report did not reach its channel
    └── Interrupted    129/130/143   SIGHUP, SIGINT or SIGTERM

Anything else that escapes is a bug (exit 70). One failed image is not an error but data: see `model.Deletion`.
Messages are single sentences for people and never hold a secret.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from janitor.escaping import visible


class Exit(IntEnum):
    """Exit codes of the command, least to most important where several hold: see `worst`."""

    OK = 0
    FAILED = 1
    USAGE = 2
    DELETIONS_FAILED = 3
    LIMIT = 4
    BUSY = 5
    BUG = 70


_RANKING = (Exit.BUG, Exit.USAGE, Exit.BUSY, Exit.LIMIT, Exit.FAILED, Exit.DELETIONS_FAILED, Exit.OK)


def worst(codes: Iterable[Exit]) -> Exit:
    """The code that wins where several hold; OK for none."""
    return min(codes, key=_RANKING.index, default=Exit.OK)


class JanitorError(Exception):
    """Something that was expected to go wrong; the message is a sentence for people, with foreign words escaped."""

    exit_code: int = Exit.FAILED

    def __init__(self, message: str) -> None:
        super().__init__(visible(message))


class UsageError(JanitorError):
    """The command as typed cannot be carried out; nothing was done."""

    exit_code = Exit.USAGE


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in one file: `policies/ci.yaml:12: ci-images: expire.after: "14 fortnights" is not …`.

    `help` are lines of ours that go with it.
    """

    file: str
    line: int | None
    message: str
    key: str | None = None
    policy: str | None = None
    help: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        said = visible(": ".join(part for part in (place, self.policy, self.key, self.message) if part))
        return f"{said}\n{self.help}" if self.help else said


class ConfigurationError(UsageError):
    """Configuration or policies are wrong; holds every problem, one a line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class CloudError(JanitorError):
    """A target's API failed."""


class Refused(CloudError):
    """The API said no, for good. `code` is its resultCode, or the HTTP status where it gave none."""

    def __init__(self, message: str, *, code: int) -> None:
        super().__init__(message)
        self.code = code


class Denied(Refused):
    """The API does not, or no longer, accept the credentials, and a new token did not help."""


class Unavailable(CloudError):
    """No usable answer within the attempts and the time allowed."""


class RetryLater(Unavailable):
    """The API asked for a longer wait than one answer is waited for: nothing more is sent to it until then."""


class NotSent(RetryLater):
    """Nothing was sent: the wait that an API asked for earlier is not over, or the account may be another process's."""


class Implausible(CloudError):
    """A list that cannot be right: it repeats itself, or does not end."""

    exit_code = Exit.LIMIT


class AnotherAccount(CloudError):
    """A target now reaches a different account; the message says what changed, and what to do."""

    exit_code = Exit.LIMIT


class StoreError(JanitorError):
    """The database cannot be read or written; the message says what to do."""


class FleetError(StoreError):
    """The fleet's database cannot be reached, or does not fit; the message never holds its password."""


class Superseded(FleetError):
    """Another worker has the account or the shard now: this one does nothing further with it."""


class Exempted(JanitorError):
    """A person exempted an image before its deletion was requested; the message says who."""


class Busy(JanitorError):
    """Another run holds the database; the message names it."""

    exit_code = Exit.BUSY


class DeliveryError(JanitorError):
    """A report, or a part of it, did not reach its channel. `delivered` counts the messages that did.

    `refused`: the channel answered that it does not want this one; another may fare better. `advice` is what a person
    can do about it, where that is known.
    """

    def __init__(self, message: str, *, delivered: int = 0, refused: bool = False, advice: str = "") -> None:
        super().__init__(message)
        self.delivered = delivered
        self.refused = refused
        self.advice = advice


class Interrupted(JanitorError):
    """A signal asked the program to stop."""

    def __init__(self, signal_number: int) -> None:
        super().__init__("interrupted")
        self.exit_code = 128 + signal_number
