"""What was noted of some nights, as values: by the sandbox, by PostgreSQL, in the journals, and by who killed whom.

Times are seconds of the real clock of this host.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Deletion:
    """A request to delete an image, as the sandbox saw it; `sender` is the worker."""

    account: str
    image: str
    sender: str
    arrived: float


@dataclass(frozen=True)
class Taking:
    """A worker took an account, as PostgreSQL has it."""

    account: str
    epoch: int
    worker: str
    at: float


@dataclass(frozen=True)
class Written:
    """Somebody changed the row of an account and a night: its epoch and state since then."""

    night: str
    account: str
    epoch: int
    state: str
    by: str
    at: float


@dataclass(frozen=True)
class Ended:
    """A job was ended for good, by whom, and who was carrying it out; nobody where it was waiting."""

    account: str
    by: str
    carried_out_by: str | None
    at: float


@dataclass(frozen=True)
class Entry:
    """An entry of an account's journal; `answered`: with what the API said."""

    account: str
    image: str
    answered: bool


@dataclass(frozen=True)
class Said:
    """What a message that Slack accepted says of an image: its number, and what of whose report it is.

    `run` is the run that it reports of; `page` and `settled` tell the places apart in which one report says it.
    """

    message: int
    account: str
    run: int
    image: str
    fate: str
    page: int
    settled: bool
    at: float


@dataclass(frozen=True)
class Mishap:
    """What was done to a worker, from when until when. One that was killed was from then on; `worker` may be all."""

    kind: str
    worker: str
    began: float
    ended: float


@dataclass(frozen=True)
class Reported:
    """What the report of a night says: which accounts it names, and how many images it says were deleted."""

    night: str
    accounts: tuple[str, ...]
    deleted: int


@dataclass
class Record:
    """All of it. `expired` are the images that must be gone in the end, by account, and `left` those that are there.

    `most_at_once` is how many deletions a run requests at the same time. Wide because each is a source of its own.
    """

    nights: list[str] = field(default_factory=list)
    accounts: list[str] = field(default_factory=list)
    deletions: list[Deletion] = field(default_factory=list)
    takings: list[Taking] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)
    rows: list[tuple[str, str, str]] = field(default_factory=list)
    reported: list[Reported] = field(default_factory=list)
    ended: list[Ended] = field(default_factory=list)
    journal: list[Entry] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    mishaps: list[Mishap] = field(default_factory=list)
    expired: set[tuple[str, str]] = field(default_factory=set)
    guarded: set[tuple[str, str]] = field(default_factory=set)
    left: set[tuple[str, str]] = field(default_factory=set)
    crashed: list[str] = field(default_factory=list)
    most_at_once: int = 2
