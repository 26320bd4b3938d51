"""Surveying one target: all of its images, and what uses them, by its services and by texts that people declare."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from janitor.cloud.service import ImageService, Lookup
from janitor.core.image import UNSEEN, Image
from janitor.core.names.image_ids import folded
from janitor.core.needs import used_by_unidentified
from janitor.core.survey import Survey
from janitor.core.survey.contradictions import merged
from janitor.core.usage import EarlierUsage, Usage
from janitor.errors import CloudError, Interrupted
from janitor.run.orders import Orders
from janitor.shutdown import Stop

_log = logging.getLogger("janitor.run")

_TOGETHER = 1_000
"""How many images are taken from a list before anything else is done."""

_REMEMBERED = timedelta(days=7)
"""How long a server that is no longer listed is asked about, beyond the time that it guards its image."""

_FORBIDDEN = "reading it by its id is not permitted"

_UPGRADED = (
    "since the last run the janitor asks every service that can use these images (`usage` is `auto`), remembers a use "
    "for 72 h (`usage_memory`), and takes regions that share an image service for one target: what that may block, and "
    "how to lift it, is in docs/upgrading.md"
)
"""Said in the first run of a target whose last accepted survey an earlier version recorded."""


Take = Callable[[Sequence[Image]], object]
"""Takes images while the list still comes; one whose records differ comes again."""


def _nothing(_images: Sequence[Image]) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Listed:
    """What lists said: every image once, with all of its records merged, and the entries that had no id."""

    images: list[Image]
    unidentified: tuple[Image, ...]


@dataclass(frozen=True, slots=True)
class Surveying:
    """One complete reading of a target, through its service."""

    orders: Orders
    target: str
    service: ImageService

    def survey(self, take: Take = _nothing) -> tuple[Survey, Lookup]:
        """Read the target; also, what the API says about known images that no list shows.

        Images are given to `take` as they come.

        Raises CloudError where its images cannot be listed to the end, and Interrupted. What is in use may be in doubt:
        `usage.problem` says so.
        """
        started_at = self.orders.execution.clock()
        listed, lookup = self._completed(self._read_at_markers(started_at, take))
        digests, pages = self.service.digests(), self.service.pages_read()
        without_id = len(listed.unidentified)
        images = (*listed.images, *lookup.found, *self._unseen(lookup))
        usage = self.usage(images, started_at, listed.unidentified)
        if without_id:
            usage = replace(usage, remarks=(*usage.remarks, _without_id(without_id)))
        raise_if_stopped(self.orders.execution.stop)
        finished_at = self.orders.execution.clock()
        return Survey(images, usage, started_at, finished_at, without_id, digests, pages), lookup

    def _read_at_markers(self, now: datetime, take: Take) -> Listed:
        """What the lists say, read side by side where the last survey noted where that can be, or there was none."""
        try:
            return self.listed(self.orders.store.markers(self.target, now), take)
        except CloudError:
            if self.service.pages_read().turned_down:
                self.orders.store.record_turned_down(self.target, now)
            raise

    def listed(self, markers: Sequence[str] | None = (), take: Take = _nothing) -> Listed:
        """What the lists say, given to `take` as it comes: see `ImageService.images` for `markers`.

        Raises CloudError where they cannot be read to their end, and Interrupted.
        """
        taken: list[Image] = []
        images = self.service.images(markers)
        while page := list(islice(images, _TOGETHER)):
            raise_if_stopped(self.orders.execution.stop)
            taken += page
            take(page)
            self.orders.execution.progress.advance(self.target, "survey", len(taken), None)
        # Not before: a table of all ids takes a tenth of the memory, and the walk through the list has had one itself.
        listed = list({image.id: image for image in taken}.values())
        self.orders.execution.progress.advance(self.target, "survey", len(listed), len(listed))
        return Listed(listed, tuple(self.service.unidentified()))

    def _completed(self, listed: Listed) -> tuple[Listed, Lookup]:
        """What is listed, read once more where that lacks images, and what the API says about known ones without."""
        missing = self._missing(listed.images)
        lookup = self._unlisted(missing)
        if self.service.pages_read().side_by_side and self._lacks_images(missing, lookup):
            listed = self._read_in_order(listed)
            lookup = self._unlisted(self._missing(listed.images))
        return listed, lookup

    def _missing(self, listed: Sequence[Image]) -> list[str]:
        """The ids of known images that are not listed, however they are spelled."""
        as_spelled = {image.id for image in listed}
        missing = {folded(image): image for image in self.orders.store.known(self.target, as_spelled)}
        ids = {image.identity for image in listed} if missing else ()
        return [image for image_id, image in missing.items() if image_id not in ids]

    def _unlisted(self, missing: Sequence[str]) -> Lookup:
        raise_if_stopped(self.orders.execution.stop)
        return self.service.unlisted(missing)

    def _lacks_images(self, missing: Sequence[str], lookup: Lookup) -> bool:
        """Whether a list lacks images, or may: some known ones, where the API cannot be asked whether they exist."""
        return bool(missing) if lookup.unanswered is None else bool(self.service.irregularities())

    def _read_in_order(self, before: Listed) -> Listed:
        """The list read once more, one page at a time, merged with what was read side by side.

        Where a service cannot be asked for one image, nothing else tells whether a missing one is gone, or was left out
        of an answer because the service was asked for several pages at a time.
        """
        _log.info("pages-one-at-a-time target=%s reason=%r", self.target, "known images are missing")
        now = self.listed()
        images = {image.identity: image for image in now.images}
        digests = self.service.digests()
        for image in before.images:
            both = merged(images.setdefault(image.identity, image), image)
            if both is not images[image.identity]:
                images[image.identity] = both
                digests.pop(both.id, None)
        return Listed(list(images.values()), (*now.unidentified, *_besides(before.unidentified, now.unidentified)))

    def _unseen(self, lookup: Lookup) -> Iterator[Image]:
        """The known images that may exist but that we may not read: as they were, and marked as unread."""
        for image in self.orders.store.last_seen(self.target, lookup.unanswered or ()):
            yield image.replace(unreadable={**image.unreadable, UNSEEN: _FORBIDDEN})

    def usage(self, images: Sequence[Image], now: datetime, unidentified: Sequence[Image]) -> Usage:
        """What uses these images, by services, by texts, and by entries without an id.

        `problem` says why that is in doubt.
        """
        earlier = self.orders.store.earlier_usage(self.target, now - _REMEMBERED - self.orders.basis.usage_memory)
        with ThreadPoolExecutor(1, thread_name_prefix=f"references-{self.target}") as beside:
            named = beside.submit(self.orders.references.named, images)
            usage = self._told_by_services(images, earlier).with_named(named.result())
        usage = usage.with_named(used_by_unidentified(unidentified, images))
        if earlier.unrecorded:
            usage = replace(usage, remarks=(*usage.remarks, _UPGRADED))
        if usage.problem is None:
            return usage
        return replace(usage, problem=f"what is in use could not be read: {usage.problem}")

    def _told_by_services(self, images: Sequence[Image], earlier: EarlierUsage) -> Usage:
        try:
            return self.service.usage(images, earlier)
        except CloudError as error:
            return Usage(problem=str(error))


def _besides(some: Sequence[Image], others: Sequence[Image]) -> list[Image]:
    """Those of some that are not among the others, as often as they are there: entries without an id may be alike."""
    left = Counter(map(repr, others))
    besides = []
    for one in some:
        left[repr(one)] -= 1
        besides += [one] if left[repr(one)] < 0 else []
    return besides


def _without_id(entries: int) -> str:
    having, they = ("entry of the image list has", "it") if entries == 1 else ("entries of the image list have", "they")
    return f"{entries:,} {having} no id, so {they} cannot be decided on or deleted"


def raise_if_stopped(stop: Stop) -> None:
    """Raise Interrupted once told to stop."""
    if stop.is_set():
        raise Interrupted(stop.signal_number)
