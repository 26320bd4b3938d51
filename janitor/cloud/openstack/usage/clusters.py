"""The clusters of one container service: the images of their node groups, and of cluster templates.

Sources: the reference of Magnum's API, and NHN Cloud's page on its Kubernetes API, which has no templates. A node group
without nodes counts: an autoscaler will create some from the image.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from janitor.cloud.common import wire
from janitor.cloud.common.answers import Declined
from janitor.cloud.common.at_once import at_once
from janitor.cloud.common.records import Entry, Users, under_other_names
from janitor.cloud.openstack.usage.services import ServiceLists, text_of
from janitor.core.names.image_ids import ImageId, unidentified
from janitor.core.names.image_names import ImageNames
from janitor.core.names.known_images import says_nothing
from janitor.core.usage import User, UserKind
from janitor.errors import Unavailable
from janitor.transport import path_segment

VERSION = {"OpenStack-API-Version": "container-infra latest"}
_ABSENT = 404


@dataclass(slots=True)
class Clusters:
    """Reads one container service.

    `templates`: it has cluster templates, and it is an error if there is no list of them.

    Templates and node groups name images by id or by name.
    """

    lists: ServiceLists
    names: ImageNames
    templates: bool
    _image_of_template: Mapping[str, str] = field(default_factory=dict)
    _users: defaultdict[ImageId, list[User]] = field(default_factory=lambda: defaultdict(list))

    def used(self) -> Users:
        """What uses which image. Raises CloudError when any of it is in doubt."""
        templates = self._templates()
        self._image_of_template = {_id(one): text_of(one, "image_id") for one in templates}
        for template in templates:
            user = User(_id(template), _name(template), UserKind.CLUSTER_TEMPLATE)
            for image in (template.get("image_id"), *under_other_names(template, "image_id")):
                self._use(image, user)
        clusters = self.lists.entries("/clusters", "clusters", id_key="uuid")
        for found in at_once(lambda cluster: list(self._users_of(cluster)), clusters):
            for image, user in found:
                self._use(image, user)
        return dict(self._users)

    def _templates(self) -> list[Entry]:
        try:
            return self.lists.entries("/clustertemplates", "clustertemplates", id_key="uuid")
        except Declined as error:
            if error.code == _ABSENT and not self.templates:
                return []
            raise

    def _users_of(self, cluster: Entry) -> Iterator[tuple[object, User]]:
        """The images of a cluster and its node groups; where it names none, that of its template."""
        user = User(_id(cluster), _name(cluster), UserKind.CLUSTER)
        yield from ((image, user) for image in _images_of(cluster))
        groups = self._node_groups(cluster)
        for group in groups or ():
            yield from self._user_of(group, cluster)
        if groups or _images_of(cluster):
            return
        if self._shown(cluster, "GET /clusters/{id}", "clusters", _id(cluster)) is not None:
            yield self._template_image(cluster, f"cluster {_name(cluster)}"), user

    def _node_groups(self, cluster: Entry) -> list[Entry] | None:
        """The node groups of a cluster; None where they are not found: the cluster is gone, or the API is old."""
        try:
            path = f"/clusters/{path_segment(_id(cluster))}/nodegroups"
            return self.lists.entries(path, "nodegroups", id_key="uuid", label="GET /clusters/{id}/nodegroups")
        except Declined as error:
            if error.absent:
                return None
            raise

    def _user_of(self, group: Entry, cluster: Entry) -> Iterator[tuple[object, User]]:
        user = User(_id(group), f"{_name(group)} of cluster {_name(cluster)}", UserKind.NODE_GROUP)
        if images := _images_of(group):
            yield from ((image, user) for image in images)
            return
        path = ("clusters", _id(cluster), "nodegroups", _id(group))
        shown = self._shown(group, "GET /clusters/{id}/nodegroups/{id}", *path)
        if shown is not None and (images := _images_of(shown)):
            yield from ((image, user) for image in images)
        elif shown is not None:
            yield self._template_image(cluster, f"{user.kind} {user.name}"), user

    def _shown(self, entry: Entry, label: str, *path: str) -> Entry | None:
        """One entry of a list, read by itself; None if it is gone. Raises Unavailable for an answer about another."""
        shown = self.lists.document(label, *path)
        if shown is not None and shown.get("uuid") != entry["uuid"]:
            raise Unavailable(f"{label}: the answer is for another one, not {_name(entry)}")
        return shown

    def _template_image(self, cluster: Entry, what: str) -> str:
        """The image of a cluster's template. Raises Unavailable where it is unknown."""
        image = self._image_of_template.get(text_of(cluster, "cluster_template_id"))
        if not image:
            raise Unavailable(f"GET /clusters: the image of {what} is unknown")
        return image

    def _use(self, image: object, user: User) -> None:
        if not isinstance(image, str) or unidentified(image) or self._says_nothing(image):
            raise Unavailable(f"the image of {user.kind} {user.name} cannot be read: {wire.shown(image)}")
        for identity in self.names.meant_by(image):
            self._users[identity].append(user)

    def _says_nothing(self, image: str) -> bool:
        return says_nothing(image) and not self.names.is_called(image)


def _images_of(entry: Entry) -> list[object]:
    """The images that a cluster or node group names; empty where it names none itself."""
    said = entry.get("image_id")
    return [*(() if said in (None, "") else (said,)), *under_other_names(entry, "image_id")]


def _id(entry: Entry) -> str:
    return str(entry["uuid"])


def _name(entry: Entry) -> str:
    return text_of(entry, "name") or _id(entry)
