"""From targets to sites: which ones a run is for, in which regions, and the way to each of their APIs."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import httpx

from janitor.accounts import Account, collecting, signed_in
from janitor.cloud import ImageService
from janitor.cloud.toast import ToastClient
from janitor.errors import CloudError, UsageError
from janitor.orders import Site, utc_now
from janitor.settings import EVERY_REGION, OpenStackTarget, Settings, Target, ToastTarget
from janitor.stopping import Stop

Clock = Callable[[], datetime]
Carrier = httpx.BaseTransport
Way = Callable[[Clock, Stop | None, Carrier | None], ImageService]
"""Connects, by a clock, until it is told to stop, and by sockets where nothing else carries its requests."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Targets, and of one in several regions only the sites of these names; all of them where none is named."""

    targets: Sequence[Target]
    names: frozenset[str] = frozenset()

    def includes(self, target: Target, site: str) -> bool:
        """Whether a site of one of the targets is meant."""
        return not self.names or not self.names.isdisjoint((target.name, site))

    def asked_of(self, target: Target) -> list[str]:
        """The sites of a target that are meant by their own names; none where all of them are."""
        whole = not self.names or target.name in self.names
        return [] if whole else sorted(name for name in self.names if may_have(target, name))


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
    carrier: Carrier | None = None,
) -> list[Site]:
    """The sites of a choice, in its order, once all are signed in whose regions a catalogue tells.

    A `carrier` takes all requests elsewhere than to sockets.

    An identity service that gives no token, and a catalogue without images, make a site that cannot be connected.
    Raises ConfigurationError with every problem: regions that are not there, or sites that would be of one name.
    """
    accounts = signed_in(settings, choice.targets, stop, carrier)
    ways: dict[str, Way] = {}
    with collecting(settings) as attempt:
        for target in choice.targets:
            with attempt(target):
                own = _ways(target, accounts, choice)
                _be_free(own, [*ways, *(other.name for other in settings.targets if other is not target)])
                ways |= {name: way for name, way in own.items() if choice.includes(target, name)}
    return [Site(name, partial(way, clock, stop, carrier)) for name, way in ways.items()]


def _ways(target: Target, accounts: Mapping[str, Account | CloudError], choice: Choice) -> Mapping[str, Way]:
    """The ways to a target by the names of its sites. Raises UsageError for a region that is not there."""
    if isinstance(target, ToastTarget):
        return {target.name: partial(_toast, target)}
    account = accounts[target.name]
    if isinstance(account, CloudError):
        return dict.fromkeys(choice.asked_of(target) or [target.name], partial(_fail, account))
    regions = _regions(account)
    several = target.region == EVERY_REGION and account.grant.regions
    ways = {f"{target.name}-{one}" if several else target.name: partial(_openstack, account, one) for one in regions}
    for name in choice.asked_of(target):
        if name not in ways:
            raise UsageError(_no_region(name.removeprefix(f"{target.name}-"), regions))
    return ways


def _regions(account: Account) -> Sequence[str | None]:
    """The regions to clean; None alone for a cloud that names none.

    Raises UsageError for a region that is not there, and for several of which none is chosen.
    """
    grant, wanted = account.grant, account.target.region or account.identity.region
    # Images may be at one place for all regions; what uses them is in a region all the same.
    known = grant.regions or tuple(dict.fromkeys(place.region for place in grant.endpoints if place.region is not None))
    if wanted == EVERY_REGION and grant.regions:
        return known
    if wanted not in (None, EVERY_REGION):
        if known and wanted not in known:
            raise UsageError(_no_region(wanted, known))
        return [wanted]
    if len(known) > 1:
        or_all = f', or "{EVERY_REGION}" for all of them' if grant.regions else ""
        raise UsageError(f"the cloud has the regions {', '.join(known)}: choose one by region{or_all}")
    return known or [None]


def _no_region(name: str | None, regions: Sequence[str | None]) -> str:
    known = ", ".join(region for region in regions if region is not None)
    return f'the cloud has no images in a region "{name}"; there is {known or "none that has a name"}'


def _be_free(names: Collection[str], taken: Collection[str]) -> None:
    for name in names:
        if name in taken:
            raise UsageError(f"there would be two targets named {name}: give one of them another name")


def _toast(target: ToastTarget, clock: Clock, stop: Stop | None, carrier: Carrier | None) -> ImageService:
    return ToastClient(
        target.endpoint,
        target.appkey,
        target.username,
        target.password,
        target.http,
        clock=clock,
        stop=stop,
        carrier=carrier,
    )


def _openstack(
    account: Account, region: str | None, clock: Clock, stop: Stop | None, carrier: Carrier | None
) -> ImageService:
    from janitor.cloud.openstack import OpenStackClient

    target = account.target
    return OpenStackClient(
        account.identity,
        region,
        target.http,
        sources=target.usage,
        shared_ignored=target.shared_ignored,
        clock=clock,
        stop=stop,
        carrier=carrier,
        grant=account.grant,
    )


def _fail(error: CloudError, *_: object) -> ImageService:
    raise error
