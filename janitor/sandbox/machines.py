"""The instances of a fleet: most use an image, some have none, and a few name one that is gone."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from janitor.sandbox.models import MISSING, Flavor, Mint, Missing, StoredImage, StoredInstance

_FLAVORS = (
    Flavor("4a2d7fd6-2a6e-4d5a-9f63-6b1f1d1b7a01", "m2.c1m2", 1, 2048),
    Flavor("4a2d7fd6-2a6e-4d5a-9f63-6b1f1d1b7a02", "m2.c2m4", 2, 4096),
    Flavor("4a2d7fd6-2a6e-4d5a-9f63-6b1f1d1b7a03", "r2.c4m32", 4, 32768),
)
_ROLES = ("web", "api", "batch", "db", "결제", "登录")
_STATUSES = ("ACTIVE",) * 14 + ("STOP",) * 4 + ("ERROR", "REBOOTING")
_NOTHING = (None, "", None)
_ODD_NOTHING: tuple[str | Missing | None, ...] = (None, "", MISSING)


def machines(
    mint: Mint, instances: int, images: Sequence[StoredImage], *, oddities: bool = False
) -> Iterator[StoredInstance]:
    """That many instances of these images. With `oddities` some do not say whether they have one."""
    public = [image for image in images if image.is_public]
    own = [image for image in images if not image.is_public and image.status == "active"]
    nothing = _ODD_NOTHING if oddities else _NOTHING
    for index in range(instances):
        yield _machine(mint, index, _image_of(mint, index, public, own, nothing))


def _image_of(
    mint: Mint,
    index: int,
    public: Sequence[StoredImage],
    own: Sequence[StoredImage],
    nothing: Sequence[str | Missing | None],
) -> str | Missing | None:
    chance = index % 10
    if chance == 8:
        return nothing[index // 10 % len(nothing)]
    if chance == 9:
        return mint.identity()
    pool = public if chance < 4 else own
    return mint.random.choice(pool).id if pool else None


def _machine(mint: Mint, index: int, image: str | Missing | None) -> StoredInstance:
    role = _ROLES[index % len(_ROLES)]
    created_at = mint.now - mint.between(timedelta(days=1), timedelta(days=700))
    return StoredInstance(
        id=mint.identity(),
        name=f"{role}-{index + 1:02}",
        status=_STATUSES[index % len(_STATUSES)] if index else "STOP",
        image=image,
        created_at=created_at,
        launched_at=created_at + timedelta(seconds=40),
        flavor=mint.random.choice(_FLAVORS),
        zone=mint.random.choice(("kr-pub-a", "kr-pub-b")),
        address=f"192.168.{index // 250 % 250}.{index % 250 + 4}",
        root_gb=mint.random.choice((20, 50, 100)),
        metadata={"role": role},
    )
