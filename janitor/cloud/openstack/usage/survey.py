"""The usage of the images at one place: which endpoints are asked for it, and how each of them is read."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from janitor.cloud.common.records import Users, image_of_server
from janitor.cloud.common.session import Session
from janitor.cloud.openstack.catalogue import Endpoint, ImagePlace
from janitor.cloud.openstack.keystone import Grant
from janitor.cloud.openstack.service_types import KUBERNETES, Service, folded_type
from janitor.cloud.openstack.urls import versioned
from janitor.cloud.openstack.usage.clusters import VERSION, Clusters
from janitor.cloud.openstack.usage.gathering import Gathering, Task
from janitor.cloud.openstack.usage.servers import LABEL, deleted_of, left_out_by, read_servers, used_by_servers
from janitor.cloud.openstack.usage.services import ServiceLists
from janitor.cloud.openstack.usage.snapshots import used_by_snapshots
from janitor.cloud.openstack.usage.stacks import Stacks
from janitor.cloud.openstack.usage.volumes import used_by_volumes
from janitor.cloud.service import Sources
from janitor.core.image import Image
from janitor.core.names.image_ids import folded
from janitor.core.names.image_names import ImageNames
from janitor.core.names.known_images import KnownImages
from janitor.core.usage import EarlierUsage, Reading, Source, StackContent, Usage
from janitor.errors import Unavailable
from janitor.transport import HttpOptions, path_segment

_USUAL_VERSIONS = {
    Service.COMPUTE: "v2.1",
    Service.VOLUME: "v3/{project}",
    Service.CLUSTERS: "v1",
    Service.STACKS: "v1/{project}",
}
_SERVICES = {
    Source.SERVERS: Service.COMPUTE,
    Source.VOLUMES: Service.VOLUME,
    Source.CLUSTERS: Service.CLUSTERS,
    Source.STACKS: Service.STACKS,
}


@dataclass(slots=True)
class _Seen:
    """What the readers of services saw besides users of images; each adds its part."""

    servers: set[str] = field(default_factory=set)
    incomplete: list[ServiceLists] = field(default_factory=list)
    stacks: dict[str, StackContent] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UsageSurvey:
    """Reads what uses the images of a place. `imageless`: servers without an image may leave the key `image` out."""

    session: Session
    granted: Grant
    place: ImagePlace
    region: str | None
    options: HttpOptions
    imageless: bool

    def usage(
        self, images: Sequence[Image], unidentified: Sequence[Image], sources: Sources, earlier: EarlierUsage
    ) -> Usage:
        """What uses which of these images, by every endpoint that may use them.

        `unidentified` are images whose id is unknown: they use others, but it cannot be found out what uses them.
        """
        seen, known = _Seen(), KnownImages(ImageNames(images))
        places = [
            (source, endpoint)
            for source, service in _SERVICES.items()
            for endpoint in self.granted.catalogue.using(service, self.place, self.region)
        ]
        count = Counter((source, endpoint.region) for source, endpoint in places)
        tasks = [
            Task(
                source,
                endpoint,
                self._reader(endpoint, images, known, earlier, seen),
                endpoint.path.replace(self.granted.project, "{project}"),
                alone=count[source, endpoint.region] == 1,
            )
            for source, endpoint in places
        ]
        tasks.append(Task(Source.SNAPSHOTS, None, partial(used_by_snapshots, (*images, *unidentified), known)))
        gathering = Gathering(sources, earlier)
        gathering.ask(tasks)
        ended = self._look_for_missing_servers(gathering, earlier, seen)
        usage = gathering.usage()
        return replace(usage, instances=len(seen.servers), ended=ended, stacks=self._stacks(usage, earlier, seen))

    @staticmethod
    def _look_for_missing_servers(gathering: Gathering, earlier: EarlierUsage, seen: _Seen) -> frozenset[str]:
        """Of the servers that possibly incomplete lists no longer show, those that are known to be deleted.

        One that still exists proves that a list is incomplete; then servers count as unread.
        """
        missing = {server: at for server, at in earlier.servers.items() if folded(server) not in seen.servers}
        ended = frozenset[str]().union(*(deleted_of(lists, missing) for lists in seen.incomplete))
        unexplained = {server: at for server, at in missing.items() if server not in ended}
        for lists in seen.incomplete if unexplained else ():
            server = left_out_by(lists, unexplained)
            if server is not None:
                error = Unavailable(f"{LABEL}: the list omits server {server}, which exists")
                gathering.fail(Source.SERVERS, Source.SERVERS.value, error, Reading(Source.SERVERS))
        return ended

    @staticmethod
    def _stacks(usage: Usage, earlier: EarlierUsage, seen: _Seen) -> dict[str, StackContent]:
        """What stacks said when last read: also those that could not be listed this time."""
        readings = [reading for reading in usage.readings if reading.source is Source.STACKS]
        whole = all(reading.problem is None for reading in readings)
        return seen.stacks if whole else {**earlier.stacks, **seen.stacks}

    def _reader(
        self, endpoint: Endpoint, images: Sequence[Image], known: KnownImages, earlier: EarlierUsage, seen: _Seen
    ) -> Callable[[], Users]:
        readers: dict[Service, Callable[[], Users]] = {
            Service.COMPUTE: lambda: self._by_servers(self._lists(endpoint), images, known, seen),
            Service.VOLUME: lambda: used_by_volumes(self._lists(endpoint).entries("/volumes/detail", "volumes"), known),
            Service.CLUSTERS: lambda: self._by_clusters(self._lists(endpoint), known.names, endpoint),
            Service.STACKS: lambda: self._by_stacks(self._lists(endpoint), known.names, earlier, seen),
        }
        return readers[endpoint.service]

    def _by_servers(self, lists: ServiceLists, images: Sequence[Image], known: KnownImages, seen: _Seen) -> Users:
        found = read_servers(lists)
        image_of = partial(image_of_server, imageless=self.imageless, label=LABEL)
        users = used_by_servers(found.entries, images, known, image_of)
        seen.servers |= {folded(str(server["id"])) for server in found.entries}
        if not found.complete:
            seen.incomplete.append(lists)
        return users

    def _by_clusters(self, lists: ServiceLists, names: ImageNames, endpoint: Endpoint) -> Users:
        templates = folded_type(endpoint.type) != KUBERNETES
        return Clusters(replace(lists, headers=VERSION), names, templates).used()

    def _by_stacks(self, lists: ServiceLists, names: ImageNames, earlier: EarlierUsage, seen: _Seen) -> Users:
        stacks = Stacks(lists, names, earlier.stacks)
        users = stacks.used()
        seen.stacks |= stacks.contents
        return users

    def _lists(self, endpoint: Endpoint) -> ServiceLists:
        project = self.granted.project
        usual = _USUAL_VERSIONS[endpoint.service].format(project=path_segment(project))
        return ServiceLists(self.session, versioned(endpoint.url, usual, project), self.options.page_size)
