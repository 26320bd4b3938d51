"""The images of a snapshot that expire until a later instant, by the passing of time alone, without a second decision.

Only of the images that something keeps for a time it is asked again: of most it is known that they stay.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from janitor.core.decide import taking_part
from janitor.core.decision import Decision, Reason, Verdict
from janitor.core.expiry import term_of
from janitor.core.guards import Facts, Guards
from janitor.core.image import Image
from janitor.core.matching import Matched
from janitor.core.memory import Notice
from janitor.core.needs import Needs, needs_of
from janitor.core.notices import due_under
from janitor.core.policy import Policy
from janitor.core.replay.inputs import Night, later
from janitor.core.retention import Period, kept_by

_KEPT_BY_PLACE = frozenset({Reason.KEPT_NEWEST, *(period.reason for period in Period)})


def expiring(night: Night, decisions: Iterable[Decision], matched: Matched, until: datetime) -> dict[str, str]:
    """The kept images that have expired by an instant and that nothing keeps then, by id, with their policies.

    `decisions` are those of the night, by the policies of `matched`. Whether they are deleted then, or begin to wait,
    is left open. An image that is dated after the night and before then has a place in its family then, and may take
    that of another.
    """
    then = later(night, until)
    dated = any(image.created_at is not None and night.now < image.created_at <= until for image in night.images)
    needs = needs_of(night.images) if dated else Needs()  # of other images it was asked before
    facts = Facts(then.usage, then.history, then.memory, then.now, then.zone, needs, then.wire_keys)
    guards = Guards(facts)
    unread = bool(night.usage.unread)  # then a use may go on, however long ago it was seen
    found: dict[str, Policy] = {}
    for decision in decisions:
        ends = decision.reason is Reason.NEWBORN or (decision.reason is Reason.RECENTLY_USED and not unread)
        if decision.reason in (Reason.TOO_YOUNG, Reason.EXEMPT):
            ends = decision.due is not None and decision.due <= until
        elif dated and (decision.reason is Reason.UNDATED or decision.reason in _KEPT_BY_PLACE):
            ends = True
        policy = _over(decision.image, matched, facts) if ends else None
        if policy is not None and guards.on(decision.image) is None:
            found[decision.image.id] = policy
    kept = _kept(night, found.values(), matched, until)
    return {image: policy.name for image, policy in found.items() if image not in kept}


def _over(image: Image, matched: Matched, facts: Facts) -> Policy | None:
    """The policy that owns an image, if its term is over then."""
    owner = matched.owner_of(image)
    if owner.policy is None or owner.doubtful is not None or owner.policy.expire is None or image.created_at is None:
        return None
    term = term_of(image, owner.policy.expire, facts.history.get(image.id))
    return owner.policy if term is not None and term.due is not None and term.due <= facts.now else None


def _kept(night: Night, policies: Iterable[Policy], matched: Matched, until: datetime) -> set[str]:
    """The images that the `keep` of these policies protects then."""
    concerned = {policy.name for policy in policies if policy.keep is not None}
    if not concerned:
        return set()
    images = sorted(night.images, key=lambda image: image.id)
    owners = [matched.owner_of(image) for image in images]
    kept: set[str] = set()
    for policy, owned in taking_part(images, owners):
        if policy.keep is not None and policy.name in concerned:
            kept |= kept_by(policy.keep, owned, until, night.zone, matched.family_of).keys()
    return kept


def deleted_then(
    decisions: Iterable[Decision],
    expiring: Mapping[str, str],
    policies: Iterable[Policy],
    notices: Mapping[str, Notice],
    until: datetime,
) -> list[Decision]:
    """The decisions on images that are not deleted at once, and are by a run at a later instant.

    Those are images that expire until then, or wait until a date before; `notices` as they stand then.
    """
    by_name = {policy.name: policy for policy in policies}
    found = []
    for decision in decisions:
        waits = decision.verdict is Verdict.WAIT and decision.due is not None and decision.due <= until
        policy = by_name.get((decision.policy if waits else expiring.get(decision.image.id)) or "")
        if policy is not None and due_under(policy, notices.get(decision.image.id), until) <= until:
            found.append(decision)
    return found


def expires_anyway(
    before: Decision | None, after: Decision, then: Sequence[Policy] | None, now: Sequence[Policy]
) -> bool:
    """Whether an image that expires now was to be deleted before, or expires at the same time under what ruled then.

    At the same time, and after the same notice.

    The policies of then are None where they are not known.
    """
    if before is None or before.verdict is not Verdict.KEEP:
        return before is not None
    if then is None or not before.is_like(after) or before.due != after.due:
        return False
    old, new = (next((each for each in some if each.name == before.policy), None) for some in (then, now))
    alike = old is not None and new is not None and old.keep is None and old.notice == new.notice
    return alike or _ruling(then) == _ruling(now)


def _ruling(policies: Iterable[Policy]) -> list[Policy]:
    return [replace(policy, description=None, contact=None) for policy in policies]
