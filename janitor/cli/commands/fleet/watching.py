"""The commands that look at a fleet, and change nothing: `fleet status`."""

import click

from janitor.cli.commands.options import Common, common
from janitor.cli.formats import Format, format_option
from janitor.cli.formats.fleet_reports import STATUS


@click.command()
@click.option("--all", "whole", is_flag=True, help="List everything, not only the first of many.")
@format_option(STATUS)
@common
def status(common: Common, whole: bool, form: Format) -> int:
    """Show how the fleet stands.

    The accounts of the latest night by state, the queue, the workers, shards that nobody has, and who has which
    account.
    """
    from janitor.cli.commands.loading import configured_whole_fleet
    from janitor.errors import Exit
    from janitor.fleet import check_installed

    settings, fleet = configured_whole_fleet(common)
    check_installed()
    from janitor.cli.fleet.standing import state_of
    from janitor.fleet.database import connect
    from janitor.fleet.schema import check

    with connect(fleet.database, "janitor fleet status") as connection:
        check(connection, fleet.shards)
        STATUS[form](state_of(connection, fleet.shards), settings.timezone, whole)
    return Exit.OK
