"""Databases as earlier versions left them."""

import sqlite3
from itertools import takewhile
from pathlib import Path

from janitor.store import migrations, upgrading


def database_before(path: Path, step: migrations.Step) -> sqlite3.Connection:
    """A new database, as it was before a step of the migrations: with those of before it."""
    db = sqlite3.connect(path)
    earlier = takewhile(lambda other: other is not step, migrations.STEPS)
    with db:
        upgrading.apply_migrations(db, {one.__name__: one for one in earlier})
    return db
