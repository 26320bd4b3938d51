"""The command that explains an image: `explain`."""

import click

from janitor.cli.commands.options import Common, common


@click.command()
@click.argument("image")
@common
def explain(common: Common, image: str) -> int:
    """Show everything known about an IMAGE.

    IMAGE is its id, or the start of it. Shows its properties, the latest decision, every policy that matches it, its
    exemptions and its history.
    """
    from janitor.cli.commands.loading import load
    from janitor.cli.explain import explanation
    from janitor.cli.terminal import print_out
    from janitor.errors import Exit
    from janitor.store import Store

    settings, rules = load(common)
    with Store.open_existing(settings.database) as store:
        print_out(explanation(store, rules.policies, image, settings.timezone))
    return Exit.OK
