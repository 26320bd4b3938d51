"""What differs between two surveys of one target: images, their facts, what uses them, and what was decided on them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from janitor.core.basis import Basis
from janitor.core.decision import Decision, Verdict
from janitor.core.image import Image, Sharing
from janitor.core.memory import Exemption, Notice
from janitor.core.names.image_ids import ImageId
from janitor.core.planning.deletion import Answer
from janitor.core.replay.amounts import Amount
from janitor.core.replay.differences.facts import ChangedImage
from janitor.core.result import DeletionOutcome, Mode
from janitor.core.usage import User


class Gone(StrEnum):
    """Who made an image disappear, as far as that is known."""

    BY_US = "by-us"
    BY_OTHERS = "by-others"
    UNKNOWN = "unknown"


class Cause(StrEnum):
    """Why another decision was made about an image that both runs saw."""

    POLICY_EDITED = "policy-edited"
    POLICIES_CHANGED = "policies-changed"
    TIME_PASSED = "time-passed"
    USE_BEGAN = "use-began"
    USE_ENDED = "use-ended"
    USAGE_UNREAD = "usage-unread"
    SOURCES = "sources"
    EXEMPTION_GRANTED = "exemption-granted"
    EXEMPTION_EXPIRED = "exemption-expired"
    EXEMPTION_REVOKED = "exemption-revoked"
    FAMILY = "family"
    NEEDED = "needed"
    SHARING = "sharing"
    NOTICE = "notice"
    REJECTED = "rejected"
    PROTECTION = "protection"
    STATUS = "status"
    NAME = "name"
    VISIBILITY = "visibility"
    FACTS = "facts"
    SETTINGS = "settings"
    UNKNOWN = "unknown"


CAUSES: Mapping[Cause, str] = {
    Cause.POLICY_EDITED: "the policy was edited",
    Cause.POLICIES_CHANGED: "policies changed",
    Cause.TIME_PASSED: "time passed",
    Cause.USE_BEGAN: "a use began",
    Cause.USE_ENDED: "a use ended",
    Cause.USAGE_UNREAD: "what is in use could not be read, or can be again",
    Cause.SOURCES: "other sources were asked what is in use",
    Cause.EXEMPTION_GRANTED: "an exemption was granted",
    Cause.EXEMPTION_EXPIRED: "an exemption expired",
    Cause.EXEMPTION_REVOKED: "an exemption was revoked",
    Cause.FAMILY: "its family moved on",
    Cause.NEEDED: "what other images need changed",
    Cause.SHARING: "its sharing changed",
    Cause.NOTICE: "it was announced, or its notice changed",
    Cause.REJECTED: "the API rejected its deletion",
    Cause.PROTECTION: "its protection changed",
    Cause.STATUS: "its status changed",
    Cause.NAME: "its name changed",
    Cause.VISIBILITY: "its visibility changed",
    Cause.FACTS: "other facts of it changed",
    Cause.SETTINGS: "the configuration was edited",
    Cause.UNKNOWN: "what is recorded does not tell",
}
"""What the causes mean, as a legend for counts."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request of ours to delete an image: the answer to it, and its outcome as it was known to the later run.

    `answer` is None where none was recorded, `outcome` where it was not known; `sent`: a request was sent at all.
    """

    sent: bool
    answer: Answer | None
    outcome: DeletionOutcome | None


_DELETED_NOTHING = frozenset({Answer.ABSENT, Answer.REFUSED, Answer.NOT_SENT, Answer.NOT_LISTED})
"""The answers to requests that deleted nothing."""


def gone_by(last: Iterable[Request], older: Iterable[Request] = (), *, accepted: bool) -> Gone:
    """Who made an image disappear, by the requests after it was listed for the last time, and the older ones.

    One that got no answer may never have arrived, although the image is gone since: others may have done it. What
    became of an older one says nothing, as the image was listed after it; but it may have been carried out later.
    `accepted`: both surveys were, of which only the later one lacks the image; they may be mistaken otherwise.
    """
    last = list(last)
    if any(one.outcome is DeletionOutcome.DELETED and one.answer is Answer.ACCEPTED for one in last):
        return Gone.BY_US
    if not accepted or any(one.sent and one.answer not in _DELETED_NOTHING for one in (*last, *older)):
        return Gone.UNKNOWN
    return Gone.BY_OTHERS


def tells_first(before: Mode, after: Mode) -> bool:
    """Whether what waited before and was announced by nobody is news in the later run: a dry run announces nothing."""
    return before is Mode.DRY_RUN and after is Mode.DELETE


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two surveys, and what its run decided by.

    `accepted` is None where that was not recorded. `decided`: the run decided on these images. `also_named` are other
    names by which policies may know the target. `texts` are those of its policies by name; `basis` is None where only
    these were recorded. `notices` are those that decisions counted by, by image id, and `exemptions` and `sharing`
    what else was known of images; None where that was not recorded.

    Wide because each of these may be why a decision differs.
    """

    run: int
    mode: Mode
    seen_at: datetime
    accepted: bool | None
    decided: bool
    amount: Amount
    also_named: tuple[str, ...] = ()
    usage_problem: str | None = None
    unread: tuple[str, ...] = ()
    basis: Basis | None = None
    texts: Mapping[str, str] = field(default_factory=dict)
    notices: Mapping[str, Notice] | None = None
    exemptions: Mapping[str, Exemption] | None = None
    sharing: Mapping[str, Sharing] | None = None


@dataclass(frozen=True, slots=True)
class NewImage:
    """An image that the earlier run did not see. `seen_before`: an even earlier one had. None for no decision."""

    image: Image
    decision: Decision | None
    seen_before: bool


@dataclass(frozen=True, slots=True)
class GoneImage:
    """An image that only the earlier run saw, with what that decided on it, and who made it disappear."""

    image: Image
    decision: Decision | None
    by: Gone


@dataclass(frozen=True, slots=True)
class Use:
    """Something that uses an image, which need not be one that the target lists.

    `unless` is why it is not known to have begun or ended: no survey on the other side of that could tell of it.
    `name` is what the image is called, as far as the target has listed it.
    """

    image: str
    user: User
    unless: Cause | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class ChangedUses:
    """The uses that only the later survey saw, those that only the earlier one saw and that are over; and others.

    `first_read` are those that may have begun before, and `no_longer_read` those that may go on: nothing that could
    tell was asked then. `meanwhile` are the images of uses that ended after they had begun, or were first read, in
    between, and `released` those of servers that were found to be deleted, by their folded ids.
    """

    begun: Sequence[Use] = ()
    ended: Sequence[Use] = ()
    first_read: Sequence[Use] = ()
    no_longer_read: Sequence[Use] = ()
    meanwhile: frozenset[ImageId] = frozenset()
    released: frozenset[ImageId] = frozenset()


@dataclass(frozen=True, slots=True)
class Compared:
    """Two surveys of one target as they are recorded, the earlier one first, as far as they differ.

    `decided` are the decisions of both runs on images that both saw, where these may differ. `told_first` are those
    that say in both that the image waits, and that the later run announces for the first time: see `tells_first`.
    """

    target: str
    before: Side
    after: Side
    new: Sequence[NewImage]
    gone: Sequence[GoneImage]
    changed: Sequence[ChangedImage]
    uses: ChangedUses
    decided: Sequence[tuple[Decision, Decision]]
    told_first: Sequence[Decision] = ()

    @property
    def decisions_compared(self) -> bool:
        """Whether both runs decided on the images."""
        return self.before.decided and self.after.decided


@dataclass(frozen=True, slots=True)
class ChangedDecision:
    """Two decisions on one image, and why the later one differs.

    If several things changed of which any may be why, the cause is unknown, and they are its `candidates`.
    """

    before: Decision
    after: Decision
    cause: Cause
    candidates: tuple[Cause, ...] = ()

    def is_newly(self, verdict: Verdict) -> bool:
        """Whether this is the verdict on the image only now."""
        return self.after.verdict is verdict and self.before.verdict is not verdict


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs between two surveys of one target, and why other decisions were made.

    `announced` counts the images that wait as before, and of whose date people were told in between. `unseen_by` is the
    latest run, where that has no survey of the target, so that the later one compared is older.
    """

    compared: Compared
    decisions: Sequence[ChangedDecision]
    announced: int = 0
    unseen_by: int | None = None


@dataclass(frozen=True, slots=True)
class Uncompared:
    """A target that could not be compared, and why, as the end of a sentence."""

    target: str
    why: str
