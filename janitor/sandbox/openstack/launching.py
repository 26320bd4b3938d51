"""The clusters and stacks of a project from a seed: few of each kind, all with images that exist."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from janitor.sandbox.launchers import (
    StoredCluster,
    StoredClusterTemplate,
    StoredNodeGroup,
    StoredStack,
    launchable,
    named_plainly,
)
from janitor.sandbox.models import Mint, StoredImage

_CLUSTERS = ("prod", "staging", "batch", "gpu")
# The name of a node group, and how many nodes it has now, at least and at most.
_GROUPS = (("default-worker", 3, 1, 6), ("burst", 0, 0, 20), ("gpu-pool", 1, 0, 4))
_STACKS = ("web-tier", "api-tier", "queue-workers", "bastion", "reporting", "load-test")


def cluster_templates(mint: Mint, images: Sequence[StoredImage]) -> Iterator[StoredClusterTemplate]:
    """Two cluster templates; the first names its image by id, the second by name."""
    own = launchable(images)
    plain = [image for image in own if named_plainly(image)]
    if own:
        yield StoredClusterTemplate(mint.identity(), "k8s-by-id", mint.random.choice(own).id, _made(mint))
    if plain:
        yield StoredClusterTemplate(mint.identity(), "k8s-by-name", mint.random.choice(plain).name or "", _made(mint))


def clusters(
    mint: Mint, images: Sequence[StoredImage], templates: Sequence[StoredClusterTemplate]
) -> Iterator[StoredCluster]:
    """Clusters of several node groups each: some have no nodes now, and for some the list omits the image."""
    own = launchable(images)
    if not own or not templates:
        return
    for index, name in enumerate(_CLUSTERS):
        made = [_group(mint, mint.random.choice(own), place) for place in range(1 + index % len(_GROUPS))]
        groups = tuple(replace(group, unlisted_image=(index + place) % 3 == 2) for place, group in enumerate(made))
        template = templates[index % len(templates)]
        yield StoredCluster(mint.identity(), name, template.id, groups, _made(mint))


def _group(mint: Mint, image: StoredImage, place: int) -> StoredNodeGroup:
    name, nodes, least, most = _GROUPS[place]
    return StoredNodeGroup(mint.identity(), name, image.id, nodes, least, most)


def stacks(mint: Mint, images: Sequence[StoredImage]) -> Iterator[StoredStack]:
    """Stacks that name images in parameters and templates, by id and by name; one is nested in the first."""
    own = launchable(images)
    plain = [image for image in own if named_plainly(image)]
    if not own or not plain:
        return
    made = []
    for index, name in enumerate(_STACKS):
        word = mint.random.choice(own).id if index % 2 == 0 else mint.random.choice(plain).name or ""
        made.append(_stack(mint, name, word, in_template=index % 4 > 1))
        if index % 3 == 1:
            made[-1] = replace(made[-1], updated_at=mint.now - timedelta(days=1), status="UPDATE_COMPLETE")
    yield from made
    nested = _stack(mint, f"{made[0].name}-servers-x2f7", mint.random.choice(own).id, in_template=True)
    yield replace(nested, parent=made[0].id)


def _stack(mint: Mint, name: str, image: str, *, in_template: bool) -> StoredStack:
    parameters = {"flavor": "m2.c2m4", **({} if in_template else {"image": image})}
    template = {
        "heat_template_version": "2018-08-31",
        "description": f"servers of {name}",
        "parameters": {key: {"type": "string"} for key in parameters},
        "resources": {
            "server": {
                "type": "OS::Nova::Server",
                "properties": {
                    "image": image if in_template else {"get_param": "image"},
                    "flavor": {"get_param": "flavor"},
                },
            }
        },
    }
    return StoredStack(mint.identity(), name, _made(mint), parameters, template)


def _made(mint: Mint) -> datetime:
    return mint.now - mint.between(timedelta(days=2), timedelta(days=500))
