"""A run ends with the upkeep of its database, and commands say plainly what is no longer kept."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

from janitor.core.result import Mode
from janitor.run.sites import Choice
from janitor.sandbox.options import Options
from tests import runs
from tests.conftest import Desk
from tests.in_process import in_process

POLICIES = 'policies:\n  - {name: old, match: {name: "*"}, expire: {after: 5d}}\n'


def nights(desk: Desk, count: int, *lines: str) -> None:
    """Dry runs, each ten days after the one before, of a sandbox whose clock goes with them."""
    now = datetime.now(UTC)
    sandbox, transport = in_process(Options(images=20), clock=lambda: now)
    settings, rules = runs.settings_on(desk.folder, sandbox, *lines, mode=Mode.DRY_RUN, policies=POLICIES)
    for _ in range(count):
        around = {"clock": lambda: now, "http_transport": transport}  # noqa: B023 - the clock goes on
        runs.perform(settings, rules, Mode.DRY_RUN, Choice(settings.targets), **around)
        now += timedelta(days=10)


def test_old_runs_lose_their_details_and_every_command_says_so(desk: Desk) -> None:
    nights(desk, 6, "keep_history: 15d")
    listed = desk.janitor("runs")
    assert "Without details, which were dropped as `keep_history` says: run 1 to 2." in listed.stdout
    assert len(listed.stdout.splitlines()) > 5
    for words in (["show", "1"], ["show", "1", "--format", "json"], ["images", "--run", "2"], ["apply", "1"]):
        done = desk.janitor(*words)
        assert (done.returncode, done.stdout) == (2, ""), words
        assert f"the details of run {words[1] if words[0] != 'images' else 2} were dropped" in done.stderr
    assert desk.janitor("show", "3").returncode == desk.janitor("images").returncode == 0
    assert "run whose details are still kept has seen" in desk.janitor("explain", "no-such-id").stderr
    with closing(sqlite3.connect(desk.folder / "janitor.db")) as db:
        assert db.execute("SELECT DISTINCT run FROM snapshots ORDER BY run").fetchall() == [(3,), (4,), (5,), (6,)]


def test_without_the_key_everything_is_kept(desk: Desk) -> None:
    nights(desk, 4)
    assert "Without details" not in desk.janitor("runs").stdout
    assert desk.janitor("show", "1").returncode == 0


def test_a_run_leaves_statistics_for_the_next(desk: Desk) -> None:
    nights(desk, 1)
    with closing(sqlite3.connect(desk.folder / "janitor.db")) as db:
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert "sqlite_stat1" in tables
