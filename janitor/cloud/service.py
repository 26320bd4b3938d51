"""The port to a cloud: what a run needs of a target's API. Pages, tokens and retries stay inside the adapters."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from janitor.core.image import Image, Sharing
from janitor.core.planning.deletion import Answer
from janitor.core.survey.binding import Binding
from janitor.core.survey.pages import PagesRead
from janitor.core.usage import EarlierUsage, Reading, Source, Usage
from janitor.errors import CloudError

ONE_SERVICE = (
    "they are one image service under two names, and each reads only a part of what uses its images. Configure one "
    "target with image_endpoint in their place: it reads what uses images in all regions"
)
"""Why nothing is deleted where two names are one image service, and what to do."""

ONE_ACCOUNT = (
    "they are one account under two names, and what one of them keeps the other may delete. Remove one of the two "
    "targets from the configuration: the one whose services say less about what uses images"
)
"""Why nothing is deleted where two targets are one account, and what to do."""


Permit = Callable[[], None]
"""Returns where a deletion may be sent now, and raises NotSent where it may not."""


def always() -> None:
    """Permit a deletion at any time."""


class Need(StrEnum):
    """How much a source of usage matters: if it fails, every image is kept, or the report says so, or it is not asked.

    AUTO is required where the cloud has such a service, or had one when last asked, and otherwise not asked.
    """

    AUTO = "auto"
    REQUIRED = "required"
    OPTIONAL = "optional"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Sources:
    """How much each source of usage matters to a target; snapshots are images that were made from others."""

    servers: Need = Need.AUTO
    volumes: Need = Need.AUTO
    clusters: Need = Need.AUTO
    stacks: Need = Need.AUTO
    snapshots: Need = Need.OFF

    def need(self, source: Source) -> Need:
        """How much this one matters."""
        needs = {
            Source.SERVERS: self.servers,
            Source.VOLUMES: self.volumes,
            Source.CLUSTERS: self.clusters,
            Source.STACKS: self.stacks,
            Source.SNAPSHOTS: self.snapshots,
        }
        return needs[source]


@dataclass(frozen=True, slots=True)
class Lookup:
    """What an API said when asked for images by their ids: those that exist; it said that the others do not.

    `unanswered` are the ids about which it said neither, as where we may not read them; None for an API that cannot be
    asked for one image.
    """

    found: tuple[Image, ...] = ()
    unanswered: frozenset[str] | None = frozenset()


@dataclass(frozen=True, slots=True)
class Probe:
    """What probing a target found: a sentence, and the result of asking each source of usage."""

    sentence: str
    readings: tuple[Reading, ...] = ()


class ProbeFailed(CloudError):
    """A probe of a target that found a source of usage that cannot be read; `readings` say which could be."""

    def __init__(self, message: str, readings: tuple[Reading, ...]) -> None:
        super().__init__(message)
        self.readings = readings


class ImageService(Protocol):
    """The images of one target. Safe to use from several threads at once; `close` when done.

    `by_id`: an image can be asked for by its id.
    """

    by_id: bool

    def images(self, markers: Sequence[str] | None = ()) -> Iterator[Image]:
        """Every image of the target as they arrive. Raises CloudError when the list cannot be completed.

        `markers` are ids of an earlier reading, in its order, at which several pages may be asked for at a time;
        without any the list is read page by page. None stands for a list of which nothing is known, and several pages
        of it may be asked for at a time, too.

        One about which the list contradicts itself comes again, as all its records together say: of one id, the last
        counts.
        """
        ...

    def digests(self) -> dict[str, bytes]:
        """The digest of the entry from which each image was read when the lists were last read, by image id.

        None for an image that several records make up, and for one that no list showed.
        """
        ...

    def forget_digests(self) -> None:
        """Keep these no longer, as they take much memory for a large list."""
        ...

    def pages_read(self) -> PagesRead:
        """How the pages of the list were read the last time, whether that ended or failed."""
        ...

    def unlisted(self, known: Iterable[str]) -> Lookup:
        """What the API says about these images, which no list shows. Raises CloudError for no usable answer."""
        ...

    def latest(self, image_id: str) -> Image | None:
        """An image as it is now; None if it no longer exists. Only where images can be asked for `by_id`.

        Raises CloudError where that is unknown, as for lack of permission.
        """
        ...

    def usage(self, images: Sequence[Image], earlier: EarlierUsage) -> Usage:
        """What uses which of these images, all that there are; `problem` says why that is in doubt."""
        ...

    def shareable(self, images: Iterable[Image]) -> Sequence[Image]:
        """Those of these images that may be shared: `sharing` asks about each of them, with one request."""
        ...

    def sharing(self, images: Iterable[Image]) -> Mapping[str, Sharing]:
        """With whom these images are shared, by image id; one that is not in it is shared with nobody.

        Raises CloudError when no usable answer came.
        """
        ...

    def delete(self, image_id: str, permit: Permit = always) -> Answer:
        """Request the deletion of one image: ACCEPTED, or ABSENT where there is no such image.

        `permit` is called right before each try is sent, and raises NotSent to prevent it. Raises Refused when the API
        rejects the deletion, NotSent where no try was sent, and another CloudError for no usable answer.
        """
        ...

    def binding(self) -> Binding:
        """The account that has these images. Raises CloudError where signing in is needed and fails."""
        ...

    def clock_offset(self) -> timedelta | None:
        """How far the server's clock is ahead of ours, by its answers so far; None where they do not say."""
        ...

    def unidentified(self) -> Sequence[Image]:
        """The entries of the image lists that had no id when they were last read, as images whose id is blank.

        They cannot be recorded, decided on or deleted, but may need images that can.
        """
        ...

    def irregularities(self) -> list[str]:
        """What looked wrong about the lists as last read, a phrase each, besides the contradictions noted in images."""
        ...

    def other_names(self, images: Sequence[Image]) -> list[str]:
        """Where else these images are listed, under another name of their image service, a phrase each.

        What uses images under another name is not asked here. A place that cannot be asked is omitted.
        """
        ...

    def probe(self) -> Probe:
        """Get a token, read a page of images and what uses them, and say what was seen. Raises CloudError."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...
