"""The volumes of one block storage service, and the images that they were made of."""

from collections.abc import Sequence

from janitor.cloud.records import Entry, Users, image_users
from janitor.errors import Unavailable
from janitor.model import UserKind

LABEL = "GET /volumes/detail"


def used_by_volumes(volumes: Sequence[Entry]) -> Users:
    """The images that volumes were made of. Raises Unavailable when that is in doubt for any of them."""
    return image_users(volumes, LABEL, UserKind.VOLUME, _image_of)


def _image_of(volume: Entry) -> object:
    metadata = volume.get("volume_image_metadata")
    if metadata is None:
        return None
    if not isinstance(metadata, dict):
        raise Unavailable(f"{LABEL}: the image of volume {volume.get('id')} cannot be read")
    return metadata.get("image_id")
