"""The part of an account that uses images as they are: its instances and volumes."""

import uuid
from dataclasses import replace
from typing import Any

from janitor.sandbox.automation import Automation
from janitor.sandbox.fleet import Fleet
from janitor.sandbox.models import StoredInstance, StoredVolume


class Instances(Automation):
    """Changed by people, tests and simulations, like Automation; the API reads it."""

    def __init__(self, fleet: Fleet) -> None:
        super().__init__(fleet.launchers)
        self._instances = {instance.id: instance for instance in fleet.instances}
        self._volumes = {volume.id: volume for volume in fleet.volumes}
        self._ended: dict[str, StoredInstance] = {}

    @property
    def instances(self) -> dict[str, StoredInstance]:
        """The instances by id, as they are now."""
        with self.lock:
            return dict(self._instances)

    @property
    def volumes(self) -> dict[str, StoredVolume]:
        """The volumes by id, as they are now."""
        with self.lock:
            return dict(self._volumes)

    def put_instance(self, instance: StoredInstance) -> None:
        """Add an instance, or put it in place of the one with its id."""
        with self.lock:
            self._instances[instance.id] = instance

    def change_instance(self, instance_id: str, **changes: Any) -> StoredInstance:
        """Change fields of an instance. Raises KeyError if it does not exist."""
        with self.lock:
            changed = replace(self._instances[instance_id], **changes)
            self._instances[instance_id] = changed
            return changed

    def remove_instance(self, instance_id: str) -> None:
        """Remove an instance. Raises KeyError if it does not exist."""
        with self.lock:
            del self._instances[instance_id]

    def boot_server(self, template: StoredInstance, **changes: Any) -> StoredInstance:
        """A new server like that one, except for its id, its times and the changes."""
        with self.lock:
            now = self.clock()
            fresh = {"id": str(uuid.uuid4()), "created_at": now, "launched_at": now, "updated_at": now}
            server = replace(template, **{**fresh, **changes})
            self.put_instance(server)
            return server

    def rebuild_server(self, instance_id: str, image: str) -> StoredInstance:
        """Rebuild a server from another image. Raises KeyError if it does not exist."""
        return self.change_instance(instance_id, image=image, updated_at=self.clock())

    def delete_server(self, instance_id: str) -> StoredInstance:
        """Delete a server, which is remembered as deleted. Raises KeyError if it does not exist."""
        with self.lock:
            ended = replace(self._instances.pop(instance_id), status="DELETED", updated_at=self.clock())
            self._ended[instance_id] = ended
            return ended

    @property
    def ended(self) -> dict[str, StoredInstance]:
        """The servers that are remembered as deleted, by id."""
        with self.lock:
            return dict(self._ended)

    def put_volume(self, volume: StoredVolume) -> None:
        """Add a volume, or put it in place of the one with its id."""
        with self.lock:
            self._volumes[volume.id] = volume

    def remove_volume(self, volume_id: str) -> None:
        """Remove a volume. Raises KeyError if it does not exist."""
        with self.lock:
            del self._volumes[volume_id]
