"""The command that says what waits for its deletion: `waiting`."""

import click

from janitor.cli.commands.options import Common, common
from janitor.cli.commands.reading.filters import POLICY, TARGET
from janitor.cli.formats import Format, format_option
from janitor.cli.formats.answers import WAITING


@click.command()
@POLICY
@TARGET
@click.option("--before", metavar="DATE", help="Only what is due before this day (2026-12-31) or time with its zone.")
@format_option(WAITING)
@common
def waiting(
    common: Common, policies: tuple[str, ...], targets: tuple[str, ...], before: str | None, form: Format
) -> int:
    """List the images that wait for their deletion, by due date.

    Shows the announced ones, those that are not announced yet and why, and those whose reminder is outstanding, as the
    latest run saw them. Images whose date is unknown are listed whatever --before says.
    """
    from janitor.cli.commands.loading import recorded_store
    from janitor.cli.commands.reading.standing import instant_before, waiting_lists
    from janitor.clock import utc_now
    from janitor.core.explaining.selection import Selection
    from janitor.errors import Exit

    with recorded_store(common) as (settings, store):
        chosen = Selection(frozenset(policies), targets=frozenset(targets))
        until = None if before is None else instant_before(before, settings.timezone)
        lists = waiting_lists(settings, store, chosen, until, utc_now())
        WAITING[form](lists, settings.cost, settings.timezone)
    return Exit.OK
