"""What launches servers automatically, as values: clusters, their templates, stacks, and launch templates."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from janitor.sandbox.models import OURS, Mint, StoredImage

_TEMPLATES = ("web-blue", "web-green", "batch-spot", "render")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{3,}")


@dataclass(frozen=True, slots=True)
class StoredNodeGroup:
    """Nodes of a cluster that are alike. `image` is the id or the exact name of their image.

    `unlisted_image` says that the list of node groups omits it, and only the single group has it.
    """

    id: str
    name: str
    image: str
    nodes: int = 1
    least: int = 0
    most: int | None = None
    role: str = "worker"
    unlisted_image: bool = False


@dataclass(frozen=True, slots=True)
class StoredCluster:
    """One cluster; `template` is the id of the cluster template that it was made from."""

    id: str
    name: str
    template: str
    groups: tuple[StoredNodeGroup, ...]
    created_at: datetime
    status: str = "CREATE_COMPLETE"


@dataclass(frozen=True, slots=True)
class StoredClusterTemplate:
    """What clusters are made from; `image` is an id or an exact name."""

    id: str
    name: str
    image: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class StoredStack:
    """One stack; `parent` is the id of the stack that it is nested in. `updated_at` is None until its first update."""

    id: str
    name: str
    created_at: datetime
    parameters: Mapping[str, str] = field(default_factory=dict)
    template: Mapping[str, object] = field(default_factory=dict)
    updated_at: datetime | None = None
    parent: str | None = None
    status: str = "CREATE_COMPLETE"

    def words(self) -> set[str]:
        """Every text in its parameters and its template, except empty ones."""
        return set(filter(None, (*_texts(self.parameters), *_texts(self.template))))


@dataclass(frozen=True, slots=True)
class Launchers:
    """All of them in an account; launch templates have names, each with the id or the name of its image."""

    clusters: tuple[StoredCluster, ...] = ()
    cluster_templates: tuple[StoredClusterTemplate, ...] = ()
    stacks: tuple[StoredStack, ...] = ()
    launch_templates: tuple[tuple[str, str], ...] = ()


NO_LAUNCHERS = Launchers()


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Mapping():
            for part in value.values():
                yield from _texts(part)
        case list() | tuple():
            for part in value:
                yield from _texts(part)


def named_plainly(image: StoredImage) -> bool:
    """Whether people would write its name in templates."""
    return _PLAIN_NAME.fullmatch(image.name or "") is not None


def launchable(images: Sequence[StoredImage]) -> list[StoredImage]:
    """The project's own images that servers can be launched from."""
    return [image for image in images if image.owner == OURS and not image.is_public and image.status == "active"]


def launch_templates(mint: Mint, images: Sequence[StoredImage]) -> Iterator[tuple[str, str]]:
    """Names of launch templates, each with the image that it names: in turn by its id and by its name."""
    own = launchable(images)
    plain = [image for image in own if named_plainly(image)]
    for index, name in enumerate(_TEMPLATES):
        if index % 2 and plain:
            yield name, mint.random.choice(plain).name or ""
        elif own:
            yield name, mint.random.choice(own).id
