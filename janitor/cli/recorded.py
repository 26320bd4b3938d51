"""What earlier runs recorded, as far as commands need it without a run: the database in a sentence, targets, images."""

from contextlib import suppress
from pathlib import Path

from janitor.config import Settings
from janitor.core.memory import Backlog
from janitor.core.survey.mark import Behind, older
from janitor.errors import StoreError, UsageError
from janitor.store import SeenImages, Store, holder, inspect, read_mark


def database_of(settings: Settings) -> str:
    """The database in a sentence, as a run would find it. Raises StoreError where one could not use it."""
    who = holder(settings.database, settings.timezone)  # first the lock, as a run
    found = inspect(settings.database)
    if (behind := _behind(settings.database)) is not None:
        found += f"; but {behind}, so the next run deletes nothing"
    return found if who is None else f"{found}; in use by {who}"


def _behind(database: Path) -> str | None:
    """What makes a database an older copy of another, in words. Raises StoreError."""
    with suppress(UsageError), Store.open_existing(database) as store:
        unknown = store.unknown_mark()
        return None if unknown is None else older(Behind.of(unknown))
    mark = read_mark(database)
    return None if mark is None else older(Behind.of(mark))


def known_targets(settings: Settings) -> list[str]:
    """The names of all targets that any run surveyed, the latest surveyed first. Raises StoreError."""
    with suppress(UsageError), Store.open_existing(settings.database) as store:
        return store.recent_targets()
    return []


def backlog_of(settings: Settings) -> Backlog | None:
    """The reports that are undelivered now; None where the database that knows it cannot be read."""
    try:
        with Store.open_existing(settings.database) as store:
            return store.backlog()
    except UsageError:
        return Backlog()
    except StoreError:
        return None if settings.has_channels else Backlog()


def latest_images(settings: Settings) -> dict[str, SeenImages]:
    """The images of the latest snapshot of each target that is configured, by its name. Raises StoreError."""
    with suppress(UsageError), Store.open_existing(settings.database) as store:
        return images_of(settings, store)
    return {}


def images_of(settings: Settings, store: Store) -> dict[str, SeenImages]:
    """The same, of this database."""
    ours = (name for name in store.targets() if settings.may_have_target(name))
    return {name: store.latest_images(name) for name in ours}
