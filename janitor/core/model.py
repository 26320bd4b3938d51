"""The words of the janitor as values: what was seen, what was decided, what came of it.

Everything here is frozen and knows nothing of YAML, HTTP, SQL or Slack. All instants are aware and in UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum

from janitor.core.survey.clock import ClockCheck


class Status(StrEnum):
    """The image statuses we know; a word outside this list guards its image.

    Sources: the vendor's Compute API v1.0 image page, and OpenStack's Image API v2 for `uploading` and `importing`.
    """

    QUEUED = "queued"
    SAVING = "saving"
    UPLOADING = "uploading"
    IMPORTING = "importing"
    ACTIVE = "active"
    KILLED = "killed"
    DELETED = "deleted"
    PENDING_DELETE = "pending_delete"
    DEACTIVATED = "deactivated"


KNOWN_STATUSES: frozenset[str] = frozenset(Status)
GONE_STATUSES: frozenset[str] = frozenset({Status.DELETED, Status.PENDING_DELETE})

UNSEEN = "id"
"""The key of `Image.unreadable` that says why an image, known from an earlier survey, could not be seen in this one."""

MISSING = "missing"
"""What `Image.unreadable` says of a wire key that is not there."""

CONTRADICTED = "listed as "
"""How `Image.unreadable` begins for a field in which two records of the image differ. No shortened JSON begins so."""


class Verdict(StrEnum):
    """What a decision asks for."""

    KEEP = "keep"
    WAIT = "wait"
    DELETE = "delete"


class Reason(StrEnum):
    """Why a decision was taken; the guards first, in the order in which they are asked (see `sharing` for `shared`)."""

    UNSETTLED_RECORD = "unsettled-record"
    GONE = "gone"
    PUBLIC = "public"
    PROTECTED = "protected"
    NOT_OWNED = "not-owned"
    UNKNOWN_STATUS = "unknown-status"
    UNDATED = "undated"
    IN_USE = "in-use"
    NEEDED = "needed"
    REFERENCED = "referenced"
    RECENTLY_USED = "recently-used"
    USAGE_UNKNOWN = "usage-unknown"
    EXEMPT = "exempt"
    NEWBORN = "newborn"
    SHARED = "shared"
    UNMATCHED = "unmatched"
    PINNED = "pinned"
    TOO_YOUNG = "too-young"
    KEPT_NEWEST = "kept-newest"
    KEPT_DAILY = "kept-daily"
    KEPT_WEEKLY = "kept-weekly"
    KEPT_MONTHLY = "kept-monthly"
    KEPT_YEARLY = "kept-yearly"
    NO_FAMILY = "no-family"
    REFUSED = "refused"
    NOTICE = "notice"
    EXPIRED = "expired"


class Visibility(StrEnum):
    """To whom an image is offered, in the words of OpenStack's Image API v2."""

    PUBLIC = "public"
    COMMUNITY = "community"
    SHARED = "shared"
    PRIVATE = "private"


class UserKind(StrEnum):
    """What can use an image; an image uses the one that it is built upon, a reference names it in a text.

    An unidentified image is one that is listed without an id; it uses all that it names.
    """

    INSTANCE = "instance"
    VOLUME = "volume"
    IMAGE = "image"
    NODE_GROUP = "node group"
    CLUSTER = "cluster"
    CLUSTER_TEMPLATE = "cluster template"
    STACK = "stack"
    REFERENCE = "reference"
    UNIDENTIFIED = "unidentified image"


class Source(StrEnum):
    """Where it is told what uses images: services of a cloud, the images themselves, and texts that people declare."""

    SERVERS = "servers"
    VOLUMES = "volumes"
    CLUSTERS = "clusters"
    STACKS = "stacks"
    SNAPSHOTS = "snapshots"
    REFERENCES = "references"


SOURCE_OF: Mapping[UserKind, Source] = {
    UserKind.INSTANCE: Source.SERVERS,
    UserKind.VOLUME: Source.VOLUMES,
    UserKind.NODE_GROUP: Source.CLUSTERS,
    UserKind.CLUSTER: Source.CLUSTERS,
    UserKind.CLUSTER_TEMPLATE: Source.CLUSTERS,
    UserKind.STACK: Source.STACKS,
    UserKind.IMAGE: Source.SNAPSHOTS,
    UserKind.REFERENCE: Source.REFERENCES,
    UserKind.UNIDENTIFIED: Source.SNAPSHOTS,
}
"""Which source tells of users of each kind."""


class Mode(StrEnum):
    """Whether a run may delete."""

    DRY_RUN = "dry-run"
    DELETE = "delete"


class Outcome(StrEnum):
    """How a run, or one target of it, ended."""

    OK = "ok"
    PARTIAL = "partial"
    REFUSED = "refused"
    FAILED = "failed"


class DeletionOutcome(StrEnum):
    """What became of one deletion; only the survey afterwards can say `deleted`."""

    DELETED = "deleted"
    ACCEPTED = "accepted"
    ALREADY_GONE = "already-gone"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Image:
    """One entry of a target's image list.

    None means that the value was missing or could not be read; `public` and `protected` have no such state, because
    what cannot be read there counts as true. `public` is whatever other projects may find: public and community ones.
    `unreadable` maps each wire key that could not be read to what stood there (shortened), so that a decision can say
    so; for a field in which two records of the image differ, which is unknown then, it says both. Sizes are bytes,
    `min_disk` GB, `min_ram` MB, as on the wire. `visibility` and `owner` are None, too, where the API has no such
    thing; one without tags has none.
    """

    id: str
    name: str | None
    status: str
    public: bool
    protected: bool
    created_at: datetime | None
    updated_at: datetime | None
    size: int | None = None
    disk_format: str | None = None
    min_disk: int | None = None
    min_ram: int | None = None
    properties: Mapping[str, str] | None = field(default_factory=dict)
    owned: bool = True
    visibility: str | None = None
    owner: str | None = None
    os_hidden: bool | None = False
    tags: tuple[str, ...] | None = ()
    unreadable: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The name, or the id of a nameless image; words for one that has neither."""
        return self.name or self.id or "without a name"

    @property
    def contradictions(self) -> Mapping[str, str]:
        """The fields in which two records of the image differ, each with what they say: neither is believed."""
        return {key: words for key, words in self.unreadable.items() if words.startswith(CONTRADICTED)}

    @property
    def unseen(self) -> str | None:
        """Why it cannot be told whether the image exists: no list shows it, and it may not be seen by its id."""
        return self.unreadable.get(UNSEEN)

    def differences(self, other: "Image") -> tuple[str, ...]:
        """The names of the fields in which another reading of the image differs; every field counts, new ones too."""
        return tuple(each.name for each in fields(self) if getattr(self, each.name) != getattr(other, each.name))


@dataclass(frozen=True, slots=True)
class User:
    """Something that uses an image, and where that is told: a source, with its region where it has one."""

    id: str
    name: str
    kind: UserKind = UserKind.INSTANCE
    source: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Unread:
    """A source that could not be read although it might have been; `part` names one place of it, empty for all."""

    source: Source
    part: str = ""

    def covers(self, kind: UserKind, told_by: str) -> bool:
        """Whether users of this kind, that this place told of, are among what could not be read.

        Of users that were recorded without their place nothing is known but the source.
        """
        return SOURCE_OF[kind] is self.source and (
            told_by in ("", self.part) or _is_within(told_by, self.part) or _is_within(self.part, told_by)
        )

    def __str__(self) -> str:
        return self.part or self.source.value


def _is_within(place: str, whole: str) -> bool:
    """Whether a place is one endpoint of several, which are called as the whole is, each with its path in brackets."""
    return not whole or place.startswith(f"{whole} (")


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of asking one place for users of images.

    `region` is empty where there is none, and `place` is the path of the endpoint's URL, or what else was read.
    `problem` says why it was not asked or not read; else `users` are how many users it told of, and `images` how many
    images these use. `note` is worth knowing of a place that was asked all the same.
    """

    source: Source
    region: str = ""
    place: str = ""
    problem: str | None = None
    users: int = 0
    images: int = 0
    note: str | None = None


@dataclass(frozen=True, slots=True)
class StackContent:
    """What a stack said when it was read: digests of its words, each with the place where it stands.

    `version` tells whether it has changed since. Digests, because a stack's words are its owner's, secrets among them.
    """

    version: str
    words: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Usage:
    """What uses which image, by image id in lower case.

    `problem` says why that could not be read; then every image counts as used. `unread` are the sources that could not
    be read although they might have been, and that the target's configuration does not insist on; `remarks` say why.
    `ended` are the ids of servers that are known to be deleted. `instances` counts all instances, also those of no
    image, and `volumes` those made of an image, None where volumes were not read; `readings` say what was asked, and
    `stacks` what stacks said, by their ids. The last five are not part of what a snapshot gives back.
    """

    by_image: Mapping[str, tuple[User, ...]] = field(default_factory=dict)
    problem: str | None = None
    instances: int = field(default=0, compare=False)
    volumes: int | None = field(default=None, compare=False)
    unread: frozenset[Unread] = frozenset()
    remarks: tuple[str, ...] = ()
    ended: frozenset[str] = field(default=frozenset(), compare=False)
    readings: tuple[Reading, ...] = field(default=(), compare=False)
    stacks: Mapping[str, StackContent] = field(default_factory=dict, compare=False)

    def with_named(self, named: "Usage") -> "Usage":
        """The same, and what texts name of the images; a problem of either is one of both."""
        problem = "; ".join(one for one in (self.problem, named.problem) if one) or None
        images = dict.fromkeys((*self.by_image, *named.by_image)) if problem is None else {}
        users = {one: (*self.by_image.get(one, ()), *named.by_image.get(one, ())) for one in images}
        return replace(
            self,
            by_image={one: tuple(sorted(using, key=lambda user: (user.name, user.id))) for one, using in users.items()},
            problem=problem,
            unread=self.unread | named.unread,
            remarks=(*self.remarks, *named.remarks),
            readings=(*self.readings, *named.readings),
        )


@dataclass(frozen=True, slots=True)
class EarlierUsage:
    """What earlier surveys of a target knew of its usage.

    `read` are the services, each with its region, that the last good survey found and asked. `servers` are the ids of
    those that were seen using an image that is not free of them yet, with the time when they were last seen. `stacks`
    is what stacks said when they were last read, by their ids. `unrecorded`: a version that did not write down what it
    read recorded the last good survey.
    """

    read: frozenset[tuple[Source, str]] = frozenset()
    places: Mapping[tuple[Source, str], int] = field(default_factory=dict)
    servers: Mapping[str, datetime] = field(default_factory=dict)
    stacks: Mapping[str, StackContent] = field(default_factory=dict)
    unrecorded: bool = False


@dataclass(frozen=True, slots=True)
class Sharing:
    """With which other projects an image is shared, by their ids; `problem` says why that could not be read.

    `unasked`: nobody asked, as nothing was to be deleted anyhow.
    """

    accepted: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    problem: str | None = None
    unasked: bool = False


@dataclass(frozen=True, slots=True)
class Survey:
    """One complete reading of a target, taken between the two instants.

    `without_id` is how many entries of its lists had no id; it is no part of what a snapshot gives back.
    """

    images: tuple[Image, ...]
    usage: Usage
    started_at: datetime
    finished_at: datetime
    without_id: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class History:
    """What only our own snapshots can know of an image.

    first_seen: the first survey that listed it. watched_since: the first survey that listed it and could read the
    usage. status_since: the first survey that saw its present status after having seen another, if one has.
    last_in_use: the latest survey in which anything used it. last_held: the same, without the uses by servers that are
    known to be deleted. unused_since: the first good survey after that one and before this, if there is one.
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

    `name` is what the image was called in it, "" for no name, None where nobody wrote that down. The last three say how
    it counts in one run (see `notices.counted`). `waits_until`: a reminder was promised and not accepted, so that the
    image waits at least until then. `lapsed`: it counts no more, as nothing was heard of the janitor from then on for
    longer than the notice is. `renamed`: it counts no more, as the image has another name now, which people were not
    told.
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

    @property
    def counts(self) -> bool:
        """Whether people know from it what will be deleted."""
        return self.lapsed is None and not self.renamed


@dataclass(frozen=True, slots=True)
class Hearing:
    """What people heard of the janitor in one target, as far back as its standing notices go.

    `moments` are, by channel, when a live run of the target ended with nothing due there, or what was due was accepted
    there; in the order of the runs. `quiet` is the same for a channel where nothing was due. `unreminded` are the ids
    of the images whose reminder a live run was to give, and nobody accepted.
    """

    moments: Mapping[str, tuple[datetime, ...]] = field(default_factory=dict)
    quiet: tuple[datetime, ...] = ()
    unreminded: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Exemption:
    """A person's word that an image stays until an instant. `image` is an id, or in a policy file also a name."""

    image: str
    until: datetime
    why: str
    who: str


@dataclass(frozen=True, slots=True)
class Refusals:
    """How often in a row the API has refused to delete an image, when last, and what it said then."""

    count: int
    last_at: datetime
    detail: str


@dataclass(frozen=True, slots=True)
class Memory:
    """What the janitor's own records say about the images of one target, by image id.

    `usage_memory` is how long an image that was seen in use stays guarded. `hearing` is no ground of a decision: what
    follows from it is said of each notice.
    """

    notices: Mapping[str, Notice] = field(default_factory=dict)
    exemptions: Mapping[str, Exemption] = field(default_factory=dict)
    refusals: Mapping[str, Refusals] = field(default_factory=dict)
    usage_memory: timedelta = timedelta()
    hearing: Hearing = field(default_factory=Hearing, compare=False)


@dataclass(frozen=True, slots=True)
class Event:
    """One line of what is known of an image over time: what a run saw, decided or did."""

    at: datetime
    run: int
    text: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict on one image in one run, with the policy that owns it and the reason in words.

    `detail` names dates and never ages, so that an unchanged decision is the same sentence tomorrow. `due` is when the
    image expires or its deletion is due, where there is such a date.
    """

    image: Image
    verdict: Verdict
    policy: str | None
    reason: Reason
    detail: str
    due: datetime | None = None


@dataclass(frozen=True, slots=True)
class Deletion:
    """One attempt to delete one image, and what became of it.

    `unsettled`: no survey has told yet whether the image is gone; the next one of its target will.
    """

    decision: Decision
    outcome: DeletionOutcome
    detail: str
    unsettled: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """An image of a reviewed plan that is not deleted, because something about it has changed since."""

    decision: Decision
    detail: str


@dataclass(frozen=True, slots=True)
class Spared:
    """An announced image that no longer expires: what keeps it now, and the policy whose notice is withdrawn."""

    decision: Decision
    policy: str


@dataclass(frozen=True, slots=True)
class TargetResult:
    """What one run saw, decided and did in one target; decisions oldest image first.

    `error` says in one sentence what went wrong or which limit refused. A target that could not be surveyed has no
    decisions. `announced` are the images whose notice this run gives, or in a dry run would give; `reminded` those
    that it reminds of, and `overdue` those of them whose reminder is missing for so long that they are due a day after
    it; `undelivered` those of both that nobody was told of, as no accepted message names them: their notice has not
    begun, or they go on waiting for their reminder. As long as the report is not sent there are none, for it is the
    report that tells.
    `spared` are the images that were announced before and no longer expire, with what now keeps them.
    `settled` are deletions of earlier runs, which could not tell their outcome: this run's survey could. `approved` are
    the images that a reviewed plan named and that are still as they were, where such a plan is applied, and `changed`
    the others that it named. `refused_again` are the images that the API refused with the very words of the last time.
    `remarks` say what the survey could not see and did not insist on seeing. `clock` says who bore out
    our clock, and `survey_seconds` is how long the survey took; neither is recorded.
    """

    target: str
    outcome: Outcome
    error: str | None = None
    images: int = 0
    owned: int = 0
    decisions: tuple[Decision, ...] = ()
    deletions: tuple[Deletion, ...] = ()
    announced: tuple[Decision, ...] = ()
    reminded: tuple[Decision, ...] = ()
    overdue: frozenset[str] = frozenset()
    undelivered: frozenset[str] = frozenset()
    spared: tuple[Spared, ...] = ()
    settled: tuple[Deletion, ...] = ()
    changed: tuple[Change, ...] = ()
    approved: frozenset[str] | None = None
    refused_again: frozenset[str] = frozenset()
    remarks: tuple[str, ...] = field(default=(), compare=False)
    clock: ClockCheck = field(default=ClockCheck.TOLD, compare=False)
    survey_seconds: float | None = field(default=None, compare=False)

    @property
    def doomed(self) -> tuple[Decision, ...]:
        """The plan: the decisions that say delete; where a reviewed plan is applied, only those of approved images."""
        doomed = (decision for decision in self.decisions if decision.verdict is Verdict.DELETE)
        return tuple(d for d in doomed if self.approved is None or d.image.id in self.approved)

    @property
    def last_settled(self) -> tuple[Deletion, ...]:
        """Of `settled`, the last of each image: what became of one that was asked for again and again is told once."""
        return tuple({settled.decision.image.id: settled for settled in self.settled}.values())


@dataclass(frozen=True, slots=True)
class RunResult:
    """One run, whole: what every report is rendered from.

    `error` is what kept the run from its targets, if anything did. `digest` is a short name for exactly its plan.
    `remarks` are on what people wrote down, and concern no target alone.
    """

    run: int
    mode: Mode
    outcome: Outcome
    started_at: datetime
    finished_at: datetime
    targets: tuple[TargetResult, ...] = ()
    error: str | None = None
    digest: str | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One line of the list of runs; a run that never finished has no outcome and no end."""

    run: int
    mode: Mode
    outcome: Outcome | None
    started_at: datetime
    finished_at: datetime | None
    images: int
    doomed: int
    deleted: int


@dataclass(frozen=True, slots=True)
class Cost:
    """What a GiB costs a month: turns sizes into money in reports."""

    per_gib_month: float
    currency: str
