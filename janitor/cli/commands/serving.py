"""The command that runs on a schedule: `serve`."""

import click

from janitor.cli.commands.options import DRY_RUN, Common, common


@click.command()
@DRY_RUN
@click.option(
    "--metrics-port", type=click.IntRange(0, 65535), metavar="PORT", help="Serve /metrics and /healthz on this port."
)
@click.option(
    "--metrics-host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Address of --metrics-port; 0.0.0.0 serves other hosts too, as needed in a container.",
)
@click.option("--listen-only", is_flag=True, help="Run nothing: only listen to clicks in Slack, for runs elsewhere.")
@common
def serve(common: Common, dry_run: bool, metrics_port: int | None, metrics_host: str, listen_only: bool) -> int:
    """Run on the configured schedule until SIGTERM.

    Policies are read again before every run. With `slack.app_token`, clicks on the buttons of reports are listened to.
    """
    from contextlib import ExitStack

    from janitor.cli.commands import service
    from janitor.cli.commands.loading import configured, load
    from janitor.errors import UsageError

    if listen_only and dry_run:
        raise UsageError("--listen-only runs nothing, so --dry-run does not go with it")
    loud = Common(common.config, max(common.verbose, 1), common.log_format)
    face = None if metrics_port is None else (metrics_host, metrics_port)
    with ExitStack() as held:
        if listen_only:
            return service.listen(configured(loud), face, held)
        settings, _ = load(loud)
        return service.serve(settings, face, held, dry_run=dry_run)
