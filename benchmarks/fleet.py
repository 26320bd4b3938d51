"""`python -m benchmarks.fleet`: what many hosts cost, and gain: workers side by side, enqueueing, status and report.

Needs the extra `fleet` and a PostgreSQL, which it starts itself on loopback. Each figure of a pair is measured right
after the other, on a fresh database and a fresh sandbox.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import yaml

from benchmarks.processes import JANITOR, Spent, spend
from benchmarks.recorded import recorded
from benchmarks.rounds import Measured, in_rounds
from benchmarks.tables import figures_table, processes_table
from janitor.fleet.database import Connection, connect
from janitor.fleet.local_postgres import LocalPostgres, binaries, running

ONE, FOUR, LOOP = "a worker, alone", "four workers", "runs in one process, without a fleet"
_POLICIES = "policies:\n  - {name: old, match: {name: '*'}, expire: {after: 90d}}\n"
_LATENCY = 20
_PATIENCE = 3_600.0
_LOOP = Path(__file__).with_name("fleet_loop.py")


@dataclass(frozen=True, slots=True)
class Ground:
    """A folder with the configuration of a fleet."""

    folder: Path
    url: str

    def janitor(self, *words: str) -> Spent:
        """What a command costs, from its start to its end."""
        return spend([JANITOR, *words, "-c", str(self.folder / "janitor.yaml")], self.folder / "output.txt")

    def printed(self) -> str:
        return (self.folder / "output.txt").read_text(encoding="utf-8")

    def work(self, workers: int) -> Spent:
        """What it costs so many workers to clean all accounts: wall until the last is done, CPU of all of them."""
        began, before = time.perf_counter(), os.times()
        with ExitStack() as stack:
            for number in range(workers):
                stack.enter_context(self._worker(number))
            self._until_done()
            wall = time.perf_counter() - began
        after = os.times()
        return Spent(
            wall, after.children_user + after.children_system - before.children_user - before.children_system, 0
        )

    @contextmanager
    def _worker(self, number: int) -> Iterator[None]:
        command = [JANITOR, "fleet", "work", "-c", str(self.folder / "janitor.yaml"), "--concurrency", "1"]
        with (self.folder / f"worker-{number}.log").open("wb") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait()

    def _until_done(self) -> None:
        ends = time.monotonic() + _PATIENCE
        with connect(self.url, "a benchmark") as connection:
            while time.monotonic() < ends:
                row = connection.row(
                    "SELECT count(*) FILTER (WHERE state NOT IN ('done', 'failed')) AS left FROM outcomes"
                )
                if row is not None and row["left"] == 0:
                    return
                time.sleep(0.1)
        raise RuntimeError("the workers did not end in an hour")


@contextmanager
def sandbox(accounts: int, images: int, folder: Path) -> Iterator[None]:
    """A sandbox of so many accounts, whose configuration is in the folder."""
    config = folder / "janitor.yaml"
    command = [JANITOR, "sandbox", "--port", "0", "--accounts", str(accounts), "--images", str(images)]
    command += ["--latency", str(_LATENCY), "--write", str(config)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        if not config.exists():
            raise RuntimeError(f"the sandbox did not start: {said.decode(errors='replace')}")
        yield
    finally:
        process.terminate()
        process.communicate()


@contextmanager
def ground(server: LocalPostgres, name: str, accounts: int, images: int, *, served: bool = True) -> Iterator[Ground]:
    """A new fleet of so many accounts; where they are not `served`, their sandbox has ended."""
    with tempfile.TemporaryDirectory(prefix="janitor-bench-") as made, ExitStack() as stack:
        folder, url = Path(made), server.make_database(name)
        stack.enter_context(sandbox(accounts, images, folder))
        written = yaml.safe_load((folder / "janitor.yaml").read_text(encoding="utf-8"))
        written |= {
            "mode": "delete",
            "policies": "policies.yaml",
            "limits": {"max_deletions": 10_000, "max_share": "100%"},
        }
        written["fleet"]["database"] = url
        (folder / "janitor.yaml").write_text(yaml.safe_dump(written), encoding="utf-8")
        (folder / "policies.yaml").write_text(_POLICIES, encoding="utf-8")
        if not served:
            stack.close()
        here = Ground(folder, url)
        here.janitor("fleet", "init")
        yield here


def side_by_side(server: LocalPostgres, accounts: int, images: int, measured: Measured) -> None:
    """All accounts by one worker, by four, and by a loop that knows no fleet."""
    number = len(measured.processes.get(ONE, ()))
    spent: dict[str, Spent] = {}
    for name, workers in ((ONE, 1), (FOUR, 4)):
        with ground(server, f"round_{number}_{workers}", accounts, images) as here:
            here.janitor("fleet", "enqueue")
            spent[name] = measured.ran(name, here.work(workers))
    with ground(server, f"round_{number}_loop", accounts, images) as here:
        spent[LOOP] = measured.ran(
            LOOP, spend([sys.executable, str(_LOOP), str(here.folder)], here.folder / "output.txt")
        )
    measured.found("four workers: wall ÷ one", spent[FOUR].wall / spent[ONE].wall)
    measured.found("a worker: CPU ÷ without a fleet", spent[ONE].cpu / spent[LOOP].cpu)
    measured.found("a worker: CPU an account", 1000 * spent[ONE].cpu / accounts)


def many(server: LocalPostgres, accounts: int, measured: Measured) -> None:
    """So many accounts enqueued, and their outcomes read."""
    number = len(measured.processes.get("fleet enqueue", ()))
    with ground(server, f"many_{number}", accounts, 1, served=False) as here:
        measured.found("enqueue: wall", measured.ran("fleet enqueue", here.janitor("fleet", "enqueue")).wall)
        with connect(here.url, "a benchmark") as connection:
            fill(connection)
        for command in ("status", "report"):
            measured.found(f"{command}: wall", measured.ran(f"fleet {command}", here.janitor("fleet", command)).wall)


def fill(connection: Connection) -> None:
    """Every account of the night is done, with what a run of 100 images records of it."""
    counts = {"images": 100, "to_delete": 3, "waiting": 5, "kept": 92, "deleted": 3, "announced": 1}
    report = json.dumps({"run": 1, "targets": [{"decisions": [{"image": "i" * 36, "detail": "d" * 200}] * 100}]})
    connection.rows(
        "UPDATE outcomes SET state = 'done', epoch = 1, attempt = 1, worker = 'w-1', started_at = now(), "
        "finished_at = now() + %(took)s, exit_code = 0, counts = %(counts)s::jsonb, bytes = 3221225472, "
        "report = %(report)s",
        took=timedelta(seconds=1),
        counts=json.dumps(counts),
        report=report,
    )


def main() -> None:
    """Measure, report progress on stderr, and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fleet", description=__doc__)
    parser.add_argument("--accounts", type=int, default=1_000, help="cleaned by workers (default: 1,000)")
    parser.add_argument("--images", type=int, default=100, help="of each account (default: 100)")
    parser.add_argument("--many", type=int, default=10_000, help="enqueued, and reported (default: 10,000)")
    parser.add_argument("--rounds", type=int, default=1, help="of each (default: 1)")
    asked = parser.parse_args()

    def tell(step: str) -> None:
        print(f"measuring: {step}", file=sys.stderr, flush=True)

    def once(found: Measured) -> None:
        side_by_side(server, asked.accounts, asked.images, found)
        many(server, asked.many, found)

    with running(binaries()) as server:
        measured = {"fleet": in_rounds(asked.rounds, once, tell)}
    print(f"\n{asked.accounts:,} accounts of {asked.images} images, {_LATENCY} ms a request; {asked.many:,} outcomes\n")
    print(figures_table(recorded(), measured), processes_table(measured), sep="\n\n")


if __name__ == "__main__":
    main()
