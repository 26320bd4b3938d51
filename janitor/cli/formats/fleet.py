"""What the commands of a fleet print that change something in it."""

from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import TYPE_CHECKING

from janitor.cli.formats import Format

if TYPE_CHECKING:
    from janitor.cli.fleet.nights import Begun
    from janitor.fleet.schema import Migrated


def _made_in_words(made: "Migrated", where: str, accounts: int) -> None:
    from janitor.cli.terminal import say
    from janitor.core.units import counted

    done = "its tables were made" if made.new else "its tables were brought up to date" if made.steps else "is ready"
    say(f"{where}: {done}; fleet {made.fleet}, {counted(accounts, 'account')}")


def _made_as_json(made: "Migrated", where: str, accounts: int) -> None:
    import json

    from janitor.cli.terminal import print_plain

    print_plain(
        json.dumps({"database": where, "fleet": made.fleet, "new": made.new, "steps": made.steps, "accounts": accounts})
    )


MADE: Mapping[Format, Callable[["Migrated", str, int], None]] = {
    Format.TEXT: _made_in_words,
    Format.JSON: _made_as_json,
}
"""What `fleet init` did."""


def _enqueued_in_words(begun: "Begun", zone: tzinfo) -> None:
    from janitor.cli.terminal import say
    from janitor.core.units import counted, format_minute

    done = begun.enqueued
    parts = [f"{counted(len(done.new), 'account')} queued"]
    parts += [f"{len(done.already):,} already were"] if done.already else []
    parts += [f"{len(done.outdated):,} left of an earlier night dropped"] if done.outdated else []
    parts += [f"{len(done.unlisted):,} no longer listed dropped"] if done.unlisted else []
    say(f"night {begun.night}: {', '.join(parts)}; it is summed up by {format_minute(begun.deadline_at, zone)}")


def _enqueued_as_json(begun: "Begun", _zone: tzinfo) -> None:
    import json

    from janitor.cli.terminal import print_plain
    from janitor.core.units import iso

    done = begun.enqueued
    print_plain(
        json.dumps(
            {
                "night": begun.night.isoformat(),
                "deadline_at": iso(begun.deadline_at),
                "queued": list(done.new),
                "already": list(done.already),
                "outdated": list(done.outdated),
                "unlisted": list(done.unlisted),
            }
        )
    )


ENQUEUED: Mapping[Format, Callable[["Begun", tzinfo], None]] = {
    Format.TEXT: _enqueued_in_words,
    Format.JSON: _enqueued_as_json,
}
"""What `fleet enqueue` did."""
