"""Where the database of an account is: in the folder of its shard, which its name alone decides.

All of this must stay as it is for ever: with another answer, an account would begin anew without its notices.
"""

import hashlib
import re
from pathlib import Path

from janitor.config.fleet import Fleet

_UNSAFE = re.compile(rb"[^A-Za-z0-9._-]|\A\.")
_LONGEST = 200
_BEGINNING = 100
_ENDING = ".db"


def shard_of(account: str, shards: int) -> int:
    """The shard of an account, from 0 to one less than `shards`."""
    return int.from_bytes(hashlib.sha256(account.encode()).digest()[:8]) % shards


def folder_of(fleet: Fleet, shard: int) -> Path:
    """The folder of a shard, which need not exist here."""
    return fleet.state / f"shard-{shard:03}"


def database_of(fleet: Fleet, account: str) -> Path:
    """The database of an account."""
    return folder_of(fleet, shard_of(account, fleet.shards)) / f"{file_name_of(account)}{_ENDING}"


def file_name_of(account: str) -> str:
    """A name as that of a file, without an ending: no two names have the same.

    Bytes that are not safe in every file system are written as %2F. What is too long for one ends with ~ and a hash.
    """
    name = _UNSAFE.sub(lambda found: b"%%%02X" % found[0][0], account.encode()).decode()
    if len(name) <= _LONGEST:
        return name
    return f"{name[:_BEGINNING]}~{hashlib.sha256(account.encode()).hexdigest()}"
