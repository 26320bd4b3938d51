"""What a command ends with: its report, posted and printed."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from janitor.cli import wiring
from janitor.cli.formats import REPORT, Format
from janitor.cli.progress import progress_bar
from janitor.cli.streams import take_failure
from janitor.cli.terminal import say
from janitor.clock import utc_now
from janitor.config import Settings
from janitor.core.policy import Policy
from janitor.core.result import Mode, RunResult
from janitor.errors import Exit, StoreError, worst
from janitor.notify import delivery
from janitor.notify.announcing import as_told, start_notices, untimed
from janitor.report.wording import in_one_line
from janitor.shutdown import Stop, within
from janitor.store import Store

_log = logging.getLogger("janitor.cli.commands")

_UNTIMED = "the clock of the channel is more than 5 minutes off ours, or nobody bears ours out: look at our clock"
_NOT_STARTED = "notices did not begin to run (see above), and their images wait for a later report"
_TIME_TO_POST = timedelta(seconds=2)  # once we were told to stop


def reported(
    settings: Settings,
    result: RunResult,
    policies: Sequence[Policy] | None,
    stop: Stop,
    *,
    form: Format,
    post: bool,
) -> delivery.Delivery:
    """Post the report, and then print it: only the delivery tells what it has announced.

    What was done is printed whatever becomes of the delivery. A report that cannot be printed counts as undelivered.
    """
    posted = delivery.Delivery()
    try:
        if post:
            posted = _posted(settings, result, policies, stop)
    finally:
        REPORT[form](as_told(result, posted.announced), settings)
        failure = take_failure()
        if failure is not None:
            _log.error("report-not-printed run=%d: %s", result.run, _unprinted(result, failure))
    return posted if failure is None else replace(posted, code=worst([posted.code, Exit.FAILED]))


def _unprinted(result: RunResult, failure: OSError) -> str:
    way_out = f"janitor show {result.run}" if result.run else in_one_line(result.error or "the run could not begin")
    return f"the report could not be printed ({failure.strerror}): {way_out}"


def _posted(settings: Settings, result: RunResult, policies: Sequence[Policy] | None, stop: Stop) -> delivery.Delivery:
    """Post the report. Once we were told to stop, what hangs is left for the next run: every report is kept first."""
    with progress_bar() as progress:
        if settings.slack is not None:
            progress.advance("to Slack", "post", 0, None)
        posted = within(lambda: delivered(settings, result, policies, stop), stop, _TIME_TO_POST)
    return delivery.Delivery(Exit.FAILED) if posted is None else posted


def delivered(
    settings: Settings,
    result: RunResult,
    policies: Sequence[Policy] | None,
    stop: Stop,
    clock: Callable[[], datetime] = utc_now,
) -> delivery.Delivery:
    """Deliver the report; the notices that it gave begin to run once their messages were accepted.

    What it says to be announced is that whose notice did begin.
    """
    posted = delivery.post(settings, result, policies, stop=stop, clock=clock)
    doubtful = untimed(result, posted.announced, posted.offsets)
    if doubtful and result.mode is Mode.DELETE:
        _log.error("notices-not-started run=%d images=%d: %s", result.run, len(doubtful), _UNTIMED)
        code, trouble = worst([posted.code, Exit.FAILED]), posted.trouble or _NOT_STARTED
        posted = replace(posted, code=code, announced=posted.announced - doubtful, trouble=trouble)
    if not posted.announced or policies is None:
        return posted
    try:
        with Store.open(settings.database) as store:
            start_notices(store, result, policies, posted.announced, clock())
    except StoreError as error:
        _log.error("notices-not-started run=%d: %s", result.run, error)
        return delivery.Delivery(Exit.FAILED, trouble=posted.trouble or _NOT_STARTED)
    return posted


def code_of(result: RunResult, posted: delivery.Delivery, stop: Stop) -> int:
    """The exit code of a run whose report went out like this; one that a signal ended has the signal's."""
    return 128 + stop.signal_number if stop.is_set() else wiring.code_of(result, posted.code)


def say_what_failed(posted: delivery.Delivery, code: int) -> None:
    """Say as the last words of a run that its delivery failed: the report, printed by then, does not know of it."""
    if posted.trouble:
        say(f"janitor: {posted.trouble}{f': exit {code}' if code == Exit.FAILED else ''}", err=True)
