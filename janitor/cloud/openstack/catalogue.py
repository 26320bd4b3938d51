"""What a cloud's catalogue says about its services: where images are, and every service that can use the images there.

Sites are told apart by the URL of their image service, not by the name of a region: two regions may list one image
service, and services of a region without one use another region's.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from janitor.cloud.openstack.service_types import TYPES, Listed, Service, folded_type
from janitor.cloud.openstack.urls import normalised, split, unusable, version_at_end
from janitor.errors import CloudError


class NotOffered(CloudError):
    """The catalogue has no such service there."""


@dataclass(frozen=True, slots=True)
class EndpointPreferences:
    """What a cloud's configuration says about one service: the interfaces to use, best first, or a URL instead."""

    interfaces: tuple[str, ...] = ("public",)
    url: str | None = None


@dataclass(frozen=True, slots=True)
class ImagePlace:
    """One image service, and the regions that list it; `everywhere` is one whose URL a person has configured.

    `problem` says why the token must not be sent there.
    """

    url: str
    regions: tuple[str | None, ...]
    everywhere: bool = False
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A service that can use the images of a place, and its URL.

    `note` says what is unusual about that; `problem` says why it cannot be asked. `replaced`: the configuration gives
    another URL instead, so it need not be asked.
    """

    service: Service
    type: str
    region: str | None
    url: str
    note: str | None = None
    problem: str | None = None
    replaced: bool = False

    @property
    def path(self) -> str:
        """The path of its URL, as shown to people."""
        parts = split(self.url)
        return (parts.path if parts is not None else "") or "/"


_USUAL = EndpointPreferences()


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A catalogue for one project, and how to ask its services by this cloud's configuration.

    `unasked` are further services of it that may use images and cannot be asked. `secure`: the sign-in was encrypted,
    so that a token is never sent to a URL that is not.
    """

    listed: tuple[Listed, ...] = ()
    preferences: Mapping[Service, EndpointPreferences] = field(default_factory=dict)
    project: str = ""
    unasked: tuple[str, ...] = ()
    secure: bool = False

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions that have any service at all, in the order of the catalogue."""
        return tuple(dict.fromkeys(one.region for one in self.listed if one.region is not None))

    @property
    def image_regions(self) -> tuple[str, ...]:
        """The regions that have an image service, in the order of the catalogue; none where its URL is configured."""
        places = (region for place in self.image_places() for region in place.regions)
        return tuple(dict.fromkeys(region for region in places if region is not None))

    def image_places(self) -> list[ImagePlace]:
        """The image services, told apart by their URLs, each with the regions that list it."""
        url = self._preferences(Service.IMAGE).url
        if url is not None:
            return [ImagePlace(url, (), everywhere=True)]
        found: dict[str, list[Listed]] = {}
        for one in self._wanted_images():
            found.setdefault(self._normalised(one.url), []).append(one)
        return [
            ImagePlace(
                ones[0].url,
                tuple(dict.fromkeys(one.region for one in ones)),
                problem=unusable(ones[0].url, secure=self.secure),
            )
            for ones in found.values()
        ]

    def normalised(self, place: ImagePlace) -> str:
        """The URL of a place as places are told apart by it."""
        return self._normalised(place.url)

    def beside(self, place: ImagePlace) -> list[ImagePlace]:
        """The other image services that can be asked."""
        url = self.normalised(place)
        return [one for one in self.image_places() if self.normalised(one) != url and one.problem is None]

    def using(self, service: Service, place: ImagePlace, region: str | None) -> list[Endpoint]:
        """Every endpoint of a service that may use the images of a place, also those that cannot be asked.

        These are those of its regions, those without a region, and those of every region that has no image service of
        its own, or this one. `region` is the configured one, whose services a configured URL replaces.
        """
        own = place.regions or (region,)
        listed = [one for one in self.listed if one.service is service and self._reaches(one.region, place)]
        url = self._preferences(service).url
        if url is None:
            return list(self._asked(listed, place))
        configured = Endpoint(service, service.value, region, url)
        besides = (one for one in self._asked(listed, place) if self._normalised(one.url) != self._normalised(url))
        return [configured, *(_replaced(one) if one.region in (None, *own) else one for one in besides)]

    def _preferences(self, service: Service) -> EndpointPreferences:
        return self.preferences.get(service, _USUAL)

    def _wanted_images(self) -> Iterator[Listed]:
        interfaces = self._preferences(Service.IMAGE).interfaces
        images = [one for one in self.listed if one.service is Service.IMAGE and one.interface in interfaces]
        for region in dict.fromkeys(one.region for one in images):
            here = [one for one in images if one.region == region]
            usable = [one for one in here if unusable(one.url, secure=self.secure) is None] or here
            best = min((one.interface for one in usable), key=interfaces.index)
            yield from (one for one in usable if one.interface == best)

    def _reaches(self, region: str | None, place: ImagePlace) -> bool:
        """Whether services of a region may use the images of a place: unless it has an image service of its own."""
        if region is None or place.everywhere or region in place.regions:
            return True
        theirs = self._image_urls(region)
        return not theirs or not theirs.isdisjoint(self._urls_of(place))

    def _urls_of(self, place: ImagePlace) -> set[str]:
        return {self._normalised(place.url)}.union(*map(self._image_urls, place.regions))

    def _image_urls(self, region: str | None) -> set[str]:
        """The image services of a region by all of their interfaces."""
        images = (one for one in self.listed if one.service is Service.IMAGE and one.region == region)
        return {self._normalised(one.url) for one in images if unusable(one.url, secure=False) is None}

    def _normalised(self, url: str) -> str:
        return normalised(url, self.project)

    def _asked(self, listed: Iterable[Listed], place: ImagePlace) -> Iterator[Endpoint]:
        """The endpoints of services of one kind: each service once, with the best of its interfaces and versions."""
        services: dict[tuple[int, str | None], list[Listed]] = {}
        for one in listed:
            services.setdefault((one.entry, one.region), []).append(one)
        best: dict[str, Endpoint] = {}
        for ones in services.values():
            for endpoint in self._of_one_service(ones, place):
                key = self._normalised(endpoint.url)
                best[key] = max(best.get(key, endpoint), endpoint, key=self._merit)
        yield from best.values()

    def _of_one_service(self, ones: Sequence[Listed], place: ImagePlace) -> Iterator[Endpoint]:
        wanted = self._preferences(ones[0].service).interfaces
        secure = self.secure or place.url.startswith("https:")
        offered = list(dict.fromkeys(one.interface for one in ones))
        order = [*(word for word in wanted if word in offered), *(word for word in offered if word not in wanted)]
        usable = {one.interface for one in ones if unusable(one.url, secure=secure) is None}
        best = next((word for word in order if word in usable), order[0])
        for one in (*_by(best, ones), *self._further(best, ones, offered)):
            problem = unusable(one.url, secure=secure)
            yield Endpoint(one.service, one.type, one.region, one.url, _note(one.interface, wanted), problem)

    def _further(self, best: str, ones: Sequence[Listed], interfaces: Iterable[str]) -> Iterator[Listed]:
        """The URLs of interfaces that have more of them than the best one: some belong to further services."""
        known = {self._normalised(one.url) for one in _by(best, ones)}
        for interface in interfaces:
            others = {self._normalised(one.url): one for one in _by(interface, ones)}
            if len(others) > len(known):
                yield from (one for url, one in others.items() if url not in known)

    def _merit(self, endpoint: Endpoint) -> tuple[bool, tuple[int, ...], int]:
        """Which of two endpoints of one service to ask: a usable one, of the newest version, with the better name.

        A version counts at the end only: what precedes it is the path of a gateway.
        """
        version = version_at_end(endpoint.path, self.project)
        numbers = tuple(int(number) for number in version[1].split(".")) if version else ()
        kinds = TYPES[endpoint.service]
        return endpoint.problem is None, numbers, -kinds.index(folded_type(endpoint.type))


def _by(interface: str, ones: Iterable[Listed]) -> list[Listed]:
    return [one for one in ones if one.interface == interface]


def _note(interface: str, wanted: Sequence[str]) -> str | None:
    """What is unusual about asking a service by this interface."""
    return None if interface in wanted else f"at its {interface} URL: it has no usable {wanted[0]} URL"


def _replaced(endpoint: Endpoint) -> Endpoint:
    return replace(endpoint, replaced=True, problem=None)
