"""One account to clean: a configuration for a sandbox, policies of a chosen severity, and a database."""

import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from benchmarks.cloud import Configuration
from benchmarks.processes import JANITOR, Spent, spend

_REFUSED = 4
_NO_LIMITS = {"max_deletions": 1_000_000, "max_share": "100%"}
_SHIPPED = Path(__file__).parents[1] / "policies"
_BARE_LOOP = Path(__file__).with_name("bare_loop.py")


class Account:
    """Runs of the janitor over one sandbox, with the shipped policies and limits until they are narrowed."""

    def __init__(self, configuration: Configuration, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "janitor.yaml"
        self._database = folder / "janitor.db"
        self._configuration = configuration
        self.configure(database=str(self._database), policies=str(_SHIPPED))

    def configure(self, **values: object) -> None:
        """Change values of the configuration."""
        self._configuration |= values
        self._file.write_text(yaml.safe_dump(self._configuration), encoding="utf-8")

    def run(self, *options: str) -> Spent:
        """`janitor run`, its report into a file; a plan over the limits is a result like any other."""
        command = [JANITOR, "run", "-c", str(self._file), *options]
        return spend(command, self._folder / "report.txt", codes=(0, _REFUSED))

    def bare_loop(self) -> Spent:
        """The bare loop over the same list."""
        target = self._configuration["targets"][0]
        access = [target[key] for key in ("endpoint", "appkey", "username", "password")]
        return spend([sys.executable, str(_BARE_LOOP), *access], self._folder / "count.txt")

    def forget(self) -> None:
        """Start with a new database."""
        for file in self._files():
            file.unlink()

    def size(self) -> int:
        """Bytes that the database takes on disk."""
        return sum(file.stat().st_size for file in self._files())

    def _files(self) -> list[Path]:
        return list(self._folder.glob(f"{self._database.name}*"))

    def planned(self) -> int:
        """How many deletions the latest run planned."""
        (count,) = self._query("SELECT doomed FROM surveys ORDER BY run DESC LIMIT 1")
        return int(count)

    def deleting_for(self) -> float:
        """Seconds from the first request to the last answer, by the journal."""
        first, last = self._query("SELECT min(requested_at), max(answered_at) FROM deletions WHERE outcome = 'deleted'")
        return (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds()

    def _query(self, sql: str) -> tuple[str, ...]:
        with closing(sqlite3.connect(self._database)) as conn:
            row: tuple[str, ...] = conn.execute(sql).fetchone()
            return row

    def narrow(self, planned: int) -> None:
        """Lift the limits and lengthen the terms of the shipped policies until about so many images are expired.

        Which terms do that is read from the latest run, which must have planned more with those policies. An account
        that is cleaned every night is like this: nearly all images are decided on, and few are deleted.
        """
        sql = "SELECT created_at FROM current_images WHERE verdict = 'delete' ORDER BY created_at LIMIT 1 OFFSET {}"
        (created_at,) = self._query(sql.format(planned))
        term = (datetime.now(UTC) - datetime.fromisoformat(created_at)) // timedelta(hours=1)
        narrowed = self._folder / "policies.yaml"
        narrowed.write_text(yaml.safe_dump({"policies": _with_terms(f"{term}h")}), encoding="utf-8")
        self.configure(policies=str(narrowed), limits=_NO_LIMITS)


def _with_terms(term: str) -> list[object]:
    files = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in sorted(_SHIPPED.glob("*.yaml"))]
    policies = [policy for file in files for policy in file["policies"]]
    for policy in policies:
        if "expire" in policy:
            policy["expire"]["after"] = term
    return policies
