"""The commands about the accounts of targets, `target rebind` and `target distinct`, and the database, `db …`."""

from pathlib import Path

import click

from janitor.cli import completion
from janitor.cli.commands.options import Common, FileName, common


@click.group()
def target() -> None:
    """Say which account a target is."""


@target.command()
@click.argument("name", metavar="NAME", shell_complete=completion.TARGETS)
@click.option("--yes", is_flag=True, help="Do not ask.")
@common
def rebind(common: Common, name: str, yes: bool) -> int:
    """Bind target NAME to the account that the next run reaches.

    What is recorded about the target stops counting, but can still be read: when images were first seen and last used,
    notices, requests, rejections. Exemptions stay.
    """
    from janitor.cli.commands.loading import existing_store
    from janitor.cli.commands.rebinding import agreed, check_known, consequences
    from janitor.cli.exemptions import granted_by
    from janitor.cli.terminal import say
    from janitor.clock import utc_now
    from janitor.errors import Exit
    from janitor.escaping import visible
    from janitor.store import exclusive

    with existing_store(common) as (settings, store):
        check_known(store, name)
        say(consequences(store, name, certain=yes), err=True)
        if not yes and not agreed(f"Bind {visible(name)} to the account that the next run reaches?"):
            say("Nothing was changed.", err=True)
            return Exit.FAILED
        now = utc_now()
        with exclusive(settings.database, "janitor target rebind", now, settings.timezone):
            store.rebind(name, granted_by(common.asked_by), now)
    say(f"{visible(name)}: the next run binds it to the account that it reaches, and starts a new history")
    return Exit.OK


@target.command()
@click.argument("name", metavar="NAME", shell_complete=completion.TARGETS)
@click.argument("other", metavar="OTHER", shell_complete=completion.TARGETS)
@click.option("--yes", is_flag=True, help="Do not ask.")
@common
def distinct(common: Common, name: str, other: str, yes: bool) -> int:
    """Say that targets NAME and OTHER are two accounts.

    A run that found them to list the same images deletes nothing in either, as they seem to be one account under two
    names. After this command both are cleaned, until one of them is bound to another account. No other target changes.
    """
    from janitor.cli.commands.loading import existing_store
    from janitor.cli.commands.rebinding import agreed, pair_of, shared_images
    from janitor.cli.exemptions import granted_by
    from janitor.cli.terminal import say
    from janitor.clock import utc_now
    from janitor.errors import Exit
    from janitor.escaping import visible
    from janitor.store import exclusive

    with existing_store(common) as (settings, store):
        pair = pair_of(store, name, other)
        both = visible(" and ".join(pair.names))
        say(shared_images(pair, certain=yes), err=True)
        if not yes and not agreed(f"Are {both} two accounts?"):
            say("Nothing was changed.", err=True)
            return Exit.FAILED
        now = utc_now()
        with exclusive(settings.database, "janitor target distinct", now, settings.timezone):
            store.tell_apart(pair_of(store, name, other).names, granted_by(common.asked_by), now)
    say(f"{both} are two accounts: the next run cleans both")
    return Exit.OK


@click.group()
def db() -> None:
    """Look after the database file."""


@db.command()
@common
def vacuum(common: Common) -> int:
    """Give the space of what was deleted in the database back to the disk.

    The file is copied without that space, which takes some seconds a GiB. Meanwhile, its folder and the one for
    temporary files each need as much free space as it is large, and no run can begin. It is useful once `keep_history`
    has dropped much; otherwise SQLite uses the space again.
    """
    from janitor.cli.commands.loading import configured_offline
    from janitor.cli.terminal import say
    from janitor.clock import utc_now
    from janitor.core.units import format_size
    from janitor.errors import Exit
    from janitor.store import Store, exclusive, size_of

    settings = configured_offline(common)
    with exclusive(settings.database, "janitor db vacuum", utc_now(), settings.timezone):
        with Store.open_existing(settings.database) as store:
            before = size_of(settings.database)
            say(f"{settings.database}: {format_size(before)}; copying it without unused space", err=True)
            store.compact()
        after = size_of(settings.database)
    say(f"{settings.database}: {format_size(before)} before, {format_size(after)} now")
    return Exit.OK


@db.command()
@click.argument("file", metavar="FILE", type=FileName())
@common
def copy(common: Common, file: Path) -> int:
    """Copy the database to a new FILE, also while a run writes.

    The copy is the database as it was at one instant: one file, for a backup, or for a pipeline that tries policies on
    it. FILE appears when it is whole, readable by you only; a file that is there is not overwritten. A run on a copy
    deletes nothing the first time.
    """
    from janitor.cli.commands.loading import recorded_store
    from janitor.cli.copies import copied, left_over
    from janitor.cli.terminal import say
    from janitor.cli.written_configuration import must_not_be_read
    from janitor.core.units import counted, format_size
    from janitor.errors import Exit
    from janitor.escaping import visible
    from janitor.report.wording import local_minute
    from janitor.store import Store

    with recorded_store(common) as (settings, store):
        must_not_be_read(file, settings, "FILE")
        size = copied(store, file)
    with Store.open_existing(file) as copy_:
        runs = copy_.runs(None)
    latest = f"; the latest, run {runs[0].run}, " if runs else ""
    if runs and (end := runs[0].finished_at) is not None:
        latest += f"ended {local_minute(end, settings.timezone)}"
    elif runs:
        latest += f"began {local_minute(runs[0].started_at, settings.timezone)} and has not ended there"
    say(f"{visible(str(file))}: {format_size(size)}, {counted(len(runs), 'run')}{latest}")
    if left := left_over(file.parent):
        say(left, err=True)
    return Exit.OK
