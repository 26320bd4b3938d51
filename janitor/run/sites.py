"""From targets to sites: which ones a run is for, in which regions, and the way to each of their APIs."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import httpx

from janitor.clock import utc_now
from janitor.cloud.service import ImageService
from janitor.cloud.toast.client import ToastClient
from janitor.config import EVERY_REGION, OpenStackTarget, Settings, Target, ToastTarget
from janitor.config.accounts import Account, collecting, signed_in
from janitor.errors import CloudError, UsageError
from janitor.run.orders import Site
from janitor.shutdown import Stop

if TYPE_CHECKING:
    from janitor.cloud.openstack.catalogue import ImagePlace

Clock = Callable[[], datetime]
HttpTransport = httpx.BaseTransport
Way = Callable[[Clock, Stop | None, HttpTransport | None], ImageService]
"""Connects, by a clock, until it is told to stop, and by sockets where nothing else carries its requests."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Targets, and of one in several regions only the sites of these names; all of them where none is named."""

    targets: Sequence[Target]
    names: frozenset[str] = frozenset()

    def includes(self, target: Target, names: Iterable[str]) -> bool:
        """Whether a site of one of the targets is meant, by any of its names."""
        return not self.names or not self.names.isdisjoint((target.name, *names))

    def asked_of(self, target: Target) -> list[str]:
        """The sites of a target that are meant by their own names; none where all of them are."""
        whole = not self.names or target.name in self.names
        return [] if whole else sorted(name for name in self.names if may_have(target, name))


@dataclass(frozen=True, slots=True)
class _Found:
    """A site before it has its name: the names that it may bear, the way to it, and what it is of.

    `place` is the project and the image service that it cleans, which no two sites may share.
    """

    names: tuple[str, ...]
    way: Way
    project: str | None = None
    place: tuple[str, str] | None = None


def chosen(settings: Settings, names: Sequence[str]) -> Choice:
    """What these names mean, each the name of a target or of one region of it; everything for none.

    Raises UsageError for a name that nothing can have. Whether there is such a region is known once signed in.
    """
    exact = {target.name: [target] for target in settings.targets}
    found = {name: exact.get(name) or [one for one in settings.targets if may_have(one, name)] for name in names}
    unknown = [name for name, targets in found.items() if not targets]
    if unknown:
        raise UsageError(f"no target named {', '.join(unknown)}; there is {', '.join(exact)}")
    meant = [target for target in settings.targets if not names or any(target in some for some in found.values())]
    return Choice(meant, frozenset(names))


def names_without_signing_in(settings: Settings) -> list[str] | None:
    """The names of all sites; None where a target is in every region, of which only a catalogue tells."""
    if any(map(_is_in_every_region, settings.targets)):
        return None
    return [target.name for target in settings.targets]


def may_have(target: Target, name: str) -> bool:
    """Whether this may be the name of a site of a target; of one in every region only a catalogue tells for sure."""
    return name == target.name or (_is_in_every_region(target) and name.startswith(f"{target.name}-"))


def _is_in_every_region(target: Target) -> bool:
    return isinstance(target, OpenStackTarget) and target.region == EVERY_REGION


def sites_of(
    settings: Settings,
    choice: Choice,
    *,
    clock: Clock = utc_now,
    stop: Stop | None = None,
    http_transport: HttpTransport | None = None,
    known: Sequence[str] = (),
) -> list[Site]:
    """The sites of a choice, in its order, once all are signed in whose regions a catalogue tells.

    An `http_transport` takes all requests elsewhere than to sockets. `known` are the names of the sites with a history,
    the latest first: where one image service stands under several regions, its site keeps the name that it had.

    An identity service that gives no token, and a catalogue without images, make a site that cannot be connected.
    Raises ConfigurationError with every problem: regions that are not there, sites that would be of one name, and
    targets that are one and the same.
    """
    accounts = signed_in(settings, choice.targets, clock, stop, http_transport)
    sites: dict[str, _Found] = {}
    projects: dict[str, list[str]] = {}
    places: dict[tuple[str, str], Target] = {}
    with collecting(settings) as attempt:
        for target in choice.targets:
            with attempt(target):
                found = _found(target, accounts, choice)
                taken = [*sites, *(other.name for other in settings.targets if other is not target)]
                _be_free([name for one in found for name in one.names], taken)
                _be_apart(target, found, places)
                for one in found:
                    name = _name(one.names, known)
                    if one.project is not None:
                        projects.setdefault(one.project, []).append(name)
                    if choice.includes(target, one.names):
                        sites[name] = one
    return [
        Site(
            name,
            partial(found.way, clock, stop, http_transport),
            also_named=tuple(other for other in found.names if other != name),
            project=found.project,
            siblings=tuple(other for other in projects.get(found.project or "", ()) if other != name),
        )
        for name, found in sites.items()
    ]


def _name(names: Sequence[str], known: Sequence[str]) -> str:
    """Which of its names a site bears: the one with the latest history, or else the first."""
    return next((name for name in known if name in names), min(names))


def _found(target: Target, accounts: Mapping[str, Account | CloudError], choice: Choice) -> list[_Found]:
    """The sites of a target. Raises UsageError for a region that is not there."""
    if isinstance(target, ToastTarget):
        return [_Found((target.name,), partial(_toast, target))]
    account = accounts[target.name]
    if isinstance(account, CloudError):
        return [_Found((name,), partial(_fail, account)) for name in choice.asked_of(target) or [target.name]]
    found = [_site_of(account, place, region) for place, region in _places(account)]
    names = {name for one in found for name in one.names}
    for name in choice.asked_of(target):
        if name not in names:
            known = [region for region in account.grant.catalogue.image_regions if region is not None]
            raise UsageError(_no_region(name.removeprefix(f"{target.name}-"), known))
    return found


def _site_of(account: Account, place: "ImagePlace", region: str | None) -> _Found:
    target, catalogue = account.target, account.grant.catalogue
    regions = [one for one in place.regions if one is not None] if target.region == EVERY_REGION else []
    names = tuple(sorted(f"{target.name}-{one}" for one in regions)) or (target.name,)
    of = (account.grant.project, catalogue.normalised(place))
    return _Found(names, partial(_openstack, account, place, region), account.grant.project, of)


def _places(account: Account) -> "list[tuple[ImagePlace, str | None]]":
    """The image services to clean, each with the region that the configuration means there.

    Raises UsageError for a region that is not there, and for several image services of which none is chosen.
    """
    catalogue, wanted = account.grant.catalogue, account.target.region or account.identity.region
    places = catalogue.image_places()
    if wanted == EVERY_REGION:
        named = [place for place in places if set(place.regions) != {None}] or places
        _be_one_each(named)
        return [(place, place.regions[0] if place.regions else None) for place in named]
    known = catalogue.image_regions or catalogue.regions
    if wanted is not None:
        if known and wanted not in known:
            raise UsageError(_no_region(wanted, known))
        here = [place for place in places if place.everywhere or wanted in place.regions]
        here = here or [place for place in places if None in place.regions]
        _be_one_each(here)
        return [(place, wanted) for place in here]
    if len(places) > 1:
        or_all = f', or "{EVERY_REGION}" for all of them' if catalogue.image_regions else ""
        _be_one_each(places)
        raise UsageError(f"the cloud has the regions {', '.join(known)}: choose one by region{or_all}")
    return [(place, known[0] if len(known) == 1 else None) for place in places]


def _be_one_each(places: "Sequence[ImagePlace]") -> None:
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


def _no_region(name: str | None, regions: Sequence[str]) -> str:
    return f'the cloud has no images in a region "{name}"; there is {", ".join(regions) or "none that has a name"}'


def _be_apart(target: Target, found: Iterable[_Found], places: dict[tuple[str, str], Target]) -> None:
    """Raises UsageError for a target that is another one by another name, and takes note of its places."""
    for one in found:
        other = places.setdefault(one.place, target) if one.place is not None else target
        if other is not target:
            raise UsageError(
                f"is the same project and image service as target {other.name} ({one.place[1] if one.place else ''}): "
                "images would be judged twice; keep one of the two, which asks the services of all their regions"
            )


def _be_free(names: Collection[str], taken: Collection[str]) -> None:
    for name in names:
        if name in taken:
            raise UsageError(f"there would be two targets named {name}: give one of them another name")


def _toast(target: ToastTarget, clock: Clock, stop: Stop | None, http_transport: HttpTransport | None) -> ImageService:
    return ToastClient(
        target.endpoint,
        target.appkey,
        target.username,
        target.password,
        target.http,
        imageless=target.imageless,
        clock=clock,
        stop=stop,
        http_transport=http_transport,
    )


def _openstack(
    account: Account,
    place: "ImagePlace",
    region: str | None,
    clock: Clock,
    stop: Stop | None,
    http_transport: HttpTransport | None,
) -> ImageService:
    from janitor.cloud.openstack.client import OpenStackClient

    if place.problem is not None:
        raise CloudError(f"the image service at {place.url}: {place.problem}")
    target = account.target
    return OpenStackClient(
        account.identity,
        place,
        region,
        target.http,
        sources=target.usage,
        imageless=target.imageless,
        shared_ignored=target.shared_ignored,
        clock=clock,
        stop=stop,
        http_transport=http_transport,
        grant=account.grant,
    )


def _fail(error: CloudError, *_: object) -> ImageService:
    raise error
