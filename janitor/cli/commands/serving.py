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
@common
def serve(common: Common, dry_run: bool, metrics_port: int | None, metrics_host: str) -> int:
    """Run on the configured schedule until SIGTERM.

    Policies are read again before every run.
    """
    from contextlib import ExitStack

    from janitor.cli import configuration, schedule
    from janitor.cli.commands.loading import load
    from janitor.cli.commands.scheduled_run import scheduled_run
    from janitor.clock import utc_now
    from janitor.config.accounts import identify
    from janitor.errors import Exit, UsageError
    from janitor.monitoring.http_face import showing
    from janitor.monitoring.punctuality import Punctuality
    from janitor.monitoring.watch import Watch
    from janitor.shutdown import Stop

    settings, _ = load(Common(common.config, max(common.verbose, 1), common.log_format))
    if settings.schedule is None:
        raise UsageError(f'{settings.source}: serve needs a schedule, for example schedule: "0 3 * * *"')
    identify(settings, settings.targets)
    stop = Stop()
    mode = configuration.mode_of(settings, dry_run=dry_run)
    cut_short: list[bool] = []
    punctuality = Punctuality(settings.schedule, settings.timezone, utc_now)
    watch = Watch(settings, stop, punctuality)

    def job() -> None:
        scheduled_run(settings, mode, stop, watch)
        cut_short.append(stop.is_set())

    with ExitStack() as face:
        if metrics_port is not None:
            watch.recall()
            face.enter_context(showing(metrics_host, metrics_port, lambda: watch.metrics, punctuality.missed))
        number = schedule.serve(job, settings.schedule, settings.timezone, stop=stop)
    return 128 + (number or stop.signal_number) if any(cut_short) else Exit.OK
