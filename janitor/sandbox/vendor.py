"""The vendor's public images, which every account lists and none may delete."""

from collections.abc import Iterator
from datetime import timedelta

from janitor.sandbox.models import Mint, StoredImage

VENDOR = "0d4a6f0e2b7c4c1d9a3f8e5b61c7d290"
_GIB = 2**30

# name without its release date, os_distro, os_version, login user, size in GiB
_SYSTEMS = (
    ("Ubuntu Server 24.04 LTS", "ubuntu", "Server 24.04 LTS", "ubuntu", 2.5),
    ("Ubuntu Server 22.04 LTS", "ubuntu", "Server 22.04 LTS", "ubuntu", 2.2),
    ("Ubuntu Server 20.04 LTS", "ubuntu", "Server 20.04 LTS", "ubuntu", 2.0),
    ("CentOS 7.9", "centos", "7.9", "centos", 1.4),
    ("CentOS 6.10", "centos", "6.10", "centos", 1.1),
    ("Rocky Linux 9.4", "rocky", "9.4", "rocky", 1.8),
    ("Rocky Linux 8.10", "rocky", "8.10", "rocky", 1.7),
    ("Debian 12 Bookworm", "debian", "12", "debian", 1.3),
    ("Debian 11 Bullseye", "debian", "11", "debian", 1.2),
    ("Windows Server 2022 STD", "windows", "2022 STD", "Administrator", 18.5),
    ("Windows Server 2019 STD (한국어)", "windows", "2019 STD", "Administrator", 17.2),
    ("Windows Server 2016 STD (中文)", "windows", "2016 STD", "Administrator", 16.8),
)


def vendor_images(mint: Mint, images: int) -> Iterator[StoredImage]:
    """That many public images, one release after the other for each system."""
    for index in range(images):
        release, system = divmod(index, len(_SYSTEMS))
        age = timedelta(days=40 + 120 * release) + mint.between(timedelta(), timedelta(days=60))
        yield _release(mint, _SYSTEMS[system], age)


def _release(mint: Mint, system: tuple[str, str, str, str, float], age: timedelta) -> StoredImage:
    name, distro, version, login, gib = system
    windows = distro == "windows"
    return mint.image(
        f"{name} ({(mint.now - age):%Y.%m.%d})",
        age,
        int(gib * _GIB) + mint.random.randrange(2**28),
        visibility="public",
        owner=VENDOR,
        protected=True,
        disk_format="vhd" if windows else "qcow2",
        min_disk=50 if windows else 20,
        properties={
            "os_distro": distro,
            "os_version": version,
            "os_type": "windows" if windows else "linux",
            "os_architecture": "amd64",
            "hypervisor_type": "kvm",
            "login_username": login,
        },
    )
