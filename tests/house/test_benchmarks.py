"""Benchmarks are not run by tests, so what they begin with is tried here, on nearly nothing."""

from pathlib import Path

from benchmarks.account import Account
from benchmarks.cloud import sandbox


def test_a_benchmark_finds_its_sandbox_runs_the_janitor_and_pages_through_the_bare_loop(tmp_path: Path) -> None:
    with sandbox(5, 0, tmp_path) as configuration:
        account = Account(configuration, tmp_path)
        assert account.run("--dry-run").cpu > 0
        assert account.bare_loop().cpu > 0
    assert account.size() > 0
