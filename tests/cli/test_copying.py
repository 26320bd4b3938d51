"""`janitor db copy` as a user sees it, and runs on a copy, which is not taken for the original."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from janitor.core.result import Mode
from janitor.errors import Exit
from janitor.sandbox.server import Sandbox
from janitor.store import Store
from tests.conftest import Desk
from tests.documentation import ROOT
from tests.factories import NOW
from tests.slack_stand_in import SlackStandIn


def on_copy(desk: Desk, copy: str = "copy.db") -> list[str]:
    """The options by which a command uses a copy as its database."""
    text = (desk.folder / "janitor.yaml").read_text()
    desk.write("on-copy.yaml", re.sub(r"^database: .*$", f"database: {copy}", text, flags=re.MULTILINE))
    return ["-c", "on-copy.yaml"]


def test_it_says_what_the_copy_holds(sandbox_desk: Desk) -> None:
    sandbox_desk.janitor("run", "--dry-run")
    done = sandbox_desk.janitor("db", "copy", "copy.db")
    assert (done.returncode, done.stderr) == (Exit.OK, "")
    assert re.fullmatch(
        r"copy\.db: [0-9.]+ [KM]iB, 1 run; the latest, run 1, ended \d{4}-\d\d-\d\d \d\d:\d\d UTC\n", done.stdout
    )
    shown = sandbox_desk.janitor("show", "1")
    assert sandbox_desk.janitor("show", "1", *on_copy(sandbox_desk)).stdout == shown.stdout


def test_a_run_that_goes_on_is_in_the_copy_as_one_that_has_not_ended(desk: Desk) -> None:
    desk.write("janitor.yaml", "targets: [{name: prod, appkey: k, username: u, password: p}]\n")
    with Store.open(desk.folder / "janitor.db") as store:
        store.begin_run(Mode.DRY_RUN, NOW)
        done = desk.janitor("db", "copy", "copy.db")
    assert "1 run; the latest, run 1, began " in done.stdout
    assert done.stdout.endswith("and has not ended there\n")


def test_it_needs_a_database_and_a_free_name(desk: Desk) -> None:
    desk.write("janitor.yaml", "targets: [{name: prod, appkey: k, username: u, password: p}]\n")
    done = desk.janitor("db", "copy", "copy.db")
    assert (done.returncode, done.stderr) == (2, "janitor: nothing recorded yet: run `janitor run --dry-run` first\n")
    with Store.open(desk.folder / "janitor.db") as store:
        store.begin_run(Mode.DRY_RUN, NOW)
    desk.write("copy.db", "precious")
    done = desk.janitor("db", "copy", "copy.db")
    assert done.returncode == Exit.USAGE
    assert done.stderr == "janitor: copy.db exists, and is not overwritten: name another file, or move it away\n"
    assert Path(desk.folder / "copy.db").read_text() == "precious"


def test_a_run_on_a_copy_deletes_nothing_the_first_time(sandbox_desk: Desk, sandbox: Sandbox) -> None:
    sandbox_desk.janitor("run", "--dry-run")
    sandbox_desk.janitor("db", "copy", "copy.db")
    options, before = on_copy(sandbox_desk), len(sandbox.account.images)
    assert "is a copy, made after run 1" in sandbox_desk.janitor("check", *options).stdout
    refused = sandbox_desk.janitor("run", *options)
    assert (refused.returncode, len(sandbox.account.images)) == (Exit.LIMIT, before)
    assert "nothing deleted: the database is a copy, made after run 1: what" in " ".join(refused.stdout.split())
    assert "is a copy" not in sandbox_desk.janitor("check", *options).stdout
    assert sandbox_desk.janitor("run", *options).returncode == Exit.OK
    assert len(sandbox.account.images) < before


def test_the_original_goes_on_as_before(sandbox_desk: Desk, sandbox: Sandbox) -> None:
    sandbox_desk.janitor("run", "--dry-run")
    before = len(sandbox.account.images)
    sandbox_desk.janitor("db", "copy", "copy.db")
    assert sandbox_desk.janitor("run").returncode == Exit.OK
    assert len(sandbox.account.images) < before


def test_a_copy_that_replaces_the_original_deletes_nothing_the_first_time(sandbox_desk: Desk, sandbox: Sandbox) -> None:
    sandbox_desk.janitor("run", "--dry-run")
    sandbox_desk.janitor("db", "copy", "copy.db")
    (sandbox_desk.folder / "copy.db").replace(sandbox_desk.folder / "sandbox.db")
    before = len(sandbox.account.images)
    codes = [sandbox_desk.janitor("run", "--dry-run").returncode for _ in range(2)]
    assert codes == [Exit.LIMIT, Exit.OK]
    assert sandbox_desk.janitor("run").returncode == Exit.LIMIT, "no live run has looked since"
    assert len(sandbox.account.images) == before


def test_a_copy_of_a_copy_is_one_too(sandbox_desk: Desk, sandbox: Sandbox) -> None:
    sandbox_desk.janitor("run", "--dry-run")
    sandbox_desk.janitor("db", "copy", "copy.db")
    options = on_copy(sandbox_desk)
    assert [sandbox_desk.janitor("run", *options).returncode for _ in range(2)] == [Exit.LIMIT, Exit.OK]
    sandbox_desk.janitor("db", "copy", "again.db", *options)
    assert "is a copy, made after run 3" in sandbox_desk.janitor("check", *on_copy(sandbox_desk, "again.db")).stdout
    before = len(sandbox.account.images)
    assert sandbox_desk.janitor("run", *on_copy(sandbox_desk, "again.db")).returncode == Exit.LIMIT
    assert len(sandbox.account.images) == before


def test_no_secret_is_in_the_database(sandbox_desk: Desk, slack: SlackStandIn) -> None:
    reference = "{url: 'https://user:name-password@127.0.0.1:1/x?key=query-secret', needed: optional}"
    sandbox_desk.amend(f"slack: {{webhook_url: '{slack.webhook_url}'}}\nreferences: [{reference}]\n")
    sandbox_desk.amend("heartbeat_url: http://127.0.0.1:1/ping/secret-of-heartbeat\nhttp: {attempts: 1}\n")
    slack.refuse_after = 0  # an undelivered report is kept with its texts
    assert sandbox_desk.janitor("run").returncode == Exit.FAILED
    text = (sandbox_desk.folder / "janitor.yaml").read_text()
    [password] = re.findall(r'password: "([^"]+)"', text)
    [appkey] = re.findall(r'appkey: "([^"]+)"', text)
    webhook = slack.webhook_url.rpartition("/")[2]
    sandbox_desk.janitor("db", "copy", "copy.db")
    with closing(sqlite3.connect(sandbox_desk.folder / "copy.db")) as db:
        content = "\n".join(db.iterdump())
    assert 'INSERT INTO "reports"' in content
    for secret in (password, appkey, webhook, "name-password", "query-secret", "secret-of-heartbeat"):
        assert secret not in content


SLOW = """
import signal, threading
from janitor.cli.app import main
from janitor.store.transactions import copying

def takes_long(*_words):
    print("syncing", flush=True)
    threading.Event().wait()

copying.sync = takes_long
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # even where these tests run under nohup
main()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_leaves_nothing_behind_even_where_the_disk_takes_long(desk: Desk, number: signal.Signals) -> None:
    desk.write("janitor.yaml", "targets: [{name: prod, appkey: k, username: u, password: p}]\n")
    with Store.open(desk.folder / "janitor.db") as store:
        store.begin_run(Mode.DRY_RUN, NOW)
    (desk.folder / "copies").mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", SLOW, "db", "copy", "copies/copy.db"],
        cwd=desk.folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as copying:
        assert copying.stdout is not None
        assert copying.stdout.readline() == "syncing\n"
        assert len(list((desk.folder / "copies").iterdir())) == 1
        copying.send_signal(number)
        said = copying.communicate(timeout=60)
    assert (copying.returncode, said) == (128 + number, ("", "janitor: interrupted\n"))
    assert list((desk.folder / "copies").iterdir()) == []


def test_what_another_copy_has_left_is_named(desk: Desk) -> None:
    desk.write("janitor.yaml", "targets: [{name: prod, appkey: k, username: u, password: p}]\n")
    with Store.open(desk.folder / "janitor.db") as store:
        store.begin_run(Mode.DRY_RUN, NOW)
    desk.write(".\x1b.0123abcd.tmp-journal", "")
    done = desk.janitor("db", "copy", "copy.db")
    assert (done.returncode, done.stderr) == (
        Exit.OK,
        "1 file left by a copy that was killed, to be removed unless a copy is being made there now: "
        ".\\x1b.0123abcd.tmp-journal\n",
    )


AS_OTHERS = """
import ctypes, os, sys
if os.geteuid() == 0:  # without this capability, permissions are for root, too
    PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1
    assert ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0) == 0
os.execv(sys.executable, [sys.executable, "-W", "error", "-c", sys.argv[1], *sys.argv[2:]])
"""
COMMAND = """
import os
assert not os.access(".", os.W_OK)
from janitor.cli.app import main
main()
"""
POLICY = 'policies: [{name: old, match: {name: "*"}, expire: {after: 14d}}]'
TESTS = "now: 2026-06-01\nimages: [{name: a, age: 20d}]\nexpect: {a: {delete: old}}\n"


@pytest.mark.parametrize(
    "words",
    [
        ["preview", "--policies", "policies"],
        ["backtest"],
        ["diff", "1", "2"],
        ["show", "latest"],
        ["images"],
        ["policies"],
        ["test"],
    ],
    ids=" ".join,
)
def test_a_copy_is_read_in_a_folder_that_cannot_be_written(recorded: Path, words: list[str]) -> None:
    before = {file.name: file.stat().st_mtime_ns for file in recorded.iterdir()}
    done = subprocess.run(
        [sys.executable, "-c", AS_OTHERS, COMMAND, *words],
        cwd=recorded,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert {file.name: file.stat().st_mtime_ns for file in recorded.iterdir()} == before


@pytest.fixture
def recorded(sandbox_desk: Desk) -> Iterator[Path]:
    """A folder that nobody may write, with a copy, a configuration without its secrets, and policies."""
    for _ in range(2):
        sandbox_desk.janitor("run", "--dry-run")
    with TemporaryDirectory(prefix="janitor-", dir="/tmp") as made:
        folder = Path(made)
        sandbox_desk.janitor("db", "copy", str(folder / "copy.db"))
        text = (sandbox_desk.folder / "janitor.yaml").read_text()
        text = re.sub(r"^database: .*$", "database: copy.db", text, flags=re.MULTILINE)
        text = re.sub(r"^policies: .*$", "policies: policies", text, flags=re.MULTILINE)
        (folder / "janitor.yaml").write_text(re.sub(r"(appkey|password): .*", r"\1: ${NOT_HERE}", text))
        (folder / "policies").mkdir()
        (folder / "policies/old.yaml").write_text(POLICY)
        (folder / "policies/old.test.yaml").write_text(TESTS)
        (folder / "copy.db").chmod(0o444)
        folder.chmod(0o555)
        yield folder
        folder.chmod(0o755)


@pytest.mark.parametrize("name", [".", "./", "/", "..", "policies"])
def test_a_folder_is_no_name_of_a_copy(sandbox_desk: Desk, name: str) -> None:
    sandbox_desk.janitor("run", "--dry-run")
    (sandbox_desk.folder / "policies").mkdir(exist_ok=True)
    done = sandbox_desk.janitor("db", "copy", name)
    assert (done.returncode, "exists, and is not overwritten" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("rules/copy.yaml", 'FILE: "copy.yaml" would be read as a policy file'),
        ("texts/copy.tf", 'FILE: "copy.tf" is a file which the reference "texts/*.tf" matches'),
    ],
)
def test_a_copy_is_not_written_where_it_would_be_read(sandbox_desk: Desk, name: str, why: str) -> None:
    config = sandbox_desk.folder / "janitor.yaml"
    text = re.sub(r"^policies: .*$", "policies: rules", config.read_text(), flags=re.MULTILINE)
    config.write_text(f"{text}\nreferences: [{{files: texts/*.tf}}]\n")
    sandbox_desk.write("rules/old.yaml", "policies: [{name: old, match: {name: x}}]\n")
    sandbox_desk.write("texts/main.tf", "nothing")
    sandbox_desk.janitor("run", "--dry-run")
    done = sandbox_desk.janitor("db", "copy", name)
    assert (done.returncode, why in done.stderr) == (2, True), done.stderr
    assert not (sandbox_desk.folder / name).exists()
