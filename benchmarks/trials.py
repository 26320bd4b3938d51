"""What is measured: surveys of a fleet, deletions, declared texts, and the start of the command.

Rounds are interleaved.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.account import Account
from benchmarks.cloud import sandbox
from benchmarks.processes import JANITOR, Spent, middle, spend

_PLANNED = 100


@dataclass(frozen=True, slots=True)
class Surveys:
    """Dry runs over one fleet beside the bare loop.

    `first` starts a database, `again` finds the fleet unchanged; both plan about a hundred deletions. `refused` is a
    first run with the shipped policies, whose far larger plan is over the limits and listed in the report. Sizes are
    those of the database, in bytes.
    """

    images: int
    latency: int
    bare: Spent
    first: Spent
    again: Spent
    refused: Spent
    planned: int
    planned_refused: int
    size: int
    size_again: int
    size_refused: int
    growth: float


@dataclass(frozen=True, slots=True)
class Deletions:
    """A live run that deletes, so many requests at once; `deleting` is the part from the first request on, in s."""

    images: int
    at_once: int
    deleted: int
    spent: Spent
    deleting: float
    size: int


@dataclass(frozen=True, slots=True)
class Start:
    """`janitor --version`, and the part of it that is python and click."""

    version: Spent
    click: Spent


@dataclass(frozen=True, slots=True)
class Scan:
    """Reading so many MiB of declared texts beside a bare pass of the matcher over them, in s; and images named."""

    mib: int
    bare: float
    whole: float
    named: int

    @property
    def ratio(self) -> float:
        """How much longer it takes to find what all of the texts name than to search them once."""
        return self.whole / self.bare


@dataclass(frozen=True, slots=True)
class Together:
    """Asking all sources of usage in parallel, and the slowest of them by itself, in s."""

    together: float
    slowest: float

    @property
    def ratio(self) -> float:
        """How much longer all of them take than the slowest."""
        return self.together / self.slowest


@contextmanager
def _account(images: int, latency: int) -> Iterator[Account]:
    with (
        tempfile.TemporaryDirectory(prefix="janitor-bench-") as folder,
        sandbox(images, latency, Path(folder)) as configuration,
    ):
        yield Account(configuration, Path(folder))


def surveys(images: int, latency: int, rounds: int, unchanged: int) -> Surveys:
    """Dry runs over a fleet; `unchanged` is over how many runs the growth of the database is averaged."""
    with _account(images, latency) as account:
        refused = account.run("--dry-run")
        planned_refused, size_refused = account.planned(), account.size()
        account.narrow(_PLANNED)
        bare, first, again = [], [], []
        for _ in range(rounds):
            bare.append(account.bare_loop())
            account.forget()
            first.append(account.run("--dry-run"))
            size = account.size()
            again.append(account.run("--dry-run"))
        size_again = account.size()
        for _ in range(unchanged - 1):
            account.run("--dry-run")
        return Surveys(
            images,
            latency,
            middle(bare),
            middle(first),
            middle(again),
            refused,
            account.planned(),
            planned_refused,
            size,
            size_again,
            size_refused,
            (account.size() - size) / unchanged,
        )


def deletions(images: int, count: int, latency: int, at_once: int | None) -> Deletions:
    """Delete so many of a fresh fleet's images, `at_once` at a time; None leaves that at its default."""
    with _account(images, latency) as account:
        account.run("--dry-run")
        account.narrow(count)
        account.forget()
        account.configure(mode="delete")
        if at_once is not None:
            account.configure(concurrency={"deletions": at_once})
        spent = account.run()
        return Deletions(images, at_once or 4, account.planned(), spent, account.deleting_for(), account.size())


def scan(mib: int, rounds: int) -> Scan:
    """Reading so many MiB of declared texts for 10,000 images, beside a bare pass over them."""
    command = [sys.executable, "-m", "benchmarks.declared", str(mib), str(rounds)]
    output = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True).stdout
    return Scan(**json.loads(output))


def sources(latency: int, rounds: int) -> Together:
    """Asking all sources of usage at once, beside the slowest of them asked alone."""
    command = [sys.executable, "-m", "benchmarks.sources", str(latency), str(rounds)]
    output = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True).stdout
    return Together(**json.loads(output))


def start(rounds: int) -> Start:
    """The start of the command beside the start of python with click."""
    version, click = [], []
    with tempfile.TemporaryDirectory(prefix="janitor-bench-") as folder:
        output = Path(folder, "output.txt")
        for _ in range(rounds):
            version.append(spend([JANITOR, "--version"], output))
            click.append(spend([sys.executable, "-c", "import click"], output))
    return Start(middle(version), middle(click))
