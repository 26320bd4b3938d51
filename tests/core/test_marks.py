"""By a mark beside the database an older copy is recognised, which lacks later exemptions and notices."""

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from janitor.cli import configuration, wiring
from janitor.config import load_settings
from janitor.core.memory import Notice
from janitor.core.result import DeletionOutcome, Mode, Outcome
from janitor.core.survey.mark import Mark
from janitor.errors import Exit, StoreError
from janitor.run.sites import Choice
from janitor.sandbox.server import Sandbox
from janitor.store import Store, read_mark, write_mark
from janitor.store.trust.marks import mark_file
from tests import runs
from tests.conftest import Desk
from tests.factories import NOW


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "janitor.db"


# The file


def test_a_mark_is_read_as_it_was_written_and_is_its_owners_only(database: Path) -> None:
    assert read_mark(database) is None
    for mark in (Mark(1, "a"), Mark(2, "b")):
        write_mark(database, mark)
        assert read_mark(database) == mark
    [file] = list(database.parent.iterdir())
    assert (file.name, oct(file.stat().st_mode & 0o777)) == ("janitor.db.mark", "0o600")


def test_a_link_to_the_database_has_the_same_mark(database: Path) -> None:
    link = database.with_name("link.db")
    link.symlink_to(database)
    write_mark(link, Mark(1, "a"))
    assert read_mark(database) == Mark(1, "a")


def make_folder(path: Path) -> None:
    path.mkdir()


def make_link(path: Path) -> None:
    path.symlink_to("/dev/zero")


UNREADABLE: list[Callable[[Path], object]] = [
    make_folder,
    make_link,
    os.mkfifo,
    lambda path: path.write_bytes(b"\xff\xfe"),
    lambda path: path.write_text(""),
    lambda path: path.write_text("[]"),
    lambda path: path.write_text('{"run": "1", "id": "a"}'),
    lambda path: path.write_text('{"run": true, "id": "a"}'),
    lambda path: path.write_text("[" * 4000),
]


@pytest.mark.parametrize("make", UNREADABLE)
def test_a_mark_that_cannot_be_read_is_an_error(database: Path, make: Callable[[Path], object]) -> None:
    make(mark_file(database))
    with pytest.raises(StoreError, match=r"janitor\.db\.mark"):
        read_mark(database)


def test_a_link_in_the_place_of_a_mark_is_called_one(database: Path) -> None:
    mark_file(database).symlink_to("elsewhere")
    with pytest.raises(StoreError, match=r"janitor\.db\.mark: it is a link, .* then remove the link, and run again"):
        read_mark(database)


def test_a_mark_that_cannot_be_written_leaves_nothing_behind(database: Path) -> None:
    mark_file(database).mkdir()
    with pytest.raises(StoreError, match=r"janitor\.db\.mark"):
        write_mark(database, Mark(1, "a"))
    assert [file.name for file in database.parent.iterdir()] == ["janitor.db.mark"]


def test_a_database_knows_every_mark_that_it_left(database: Path) -> None:
    with Store.open(database) as store:
        marks = [store.mark_run(store.begin_run(Mode.DRY_RUN, NOW)) for _ in range(3)]
        assert [mark.run for mark in marks] == [1, 2, 3]
        assert [store.knows(mark) for mark in marks] == [True] * 3
        assert not store.knows(Mark(3, "another"))


# A copy that was restored


def copy(desk: Desk, source: str, to: str) -> None:
    shutil.copy(desk.folder / source, desk.folder / to)


def test_a_restored_database_deletes_nothing_in_its_first_run(sandbox_desk: Desk, sandbox: Sandbox) -> None:
    assert sandbox_desk.janitor("run", "--dry-run").returncode == Exit.OK
    copy(sandbox_desk, "sandbox.db", "copy.db")
    assert sandbox_desk.janitor("run", "--dry-run").returncode == Exit.OK
    copy(sandbox_desk, "copy.db", "sandbox.db")
    before = len(sandbox.account.images)
    checked = sandbox_desk.janitor("check")
    assert "does not know run 2" in checked.stdout
    refused = sandbox_desk.janitor("run")
    words = " ".join(refused.stdout.split())
    assert (refused.returncode, len(sandbox.account.images)) == (Exit.LIMIT, before), words
    assert "nothing deleted: the database does not know run 2" in words
    assert "does not know" not in sandbox_desk.janitor("check").stdout
    assert sandbox_desk.janitor("run").returncode == Exit.OK
    assert len(sandbox.account.images) < before


def test_a_plan_is_not_applied_by_a_restored_database(sandbox_desk: Desk, sandbox: Sandbox) -> None:
    sandbox_desk.janitor("run", "--dry-run")
    copy(sandbox_desk, "sandbox.db", "copy.db")
    sandbox_desk.janitor("run", "--dry-run")
    copy(sandbox_desk, "copy.db", "sandbox.db")
    before = len(sandbox.account.images)
    assert sandbox_desk.janitor("apply", "1", "--yes").returncode == Exit.LIMIT
    assert len(sandbox.account.images) == before


def test_a_dry_run_says_so_and_the_first_live_run_still_deletes_nothing(sandbox_desk: Desk, sandbox: Sandbox) -> None:
    sandbox_desk.janitor("run", "--dry-run")
    copy(sandbox_desk, "sandbox.db", "copy.db")
    sandbox_desk.janitor("run", "--dry-run")
    copy(sandbox_desk, "copy.db", "sandbox.db")
    before = len(sandbox.account.images)
    codes = [sandbox_desk.janitor("run", "--dry-run").returncode for _ in range(2)]
    assert codes == [Exit.LIMIT, Exit.OK]
    assert sandbox_desk.janitor("run").returncode == Exit.LIMIT
    assert len(sandbox.account.images) == before
    assert sandbox_desk.janitor("run").returncode == Exit.OK
    assert len(sandbox.account.images) < before


def test_an_exemption_leaves_a_mark_too(sandbox_desk: Desk, sandbox: Sandbox) -> None:
    sandbox_desk.janitor("run", "--dry-run")
    copy(sandbox_desk, "sandbox.db", "copy.db")
    image = next(iter(sandbox.account.images))
    kept = sandbox_desk.janitor("keep", image, "--for", "30d", "--why", "x")
    assert kept.returncode == Exit.OK, kept.stderr
    assert "does not know" not in sandbox_desk.janitor("check").stdout
    copy(sandbox_desk, "copy.db", "sandbox.db")
    # What is exempted again does not hide that the database is an older copy.
    sandbox_desk.janitor("keep", image, "--for", "30d", "--why", "x")
    assert sandbox_desk.janitor("run").returncode == Exit.LIMIT


def test_a_run_that_was_killed_before_it_left_its_mark_blocks_nothing(sandbox_desk: Desk) -> None:
    """The database is ahead of its mark then."""
    sandbox_desk.janitor("run", "--dry-run")
    copy(sandbox_desk, "sandbox.db.mark", "mark")
    sandbox_desk.janitor("run", "--dry-run")
    copy(sandbox_desk, "mark", "sandbox.db.mark")
    assert sandbox_desk.janitor("run").returncode == Exit.OK


def test_a_missing_mark_is_no_sign(sandbox_desk: Desk) -> None:
    sandbox_desk.janitor("run", "--dry-run")
    (sandbox_desk.folder / "sandbox.db.mark").unlink()
    assert sandbox_desk.janitor("run").returncode == Exit.OK
    mark = json.loads((sandbox_desk.folder / "sandbox.db.mark").read_text())
    assert mark["run"] == 2


def test_what_only_reads_leaves_the_mark_alone(sandbox_desk: Desk) -> None:
    sandbox_desk.janitor("run", "--dry-run")
    mark = sandbox_desk.folder / "sandbox.db.mark"
    before = (mark.read_bytes(), mark.stat().st_ino)
    for words in (["check"], ["runs"], ["show", "1"], ["images"], ["keep", "--list"]):
        assert sandbox_desk.janitor(*words).returncode == Exit.OK
    assert (mark.read_bytes(), mark.stat().st_ino) == before


def test_a_mark_that_cannot_be_read_stops_the_run_before_it_deletes(sandbox_desk: Desk, sandbox: Sandbox) -> None:
    (sandbox_desk.folder / "sandbox.db.mark").write_text("garbage")
    before = len(sandbox.account.images)
    for words in (["run"], ["check"]):
        failed = sandbox_desk.janitor(*words)
        said = "".join(failed.stdout.split())
        assert (failed.returncode, "sandbox.db.mark:itcannotberead" in said) == (Exit.FAILED, True), failed.stdout
    assert len(sandbox.account.images) == before


def test_a_mark_that_cannot_be_written_fails_the_run_which_says_what_it_did(
    sandbox_desk: Desk, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_database: Path, _mark: Mark) -> None:
        raise StoreError("mark of the database: no space left")

    monkeypatch.setattr(wiring, "write_mark", fail)
    settings = load_settings(sandbox_desk.folder / "janitor.yaml", {})
    result = runs.perform(settings, configuration.rules_of(settings), Mode.DELETE, Choice(settings.targets))
    assert (result.outcome, result.error) == (Outcome.FAILED, "mark of the database: no space left")
    assert {deletion.outcome for deletion in result.targets[0].deletions} == {DeletionOutcome.DELETED}
    assert wiring.code_of(result) is Exit.FAILED


def test_notices_of_a_restored_database_count_no_more(sandbox_desk: Desk) -> None:
    with Store.open(sandbox_desk.folder / "sandbox.db") as store:
        run = store.begin_run(Mode.DELETE, NOW)
        store.announce(
            run, {("sandbox", "i1"): Notice("told", timedelta(days=2), NOW, NOW + timedelta(days=2))}, [], NOW
        )
        assert store.memory("sandbox").notices
    write_mark(sandbox_desk.folder / "sandbox.db", Mark(9, "of a later one"))
    assert sandbox_desk.janitor("run", "--dry-run").returncode == Exit.LIMIT
    with closing(sqlite3.connect(sandbox_desk.folder / "sandbox.db")) as conn:
        assert conn.execute("SELECT ended FROM notices").fetchall() == [("restored",)]
