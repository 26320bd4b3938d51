"""The commands of a fleet: many hosts that clean thousands of accounts together. What they need loads with them."""

import click

from janitor.cli.commands.fleet import asking, forgetting, serving, setting_up, trying, watching, working


@click.group()
def fleet() -> None:
    """Clean thousands of accounts on many hosts.

    They share one configuration, a PostgreSQL that says who cleans which account, and one report a night. All need the
    key `fleet` in janitor.yaml.
    """


fleet.add_command(setting_up.init)
fleet.add_command(setting_up.enqueue)
fleet.add_command(working.work)
fleet.add_command(working.drain)
fleet.add_command(serving.serve)
fleet.add_command(forgetting.forget)
fleet.add_command(watching.status)
fleet.add_command(watching.report)
fleet.add_command(asking.execute)
fleet.add_command(trying.demo)
