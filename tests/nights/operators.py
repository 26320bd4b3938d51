"""What people and their machines do to the users of images: by day, and during a run."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from uuid import UUID

from janitor.core.usage import Source
from janitor.sandbox.account import Account as Region
from janitor.sandbox.calls import Api
from janitor.sandbox.launchers import StoredCluster, StoredNodeGroup, StoredStack, launchable, named_plainly
from janitor.sandbox.models import StoredImage
from tests.nights.account import Account

_FLAVOR = "m2.c2m4"


@dataclass
class Operators:
    """Everybody who runs servers, clusters and stacks of the account's images, in all regions that have them."""

    draw: Random
    account: Account
    _made: int = 0

    def work(self) -> None:
        """What happens in a day."""
        while self.draw.random() < 0.5:
            self.act()

    def act(self) -> None:
        """One thing happens."""
        if launchable(list(self.account.mine.images.values())):
            self.draw.choice(self._acts)()

    @property
    def _acts(self) -> list[Callable[[], object]]:
        acts: list[Callable[[], object]] = [self.boot, self.rebuild, self.end_server]
        if self.account.texts.needs:
            acts += [self.change_file, self.change_file, self.move_launch_template]
        if self.account.api is not Api.OPENSTACK:
            return acts
        sources = {place.source for place in self.account.truth.places}
        acts += [self.scale, self.create_cluster, self.end_cluster] if Source.CLUSTERS in sources else []
        acts += [self.update_stack, self.update_stack, self.create_stack] if Source.STACKS in sources else []
        return acts

    # Servers.

    def boot(self) -> None:
        """A server is launched like another one, from another image."""
        region = self._region()
        if region.instances:
            like = self.draw.choice(list(region.instances.values()))
            region.boot_server(like, id=self._identity(), name=self._name("booted"), image=self._image().id)

    def rebuild(self) -> None:
        """A server is rebuilt from another image."""
        region = self._region()
        if region.instances:
            region.rebuild_server(self.draw.choice(list(region.instances)), self._image().id)

    def end_server(self) -> None:
        """A server is deleted; there are always some left."""
        region = self._region()
        if len(region.instances) > 3:
            region.delete_server(self.draw.choice(list(region.instances)))

    # Clusters.

    def scale(self) -> None:
        """A node group is scaled to nothing, or back."""
        region = self._region()
        if region.clusters:
            cluster = self.draw.choice(list(region.clusters.values()))
            group = self.draw.choice(cluster.groups)
            region.scale_node_group(cluster.id, group.id, 0 if group.nodes else self.draw.randint(1, 3))

    def create_cluster(self) -> None:
        """A cluster is created with an image that is named by its id, or by its name."""
        region = self._region()
        if region.cluster_templates and len(region.clusters) < 6:
            name = self._name("cluster")
            nodes, unlisted = self.draw.randint(0, 2), self.draw.random() < 0.5
            group = StoredNodeGroup(self._identity(), f"{name}-workers", self._word(), nodes, unlisted_image=unlisted)
            template = self.draw.choice(list(region.cluster_templates))
            region.put_cluster(StoredCluster(self._identity(), name, template, (group,), self.account.now))

    def end_cluster(self) -> None:
        """A cluster is deleted."""
        region = self._region()
        if region.clusters:
            region.delete_cluster(self.draw.choice(list(region.clusters)))

    # Stacks.

    def update_stack(self) -> None:
        """A stack is updated to another image, in a parameter or in its template."""
        region = self._region()
        if region.stacks:
            stack = self.draw.choice(list(region.stacks.values()))
            word = self._word()
            if self.draw.random() < 0.5:
                region.update_stack(stack.id, parameters={"flavor": _FLAVOR, "image": word})
            else:
                region.update_stack(stack.id, parameters={"flavor": _FLAVOR}, template=_template(word))

    def create_stack(self) -> None:
        """A stack is created; or one is deleted, with those that are nested in it."""
        region = self._region()
        if len(region.stacks) > 5:
            region.delete_stack(self.draw.choice(list(region.stacks)))
            return
        name, template = self._name("stack"), _template(self._word())
        region.put_stack(StoredStack(self._identity(), name, self.account.now, {"flavor": _FLAVOR}, template))

    # What is declared.

    def move_launch_template(self) -> None:
        """A launch template is moved to another image."""
        region = self.account.mine
        if region.launch_templates:
            region.put_launch_template(self.draw.choice(list(region.launch_templates)), self._word())

    def change_file(self) -> None:
        """A file is edited, moved, broken or repaired."""
        self.account.texts.change(self.draw, (self._word(), self._image().id))

    def _region(self) -> Region:
        return self.draw.choice(list(self.account.truth.accounts.values()))

    def _image(self) -> StoredImage:
        return self.draw.choice(launchable(list(self.account.mine.images.values())))

    def _word(self) -> str:
        """An image by its id, or by its name."""
        image = self._image()
        return (image.name or "") if named_plainly(image) and self.draw.random() < 0.4 else image.id

    def _identity(self) -> str:
        return str(UUID(int=self.draw.getrandbits(128), version=4))

    def _name(self, kind: str) -> str:
        self._made += 1
        return f"{kind}-{self._made}"


def _template(word: str) -> dict[str, object]:
    server = {"type": "OS::Nova::Server", "properties": {"image": word, "flavor": {"get_param": "flavor"}}}
    return {"heat_template_version": "2018-08-31", "resources": {"server": server}}
