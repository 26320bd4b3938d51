"""The fleet: thousands of accounts that many hosts clean by one configuration. Only loaded where `fleet` is written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Fleet:
    """The key `fleet`, checked. Paths are absolute; `database` is the URL of a PostgreSQL, and a secret.

    `targets` is a file or a folder of accounts. `template` is of which keys, with {columns}, each row of a CSV file
    makes an account. `deadline` is counted from the beginning of a night.
    """

    database: str = field(repr=False)
    state: Path
    shards: int
    targets: Path
    template: Mapping[str, object] | None
    deadline: timedelta
    retries: int
    max_deletions_per_night: int | None
    allow_network_filesystem: bool
