"""Exemptions: a person's decision that an image stays until a date, by command, in a policy file, or as its tag."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo

from janitor.core.image import MISSING, Image
from janitor.core.memory import Exemption
from janitor.core.names.image_ids import folded
from janitor.core.names.spelling import normal
from janitor.core.units import parse_until

SOON = timedelta(days=7)
"""How long before they expire exemptions are reported."""

FOREVER = parse_until("9999-12-31", UTC)
"""The end of an exemption that has none."""

BY_TAG = "its tag"
"""Who gave an exemption that is a tag."""

TAG = "janitor-keep"
_UNTIL = f"{TAG}-until="


def active(exemption: Exemption, now: datetime) -> bool:
    """Whether it is in force; at the very instant of its end it no longer is."""
    return now < exemption.until


def expires_soon(until: datetime, now: datetime) -> bool:
    """Whether an exemption in force ends within a week."""
    return now < until <= now + SOON


def exemptions_for(
    images: Iterable[Image], stored: Iterable[Exemption], from_files: Iterable[Exemption], now: datetime
) -> dict[str, Exemption]:
    """The exemption of each image that has an active one, by image id; of several, the one that lasts longest.

    Stored exemptions name images by id; those of policy files by id or by name. Ids are compared regardless of case;
    names as `normal` spells them. An image whose name cannot be read may be any that a file names.
    """
    in_files = list(from_files)
    by_id = _longest(((folded(normal(given.image)), given) for given in (*stored, *in_files)), now)
    by_name = _longest(((normal(given.image), given) for given in in_files), now)
    if not by_id and not by_name:
        return {}
    found = {image.id: (by_id.get(folded(normal(image.id))), _by_name(image, by_name)) for image in images}
    return {
        image_id: max((given for given in both if given is not None), key=_until)
        for image_id, both in found.items()
        if any(both)
    }


def exemptions_by_tag(images: Iterable[Image], now: datetime, zone: tzinfo) -> dict[str, Exemption]:
    """The active exemption in the tags of an image, by image id; of several, the one that lasts longest.

    A date lasts through the end of that day in `zone`. A tag that begins like this one, but without a readable date,
    was meant to keep the image, and has no end. The same holds for unreadable tags: this one may be among them.
    """
    tagged = ((image.id, given) for image in images if image.tags != () for given in _on(image, zone))
    return _longest(tagged, now)


def _on(image: Image, zone: tzinfo) -> Iterator[Exemption]:
    if image.tags is None:
        what = image.unreadable.get("tags", MISSING)
        yield Exemption(image.id, FOREVER, f"they cannot be read ({what}), and may exempt it", "its tags")
        return
    for tag in image.tags:
        if tag.strip().lower().startswith(TAG):
            yield _of_tag(image.id, tag.strip(), zone)


def _of_tag(image_id: str, tag: str, zone: tzinfo) -> Exemption:
    until = FOREVER
    if tag.lower().startswith(_UNTIL):
        try:
            until = parse_until(tag[len(_UNTIL) :].strip(), zone)
        except ValueError:
            tag = f"{tag}, which is not a readable date"
    return Exemption(image_id, until, tag, BY_TAG)


def longest_of(some: Mapping[str, Exemption], others: Mapping[str, Exemption]) -> dict[str, Exemption]:
    """All of them by image id; of two for one image, the one that lasts longer."""
    both = {image_id: max(some[image_id], others[image_id], key=_until) for image_id in some.keys() & others.keys()}
    return {**some, **others, **both}


def _longest(named: Iterable[tuple[str, Exemption]], now: datetime) -> dict[str, Exemption]:
    longest: dict[str, Exemption] = {}
    for key, exemption in named:
        if active(exemption, now) and (key not in longest or _until(exemption) > _until(longest[key])):
            longest[key] = exemption
    return longest


def _by_name(image: Image, by_name: Mapping[str, Exemption]) -> Exemption | None:
    if "name" not in image.unreadable:
        return by_name.get(normal(image.name or ""))
    longest = max(by_name.values(), key=_until, default=None)
    return longest and replace(longest, why=f"its name cannot be read, and may be {longest.image}; {longest.why}")


def _until(exemption: Exemption) -> datetime:
    return exemption.until
