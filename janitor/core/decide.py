"""The decision: which images stay, which go, and why. One pure function over values; the caller brings the time."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo

from janitor.core.decision import REASONS, Decision, Reason, Verdict
from janitor.core.expiry import term_of
from janitor.core.guards import Facts, Guards, missing
from janitor.core.image import Image
from janitor.core.matching import Matched, Owner
from janitor.core.memory import History, Memory, Notice
from janitor.core.names.wire_keys import WireKeys
from janitor.core.needs import needs_of
from janitor.core.notices import awaits_reminder, due_under, known
from janitor.core.policy import Policy
from janitor.core.retention import Kept, kept_by
from janitor.core.units import format_day, format_minute
from janitor.core.usage import Usage
from janitor.expressions import Budget


def decide(
    images: Iterable[Image],
    policies: Sequence[Policy],
    usage: Usage,
    history: Mapping[str, History],
    now: datetime,
    *,
    target: str,
    also_named: Sequence[str] = (),
    zone: tzinfo,
    memory: Memory = Memory(),  # noqa: B008 - frozen
    budget: Budget | None = None,
    wire_keys: WireKeys = WireKeys(),  # noqa: B008 - frozen
    matched: Matched | None = None,
) -> list[Decision]:
    """Decide once on every image of a target: the guards first, then the first policy that matches it.

    `now` is aware. `also_named` are other names by which policies may know the target. `history` is by image id; for an
    image without one, no clock that needs it applies. `zone` is for the calendar of `keep` and the dates in sentences;
    `memory` is what was announced, exempted and rejected. `budget` is the time left for the expressions of a run; what
    its `check_stop` raises ends the decision. `wire_keys` are what the API calls the fields of its images. `matched` is
    what was found out already by the same policies, for the same names and within the same budget. The decisions come
    oldest image first, undated ones before all, ties by id, whatever the order of `images`. Nothing is mutated but the
    budget.

    Wide because everything that a decision depends on is named here, and it depends on nothing else.
    """
    budget = budget or Budget()
    ordered = sorted(images, key=_age)
    matched = matched or Matched(policies, (target, *also_named), budget)
    owners = list(map(matched.owner_of, ordered))
    kept = _kept(taking_part(ordered, owners), now, zone, matched)
    facts = Facts(usage, history, memory, now, zone, needs_of(ordered), wire_keys)
    guards = Guards(facts)
    return [
        guards.on(image) or _ruled(image, owner, kept.get(image.id), facts, budget)
        for image, owner in zip(ordered, owners, strict=True)
    ]


def _age(image: Image) -> tuple[datetime, str]:
    return (image.created_at or datetime.min.replace(tzinfo=UTC), image.id)


def _ruled(image: Image, owner: Owner, kept: Kept | None, facts: Facts, budget: Budget) -> Decision:
    if owner.doubtful is not None:
        return Decision(image, Verdict.KEEP, None, Reason.UNMATCHED, _doubt(image, owner.doubtful, budget))
    policy = owner.policy
    if policy is None:
        return Decision(image, Verdict.KEEP, None, Reason.UNMATCHED, REASONS[Reason.UNMATCHED])
    if policy.expire is None:
        return Decision(image, Verdict.KEEP, policy.name, Reason.PINNED, "the policy keeps all it matches, forever")
    term = term_of(image, policy.expire, facts.history.get(image.id))
    if term is None:
        detail = f"{missing(image, facts.wire_keys.updated)}, so its expiry date is unknown"
        return Decision(image, Verdict.KEEP, policy.name, Reason.UNDATED, detail)
    if not term.over(facts.now):
        return Decision(
            image, Verdict.KEEP, policy.name, Reason.TOO_YOUNG, term.sentence("expires", facts.zone), term.due
        )
    if kept is not None:
        return Decision(image, Verdict.KEEP, policy.name, kept.reason, kept.detail)
    return _expired(image, policy, term.sentence("expired", facts.zone), facts)


def _expired(image: Image, policy: Policy, sentence: str, facts: Facts) -> Decision:
    refusals = facts.memory.refusals.get(image.id)
    if refusals is not None and facts.now < (again := refusals.next_try):
        detail = f"{sentence}; rejected by the API on {format_day(refusals.last_at, facts.zone)} ({refusals.detail})"
        return Decision(image, Verdict.WAIT, policy.name, Reason.REFUSED, detail, again)
    notice = facts.memory.notices.get(image.id)
    due = due_under(policy, notice, facts.now)
    if facts.now < due:
        detail = f"{sentence}; due for deletion {_when(policy, notice, due, facts.zone)}"
        return Decision(image, Verdict.WAIT, policy.name, Reason.NOTICE, detail, due)
    return Decision(image, Verdict.DELETE, policy.name, Reason.EXPIRED, sentence)


def _when(policy: Policy, notice: Notice | None, due: datetime, zone: tzinfo) -> str:
    """The date, if people were told it: otherwise it is not known exactly.

    The wait begins, and continues after a reminder, when the channel accepts the message.
    """
    if known(notice, policy.name, due):
        return format_minute(due, zone)
    at_least = f"no earlier than {format_minute(due, zone)}"
    if awaits_reminder(notice, policy.name, due):
        return f"{at_least}, a day after a reminder of it"
    if notice is not None and notice.lapsed is not None:
        return f"{at_least}, to be announced again after a silence since {format_minute(notice.lapsed, zone)}"
    if notice is not None and notice.renamed:
        return f"{at_least}, to be announced again, as it was announced as {notice.name or 'an image without a name'}"
    if notice is not None and notice.reowned:
        return f"{at_least}, to be announced again, as its owner has changed"
    if notice is not None and notice.elsewhere:
        return f"{at_least}, to be announced again, as it was announced in another place"
    return at_least


def _doubt(image: Image, policy: Policy, budget: Budget) -> str:
    asked = policy.match.asks_for()
    known = {
        "name": image.name,
        "size": image.size,
        "disk_format": image.disk_format,
        "properties": None if any(key.startswith("properties") for key in image.unreadable) else image.properties,
        "tags": image.tags,
        "visibility": image.visibility,
        "owner": image.owner,
        "os_hidden": image.os_hidden,
    }
    missing = " and ".join(fact for fact, value in known.items() if value is None and fact in asked)
    why = [f"{missing} not known"] if missing else []
    why += policy.match.doubts(image, budget)
    return f"it is unknown whether policy {policy.name} matches it: {'; '.join(why)}"


def taking_part(images: Iterable[Image], owners: Iterable[Owner]) -> list[tuple[Policy, list[Image]]]:
    """The policies that have a `keep`, each with the images that take part in it.

    An image whose owner or record is in doubt is kept anyway, and does not count.
    """
    owned: dict[str, tuple[Policy, list[Image]]] = {}
    for image, owner in zip(images, owners, strict=True):
        policy = owner.policy
        if policy is None or policy.keep is None or owner.doubtful is not None or image.contradictions:
            continue
        if policy.name not in owned:
            owned[policy.name] = (policy, [])
        owned[policy.name][1].append(image)
    return list(owned.values())


def _kept(
    taking: Iterable[tuple[Policy, list[Image]]], now: datetime, zone: tzinfo, matched: Matched
) -> dict[str, Kept]:
    """What the policies' `keep` protects."""
    kept: dict[str, Kept] = {}
    for policy, images in taking:
        if policy.keep is not None:
            kept |= kept_by(policy.keep, images, now, zone, matched.family_of)
    return kept
