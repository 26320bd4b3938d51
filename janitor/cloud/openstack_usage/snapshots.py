"""Images that are built upon others: what snapshots say of the image that their server was made of."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from janitor.cloud.records import Users
from janitor.errors import Unavailable
from janitor.image_ids import folded
from janitor.model import GONE_STATUSES, Image, User, UserKind

_BASE = "base_image_ref"


def used_by_snapshots(images: Sequence[Image]) -> Users:
    """The images that living images are built upon. Raises Unavailable when that is in doubt for any of them."""
    users: defaultdict[str, list[User]] = defaultdict(list)
    for image, base in _bases(images):
        if base and base != folded(image.id):
            users[base].append(User(image.id, image.name or "", UserKind.IMAGE))
    return users


def _bases(images: Iterable[Image]) -> Iterator[tuple[Image, str]]:
    for image in images:
        if image.status in GONE_STATUSES:
            continue
        if image.properties is None or f"properties.{_BASE}" in image.unreadable:
            raise Unavailable(f"the base of image {image.id} cannot be read")
        yield image, folded(image.properties.get(_BASE, ""))
