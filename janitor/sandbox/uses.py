"""What really uses which image of an account: from all sources, whether or not they can be read now."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from janitor.sandbox.launchers import Launchers
from janitor.sandbox.models import OURS, StoredImage, StoredInstance, StoredVolume

_GONE = ("deleted", "pending_delete")
_PARTS = ("kernel_id", "ramdisk_id")

Use = tuple[str, str]
"""What uses an image, and the word by which the image is named: its id, or else its name."""


@dataclass(frozen=True, slots=True)
class Holding:
    """Everything that can use images in one region of an account."""

    instances: Iterable[StoredInstance]
    volumes: Iterable[StoredVolume]
    launchers: Launchers


def uses(images: Iterable[StoredImage], holdings: Iterable[Holding]) -> Mapping[str, set[str]]:
    """What uses each image, by its id.

    A name means all own images that have it now; an id counts even if no image has it, or no longer.
    """
    known = list(images)
    bearing: dict[str, list[str]] = {}
    for image in known:
        if image.owner == OURS and image.name:
            bearing.setdefault(image.name, []).append(image.id)
    holdings = list(holdings)
    found: dict[str, set[str]] = {}
    for user, image_id in (*_parts(known), *(use for holding in holdings for use in _by_id(holding))):
        found.setdefault(image_id, set()).add(user)
    ids = {image.id for image in known}
    for holding in holdings:
        for user, word in _by_word(holding.launchers):
            for image_id in bearing.get(word, [word] if word in ids or _is_id(word) else []):
                found.setdefault(image_id, set()).add(user)
    return found


def _is_id(word: str) -> bool:
    return len(word) == 36 and word.count("-") == 4


def _parts(images: Iterable[StoredImage]) -> Iterator[Use]:
    """Kernels and ramdisks of the images that stay."""
    for image in images:
        if image.status not in _GONE:
            yield from ((f"image {image.id}", image.properties[key]) for key in _PARTS if key in image.properties)


def _by_id(holding: Holding) -> Iterator[Use]:
    for server in holding.instances:
        if isinstance(server.image, str) and server.image:
            yield f"server {server.name}", server.image
    for volume in holding.volumes:
        if volume.image:
            yield f"volume {volume.id}", volume.image


def _by_word(launchers: Launchers) -> Iterator[Use]:
    for cluster in launchers.clusters:
        for group in cluster.groups:
            yield f"node group {group.name} of cluster {cluster.name}", group.image
    for template in launchers.cluster_templates:
        yield f"cluster template {template.name}", template.image
    for stack in launchers.stacks:
        yield from ((f"stack {stack.name}", word) for word in stack.words())
    for name, image in launchers.launch_templates:
        yield f"launch template {name}", image
