"""The columns of an image and of a decision, once: rows, statements and views are built from them.

Each is named after a field of `Image` or of `Decision`, and they are in the order of these fields. A new column of an
image needs a field, an entry here that names its step, and the code that reads it from an API; the step follows from
the entry. What is stored as changes holds from one run until another: that condition is here, too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto


class Kind(Enum):
    """What a column holds; `rows` converts it. NULL means unknown, unless stated otherwise."""

    TEXT = auto()
    NUMBER = auto()
    FLAG = auto()  # never unknown: a column added later must be an OPTIONAL_FLAG
    OPTIONAL_FLAG = auto()
    INSTANT = auto()
    MAPPING = auto()
    NOTES = auto()  # a mapping; NULL means none
    TAGS = auto()  # NULL means none, and JSON's null unknown
    VERDICT = auto()
    REASON = auto()


_NUMBERS = frozenset({Kind.NUMBER, Kind.FLAG, Kind.OPTIONAL_FLAG})


@dataclass(frozen=True, slots=True)
class Column:
    """A column, and the step that adds it to a database; None for those in the steps of `migrations`."""

    name: str
    kind: Kind
    step: str | None = None


IMAGE = (
    Column("name", Kind.TEXT),
    Column("status", Kind.TEXT),
    Column("public", Kind.FLAG),
    Column("protected", Kind.FLAG),
    Column("created_at", Kind.INSTANT),
    Column("updated_at", Kind.INSTANT),
    Column("size", Kind.NUMBER),
    Column("disk_format", Kind.TEXT),
    Column("min_disk", Kind.NUMBER),
    Column("min_ram", Kind.NUMBER),
    Column("properties", Kind.MAPPING),
    Column("owned", Kind.FLAG),
    Column("visibility", Kind.TEXT),
    Column("owner", Kind.TEXT),
    Column("os_hidden", Kind.OPTIONAL_FLAG),
    Column("tags", Kind.TAGS),
    Column("unreadable", Kind.NOTES),
)
"""The columns of `image_facts`, besides the image and the runs in which they held."""

DECISION = (
    Column("verdict", Kind.VERDICT),
    Column("policy", Kind.TEXT),
    Column("reason", Kind.REASON),
    Column("detail", Kind.TEXT),
    Column("due", Kind.INSTANT),
)
"""The columns of `decisions`, likewise."""


def names(columns: Sequence[Column], table: str = "") -> str:
    """The names of columns as a statement lists them, each with its table where one is given."""
    return ", ".join(f"{table}.{column.name}" if table else column.name for column in columns)


def places(columns: Sequence[Column]) -> str:
    """A question mark for the value of each column."""
    return ", ".join("?" for _ in columns)


def added(image: Sequence[Column] = IMAGE) -> Iterator[tuple[str, str]]:
    """The steps that add columns of an image, in order: their names and their SQL.

    They come after all others of `migrations`, also in a database that has had others since, so neither may depend on
    the other.
    """
    before = [column for column in image if column.step is None]
    for column in image:
        if column.step is not None:
            before.append(column)
            kind = "INTEGER" if column.kind in _NUMBERS else "TEXT"
            adding = f"ALTER TABLE image_facts ADD COLUMN {column.name} {kind};\n"
            yield column.step, f"{adding}DROP VIEW current_images;\nDROP VIEW snapshots;\n{snapshot_views(before)}"


def snapshot_views(image: Sequence[Column]) -> str:
    """The SQL of the views that show whole snapshots, with these columns of images."""
    return f"""
-- Every image that every run saw, with what the run decided on it; nothing where it stopped before it decided.
CREATE VIEW snapshots AS
SELECT s.run, s.target, i.image, {names(image, "f")}, {names(DECISION, "d")}, s.finished_at AS seen_at
FROM surveys s
JOIN images i ON i.target = s.target
JOIN image_facts f ON f.image_key = i.image_key
    AND {holding("f", "s.run")}
LEFT JOIN decisions d ON d.image_key = i.image_key AND s.decisions > 0
    AND {holding("d", "s.run")}
WHERE s.finished_at IS NOT NULL AND NOT s.details_dropped;

-- The latest snapshot of each target.
CREATE VIEW current_images AS
SELECT snapshots.*, i.first_seen, i.watched_since, i.status_since
FROM (SELECT target, max(run) AS run FROM surveys WHERE finished_at IS NOT NULL GROUP BY target) AS latest
JOIN snapshots ON snapshots.run = latest.run AND snapshots.target = latest.target
JOIN images i ON i.target = snapshots.target AND i.image = snapshots.image;
"""  # noqa: S608 - the names of columns


def covering(table: str, run: str) -> str:
    """The condition that a row of a table of intervals held in a run, which is a parameter of the statement."""
    return holding(table, f":{run}")


def holding(table: str, run: str) -> str:
    """The same for a run that is a column, such as `s.run`."""
    return f"{table}.from_run <= {run} AND ({table}.until_run IS NULL OR {table}.until_run > {run})"
