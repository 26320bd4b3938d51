"""One image explained: the answer of each policy, its place in its family, its guards, and what comes next."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from janitor.core.decide import decide, taking_part
from janitor.core.decision import Decision, Reason, Verdict
from janitor.core.exemptions import FOREVER, expires_soon
from janitor.core.guards import NEWBORN, Facts, holding
from janitor.core.image import Image, Sharing
from janitor.core.matching import Matched
from janitor.core.memory import History, Memory
from janitor.core.names.pattern import Truth
from janitor.core.names.wire_keys import WireKeys
from janitor.core.needs import needs_of
from janitor.core.policy import Check, Policy
from janitor.core.retention import Place, place_of
from janitor.core.sharing import apply_sharing
from janitor.core.units import format_duration
from janitor.core.usage import Usage
from janitor.expressions import Budget


@dataclass(frozen=True, slots=True)
class Case:
    """What is recorded of a target, and what is configured: all that the next decision on it would depend on.

    `history` is None where it was not recorded. `sharing` is as it was when last asked about. `exemptions` of `memory`
    are those of now; its notices are as they count now.

    Wide because everything that a decision depends on is named here, as in `decide`.
    """

    target: str
    names: tuple[str, ...]
    images: Sequence[Image]
    usage: Usage
    seen_at: datetime
    history: Mapping[str, History] | None
    memory: Memory
    sharing: Mapping[str, Sharing]
    policies: Sequence[Policy]
    zone: tzinfo
    wire_keys: WireKeys = WireKeys()  # noqa: RUF009 - frozen


@dataclass(frozen=True, slots=True)
class PolicyAnswer:
    """What one policy says to an image: whether it matches it (None: unknown), and the first key that does not hold.

    `within` are the keys of `not` that all hold, where that is the key. `doubts` say why it is unknown.
    """

    policy: Policy
    truth: Truth
    owns: bool
    check: Check | None = None
    within: tuple[Check, ...] = ()
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ending:
    """A guard that holds no longer, or not for long, or may hold soon; `at` is when, if that is known."""

    reason: Reason
    detail: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """All of it. `place` is None without a family, and `following` where the history was not recorded.

    `following` is what a run would decide now, if it saw what the last one saw. `guards` hold; `endings` nearly do.
    `owner` is whom the policy that owns the image finds as its owner.
    """

    policies: tuple[PolicyAnswer, ...]
    place: Place | None
    guards: tuple[Decision, ...]
    endings: tuple[Ending, ...]
    following: Decision | None
    owner: str | None = None

    @property
    def policy(self) -> Policy | None:
        """The policy that owns the image."""
        return next((answer.policy for answer in self.policies if answer.owns), None)


def explained(image: Image, case: Case, now: datetime) -> Explanation:
    """Explain one image of a case."""
    budget = Budget()
    matched = Matched(case.policies, case.names, budget)
    matched.prepare(case.images)
    history = case.history or {}
    facts = Facts(case.usage, history, case.memory, case.seen_at, case.zone, needs_of(case.images), case.wire_keys)
    answers = tuple(_answers(image, case, budget))
    return Explanation(
        answers,
        _place(image, case, matched),
        (*holding(image, facts), *_shared(image, case)),
        tuple(_endings(image, case, history.get(image.id), now)),
        None if case.history is None else _following(image, case, case.history, matched, now),
        next((_owner(answer.policy, image, budget) for answer in answers if answer.owns), None),
    )


def _owner(policy: Policy, image: Image, budget: Budget) -> str | None:
    return None if policy.owner is None else policy.owner.of(image, budget)


def _answers(image: Image, case: Case, budget: Budget) -> Iterator[PolicyAnswer]:
    owned = False
    for policy in case.policies:
        truth = policy.match.holds(image, case.names, budget)
        owns = bool(truth) and not owned
        owned = owned or owns
        if truth:
            yield PolicyAnswer(policy, truth, owns)
            continue
        check = policy.match.failing(image, case.names, budget)
        excluded = policy.match.exclude if check is not None and check.key == "not" else None
        within = () if excluded is None else tuple(excluded.checks(image, case.names, budget))
        doubts = tuple(policy.match.doubts(image, budget)) if truth is None else ()
        yield PolicyAnswer(policy, truth, owns, check, within, doubts)


def _place(image: Image, case: Case, matched: Matched) -> Place | None:
    """The place in its family that its owner's `keep` gives an image."""
    owners = list(map(matched.owner_of, case.images))
    for policy, images in taking_part(case.images, owners):
        if policy.keep is not None and any(other.id == image.id for other in images):
            return place_of(image, policy.keep, images, case.seen_at, case.zone, matched.family_of)
    return None


def _shared(image: Image, case: Case) -> list[Decision]:
    """The guard of a shared image, which comes last: it is asked about only where nothing else keeps the image."""
    planned = Decision(image, Verdict.DELETE, None, Reason.EXPIRED, "")
    return [decision for decision in apply_sharing([planned], case.sharing) if decision.verdict is Verdict.KEEP]


def _endings(image: Image, case: Case, history: History | None, now: datetime) -> Iterator[Ending]:
    exemption = case.memory.exemptions.get(image.id)
    if exemption is not None and exemption.until != FOREVER and expires_soon(exemption.until, now):
        left = format_duration(_to_hours(now, exemption.until))
        yield Ending(Reason.EXEMPT, f"the exemption by {exemption.who} ends in {left}", exemption.until)
    in_use = image.identity in case.usage.by_image
    if history is not None and history.last_in_use is not None and not in_use:
        ago = format_duration(_to_hours(history.last_in_use, now))
        memory = case.memory.usage_memory
        remembered = f"; remembered for {format_duration(memory)}" if memory else ""
        until = history.last_in_use + memory if memory else None
        yield Ending(Reason.RECENTLY_USED, f"last seen in use {ago} ago{remembered}", until)
    if image.created_at is not None and case.seen_at - image.created_at < NEWBORN:
        yield Ending(Reason.NEWBORN, "holds for 10 minutes after the creation", image.created_at + NEWBORN)
    sharing = case.sharing.get(image.id)
    if sharing is not None and sharing.pending and not sharing.accepted:
        yield Ending(Reason.SHARED, f"offered to {', '.join(sorted(sharing.pending))}, not accepted yet")


def _to_hours(since: datetime, until: datetime) -> timedelta:
    """A time of days as whole days, a shorter one as whole hours."""
    unit = timedelta(days=1) if until - since >= timedelta(days=1) else timedelta(hours=1)
    return (until - since) // unit * unit


def _following(
    image: Image, case: Case, history: Mapping[str, History], matched: Matched, now: datetime
) -> Decision | None:
    """What a run would decide on an image now; None for one that is not there."""
    now = max(now, case.seen_at)
    known = history.get(image.id)
    if case.usage.unread and known is not None and known.last_held is not None and known.last_held >= case.seen_at:
        history = {**history, image.id: known.replace(last_held=now)}  # a use that cannot be read goes on
    decided = decide(
        case.images,
        case.policies,
        case.usage,
        history,
        now,
        target=case.target,
        also_named=case.names[1:],
        zone=case.zone,
        memory=case.memory,
        wire_keys=case.wire_keys,
        matched=matched,
    )
    return next((each for each in apply_sharing(decided, case.sharing) if each.image.id == image.id), None)
