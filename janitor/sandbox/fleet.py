"""A realistic fleet from a seed: the same seed gives the same ids, names and ages, whenever it is asked."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from janitor.sandbox.builds import builds
from janitor.sandbox.launchers import NO_LAUNCHERS, Launchers, launch_templates
from janitor.sandbox.machines import machines
from janitor.sandbox.models import Mint, StoredImage, StoredInstance, StoredVolume
from janitor.sandbox.oddities import (
    ODD_NAMES,
    UNREADABLE_KINDS,
    golden,
    gone,
    oddly_named,
    snapshots,
    unreadable,
    uploads,
)
from janitor.sandbox.vendor import vendor_images

_MOST_INSTANCES = 2000


@dataclass(frozen=True, slots=True)
class Fleet:
    """What an account holds at the start."""

    images: tuple[StoredImage, ...]
    instances: tuple[StoredInstance, ...]
    volumes: tuple[StoredVolume, ...] = ()
    launchers: Launchers = NO_LAUNCHERS


def make_fleet(images: int, *, seed: int, now: datetime, oddities: bool = False) -> Fleet:
    """A fleet of exactly that many images; their ages count back from `now` (aware, UTC).

    With `oddities` some of them carry values that cannot be read.
    """
    mint = Mint(seed, now)
    stored = tuple(_images(mint, images, oddities=oddities))
    instances = min(_MOST_INSTANCES, -(-images * 3 // 20))
    made = tuple(machines(mint, instances, stored, oddities=oddities))
    # From a random source of their own, so that the images and instances of a seed stay the same.
    return Fleet(
        stored,
        made,
        launchers=Launchers(launch_templates=tuple(launch_templates(Mint(f"launchers of {seed}", now), stored))),
    )


def _images(mint: Mint, images: int, *, oddities: bool) -> Iterator[StoredImage]:
    """Each kind in its share of the whole, some of them capped; the rest are builds."""
    kinds = (
        (vendor_images, min(60, images * 11 // 100)),
        (golden, min(40, images * 3 // 100)),
        (snapshots, images * 13 // 100),
        (gone, images * 2 // 100),
        (oddly_named, min(len(ODD_NAMES), images * 8 // 100)),
        (unreadable, min(UNREADABLE_KINDS, images * 6 // 100) if oddities else 0),
    )
    stuck = (("queued", images * 3 // 100), ("saving", images * 2 // 100), ("killed", images * 4 // 100))
    for make, share in kinds:
        yield from make(mint, share)
    for status, share in stuck:
        yield from uploads(mint, share, status)
    yield from builds(mint, images - sum(share for _, share in (*kinds, *stuck)))
