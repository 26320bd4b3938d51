"""Cases of the benchmarks, on nearly nothing: each runs, and measures what is recorded of it."""

import json
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from benchmarks.account import Account, account
from benchmarks.case import Measure
from benchmarks.cases import commands, deletions, history, rehearsals, starts, surveys, texts
from benchmarks.long_history import lengthen
from benchmarks.recorded import recorded
from benchmarks.served.cloud import Served, served

NEARLY_NOTHING: dict[str, Measure] = {
    "imports": starts.imports,
    "version": starts.version,
    "process-10k": surveys.dry_runs(200, targets=2, term=24),
    "history": history.long_history(200, 3, 2),
    "deletions": deletions.each(100, 5),
    "deletions-at-once": deletions.at_once(100, 5, 1),
    "commands": commands.reading(100),
    "preview": rehearsals.preview(100, 5),
    "backtest": rehearsals.backtest(100, 5, 8),
    "sources": texts.sources(0),
}
CHURN, IMAGES, RUNS = 10, 100, 3


@pytest.mark.parametrize("name", NEARLY_NOTHING)
def test_a_case_measures_what_is_recorded_of_it(name: str) -> None:
    said: list[str] = []
    measured = NEARLY_NOTHING[name](1, said.append)
    assert said
    assert {known.figure for known in recorded() if known.case == name} <= measured.figures.keys()
    assert all(spent.cpu > 0 and spent.wall > 0 for every in measured.processes.values() for spent in every)


@pytest.fixture
def slow() -> Iterator[Served]:
    """A server that takes so long for each request that others come meanwhile."""
    with served(3, 300) as cloud:
        yield cloud


def test_the_server_answers_requests_of_other_connections_meanwhile(slow: Served) -> None:
    place = ("127.0.0.1", int(slow.url.rpartition(":")[2]))
    with ExitStack() as opened:
        lines = [opened.enter_context(socket.create_connection(place)) for _ in range(4)]
        for line in lines:
            line.sendall(b"GET /v1.0/appkeys/appkey-0000/images HTTP/1.1\r\nHost: here\r\n\r\n")
        pages = [_body(line) for line in lines]
    assert [len(json.loads(page)["images"]) for page in pages] == [3] * 4
    assert slow.counts() == {"requests": 4, "at_once": 4}


def _body(line: socket.socket) -> bytes:
    with line.makefile("rb") as answer:
        head = iter(answer.readline, b"\r\n")
        length = next(
            int(value) for name, _, value in (said.partition(b":") for said in head) if name == b"Content-Length"
        )
        for _ in head:
            pass
        return answer.read(length)


def test_the_bare_loop_and_the_janitor_see_the_same_list(tmp_path: Path) -> None:
    with served(1_200, 0) as cloud:
        ground = Account(cloud, tmp_path)
        ground.cloud.again(50, 1_100)
        ground.bare_loop()
        ground.run("--dry-run")
    assert int((tmp_path / "count.txt").read_text()) == 1_100
    assert ground.query("SELECT count(*), count(DISTINCT image) FROM current_images") == (1_100, 1_100)
    assert ground.size() > 0


def test_a_history_that_is_made_is_like_one_that_grew(tmp_path: Path) -> None:
    with account(IMAGES + CHURN * (RUNS - 1)) as ground:
        ground.configure(limits={"max_shrink": "100%"})
        ground.cloud.again(0, IMAGES)
        ground.run("--dry-run")
        lengthen(ground.database, tmp_path / "made.db", RUNS, CHURN)
        ground.forget()
        for run in reversed(range(RUNS)):
            ground.cloud.again(CHURN * run, IMAGES)
            ground.run("--dry-run")
        grown = _shape(ground.database)
    assert _shape(tmp_path / "made.db") == grown


def _shape(database: Path) -> dict[str, list[tuple[int, ...]]]:
    """How many rows each table of images has, and how many of them are still valid; and how many runs there are."""
    counts = {
        "images": "count(*), sum(present)",
        **dict.fromkeys(("image_facts", "decisions", "image_clocks"), "count(*), sum(until_run IS NULL)"),
        **dict.fromkeys(("runs", "surveys"), "count(*), max(run)"),
    }
    with closing(sqlite3.connect(database)) as conn:
        return {table: conn.execute(f"SELECT {count} FROM {table}").fetchall() for table, count in counts.items()}
