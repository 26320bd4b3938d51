"""Images that other images need: the kernel and the ramdisk without which some images cannot start. Pure.

Source: `kernel_id` and `ramdisk_id` among the properties of the Image API, which connect images of the formats ami, aki
and ari.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from janitor.core.image import GONE_STATUSES, MISSING, Image
from janitor.core.names.image_ids import ImageId, ids_in
from janitor.core.names.image_names import ImageNames
from janitor.core.names.known_images import KnownImages
from janitor.core.usage import Usage, User, UserKind

PARTS = {"kernel_id": "kernel", "ramdisk_id": "ramdisk"}
_LEFT_OUT = (MISSING, "null")
_MAY_NAME_PARTS = {"properties": "kernel or ramdisk", **{f"properties.{key}": part for key, part in PARTS.items()}}
_SEPARATORS = re.compile(r"[\s\"'\[\]{}(),;=\\]+")
_QUOTED = re.compile(r'"([^"]*)"')
_PART_FORMATS = frozenset({"aki", "ari"})


@dataclass(frozen=True, slots=True)
class Needs:
    """Which images are needed, each with words that say by which image and as what.

    `doubtful` is an image whose parts are unknown: any kernel or ramdisk may be one of them.
    """

    by_id: Mapping[ImageId, str] = field(default_factory=dict)
    doubtful: Image | None = None

    def words_of(self, image: Image) -> str | None:
        """Why an image is needed, or may be; None where it is not."""
        words = self.by_id.get(image.identity)
        if words is not None or self.doubtful is None or not may_be_a_part(image):
            return words
        return f"it may be the kernel or ramdisk of image {self.doubtful.label}, whose properties cannot be read"


def needs_of(images: Sequence[Image]) -> Needs:
    """Which images need which others, whoever owns them, as long as they are listed and not gone."""
    by_id: dict[ImageId, str] = {}
    doubtful = None
    needing = [image for image in images if may_need(image)]
    known = KnownImages(ImageNames(images if needing else ()))
    for image in needing:
        if is_doubtful(image, known):
            doubtful = doubtful or image
        for needed, part in needed_by(image, known):
            by_id.setdefault(needed, f"the {part} of image {image.label}")
    return Needs(by_id, doubtful)


def used_by_unidentified(unidentified: Sequence[Image], images: Iterable[Image]) -> Usage:
    """Which of these images are needed by those that are listed without an id.

    No survey has those, so this is recorded as a use of the images that they name. `problem`: a part of one is unknown.
    """
    users: defaultdict[ImageId, set[User]] = defaultdict(set)
    needing = [image for image in unidentified if may_need(image)]
    known = KnownImages(ImageNames(images if needing else ()))
    for image in needing:
        if is_doubtful(image, known):
            return Usage(
                problem=f"image {image.label}, listed without an id, names a kernel or ramdisk that cannot be read"
            )
        for needed, part in needed_by(image, known):
            users[needed].add(User(image.label, f"{image.label}, whose {part} it is", UserKind.UNIDENTIFIED))
    return Usage({needed: tuple(using) for needed, using in users.items()})


def may_need(image: Image) -> bool:
    """Whether an image needs others, or whether that is unknown."""
    if image.status in GONE_STATUSES:
        return False
    if not image.unreadable and image.properties is not None:
        return any(map(image.properties.get, PARTS))  # as of nearly all images
    return _is_unread(image) or any(_parts_named_by(image)) or any(_words_said_to_be_parts(image))


def _is_unread(image: Image) -> bool:
    """Whether the properties that name parts cannot be read."""
    if image.properties is None:
        # Missing or null properties count as no parts: otherwise images without parts, as nearly all are, would keep
        # others forever.
        return image.unreadable.get("properties") not in _LEFT_OUT
    return any(f"properties.{key}" in image.unreadable for key in PARTS)


def _parts_named_by(image: Image) -> Iterator[tuple[str, str]]:
    """The names that an image gives its parts, each with its role; only "" says that there is none."""
    properties = image.properties or {}
    return ((properties[key], part) for key, part in PARTS.items() if properties.get(key))


def is_doubtful(image: Image, known: KnownImages) -> bool:
    """Whether it is unknown which images are the parts of this one."""
    return _is_unread(image) or any(known.meant_by(word) is None for word, _ in _parts_named_by(image))


def needed_by(image: Image, known: KnownImages) -> Iterator[tuple[ImageId, str]]:
    """The other images that an image needs, or may need, each with its role: whatever a word may mean is one.

    Where it is not known which image a name means, that keeps every image of that name, beside the kernels and ramdisks
    that doubt keeps.
    """
    for word, part in (*_parts_named_by(image), *_words_said_to_be_parts(image)):
        for needed in {*ids_in(word), *known.names.meant_by(word)} - {image.identity}:
            yield needed, part


def _words_said_to_be_parts(image: Image) -> Iterator[tuple[str, str]]:
    """The words in an unreadable value, as in two values that contradict each other, and all that stands in quotes."""
    for key, part in _MAY_NAME_PARTS.items():
        said = image.unreadable.get(key, MISSING)
        for word in () if said in _LEFT_OUT else (*_SEPARATORS.split(said), *_QUOTED.findall(said)):
            yield word, part


def may_be_a_part(image: Image) -> bool:
    """Whether an image may be the kernel or ramdisk of another, by its format."""
    return image.disk_format is None or image.disk_format.lower() in _PART_FORMATS
