"""Runs of the janitor over served accounts: a configuration, policies of a chosen severity, and a database."""

import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from benchmarks.processes import JANITOR, Spent, spend
from benchmarks.served.cloud import Served, served

_NO_LIMITS = {"max_deletions": 1_000_000, "max_share": "100%", "max_shrink": "100%"}
_SHIPPED = Path(__file__).parents[1] / "policies"
_BARE_LOOP = Path(__file__).with_name("bare_loop.py")
LONG = 700 * 24
"""A term in hours with which few images of a large fleet expire. `narrow` finds a better one, but only after a run."""


class Account:
    """What one configuration reaches, with the shipped policies and no limits until they are narrowed."""

    def __init__(self, cloud: Served, folder: Path) -> None:
        self.cloud = cloud
        self.folder = folder
        self.configuration = folder / "janitor.yaml"
        self.database = folder / "janitor.db"
        self._values: dict[str, Any] = {"targets": cloud.targets()}
        self.configure(database=str(self.database), policies=str(_SHIPPED), limits=_NO_LIMITS)

    def configure(self, **values: object) -> None:
        """Change values of the configuration."""
        self._values |= values
        self.configuration.write_text(yaml.safe_dump(self._values), encoding="utf-8")

    def run(self, *options: str) -> Spent:
        """`janitor run`, its report into a file."""
        return self.command("run", *options)

    def command(self, name: str, *words: str) -> Spent:
        """A command of the janitor with this configuration, its output into a file."""
        return spend([JANITOR, name, *words, "-c", str(self.configuration)], self.folder / "output.txt")

    def bare_loop(self) -> Spent:
        """The bare loop over the same lists."""
        words = [sys.executable, str(_BARE_LOOP), self.cloud.url, *self.cloud.appkeys]
        return spend(words, self.folder / "count.txt")

    def forget(self) -> None:
        """Start with a new database."""
        for file in self._files():
            file.unlink()

    def remember(self, database: Path) -> None:
        """Start with a copy of another database."""
        self.forget()
        shutil.copyfile(database, self.database)

    def size(self) -> int:
        """Bytes that the database takes on disk."""
        return sum(file.stat().st_size for file in self._files())

    def _files(self) -> list[Path]:
        return list(self.folder.glob(f"{self.database.name}*"))

    def planned(self) -> int:
        """How many deletions the latest run planned in its one target."""
        return int(self.query("SELECT doomed FROM surveys ORDER BY run DESC LIMIT 1")[0])

    def query(self, sql: str) -> tuple[Any, ...]:
        """The first row of an answer of the database."""
        with closing(sqlite3.connect(self.database)) as conn:
            row: tuple[Any, ...] = conn.execute(sql).fetchone()
            return row

    def narrow(self, planned: int) -> None:
        """Lengthen the terms of the shipped policies until about so many images are expired.

        Which terms do that is read from the latest run, which must have planned more with those policies. An account
        that is cleaned every night is like this: nearly all images are decided on, and few are deleted.
        """
        sql = "SELECT created_at FROM current_images WHERE verdict = 'delete' ORDER BY created_at LIMIT 1 OFFSET {}"
        (created_at,) = self.query(sql.format(planned))
        self.expire_after((datetime.now(UTC) - datetime.fromisoformat(created_at)) // timedelta(hours=1))

    def expire_after(self, hours: int) -> None:
        """Let the terms of the shipped policies be so long."""
        narrowed = self.folder / "policies.yaml"
        narrowed.write_text(yaml.safe_dump({"policies": _with_terms(f"{hours}h")}), encoding="utf-8")
        self.configure(policies=str(narrowed))


def _with_terms(term: str) -> list[object]:
    files = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in sorted(_SHIPPED.glob("*.yaml"))]
    policies = [policy for file in files for policy in file.get("policies", ())]
    for policy in policies:
        if "expire" in policy:
            policy["expire"]["after"] = term
    return policies


@contextmanager
def account(images: int, latency: int = 0, targets: int = 1) -> Iterator[Account]:
    """A fresh account, or as many as `targets`, with so many images in all; `latency` is milliseconds a request."""
    with tempfile.TemporaryDirectory(prefix="janitor-bench-") as folder, served(images, latency, targets) as cloud:
        yield Account(cloud, Path(folder))
