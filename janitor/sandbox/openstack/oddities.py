"""Images of an OpenStack project that v1.0 does not have: hidden, shared, tagged, or of other projects.

Most have the name of a family of builds, and are old: only their special state keeps them.
"""

from collections.abc import Iterator
from datetime import timedelta

from janitor.sandbox.models import MISSING, OURS, Mint, StoredImage

_GIB = 2**30
_PARTNER = "2e91b7c4f05d4b6c8a37d1f96e0c5a84"
_CUSTOMERS = (
    "7c40e9d1a2b84f35962dd80f1b3ea6c7",
    "b86f1d3e5a074c92ae40c7d95f2e1b03",
    "f3a95c08d7e14b2690bf6ed4712ac85e",
)
_MEMBERS: tuple[dict[str, str], ...] = (
    {_CUSTOMERS[0]: "accepted"},
    {_CUSTOMERS[1]: "pending"},
    {_CUSTOMERS[2]: "rejected"},
    {_CUSTOMERS[0]: "accepted", _CUSTOMERS[1]: "pending"},
    {},
)
_STANDINGS = ("accepted", "accepted", "pending", "rejected")
_KEEPING = (
    ("janitor-keep",),
    ("nightly", "janitor-keep-until=2099-12-31"),
    ("nightly", "janitor-keep-until=2020-01-31"),
    ("janitor-keep-until=the release",),
)


def _old(mint: Mint) -> timedelta:
    return mint.between(timedelta(days=120), timedelta(days=700))


def _size(mint: Mint) -> int:
    return mint.random.randrange(1 * _GIB, 12 * _GIB)


def leaving(mint: Mint, images: int) -> Iterator[StoredImage]:
    """Images whose deletion is pending in the store."""
    for index in range(images):
        yield mint.image(f"ci-web-{300 - index}", _old(mint), 3 * _GIB, status="pending_delete")


def own_public(mint: Mint, images: int) -> Iterator[StoredImage]:
    """Own images that everyone may use; the service would allow deleting them."""
    for index in range(images):
        yield mint.image(f"ci-api-{index + 101}", _old(mint), _size(mint), visibility="public")


def community_images(mint: Mint, images: int) -> Iterator[StoredImage]:
    """Community images, in turn our own and another project's, which lists show only on request."""
    for index in range(images):
        owner = _PARTNER if index % 2 else OURS
        yield mint.image(f"ci-api-{index + 201}", _old(mint), _size(mint), visibility="community", owner=owner)


def shared_by_us(mint: Mint, images: int) -> Iterator[StoredImage]:
    """Own images that are shared with others, who accepted, have not answered, or rejected them, or with nobody yet."""
    for index in range(images):
        members = _MEMBERS[index % len(_MEMBERS)]
        yield mint.image(f"bake-{index + 101}", _old(mint), _size(mint), visibility="shared", members=members)


def shared_with_us(mint: Mint, images: int) -> Iterator[StoredImage]:
    """Another project's images that are shared with us; lists show those that we accepted."""
    for index in range(images):
        members = {OURS: _STANDINGS[index % len(_STANDINGS)]}
        name = f"partner-{index + 1}"
        yield mint.image(name, _old(mint), _size(mint), visibility="shared", owner=_PARTNER, members=members)


def hidden(mint: Mint, images: int) -> Iterator[StoredImage]:
    """Own images out of service: hidden from lists except on request."""
    for index in range(images):
        yield mint.image(f"ci-web-{index + 101}", _old(mint), _size(mint), hidden=True, tags=("nightly",))


def exempt(mint: Mint, images: int) -> Iterator[StoredImage]:
    """Old builds that people tagged to be kept: forever, until a future, a past or an unreadable day."""
    for index in range(images):
        yield mint.image(f"nightly-worker-{index + 101}", _old(mint), _size(mint), tags=_KEEPING[index % len(_KEEPING)])


def in_three_parts(mint: Mint, images: int) -> Iterator[StoredImage]:
    """Images that boot with a kernel and a ramdisk, and these; the oldest ones and all kernels have long expired.

    Every fourth is a kernel that nothing needs.
    """
    for group in range(-(-images // 4)):
        kernel, ramdisk, spare = (
            mint.image(f"ci-uec-{group + 1}-{part}", _old(mint), 2**23, disk_format=disk_format)
            for part, disk_format in (("vmlinuz", "aki"), ("initrd", "ari"), ("spare-vmlinuz", "aki"))
        )
        needed = {"kernel_id": kernel.id, "ramdisk_id": ramdisk.id}
        age = _old(mint) if group % 2 else mint.between(timedelta(days=1), timedelta(days=3))
        whole = mint.image(f"ci-uec-{group + 1}", age, 2 * _GIB, disk_format="ami", properties=needed)
        yield from (kernel, ramdisk, whole, spare)[: images - 4 * group]


_UNREADABLE: tuple[tuple[str, dict[str, object]], ...] = (
    ("ci-odd-protected-1", {"protected": "maybe"}),
    ("ci-odd-visibility-2", {"visibility": MISSING}),
    ("ci-odd-visibility-3", {"visibility": "sideways"}),
    ("ci-odd-created-4", {"created_at": None}),
    ("ci-odd-created-5", {"created_at": "next Tuesday"}),
    ("ci-odd-created-6", {"created_at": "0001-01-01T00:00:00Z"}),
    ("ci-odd-status-7", {"status": "melting"}),
    ("ci-odd-status-8", {"status": None}),
    ("ci-odd-size-9", {"size": "huge"}),
    ("ci-odd-owner-10", {"owner": None}),
    ("ci-odd-owner-11", {"owner": MISSING}),
    ("ci-odd-hidden-12", {"os_hidden": "perhaps"}),
    ("ci-odd-tags-13", {"tags": "nightly"}),
    ("ci-odd-tags-14", {"tags": [None, 3, "nightly"]}),
    ("ci-odd-property-15", {"os_distro": ["ubuntu"], "count": 3}),
    ("ci-odd-name-16", {"name": {"en": "ci"}}),
    ("ci-odd-name-17", {"name": "ci-half-\ud83d-17"}),
    ("ci-odd-size-18", {"size": 10**30, "min_disk": -1, "min_ram": 0.5}),
)
UNREADABLE_KINDS = len(_UNREADABLE)


def unreadable(mint: Mint, images: int) -> Iterator[StoredImage]:
    """Old images, each with one value of its JSON out of the ordinary."""
    for index in range(images):
        name, wire = _UNREADABLE[index % UNREADABLE_KINDS]
        yield mint.image(name, timedelta(days=400 + index), 2 * _GIB, wire=wire)
