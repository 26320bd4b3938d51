"""The tables and views, as migrations: each is applied once, in order, and never edited after a release.

What changes rarely is kept as intervals: a row is valid from `from_run` until just before `until_run`, or is still
valid if that is NULL. So run N saw the rows with `from_run <= N < until_run` of the targets that it surveyed. Times are
ISO text in UTC, booleans 0 or 1, properties JSON.
"""

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from janitor.store.basis import BEGINNING, TEXTS
from janitor.store.basis import STEP as BASIS
from janitor.store.columns import added
from janitor.store.connection import Connection, tables
from janitor.store.history.forgetting import STEP as FORGETTING
from janitor.store.history.forgetting import views
from janitor.store.reports import OWING
from janitor.store.reports import STEP as DELIVERY
from janitor.store.surveys.clocks import STEP as CLOCKS
from janitor.store.surveys.entries import STEP as ENTRIES
from janitor.store.surveys.markers import STEP as MARKERS
from janitor.store.surveys.markers import TURNED_DOWN
from janitor.store.surveys.measures import COUNTING
from janitor.store.surveys.measures import STEP as MEASURES
from janitor.store.surveys.presence import STEP as PRESENCE
from janitor.store.surveys.timekeeping import STEP as TIMEKEEPING
from janitor.store.surveys.uses import SERVERS
from janitor.store.surveys.uses import STEP as USES
from janitor.store.tables import REMARKING, SETTLING, SOURCES, TABLES, VIEWS, VOLUMES
from janitor.store.trust.bindings import STEP as BINDINGS
from janitor.store.trust.exemptions import STEP as EXEMPTIONS
from janitor.store.trust.following import STEP as FOLLOWING
from janitor.store.trust.grounds import STEP as GROUNDS
from janitor.store.trust.hearing import STEP as HEARING
from janitor.store.trust.marks import STEP as MARKS
from janitor.store.trust.mentions import STEP as MENTIONS
from janitor.store.trust.notices import NAMING, REMINDING
from janitor.store.trust.notices import STEP as NOTICES
from janitor.store.trust.outcomes import STEP as LOOKUPS

if TYPE_CHECKING:
    from sqlite_utils import Database

Step = Callable[[Connection], None]

_log = logging.getLogger("janitor.store")

_NAME = "image-janitor"
_MANY = 500_000
"""A database of more rows takes seconds to upgrade, so that its log is worth a warning."""
_APPLIED = "SELECT name FROM _sqlite_migrations WHERE migration_set = ?"


class Unfit(Exception):
    """Why the database cannot be used, and what to do; becomes a StoreError that names the file."""


def initial(db: Connection) -> None:
    """Runs, snapshots, decisions, deletions and reports."""
    _execute(db, TABLES)
    _execute(db, VIEWS)


def settling(db: Connection) -> None:
    """Deletions whose outcome a later run had to find out."""
    _execute(db, SETTLING)


def remembering(db: Connection) -> None:
    """Notices, accepted surveys, plans, and what reports said about single images."""
    for step in (NOTICES, MENTIONS, TEXTS, MEASURES):
        _execute(db, step)


def delivery(db: Connection) -> None:
    """Partly delivered reports, and the files that go with them."""
    _execute(db, DELIVERY)


def exemptions(db: Connection) -> None:
    """What people exempted by command."""
    _execute(db, EXEMPTIONS)


def owing(db: Connection) -> None:
    """Runs whose report was not kept."""
    _execute(db, OWING)


def reminding(db: Connection) -> None:
    """Which run sent which reminders."""
    _execute(db, REMINDING)


def sources(db: Connection) -> None:
    """What the Image API v2 has beyond the Compute API, and users of images other than instances."""
    _execute(db, SOURCES)


def volumes(db: Connection) -> None:
    """How many volumes made from images a survey saw."""
    _execute(db, VOLUMES)


def usage_by_source(db: Connection) -> None:
    """The sources of usage, servers that are known to be deleted, and what stacks say."""
    _execute(db, USES)


def deciding_again(db: Connection) -> None:
    """Everything needed to repeat the decisions of a run later, exactly as they were."""
    for step in (BASIS, GROUNDS, CLOCKS):
        _execute(db, step)


def following(db: Connection) -> None:
    """Answers as one code and their text; and accepted deletions that are followed until the image is gone."""
    _execute(db, FOLLOWING)


def entries_without_id(db: Connection) -> None:
    """How many entries of an image list had no id."""
    _execute(db, COUNTING)


def binding(db: Connection) -> None:
    """Which account each target is bound to."""
    _execute(db, BINDINGS)


def hearing(db: Connection) -> None:
    """Which runs were reported to no channel, and notices whose due date a reminder has moved."""
    _execute(db, HEARING)


def remarking(db: Connection) -> None:
    """The notes of a run about policy files."""
    _execute(db, REMARKING)


def timekeeping(db: Connection) -> None:
    """The clock of each run, if an answer confirmed it."""
    _execute(db, TIMEKEEPING)


def marking(db: Connection) -> None:
    """The marks that runs leave beside the database, by which a restored copy is recognised."""
    _execute(db, MARKS)


def naming(db: Connection) -> None:
    """The names of announced images."""
    _execute(db, NAMING)


def presence(db: Connection) -> None:
    """Which images are there now."""
    _execute(db, PRESENCE)


def lookups(db: Connection) -> None:
    """Indexes of the few requests and runs that each run looks for."""
    _execute(db, LOOKUPS)


def entries(db: Connection) -> None:
    """From which entries of lists images were read."""
    _execute(db, ENTRIES)


def list_markers(db: Connection) -> None:
    """Where the lists of targets can be asked at."""
    _execute(db, MARKERS)


def forgetting(db: Connection) -> None:
    """Which surveys are no longer whole."""
    _execute(db, FORGETTING)
    _execute(db, views(db))


def turning_down(db: Connection) -> None:
    """Which services turned down several requests at a time."""
    _execute(db, TURNED_DOWN)


def servers(db: Connection) -> None:
    """An index of the servers that are not known to be deleted."""
    _execute(db, SERVERS)


def beginning(db: Connection) -> None:
    """Who or what began each run."""
    _execute(db, BEGINNING)


def _execute(db: Connection, script: str) -> None:
    # By lines: sqlite-utils looks for the end of a statement after each character, which is half of the time for a new
    # database.
    for statement in script.split(";\n"):
        db.execute(statement)


def _adding(script: str) -> Step:
    return lambda db: _execute(db, script)


STEPS = (  # append only
    initial,
    settling,
    remembering,
    delivery,
    exemptions,
    owing,
    reminding,
    sources,
    volumes,
    usage_by_source,
    deciding_again,
    following,
    entries_without_id,
    binding,
    hearing,
    remarking,
    timekeeping,
    marking,
    naming,
    presence,
    lookups,
    entries,
    list_markers,
    forgetting,
    turning_down,
    servers,
    beginning,
)
_ALL = {step.__name__: step for step in STEPS} | {name: _adding(script) for name, script in added()}


def is_current(db: Connection) -> bool:
    """Whether nothing is left to be applied. Only reads."""
    return _ALL.keys() <= _applied(db)


def steps_left(db: Connection, steps: Mapping[str, Step] = _ALL) -> list[str]:
    """The names of the steps that are left to be applied, in their order. Only reads."""
    applied = _applied(db)
    return [name for name in steps if name not in applied]


def apply_migrations(db: Connection, steps: Mapping[str, Step] = _ALL) -> None:
    """Apply what is left to be applied, in the transaction that is open; where there is data, the log says how far."""
    from sqlite_utils import Database
    from sqlite_utils.migrations import Migrations

    migrations, left = Migrations(_NAME), steps_left(db, steps)
    rows = rows_of(db) if _applied(db) else 0
    level = logging.WARNING if rows > _MANY else logging.INFO
    for name, step in steps.items():
        told = f"{name}: {left.index(name) + 1} of {len(left)}" if name in left and rows else None
        migrations(name=name)(_on_connection(step, told, level))
    if rows:
        _log.log(level, "database-upgrade rows=%d steps=%d", rows, len(left))
    migrations.apply(Database(db, execute_plugins=False))


def rows_of(db: Connection) -> int:
    """How many rows of images and of what was seen of them there are, as far as an upgrade looks at them."""
    count: int = db.execute("SELECT (SELECT count(*) FROM images) + (SELECT count(*) FROM image_facts)").fetchone()[0]
    return count


def _on_connection(step: Step, told: str | None, level: int) -> "Callable[[Database], None]":
    def apply(database: "Database") -> None:
        if told is not None:
            _log.log(level, "database-upgrade step=%s", told)
        step(database.conn)

    return apply


def _applied(db: Connection) -> frozenset[str]:
    if "_sqlite_migrations" not in tables(db):
        return frozenset()
    return frozenset(name for (name,) in db.execute(_APPLIED, (_NAME,)))


def check_ours(db: Connection) -> None:
    """Raises Unfit for a database of a newer version or of another program. Only reads."""
    applied = _applied(db)
    if applied - _ALL.keys():
        raise Unfit("it was written by a newer version of the janitor: use that version, or another database")
    if not applied and tables(db):
        raise Unfit("it is the database of another program: set `database` to a file of its own")
