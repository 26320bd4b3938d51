"""The command for a shard whose files are lost for good: `fleet forget`."""

import re
from typing import Any

import click

from janitor.cli.commands.options import Common, common


class _Shard(click.ParamType[int]):
    """The number of a shard: `7`."""

    name = "shard"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number."""
        if re.fullmatch("[0-9]{1,4}", str(value), re.ASCII):
            return int(value)
        number = re.fullmatch("shard-([0-9]{3})", str(value), re.ASCII)
        hint = f": write {int(number[1])}" if number else ", like 7"
        raise click.BadParameter(f"{value!r} is no number of a shard{hint}", ctx, param)


@click.command()
@click.option(
    "--shard", type=_Shard(), required=True, metavar="N", help="The number of the shard whose files are lost, like 7."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@common
def forget(common: Common, shard: int, yes: bool) -> int:
    """Give up the files of a shard as lost, and let it begin with none.

    The next worker that leases it makes new databases. Exemptions by command, notices, and what was known of uses are
    gone. The next run of each of its accounts deletes nothing. While a worker has the shard, nothing is done.
    """
    from janitor.cli.commands.loading import configured_fleet
    from janitor.cli.commands.rebinding import agreed
    from janitor.cli.terminal import say
    from janitor.core.units import counted
    from janitor.errors import Exit, FleetError, UsageError
    from janitor.escaping import visible
    from janitor.fleet import check_installed

    _, fleet = configured_fleet(common)
    check_installed()
    if shard >= fleet.shards:
        raise UsageError(f"--shard: there is no shard {shard}: they are 0 to {fleet.shards - 1}")
    from janitor.fleet import schema
    from janitor.fleet.database import connect
    from janitor.fleet.leases import shards

    with connect(fleet.database, "janitor fleet forget") as connection:
        schema.check(connection, fleet.shards)
        place = next((lease.place for lease in shards.leases(connection) if lease.shard == shard), None)
        holder = shards.holder_of(connection, shard)
        if place is None:
            raise FleetError(f"shard {shard}: nobody ever had it, so that nothing of it can be lost")
        if holder is not None:
            raise FleetError(f"shard {shard}: {visible(holder)} has it and its files: stop that worker first")
        say(
            f"The files of shard {shard} were last in {visible(place)}. Without them, what is exempt by "
            "command, notices, and what was known of uses are lost for good. Restore them, if there is any copy.",
            err=True,
        )
        if not yes and not agreed(f"Begin shard {shard} with new files?"):
            say("Nothing was changed.", err=True)
            return Exit.FAILED
        accounts = shards.forget(connection, shard)
    each = counted(accounts, "account")
    say(f"shard {shard} begins with new files at the next worker; the next run of {each} deletes nothing")
    return Exit.OK
