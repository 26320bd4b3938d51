"""What each command does once its options are read. Imported by the command line only when a command runs."""

import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console, RenderableType

from janitor import delivery, sites, wiring
from janitor.accounts import identify
from janitor.announcing import as_told, start_notices
from janitor.errors import (
    Busy,
    CloudError,
    ConfigurationError,
    DeliveryError,
    Exit,
    JanitorError,
    StoreError,
    UsageError,
    worst,
)
from janitor.explain import explanation
from janitor.logs import configure_logging
from janitor.model import Mode, RunResult
from janitor.orders import Progress, Site, utc_now
from janitor.policy import Policy
from janitor.policy_files import Rules
from janitor.progress import progress_bar
from janitor.remarks import exempting_nothing, owning_nothing, remarks_on
from janitor.report.as_json import json_report
from janitor.report.tables import images_json, images_table, runs_table
from janitor.report.text import text_report
from janitor.review import reviewed_plan
from janitor.settings import Settings, load_settings
from janitor.stopping import Stop, heeding_signals, within
from janitor.store import Store
from janitor.units import counted

if TYPE_CHECKING:
    from janitor.watch import Begun, Ended, Watch

_log = logging.getLogger("janitor.commands")

_TIME_TO_POST = timedelta(seconds=2)  # once we were told to stop


def run(
    config: Path | None,
    verbose: int,
    *,
    dry_run: bool,
    targets: Sequence[str],
    form: str,
    post: bool,
    accept_survey: bool = False,
) -> int:
    """One run; its report goes to Slack, and to stdout once it is known what that announced."""
    settings, rules = _load_to_run(config, verbose)
    chosen = sites.chosen(settings, targets)
    mode = wiring.mode_of(settings, dry_run=dry_run)

    def perform(stop: Stop, progress: Progress, holding: ExitStack, begins: "Begun") -> RunResult:
        return wiring.perform(
            settings,
            rules,
            mode,
            chosen,
            stop=stop,
            progress=progress,
            accept_survey=accept_survey,
            post=post,
            holding=holding,
            begins=begins,
        )

    return _run_once(settings, rules.policies, perform, form=form, post=post)


def apply(config: Path | None, verbose: int, *, number: int, dry_run: bool, form: str, post: bool) -> int:
    """Delete what the plan of a run named, as far as nothing about it has changed."""
    settings, rules = _load(config, verbose)
    with Store.open_existing(settings.database) as store:
        approved = reviewed_plan(store, number, rules.policies, settings.plan_validity, utc_now())
    chosen = sites.chosen(settings, list(approved))
    mode = Mode.DRY_RUN if dry_run else Mode.DELETE

    def perform(stop: Stop, progress: Progress, holding: ExitStack, begins: "Begun") -> RunResult:
        return wiring.perform(
            settings,
            rules,
            mode,
            chosen,
            stop=stop,
            progress=progress,
            approved=approved,
            command=f"janitor apply {number}",
            post=post,
            holding=holding,
            begins=begins,
        )

    return _run_once(settings, rules.policies, perform, form=form, post=post)


def _run_once(
    settings: Settings,
    policies: Sequence[Policy],
    perform: "Callable[[Stop, Progress, ExitStack, Begun], RunResult]",
    *,
    form: str,
    post: bool,
) -> int:
    stop = Stop()
    with heeding_signals(stop), _watched(settings, stop) as (begins, ended), ExitStack() as holding:
        with progress_bar() as progress:
            result = perform(stop, progress, holding, begins)
        posted = _reported(settings, result, policies, stop, form=form, post=post)
        return ended(result, _code_of(result, posted, stop))


def _watched(settings: Settings, stop: Stop) -> "AbstractContextManager[tuple[Begun, Ended]]":
    """The watchers' eye on one run; where nobody watches, nothing is worked out for them, nor its library imported."""
    if settings.heartbeat_url is None and settings.metrics_file is None:
        return nullcontext((lambda: None, lambda _result, code: code))
    from janitor.watch import Watch

    return Watch(settings, stop).run()


def _code_of(result: RunResult, posted: delivery.Delivery, stop: Stop) -> int:
    return 128 + stop.signal_number if stop.is_set() else wiring.code_of(result, posted.code)


def _reported(
    settings: Settings,
    result: RunResult,
    policies: Sequence[Policy] | None,
    stop: Stop,
    *,
    form: str = "text",
    post: bool = True,
) -> delivery.Delivery:
    """Post the report, and then print it: only the delivery tells what it has announced.

    What was done is printed whatever becomes of the delivery.
    """
    posted = delivery.Delivery()
    try:
        if post:
            posted = _posted(settings, result, policies, stop)
    finally:
        _print_report(as_told(result, posted.announced), settings, form)
    return posted


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
    if not posted.announced or policies is None:
        return posted
    try:
        with Store.open(settings.database) as store:
            start_notices(store, result, policies, posted.announced, clock())
    except StoreError as error:
        _log.error("notices-not-started run=%d: %s", result.run, error)
        return delivery.Delivery(Exit.FAILED)
    return posted


def serve(
    config: Path | None, verbose: int, *, dry_run: bool, metrics_host: str = "", metrics_port: int | None = None
) -> int:
    """Run on the schedule until a signal asks to end; with a port, show metrics and health there meanwhile."""
    from janitor import schedule
    from janitor.http_face import showing
    from janitor.punctuality import Punctuality
    from janitor.watch import Watch

    settings, _ = _load(config, max(verbose, 1))
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


def _scheduled_run(settings: Settings, mode: Mode, stop: Stop, watch: "Watch") -> None:
    started_at = utc_now()

    def skipped(error: JanitorError) -> RunResult:
        _log.error("run-skipped: %s", error)
        return wiring.failed_run(mode, error, started_at, utc_now())

    try:
        with watch.run() as (begins, ended), ExitStack() as holding:
            rules, wrong = None, Exit.OK
            try:
                rules = wiring.rules_of(settings)
                result = wiring.perform(
                    settings,
                    rules,
                    mode,
                    sites.Choice(settings.targets),
                    stop=stop,
                    command="janitor serve",
                    holding=holding,
                    begins=begins,
                )
            except ConfigurationError as error:
                result, wrong = skipped(error), Exit.USAGE
            if result.run == 0 and not wrong:
                _log.error("run-could-not-begin: %s", result.error)
            posted = _reported(settings, result, rules.policies if rules else None, stop)
            ended(result, _code_of(result, replace(posted, code=worst([posted.code, wrong])), stop))
    except Busy as error:
        _reported(settings, skipped(error), None, stop)


def check(config: Path | None, verbose: int, *, live: bool) -> int:
    """Say whether configuration and policies are right, when the next runs are, and with `live` whether all answer."""
    settings, rules = _load(config, verbose)
    identify(settings, settings.targets)
    for line in _checked(settings, rules):
        click.echo(line)
    failures = [_probed("database", lambda: wiring.database_of(settings))]
    if not any(failures):
        _say_what_is_idle(settings, rules)
    if live:
        failures += [_probed(*probe) for probe in _probes(settings, rules.policies)]
    return Exit.FAILED if any(failures) else Exit.OK


def _checked(settings: Settings, rules: Rules) -> Iterator[str]:
    targets = ", ".join(target.name for target in settings.targets)
    yield f"configuration  ok: {settings.source}, mode {settings.mode}, targets: {targets}"
    yield f"policies       ok: {settings.policies}, {', '.join(policy.name for policy in rules.policies)}"
    for remark in remarks_on(rules.policies, sites.names_without_signing_in(settings)):
        yield f"policies       note: {remark}"
    if rules.exemptions:
        yield f"exemptions     ok: {len(rules.exemptions)} in policy files"
    if settings.schedule is None:
        yield "schedule       none: `janitor serve` needs one, `janitor run` does not"
        return
    yield f"schedule       {settings.schedule.text} ({settings.timezone.key})"
    for instant in settings.schedule.upcoming(utc_now(), settings.timezone, 3):
        yield f"next run       {instant.isoformat()}"


def _say_what_is_idle(settings: Settings, rules: Rules) -> None:
    """Where there are snapshots: what of the policy files is about no image of the latest, as it may well be."""
    images = wiring.latest_images(settings)
    if not any(images.values()):
        return
    last = f"note: of the {counted(sum(map(len, images.values())))} surveyed last, none is"
    if idle := owning_nothing(rules.policies, images):
        click.echo(f"policies       {last} owned by {', '.join(idle)}")
    if strange := exempting_nothing(rules.exemptions, images):
        click.echo(f"exemptions     {last} called {' or '.join(strange)}")


def _probes(settings: Settings, policies: Sequence[Policy]) -> Iterator[tuple[str, Callable[[], str]]]:
    for site in sites.sites_of(settings, sites.Choice(settings.targets)):
        yield f"target {site.name}", partial(_probe, site)
    if settings.slack is not None:
        yield "slack", delivery.channel_of(settings).probe
        for name in dict.fromkeys(delivery.channels_of(policies, settings.slack.channel).values()):
            yield f"slack {name}", delivery.channel_of(settings, name).probe


def _probe(site: Site) -> str:
    return site.connect().probe()


def _probed(name: str, probe: Callable[[], str]) -> bool:
    """Whether the probe failed; either way it is said."""
    try:
        click.echo(f"{name:<14} ok: {probe()}")
    except (CloudError, DeliveryError, StoreError) as error:
        click.echo(f"{name:<14} failed: {error}")
        return True
    return False


def images(config: Path | None, verbose: int, *, number: int | None, form: str) -> int:
    """The images exactly as a run saw them."""
    with _existing_store(config, verbose) as (_, store):
        run = _number(store, number)
        surveys = store.surveys(run)
        if form == "json":
            click.echo(images_json(run, surveys.items()))
        else:
            _print(images_table(run, surveys.items()))
    return Exit.OK


def explain(config: Path | None, verbose: int, *, prefix: str) -> int:
    """Everything about one image."""
    settings, rules = _load(config, verbose)
    with Store.open_existing(settings.database) as store:
        _print(explanation(store, rules.policies, prefix, settings.timezone))
    return Exit.OK


def runs(config: Path | None, verbose: int, *, limit: int) -> int:
    """Past runs, newest first."""
    with _existing_store(config, verbose) as (_, store):
        _print(runs_table(store.runs(limit)))
    return Exit.OK


def show(config: Path | None, verbose: int, *, number: int, form: str) -> int:
    """The report of a past run."""
    with _existing_store(config, verbose) as (settings, store):
        _print_report(store.load_run(number), settings, form)
    return Exit.OK


def resend(config: Path | None, verbose: int) -> int:
    """Send the reports that could not be delivered."""
    settings, rules = _load(config, verbose)
    failed = False
    for number, (name, error) in enumerate(delivery.resend(settings, rules.policies), start=1):
        click.echo(f"{number}. {name}: {'delivered' if error is None else f'still undelivered: {error}'}")
        failed = failed or error is not None
    return Exit.FAILED if failed else Exit.OK


def _load_to_run(config: Path | None, verbose: int) -> tuple[Settings, Rules]:
    """Configuration and policies. Where at least the configuration is right, watchers are told of the failure too."""
    try:
        return _load(config, verbose)
    except ConfigurationError:
        with suppress(ConfigurationError):
            settings = load_settings(config)
            configure_logging(verbose, settings.secrets)
            from janitor.watch import failed_to_begin

            failed_to_begin(settings)
        raise


def _load(config: Path | None, verbose: int) -> tuple[Settings, Rules]:
    settings, rules = wiring.load(config)
    configure_logging(verbose, settings.secrets)
    return settings, rules


@contextmanager
def _existing_store(config: Path | None, verbose: int) -> Iterator[tuple[Settings, Store]]:
    settings = load_settings(config)
    configure_logging(verbose, settings.secrets)
    with Store.open_existing(settings.database) as store:
        yield settings, store


def _number(store: Store, number: int | None) -> int:
    latest = store.latest_run()
    if latest is None:
        raise UsageError("no run is recorded yet: `janitor run --dry-run` makes the first")
    return latest if number is None else number


def _print_report(result: RunResult, settings: Settings, form: str) -> None:
    if form == "json":
        sys.stdout.write(json_report(result) + "\n")
        sys.stdout.flush()
    else:
        _print(text_report(result, settings.cost, zone=settings.timezone))


def _print(renderable: RenderableType) -> None:
    Console(highlight=False).print(renderable)
