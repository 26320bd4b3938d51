"""The service: runs on the schedule, listens to clicks where that is configured, and shows metrics."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime

from prometheus_client import CollectorRegistry

from janitor.cli import configuration, schedule
from janitor.cli.commands.scheduled_run import scheduled_run
from janitor.clock import utc_now
from janitor.config import Settings
from janitor.config.accounts import identify
from janitor.errors import Exit, UsageError
from janitor.monitoring.listening import Listening, with_clicks
from janitor.monitoring.punctuality import Punctuality
from janitor.monitoring.watch import Watch
from janitor.shutdown import Stop

Address = tuple[str, int]


def serve(settings: Settings, face: Address | None, held: ExitStack, *, dry_run: bool) -> int:
    """Run on the schedule until a signal. Returns the exit code. Raises UsageError without a schedule."""
    if settings.schedule is None:
        raise UsageError(f'{settings.source}: serve needs a schedule, for example schedule: "0 3 * * *"')
    identify(settings, settings.targets)
    stop = Stop()
    mode = configuration.mode_of(settings, dry_run=dry_run)
    cut_short: list[bool] = []
    punctuality = Punctuality(settings.schedule, settings.timezone, utc_now)
    watch = Watch(settings, stop, punctuality)
    if face is not None:
        watch.recall()
    listening = _listening(settings, stop, held) if settings.slack and settings.slack.app_token else None
    _show(face, lambda: watch.metrics, punctuality.missed, listening, held)

    def job() -> None:
        scheduled_run(settings, mode, stop, watch)
        cut_short.append(stop.is_set())

    number = schedule.serve(job, settings.schedule, settings.timezone, stop=stop)
    return 128 + (number or stop.signal_number) if any(cut_short) else Exit.OK


def listen(settings: Settings, face: Address | None, held: ExitStack) -> int:
    """Listen to clicks until a signal, and run nothing. Returns the exit code. Raises UsageError without the tokens."""
    stop = Stop()
    listening = _listening(settings, stop, held)
    _show(face, CollectorRegistry, lambda: None, listening, held)
    schedule.wait(stop)
    return Exit.OK


def _listening(settings: Settings, stop: Stop, held: ExitStack) -> Listening:
    from janitor.notify.slack.listening.listener import listening  # Slack's library takes its time

    return held.enter_context(listening(settings, stop))


def _show(
    face: Address | None,
    metrics: Callable[[], CollectorRegistry],
    missed: Callable[[], datetime | None],
    listening: Listening | None,
    held: ExitStack,
) -> None:
    """Show metrics at an address, if there is one."""
    if face is None:
        return
    from janitor.monitoring.http_face import showing

    shown = metrics if listening is None else with_clicks(metrics, listening)
    held.enter_context(showing(*face, shown, missed))
