"""The columns of images and decisions are in one place, and everything else follows from it."""

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from janitor.core.decision import Decision, Reason, Verdict
from janitor.core.image import Image
from janitor.core.survey import Survey
from janitor.core.usage import Usage
from janitor.report.tables import images_json
from janitor.store import Store
from janitor.store.columns import DECISION, IMAGE, Column, Kind, added, snapshot_views
from janitor.store.rows import decision_of, decision_row, facts_of, image_of
from tests.factories import make_image

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
KNOWN = make_image(
    "ci",
    id="a",
    public=True,
    protected=True,
    created_at=NOW,
    updated_at=NOW,
    size=5,
    disk_format="raw",
    min_disk=1,
    min_ram=2,
    properties={"os": "linux"},
    owned=False,
    visibility="shared",
    owner="team",
    os_hidden=True,
    tags=("b", "a"),
    unreadable={"size": "-1"},
)
UNKNOWN = make_image(
    None,
    id="a",
    status="",
    public=True,
    protected=True,
    created_at=None,
    updated_at=None,
    size=None,
    disk_format=None,
    min_disk=None,
    min_ram=None,
    properties=None,
    os_hidden=None,
    tags=None,
)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "janitor.db"
    Store.open(path).close()
    return path


def columns_of(database: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in database.execute(f"PRAGMA table_info({table})")]


def test_every_field_of_an_image_is_a_column() -> None:
    assert ["id", *(column.name for column in IMAGE)] == [*Image.fields()]


def test_every_field_of_a_decision_is_a_column() -> None:
    assert ["image", *(column.name for column in DECISION)] == [*Decision.fields()]


@pytest.mark.parametrize(
    ("columns", "table", "keys"),
    [(IMAGE, "image_facts", 3), (DECISION, "decisions", 3)],
    ids=["image", "decision"],
)
def test_the_tables_have_these_columns(database: Path, columns: tuple[Column, ...], table: str, keys: int) -> None:
    with sqlite3.connect(database) as db:
        assert set(columns_of(db, table)[keys:]) - {"digest"} == {column.name for column in columns}


@pytest.mark.parametrize("view", ["snapshots", "current_images"])
def test_the_views_are_those_that_the_columns_give(database: Path, view: str) -> None:
    with sqlite3.connect(database) as db:
        [(sql,)] = db.execute("SELECT sql FROM sqlite_master WHERE type = 'view' AND name = ?", (view,))
    assert " ".join(sql.split()) in " ".join(snapshot_views(IMAGE).split())


@pytest.mark.parametrize("image", [KNOWN, UNKNOWN], ids=["known", "unknown"])
def test_an_image_is_read_back_as_it_was_written(image: Image) -> None:
    assert image_of(image.id, facts_of(image)) == image


@pytest.mark.parametrize("due", [NOW, None], ids=["due", "not-due"])
def test_a_decision_is_read_back_as_it_was_written(due: datetime | None) -> None:
    decision = Decision(KNOWN, Verdict.WAIT, "ci", Reason.NOTICE, "expired", due)
    assert decision_of(KNOWN, decision_row(decision)) == decision


def test_the_listing_of_images_has_every_field() -> None:
    text = "".join(images_json(1, [("prod", Survey((KNOWN,), Usage(), NOW, NOW))]))
    [listed] = json.loads(text)["targets"][0]["images"]
    assert listed.keys() == {*Image.fields(), "used_by"}


def test_a_new_column_makes_its_own_step(database: Path) -> None:
    new = (Column("colour", Kind.TEXT, "colours"), Column("weight", Kind.NUMBER, "weights"))
    *_, (first, script), (second, more) = added((*IMAGE, *new))
    assert (first, second) == ("colours", "weights")
    with sqlite3.connect(database) as db:
        before = {table: set(columns_of(db, table)) for table in ("snapshots", "current_images", "image_facts")}
        db.executescript(script)
        assert {table: set(columns_of(db, table)) for table in before} == {t: b | {"colour"} for t, b in before.items()}
        db.executescript(more)
        both = {"colour", "weight"}
        assert {table: set(columns_of(db, table)) for table in before} == {t: b | both for t, b in before.items()}
