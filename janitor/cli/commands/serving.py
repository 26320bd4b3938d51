"""The command that runs on a schedule: `serve`."""

import logging
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from janitor.cli import schedule, wiring
from janitor.cli.commands.loading import load
from janitor.cli.commands.reporting import code_of, reported
from janitor.clock import utc_now
from janitor.config import Settings
from janitor.config.accounts import identify
from janitor.core.result import Mode, RunResult
from janitor.errors import Busy, ConfigurationError, Exit, JanitorError, UsageError, worst
from janitor.monitoring.http_face import showing
from janitor.monitoring.punctuality import Punctuality
from janitor.monitoring.watch import Watch
from janitor.report.wording import in_one_line
from janitor.run import sites
from janitor.shutdown import Stop

_log = logging.getLogger("janitor.cli.commands")


def serve(
    config: Path | None, verbose: int, *, dry_run: bool, metrics_host: str = "", metrics_port: int | None = None
) -> int:
    """Run on the schedule until a signal asks to end; with a port, show metrics and health there meanwhile."""
    settings, _ = load(config, max(verbose, 1))
    if settings.schedule is None:
        raise UsageError(f'{settings.source}: serve needs a schedule, for example schedule: "0 3 * * *"')
    identify(settings, settings.targets)
    stop = Stop()
    mode = wiring.mode_of(settings, dry_run=dry_run)
    cut_short: list[bool] = []
    punctuality = Punctuality(settings.schedule, settings.timezone, utc_now)
    watch = Watch(settings, stop, punctuality)

    def job() -> None:
        _scheduled_run(settings, mode, stop, watch)
        cut_short.append(stop.is_set())

    with ExitStack() as face:
        if metrics_port is not None:
            watch.recall()
            face.enter_context(showing(metrics_host, metrics_port, lambda: watch.metrics, punctuality.missed))
        number = schedule.serve(job, settings.schedule, settings.timezone, stop=stop)
    return 128 + (number or stop.signal_number) if any(cut_short) else Exit.OK


def _scheduled_run(settings: Settings, mode: Mode, stop: Stop, watch: Watch) -> None:
    started_at = utc_now()

    def skipped(error: JanitorError) -> RunResult:
        _log.error("run-skipped: %s", in_one_line(str(error)))
        return wiring.failed_run(mode, error, started_at, utc_now())

    try:
        with watch.run() as (begins, ended), ExitStack() as holding:
            rules, wrong = None, Exit.OK
            try:
                rules = wiring.rules_of(settings)
                request = wiring.RunRequest(mode, sites.Choice(settings.targets), command="janitor serve")
                around = wiring.Surroundings(stop=stop, holding=holding, begins=begins)
                result = wiring.perform(settings, rules, request, around)
            except ConfigurationError as error:
                result, wrong = skipped(error), Exit.USAGE
            if result.run == 0 and not wrong:
                _log.error("run-could-not-begin: %s", result.error)
            posted = reported(settings, result, rules.policies if rules else None, stop)
            ended(result, code_of(result, replace(posted, code=worst([posted.code, wrong])), stop))
    except Busy as error:
        reported(settings, skipped(error), None, stop)
