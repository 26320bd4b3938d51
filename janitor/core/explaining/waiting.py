"""The images that wait for their deletion: what people were told of each, and why of some they were not. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from janitor.core.decision import Decision, Reason, Verdict
from janitor.core.exemptions import FOREVER
from janitor.core.image import Image
from janitor.core.memory import Exemption, Notice
from janitor.core.notices import MAIN_CHANNEL
from janitor.core.result import Mode


class State(StrEnum):
    """How an image waits."""

    ANNOUNCED = "announced"
    AWAITS_REMINDER = "awaits-reminder"
    NOT_ANNOUNCED = "not-announced"
    REFUSED = "refused"
    HELD = "held"
    UNLISTED = "unlisted"


STATES: Mapping[State, str] = {
    State.ANNOUNCED: "announced, deleted when due",
    State.AWAITS_REMINDER: "announced, due a day after a reminder that is outstanding",
    State.NOT_ANNOUNCED: "not announced yet",
    State.REFUSED: "rejected by the API, retried later",
    State.HELD: "announced, and kept",
    State.UNLISTED: "announced, no longer listed",
}
"""What the states mean."""


class Cause(StrEnum):
    """Why an image is not announced, as far as that is recorded."""

    IN_PROGRESS = "in-progress"
    DRY_RUN = "dry-run"
    NOT_POSTED = "not-posted"
    UNDELIVERED = "undelivered"
    NOT_STARTED = "not-started"
    SILENCE = "silence"
    RENAMED = "renamed"
    OTHER_OWNER = "other-owner"
    OTHER_PLACE = "other-place"
    OTHER_POLICY = "other-policy"
    OTHER_DATE = "other-date"
    NOT_YET = "not-yet"


CAUSES: Mapping[Cause, str] = {
    Cause.IN_PROGRESS: "its run has not ended, or was killed",
    Cause.DRY_RUN: "a dry run announces nothing",
    Cause.NOT_POSTED: "the report was not to be posted",
    Cause.UNDELIVERED: "the report is undelivered",
    Cause.NOT_STARTED: "no accepted message names it, or no clock was confirmed",
    Cause.SILENCE: "a silence ended its announcement",
    Cause.RENAMED: "it was announced under another name",
    Cause.OTHER_OWNER: "it was announced to another owner",
    Cause.OTHER_PLACE: "it was announced in another place",
    Cause.OTHER_POLICY: "it was announced under another policy",
    Cause.OTHER_DATE: "it was announced for an earlier date",
    Cause.NOT_YET: "nothing is recorded",
}
"""What the causes mean; in each case the next live run announces the image."""


@dataclass(frozen=True, slots=True)
class Unlisted:
    """An announced image that the latest survey does not list: as last seen, its notice, and since when."""

    image: Image
    notice: Notice
    since: datetime


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The latest snapshot of a target on which a run has decided, and what is recorded of its announcements.

    `decided_on` are the notices as that run counted them, and `notices` those of now, by image id. `told_by` is the
    last live run that ended, 0 for none; `untold` are the images that it was to announce or to send a reminder for, and
    no channel accepted that, `posted` whether its report was to be posted at all, and `trouble` why that is
    undelivered. `asked` are the images whose deletion was requested. `ended`: the run has ended.
    `exempt` are the images that are exempt by now, whatever that run knew.

    Wide because each field is recorded on its own.
    """

    target: str
    run: int
    mode: Mode
    seen_at: datetime
    decisions: Sequence[Decision]
    ended: bool = True
    told_by: int = 0
    posted: bool = True
    decided_on: Mapping[str, Notice] = field(default_factory=dict)
    notices: Mapping[str, Notice] = field(default_factory=dict)
    untold: frozenset[str] = frozenset()
    trouble: str | None = None
    asked: frozenset[str] = frozenset()
    unlisted: Sequence[Unlisted] = ()
    exempt: Mapping[str, Exemption] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Waiting:
    """An image that waits. `due` is the date that people know; otherwise the earliest one, None where unknown.

    `said` belongs to the cause or the state: an error, a name, a policy, or what keeps the image; `since` too.
    """

    image: Image
    policy: str | None
    state: State
    due: datetime | None
    cause: Cause | None = None
    said: str | None = None
    since: datetime | None = None


def may_be_due(one: Waiting, before: datetime | None) -> bool:
    """Whether an image may be due before an instant, None for any; one whose date is unknown may be."""
    return before is None or one.due is None or one.due < before


def waiting_in(snapshot: Snapshot) -> list[Waiting]:
    """The images that wait in a target, by state, the first due to the minute first, those without a date last.

    Among equals by policy, cause, name, and id.
    """
    found = [*_listed(snapshot), *map(_unlisted, snapshot.unlisted)]
    order = list(State)
    last = datetime.max.replace(tzinfo=snapshot.seen_at.tzinfo)

    def place(one: Waiting) -> tuple[object, ...]:
        due = (one.due or last).replace(second=0, microsecond=0)
        why = (one.policy or "", one.cause or "", one.said or "")
        return order.index(one.state), due, *why, one.image.name or "", one.image.id

    return sorted(found, key=place)


def _listed(snapshot: Snapshot) -> Iterator[Waiting]:
    for decision in snapshot.decisions:
        waits = waiting_of(decision, snapshot) if decision.image.id not in snapshot.asked else None
        exemption = snapshot.exempt.get(decision.image.id)
        if waits is not None and exemption is not None:
            waits = _exempted(waits, exemption)
        if waits is not None:
            yield waits


def _exempted(waits: Waiting, exemption: Exemption) -> Waiting | None:
    """An image that a person has exempted since: announced, and kept; one that is not announced no longer waits."""
    if waits.state is State.HELD:
        return waits
    if waits.state not in (State.ANNOUNCED, State.AWAITS_REMINDER):
        return None
    until = None if exemption.until == FOREVER else exemption.until
    return replace(waits, state=State.HELD, said=f"exempt by {exemption.who}: {exemption.why}", since=until)


def _unlisted(one: Unlisted) -> Waiting:
    return Waiting(one.image, one.notice.policy, State.UNLISTED, one.notice.due, since=one.since)


def waiting_of(decision: Decision, snapshot: Snapshot) -> Waiting | None:
    """How one image waits that a run has decided on; None where it waits for nothing."""
    image, notice = decision.image, snapshot.notices.get(decision.image.id)
    match decision.reason:
        case Reason.NOTICE:
            return _noticed(decision, notice, snapshot)
        case Reason.REFUSED:
            return Waiting(image, decision.policy, State.REFUSED, decision.due, said=decision.detail)
        case Reason.USAGE_UNKNOWN | Reason.UNSETTLED_RECORD if notice is not None:
            return Waiting(image, notice.policy, State.HELD, notice.due, said=decision.detail)
    if decision.verdict is Verdict.DELETE and notice is not None and notice.policy == decision.policy:
        return Waiting(image, decision.policy, State.ANNOUNCED, notice.due, since=notice.announced_at)
    return None


def _noticed(decision: Decision, notice: Notice | None, snapshot: Snapshot) -> Waiting:
    image, policy = decision.image, decision.policy
    undone = _undone(decision, notice, snapshot.decided_on.get(image.id))
    if notice is None or undone is not None:
        cause, said, since = _cause(image.id, undone, snapshot)
        return Waiting(image, policy, State.NOT_ANNOUNCED, decision.due, cause, said, since)
    if notice.reminded_at is None and (
        image.id in snapshot.untold or _awaits_reminder(decision, snapshot.decided_on.get(image.id))
    ):
        due = max(notice.due, decision.due or notice.due)
        return Waiting(image, policy, State.AWAITS_REMINDER, due, since=notice.announced_at)
    return Waiting(image, policy, State.ANNOUNCED, notice.due, since=notice.announced_at)


_Reason = tuple[Cause, str | None, datetime | None]


def _undone(decision: Decision, notice: Notice | None, decided_on: Notice | None) -> _Reason | None:
    """Why an announcement does not count; None where it does, or where there is none."""
    if notice is None:
        return None
    if notice.policy != decision.policy:
        return Cause.OTHER_POLICY, notice.policy, None
    if decided_on is not None and decided_on.announced_at == notice.announced_at:
        if decided_on.lapsed is not None:
            return Cause.SILENCE, None, decided_on.lapsed
        if decided_on.renamed:
            return Cause.RENAMED, notice.name or "", None
        if decided_on.reowned:
            return Cause.OTHER_OWNER, notice.owner or "", None
        if decided_on.elsewhere:
            return Cause.OTHER_PLACE, _title_of(notice.place), None
        if _awaits_reminder(decision, decided_on):
            return None
    return (Cause.OTHER_DATE, None, notice.due) if decision.due is not None and notice.due < decision.due else None


def _title_of(place: str | None) -> str:
    return "the main channel" if place in (None, MAIN_CHANNEL) else place


def _awaits_reminder(decision: Decision, decided_on: Notice | None) -> bool:
    return decided_on is not None and decided_on.waits_until is not None and decided_on.waits_until == decision.due


def _cause(image_id: str, undone: _Reason | None, snapshot: Snapshot) -> _Reason:
    """Why an image is not announced: what kept its run from that, or else what undid its announcement."""
    if not snapshot.ended:
        return Cause.IN_PROGRESS, None, None
    if image_id in snapshot.untold:
        unheard = Cause.UNDELIVERED if snapshot.trouble else Cause.NOT_STARTED
        return (unheard if snapshot.posted else Cause.NOT_POSTED), snapshot.trouble, None
    return undone or (Cause.DRY_RUN if snapshot.mode is Mode.DRY_RUN else Cause.NOT_YET, None, None)
