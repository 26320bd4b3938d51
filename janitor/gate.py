"""The survey gate: a survey that looks wrong deletes nothing, until a person who has looked accepts it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from janitor.model import Source, Survey
from janitor.plan import owns

CLOCKS_APART = timedelta(minutes=5)
"""How far the server's clock and ours may be apart."""

_FEW = 5
"""So many volumes come and go in any night: fewer that are missing are no sign of a list with a hole in it."""


@dataclass(frozen=True, slots=True)
class Measure:
    """How much a survey saw: the target's own images, the protected ones of them, instances, and volumes of images.

    `volumes` is None where none of them were ever read.
    """

    owned: int
    protected: int
    instances: int
    volumes: int | None = None


def measure(survey: Survey, before: Measure | None = None) -> Measure:
    """Measure a survey. Of what it could not read, what is known is what the last good one saw."""
    own = [image for image in survey.images if owns(image)]
    volumes, instances = survey.usage.volumes, survey.usage.instances
    if before is not None:
        volumes = before.volumes if volumes is None else volumes
        whole = all(unread.source is not Source.SERVERS for unread in survey.usage.unread)
        instances = instances if whole else before.instances
    return Measure(len(own), sum(image.protected for image in own), instances, volumes)


@dataclass(frozen=True, slots=True)
class Gate:
    """Compares a survey with the last good one. `max_shrink` is in percent; a bigger fall than that is not believed."""

    max_shrink: float = 30.0

    def doubts(
        self,
        now: Measure,
        before: Measure | None,
        *,
        own_deletions: int,
        clock_offset: timedelta | None,
        irregularities: Iterable[str],
    ) -> tuple[str, ...]:
        """What looks wrong; nothing for a survey to be believed.

        `before` is the last good survey's measure; `own_deletions` of its images are gone because we deleted them.
        `clock_offset` is how far the server's clock is ahead of ours, where it tells.
        """
        return (
            *irregularities,
            *_clock_doubts(clock_offset),
            *(self._shrunk(now, before, own_deletions) if before is not None else ()),
        )

    def _shrunk(self, now: Measure, before: Measure, own_deletions: int) -> Iterator[str]:
        falls = (
            ("owned images", before.owned, now.owned, own_deletions, 1),
            ("protected images", before.protected, now.protected, 0, 1),
            ("instances", before.instances, now.instances, 0, 1),
            ("volumes made of images", before.volumes or 0, now.volumes or 0, 0, _FEW),
        )
        for what, then, present, ours, telling in falls:
            lost = then - ours - present
            if lost >= telling and lost * 100 > self.max_shrink * then:
                beside = f", {ours} of them deleted by us" if ours else ""
                yield (
                    f"{what} fell from {then} to {present}{beside}: {lost} are missing ({100 * lost / then:.1f}%), "
                    f"limits.max_shrink allows {self.max_shrink:g}%"
                )


def _clock_doubts(offset: timedelta | None) -> Iterator[str]:
    if offset is not None and abs(offset) > CLOCKS_APART:
        side = "ahead of" if offset > timedelta() else "behind"
        minutes = abs(offset) // timedelta(minutes=1)
        yield f"the server's clock is {minutes} minutes {side} ours, more than {CLOCKS_APART // timedelta(minutes=1)}"


def refusal(doubts: Iterable[str], *, acceptable: bool = True) -> str:
    """Why nothing is deleted, and the way out, where a person may accept the survey."""
    way_out = " Look at the account; if it is right, run once with --accept-survey." if acceptable else ""
    return f"nothing deleted, the survey looks wrong: {'; '.join(doubts)}.{way_out}"
