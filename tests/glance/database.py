"""Glance's own database, for what its API cannot make: odd states, old dates, and very many images."""

import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

_WAIT = 30


class Database:
    """The file that a running Glance keeps its images in."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, image_id: str, **columns: object) -> None:
        """Overwrite columns of an image, with instants in UTC as Glance writes them."""
        names = ", ".join(f"{name} = ?" for name in columns)
        values = [_written(value) if isinstance(value, datetime) else value for value in columns.values()]
        with self._connected() as connection:
            changed = connection.execute(f"UPDATE images SET {names} WHERE id = ?", [*values, image_id]).rowcount
        assert changed == 1, f"there is no image {image_id}"

    def add(self, count: int, owner: str, newest: datetime) -> None:
        """Add active images of that project, one an hour into the past, with the rows that an upload leaves.

        Each has a place in the store (with nothing there), three custom properties, and every tenth a tag.
        """
        made = [(str(uuid.uuid4()), number, _written(newest - timedelta(hours=number))) for number in range(count)]
        with self._connected() as connection:
            connection.executemany(
                """
                INSERT INTO images (id, name, size, status, created_at, updated_at, deleted, disk_format,
                    container_format, checksum, owner, min_disk, min_ram, protected, virtual_size, visibility,
                    os_hidden, os_hash_algo, os_hash_value)
                VALUES (?, 'ci-web-' || ?, 2147483648, 'active', ?, ?, 0, 'qcow2',
                    'bare', ?, ?, 20, 0, 0, 10737418240, 'shared', 0, 'sha512', ?)
                """,
                [(id_, number, at, at, "0" * 32, owner, "0" * 128) for id_, number, at in made],
            )
            connection.executemany(
                "INSERT INTO image_locations (image_id, value, created_at, deleted, meta_data, status) "
                "VALUES (?, 'file:///nowhere/' || ?, ?, 0, '{\"store\": \"files\"}', 'active')",
                [(id_, id_, at) for id_, _, at in made],
            )
            connection.executemany(
                "INSERT INTO image_properties (image_id, name, value, created_at, deleted) VALUES (?, ?, ?, ?, 0)",
                [(id_, name, value, at) for id_, _, at in made for name, value in _PROPERTIES.items()],
            )
            connection.executemany(
                "INSERT INTO image_tags (image_id, value, created_at, deleted) VALUES (?, 'nightly', ?, 0)",
                [(id_, at) for id_, number, at in made if number % 10 == 0],
            )

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.path, timeout=_WAIT)) as connection, connection:
            connection.execute("PRAGMA synchronous = OFF")
            yield connection


_PROPERTIES = {"os_distro": "ubuntu", "os_version": "24.04", "build": "4711"}


def _written(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%d %H:%M:%S.%f")
