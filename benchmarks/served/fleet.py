"""The sandbox's realistic fleet as bytes: entries of the list, and what instances use."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from benchmarks.served.pages import Entries
from janitor.sandbox.compute_v1 import wire
from janitor.sandbox.fleet import make_fleet
from janitor.sandbox.models import StoredImage, StoredInstance
from janitor.sandbox.options import Options
from janitor.sandbox.texts import dumped


def furnished(images: int, now: datetime | None = None, seed: int = 1) -> tuple[Entries, Sequence[tuple[str, bytes]]]:
    """A fleet of so many images, the newest first, and the text of each instance beside the id of its image."""
    fleet = make_fleet(images, seed=seed, now=now or datetime.now(UTC))
    writer = wire.Writer(Options())
    return Entries(_texts(writer, fleet.images)), [_of(writer, instance) for instance in fleet.instances]


def _texts(writer: wire.Writer, images: Sequence[StoredImage]) -> Iterator[tuple[str, bytes]]:
    for image in sorted(images, key=lambda image: (image.created_at, image.id), reverse=True):
        yield image.id, dumped(writer.image(image))


def _of(writer: wire.Writer, instance: StoredInstance) -> tuple[str, bytes]:
    return str(instance.image), dumped(writer.instance(instance))
