"""The command that lists policies, and what each decides on: `policies`."""

import click

from janitor.cli.commands.options import Common, common
from janitor.cli.commands.reading.filters import TARGET
from janitor.cli.formats import Format, format_option
from janitor.cli.formats.answers import POLICIES


@click.command()
@TARGET
@format_option(POLICIES)
@common
def policies(common: Common, targets: tuple[str, ...], form: Format) -> int:
    """List the policies in order, and what each decides on.

    Counts images, their size and cost, those that are planned to be deleted or wait, and gives the next announced date,
    as the latest runs saw and decided. The images that guards keep, or that no policy matches, come last.
    """
    from janitor.cli.commands.loading import recorded_store
    from janitor.cli.commands.reading.standing import policies_in, snapshots_of
    from janitor.clock import utc_now
    from janitor.core.explaining.selection import Selection
    from janitor.errors import Exit
    from janitor.report.answers.policies import owned_by

    with recorded_store(common) as (settings, store):
        snapshots = snapshots_of(settings, store, Selection(targets=frozenset(targets)), utc_now())
        owned = owned_by(policies_in(store, snapshots), snapshots)
        POLICIES[form](owned, snapshots, settings.cost, settings.timezone)
    return Exit.OK
