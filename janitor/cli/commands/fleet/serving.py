"""The command that begins the nights of a fleet and sums them up: `fleet serve`; and the options for metrics."""

from collections.abc import Callable
from typing import Any

import click

from janitor.cli.commands.options import Common, common


def metrics_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options for the address of metrics, as `metrics_port` and `metrics_host`."""
    port = click.option(
        "--metrics-port",
        type=click.IntRange(0, 65535),
        metavar="PORT",
        help="Serve /metrics and /healthz on this port.",
    )
    host = click.option(
        "--metrics-host",
        default="127.0.0.1",
        show_default=True,
        metavar="ADDRESS",
        help="Address of --metrics-port; 0.0.0.0 serves other hosts too, as needed in a container.",
    )
    return port(host(command))


@click.command()
@metrics_options
@common
def serve(common: Common, metrics_port: int | None, metrics_host: str) -> int:
    """Queue all accounts on the schedule, and sum up each night.

    Several of these may run: each night is begun once, and told of once. It cleans nothing: `janitor fleet work` does.
    SIGTERM ends it.
    """
    from janitor.cli.commands.loading import configured_fleet
    from janitor.errors import Exit
    from janitor.fleet import check_installed

    loud = Common(common.config, max(common.verbose, 1), common.log_format)
    configured_fleet(loud)
    check_installed()
    from janitor.cli.fleet.serving import serve_until_stopped

    serve_until_stopped(loud.config, None if metrics_port is None else (metrics_host, metrics_port))
    return Exit.OK
