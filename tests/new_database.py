"""Databases that were set up already: that takes as long as opening twenty of them, and many tests need a new one."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from janitor.store import Store


def new_database(path: Path) -> Path:
    """The path, where there is a database now as `Store.open` leaves a new one."""
    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(_content())
    return path


@cache
def _content() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "janitor.db"
        Store.open(path).close()
        assert list(Path(folder).iterdir()) == [path], "all of it is in the file"
        return path.read_bytes()
