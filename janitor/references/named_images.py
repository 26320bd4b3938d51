"""Which images have an id or a name that occurs in a text."""

import re
from collections.abc import Iterable, Sequence

from janitor.core.image import Image, Status
from janitor.core.names.image_ids import ImageId
from janitor.core.names.spelling import normal
from janitor.core.planning.plan import owns
from janitor.references.entries import Names

SHORTEST_NAME = 4
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class NamedImages:
    """Some images by the words that texts may use for them.

    `ids` maps each id, as searched for, to the folded id of its image. Names shorter than four characters are ignored,
    as are unreadable names.
    """

    def __init__(self, images: Iterable[Image]) -> None:
        self.ids: dict[str, ImageId] = {}
        self._by_name: dict[str, list[Image]] = {}
        for image in images:
            image_id = image.identity
            if written := normal(image_id):
                self.ids[written] = image_id
                if _UUID.fullmatch(written):
                    self.ids[written.replace("-", "")] = image_id
                if (listed := normal(image.id.strip().lower())) != written:
                    self.ids[listed] = image_id
            name = normal(image.name or "")
            if len(name) >= SHORTEST_NAME:
                self._by_name.setdefault(name, []).append(image)

    @property
    def names(self) -> Iterable[str]:
        """The names, as searched for."""
        return self._by_name.keys()

    def kept(self, name: str, names: Names) -> Sequence[Image]:
        """Those of the images with a name that the name keeps."""
        match names:
            case Names.ALL:
                return self._by_name[name]
            case Names.NEWEST:
                return _newest(self._by_name[name])
            case Names.NONE:
                return ()


def _newest(images: Sequence[Image]) -> Sequence[Image]:
    """The newest active own image, with all that are as new or of unknown age; all images if there is none."""
    active = [image for image in images if owns(image) and image.status == Status.ACTIVE]
    # A lookup by name does not find hidden images, and so they must not decide which one is the newest.
    visible = [image for image in active if image.os_hidden is False]
    newest = {max((image.created_at for image in some if image.created_at), default=None) for some in (active, visible)}
    return [image for image in active if image.created_at in (*newest, None)] or images
