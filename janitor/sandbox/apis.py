"""Makes the API that a sandbox serves, and the accounts behind it."""

from collections.abc import Callable, Mapping
from datetime import datetime

from janitor.sandbox.account import Account
from janitor.sandbox.api import ServedApi
from janitor.sandbox.calls import Api
from janitor.sandbox.compute_v1 import ComputeV1, ComputeV1Rules, compute_v1_target
from janitor.sandbox.fleet import make_fleet
from janitor.sandbox.openstack import OpenStack, openstack_target
from janitor.sandbox.openstack.fleet import make_fleet_of
from janitor.sandbox.openstack.rules import GlanceRules
from janitor.sandbox.options import Options
from janitor.sandbox.tokens import Tokens

_SEEDS_APART = 1_000_003


Clock = Callable[[], datetime]
Served = tuple[Mapping[str, Account], ServedApi]
"""The accounts by region, the main one first, and the API over them."""


def make_api(options: Options, origin: str, clock: Clock, now: datetime) -> Served:
    """What a sandbox with these options serves at this origin; the ages of its images count back from `now`."""
    return _MAKERS[options.api](options, origin, clock, now)


def target_text(options: Options, origin: str, name: str) -> str:
    """An account that `make_api` would make, as a target of a janitor.yaml, as an item of its list."""
    return _TARGETS[options.api](options, origin, name)


def _compute_v1(options: Options, origin: str, clock: Clock, now: datetime) -> Served:
    tokens = Tokens(options.token_lifetime)
    fleet = make_fleet(options.images, seed=options.seed, now=now, oddities=options.oddities)
    account = Account(fleet, options, clock, tokens, ComputeV1Rules())
    return {"": account}, ComputeV1(account, options, origin)


def _openstack(options: Options, origin: str, clock: Clock, now: datetime) -> Served:
    tokens = Tokens(options.token_lifetime)
    accounts: dict[str, Account] = {}
    for place, region in enumerate(options.region_names):
        seed = options.seed + place * _SEEDS_APART
        beside = next(iter(accounts.values())) if accounts and options.shares_images else None
        images = tuple(beside.images.values()) if beside else None
        fleet = make_fleet_of(options, seed=seed, now=now, first=not accounts, images=images)
        accounts[region] = Account(fleet, options, clock, tokens, GlanceRules(), beside)
    return accounts, OpenStack(accounts, options, origin)


_MAKERS: Mapping[Api, Callable[[Options, str, Clock, datetime], Served]] = {
    Api.TOAST: _compute_v1,
    Api.OPENSTACK: _openstack,
}
_TARGETS: Mapping[Api, Callable[[Options, str, str], str]] = {
    Api.TOAST: compute_v1_target,
    Api.OPENSTACK: openstack_target,
}
