"""One run of the service. What would end a single run is logged and reported, and the service continues."""

import logging
from contextlib import ExitStack
from dataclasses import replace

from janitor.cli import configuration, wiring
from janitor.cli.commands.reporting import code_of, reported
from janitor.cli.formats import Format
from janitor.clock import utc_now
from janitor.config import Settings
from janitor.config.operator import BY_SCHEDULE
from janitor.core.result import Mode, RunResult
from janitor.errors import Busy, ConfigurationError, Exit, JanitorError, worst
from janitor.monitoring.watch import Watch
from janitor.report.wording import in_one_line
from janitor.run import sites
from janitor.shutdown import Stop

_log = logging.getLogger("janitor.cli.commands")


def scheduled_run(settings: Settings, mode: Mode, stop: Stop, watch: Watch) -> None:
    """Run with the policies as they are now, and report the run, even one that could not begin."""
    started_at = utc_now()

    def skipped(error: JanitorError) -> RunResult:
        _log.error("run-skipped: %s", in_one_line(str(error)))
        return wiring.failed_run(mode, error, started_at, utc_now(), BY_SCHEDULE)

    try:
        with watch.run() as (begins, ended), ExitStack() as holding:
            rules, wrong = None, Exit.OK
            try:
                rules = configuration.rules_of(settings)
                everywhere = sites.Choice(settings.targets)
                request = wiring.RunRequest(mode, everywhere, command="janitor serve", begun_by=BY_SCHEDULE)
                around = wiring.Surroundings(stop=stop, holding=holding, begins=begins)
                result = wiring.perform(settings, rules, request, around)
            except ConfigurationError as error:
                result, wrong = skipped(error), Exit.USAGE
            if result.run == 0 and not wrong:
                _log.error("run-could-not-begin: %s", result.error)
            posted = reported(settings, result, rules.policies if rules else None, stop, form=Format.TEXT, post=True)
            ended(result, code_of(result, replace(posted, code=worst([posted.code, wrong])), stop))
    except Busy as error:
        reported(settings, skipped(error), None, stop, form=Format.TEXT, post=True)
