"""Reading a target again within a run: before deletions where its survey is not enough, and after all deletions."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from janitor.cloud.service import ImageService, Lookup
from janitor.core.decision import Decision, Verdict
from janitor.core.image import GONE_STATUSES, Image
from janitor.core.names.image_ids import ImageId, folded
from janitor.core.planning.plan import owns
from janitor.core.survey import Survey
from janitor.core.survey.contradictions import doubts_about as contradictions
from janitor.core.survey.plausibility import OwnImages, measure
from janitor.errors import Implausible, Unavailable
from janitor.run.freshness import Reading
from janitor.run.orders import Orders
from janitor.run.surveying import Surveying


@dataclass(frozen=True, slots=True)
class Rereading:
    """Reads a target again that a run has surveyed; `survey` is that survey, and `decide` decides on a survey.

    `known` are the irregularities of that survey, which a person has accepted, if there are any.
    """

    orders: Orders
    target: str
    service: ImageService
    survey: Survey
    decide: Callable[[Survey], Sequence[Decision]]
    known: Collection[str] = ()

    def before(self, planned: Collection[str], gone: Collection[str]) -> Reading:
        """The present state of these planned images: all images are listed page by page, and what uses them is read.

        `gone` are those that may be missing. Raises CloudError where it cannot be read or is implausible, and
        Interrupted.
        """
        surveying = Surveying(self.orders, self.target, self.service)
        listed = surveying.listed()
        images, lookup = self._with_unlisted(listed.images, gone)
        usage = surveying.usage(images, self.survey.started_at, listed.unidentified)
        if usage.problem is not None:
            raise Unavailable(usage.problem)
        now = replace(self.survey, images=images, usage=usage, without_id=len(listed.unidentified))
        self._check(now, lookup, gone)
        asked = frozenset(map(folded, planned))
        stay = [d for d in self.decide(now) if d.image.identity in asked and d.verdict is not Verdict.DELETE]
        stays = {d.image.identity: f"now {d.verdict} [{d.reason}] {d.detail}" for d in stay}
        return Reading(stays, None if self.service.by_id else _by_id(images))

    def after(self, gone: Collection[str]) -> tuple[Mapping[ImageId, Image], frozenset[ImageId]]:
        """What the target lists after the deletion of `gone`, and the ids of images that may still exist; all folded.

        Where only a list can show that an image is gone, two lists have to omit it: one may be incomplete. Raises
        Implausible for a list that would be implausible as a survey, and another CloudError where there is none.
        """
        listed, unanswered = self._listed_without(gone)
        if not self.service.by_id and any(folded(image) not in listed for image in gone):
            again, _ = self._listed_without(gone)
            listed = {**listed, **again}
        return listed, unanswered

    def _listed_without(self, gone: Collection[str]) -> tuple[dict[ImageId, Image], frozenset[ImageId]]:
        images, lookup = self._with_unlisted({image.id: image for image in self.service.images()}.values())
        now = replace(self.survey, images=images, without_id=len(self.service.unidentified()))
        self._check(now, lookup, gone)
        return _by_id(images), frozenset(map(folded, lookup.unanswered or ()))

    def _with_unlisted(self, images: Collection[Image], gone: Collection[str] = ()) -> tuple[tuple[Image, ...], Lookup]:
        """What is listed, with what exists although it no longer is, and what the API says about the latter.

        It is not asked about images that may be `gone`.
        """
        listed = {*_by_id(images), *map(folded, gone)}
        known = (image.id for image in self.survey.images if owns(image) and image.identity not in listed)
        lookup = self.service.unlisted(known)
        return (*images, *lookup.found), lookup

    def _check(self, now: Survey, lookup: Lookup, gone: Collection[str]) -> None:
        """Raise Implausible for a later list that would be implausible as a survey."""
        if doubts := self._doubts(now, lookup.unanswered, gone):
            raise Implausible(f"it is implausible: {'; '.join(doubts)}")

    def _doubts(self, now: Survey, unanswered: frozenset[str] | None, gone: Collection[str]) -> tuple[str, ...]:
        """What is implausible about a later list, by the checks of a survey; deleted images do not count."""
        ours = {folded(image) for image in gone}
        before, after = (_without(ours, survey) for survey in (self.survey, now))
        own = frozenset(image.identity for image in before.images if owns(image))
        left = [image.identity for image in after.images if owns(image)]
        listed = frozenset(image.identity for image in after.images if image.status not in GONE_STATUSES)
        unknown = None if unanswered is None else frozenset(map(folded, unanswered))
        accepted = self.orders.basis.accept_survey
        irregularities = [each for each in self.service.irregularities() if not (accepted and each in self.known)]
        return self.orders.plausibility.doubts(
            measure(after, measure(before)),
            measure(before),
            own=OwnImages(own, frozenset(), listed, len(left), unknown),
            clock_offset=None if accepted else self.service.clock_offset(),
            irregularities=(*irregularities, *contradictions(self._not_accepted(now.images))),
        )

    def _not_accepted(self, images: Iterable[Image]) -> Iterable[Image]:
        """The images without those whose records differed in the survey that a person has accepted.

        How many of how many these are changes with each deletion.
        """
        if not self.orders.basis.accept_survey:
            return images
        accepted = {image.identity for image in self.survey.images if image.contradictions}
        return (image for image in images if image.identity not in accepted)


def _without(gone: Collection[ImageId], survey: Survey) -> Survey:
    return replace(survey, images=tuple(image for image in survey.images if image.identity not in gone))


def _by_id(images: Iterable[Image]) -> dict[ImageId, Image]:
    return {image.identity: image for image in images}
