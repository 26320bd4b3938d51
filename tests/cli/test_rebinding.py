"""Binding a target to another account by command: the question, the answer and the message."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from janitor.errors import Exit
from janitor.sandbox.options import Options
from janitor.sandbox.server import Sandbox, running
from janitor.store import Store
from tests.cli.test_terminal import Screen
from tests.conftest import Desk


@pytest.fixture
def other() -> Iterator[Sandbox]:
    with running(Options(images=60, seed=7, appkey="another-appkey")) as started:
        yield started


def swapped(desk: Desk, sandbox: Sandbox, other: Sandbox) -> None:
    path = desk.folder / "janitor.yaml"
    text = path.read_text().replace(sandbox.url, other.url).replace(sandbox.options.appkey, other.options.appkey)
    path.write_text(text)


def test_another_account_behind_a_target_and_the_way_out(sandbox_desk: Desk, sandbox: Sandbox, other: Sandbox) -> None:
    assert sandbox_desk.janitor("run", "--dry-run").returncode == Exit.OK
    swapped(sandbox_desk, sandbox, other)
    before = len(other.account.images)
    for words in (["run"], ["run", "--accept-survey"], ["apply", "1"]):
        refused = sandbox_desk.janitor(*words)
        assert refused.returncode == Exit.LIMIT, refused.stdout + refused.stderr
        assert "it now reaches a different account (endpoint or appkey)" in " ".join(refused.stdout.split())
    assert len(other.account.images) == before
    unasked = sandbox_desk.janitor("target", "rebind", "sandbox")
    assert (unasked.returncode, "--yes" in unasked.stderr) == (Exit.USAGE, True)
    assert sandbox_desk.janitor("run").returncode == Exit.LIMIT
    rebound = sandbox_desk.janitor("target", "rebind", "sandbox", "--yes")
    assert (rebound.returncode, "reaches, and starts a new history" in rebound.stdout) == (Exit.OK, True), (
        rebound.stderr
    )
    assert "if you say yes" not in rebound.stderr.lower(), "nothing was asked"
    assert "sandbox is bound to the endpoint and appkey that it reached before. From" in " ".join(
        rebound.stderr.split()
    )
    assert "present" not in rebound.stderr, "what is configured now was never bound"
    assert sandbox_desk.janitor("run").returncode == Exit.OK
    assert len(other.account.images) < before
    assert sandbox_desk.janitor("show", "1").returncode == Exit.OK
    assert "120" in sandbox_desk.janitor("runs").stdout
    with closing(sqlite3.connect(sandbox_desk.folder / "sandbox.db")) as conn:
        script = "\n".join(conn.iterdump())
    assert (sandbox.options.appkey in script, other.options.appkey in script) == (False, False)


@pytest.mark.parametrize(("answer", "code"), [("yes\n", Exit.OK), ("y\n", Exit.FAILED), ("\n", Exit.FAILED)])
def test_at_a_terminal_a_yes_is_asked_for(sandbox_desk: Desk, answer: str, code: Exit) -> None:
    sandbox_desk.janitor("run", "--dry-run")
    ended, shown = Screen(80).show(sandbox_desk, "target", "rebind", "sandbox", typed=answer, stdout=False)
    assert (ended, "Type yes: " in shown) == (code, True), shown
    assert "If you say yes, everything recorded about sandbox stops counting" in " ".join(shown.split())
    with Store.open_existing(sandbox_desk.folder / "sandbox.db") as store:
        assert (store.bound("sandbox") is None) is (code is Exit.OK)


def test_a_target_of_which_nothing_is_recorded_cannot_be_bound_again(sandbox_desk: Desk) -> None:
    nothing = sandbox_desk.janitor("target", "rebind", "sandbox", "--yes")
    assert (nothing.returncode, "nothing recorded yet" in nothing.stderr) == (Exit.USAGE, True)
    sandbox_desk.janitor("run", "--dry-run")
    unknown = sandbox_desk.janitor("target", "rebind", "prod", "--yes")
    assert (unknown.returncode, "targets recorded: sandbox" in unknown.stderr) == (Exit.USAGE, True)
