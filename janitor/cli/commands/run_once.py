"""One run as a command makes it: stopped by signals, watched, reported, and ended with its exit code."""

from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import TYPE_CHECKING

from janitor.cli import wiring
from janitor.cli.commands.reporting import code_of, reported, say_what_failed
from janitor.cli.formats import Format, Part
from janitor.cli.terminal import progress_bar
from janitor.config import Settings
from janitor.config.policy_files import Rules
from janitor.run.requesting import Right
from janitor.shutdown import Stop, stopping_on_signals

if TYPE_CHECKING:
    from janitor.monitoring.watch import Begun, Ended


def run_once(
    settings: Settings,
    rules: Rules,
    request: wiring.RunRequest,
    form: Format | Part,
    *,
    watched: bool = True,
    right: Right | None = None,
) -> int:
    """Perform a run; its report goes to Slack where it is to be posted, and then to stdout. Returns the exit code.

    Unless `watched`, no monitoring system is told of it. Raises StoreError where it has lost its right meanwhile.
    """
    stop, own = Stop(), right or Right()
    with (
        stopping_on_signals(stop),
        _monitoring(settings, stop, watched=watched) as (begins, ended),
        ExitStack() as holding,
    ):
        with progress_bar() as progress:
            around = wiring.Surroundings(
                stop=stop, progress=progress, holding=holding, begins=begins, authority=own.authority
            )
            result = wiring.perform(settings, rules, request, around)
        own.ended(result)
        posted = reported(settings, result, rules.policies, stop, form=form, post=request.post)
        code = ended(result, code_of(result, posted, stop))
    say_what_failed(posted, code)
    return code


def _monitoring(settings: Settings, stop: Stop, *, watched: bool) -> "AbstractContextManager[tuple[Begun, Ended]]":
    """Monitoring of one run; where there is none, nothing is computed for it and its library is not imported."""
    if not watched or (settings.heartbeat_url is None and settings.metrics_file is None):
        return nullcontext((lambda: None, lambda _result, code: code))
    from janitor.monitoring.watch import Watch

    return Watch(settings, stop).run()
