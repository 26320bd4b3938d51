"""The command to try a fleet out: `fleet demo`."""

import click

from janitor.cli.commands.options import Common, common


@click.command()
@click.option(
    "--accounts",
    type=click.IntRange(8, 1000),
    default=200,
    show_default=True,
    metavar="N",
    help="How many accounts the embedded cloud has.",
)
@common
def demo(common: Common, accounts: int) -> int:
    """Show a night of a fleet, one of whose workers is killed.

    Starts a PostgreSQL on loopback, an embedded cloud of 200 accounts, and three workers; one is killed in the middle
    of an account, and another runs that account again. Needs no configuration and no network, and leaves nothing
    behind.
    """
    from janitor.cli.logs import configure_logging
    from janitor.fleet import check_installed

    configure_logging(common.verbose, form=common.log_format)
    check_installed()
    from janitor.cli.fleet.demonstration import demonstrate

    return demonstrate(accounts)
