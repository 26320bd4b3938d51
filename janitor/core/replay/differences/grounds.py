"""What a run went by for an image: its policy, its family there, and its exemption."""

from janitor.core.exemptions import BY_TAG
from janitor.core.image import Image
from janitor.core.matching import Matched
from janitor.core.policy import Clock
from janitor.core.replay.differences.between import Cause, Side
from janitor.expressions import Budget, Undecided

_DATED_BY = {
    Clock.CREATED: ("created_at",),
    Clock.UPDATED: ("updated_at",),
    Clock.STATUS: ("status",),
    Clock.LAST_USED: (),
}


def unless_granted(image: Image, other: Image, side: Side, rest: Side) -> Cause | None:
    """Why only one run counted an exemption, if that is not its grant: an entry or a tag that the other had as well."""
    given = None if side.exemptions is None else side.exemptions.get(image.id)
    if given is None or rest.basis is None:
        return Cause.UNKNOWN
    if given.who == BY_TAG:
        return None if image.tags != other.tags else Cause.UNKNOWN
    if given not in rest.basis.exemptions:
        return None
    return Cause.NAME if image.name != other.name else Cause.UNKNOWN


def is_by_day(image: Image, side: Side) -> bool:
    """Whether the end of an image's exemption is a day of a time zone: a tag or a policy file may say one."""
    given = None if side.exemptions is None else side.exemptions.get(image.id)
    if given is None or side.basis is None:
        return False
    return given.who == BY_TAG or given in side.basis.exemptions


def dated_by(policy: str | None, side: Side) -> tuple[str, ...]:
    """The fact of an image from which its age counted under a policy."""
    policies = () if side.basis is None else side.basis.policies
    clocks = [each.expire.since for each in policies if each.name == policy and each.expire is not None]
    return _DATED_BY[clocks[0] if clocks else Clock.CREATED]


def matched_by(side: Side, target: str) -> Matched | None:
    """The policies that a run went by, for one target; None where they were not recorded."""
    names = (target, *side.also_named)
    return None if side.basis is None else Matched(side.basis.policies, names, Budget())


def owner_in(matched: Matched, image: Image) -> str | None:
    """The name of the policy that owns an image, if one certainly does."""
    owner = matched.owner_of(image)
    return None if owner.policy is None or owner.doubtful is not None else owner.policy.name


def family_in(matched: Matched, image: Image) -> tuple[str, str | None] | None:
    """The policy that owns an image and the family there; None where it takes part in none."""
    owner = matched.owner_of(image)
    if owner.policy is None or owner.doubtful is not None or owner.policy.keep is None:
        return None
    try:
        return owner.policy.name, matched.family_of(image, owner.policy.keep)
    except Undecided:
        return None
