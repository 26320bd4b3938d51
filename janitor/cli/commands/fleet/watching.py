"""The commands that look at a fleet, and change nothing: `fleet status` and `fleet report`."""

from datetime import date, timedelta
from typing import Any

import click

from janitor.cli import completion
from janitor.cli.commands.options import Common, common
from janitor.cli.formats import Format, format_option
from janitor.cli.formats.fleet_reports import NIGHT, STATUS


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


def _nights() -> list[str]:
    """What is offered for a night without asking PostgreSQL while a person types: the latest, and the last days."""
    from janitor.clock import utc_now

    return ["latest", *(str(utc_now().date() - timedelta(days=days)) for days in range(7))]


class _Night(click.ParamType[date]):
    """The date of a night, or `latest`, which is None."""

    name = "night"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date | None:  # type: ignore[override]
        """The date."""
        if isinstance(value, date) or value == "latest":
            return None if value == "latest" else value
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f'{value!r} is no night: write its date, like 2026-06-01, or "latest"', param, ctx)


@click.command()
@click.argument("night", metavar="[NIGHT]", type=_Night(), default="latest", shell_complete=completion.words(_nights))
@format_option(NIGHT)
@common
def report(common: Common, night: date | None, form: Format) -> int:
    """Print the report of a night, or of the latest.

    NIGHT is the date on which it was begun, like 2026-06-01, or `latest`.

    What was done in all accounts together, the accounts that need a person, and those that are missing. The exit code
    is 1 where there are any of these, and also while any account is still to end: 0 says that all ended well.
    """
    from janitor.cli.commands.loading import configured_whole_fleet
    from janitor.clock import utc_now
    from janitor.errors import Exit, UsageError
    from janitor.fleet import check_installed

    settings, fleet = configured_whole_fleet(common)
    check_installed()
    from janitor.cli.fleet.standing import report_of
    from janitor.fleet.database import connect
    from janitor.fleet.nights import night_of
    from janitor.fleet.schema import check

    with connect(fleet.database, "janitor fleet report") as connection:
        check(connection, fleet.shards)
        found = night_of(connection, night)
        if found is None:
            which = "no night yet" if night is None else f"no night {night}"
            raise UsageError(f"there is {which}: `janitor fleet enqueue` begins one; they are kept for 400 days")
        made = report_of(connection, found, utc_now())
    NIGHT[form](made, settings.timezone)
    return Exit.OK if made.all_well else Exit.FAILED
