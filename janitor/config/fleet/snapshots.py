"""Which files a configuration was read from, and as they were then, to notice that one has changed."""

import os
from collections.abc import Iterable
from pathlib import Path

from janitor.config.policy_folder import holds_policies

Snapshot = frozenset[tuple[str, int, int, int]]
"""Each file with what changes when it is written or replaced; what is not there is not in it."""


def snapshot_of(places: Iterable[Path]) -> Snapshot:
    """These files as they are now, and those with policies or accounts in these folders."""
    found = set[tuple[str, int, int, int]]()
    for place in places:
        for file in (place, *_files_in(place)):
            try:
                status = file.stat()
            except OSError:
                continue
            found.add((os.fspath(file), status.st_mtime_ns, status.st_size, status.st_ino))
    return frozenset(found)


def _files_in(place: Path) -> list[Path]:
    try:
        return [file for file in place.iterdir() if holds_policies(file)]
    except OSError:  # of a file, or a folder that others say cannot be read
        return []
