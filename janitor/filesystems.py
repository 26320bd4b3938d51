"""Whether a folder is on a network file system, where the locks of SQLite cannot be relied on."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
"""What is mounted, as proc_pid_mountinfo(5) describes it."""

_NAMES = frozenset(
    {
        *("9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "fhgfs", "glusterfs", "gpfs", "lustre", "ncpfs"),
        *("nfs", "nfs4", "orangefs", "pvfs2", "smb2", "smb3", "smbfs", "virtiofs"),
    }
)
_FUSE = "fuse."
_FUSE_ON_THIS_HOST = frozenset({"fuse.fuse-overlayfs"})
_OCTAL = re.compile(r"\\([0-7]{3})")


def network_filesystem_of(path: Path, mounts: Path | None = None) -> str | None:
    """The type of the network file system, like nfs4, on which this is, or would be once it is made.

    None where it is on none that is recognised, and where the system does not list what is mounted. `mounts` is that
    list, by default that of this process.
    """
    try:
        lines = (mounts or MOUNTS).read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    kind = _kind_at(os.path.realpath(path), list(_mounts(lines)))
    return kind if kind is not None and _is_of_network(kind) else None


def _is_of_network(kind: str) -> bool:
    return kind in _NAMES or (kind.startswith(_FUSE) and kind not in _FUSE_ON_THIS_HOST)


@dataclass(frozen=True, slots=True)
class _Mount:
    """A line of that list: its ids, where it is mounted, and its type."""

    number: str
    parent: str
    point: str
    kind: str

    def holds(self, path: str) -> bool:
        return path == self.point or path.startswith(f"{self.point.rstrip('/')}/")


def _mounts(lines: list[str]) -> Iterator[_Mount]:
    for line in lines:
        before, found, after = line.partition(" - ")
        words = before.split(" ")
        if found and len(words) > 4:
            point = _OCTAL.sub(lambda octal: chr(int(octal[1], 8)), words[4])
            yield _Mount(words[0], words[1], point, after.split(" ")[0])


def _kind_at(path: str, mounts: list[_Mount]) -> str | None:
    """The type of what is mounted where the path leads, by the way that the kernel takes: from mount to mount.

    A mount may hide others, which are still listed.
    """
    numbers = {mount.number for mount in mounts if mount.parent != mount.number}
    around = [mount for mount in mounts if mount.holds(path)]
    here = next((mount for mount in around if mount.point == "/" and mount.parent not in numbers), None)
    if here is None:  # the root of this process is a folder of a mount
        return max(around, key=lambda mount: len(mount.point)).kind if around else None
    while inner := [mount for mount in around if mount.parent == here.number and mount is not here]:
        around.remove(here)
        here = min(inner, key=lambda mount: len(mount.point))
    return here.kind
