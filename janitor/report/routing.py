"""Which images are reported where: those with a place of their own there, all others in the main channel.

The main channel's totals count everything. An image whose decision names no policy (a guard keeps it, say) is reported
in the main channel; but an image that is spared is reported where it was announced.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from janitor.core.decision import Decision
from janitor.core.image import Image
from janitor.core.planning.plan import owns
from janitor.core.recipients.destinations import Destination, Destinations
from janitor.core.recipients.recipients import Recipient, same_owner
from janitor.core.result import Outcome, RunResult, TargetResult

_RANKING = (Outcome.OK, Outcome.PARTIAL, Outcome.FAILED, Outcome.REFUSED)
_SAID_ELSEWHERE = "not everything was done here as planned; the main channel says why"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Untold:
    """An owner who is not told of images that the main channel lists: who, or else where, why, and how many."""

    who: str
    why: str
    images: int


@dataclass(frozen=True, slots=True)
class Addressees:
    """For whom a share is: the recipient that the configuration gives, and its owners as found, "" for the default."""

    recipient: Recipient
    owners: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """What is reported of a run in one place; `channel` is None for the main channel, and may be the name of a person.

    `totals` is counted; `listed` is the part of it whose images are named, target by target. `policies` are those to
    whose channel it goes; `addressees` is for whom else it is, None where owners do not matter. Where this is the main
    one, `elsewhere` are the shares of other places, and `untold` the owners whose images it lists in their stead.
    """

    channel: str | None
    totals: RunResult
    listed: RunResult
    policies: tuple[str, ...] = ()
    elsewhere: tuple["Share", ...] = ()
    addressees: Addressees | None = None
    untold: tuple[Untold, ...] = ()


def shares_of(result: RunResult, destinations: Destinations) -> list[Share]:
    """The share of the main channel, then that of each channel of a policy, and then those of owners."""
    policies_of: dict[str, list[str]] = {}
    for policy, channel in destinations.channels.items():
        if channel not in destinations.unreached:
            policies_of.setdefault(channel, []).append(policy)
    sorting = _Sorting(destinations)
    parts = [sorting.parts_of(target) for target in result.targets]
    places = dict.fromkeys([*policies_of, *(place for part in parts for place in part if place is not None)])
    others = tuple(
        _share(result, place, [part[place] for part in parts if place in part], policies_of.get(place, ()), sorting)
        for place in places
    )
    rest = tuple(part[None] for part in parts)
    return [Share(None, result, replace(result, targets=rest), elsewhere=others, untold=sorting.untold), *others]


def _share(
    result: RunResult, place: str, parts: Iterable[TargetResult], policies: Iterable[str], sorting: "_Sorting"
) -> Share:
    policies, addressees = tuple(policies), sorting.addressees(place)
    private = addressees is not None and not policies
    targets = tuple(_judged(part, private=private) for part in parts if _tells_something(part))
    outcome = max((target.outcome for target in targets), key=_RANKING.index, default=Outcome.OK)
    remarks = () if private else result.remarks
    part = replace(result, targets=targets, outcome=outcome, error=None, remarks=remarks)
    return Share(place, part, part, policies, addressees=addressees)


@dataclass(slots=True)
class _Sorting:
    """Sorts the images of a result by where they are reported, and remembers for whom."""

    destinations: Destinations
    _recipients: dict[str, Recipient] = field(default_factory=dict)
    _owners: dict[str, dict[str, str]] = field(default_factory=dict)
    _untold: dict[tuple[str, str], set[tuple[str, str]]] = field(default_factory=dict)

    @property
    def untold(self) -> tuple[Untold, ...]:
        """The owners whose images are told of in the main channel, because they cannot be told."""
        return tuple(Untold(who, why, len(images)) for (who, why), images in self._untold.items())

    def addressees(self, place: str) -> Addressees | None:
        """For whom what is reported in this place is."""
        recipient = self._recipients.get(place)
        return None if recipient is None else Addressees(recipient, tuple(self._owners[place].values()))

    def parts_of(self, target: TargetResult) -> dict[str | None, TargetResult]:
        """A target as it is reported in each place: only the decisions there, their consequences, what is announced.

        There is one for the main channel, whatever it holds.
        """
        of_policies: dict[str | None, Destination | None] = {}
        found: dict[tuple[str | None, str], Destination] = {}

        def place_of(policy: str | None, image: Image, told: bool = True) -> str | None:
            if policy not in of_policies:
                of_policies[policy] = self.destinations.of_all(policy)
            destination = of_policies[policy] or found.get((policy, image.id))
            if destination is None:
                found[policy, image.id] = destination = self.destinations.of(policy, image)
                self._note(destination)
            if told and destination.why_not is not None:
                who = destination.owner or (destination.recipient.place if destination.recipient else "")
                self._untold.setdefault((who, destination.why_not), set()).add((target.target, image.id))
            return destination.place

        return _parts(target, place_of)

    def _note(self, destination: Destination) -> None:
        if destination.place is not None and destination.recipient is not None:
            self._recipients.setdefault(destination.place, destination.recipient)
            self._owners.setdefault(destination.place, {}).setdefault(same_owner(destination.owner), destination.owner)


_PlaceOf = Callable[..., str | None]


def _parts(target: TargetResult, place_of: _PlaceOf) -> dict[str | None, TargetResult]:
    def of(decision: Decision) -> str | None:
        return place_of(decision.policy, decision.image)

    notices = target.notices
    decisions = _sorted(target.decisions, lambda one: place_of(one.policy, one.image, told=False))
    for decision in target.to_delete:
        of(decision)
    deletions = _sorted(target.deletions, lambda one: of(one.decision))
    announced, reminded, gone = (_sorted(each, of) for each in (notices.announced, notices.reminded, notices.gone))
    spared = _sorted(notices.spared, lambda one: place_of(one.policy, one.decision.image))
    settled = _sorted(target.earlier.settled, lambda one: of(one.decision))
    changed = _sorted(target.review.changed, lambda one: of(one.decision))
    every: tuple[Mapping[str | None, object], ...]
    every = ({None: ()}, decisions, deletions, announced, reminded, gone, spared, settled, changed)
    return {
        place: replace(
            target,
            decisions=decisions.get(place, ()),
            deletions=deletions.get(place, ()),
            notices=replace(
                notices,
                announced=announced.get(place, ()),
                reminded=reminded.get(place, ()),
                spared=spared.get(place, ()),
                gone=gone.get(place, ()),
            ),
            review=replace(target.review, changed=changed.get(place, ())),
            earlier=replace(target.earlier, settled=settled.get(place, ())),
        )
        for place in dict.fromkeys(place for part in every for place in part)
    }


def _sorted(items: Iterable[_T], place_of: Callable[[_T], str | None]) -> dict[str | None, tuple[_T, ...]]:
    by_place: dict[str | None, list[_T]] = {}
    for item in items:
        by_place.setdefault(place_of(item), []).append(item)
    return {place: tuple(those) for place, those in by_place.items()}


def _tells_something(part: TargetResult) -> bool:
    notices = part.notices
    warned = notices.announced or notices.reminded or notices.spared or notices.gone
    return bool(part.decisions or part.deletions or warned or part.earlier.settled or part.review.changed)


def _judged(part: TargetResult, *, private: bool) -> TargetResult:
    """A part of a target, with its own counts; problems with other images of the target do not concern
    it, nor what changed among them.

    A `private` one has neither its remarks nor its error, which concern the whole target and may name images of others.
    """
    troubled = any(deletion.outcome.unsuccessful for deletion in part.deletions)
    concerned = troubled if part.outcome is Outcome.PARTIAL else bool(part.to_delete)
    owned = sum(owns(decision.image) for decision in part.decisions)
    remarks = () if private else part.survey.remarks
    error = _SAID_ELSEWHERE if private and part.error is not None else part.error
    return replace(
        part,
        survey=replace(part.survey, images=len(part.decisions), owned=owned, remarks=remarks),
        outcome=part.outcome if concerned else Outcome.OK,
        since=None,
        error=error if concerned else None,
        excess=part.excess if concerned else None,
    )
