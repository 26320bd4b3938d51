"""A worker of a fleet as a process: the real one, on the simulated clock, which hears of others' deaths within seconds.

`--without MECHANISM` takes out one of those that the nights are to need.
"""

import argparse
import os
import socket
from datetime import timedelta
from functools import partial
from pathlib import Path

from janitor.cli.fleet import cleaning
from janitor.cli.fleet.answering import Answerer
from janitor.cli.fleet.cleaning import Cleaner
from janitor.cli.fleet.context import Connections, Written
from janitor.cli.logs import configure_logging
from janitor.fleet.leases.shards import Worker
from janitor.fleet.pace import take_turn
from janitor.fleet.work.worker import FleetWorker, Timing
from janitor.shutdown import Stop, stopping_on_signals
from janitor.transport import http
from tests.fleet.nights.broken import MECHANISMS
from tests.fleet.nights.clock import Clock

LAPSE = timedelta(seconds=1.5)
_TIMING = Timing(timedelta(seconds=0.3), timedelta(seconds=0.1), LAPSE, timedelta(seconds=2))
_SOON = timedelta(seconds=1)
_PACE = timedelta(milliseconds=5)


def main() -> None:
    """Work until a signal."""
    parser = argparse.ArgumentParser(prog="python -m tests.fleet.nights.worker")
    parser.add_argument("name")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--clock", type=Path, required=True)
    parser.add_argument("--shards", type=lambda text: [int(word) for word in text.split(",")], required=True)
    parser.add_argument("--without", choices=sorted(MECHANISMS))
    words = parser.parse_args()
    configure_logging(0)
    http._HEADERS["User-Agent"] += f" ({words.name})"
    setattr(cleaning, "take_turn", partial(take_turn, every=_PACE))  # noqa: B010  mypy: it is not a name of that module
    if words.without is not None:
        MECHANISMS[words.without]()
    work(words.name, words.config, words.clock, words.shards)


def work(name: str, config: Path, clock: Path, shards: list[int]) -> None:
    """As `janitor fleet work` does, but for clock and times."""
    written, stop = Written(config), Stop()
    worker = Worker(name, socket.gethostname(), os.getpid())
    connections = Connections(written.fleet.database, name)
    with stopping_on_signals(stop):
        cleaner = Cleaner(written, connections, name, stop, Clock(clock), wait=lambda _attempt: _SOON, busy_for=_SOON)
        answer = Answerer(config, connections, name, stop).answer
        FleetWorker(written.fleet, worker, cleaner, shards, answer, timing=_TIMING).work()
    connections.close()


if __name__ == "__main__":
    main()
