"""The command that explains an image: `explain`."""

import click

from janitor.cli import completion
from janitor.cli.commands.options import Common, common
from janitor.cli.formats import Format, format_option
from janitor.cli.formats.answers import EXPLANATION


@click.command()
@click.argument("image", shell_complete=completion.NAMED_IMAGES)
@format_option(EXPLANATION)
@common
def explain(common: Common, image: str, form: Format) -> int:
    """Show everything known about an IMAGE, and why it stays or goes.

    IMAGE is its id, the start of it, or its name. Shows its properties, the latest decision, what a run would decide
    now, the answer of each policy, its place in its family, guards, exemptions, notices and its history.
    """
    from functools import partial

    from janitor.cli.commands.loading import load_offline
    from janitor.cli.explain import explanation
    from janitor.clock import utc_now
    from janitor.core.units import format_minute
    from janitor.errors import Exit
    from janitor.report.wording import local_minute
    from janitor.store import Store

    settings, rules = load_offline(common)
    minute = partial(local_minute, zone=settings.timezone) if form is Format.TEXT else format_minute
    with Store.open_existing(settings.database) as store:
        every = explanation(settings, rules, store, image, utc_now(), minute)
    EXPLANATION[form](every, settings.timezone)
    return Exit.OK
