"""Temporary folders in memory, where the system has room for them there.

No test is about what a disk keeps when the power fails, and waiting for the disk took much of the time.
"""

import os
import shutil
from pathlib import Path

_SHARED_MEMORY = Path("/dev/shm")
_ROOM = 2 * 2**30


def folder_in_memory() -> Path | None:
    """A folder whose files are in memory, with 2 GiB of room; None if there is none."""
    if not os.access(_SHARED_MEMORY, os.W_OK | os.X_OK):
        return None
    return _SHARED_MEMORY if shutil.disk_usage(_SHARED_MEMORY).free >= _ROOM else None
