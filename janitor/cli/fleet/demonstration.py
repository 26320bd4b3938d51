"""The demonstration of a fleet: a night of many small accounts, three workers of which one is killed, and what came."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from janitor.cli.fleet.context import Written
from janitor.cli.fleet.nights import Begun, begin_night
from janitor.cli.fleet.standing import report_of
from janitor.cli.formats import Format
from janitor.cli.formats.fleet_reports import NIGHT
from janitor.cli.terminal import say
from janitor.clock import utc_now
from janitor.core.units import counted
from janitor.errors import Exit, FleetError
from janitor.fleet import nights, outcomes, schema
from janitor.fleet.database import Connection, connect
from janitor.fleet.leases import shards
from janitor.fleet.local_postgres import binaries, running
from janitor.fleet.outcomes import Outcome, State
from janitor.sandbox import server
from janitor.sandbox.options import Options
from janitor.sandbox.server import Sandbox
from janitor.shutdown import Stop, stopping_on_signals

IMAGES = 12
_SHARDS, _WORKERS = 24, 3
_LAPSE = timedelta(seconds=4)
_LOOK_EVERY = 0.1
_LONGEST = timedelta(minutes=10)
_TIME_TO_END = 4.0
_DATABASE = "demo"
_POLICY = """\
policies:
  - name: old-images
    match: {name: "*"}
    expire: {after: 30d}
"""
_MORE = """\
limits: {max_deletions: 1000, max_share: "100%"}
http: {no_proxy: "*"}
"""


@dataclass(slots=True)
class _Workers:
    """Three processes of `janitor fleet work`, by their process ids; what they log is in files of the folder."""

    config: Path
    processes: dict[int, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def start(self) -> None:
        command = [sys.executable, "-m", "janitor", "fleet", "work", "--config", str(self.config)]
        command += ["--lapse", f"{_LAPSE.total_seconds():.0f}s"]
        for number in range(1, _WORKERS + 1):
            with (self.config.parent / f"worker-{number}.log").open("wb") as log:
                process = subprocess.Popen(  # noqa: S603  our own command
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, process_group=0
                )
            self.processes[process.pid] = process

    def name(self, pid: int) -> str:
        return f"worker {list(self.processes).index(pid) + 1}"

    def check(self, killed: int | None) -> None:
        """Raises FleetError where one has ended by itself."""
        for number, (pid, process) in enumerate(self.processes.items(), start=1):
            if pid != killed and process.poll() is not None:
                log = (self.config.parent / f"worker-{number}.log").read_text(errors="replace").strip()
                last = next(reversed(log.splitlines()), "it said nothing")
                raise FleetError(f"worker {number} ended by itself: {last}")

    def kill(self, pid: int) -> None:
        self.processes[pid].kill()
        self.processes[pid].wait()

    def end(self) -> None:
        """End all of them, as a person would, and by force where that takes too long."""
        for process in self.processes.values():
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        ends = time.monotonic() + _TIME_TO_END
        for process in self.processes.values():
            try:
                process.wait(max(0.0, ends - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@dataclass(slots=True)
class _Night:
    """What is seen of the night while it goes on, and told."""

    look: Connection
    begun: Begun
    workers: _Workers
    stop: Stop
    began: float = field(default_factory=time.monotonic)
    killed: int | None = None
    left: tuple[Outcome, ...] = ()

    def tell(self, text: str) -> None:
        say(f"{time.monotonic() - self.began:5.1f} s  {text}")

    def watch(self) -> list[Outcome]:
        """Until every account has ended, or this is interrupted. Raises FleetError where it takes far too long."""
        told = 0
        while not self.stop.is_set():
            self.workers.check(self.killed)
            seen = outcomes.outcomes(self.look, self.begun.night)
            done = sum(each.state in (State.DONE, State.FAILED) for each in seen)
            if self.killed is None and done >= len(seen) // 4:
                self._kill_one(seen)
            quarter = 4 * done // len(seen)
            if quarter > told:
                told = quarter
                self.tell(f"{done} of {len(seen)} accounts have ended")
            if done == len(seen):
                return seen
            if time.monotonic() - self.began > _LONGEST.total_seconds():
                raise FleetError(f"the night has not ended within {_LONGEST}, but {done} of {len(seen)} accounts")
            self.stop.wait(_LOOK_EVERY)
        return []

    def _kill_one(self, seen: Sequence[Outcome]) -> None:
        """Kill a worker in the middle of an account, which it is stopped in first."""
        pids = {each.name: each.pid for each in shards.workers(self.look, _LAPSE)}
        for each in seen:
            if each.state is not State.RUNNING or each.worker not in pids:
                continue
            pid = pids[each.worker]
            os.kill(pid, signal.SIGSTOP)
            now = outcomes.outcomes(self.look, self.begun.night)
            left = tuple(one for one in now if one.state is State.RUNNING and one.worker == each.worker)
            if left:
                self.workers.kill(pid)
                self.killed, self.left = pid, left
                at = ", ".join(one.account for one in left)
                self.tell(f"kill -9: {self.workers.name(pid)} (pid {pid}), in the middle of {at}")
                return
            os.kill(pid, signal.SIGCONT)


def demonstrate(accounts: int) -> int:
    """One night; nothing is left behind. Raises FleetError where PostgreSQL is missing, or the night cannot end."""
    programs, stop = binaries(), Stop()
    with stopping_on_signals(stop, in_time=False), tempfile.TemporaryDirectory(prefix="janitor-fleet-demo-") as folder:
        say(f"{programs.version.partition(' (')[0]} is started on 127.0.0.1, for this demonstration only.")
        with running(programs) as postgres, server.running(Options(accounts=accounts, images=IMAGES)) as cloud:
            url = postgres.make_database(_DATABASE)
            config = _write(Path(folder), cloud, url)
            say(f"A cloud of {accounts} accounts of {IMAGES} images; their databases are in {_SHARDS} shards.")
            with connect(url, "janitor fleet demo") as look:
                code = _perform(look, config, cloud, stop)
    return 128 + stop.signal_number if stop.is_set() else code


def _perform(look: Connection, config: Path, cloud: Sandbox, stop: Stop) -> Exit:
    written = Written(config)
    schema.migrate(look, _SHARDS)
    with _working(config) as workers:
        _wait_for_leases(look, workers, stop)
        begun = begin_night(look, written.accounts(), utc_now())
        night = _Night(look, begun, workers, stop)
        night.tell(f"night {begun.night}: {counted(len(begun.enqueued.new), 'account')} queued")
        seen = night.watch()
        if not seen:
            say("Interrupted: all of it is ended and removed.", err=True)
            return Exit.FAILED
        _tell_of_the_killed(night, seen, cloud)
    return _tell_totals(look, night, seen, cloud)


def _wait_for_leases(look: Connection, workers: _Workers, stop: Stop) -> None:
    """Until every worker has shards, and all are leased. Raises FleetError."""
    say("The workers are started.")
    while not stop.is_set():
        workers.check(None)
        found = [each for each in shards.workers(look, _LAPSE) if each.shards]
        if len(found) == _WORKERS and sum(len(each.shards) for each in found) == _SHARDS:
            for each in sorted(found, key=lambda each: workers.name(each.pid)):
                has = counted(len(each.shards), "shard")
                say(f"{workers.name(each.pid).capitalize()} (pid {each.pid}) has {has}.")
            return
        stop.wait(_LOOK_EVERY)


@contextmanager
def _working(config: Path) -> Iterator[_Workers]:
    workers = _Workers(config)
    try:
        workers.start()
        yield workers
    finally:
        workers.end()


def _tell_of_the_killed(night: _Night, seen: Sequence[Outcome], cloud: Sandbox) -> None:
    if night.killed is None:
        say("\nNo worker was killed: none was seen in the middle of an account.")
        return
    pids = {each.name: each.pid for each in shards.workers(night.look, _LAPSE)}
    now = {each.account: each for each in seen}
    killed, silent = night.workers.name(night.killed), f"{_LAPSE.total_seconds():.0f} s"
    usual = f"{shards.LAPSE.total_seconds():.0f} s outside of this demonstration"
    say(f"\nKilled: {killed}. Its shards went to others once it was silent for {silent},")
    say(f"which is {usual}.")
    for before in night.left:
        after, requests = now[before.account], [each for each in cloud.deletions if each.account == before.account]
        who = night.workers.name(pids[after.worker]) if after.worker in pids else "nobody"
        gone = len({each.image for each in requests if each.code == 0})
        say(f"{before.account}: begun by {killed} in epoch {before.epoch}, and run again by")
        both = f"{counted(len(requests), 'request')} to delete by both, {gone} deleted"
        say(f"{who} in epoch {after.epoch}; {both}.")


def _tell_totals(look: Connection, night: _Night, seen: Sequence[Outcome], cloud: Sandbox) -> Exit:
    found = nights.night_of(look, night.begun.night)
    assert found is not None
    say()
    NIGHT[Format.TEXT](report_of(look, found, utc_now()), Written(night.workers.config).accounts().settings.timezone)
    accepted = Counter((each.account, each.image) for each in cloud.deletions if each.code == 0)
    twice = [image for image, times in accepted.items() if times > 1]
    say(f"\nThe cloud deleted {counted(len(accepted))}, {len(twice) or 'none'} of them twice.")
    uncounted = len(accepted) - sum(each.counts.get("deleted", 0) for each in seen)
    if uncounted > 0:
        say(f"{uncounted} of them by the run that was killed, which told nobody: the totals lack these.")
    return Exit.FAILED if twice or any(each.state is not State.DONE for each in seen) else Exit.OK


def _write(folder: Path, cloud: Sandbox, url: str) -> Path:
    """The configuration of the fleet, with its accounts beside it."""
    config = folder / "janitor.yaml"
    values: Mapping[str, str] = {"fleet_database": url, "shards": str(_SHARDS), "mode": "delete"}
    text = cloud.configuration(**values) + _MORE
    descriptor = os.open(config, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    (folder / "policies").mkdir()
    (folder / "policies" / "old-images.yaml").write_text(_POLICY, encoding="utf-8")
    (folder / "accounts.yaml").write_text(cloud.accounts_text(), encoding="utf-8")
    return config
