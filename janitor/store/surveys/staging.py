"""The images of a target that has none yet, written to a temporary table while their survey is still going on.

From there they are recorded with the rest of the survey, in its transaction: a survey that does not end leaves nothing.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

from janitor.core.image import Image
from janitor.store.columns import IMAGE, names, places
from janitor.store.connection import Connection
from janitor.store.rows import facts_of


@dataclass(frozen=True, slots=True)
class Staged:
    """The rows of images in a temporary table: the number of each by the image's id, and the image of each row."""

    table: str = ""
    rows: dict[str, tuple[int, Image]] = field(default_factory=dict)

    def number(self, image: Image) -> int | None:
        """The number of the row that has exactly this image; None where there is none."""
        number, staged = self.rows.get(image.id, (None, None))
        return number if staged is image else None

    def record(self, db: Connection, since: "Since", wanted: Iterable[int]) -> None:
        """Record the images of these rows as seen for the first time. The key of each is its number and `since.before`.

        They are not to be used afterwards.
        """
        unwanted = {number for number, _ in self.rows.values()}.difference(wanted)
        db.executemany(_DELETE.format(table=self.table), ((number,) for number in unwanted))
        for statement in _RECORD:
            db.execute(statement.format(table=self.table), asdict(since))


@dataclass(frozen=True, slots=True)
class Since:
    """When new images were first seen: in which run of which target, at what time, since when watched.

    `before` is the highest key that an image had before them.
    """

    run: int
    target: str
    at: str
    watched: str | None
    before: int


NOTHING = Staged()


def create(db: Connection, target: str, table: str) -> bool:
    """Make the temporary table, unless the target has had images before; whether it was made."""
    if db.execute(_ANY, (target,)).fetchone():
        return False
    db.execute(_CREATE.format(table=table))
    return True


def write(db: Connection, table: str, images: Iterable[tuple[int, Image, bytes | None]]) -> None:
    """Write these images, each with its number and the digest of its entry."""
    rows = ((number, image.id, *facts_of(image), digest) for number, image, digest in images)
    db.executemany(_ADD.format(table=table), rows)


def drop(db: Connection, table: str) -> None:
    """Drop the temporary table, if there is one."""
    db.execute(_DROP.format(table=table))


_ANY = "SELECT 1 FROM images WHERE target = ? LIMIT 1"
_DELETE = "DELETE FROM {table} WHERE number = ?"
_CREATE = f"CREATE TABLE {{table}} (number INTEGER PRIMARY KEY, image, {names(IMAGE)}, digest)"
_ADD = f"INSERT INTO {{table}} VALUES (?, ?, {places(IMAGE)}, ?)"  # noqa: S608 - the names of columns
_DROP = "DROP TABLE IF EXISTS {table}"
_RECORD = (
    "INSERT INTO images (image_key, target, image, first_seen, watched_since) "
    "SELECT :before + number, :target, image, :at, :watched FROM {table}",
    "INSERT INTO image_clocks (image_key, from_run, watched_since, status_since) "
    "SELECT :before + number, :run, :watched, NULL FROM {table}",
    f"INSERT INTO image_facts (image_key, from_run, {names(IMAGE)}, digest) "  # noqa: S608 - the names of columns
    f"SELECT :before + number, :run, {names(IMAGE)}, digest FROM {{table}}",
)
