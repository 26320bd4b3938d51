"""Families of nightly builds: dense in the last weeks, thinning out over two years, as people clean up by hand."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import count, product

from janitor.sandbox.models import Mint, StoredImage

SPAN_DAYS = 730
_FIRST_FAMILIES = ("ci-web", "ci-api", "bake", "ci-결제", "bake-gpu", "nightly-worker")
_PREFIXES = ("ci", "bake", "nightly")
_SERVICES = (
    "search",
    "auth",
    "정산",
    "orders",
    "gateway",
    "ledger",
    "媒体",
    "mail",
    "push",
    "batch",
    "admin",
    "report",
)
_SYSTEMS = (
    {"os_distro": "ubuntu", "os_version": "22.04", "login_username": "ubuntu"},
    {"os_distro": "ubuntu", "os_version": "24.04", "login_username": "ubuntu"},
    {"os_distro": "rocky", "os_version": "9.4", "login_username": "rocky"},
    {"os_distro": "debian", "os_version": "12", "login_username": "debian"},
)
_FAMILY_SIZE = 650
_MIB = 2**20


def builds(mint: Mint, images: int) -> Iterator[StoredImage]:
    """That many builds, in six families or as many as two years of nights need."""
    families = max(len(_FIRST_FAMILIES), -(-images // _FAMILY_SIZE))
    for position, name in zip(range(families), _family_names(), strict=False):
        share = images // families + (position < images % families)
        yield from _family(mint, name, position, share)


def _family_names() -> Iterator[str]:
    yield from _FIRST_FAMILIES
    for prefix, service in product(_PREFIXES, _SERVICES):
        yield f"{prefix}-{service}"
    for number in count(2):
        yield from (f"{prefix}-{service}{number}" for prefix, service in product(_PREFIXES, _SERVICES))


def _family(mint: Mint, name: str, position: int, images: int) -> Iterator[StoredImage]:
    number = 400 + mint.random.randrange(1600)
    size = mint.random.randrange(900, 14_000) * _MIB
    shared = {
        **_SYSTEMS[position % len(_SYSTEMS)],
        "os_type": "linux",
        "os_architecture": "amd64",
        "hypervisor_type": "kvm",
        "build_job": f"nightly/{name}",
    }
    stretch = mint.random.uniform(0.8, 1.0)
    for index in range(images):
        # A number is skipped now and then: builds fail, and people delete.
        number -= 1 + (mint.random.random() < 0.15)
        properties = {**shared, "build_number": str(number)}
        yield _build(mint, f"{name}-{number}", _age(mint, index, images) * stretch, size, properties)


def _age(mint: Mint, index: int, images: int) -> timedelta:
    """The age of the index-th newest: at least most of a night apart; the fewer images, the more of them recent."""
    place = (index + 0.6 * mint.random.random()) / images
    return timedelta(days=index + (SPAN_DAYS - images) * place**5, hours=2 + mint.random.random())


def _build(mint: Mint, name: str, age: timedelta, size: int, properties: dict[str, str]) -> StoredImage:
    old = age > timedelta(days=60)
    return mint.image(
        name,
        age,
        size + mint.random.randrange(200 * _MIB),
        status="deactivated" if old and mint.random.random() < 0.06 else "active",
        protected=old and mint.random.random() < 0.03,
        settled=mint.between(timedelta(minutes=2), timedelta(minutes=12)),
        properties=properties,
        tags=("nightly",),
    )
