"""What a command ends with: its report, posted and printed."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from janitor.cli import wiring
from janitor.cli.formats import PRINTED, Format, Part
from janitor.cli.streams import take_failure
from janitor.cli.terminal import progress_bar, say
from janitor.clock import utc_now
from janitor.commands import command
from janitor.config import Settings
from janitor.core.policy import Policy
from janitor.core.result import RunResult
from janitor.errors import Exit, worst
from janitor.notify.announcing import as_told
from janitor.notify.channel import Sending
from janitor.notify.delivered import Delivery
from janitor.report.wording import in_one_line
from janitor.shutdown import Stop, within

_log = logging.getLogger("janitor.cli.commands")

_TIME_TO_POST = timedelta(seconds=2)  # after a signal


def reported(
    settings: Settings,
    result: RunResult,
    policies: Sequence[Policy] | None,
    stop: Stop,
    *,
    form: Format | Part,
    post: bool,
) -> Delivery:
    """Post the report, and then print it: only the delivery knows what was announced.

    The report is printed even if the delivery fails. A report that cannot be printed counts as undelivered.
    """
    posted = Delivery()
    try:
        if post:
            posted = _posted(settings, result, policies, Sending(stop))
    finally:
        PRINTED[form](as_told(result, posted.announced), settings)
        failure = take_failure()
        if failure is not None:
            _log.error("report-not-printed run=%d: %s", result.run, _unprinted(result, failure))
    return posted if failure is None else replace(posted, code=worst([posted.code, Exit.FAILED]))


def _unprinted(result: RunResult, failure: OSError) -> str:
    way_out = command(f"show {result.run}") if result.run else in_one_line(result.error or "the run could not begin")
    return f"the report could not be printed ({failure.strerror}): {way_out}"


def _posted(settings: Settings, result: RunResult, policies: Sequence[Policy] | None, sending: Sending) -> Delivery:
    """Post the report, and show that meanwhile."""
    if not settings.has_channels:
        return Delivery()
    with progress_bar() as progress:
        if settings.slack is not None:
            progress.advance("to Slack", "post", 0, None)
        return posted_in_time(settings, result, policies, sending)


def posted_in_time(
    settings: Settings,
    result: RunResult,
    policies: Sequence[Policy] | None,
    sending: Sending,
    clock: Callable[[], datetime] = utc_now,
) -> Delivery:
    """Post the report. After a signal it has two seconds: every report is kept first, and the next run sends it."""
    from janitor.notify.delivery import deliver  # which loads every kind of channel

    def post() -> Delivery:
        return deliver(settings, result, policies, sending=sending, clock=clock)

    posted = within(post, sending.stop, _TIME_TO_POST)
    return Delivery(Exit.FAILED) if posted is None else posted


def code_of(result: RunResult, posted: Delivery, stop: Stop) -> int:
    """The exit code of a run with this delivery; for one that a signal ended, 128 plus the number of the signal."""
    return 128 + stop.signal_number if stop.is_set() else wiring.code_of(result, posted.code)


def say_what_failed(posted: Delivery, code: int) -> None:
    """Print that the delivery failed, after the report, which cannot say so itself."""
    if posted.trouble:
        say(f"janitor: {posted.trouble}{f': exit {code}' if code == Exit.FAILED else ''}", err=True)
