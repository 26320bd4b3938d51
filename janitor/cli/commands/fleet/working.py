"""The commands about processes that clean accounts: `fleet work` and `fleet drain`."""

import re
from datetime import timedelta
from typing import Any

import click

from janitor.cli.commands.fleet.asking import Term
from janitor.cli.commands.fleet.serving import metrics_options
from janitor.cli.commands.options import Common, common


class Shards(click.ParamType[tuple[int, ...]]):
    """Numbers of shards: `0-15`, `3`, `0-3,8`."""

    name = "shards"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """The numbers, each once, in order."""
        if isinstance(value, tuple):
            return value
        numbers: set[int] = set()
        for part in str(value).split(","):
            match = re.fullmatch(r"\s*([0-9]{1,4})(?:-([0-9]{1,4}))?\s*", part, re.ASCII)
            if match is None:
                self.fail(f"{value!r} are no shards: write numbers like 0-15 or 0-3,8", param, ctx)
            first, last = int(match[1]), int(match[2] or match[1])
            if last < first:
                self.fail(f"{part.strip()!r} ends before it begins", param, ctx)
            numbers.update(range(first, last + 1))
        return tuple(sorted(numbers))


@click.command()
@click.option(
    "--shards",
    type=Shards(),
    metavar="SHARDS",
    help="Only these shards, like 0-3,8. Default: all whose files may be here.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    metavar="N",
    help="Accounts cleaned at the same time.",
)
@metrics_options
@click.option("--lapse", type=Term(), hidden=True, help="When a worker without a sign counts as dead.")
@common
def work(
    common: Common,
    shards: tuple[int, ...] | None,
    concurrency: int,
    metrics_port: int | None,
    metrics_host: str,
    lapse: tuple[timedelta, str] | None,
) -> int:
    """Clean queued accounts until SIGTERM.

    It leases shards that no other worker has, if their files are on this host; a shard that is new is begun here. Upon
    SIGTERM it hands back what it has within ten seconds. One that was drained ends by itself.
    """
    from janitor.cli.commands.loading import configured_fleet
    from janitor.errors import Exit, UsageError
    from janitor.fleet import check_installed

    loud = Common(common.config, max(common.verbose, 1), common.log_format)
    _, fleet = configured_fleet(loud)
    check_installed()
    beyond = [shard for shard in shards or () if shard >= fleet.shards]
    if beyond:
        raise UsageError(f"--shards: there is no shard {beyond[0]}: they are 0 to {fleet.shards - 1}")
    from janitor.cli.fleet.worker import work_until_stopped
    from janitor.fleet.work.worker import Timing

    face = None if metrics_port is None else (metrics_host, metrics_port)
    timing = Timing() if lapse is None else Timing.of(lapse[0])
    work_until_stopped(loud.config, range(fleet.shards) if shards is None else shards, concurrency, face, timing)
    return Exit.OK


@click.command()
@click.argument("worker", metavar="WORKER")
@common
def drain(common: Common, worker: str) -> int:
    """Let WORKER end what it does, give its shards back, and end.

    Others take those whose files they have, as workers on the same host; without one, shards and their accounts wait.
    `janitor fleet status` lists the workers.
    """
    from janitor.cli.commands.loading import configured_fleet
    from janitor.cli.terminal import say
    from janitor.errors import Exit, UsageError
    from janitor.escaping import visible
    from janitor.fleet import check_installed

    _, fleet = configured_fleet(common)
    check_installed()
    from janitor.cli.fleet.standing import drained
    from janitor.fleet.database import connect
    from janitor.fleet.leases.shards import ask_to_drain
    from janitor.report.fleet.status import named

    with connect(fleet.database, "janitor fleet drain") as connection:
        if not ask_to_drain(connection, worker):
            raise UsageError(f"there is no worker {visible(worker)}: `janitor fleet status` lists them")
        taken, left = drained(connection, worker)
    says = [f"{visible(worker)} is asked to end: it begins no further account"]
    says += [f"others have the files of {named(taken)} and take over"] if taken else []
    waits = "no other worker wants to have it and has its files, so it waits until one starts where they are"
    says += [f"{named(left)}: {waits}"] if left else []
    say("; ".join(says))
    return Exit.OK
