"""The part of an account that launches servers by itself: clusters, stacks, and a document of launch templates."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from janitor.sandbox.launchers import Launchers, StoredCluster, StoredClusterTemplate, StoredNodeGroup, StoredStack


class Automation:
    """Changed by people, tests and simulations only; the API reads it. It returns copies by id.

    Every method may be called from any thread, and raises KeyError for what does not exist.
    """

    lock: threading.RLock
    clock: Callable[[], datetime]

    def __init__(self, launchers: Launchers) -> None:
        self._clusters = {cluster.id: cluster for cluster in launchers.clusters}
        self._cluster_templates = {template.id: template for template in launchers.cluster_templates}
        self._stacks = {stack.id: stack for stack in launchers.stacks}
        self._launch_templates = dict(launchers.launch_templates)

    @property
    def clusters(self) -> dict[str, StoredCluster]:
        """The clusters by id, oldest entry first."""
        with self.lock:
            return dict(self._clusters)

    @property
    def cluster_templates(self) -> dict[str, StoredClusterTemplate]:
        """The cluster templates by id."""
        with self.lock:
            return dict(self._cluster_templates)

    @property
    def stacks(self) -> dict[str, StoredStack]:
        """The stacks by id, nested ones too."""
        with self.lock:
            return dict(self._stacks)

    @property
    def launch_templates(self) -> dict[str, str]:
        """The launch templates by name, each with the id or the name of its image."""
        with self.lock:
            return dict(self._launch_templates)

    def put_cluster(self, cluster: StoredCluster) -> None:
        """Add a cluster, or put it in place of the one with its id."""
        with self.lock:
            self._clusters[cluster.id] = cluster

    def delete_cluster(self, cluster_id: str) -> None:
        """Remove a cluster, with its node groups."""
        with self.lock:
            del self._clusters[cluster_id]

    def put_node_group(self, cluster_id: str, group: StoredNodeGroup) -> None:
        """Add a node group to a cluster, or put it in place of the one with its id."""
        with self.lock:
            cluster = self._clusters[cluster_id]
            groups = {**{known.id: known for known in cluster.groups}, group.id: group}
            self._clusters[cluster_id] = replace(cluster, groups=tuple(groups.values()))

    def scale_node_group(self, cluster_id: str, group_id: str, nodes: int) -> StoredNodeGroup:
        """Set the number of nodes of a node group; it may be zero."""
        with self.lock:
            known = {group.id: group for group in self._clusters[cluster_id].groups}
            scaled = replace(known[group_id], nodes=nodes)
            self.put_node_group(cluster_id, scaled)
            return scaled

    def remove_node_group(self, cluster_id: str, group_id: str) -> None:
        """Remove a node group."""
        with self.lock:
            cluster = self._clusters[cluster_id]
            if group_id not in {group.id for group in cluster.groups}:
                raise KeyError(group_id)
            kept = tuple(group for group in cluster.groups if group.id != group_id)
            self._clusters[cluster_id] = replace(cluster, groups=kept)

    def put_cluster_template(self, template: StoredClusterTemplate) -> None:
        """Add a cluster template, or put it in place of the one with its id."""
        with self.lock:
            self._cluster_templates[template.id] = template

    def remove_cluster_template(self, template_id: str) -> None:
        """Remove a cluster template."""
        with self.lock:
            del self._cluster_templates[template_id]

    def put_stack(self, stack: StoredStack) -> None:
        """Add a stack, or put it in place of the one with its id."""
        with self.lock:
            self._stacks[stack.id] = stack

    def update_stack(self, stack_id: str, **changes: Any) -> StoredStack:
        """Change parameters or the template of a stack, now."""
        with self.lock:
            now = {"updated_at": self.clock(), "status": "UPDATE_COMPLETE"}
            changed = replace(self._stacks[stack_id], **{**now, **changes})
            self._stacks[stack_id] = changed
            return changed

    def delete_stack(self, stack_id: str) -> None:
        """Remove a stack, with all that are nested in it."""
        with self.lock:
            del self._stacks[stack_id]
            for nested in [stack.id for stack in self._stacks.values() if stack.parent == stack_id]:
                self.delete_stack(nested)

    def put_launch_template(self, name: str, image: str) -> None:
        """Let a launch template, new or existing, name that image by its id or its name."""
        with self.lock:
            self._launch_templates[name] = image

    def remove_launch_template(self, name: str) -> None:
        """Remove a launch template from the document."""
        with self.lock:
            del self._launch_templates[name]
