"""The commands that a night of a fleet needs first: `fleet init` and `fleet enqueue`."""

import click

from janitor.cli import completion
from janitor.cli.commands.options import Common, common
from janitor.cli.formats import Format, format_option
from janitor.cli.formats.fleet import ENQUEUED, MADE


@click.command()
@format_option(MADE)
@common
def init(common: Common, form: Format) -> int:
    """Make the tables in PostgreSQL, or bring them up to date.

    Safe to repeat, and to run on several hosts at once. The user of `fleet.database` has to own the schema, or may
    create it.
    """
    from janitor.cli.commands.loading import configured_fleet
    from janitor.errors import Exit
    from janitor.fleet import check_installed

    accounts, fleet = configured_fleet(common)
    check_installed()
    from janitor.fleet.database import connect
    from janitor.fleet.schema import migrate

    with connect(fleet.database, "janitor fleet init") as connection:
        MADE[form](migrate(connection, fleet.shards), connection.where, len(accounts.names))
    return Exit.OK


@click.command()
@click.option(
    "--target",
    "targets",
    multiple=True,
    metavar="GLOB",
    shell_complete=completion.TARGETS,
    help="Only accounts like this; may be repeated.",
)
@format_option(ENQUEUED)
@common
def enqueue(common: Common, targets: tuple[str, ...], form: Format) -> int:
    """Queue all accounts, or some, to be cleaned tonight.

    An account that is queued or being cleaned is not queued twice. What is still queued of an earlier night is dropped,
    and so is what is no longer listed, unless --target is given. Policies and accounts are checked first, those
    that are new or changed, for some seconds: where one is wrong, nothing is queued.
    """
    from janitor.cli.commands.loading import configured_fleet
    from janitor.clock import utc_now
    from janitor.errors import Exit
    from janitor.fleet import check_installed

    accounts, fleet = configured_fleet(common)
    check_installed()
    from janitor.cli.fleet.nights import begin_night, check_accounts
    from janitor.cli.terminal import say
    from janitor.fleet.database import connect

    with connect(fleet.database, "janitor fleet enqueue") as connection:
        checked, changed = check_accounts(connection, accounts, targets)
        if checked < changed:
            some = f"{checked:,} of {changed:,} accounts that are new or changed were checked"
            say(f"{some}: `janitor check` checks all", err=True)
        ENQUEUED[form](begin_night(connection, accounts, utc_now(), targets), accounts.settings.timezone)
    return Exit.OK
