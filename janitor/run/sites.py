"""From targets to sites: which ones a run is for, in which regions, and how to reach their APIs."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from janitor.clock import utc_now
from janitor.cloud.api import Account, Place, Surroundings
from janitor.cloud.service import ImageService
from janitor.cloud.target import Target, may_have
from janitor.config import Settings
from janitor.config.accounts import collecting, signed_in
from janitor.errors import CloudError, UsageError
from janitor.run.accounts import Traits, alike, traits_of
from janitor.run.orders import Site
from janitor.shutdown import Stop

if TYPE_CHECKING:
    import httpx

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Choice:
    """Targets, and of one in several regions only the sites with these names; all of them if none is named."""

    targets: Sequence[Target]
    names: frozenset[str] = frozenset()

    def includes(self, target: Target, names: Iterable[str]) -> bool:
        """Whether a site of one of the targets is chosen, by any of its names."""
        return not self.names or not self.names.isdisjoint((target.name, *names))

    def asked_of(self, target: Target) -> list[str]:
        """The sites of a target that are chosen by their own names; none if all of them are."""
        whole = not self.names or target.name in self.names
        return [] if whole else sorted(name for name in self.names if may_have(target, name))


def chosen(settings: Settings, names: Sequence[str]) -> Choice:
    """What these names choose, each the name of a target or of one region of it; everything if there are none.

    Raises UsageError for a name that nothing can have. Whether there is such a region is known only after signing in.
    """
    exact = {target.name: [target] for target in settings.targets}
    found = {name: exact.get(name) or [one for one in settings.targets if may_have(one, name)] for name in names}
    unknown = [name or '""' for name, targets in found.items() if not targets]
    if unknown:
        raise UsageError(f"no target named {', '.join(unknown)}; there is {', '.join(exact)}")
    meant = [target for target in settings.targets if not names or any(target in some for some in found.values())]
    return Choice(meant, frozenset(names))


def sites_of(
    settings: Settings,
    choice: Choice,
    *,
    clock: Clock = utc_now,
    stop: Stop | None = None,
    http_transport: "httpx.BaseTransport | None" = None,
    known: Sequence[str] = (),
) -> list[Site]:
    """The sites of a choice, in its order, once all targets are signed in whose regions a catalogue lists.

    An `http_transport` replaces sockets for all requests. `known` are the names of the sites with a history, the latest
    first: where several regions list one image service, its site keeps the name that it had.

    An identity service that gives no token, and a catalogue without images, make a site that cannot be connected.
    Raises ConfigurationError with every problem: regions that do not exist, sites that would have the same name, and
    targets that are one and the same.
    """
    surroundings = Surroundings(clock, stop, http_transport, settings.max_images)
    accounts = signed_in(settings, choice.targets, surroundings)
    sites: dict[str, Place] = {}
    projects: dict[str, list[str]] = {}
    places: dict[tuple[str, str], Target] = {}
    target_of = {target.name: target.name for target in settings.targets}
    with collecting(settings) as attempt:
        for target in choice.targets:
            with attempt(target):
                found = _places_of(target, accounts[target.name], choice)
                taken = [*sites, *(other.name for other in settings.targets if other is not target)]
                _check_free([name for one in found for name in one.names], taken)
                _check_apart(target, found, places)
                for one in found:
                    name = _name(one.names, known)
                    if one.project is not None:
                        projects.setdefault(one.project, []).append(name)
                    if choice.includes(target, one.names):
                        sites[name] = one
                        target_of[name] = target.name
    for name in known:
        if name not in target_of and (other := next((t for t in settings.targets if may_have(t, name)), None)):
            target_of[name] = other.name
    traits = _traits(settings, sites, target_of)
    return [
        Site(
            name,
            partial(found.connect, surroundings),
            also_named=tuple(other for other in found.names if other != name),
            project=found.project,
            siblings=(siblings := tuple(other for other in projects.get(found.project or "", ()) if other != name)),
            elsewhere=(elsewhere := _of_others(target_of, name).difference(siblings)),
            alike=alike(name, traits, elsewhere),
        )
        for name, found in sites.items()
    ]


def _of_others(target_of: Mapping[str, str], name: str) -> frozenset[str]:
    """The names that are not of the same target as this one."""
    return frozenset(other for other, target in target_of.items() if target != target_of[name])


def _traits(settings: Settings, sites: Mapping[str, Place], target_of: Mapping[str, str]) -> dict[str, Traits]:
    """What is known of each site and of the targets that do not sign in, by their names.

    The name of a target in every region is left out where the names of its sites are known.
    """
    targets = {target.name: target for target in settings.targets}
    divided = {target for name, target in target_of.items() if name != target and targets[target].is_in_every_region}
    return {
        name: traits_of(targets[target], sites[name].project if name in sites else None)
        for name, target in target_of.items()
        if name not in divided
    }


def _name(names: Sequence[str], known: Sequence[str]) -> str:
    """Which of its names a site has: the one with the latest history, or else the first."""
    return next((name for name in known if name in names), min(names))


def _places_of(target: Target, account: Account | CloudError, choice: Choice) -> list[Place]:
    """The places of a target. Raises UsageError for a region that does not exist."""
    if isinstance(account, CloudError):
        return [Place((name,), partial(_fail, account)) for name in choice.asked_of(target) or [target.name]]
    found = account.places()
    names = {name for one in found for name in one.names}
    for name in choice.asked_of(target):
        if name not in names:
            raise UsageError(account.no_place(name))
    return found


def _check_apart(target: Target, found: Iterable[Place], places: dict[tuple[str, str], Target]) -> None:
    """Raises UsageError for a target that is another one under another name, and notes its places."""
    for one in found:
        other = places.setdefault(one.unique, target) if one.unique is not None else target
        if other is not target:
            raise UsageError(
                f"is the same project and image service as target {other.name} "
                f"({one.unique[1] if one.unique else ''}): every image would be decided on twice; "
                "keep one of the two, which reads what uses images in all their regions"
            )


def _check_free(names: Collection[str], taken: Collection[str]) -> None:
    for name in names:
        if name in taken:
            raise UsageError(f"there would be two targets named {name}: give one of them another name")


def _fail(error: CloudError, _surroundings: Surroundings) -> ImageService:
    raise error
