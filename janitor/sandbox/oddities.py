"""Everything in an account that is not a scheduled build: snapshots, stuck uploads, golden and oddly named images."""

from collections.abc import Iterator
from datetime import timedelta

from janitor.sandbox.models import MISSING, Mint, StoredImage

_GIB = 2**30
_MIB = 2**20
_HOSTS = ("web-01", "web-02", "api-kr1", "db-master", "배치서버-03", "登录服务-02", "jenkins", "legacy-erp")
_OCCASIONS = ("before-upgrade", "backup", "업그레이드전", "迁移前", "snapshot", "do-not-delete")
_GOLDEN = ("golden-web", "golden-db", "golden-표준-리눅스", "golden-win2022", "golden-gpu", "ci-golden-base")
_UPLOADS = ("packer-upload", "ci-web-import", "가져오기-서버", "vmware-导入")

ODD_NAMES: tuple[str | None, ...] = (
    "<!channel> please read",
    "[bold red]not bold[/bold red]",
    "*stars* _and_ `ticks` ~too~",
    "웹서버 표준 이미지 (최종_진짜최종)",
    "测试镜像-登录服务-请勿删除",
    "\x1b[31mred alert\x1b[0m",
    "",
    None,
    "'single' & \"double\" <b>quotes</b>",
    "  spaces around  ",
    "two\nlines\tand a tab",
    "<https://example.com|click here>",
    "right-to-left \u202egnp.egami",
    "../../etc/passwd",
    "-rf",
    "긴이름" * 60,
)


def snapshots(mint: Mint, images: int) -> Iterator[StoredImage]:
    """Snapshots that people took of instances."""
    for _ in range(images):
        age = mint.between(timedelta(days=1), timedelta(days=600))
        host, occasion = mint.random.choice(_HOSTS), mint.random.choice(_OCCASIONS)
        yield mint.image(
            f"{host}-{occasion}-{(mint.now - age):%Y%m%d}",
            age,
            mint.random.randrange(4 * _GIB, 60 * _GIB),
            disk_format=mint.random.choice(("qcow2", "qcow2", "raw")),
            min_disk=100,
            properties={"image_type": "snapshot", "base_host": host},
        )


def golden(mint: Mint, images: int) -> Iterator[StoredImage]:
    """Images that services are launched from, protected."""
    for index in range(images):
        name = _GOLDEN[index % len(_GOLDEN)]
        age = mint.between(timedelta(days=90), timedelta(days=700))
        yield mint.image(f"{name}-{index + 1}", age, mint.random.randrange(2 * _GIB, 20 * _GIB), protected=True)


def uploads(mint: Mint, images: int, status: str) -> Iterator[StoredImage]:
    """Uploads in a status on the way to active, or failed: most of them old, every fourth of today.

    One in five has an odd name, so that names full of markup are among the deleted ones.
    """
    for index in range(images):
        odd = mint.random.choice(ODD_NAMES) if index % 5 == 0 else f"{mint.random.choice(_UPLOADS)}-{index + 1}"
        yield mint.image(
            odd,
            _age_of_upload(mint, index),
            None if status == "queued" else mint.random.randrange(5 * _MIB, 8 * _GIB),
            status=status,
            settled=timedelta() if status == "queued" else timedelta(minutes=2),
            disk_format=mint.random.choice(("qcow2", "raw", "vmdk", "iso")),
        )


def _age_of_upload(mint: Mint, index: int) -> timedelta:
    match index % 8:
        case 3:
            return mint.between(timedelta(minutes=2), timedelta(minutes=5))
        case 7:
            return mint.between(timedelta(hours=1), timedelta(hours=20))
        case _:
            return mint.between(timedelta(days=4), timedelta(days=200))


def gone(mint: Mint, images: int) -> Iterator[StoredImage]:
    """Records of images that were deleted already."""
    for index in range(images):
        status = "pending_delete" if index % 2 else "deleted"
        age = mint.between(timedelta(days=30), timedelta(days=500))
        yield mint.image(f"ci-web-{300 - index}", age, 3 * _GIB, status=status, settled=age / 2)


def oddly_named(mint: Mint, images: int) -> Iterator[StoredImage]:
    """Images whose names cause problems for people and tools."""
    for index in range(images):
        name = ODD_NAMES[index % len(ODD_NAMES)]
        yield mint.image(
            name,
            mint.between(timedelta(days=1), timedelta(days=500)),
            mint.random.randrange(40 * _MIB, 9 * _GIB),
            properties={"description": name or "no name"},
        )


_UNREADABLE: tuple[tuple[str, dict[str, object]], ...] = (
    ("ci-odd-protected-1", {"protected": "maybe"}),
    ("ci-odd-public-2", {"isPublic": MISSING}),
    ("ci-odd-created-3", {"createdAt": None}),
    ("ci-odd-created-4", {"createdAt": "next Tuesday"}),
    ("ci-odd-created-5", {"createdAt": "0001-01-01T00:00:00Z"}),
    ("ci-odd-status-6", {"status": "importing"}),
    ("ci-odd-status-7", {"status": None}),
    ("ci-odd-size-8", {"size": "huge"}),
    ("ci-odd-properties-9", {"properties": None}),
    ("ci-odd-properties-10", {"properties": {"os_distro": ["ubuntu"], "count": 3}}),
    ("ci-odd-name-11", {"name": {"en": "ci"}}),
    ("ci-odd-keys-12", {"owner": "someone", "checksum": "0" * 32, "updatedAt": MISSING, "diskFormat": None}),
    ("ci-odd-name-13", {"name": "ci-half-\ud83d-13"}),
    ("ci-odd-name-14", {"name": "ci-nul-\x00-14"}),
    ("ci-odd-size-15", {"size": 10**30, "minDisk": -1, "minRam": 0.5}),
)
UNREADABLE_KINDS = len(_UNREADABLE)


def unreadable(mint: Mint, images: int) -> Iterator[StoredImage]:
    """Old images, each with one value of its JSON out of the ordinary."""
    for index in range(images):
        name, wire = _UNREADABLE[index % UNREADABLE_KINDS]
        yield mint.image(name, timedelta(days=400 + index), 2 * _GIB, wire=wire)
