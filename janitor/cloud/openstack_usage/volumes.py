"""The volumes of one block storage service, and the images that they were made of, and start by."""

from collections import defaultdict
from collections.abc import Sequence
from functools import partial

from janitor.cloud.records import Entry, Users, image_users
from janitor.errors import Unavailable
from janitor.model import User, UserKind

LABEL = "GET /volumes/detail"
_BEING_MADE = "downloading"  # of an image, which the volume does not name before it is done


def used_by_volumes(volumes: Sequence[Entry]) -> Users:
    """The images that volumes were made of, and the kernels and ramdisks by which these start.

    Raises Unavailable when that is in doubt for any of them.
    """
    users: defaultdict[str, list[User]] = defaultdict(list)
    for key in ("image_id", "kernel_id", "ramdisk_id"):
        for image, using in image_users(volumes, LABEL, UserKind.VOLUME, partial(_named, key)).items():
            users[image] += using
    return dict(users)


def _named(key: str, volume: Entry) -> object:
    metadata = volume.get("volume_image_metadata")
    if metadata is None and str(volume.get("status")).lower() != _BEING_MADE:
        return None
    if not isinstance(metadata, dict):
        raise Unavailable(f"{LABEL}: the image of volume {volume.get('id')} cannot be read")
    value = metadata.get(key)
    return None if value == "" and key != "image_id" else value
