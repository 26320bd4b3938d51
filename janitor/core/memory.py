"""What the database holds about images and people's decisions, as far as decisions depend on it; and its reports."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from janitor.core.value import Value

_WAITS = (timedelta(days=1), timedelta(days=3), timedelta(days=7))
_GRACE = timedelta(hours=1)


class History(Value, frozen=True):
    """What only earlier snapshots can tell about an image.

    first_seen: the first survey that listed it. watched_since: the first survey that listed it and could read the
    usage. status_since: the first survey that saw its present status after having seen another, if one has.
    last_in_use: the latest survey in which anything used it. last_held: the same, without the uses by servers that are
    known to be deleted. unused_since: the first accepted survey after that one and before this, if there is one.
    """

    first_seen: datetime
    watched_since: datetime | None = None
    status_since: datetime | None = None
    last_in_use: datetime | None = None
    last_held: datetime | None = None
    unused_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """A delivered announcement that an image will be deleted: by which policy, for how long, and when it is due.

    `name` is the image's name in it, "" for no name, None where that was not recorded; `owner` likewise the owner found
    then, None also where reports do not go to owners. `instead`: it was last told of in the main channel, as its owner
    could not be reached. `place` is where the image was reported then, as `reports.channel` names it, None where that
    is not known.

    The others say how it counts in one run (see `notices.counted`). `waits_until`: a reminder was due but not accepted,
    so the image waits at least until then. `lapsed`: it no longer counts, as a silence longer than the notice began
    then. `renamed`: it no longer counts, as the image now has another name, which was not announced. `reowned`: nor
    does it, as the image now has another owner, who was not told. `elsewhere`: nor does it, as the image is reported in
    another place now, which was not told.

    Wide because each fact about a notice decides whether it counts.
    """

    policy: str
    length: timedelta
    announced_at: datetime
    due: datetime
    reminded_at: datetime | None = None
    name: str | None = None
    waits_until: datetime | None = None
    lapsed: datetime | None = None
    renamed: bool = False
    owner: str | None = None
    instead: bool = False
    reowned: bool = False
    place: str | None = None
    elsewhere: bool = False

    @property
    def counts(self) -> bool:
        """Whether people know from it that the image will be deleted."""
        return self.lapsed is None and not (self.renamed or self.reowned or self.elsewhere)


@dataclass(frozen=True, slots=True)
class Hearing:
    """What people were told about one target, as far back as its current notices go.

    `moments` are, by channel and in the order of the runs, when a live run of the target ended with nothing to report
    there, or its report was accepted there. `quiet` is the same for a channel where nothing was to be reported.
    `unreminded` are the ids of the images whose reminder a live run was to send, and no channel accepted.
    """

    moments: Mapping[str, tuple[datetime, ...]] = field(default_factory=dict)
    quiet: tuple[datetime, ...] = ()
    unreminded: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Exemption:
    """A person's decision that an image stays until an instant. `image` is an id, or in a policy file also a name."""

    image: str
    until: datetime
    why: str
    who: str


@dataclass(frozen=True, slots=True)
class LastExemption:
    """The exemption that was granted last, by its number in the database, and when that was."""

    number: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Refusals:
    """How often in a row the API has rejected the deletion of an image, when it last did, and what it said then."""

    count: int
    last_at: datetime
    detail: str

    @property
    def next_try(self) -> datetime:
        """When to request it again: after one day, then three, then seven, and then weekly.

        An hour early counts, so that a nightly run which happens to be quicker than the last does not lose a night.
        """
        return self.last_at + _WAITS[min(self.count, len(_WAITS)) - 1] - _GRACE


@dataclass(frozen=True, slots=True)
class Memory:
    """What the database says about the images of one target, by image id.

    `usage_memory` is how long an image that was seen in use stays guarded. Decisions do not depend on `hearing`
    directly: each notice says what follows from it.
    """

    notices: Mapping[str, Notice] = field(default_factory=dict)
    exemptions: Mapping[str, Exemption] = field(default_factory=dict)
    refusals: Mapping[str, Refusals] = field(default_factory=dict)
    usage_memory: timedelta = timedelta()
    hearing: Hearing = field(default_factory=Hearing, compare=False)


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many reports their channels have not accepted yet; `since` is when the run of the oldest began.

    A run that died before its reports were made counts as one.
    """

    reports: int = 0
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class WaitingImages:
    """How many expired images of a target wait for the end of their notice, and when the first of them is due.

    `announced`: a channel has accepted the message that names them, and that still stands. `unannounced`: their notice
    has not begun, so they are due at no time yet.
    """

    target: str
    announced: int = 0
    unannounced: int = 0
    next_due: datetime | None = None
