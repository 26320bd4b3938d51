"""Why a guard by the use of an image holds only now, or no longer: an event, or only that other uses could be read."""

from collections.abc import Iterable, Iterator

from janitor.core.image import Image
from janitor.core.names.image_ids import ImageId, folded
from janitor.core.replay.differences.between import Cause, Compared, Side, Use


class Using:
    """What is known of how the use of images changed between two surveys."""

    def __init__(self, compared: Compared) -> None:
        self._before, self._after, self._uses = compared.before, compared.after, compared.uses
        uses = compared.uses
        self._begun, self._ended = _images_of(uses.begun), _images_of(uses.ended)
        self._first_read, self._no_longer_read = _by_image(uses.first_read), _by_image(uses.no_longer_read)

    def of_use(self, image: Image, *, began: bool) -> Iterator[Cause]:
        """Why something uses the image only now, or no longer does."""
        unread = self._before if began else self._after
        if unread.usage_problem is not None:
            yield Cause.USAGE_UNREAD
            return
        if image.identity in (self._begun if began else self._ended):
            yield Cause.USE_BEGAN if began else Cause.USE_ENDED
        yield from (self._first_read if began else self._no_longer_read).get(image.identity, ())
        if unread.unread:
            yield Cause.USAGE_UNREAD

    def of_recent_use(self, image: Image, *, began: bool) -> Iterator[Cause]:
        """Why something used the image recently, by what is remembered, only now or no longer."""
        remembered = differing(self._before, "usage_memory", self._after)
        if remembered is not False:
            yield Cause.SETTINGS if remembered else Cause.UNKNOWN
        if image.identity in (self._uses.meanwhile if began else self._uses.released):
            yield Cause.USE_ENDED
        elif began and image.identity in self._no_longer_read:
            yield from self._no_longer_read[image.identity]
        elif self._before.unread or self._after.unread or self._before.usage_problem is not None:
            yield Cause.USAGE_UNREAD
        elif not began and remembered is False:
            yield Cause.TIME_PASSED

    def of_last_use(self, image: Image) -> Iterator[Cause]:
        """Why the image may have been used for the last time at another date."""
        if image.identity in self._begun | self._ended | self._uses.meanwhile | self._uses.released:
            yield Cause.USE_ENDED
        for read in (self._first_read, self._no_longer_read):
            yield from read.get(image.identity, ())


def differing(before: Side, name: str, after: Side) -> bool | None:
    """Whether the two runs went by another value of this setting; None where that was not recorded."""
    if before.basis is None or after.basis is None:
        return None
    return bool(getattr(before.basis, name) != getattr(after.basis, name))


def _images_of(uses: Iterable[Use]) -> frozenset[ImageId]:
    return frozenset(folded(use.image) for use in uses)


def _by_image(uses: Iterable[Use]) -> dict[ImageId, frozenset[Cause]]:
    """Why the uses of each image are not known to have begun or ended."""
    found: dict[ImageId, frozenset[Cause]] = {}
    for use in uses:
        if use.unless is not None:
            found[folded(use.image)] = found.get(folded(use.image), frozenset()) | {use.unless}
    return found
