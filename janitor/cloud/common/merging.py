"""The images of one reading of a target, which may list one repeatedly: every record counts, none overrides another."""

from collections.abc import Iterable, Iterator

from janitor.core.image import Image
from janitor.core.names.image_ids import ImageId
from janitor.core.survey.contradictions import merged


class Merging:
    """Puts the records of each image together, whatever the spelling of its id."""

    def __init__(self) -> None:
        self._images: dict[ImageId, Image] = {}

    def take(self, records: Iterable[Image]) -> Iterator[Image]:
        """The images that are new, and those for which a further record changes what is known."""
        for record in records:
            identity = record.identity
            # The id itself is the key where it is spelled so: copies would cost megabytes for a large fleet.
            identity = ImageId(record.id) if identity == record.id else identity
            known = self._images.setdefault(identity, record)
            image = known if known == record else merged(known, record)
            if image is not known or known is record:
                self._images[identity] = image
                yield image
