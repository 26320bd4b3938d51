"""What uses the images of an account, place by place: the truth of the sandbox, in the parts in which runs ask for it.

A place is what a run asks for users of images: one service of one region, or a text that people declare.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from janitor.core.usage import Source
from janitor.sandbox.account import Account
from janitor.sandbox.calls import Api
from janitor.sandbox.launchers import NO_LAUNCHERS, Launchers
from janitor.sandbox.request_log import Call
from janitor.sandbox.server import Sandbox
from janitor.sandbox.uses import Holding, uses
from tests.nights.ground import Broken
from tests.nights.texts import DOCUMENT, Texts

Use = tuple[str, str]
"""Who uses an image, in the words of the sandbox, and the id of the image."""

_SERVICES = {
    "compute": Source.SERVERS,
    "volume": Source.VOLUMES,
    "container-infra": Source.CLUSTERS,
    "orchestration": Source.STACKS,
}
_PATH = re.compile(rf"(?:/(RegionTwo))?/({'|'.join(_SERVICES)})(?:-([0-9]))?/")
_NAMES = {Source.VOLUMES: "cinderv3", Source.CLUSTERS: "magnum", Source.STACKS: "heat"}
_PART = "image "


@dataclass(frozen=True, order=True)
class Place:
    """One place; `number` counts the compute services of a region."""

    source: Source
    region: str = ""
    number: int = 0

    @property
    def name(self) -> str:
        """What the catalogue calls the service; nothing, where it has none."""
        if self.source is Source.SERVERS:
            return f"nova-{self.number + 1}" if self.number else "nova"
        return _NAMES.get(self.source, "")


class Truth:
    """What uses the images of an account. `accounts` are those of all regions that share its images.

    `texts` are what people declare; of undeclared launch templates there are none.
    """

    def __init__(self, sandbox: Sandbox, texts: Texts) -> None:
        options = sandbox.options
        shared = options.api is Api.OPENSTACK and options.shares_images
        self.main = sandbox.account
        self._texts = texts
        self.accounts = dict(sandbox.accounts) if shared else dict([next(iter(sandbox.accounts.items()))])
        self._templates = not options.kubernetes
        self._first = next(iter(self.accounts))
        offered = (
            (Source.VOLUMES, options.no_volumes),
            (Source.CLUSTERS, options.no_clusters),
            (Source.STACKS, options.no_stacks),
        )
        sources = [source for source, absent in offered if options.api is Api.OPENSTACK and not absent]
        self.places = [
            *(Place(Source.SERVERS, region) for region in self.accounts),
            *(Place(Source.SERVERS, self._first, number) for number in range(1, options.computes)),
            *(Place(source, region) for source in sources for region in self.accounts),
            *(Place(Source.REFERENCES, self._first, number) for number in texts.needs),
        ]

    def place_of(self, call: Call) -> Place | None:
        """Which place a call asks; None for one that is about something else."""
        if call.name == "read-reference":
            return Place(Source.REFERENCES, self._first, DOCUMENT)
        if call.name == "detail-instances":
            return Place(Source.SERVERS, self._first)
        found = _PATH.match(call.path)
        if found is None or call.name in ("discover", "unknown"):
            return None
        return Place(_SERVICES[found[2]], found[1] or self._first, int(found[3] or 1) - 1)

    def at(self, place: Place) -> set[Use]:
        """All uses of a place, as they are now."""
        return {use for use in self._uses([self._holding(place)]) if not use[0].startswith(_PART)}

    def needs(self) -> set[tuple[str, str]]:
        """Each image that needs another one to start, and that one."""
        return {(user.removeprefix(_PART), image) for user, image in self._uses([]) if user.startswith(_PART)}

    def all(self) -> set[Use]:
        """All uses of the account: those that the sandbox itself counts, and files. Raises where its count differs."""
        counted = {(user, image) for image, users in self.main.uses().items() for user in users}
        parts = {(f"{_PART}{whole}", part) for whole, part in self.needs()}
        if counted != parts.union(*(self.at(place) for place in self.places if not self.is_file(place))):
            raise Broken("the sandbox counts other uses than its places have")
        return counted.union(*(self.at(place) for place in self.places if self.is_file(place)))

    def ended(self, place: Place) -> set[str]:
        """The servers of a place that are known there as deleted, as users of images."""
        gone = self.accounts[place.region].ended.values() if place.source is Source.SERVERS else ()
        return {f"server {server.name}" for server in gone if server.compute == place.number}

    def servers(self, place: Place) -> int:
        """How many servers a place has."""
        return sum(one.compute == place.number for one in self.accounts[place.region].instances.values())

    def _uses(self, holdings: list[Holding]) -> Iterator[Use]:
        for image, users in uses(self.main.images.values(), holdings).items():
            yield from ((user, image) for user in users)

    def _holding(self, place: Place) -> Holding:
        account = self.accounts[place.region]
        match place.source:
            case Source.SERVERS:
                servers = [one for one in account.instances.values() if one.compute == place.number]
                return Holding(servers, (), NO_LAUNCHERS)
            case Source.VOLUMES:
                return Holding((), account.volumes.values(), NO_LAUNCHERS)
            case Source.REFERENCES if self.is_file(place):
                return Holding((), (), Launchers(launch_templates=self._texts.words(place.number)))
            case _:
                return Holding((), (), self._launchers(account, place.source))

    def _launchers(self, account: Account, source: Source) -> Launchers:
        match source:
            case Source.CLUSTERS:
                templates = tuple(account.cluster_templates.values()) if self._templates else ()
                return Launchers(tuple(account.clusters.values()), templates)
            case Source.STACKS:
                return Launchers(stacks=tuple(account.stacks.values()))
            case _:
                return Launchers(launch_templates=tuple(account.launch_templates.items()))

    def is_file(self, place: Place) -> bool:
        """Whether a place is read without a call."""
        return place.source is Source.REFERENCES and place.number != DOCUMENT

    def is_readable(self, place: Place) -> bool:
        """Whether files can be read now."""
        return self._texts.is_readable(place.number)


def images_of(found: set[Use]) -> set[str]:
    """The images that are used."""
    return {image for _, image in found}
