"""How a command about one account is written: in a fleet, that of `fleet exec`, whoever writes it in which thread."""

import ast
import re
from datetime import UTC, timedelta
from pathlib import Path
from threading import Thread

import pytest

import janitor
from janitor.cli.commands.fleet.asking import COMMANDS
from janitor.commands import about, as_here, command
from janitor.report.headline import advice
from janitor.shutdown import Stop, within
from tests.factories import make_run, make_target, to_delete
from tests.report.terminal import report, unfolded

ROOT = Path(janitor.__file__).parent
KEEP = 'keep 4f2a --for 30d --why "…"'
ABOUT_ONE_HOST = {
    "cli/app.py": "the help of the whole program",
    "cli/commands": "the help of commands, and what `init` says: there is no fleet yet",
    "cli/fleet": "commands of the fleet itself",
    "cli/probing": "the next steps of `check`",
    "cli/wiring.py": "who holds the database",
    "core/planning/refusal.py": "a sign by which a sentence is recognised",
    "notify/delivery.py": "who holds the database",
    "notify/slack/listening": "clicks, which nobody listens to in a fleet",
    "sandbox": "a cloud for trials",
    "store/database.py": "`janitor db copy` writes a file, and is for the host that has the database",
    "config": "how a configuration is begun",
}
"""Where a command about one account may be named as it is on one host, each with why."""


def test_on_one_host_it_is_the_command_itself() -> None:
    assert command(KEEP) == f"janitor {KEEP}"
    assert command("apply 7", asks=True) == "janitor apply 7"


@pytest.mark.parametrize(
    ("account", "begins"),
    [
        pytest.param("prod-7", "janitor fleet exec prod-7 --", id="a-word"),
        pytest.param("kr 1", "janitor fleet exec 'kr 1' --", id="two-words"),
        pytest.param("-x", "janitor fleet exec -- -x --", id="like-an-option"),
    ],
)
def test_in_a_fleet_it_is_that_of_exec(account: str, begins: str) -> None:
    with about(account):
        assert command(KEEP) == f"{begins} {KEEP}"
        assert command("apply 7", asks=True) == f"{begins} apply 7 --yes"
    assert command(KEEP) == f"janitor {KEEP}"


def test_a_thread_that_works_for_an_account_writes_it_likewise() -> None:
    found: list[str | None] = []

    def write() -> None:
        found.append(command("runs"))

    with about("lab"):
        thread = Thread(target=as_here(write))
        found.append(within(lambda: command("runs"), Stop(), timedelta()))
    thread.start()
    thread.join()
    assert found == ["janitor fleet exec lab -- runs"] * 2


def test_the_reports_of_an_account_name_it() -> None:
    run = make_run(make_target([to_delete()]))
    with about("lab"):
        [said] = advice(run, UTC)
        assert "keeps it by `janitor fleet exec lab -- keep`" in unfolded(report(run))
    assert said.endswith("keeps it by `janitor fleet exec lab -- keep`.")


def strings(path: Path) -> list[str]:
    """The texts of a module that are no docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    found = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in alone)
    return [node.value for node in found if isinstance(node.value, str)]


def test_no_message_names_such_a_command_by_hand() -> None:
    named = re.compile(rf"janitor ({'|'.join(name.split()[0] for name in COMMANDS)})\b")
    found = {
        str(path.relative_to(ROOT)): text
        for path in ROOT.rglob("*.py")
        for text in strings(path)
        if named.search(text) and not str(path.relative_to(ROOT)).startswith(tuple(ABOUT_ONE_HOST))
    }
    assert found == {}
