"""Two targets that list the same images, as a user meets them: refused, and told apart by command."""

import pytest

from janitor.errors import Exit
from janitor.sandbox.server import Sandbox
from janitor.store import Store
from tests.cli.test_terminal import Screen
from tests.conftest import Desk

PAIR = ("again", "sandbox")


@pytest.fixture
def twice(sandbox_desk: Desk, sandbox: Sandbox) -> Desk:
    """The sandbox under two names and addresses."""
    path = sandbox_desk.folder / "janitor.yaml"
    before, begin, rest = path.read_text().partition("targets:\n")
    target, end, after = rest.partition("limits:")
    again = target.replace('"sandbox"', '"again"').replace("127.0.0.1", "localhost")
    path.write_text(f"{before}{begin}{again}{target}{end}{after}")
    return sandbox_desk


def test_two_targets_that_are_told_apart_are_both_cleaned(twice: Desk, sandbox: Sandbox) -> None:
    before = len(sandbox.account.images)
    refused = twice.janitor("run")
    assert refused.returncode == Exit.LIMIT, refused.stderr
    assert "`janitor target distinct again sandbox`" in " ".join(refused.stdout.split())
    assert twice.janitor("run", "--accept-survey", "--target", "sandbox").returncode == Exit.LIMIT
    assert len(sandbox.account.images) == before
    unasked = twice.janitor("target", "distinct", *PAIR)
    assert (unasked.returncode, "--yes" in unasked.stderr) == (Exit.USAGE, True)
    assert twice.janitor("run").returncode == Exit.LIMIT
    told = twice.janitor("target", "distinct", *reversed(PAIR), "--yes")
    assert (told.returncode, told.stdout) == (Exit.OK, "again and sandbox are two accounts: the next run cleans both\n")
    assert "again and sandbox both listed image" in " ".join(told.stderr.split())
    assert twice.janitor("run", "--target", "sandbox").returncode == Exit.OK
    assert len(sandbox.account.images) < before


@pytest.mark.parametrize(("answer", "code"), [("yes\n", Exit.OK), ("y\n", Exit.FAILED)])
def test_at_a_terminal_it_is_asked_for(twice: Desk, answer: str, code: Exit) -> None:
    twice.janitor("run", "--dry-run")
    ended, shown = Screen(80).show(twice, "target", "distinct", *PAIR, typed=answer, stdout=False)
    assert (ended, "Are again and sandbox two accounts? Type yes: " in shown) == (code, True), shown
    with Store.open_existing(twice.folder / "sandbox.db") as store:
        [pair] = store.account_pairs()
    assert (pair.names, pair.told_apart_by is not None) == (PAIR, code is Exit.OK)


def test_only_what_a_run_found_can_be_told_apart(twice: Desk) -> None:
    twice.janitor("run", "--dry-run", "--target", "sandbox")
    early = twice.janitor("target", "distinct", *PAIR, "--yes")
    assert (early.returncode, "targets of which one did: none" in early.stderr) == (Exit.USAGE, True), early.stderr
    twice.janitor("run", "--dry-run")
    other = twice.janitor("target", "distinct", "sandbox", "prod", "--yes")
    assert (other.returncode, "targets of which one did: again and sandbox" in other.stderr) == (Exit.USAGE, True)
