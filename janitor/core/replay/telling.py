"""What people would have been told in replayed nights: notices and reminders, all of them accepted."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from janitor.core.decision import Decision, Verdict
from janitor.core.image import Image
from janitor.core.memory import Hearing, Memory, Notice
from janitor.core.notices import counted_among, place_of, reminded, spared, to_announce, to_remind
from janitor.core.policy import Policy
from janitor.core.recipients.destinations import Destinations
from janitor.core.replay.nights import RecordedNight, Standing, Told
from janitor.core.result import Mode

_SURELY_GONE = timedelta(days=7)
_NO_POLICY = ""


class Telling:
    """The notices of one target, from night to night; `destinations` None where no channel is configured."""

    def __init__(
        self,
        policies: Iterable[Policy],
        destinations: Destinations | None,
        next_run: Callable[[datetime], datetime] | None,
    ) -> None:
        self._lengths = {policy.name: policy.notice for policy in policies}
        self._destinations = destinations
        self._next_run = next_run
        self._notices: dict[str, Notice] = {}
        self._missing: dict[str, datetime] = {}
        self._unreminded: set[str] = set()
        self._heard: list[datetime] = []

    def forget(self) -> None:
        """All notices end."""
        self._notices, self._missing, self._unreminded = {}, {}, set()

    def follow(self, night: RecordedNight) -> None:
        """Take over what people heard since the night before, and which announced images are no longer listed."""
        if night.standing is not None:
            self._begin(night.standing)
        if night.restored:
            self.forget()
        self._heard.extend(night.heard)
        for image_id in night.change.left.keys() - night.change.ours:
            if image_id in self._notices:
                self._missing[image_id] = night.at
        for image in night.change.fresh:
            self._missing.pop(image.id, None)
        if night.told is not None and not (night.counts and night.undecided is None):
            self._hear_in(night)

    def _begin(self, standing: Standing) -> None:
        for image_id, notice in standing.notices.items():
            # One that no longer counts only says before which date nothing may be deleted.
            self._notices[image_id] = notice if notice.counts else replace(notice, policy=_NO_POLICY)
            if notice.waits_until is not None and notice.reminded_at is None:
                self._unreminded.add(image_id)
        self._missing |= standing.missing
        self._heard.extend(standing.heard)

    def _hear_in(self, night: RecordedNight) -> None:
        if night.told is not None and (night.counts or night.mode is Mode.DELETE):
            self._heard.append(night.told.heard_at)

    def counted(self, images: Sequence[Image], now: datetime) -> dict[str, Notice]:
        """The notices as they count in a night that lists these images."""
        if self._destinations is None or not self._notices:
            return dict(self._notices)
        hearing = Hearing(quiet=tuple(self._heard), unreminded=frozenset(self._unreminded))
        return counted_among(images, self._notices, hearing, now, self._destinations, self._next_run)

    def tell(self, night: RecordedNight, decisions: Sequence[Decision], memory: Memory) -> tuple[Decision, ...]:
        """Start the notices of a night, record its reminders and end what no longer holds; returns what is announced.

        `memory` has the notices as they counted. In a run that died nobody is told.
        """
        waiting = [decision for decision in decisions if decision.verdict is Verdict.WAIT]
        announced = to_announce(waiting, memory.notices)
        reminding = [decision.image.id for decision in to_remind(waiting, memory.notices, night.at)]
        if night.told is None:
            self._unreminded.update(reminding)
            return ()
        self._end_gone(night.at)
        for image_id in reminding:
            self._remind(image_id, night.told, memory.notices[image_id])
        for decision in announced:
            self._announce(decision, night.told)
        self.delete({one.decision.image.id for one in spared(decisions, memory)})
        self._hear_in(night)
        return announced

    def _end_gone(self, now: datetime) -> None:
        self.delete({image_id for image_id, since in self._missing.items() if since <= now - _SURELY_GONE})

    def _announce(self, decision: Decision, told: Told) -> None:
        assert decision.policy is not None
        image, length = decision.image, self._lengths[decision.policy]
        destinations = self._destinations
        place = None if destinations is None else place_of(destinations, decision.policy, image)
        policy, at = told.announced.get(image.id, (None, told.at))
        if policy != decision.policy:
            at = told.by_place.get(place or "", told.at)
        self._notices[image.id] = Notice(
            decision.policy,
            length,
            at,
            max(at + length, decision.due or at),
            name=image.name or "",
            owner=None if destinations is None else destinations.owner_of(decision.policy, image),
            place=place,
        )
        self._unreminded.discard(image.id)

    def _remind(self, image_id: str, told: Told, notice: Notice) -> None:
        at = told.reminded.get(image_id) or told.by_place.get(notice.place or "", told.at)
        self._notices[image_id] = reminded(self._notices[image_id], at, missed=image_id in self._unreminded)
        self._unreminded.discard(image_id)

    def delete(self, images: Collection[str]) -> None:
        """The notices of these images end."""
        for image_id in images:
            self._notices.pop(image_id, None)
            self._missing.pop(image_id, None)
            self._unreminded.discard(image_id)
