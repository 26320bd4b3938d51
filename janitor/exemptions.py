"""Exemptions: a person's word that an image stays until a date, given on the command line or in a policy file."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from janitor.model import Exemption, Image

SOON = timedelta(days=7)
"""How long before they lapse exemptions are reported."""


def active(exemption: Exemption, now: datetime) -> bool:
    """Whether it still holds; at the very instant of its end it does no longer."""
    return now < exemption.until


def lapses_soon(until: datetime, now: datetime) -> bool:
    """Whether what still holds ends within a week."""
    return now < until <= now + SOON


def exemptions_for(
    images: Iterable[Image], stored: Iterable[Exemption], from_files: Iterable[Exemption], now: datetime
) -> dict[str, Exemption]:
    """The exemption of each image that has an active one, by image id; of several the one that lasts longest.

    Stored exemptions name images by id; those of policy files by id or by name. Ids are compared as they are meant,
    whatever their case; names exactly. An image whose name cannot be read may be any that a file names.
    """
    in_files = list(from_files)
    by_id = _longest(((_folded(given.image), given) for given in (*stored, *in_files)), now)
    by_name = _longest(((given.image, given) for given in in_files), now)
    found = {image.id: (by_id.get(_folded(image.id)), _by_name(image, by_name)) for image in images}
    return {
        image_id: max((given for given in both if given is not None), key=_until)
        for image_id, both in found.items()
        if any(both)
    }


def _longest(named: Iterable[tuple[str, Exemption]], now: datetime) -> dict[str, Exemption]:
    longest: dict[str, Exemption] = {}
    for key, exemption in named:
        if active(exemption, now) and (key not in longest or _until(exemption) > _until(longest[key])):
            longest[key] = exemption
    return longest


def _by_name(image: Image, by_name: Mapping[str, Exemption]) -> Exemption | None:
    if "name" not in image.unreadable:
        return by_name.get(image.name or "")
    longest = max(by_name.values(), key=_until, default=None)
    return longest and replace(longest, why=f"its name cannot be read, and may be {longest.image}; {longest.why}")


def _until(exemption: Exemption) -> datetime:
    return exemption.until


def _folded(image_id: str) -> str:
    return image_id.strip().lower()
