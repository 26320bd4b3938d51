"""The port to a cloud: what a run needs of a target's API. Pages, tokens and retries stay inside the adapters."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from janitor.core.image import Image, Sharing
from janitor.core.planning.deletion import Answer
from janitor.core.survey.binding import Binding
from janitor.core.usage import EarlierUsage, Reading, Source, Usage
from janitor.errors import CloudError

ONE_SERVICE = (
    "they are one image service under two names, and each reads only a part of what uses its images. Configure one "
    "target with image_endpoint in their place: it reads what uses images in all regions"
)
"""Why nothing is deleted where two names are one image service, and the way out."""


class Need(StrEnum):
    """How much a source of usage matters: one that fails keeps every image, is said in the report, or is not asked.

    AUTO is required where the cloud has such a service, or had one when it was last asked, and else not asked.
    """

    AUTO = "auto"
    REQUIRED = "required"
    OPTIONAL = "optional"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Sources:
    """How much each source of usage matters to a target; snapshots are images that are made from others."""

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
    """What an API told of images that were asked for by their ids: those that exist; of all others it said "not there".

    `unanswered` are the ids of which it said neither, as where it may not tell us; None for an API that cannot be asked
    for one image.
    """

    found: tuple[Image, ...] = ()
    unanswered: frozenset[str] | None = frozenset()


@dataclass(frozen=True, slots=True)
class Probe:
    """What a look at a target found: a sentence, and what became of asking each source of usage."""

    sentence: str
    readings: tuple[Reading, ...] = ()


class ProbeFailed(CloudError):
    """A look at a target that found a source of usage that cannot be read; `readings` say which could."""

    def __init__(self, message: str, readings: tuple[Reading, ...]) -> None:
        super().__init__(message)
        self.readings = readings


class ImageService(Protocol):
    """The images of one target. Safe to use from several threads at once; `close` when done.

    `by_id`: an image can be asked for by its id.
    """

    by_id: bool

    def images(self) -> Iterator[Image]:
        """Every image of the target as they arrive. Raises CloudError when the list cannot be completed.

        One that the list contradicts itself about comes again, as all of its records together say: of an id the last
        one holds.
        """
        ...

    def unlisted(self, known: Iterable[str]) -> Lookup:
        """What is told of these images, which no list shows. Raises CloudError when no usable answer came."""
        ...

    def latest(self, image_id: str) -> Image | None:
        """An image as it is now; None where there is none any more.

        Only where it can be asked for `by_id`. Raises CloudError where it cannot be told, as for want of permission.
        """
        ...

    def usage(self, images: Sequence[Image], earlier: EarlierUsage) -> Usage:
        """What uses which of these images, all that there are; `problem` says why that is in doubt."""
        ...

    def shareable(self, images: Iterable[Image]) -> Sequence[Image]:
        """Those of these images that may be shared: the ones that `sharing` asks about, each by a request."""
        ...

    def sharing(self, images: Iterable[Image]) -> Mapping[str, Sharing]:
        """With whom these images are shared, by image id; one that is not in it is shared with nobody.

        Raises CloudError when no usable answer came.
        """
        ...

    def delete(self, image_id: str) -> Answer:
        """Ask for the deletion of one image: ACCEPTED, or ABSENT where there is no such image.

        Raises Refused when the API says no, and another CloudError when no usable answer came.
        """
        ...

    def binding(self) -> Binding:
        """The account that these are the images of. Raises CloudError where it is known only once signed in."""
        ...

    def clock_offset(self) -> timedelta | None:
        """How far the server's clock is ahead of ours, by its answers so far; None where it does not tell."""
        ...

    def unidentified(self) -> Sequence[Image]:
        """The entries of the image lists that had no id when they were last read, as images whose id is blank.

        They cannot be recorded, judged or deleted, but may need images that can.
        """
        ...

    def irregularities(self) -> list[str]:
        """What looked wrong about the image lists so far, a phrase each, beside what images say of themselves."""
        ...

    def other_names(self, images: Sequence[Image]) -> list[str]:
        """Where else these images are listed under another name of their image service, a phrase each.

        What uses images by another name is not asked about here. Nothing is said of a place that cannot be asked.
        """
        ...

    def probe(self) -> Probe:
        """Get a token, read a page of images and what is in use, and say what was seen. Raises CloudError."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
