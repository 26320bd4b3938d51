"""A replay of one snapshot, by its own policies or others: what they decide on it, and what is not known of that.

What a run knew of people's exemptions and of notices depended on its policy files too: that part is replaced by what
the tried files say. Unchanged files give exactly the decisions of that run.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from janitor.core.basis import Basis, Grounds
from janitor.core.decision import Decision, Reason, Verdict
from janitor.core.image import Image, Sharing
from janitor.core.matching import Matched
from janitor.core.memory import Exemption, Hearing, Notice
from janitor.core.names.wire_keys import WireKeys
from janitor.core.notices import counted_among, holds, place_of
from janitor.core.policy import Policy
from janitor.core.recipients.destinations import Destinations
from janitor.core.recipients.recipients import same_owner
from janitor.core.replay.exempted import Granted, exempted_under
from janitor.core.replay.expiring import expiring
from janitor.core.replay.inputs import Inputs, Night, decided, later, night_of
from janitor.core.replay.owned import Owners, owners_of
from janitor.expressions import Budget

UNASKED = "it is not known whether another project uses it, as no answer to that is recorded"


@dataclass(frozen=True, slots=True)
class Tried:
    """What is tried: policies, the exemptions of their files, and the instant, None for that of the snapshot.

    With `until` it is also found which images expire until then.
    """

    policies: Sequence[Policy]
    exemptions: Sequence[Exemption]
    now: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What people were told of images until an instant: their notices, and when reports were accepted.

    That is known `until` then; later reports and reminders count as if they had arrived. `next_run` says when the next
    run after an instant is due, if a schedule is configured.
    """

    notices: Mapping[str, Notice]
    hearing: Hearing
    until: datetime
    next_run: Callable[[datetime], datetime] | None = None

    def counted(self, images: Iterable[Image], destinations: Destinations | None) -> Mapping[str, Notice]:
        """The notices as they count for images that are reported there, as a run would count them."""
        if destinations is None:
            return self.notices
        return counted_among(images, self.notices, self.hearing, self.until, destinations, self.next_run)


@dataclass(frozen=True, slots=True)
class Known:
    """What else is known about a past run, beside its inputs.

    `by_command` are the exemptions by command as of then. `destinations` says where images are reported under some
    policies, None for nowhere. `may_be_shared` says of an image whether an API is asked for its sharing. `told` is what
    people were told until a later instant, None where that is not known. `now_by_command` are the exemptions by command
    as of a later instant, None where those of then count.
    """

    by_command: Sequence[Exemption]
    destinations: Callable[[Iterable[Policy]], Destinations | None]
    may_be_shared: Callable[[Image], bool]
    wire_keys: WireKeys
    told: Callable[[datetime], Told] | None = None
    now_by_command: Sequence[Exemption] | None = None


@dataclass(frozen=True, slots=True)
class Replayed:
    """What was decided, oldest image first, and the images to be deleted whose sharing is not known, by their ids.

    Of those of `anew` an announcement no longer stands, so that their notice starts again. Those of
    `expiring` are kept and expire until the instant of `Tried.until`, each with the name of its policy.
    """

    decisions: Sequence[Decision]
    sharing_unknown: frozenset[str]
    owners: Owners = field(default_factory=Owners)
    anew: frozenset[str] = frozenset()
    expiring: Mapping[str, str] = field(default_factory=dict)


def replayed(inputs: Inputs, basis: Basis, grounds: Grounds, tried: Tried, known: Known) -> Replayed:
    """What these policies decide on the inputs of a past run.

    `basis` and `grounds` are those of the inputs, or what stands for them where they were not recorded. With the
    policies and exemptions of the basis, at the instant of the snapshot, these are exactly the decisions of the run.
    """
    night = night_of(inputs, basis, grounds, known.wire_keys)
    now = tried.now or night.now
    recorded = night.memory.exemptions if inputs.grounds is not None else None
    granted = Granted(recorded, basis.exemptions, known.by_command, night.now, night.zone, known.now_by_command)
    memory = replace(
        night.memory,
        exemptions=exempted_under(granted, night.images, tried.exemptions),
        notices=_notices(night, basis, tried, known),
    )
    budget = Budget()
    matched = Matched(tried.policies, night.names, budget)
    matched.prepare(night.images)
    night = later(replace(night, memory=memory), now)
    ruled = decided(night, tried.policies, budget=budget, matched=matched)
    found = _with_doubts(ruled, grounds.sharing, known.may_be_shared)
    return replace(
        found,
        owners=owners_of(ruled, matched),
        anew=announced_anew(ruled, tried.policies, memory.notices),
        expiring={} if tried.until is None else expiring(night, ruled, matched, tried.until),
    )


def announced_anew(
    decisions: Iterable[Decision], policies: Iterable[Policy], notices: Mapping[str, Notice]
) -> frozenset[str]:
    """The waiting images that were announced, but not so that this stands under these policies, by their ids."""
    by_name = {policy.name: policy for policy in policies}
    return frozenset(
        each.image.id
        for each in decisions
        if each.reason is Reason.NOTICE and each.policy in by_name
        if (notice := notices.get(each.image.id)) is not None and not holds(by_name[each.policy], notice)
    )


def _notices(night: Night, basis: Basis, tried: Tried, known: Known) -> Mapping[str, Notice]:
    """The notices as they count: at a later instant also those that were given after the snapshot."""
    if tried.now is not None and known.told is not None:
        return known.told(tried.now).counted(night.images, known.destinations(tried.policies))
    return notices_under(night.images, night.memory.notices, basis.policies, tried.policies, known.destinations)


def notices_under(
    images: Iterable[Image],
    notices: Mapping[str, Notice],
    before: Iterable[Policy],
    after: Iterable[Policy],
    destinations: Callable[[Iterable[Policy]], Destinations | None],
) -> Mapping[str, Notice]:
    """The notices as they count if these policies follow those before.

    An image whose policy now reports it in another place, or finds another owner, was not announced there.
    """
    old, new = ({policy.name: policy for policy in some} for some in (before, after))
    moved = {name for name in old.keys() & new.keys() if _told(old[name]) != _told(new[name])}
    concerned = [each for each in images if each.id in notices and notices[each.id].policy in moved]
    then, now = destinations(old.values()), destinations(new.values())
    if not concerned or then is None or now is None:
        return notices
    return {**notices, **{image.id: _moved(notices[image.id], image, then, now) for image in concerned}}


def _told(policy: Policy) -> tuple[object, ...]:
    """What of a policy says who is told of its images."""
    return (policy.channel, policy.owner)


def _moved(notice: Notice, image: Image, then: Destinations, now: Destinations) -> Notice:
    places = [place_of(destinations, notice.policy, image) for destinations in (then, now)]
    owners = [destinations.owner_of(notice.policy, image) for destinations in (then, now)]
    if places[0] != places[1]:
        notice = replace(notice, elsewhere=notice.place is not None and places[1] != notice.place)
    if owners[0] != owners[1] and notice.owner is not None:
        notice = replace(notice, reowned=same_owner(owners[1] or notice.owner) != same_owner(notice.owner))
    return notice


def _with_doubts(
    decisions: Sequence[Decision], sharing: Mapping[str, Sharing], may_be_shared: Callable[[Image], bool]
) -> Replayed:
    """The same decisions, but those that say so of which nobody asked then whether another project uses the image."""
    doubtful: set[str] = set()
    found = list(decisions)
    for index, decision in enumerate(decisions):
        if decision.verdict is Verdict.KEEP:
            continue
        if not sharing_is_unknown(decision.image, sharing, may_be_shared):
            continue
        doubtful.add(decision.image.id)
        if decision.image.id not in sharing:  # otherwise its sentence says so already
            found[index] = decision.replace(detail=f"{decision.detail}; {UNASKED}")
    return Replayed(found, frozenset(doubtful))


def sharing_is_unknown(image: Image, sharing: Mapping[str, Sharing], may_be_shared: Callable[[Image], bool]) -> bool:
    """Whether an image may be used by another project, and none of these answers of then says whether it is."""
    answer = sharing.get(image.id)
    return may_be_shared(image) if answer is None else answer.unasked


def kept_shared(replay: Replayed, recorded: Iterable[Decision]) -> Replayed:
    """The same, where a run recorded no answers about sharing: an image that it kept as shared stays."""
    shared = {each.image.id: each for each in recorded if each.reason is Reason.SHARED}
    if not shared:
        return replay
    found = [
        shared[each.image.id] if each.verdict is not Verdict.KEEP and each.image.id in shared else each
        for each in replay.decisions
    ]
    return replace(replay, decisions=found, sharing_unknown=replay.sharing_unknown - shared.keys())
