"""The tables and views, as migrations: each is applied once, in order, and never edited after a release.

What changes rarely is kept as intervals: a row is valid from `from_run` until just before `until_run`, or is still
valid if that is NULL. So run N saw the rows with `from_run <= N < until_run` of the targets that it surveyed. Times are
ISO text in UTC, booleans 0 or 1, properties JSON.
"""

from collections.abc import Callable

from janitor.store.basis import BEGINNING, TEXTS
from janitor.store.basis import STEP as BASIS
from janitor.store.columns import added
from janitor.store.connection import Connection
from janitor.store.history.forgetting import STEP as FORGETTING
from janitor.store.history.forgetting import views
from janitor.store.reports import ADDRESSING, OWING, PEOPLE
from janitor.store.reports import STEP as DELIVERY
from janitor.store.surveys.clocks import STEP as CLOCKS
from janitor.store.surveys.entries import STEP as ENTRIES
from janitor.store.surveys.markers import STEP as MARKERS
from janitor.store.surveys.markers import TURNED_DOWN
from janitor.store.surveys.measures import COUNTING
from janitor.store.surveys.measures import STEP as MEASURES
from janitor.store.surveys.pairs import STEP as PAIRS
from janitor.store.surveys.presence import STEP as PRESENCE
from janitor.store.surveys.timekeeping import STEP as TIMEKEEPING
from janitor.store.surveys.uses import SERVERS
from janitor.store.surveys.uses import STEP as USES
from janitor.store.tables import REMARKING, SETTLING, SOURCES, TABLES, VIEWS, VOLUMES
from janitor.store.trust.announcements import STEP as ANNOUNCEMENTS
from janitor.store.trust.bindings import STEP as BINDINGS
from janitor.store.trust.clicks import STEP as CLICKS
from janitor.store.trust.exemptions import STEP as EXEMPTIONS
from janitor.store.trust.following import STEP as FOLLOWING
from janitor.store.trust.grounds import STEP as GROUNDS
from janitor.store.trust.hearing import STEP as HEARING
from janitor.store.trust.listening import STEP as LISTENING
from janitor.store.trust.marks import FLEET
from janitor.store.trust.marks import STEP as MARKS
from janitor.store.trust.mentions import STEP as MENTIONS
from janitor.store.trust.notices import NAMING, PLACING, REMINDING
from janitor.store.trust.notices import OWNING as OWNERS
from janitor.store.trust.notices import STEP as NOTICES
from janitor.store.trust.outcomes import STEP as LOOKUPS

Step = Callable[[Connection], None]


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


def clicking(db: Connection) -> None:
    """Announcements that people can answer by a click, clicks, and who listens to them."""
    for step in (ANNOUNCEMENTS, CLICKS, LISTENING):
        _execute(db, step)


def account_pairs(db: Connection) -> None:
    """Which two targets are one account under two names."""
    _execute(db, PAIRS)


def owners(db: Connection) -> None:
    """To whom reports went, and who was told of notices."""
    for script in (OWNERS, ADDRESSING, PEOPLE):
        _execute(db, script)


def placing(db: Connection) -> None:
    """Where images were announced."""
    _execute(db, PLACING)


def _execute(db: Connection, script: str) -> None:
    # By lines: sqlite-utils looks for the end of a statement after each character, which is half of the time for a new
    # database.
    for statement in script.split(";\n"):
        db.execute(statement)


def owning_in_epochs(db: Connection) -> None:
    """How often processes of a fleet have begun to own the account, and runs that only the fleet's database knows."""
    _execute(db, FLEET)


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
    clicking,
    account_pairs,
    owners,
    placing,
    owning_in_epochs,
)
ALL_STEPS = {step.__name__: step for step in STEPS} | {name: _adding(script) for name, script in added()}
"""Every step by its name, in the order in which they are applied."""
