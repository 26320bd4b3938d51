"""The images of one reading of a target, which may list one repeatedly: every record counts, none overrides another."""

from collections.abc import Iterable, Iterator

from janitor.cloud.common.entries import Listed
from janitor.core.image import Image
from janitor.core.names.image_ids import ImageId
from janitor.core.survey.contradictions import merged


class Merging:
    """Puts the records of each image together, whatever the spelling of its id.

    It notes in `digests` those of the entries from which images were read, by image id; none for an image that several
    records make up.
    """

    def __init__(self, digests: dict[str, bytes] | None = None) -> None:
        self._images: dict[ImageId, Image] = {}
        self.digests = {} if digests is None else digests

    def take(self, records: Iterable[Listed]) -> Iterator[Image]:
        """The images that are new, and those for which a further record changes what is known."""
        for record, digest in records:
            known = self._images.setdefault(record.identity, record)
            if known is record:
                if digest is not None:
                    self.digests.setdefault(record.id, digest)
                yield record
            elif known != record and (image := merged(known, record)) is not known:
                self._images[record.identity] = image
                self.digests.pop(image.id, None)
                yield image
