"""Whether a folder is on a network file system, where the locks of SQLite cannot be relied on."""

from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")


def network_filesystem_of(path: Path, mounts: Path = MOUNTS) -> str | None:
    """The type of the network file system, like nfs4, on which this is, or would be once it is made.

    None where it is on none that is recognised, and where the system does not list what is mounted.
    """
    raise NotImplementedError
