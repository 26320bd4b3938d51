"""A realistic fleet of an OpenStack project from a seed: what v1.0 can list, and what only the Image API v2 has."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain

from janitor.sandbox.builds import builds
from janitor.sandbox.fleet import Fleet
from janitor.sandbox.launchers import Launchers, launch_templates, launchable
from janitor.sandbox.machines import machines
from janitor.sandbox.models import OURS, Mint, StoredImage, StoredInstance, StoredVolume
from janitor.sandbox.oddities import ODD_NAMES, golden, oddly_named, snapshots, uploads
from janitor.sandbox.openstack.launching import cluster_templates, clusters, stacks
from janitor.sandbox.openstack.oddities import (
    UNREADABLE_KINDS,
    community_images,
    exempt,
    hidden,
    in_three_parts,
    leaving,
    own_public,
    shared_by_us,
    shared_with_us,
    unreadable,
)
from janitor.sandbox.options import Options
from janitor.sandbox.vendor import vendor_images

_MOST_INSTANCES = 2000
_STATUSES = {"STOP": "SHUTOFF", "REBOOTING": "REBOOT"}
_GIB = 2**30


def make_fleet_of(
    options: Options, *, seed: int, now: datetime, first: bool = True, images: Sequence[StoredImage] | None = None
) -> Fleet:
    """The fleet of one region, the `first` or another; with these `images`, if it has none of its own."""
    return make_cloud_fleet(
        options.images,
        seed=seed,
        now=now,
        oddities=options.oddities,
        kernels=options.kernels,
        computes=options.computes if first else 1,
        given=images,
    )


def make_cloud_fleet(
    images: int,
    *,
    seed: int,
    now: datetime,
    oddities: bool = False,
    kernels: bool = False,
    computes: int = 1,
    given: Sequence[StoredImage] | None = None,
) -> Fleet:
    """A fleet of exactly that many images, including those that no list shows; ages count back from `now`.

    With `oddities` some of them carry values that cannot be read, with `kernels` some need a kernel and a ramdisk. The
    images are those `given`, if any are. Every compute service after the first has servers of its own.
    """
    mint = Mint(seed, now)
    made = tuple(_images(mint, images, oddities=oddities, kernels=kernels)) if given is None else ()
    stored = tuple(_based(mint, made)) if given is None else tuple(given)
    instances = min(_MOST_INSTANCES, -(-images * 3 // 20))
    servers = tuple(_servers(mint, instances, stored))
    volumes = tuple(_volumes(mint, servers, stored))
    # From random sources of their own, so that the images, servers and volumes of a seed stay the same.
    more = (
        _elsewhere(Mint(f"compute service {compute} of {seed}", now), instances, stored, compute)
        for compute in range(1, computes)
    )
    launchers = _launchers(Mint(f"launchers of {seed}", now), stored)
    return Fleet(tuple(_cloned(stored, volumes)), (*servers, *chain.from_iterable(more)), volumes, launchers)


def _elsewhere(mint: Mint, servers: int, images: Sequence[StoredImage], compute: int) -> Iterator[StoredInstance]:
    """A few servers of another compute service, all from own images."""
    own = launchable(images)
    for server in _servers(mint, -(-servers // 5) if own else 0, images):
        image = mint.random.choice(own).id
        yield replace(server, name=f"compute{compute + 1}-{server.name}", image=image, compute=compute)


def _launchers(mint: Mint, images: Sequence[StoredImage]) -> Launchers:
    templates = tuple(cluster_templates(mint, images))
    made = tuple(clusters(mint, images, templates))
    return Launchers(made, templates, tuple(stacks(mint, images)), tuple(launch_templates(mint, images)))


def _images(mint: Mint, images: int, *, oddities: bool, kernels: bool) -> Iterator[StoredImage]:
    """Each kind in its share of the whole, some of them capped; the rest are builds."""
    kinds = (
        (vendor_images, min(60, images * 9 // 100)),
        (golden, min(40, images * 3 // 100)),
        (snapshots, images * 12 // 100),
        (leaving, images // 100),
        (oddly_named, min(len(ODD_NAMES), images * 8 // 100)),
        (own_public, min(20, images * 2 // 100)),
        (community_images, min(40, images * 2 // 100)),
        (shared_by_us, min(60, images * 5 // 100)),
        (shared_with_us, min(60, images * 3 // 100)),
        (hidden, min(40, images * 3 // 100)),
        (exempt, min(40, images * 3 // 100)),
        (in_three_parts, min(8, images * 4 // 100) if kernels else 0),
        (unreadable, min(UNREADABLE_KINDS, images * 6 // 100) if oddities else 0),
    )
    stuck = (
        ("queued", images * 3 // 100),
        ("saving", images // 100),
        ("uploading", images // 100),
        ("importing", images // 100),
        ("killed", images * 4 // 100),
    )
    for make, share in kinds:
        yield from make(mint, share)
    for status, share in stuck:
        yield from uploads(mint, share, status)
    for index, build in enumerate(builds(mint, images - sum(share for _, share in (*kinds, *stuck)))):
        # By default, Glance makes an image shared, with no members at first.
        yield replace(build, visibility="shared" if index % 2 else "private")


def _based(mint: Mint, images: Sequence[StoredImage]) -> Iterator[StoredImage]:
    """The images, where snapshots name their server, and the image from which that was made."""
    bases = [image for image in images if image.status == "active" and "image_type" not in image.properties]
    for image in images:
        if image.properties.get("image_type") == "snapshot" and image.owner == OURS:
            yield replace(image, properties={**image.properties, **_origin(mint, image, bases)})
        else:
            yield image


def _origin(mint: Mint, image: StoredImage, bases: Sequence[StoredImage]) -> Mapping[str, str]:
    """The properties that Nova sets on a snapshot. Its base is an older image; if there is none, one that is gone."""
    older = [base for base in bases if base.created_at < image.created_at]
    return {
        "base_image_ref": mint.random.choice(older).id if older else mint.identity(),
        "instance_uuid": mint.identity(),
        "image_location": "snapshot",
        "image_state": "available",
    }


def _servers(mint: Mint, servers: int, images: Sequence[StoredImage]) -> Iterator[StoredInstance]:
    """Servers with Nova's statuses; one in twelve is shelved, which keeps its image in use.

    One in four is in the second cell of its compute service.
    """
    usable = [image for image in images if image.owner == OURS or image.is_public]
    for index, server in enumerate(machines(mint, servers, usable)):
        status = "SHELVED_OFFLOADED" if index % 12 == 5 else _STATUSES.get(server.status, server.status)
        yield replace(server, status=status, cell=2 if index % 4 == 2 else 1)


def _volumes(mint: Mint, servers: Sequence[StoredInstance], images: Sequence[StoredImage]) -> Iterator[StoredVolume]:
    """The disk of each server that started from a volume, made from an image, and data volumes made from none."""
    made_of = [image for image in images if image.owner == OURS and image.status == "active" and image.size]
    for index, server in enumerate(servers):
        if not isinstance(server.image, str) or not server.image:
            yield _volume(mint, server, mint.random.choice(made_of) if made_of else None, "/dev/vda")
        elif index % 4 == 1:
            yield _volume(mint, server, None, "/dev/vdb")
    for _ in range(min(len(made_of), len(servers) // 10)):
        yield _volume(mint, None, mint.random.choice(made_of), "/dev/vda")


def _cloned(images: Sequence[StoredImage], volumes: Sequence[StoredVolume]) -> Iterator[StoredImage]:
    """The images; the store keeps some of those from which a volume was made, as a clone of their data is in use."""
    clones = {volume.image for place, volume in enumerate(volumes) if place % 3 == 0}
    for image in images:
        yield replace(image, held=True) if image.id in clones else image


def _volume(mint: Mint, server: StoredInstance | None, image: StoredImage | None, device: str) -> StoredVolume:
    return StoredVolume(
        id=mint.identity(),
        name=f"{server.name}-disk" if server else "spare-disk",
        status="in-use" if server else "available",
        size=server.root_gb if server else 20,
        created_at=server.created_at if server else mint.now - mint.between(timedelta(days=1), timedelta(days=300)),
        image=image.id if image else None,
        image_name=image.name if image else None,
        instance=server.id if server else None,
        device=device,
    )
