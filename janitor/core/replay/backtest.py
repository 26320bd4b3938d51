"""What policies would have deleted, had they ruled in recorded nights: each night is decided on as a run would.

The state that a run finds in the database is kept by the replay instead. An image that it deletes is gone from then on,
whatever happened to it; one that our own real deletions removed stays as it was last seen, until the replay deletes it.
Notices and reminders count as accepted, and otherwise follow the same rules as in a run.

An image that was used by one which the replay has deleted was last in use by it in the night of that deletion.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from janitor.core.basis import Basis
from janitor.core.decision import Decision, Verdict
from janitor.core.image import Image, Sharing
from janitor.core.matching import Matched
from janitor.core.memory import History, Memory
from janitor.core.names.image_ids import ImageId, folded
from janitor.core.planning.plan import make_plan, revised
from janitor.core.policy import Policy
from janitor.core.replay.exempted import exempted
from janitor.core.replay.inputs import Night, decided
from janitor.core.replay.nights import RecordedNight
from janitor.core.replay.replayed import NightDeletion, ReplayedNight, Ruling, is_another
from janitor.core.replay.telling import Telling
from janitor.core.sharing import apply_sharing, in_question
from janitor.core.usage import Usage, User, UserKind
from janitor.expressions import Budget


class Replay:
    """The nights of one target, replayed in their order under one ruling."""

    def __init__(self, ruling: Ruling) -> None:
        self._ruling = ruling
        self._telling = Telling(ruling.basis.policies, ruling.destinations, ruling.next_run)
        self._matching = _Matching(ruling.basis.policies)
        self._users = _Users()
        # By folded ids: one that is spelled otherwise from some night on is the same image.
        self._gone: dict[ImageId, Image] = {}
        self._kept: dict[ImageId, Image] = {}
        self._account = 0

    def night(self, night: RecordedNight) -> ReplayedNight:
        """What the policies would have done in the next night."""
        rebound = night.account != self._account
        replaced = self._follow(night)
        basis = night.basis or self._ruling.basis
        seen = ReplayedNight(
            night.run,
            night.mode,
            night.at,
            night.target,
            basis.zone,
            night.counts,
            night.undecided,
            night.withheld,
            images=len(night.images),
            used=len(night.usage.by_image),
            unread=tuple(map(str, sorted(night.usage.unread))),
            recorded=night.basis is not None and night.exemptions is not None and night.clocks_known,
            really=night.requested.done,
            gone=frozenset(self._removed_by_others(night)) | replaced,
            applied=night.applied,
            unsent=night.unsent,
            ended=night.ended,
            rebound=rebound,
            undelivered=night.counts and night.told is not None and night.told.undelivered,
        )
        return self._decided(night, basis, seen) if night.counts and night.undecided is None else seen

    def _follow(self, night: RecordedNight) -> frozenset[str]:
        """Take over what became of images since the night before, and what people heard.

        Returns the deleted images of which others have the id now.
        """
        if night.account != self._account:
            self._account = night.account
            self._gone, self._kept, self._users = {}, {}, _Users()
            self._telling.forget()
        else:
            self._keep(night)
        self._telling.follow(night)
        self._matching.follow(night)
        for image in night.change.fresh:
            if (kept := self._kept.pop(image.identity, None)) is not None:  # it is listed again
                self._users.release(kept.id, night.at)
        replaced = set()
        for image in night.change.fresh:
            deleted = self._gone.get(image.identity)
            if deleted is not None and is_another(image, deleted):
                del self._gone[image.identity]
                self._users.return_(image)
                replaced.add(deleted.id)
        return frozenset(replaced)

    def _keep(self, night: RecordedNight) -> None:
        for image_id in night.change.ours:
            image = night.change.left[image_id]
            if image.identity not in self._gone:
                self._kept[image.identity] = image
                self._users.keep(image_id, night.change.left_users)

    def _removed_by_others(self, night: RecordedNight) -> Iterator[str]:
        """The images that the replay had deleted, by the ids of then, and that the night does not list any more."""
        left = {image.identity for image_id, image in night.change.left.items() if image_id not in night.change.ours}
        left &= self._gone.keys()
        if left:
            listed = {image.identity for image in night.images.values()}
            yield from (self._gone[identity].id for identity in left - listed)

    def _decided(self, night: RecordedNight, basis: Basis, seen: ReplayedNight) -> ReplayedNight:
        images = [image for image in night.images.values() if image.identity not in self._gone]
        kept = {image.id: image for image in self._kept.values()}
        images += kept.values()
        history = self._users.history(images, night)
        memory = Memory(
            notices=self._telling.counted(images, night.at),
            exemptions=exempted(night, images, basis, self._ruling.basis.exemptions, kept),
            refusals=night.refusals,
            usage_memory=basis.usage_memory,
        )
        keys = self._ruling.wire_keys(night.api)
        usage = self._users.usage(night)
        given = Night(night.names, images, usage, history, night.at, basis.zone, memory, {}, keys)
        ruled = self._matching.decided(given)
        sharing, unknown = self._sharing(night, ruled)
        decisions = apply_sharing(ruled, sharing)
        plan = revised(make_plan(decisions), decisions)
        announced = self._telling.tell(night, decisions, memory)
        asked = [] if night.withheld is not None else list(self._asked(night, plan.decisions, history, unknown))
        rejected = night.requested.rejected
        deletions = tuple(one for one in asked if one.decision.image.id not in rejected)
        self._delete([one.decision.image for one in deletions], night)
        waiting = tuple(decision for decision in decisions if decision.verdict is Verdict.WAIT)
        really_gone = [
            one.image.id for one in waiting if one.image.identity in self._kept or one.image.id in night.requested.done
        ]
        return replace(
            seen,
            deletions=deletions,
            rejected=tuple(one for one in asked if one.decision.image.id in rejected),
            waiting=waiting,
            waiting_gone=frozenset(really_gone),
            announced=announced,
            excess=plan.over_limit(basis.limits),
        )

    def _asked(
        self, night: RecordedNight, planned: Iterable[Decision], history: Mapping[str, History], unknown: frozenset[str]
    ) -> Iterator[NightDeletion]:
        asked: set[ImageId] = set()
        for decision in planned:
            image_id, identity = decision.image.id, decision.image.identity
            if image_id in night.requested.gone or identity in asked:
                continue  # others had removed it before it could be deleted, or it is listed by two spellings
            asked.add(identity)
            known = history.get(image_id)
            yield NightDeletion(
                night.run,
                night.at,
                night.target,
                decision,
                night.api,
                known.last_in_use if known is not None else None,
                image_id not in unknown,
                identity in self._kept or image_id in night.requested.done,
            )

    def _sharing(self, night: RecordedNight, ruled: Iterable[Decision]) -> tuple[dict[str, Sharing], frozenset[str]]:
        """With whom the images in question are shared, and of which that is not known."""
        sharing: dict[str, Sharing] = {}
        unknown: set[str] = set()
        for image in in_question(ruled):
            answer = night.sharing.get(image.id)
            if answer is None or answer.unasked:
                answer = night.last_sharing.get(image.id)
            if answer is not None:
                sharing[image.id] = answer
            elif self._ruling.may_be_shared(night.api, image):
                unknown.add(image.id)
        return sharing, frozenset(unknown)

    def _delete(self, images: Sequence[Image], night: RecordedNight) -> None:
        self._gone |= {image.identity: image for image in images}
        self._telling.delete([image.id for image in images])
        self._users.delete(images, night)
        for image in images:
            if (kept := self._kept.pop(image.identity, None)) is not None:
                self._users.release(kept.id, night.at)


class _Matching:
    """Decides night after night, and finds owners of images once, unless an expression may take long."""

    def __init__(self, policies: Sequence[Policy]) -> None:
        self._policies = policies
        self._is_quick = not any(next(policy.slow_expressions(), None) for policy in policies)
        self._names: tuple[str, ...] = ()
        self._budget = Budget()
        self._matched = Matched(policies, (), self._budget)

    def follow(self, night: RecordedNight) -> None:
        """Find the owners of the images that are new in a night."""
        fresh: Iterable[Image] = night.change.fresh
        if night.names != self._names or not self._is_quick:
            # Expressions that may take long have the time of one run in every night.
            self._names, self._budget = night.names, Budget()
            self._matched = Matched(self._policies, night.names, self._budget)
            fresh = night.images.values()
        self._matched.prepare(fresh)

    def decided(self, given: Night) -> list[Decision]:
        """What the policies decide."""
        return decided(given, self._policies, budget=self._budget, matched=self._matched)


class _Users:
    """The images that are used by images which the replay has deleted, or which it keeps."""

    def __init__(self) -> None:
        self._removed: dict[ImageId, tuple[int, datetime]] = {}
        self._kept: dict[str, list[tuple[ImageId, User]]] = {}
        self._last: dict[ImageId, datetime] = {}

    def delete(self, images: Iterable[Image], night: RecordedNight) -> None:
        """These images use no other any longer."""
        self._removed |= {image.identity: (night.run, night.at) for image in images}

    def return_(self, image: Image) -> None:
        """There is another image of this id, which may use others."""
        self._removed.pop(image.identity, None)

    def keep(self, image_id: str, left: Iterable[tuple[ImageId, User]]) -> None:
        """An image goes on to use what it used."""
        if users := [one for one in left if one[1].id == image_id]:
            self._kept[image_id] = users

    def release(self, image_id: str, at: datetime) -> None:
        """A kept image no longer uses anything."""
        for used, _ in self._kept.pop(image_id, ()):
            self._last[used] = at

    def usage(self, night: RecordedNight) -> Usage:
        """What uses images in a night, as far as these are there, and the kept ones too."""
        usage, no_longer = night.usage, self._used_by_removed(night)
        if usage.problem is not None or not (no_longer or self._kept):
            return usage
        by_image = dict(usage.by_image)
        for used in no_longer & by_image.keys():
            rest = tuple(user for user in by_image[used] if not self._is_removed(user))
            if rest:
                by_image[used] = rest
            else:
                del by_image[used]
        for used, user in (one for users in self._kept.values() for one in users):
            by_image[used] = (*by_image.get(used, ()), user)
        return replace(usage, by_image=by_image)

    def _used_by_removed(self, night: RecordedNight) -> set[ImageId]:
        return {used for user in self._removed for used in night.uses.used_by(user)}

    def _is_removed(self, user: User) -> bool:
        return user.kind is UserKind.IMAGE and folded(user.id) in self._removed

    def history(self, images: Iterable[Image], night: RecordedNight) -> Mapping[str, History]:
        """The histories of images, of which some were used for longer, or for less long."""
        self._last |= {used: night.at for users in self._kept.values() for used, _ in users}
        otherwise = self._used_by_removed(night) | self._last.keys()
        if not otherwise:
            return night.history
        changed = {}
        for image in images:
            known = night.history.get(image.id)
            if known is not None and image.identity in otherwise:
                until = self._last.get(image.identity)
                used, held, unused = night.uses.last_without(image.identity, self._removed, until)
                changed[image.id] = known.replace(last_in_use=used, last_held=held, unused_since=unused)
        return {**night.history, **changed}
