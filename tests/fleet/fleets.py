"""A fleet for tests: accounts of a sandbox, their configuration, and a worker's cleaner that has all shards."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import yaml

from janitor.cli.fleet.cleaning import Cleaner
from janitor.cli.fleet.context import Connections, Written
from janitor.cli.fleet.nights import Begun, begin_night
from janitor.clock import utc_now
from janitor.config import Settings
from janitor.fleet.database import Connection
from janitor.fleet.outcomes import Outcome, outcomes
from janitor.fleet.work.orders import Again, Order
from janitor.sandbox.server import Sandbox
from janitor.shutdown import Stop
from tests.conftest import POLICY
from tests.fleet.postgres import SHARDS

WORKER = "first"
AMPLE = {"max_deletions": 1000, "max_share": "100%"}


@dataclass
class Fleet:
    """The folder of a fleet's configuration, and the connection of who looks."""

    folder: Path
    url: str
    look: Connection
    stop: Stop = field(default_factory=Stop)

    def write(self, *targets: dict[str, object], **keys: object) -> None:
        """The configuration, with these accounts and further keys below `fleet`."""
        fleet = {"database": self.url, "state": "shards", "shards": SHARDS, "targets": "accounts.yaml", **keys}
        text = {"mode": "delete", "policies": "policies.yaml", "limits": AMPLE, "fleet": fleet}
        (self.folder / "janitor.yaml").write_text(yaml.safe_dump(text), encoding="utf-8")
        (self.folder / "accounts.yaml").write_text(yaml.safe_dump(list(targets)), encoding="utf-8")
        (self.folder / "policies.yaml").write_text(POLICY, encoding="utf-8")

    @property
    def written(self) -> Written:
        return Written(self.folder / "janitor.yaml")

    def begin(self, *globs: str) -> Begun:
        return begin_night(self.look, self.written.accounts(), utc_now(), globs)

    def lease_all(self, worker: str = WORKER) -> None:
        """All shards are leased to a worker, and their folders are there."""
        for account in self.written.accounts().names:
            self.settings_of(account).database.parent.mkdir(parents=True, exist_ok=True)
        self.look.rows(
            "INSERT INTO shards (shard, worker) SELECT generate_series(0, %(last)s), %(worker)s "
            "ON CONFLICT (shard) DO UPDATE SET worker = excluded.worker",
            last=SHARDS - 1,
            worker=worker,
        )

    def cleaner(self, url: str | None = None) -> Cleaner:
        connections = Connections(url or self.url, WORKER)
        again = timedelta(seconds=7)
        return Cleaner(self.written, connections, WORKER, self.stop, wait=lambda attempt: attempt * again)

    def clean(
        self, account: str, night: date, cleaner: Cleaner | None = None, digest: str | None = None
    ) -> Again | None:
        """One job carried out; when to try again, if so."""
        cleaner = cleaner or self.cleaner()
        order = Order(account, night, digest or self.written.accounts().digest_of(account))
        try:
            cleaner.clean(order)
        except Again as again:
            return again
        finally:
            cleaner.connections.close()
        self.look.rows("DELETE FROM procrastinate_jobs WHERE lock = %(account)s", account=account)
        return None

    def settings_of(self, account: str) -> Settings:
        return self.written.accounts().settings_of(account)

    def outcome(self, account: str, night: date) -> Outcome:
        [found] = [each for each in outcomes(self.look, night) if each.account == account]
        return found


def target_of(sandbox: Sandbox, name: str) -> dict[str, object]:
    [target] = yaml.safe_load(sandbox.configuration())["targets"]
    return {**target, "name": name}


def deletes(sandbox: Sandbox) -> list[str]:
    """The images whose deletion was requested."""
    return [request.image for request in sandbox.requests if request.method == "DELETE" and request.image]
