"""Which image services of a catalogue a target cleans, by the region in its configuration."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from janitor.cloud.openstack.target import EVERY_REGION
from janitor.errors import UsageError

if TYPE_CHECKING:
    from janitor.cloud.openstack.catalogue import Catalogue, ImagePlace


def places_of(catalogue: "Catalogue", wanted: str | None) -> "list[tuple[ImagePlace, str | None]]":
    """The image services to clean, each with the configured region.

    Raises UsageError for a region that does not exist, and for several image services of which none is chosen.
    """
    places = catalogue.image_places()
    if wanted == EVERY_REGION:
        named = [place for place in places if set(place.regions) != {None}] or places
        _check_one_each(named)
        return [(place, place.regions[0] if place.regions else None) for place in named]
    known = catalogue.image_regions or catalogue.regions
    if wanted is not None:
        if known and wanted not in known:
            raise UsageError(no_region(wanted, known))
        here = [place for place in places if place.everywhere or wanted in place.regions]
        here = here or [place for place in places if None in place.regions]
        _check_one_each(here)
        return [(place, wanted) for place in here]
    if len(places) > 1:
        or_all = f', or "{EVERY_REGION}" for all of them' if catalogue.image_regions else ""
        _check_one_each(places)
        raise UsageError(f"the cloud has the regions {', '.join(known)}: choose one by region{or_all}")
    return [(place, known[0] if len(known) == 1 else None) for place in places]


def _check_one_each(places: "Sequence[ImagePlace]") -> None:
    """Raises UsageError where a region has several image services: none is chosen by chance."""
    first: dict[str | None, ImagePlace] = {}
    for place in places:
        for region in place.regions:
            other = first.setdefault(region, place)
            if other is not place:
                where = "" if region is None else f" in region {region}"
                raise UsageError(
                    f"the cloud has several image services{where}, {other.url} and {place.url}: "
                    "choose one by image_endpoint"
                )


def no_region(name: str | None, regions: Sequence[str]) -> str:
    """Why nothing can be cleaned in a region of that name."""
    return f'the cloud has no images in a region "{name}"; there is {", ".join(regions) or "none with a name"}'
