"""Whether a survey is plausible: after an implausible one, nothing is deleted until a person accepts it."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from shlex import quote

from janitor.commands import command
from janitor.core.image import Image
from janitor.core.names.image_ids import ImageId
from janitor.core.planning.plan import owns
from janitor.core.survey import Survey
from janitor.core.survey.clock import APART, ClockDoubt, agrees
from janitor.core.usage import Source

_FEW = 5
"""So many volumes come and go every night, and so few images may all be replaced: fewer prove nothing."""

_ALL = 100.0


@dataclass(frozen=True, slots=True)
class Measure:
    """How much a survey saw: the target's own images, the protected ones of them, instances, and volumes of images.

    `volumes` is None where they were never read. `without_id` counts the entries of the image list without an id, None
    where an earlier version did not count them.
    """

    owned: int
    protected: int
    instances: int
    volumes: int | None = None
    without_id: int | None = None


def measure(survey: Survey, before: Measure | None = None) -> Measure:
    """Measure a survey. Where it could not read something, the number is that of the last accepted one."""
    own = list(filter(owns, survey.images))
    volumes, instances = survey.usage.volumes, survey.usage.instances
    if before is not None:
        volumes = before.volumes if volumes is None else volumes
        whole = all(unread.source is not Source.SERVERS for unread in survey.usage.unread)
        instances = instances if whole else before.instances
    return Measure(len(own), _protected(own, before), instances, volumes, survey.without_id)


def _protected(own: Iterable[Image], before: Measure | None) -> int:
    """How many are protected. Images whose records disagree about it count only up to the last number."""
    protected = [image for image in own if image.protected]
    sure = sum("protected" not in image.contradictions for image in protected)
    return sure if before is None else max(sure, min(len(protected), before.protected))


@dataclass(frozen=True, slots=True)
class OwnImages:
    """The target's own images: those of the last accepted survey, and those that the present one lists.

    `ours` of those `before` are gone because the janitor deleted them. `listed` is everything that the survey lists,
    and `owned` how many of them are the target's own. `unanswered` are the ids that were asked for and not found
    although the API did not say that there is no such image; None where it cannot be asked for one.
    """

    before: frozenset[ImageId]
    ours: frozenset[ImageId]
    listed: frozenset[ImageId]
    owned: int
    unanswered: frozenset[ImageId] | None

    @property
    def expected(self) -> frozenset[ImageId]:
        """Those that must still exist, unless somebody else deleted them."""
        return self.before - self.ours if self.ours else self.before

    @property
    def missing(self) -> frozenset[ImageId]:
        """Those of them that are not listed and, where an image can be asked for, not known to be gone."""
        unlisted = self.expected - self.listed
        return unlisted if self.unanswered is None else unlisted & self.unanswered


@dataclass(frozen=True, slots=True)
class Plausibility:
    """Compares a survey with the last accepted one. `max_shrink` is in percent; a larger decrease is implausible."""

    max_shrink: float = 30.0

    def doubts(
        self,
        now: Measure,
        before: Measure | None,
        *,
        own: OwnImages,
        clock_offset: timedelta | None,
        irregularities: Iterable[str],
    ) -> tuple[str, ...]:
        """What is implausible; empty for a survey to be accepted.

        `before` is the last accepted survey's measure, and `own` are the images of both. `clock_offset` is how far the
        server's clock is ahead of ours, if known.
        """
        return (
            *irregularities,
            *_clock_doubts(clock_offset),
            *(self._lost(own) if before is not None else ()),
            *(self._shrunk(now, before) if before is not None else ()),
            *(_more_without_id(now, before) if before is not None else ()),
        )

    def _lost(self, own: OwnImages) -> Iterator[str]:
        """Images are told apart by their ids: a pipeline that replaces its images does not make a list incomplete.

        Where no image can be asked for by its id, only the list says that one is gone: then a list that names none of
        the known ones, or fewer images than before, is implausible.
        """
        missing, expected, then = len(own.missing), len(own.expected), len(own.before)
        many = missing * 100 > self.max_shrink * then
        share, allowed = f"({100 * missing / max(then, 1):.1f}%)", f"limits.max_shrink allows {self.max_shrink:g}%"
        if own.unanswered is not None:
            if many:
                what = f"{missing} of {then} owned images are not listed, and the API does not say they are gone"
                yield f"{what} {share}, {allowed}"
        elif many and own.owned < expected:
            ours = f", besides {len(own.ours)} of them deleted by the janitor" if own.ours else ""
            what = f"{missing} of the {then} owned images of the last accepted survey are unexpectedly missing {share}"
            yield f"{what}{ours}, and {own.owned} are listed now; {allowed}"
        elif missing == expected >= _FEW and self.max_shrink < _ALL:
            yield f"none of the {missing} owned images of the last accepted survey is listed, but {own.owned} others"

    def _shrunk(self, now: Measure, before: Measure) -> Iterator[str]:
        falls = (
            ("protected images", before.protected, now.protected, 1),
            ("instances", before.instances, now.instances, 1),
            ("volumes made of images", before.volumes or 0, now.volumes or 0, _FEW),
        )
        for what, then, present, telling in falls:
            lost = then - present
            if lost >= telling and lost * 100 > self.max_shrink * then:
                yield (
                    f"{what} fell from {then} to {present}: {lost} are missing ({100 * lost / then:.1f}%), "
                    f"limits.max_shrink allows {self.max_shrink:g}%"
                )


def _more_without_id(now: Measure, before: Measure) -> Iterator[str]:
    if now.without_id is not None and before.without_id is not None and now.without_id > before.without_id:
        yield f"entries of the image list without an id rose from {before.without_id} to {now.without_id}"


def _clock_doubts(offset: timedelta | None) -> Iterator[ClockDoubt]:
    if offset is not None and not agrees(offset):
        side = "ahead of" if offset > timedelta() else "behind"
        minutes = abs(offset) // timedelta(minutes=1)
        allowed = APART // timedelta(minutes=1)
        yield ClockDoubt(f"the server's clock is {minutes} minutes {side} ours, more than {allowed}")


def implausible(target: str, doubts: Collection[str], *, acceptable: bool = True) -> str:
    """Why nothing is deleted, and what to do if a person may accept the survey: our clock comes before the account."""
    accepting = command(f"run --accept-survey --target {quote(target)}")
    way_out = f" {_to_check(doubts)}, run `{accepting}` once." if acceptable else ""
    return f"nothing deleted, implausible survey: {'; '.join(doubts)}.{way_out}"


def _to_check(doubts: Collection[str]) -> str:
    of_clock = [doubt for doubt in doubts if isinstance(doubt, ClockDoubt)]
    if not of_clock:
        return "Check the account; if the survey is right"
    if len(of_clock) == len(doubts):
        return "Check the clock of this machine; if it is right"
    return "Check the clock of this machine first, and then the account; if both are right"
