"""Databases that an earlier version wrote are read, migrated and reported as they were then.

Each file in `before/` is a database as SQL, after some nights with faults, crashes, notices and deletions, and beside
it what that version said of each of its runs as JSON. Sentences may change; keys, codes, times, ids and numbers
may not.
"""

import json
import lzma
import re
import shutil
import sqlite3
from collections.abc import Iterable
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from janitor.cli.explain import explanation
from janitor.config import load_settings
from janitor.config.policy_files import Rules
from janitor.core.explaining.waiting import waiting_in
from janitor.report.answers.explanation import explanation_page
from janitor.report.answers.explanation_json import explanation_json
from janitor.report.as_json import json_report
from janitor.report.tables import images_json
from janitor.store import Store, inspect
from tests.config.configuration import TARGET
from tests.factories import NOW, OLD
from tests.replays import decided_again

BEFORE = Path(__file__).parent / "before"
NAMES = sorted(path.name.removesuffix(".sql.xz") for path in BEFORE.glob("*.sql.xz"))
CODES = {
    "toast": {"failed", "undated", "kept-daily"},
    "settled": {"failed", "accepted", "usage-unknown"},
    "reminded": {"referenced", "kept-newest", "pinned"},
}
SENTENCES = {"detail", "error", "remarks", "usage_problem", "usage_remarks"}


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def written(name: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database as it was written."""
    path = tmp_path_factory.mktemp("before") / "janitor.db"
    with sqlite3.connect(path) as db:
        db.executescript(lzma.decompress((BEFORE / f"{name}.sql.xz").read_bytes()).decode())
    db.close()
    return path


@pytest.fixture
def migrated(written: Path, tmp_path: Path) -> Path:
    """The same, once today's program has opened it to write."""
    path = tmp_path / "janitor.db"
    shutil.copy(written, path)
    Store.open(path).close()
    return path


def test_what_an_upgrade_is_to_do_is_told_before_and_meanwhile(
    written: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "janitor.db"
    shutil.copy(written, path)
    said = r"; whatever opens it upgrades it, this command too \([1-9][0-9,]* rows: .*lookups, .*forgetting"
    assert re.search(said, inspect(path))
    with caplog.at_level("INFO", "janitor.store"):
        Store.open_existing(path).close()
    steps = [record.getMessage() for record in caplog.records if "step=" in record.getMessage()]
    count = len(steps)
    assert re.fullmatch(rf"database-upgrade step=\w+: 1 of {count}", steps[0])
    assert steps[-1].endswith(f": {count} of {count}")
    assert inspect(path).endswith(" recorded")


@pytest.fixture(scope="module")
def reported(name: str) -> dict[str, Any]:
    """What was said of each run."""
    said: dict[str, Any] = json.loads(lzma.decompress((BEFORE / f"{name}.json.xz").read_bytes()))
    return said


def told(value: Any, before: Any) -> Any:
    """What a report tells by the keys that it had before; of sentences, only whether they are there."""
    match value, before:
        case dict(), dict():
            return {
                key: bool(value[key]) if key in SENTENCES else told(value[key], each)
                for key, each in before.items()
                if key in value
            }
        case list(), list() if len(value) == len(before):
            return [told(*pair) for pair in zip(value, before, strict=True)]
        case _:
            return value


def schema(path: Path) -> dict[tuple[str, str], dict[str, tuple[object, ...]]]:
    """Every table and view, with what is said of each of its columns."""
    db = sqlite3.connect(path)
    found = db.execute("SELECT type, name FROM sqlite_master WHERE type IN ('table', 'view')").fetchall()
    columns = {(kind, name): db.execute(f"PRAGMA table_info({name})").fetchall() for kind, name in found}
    db.close()
    return {each: {column[1]: tuple(column[2:]) for column in rows} for each, rows in columns.items()}


def indexes(path: Path) -> set[str]:
    db = sqlite3.connect(path)
    found = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}
    db.close()
    return found


def rows(path: Path, table: str, columns: Iterable[str]) -> list[tuple[object, ...]]:
    db = sqlite3.connect(path)
    found = sorted(db.execute(f"SELECT {', '.join(columns)} FROM {table}").fetchall(), key=repr)
    db.close()
    return found


def test_all_runs_are_reported_as_they_were(migrated: Path, reported: dict[str, Any]) -> None:
    with Store.open_existing(migrated) as store:
        assert [str(run.run) for run in reversed(store.runs(None))] == sorted(reported, key=int)
        for run, said in reported.items():
            now = json.loads(json_report(store.load_run(int(run))))
            assert told(now, said["report"]) == told(said["report"], said["report"]), f"run {run}"


def test_all_images_are_listed_as_they_were(migrated: Path, reported: dict[str, Any]) -> None:
    with Store.open_existing(migrated) as store:
        for run, said in reported.items():
            now = json.loads("".join(images_json(int(run), store.surveys(int(run)).items())))
            assert told(now, said["images"]) == told(said["images"], said["images"]), f"run {run}"


def test_every_table_view_and_column_is_still_there(written: Path, migrated: Path) -> None:
    before, now = schema(written), schema(migrated)
    lost = {
        (*each, column): facts
        for each, columns in before.items()
        for column, facts in columns.items()
        if now.get(each, {}).get(column) != facts
    }
    assert not lost
    assert indexes(written) <= indexes(migrated)


def test_a_new_database_has_the_tables_of_a_migrated_one(migrated: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.db"
    Store.open(new).close()
    assert (schema(new), indexes(new)) == (schema(migrated), indexes(migrated))


def test_every_row_of_every_table_and_view_is_as_it_was(written: Path, migrated: Path) -> None:
    for (_, table), columns in schema(written).items():
        if table != "_sqlite_migrations":
            assert rows(migrated, table, columns) == rows(written, table, columns), table


def test_what_was_decided_is_decided_so_again(migrated: Path) -> None:
    """From what the database holds of each run that decided, and nothing else."""
    decided = 0
    with Store.open_existing(migrated) as store:
        for run in store.runs(None):
            stored = {target.target: target.decisions for target in store.load_run(run.run).targets}
            for target, inputs in store.inputs(run.run).items():
                if inputs.grounds is not None:
                    again = [decision.replace(detail="") for decision in decided_again(inputs)]
                    assert again == [decision.replace(detail="") for decision in stored[target]], f"run {run.run}"
                    decided += 1
    assert decided


def test_these_databases_hold_what_must_be_told_apart(reported: dict[str, Any], name: str) -> None:
    """Else the comparison says little."""
    text = json.dumps(reported)
    codes = set(re.findall(r'"(?:outcome|verdict|reason)": "([a-z-]+)"', text))
    assert {"ok", "refused", "delete", "wait", "keep", "expired", "notice", "in-use", "exempt", "deleted"} <= codes
    assert CODES[name] <= codes


def test_what_waits_and_why_can_be_asked_of_what_was_written_before(migrated: Path, tmp_path: Path) -> None:
    (tmp_path / "janitor.yaml").write_text(TARGET, encoding="utf-8")
    settings, policies = load_settings(tmp_path / "janitor.yaml", {}), (OLD,)
    with Store.open_existing(migrated) as store:
        for target in store.targets():
            snapshot = store.latest_snapshot(target)
            assert snapshot is not None
            assert all(one.image.id for one in waiting_in(snapshot))
            for decision in snapshot.decisions[:5]:
                [found, *_] = explanation(settings, Rules(policies), store, decision.image.id, NOW)
                assert json.loads("".join(explanation_json([found])))["image"] == decision.image.id
                assert "".join(explanation_page([found], UTC).plain(80)).startswith(decision.image.id)
