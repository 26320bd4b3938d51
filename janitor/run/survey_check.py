"""Whether the survey of one target is plausible: which account it is of, what it lacks, and if our clock is right."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import nsmallest

from janitor.cloud.service import ImageService, Lookup
from janitor.core.image import GONE_STATUSES
from janitor.core.names.image_ids import ImageId, folded
from janitor.core.planning.plan import own_ids, owns
from janitor.core.survey import Survey
from janitor.core.survey.binding import Known, recognise
from janitor.core.survey.clock import ClockCheck, agrees, behind
from janitor.core.survey.contradictions import doubts_about as contradictions
from janitor.core.survey.one_account import AccountPair
from janitor.core.survey.plausibility import OwnImages, measure
from janitor.errors import AnotherAccount
from janitor.run.accounts import doubts_about_account
from janitor.run.orders import Orders, RunStore, Site
from janitor.run.siblings import Comparison, doubts_about
from janitor.run.surveying import raise_if_stopped

_ENOUGH_TO_TELL = 1_000


@dataclass(frozen=True, slots=True)
class SurveyCheck:
    """Compares the survey of one target with what is recorded about it, and with other sites of its project."""

    orders: Orders
    run: int
    site: Site
    service: ImageService
    comparison: Comparison

    @property
    def target(self) -> str:
        """The name of the site."""
        return self.site.name

    @property
    def _store(self) -> RunStore:
        return self.orders.store

    def recognised(self, survey: Survey) -> Survey:
        """The survey of the account to which the target is bound, with a remark if that is new.

        Raises AnotherAccount for a survey of another account, which is not part of the target's history.
        """
        reached, bound = self.service.binding(), self._store.bound(self.target)
        if reached == bound:
            return survey
        good = self._store.last_accepted(self.target, self.run)
        own = self._own_images(survey, len(own_ids(survey.images)), Lookup(), good[0] if good else None)
        listed = frozenset(image.identity for image in survey.images if owns(image) and image.unseen is None)
        found = recognise(self.target, reached, bound, Known(good[0] if good else None, own.expected, listed))
        if not found.same:
            raise AnotherAccount(found.words)
        self._store.bind(self.run, self.target, reached)
        usage = survey.usage
        return replace(survey, usage=replace(usage, remarks=(*usage.remarks, found.words))) if found.words else survey

    def one_service_with_others(self, survey: Survey, own: frozenset[ImageId]) -> Sequence[str]:
        """What is wrong if another site or target lists the same images: no person can accept that.

        `own` are the ids of the survey's own images.
        """
        listed = self.comparison.others(self.target, own)
        others = {name: ids for name, ids in listed.items() if name in self.site.siblings}
        raise_if_stopped(self.orders.execution.stop)
        for name in self.site.siblings:
            if name not in others:
                others[name] = frozenset(map(folded, self._store.known(name)))
        return [
            *doubts_about(self.target, own, others),
            *self._one_account(survey, own),
            *self._in_fleet(survey),
            *self.service.other_names(survey.images),
        ]

    def _in_fleet(self, survey: Survey) -> Sequence[str]:
        """What is wrong if another database, of which this one cannot know, is of the same account."""
        why = self.orders.execution.authority.reaches(self.service.binding(), survey.images)
        return () if why is None else (why,)

    def _one_account(self, survey: Survey, own: frozenset[ImageId]) -> Sequence[str]:
        """What is wrong if another target has listed the same images, in whichever survey: of many, some are looked up.

        That it has is recorded, and counts although later surveys may list none of them any more.
        """
        if not self.site.elsewhere:
            return ()
        some = nsmallest(_ENOUGH_TO_TELL, (image.id for image in survey.images if image.identity in own))
        present = set()
        for name, common in self._store.listed_elsewhere(self.target, some).items():
            listed = common.told_by(len(some), len(own))
            if name in self.site.elsewhere and listed is not None:
                one, other = sorted((self.target, name))
                self._store.note_one_account(AccountPair((one, other), common.image, self.run, listed))
                present |= {name} if listed == common.latest else set()
        return doubts_about_account(self.target, self._pairs(), present)

    def _pairs(self) -> Iterator[AccountPair]:
        """The pairs that were found of this target and another one that is configured, too."""
        for pair in self._store.account_pairs():
            if self.target in pair.names and pair.besides(self.target) in self.site.elsewhere:
                yield pair

    def doubts(self, survey: Survey, owned: int, lookup: Lookup, unacceptable: Sequence[str]) -> tuple[str, ...]:
        """What is implausible about a survey; it is recorded as accepted if nothing is, or if a person accepts it.

        `owned` is how many images are its own. What is `unacceptable` remains, even if a person accepts the rest.
        """
        good = self._store.last_accepted(self.target, self.run)
        before = good[1] if good else None
        seen = measure(survey, before)
        doubts = self.orders.plausibility.doubts(
            seen,
            before,
            own=self._own_images(survey, owned, lookup, good[0] if good else None),
            clock_offset=self.service.clock_offset(),
            irregularities=(*self.service.irregularities(), *contradictions(survey.images), *self._clock_doubts()),
        )
        doubts = () if self.orders.basis.accept_survey or survey.usage.problem is not None else doubts
        doubts = (*unacceptable, *doubts)
        self._store.record_measure(self.run, self.target, seen, good=not doubts and survey.usage.problem is None)
        return doubts

    def _own_images(self, survey: Survey, owned: int, lookup: Lookup, good: int | None) -> OwnImages:
        """The target's own images of the last accepted survey, if there was one, and this one, which has `owned`.

        Images that the cloud lists as deleted, or about to be, are as gone as those that it no longer lists.
        """
        before = frozenset(map(folded, self._store.own_images(self.target, good))) if good is not None else frozenset()
        asked = frozenset(map(folded, self._store.asked_since(self.target, good))) if good is not None else frozenset()
        seen = (image for image in survey.images if image.unseen is None)
        return OwnImages(
            before,
            (asked - own_ids(survey.images)) & before if asked else asked,
            frozenset(image.identity for image in seen if image.status not in GONE_STATUSES),
            owned,
            None if lookup.unanswered is None else frozenset(map(folded, lookup.unanswered)),
        )

    def clock_check(self) -> ClockCheck:
        """What confirms our clock."""
        if self.orders.basis.accept_survey:
            return ClockCheck.ACCEPTED
        return ClockCheck.UNCONFIRMED if self.service.clock_offset() is None else ClockCheck.CONFIRMED

    def _clock_doubts(self) -> tuple[str, ...]:
        """What is wrong with our clock, compared with earlier runs; its time is recorded if an answer confirms it."""
        now, before = self.orders.execution.clock(), self._store.last_clock(self.run)
        offset = self.service.clock_offset()
        late = behind(now, *before) if before is not None else None
        if offset is not None and agrees(offset) and (late is None or self.orders.basis.accept_survey):
            self._store.record_clock(self.run, now)
        return (late,) if late is not None else ()
