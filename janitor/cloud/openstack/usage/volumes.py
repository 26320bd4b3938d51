"""The volumes of one block storage service, and the images that they were made from and start with."""

from collections import defaultdict
from collections.abc import Sequence
from functools import partial

from janitor.cloud.common.records import Entry, Users, image_users, under_other_names
from janitor.core.names.image_ids import ImageId
from janitor.core.names.known_images import KnownImages
from janitor.core.usage import User, UserKind
from janitor.errors import Unavailable

LABEL = "GET /volumes/detail"
_IMAGE = "image_id"
_OF_AN_IMAGE = frozenset({"image_name", "checksum"})  # only a volume that was made from an image has this
_BEING_MADE = "downloading"  # being made from an image, which the volume names only once it is done


def used_by_volumes(volumes: Sequence[Entry], known: KnownImages) -> Users:
    """The images that volumes were made from, and the kernels and ramdisks with which these start.

    Raises Unavailable when that is in doubt for any of them.
    """
    users: defaultdict[ImageId, list[User]] = defaultdict(list)
    for key in (_IMAGE, "kernel_id", "ramdisk_id"):
        found = image_users(volumes, LABEL, UserKind.VOLUME, partial(_named, key), known)
        for image, using in found.items():
            users[image] += using
    return dict(users)


def _named(key: str, volume: Entry) -> list[object]:
    metadata = volume.get("volume_image_metadata")
    if metadata is None and not _is_being_made(volume):
        return under_other_names(volume, "volume_image_metadata") if key == _IMAGE else []
    if not isinstance(metadata, dict):
        raise _unreadable(volume)
    value = metadata.get(key)
    if key != _IMAGE:
        return [] if value in (None, "") else [value]
    elsewhere = under_other_names(metadata, key)
    if value is None and not elsewhere and (_is_being_made(volume) or not _OF_AN_IMAGE.isdisjoint(metadata)):
        raise _unreadable(volume)
    return elsewhere if value is None else [value, *elsewhere]


def _is_being_made(volume: Entry) -> bool:
    return str(volume.get("status")).lower() == _BEING_MADE


def _unreadable(volume: Entry) -> Unavailable:
    return Unavailable(f"{LABEL}: the image of volume {volume.get('id')} cannot be read")
