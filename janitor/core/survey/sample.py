"""A sample of the images that an account lists as its own, small enough to compare those of many accounts. Pure.

The sample are the smallest of the digests, so that two lists with the same images have the same sample, and lists that
nearly agree have nearly the same one.
"""

from collections.abc import Iterable
from hashlib import sha256

from janitor.core.image import Image
from janitor.core.planning.plan import owns

SIZE = 32
_DIGITS = 16
_FEWEST_TO_TELL = 2

Sample = tuple[str, ...]


def sample_of(images: Iterable[Image]) -> Sample:
    """Digests of the own images among these, in order: of id and creation, as copies in other regions keep ids."""
    return tuple(sorted({_digest(image) for image in images if owns(image)})[:SIZE])


def _digest(image: Image) -> str:
    created = image.created_at.isoformat() if image.created_at is not None else ""
    return sha256(f"{image.identity} {created}".encode()).hexdigest()[:_DIGITS]


def one_list(one: Sample, other: Sample) -> bool:
    """Whether two samples are of one list, as it is read twice: they share two, and half of what both can hold.

    Above the largest of a full sample it does not tell what its list holds.
    """
    ends = [sample[-1] for sample in (one, other) if len(sample) == SIZE]
    within = [frozenset(digest for digest in sample if not ends or digest <= min(ends)) for sample in (one, other)]
    shared, both = within[0] & within[1], within[0] | within[1]
    return len(shared) >= _FEWEST_TO_TELL and 2 * len(shared) >= len(both)
