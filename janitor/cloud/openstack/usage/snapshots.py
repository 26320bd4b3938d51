"""Images that are built upon others: snapshots name the image that their server was made from."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from janitor.cloud.common.records import Users
from janitor.core.image import GONE_STATUSES, Image
from janitor.core.names.image_ids import ImageId
from janitor.core.names.known_images import KnownImages
from janitor.core.usage import User, UserKind
from janitor.errors import Unavailable

_BASE = "base_image_ref"


def used_by_snapshots(images: Sequence[Image], known: KnownImages) -> Users:
    """The images upon which existing images are built. Raises Unavailable when that is in doubt for any of them."""
    users: defaultdict[ImageId, list[User]] = defaultdict(list)
    for image, base in _bases(images, known):
        if base != image.identity:
            users[base].append(User(image.id or image.label, image.name or "", UserKind.IMAGE))
    return users


def _bases(images: Iterable[Image], known: KnownImages) -> Iterator[tuple[Image, ImageId]]:
    for image in images:
        if image.status in GONE_STATUSES:
            continue
        base = image.properties.get(_BASE, "") if image.properties is not None else None
        meant = known.meant_by(base) if base else None if base is None else ()
        if meant is None or f"properties.{_BASE}" in image.unreadable:
            raise Unavailable(f"the base of image {image.id or image.label} cannot be read")
        yield from ((image, one) for one in meant)
