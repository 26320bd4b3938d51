"""From configuration to a run."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from janitor.cli.configuration import basis_of, next_run_of
from janitor.cli.recorded import images_of, known_targets
from janitor.clock import utc_now
from janitor.cloud.target import may_have
from janitor.config import Settings
from janitor.config.policy_files import PASSED_OVER, Rules
from janitor.core.decision import Decision
from janitor.core.exemptions import active
from janitor.core.policy_lint import exempting_nothing
from janitor.core.result import Mode, Outcome, RunResult, RunTerms
from janitor.errors import Exit, JanitorError, StoreError, worst
from janitor.expressions import Budget
from janitor.run import Run, exit_code
from janitor.run.orders import Audience, Execution, NoTexts, Progress, Silence, Site, Texts
from janitor.run.requesting import Authority, SoleOwner
from janitor.run.sites import Choice, sites_of
from janitor.run.surveying import raise_if_stopped
from janitor.run.upkeep import keep_up
from janitor.shutdown import Stop
from janitor.store import Store, exclusive, inspect, read_mark, write_mark

if TYPE_CHECKING:
    import httpx


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What is asked of one run.

    `accept_survey`: a person accepts the surveys although they look implausible. `approved` are the decisions of a
    reviewed plan by target: then only these images may go, and no limit applies. `post`: the report will be posted.
    `command` names who holds the database meanwhile, and `begun_by` who began the run, for its report.
    """

    mode: Mode
    choice: Choice
    accept_survey: bool = False
    approved: Mapping[str, Sequence[Decision]] | None = None
    post: bool = True
    command: str = "janitor run"
    begun_by: str | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What one run is performed in.

    The database is held until `holding` is closed, or else as long as the run takes; `begins` is called once it is
    held. `http_transport`: see `sites_of`.
    """

    stop: Stop = field(default_factory=Stop)
    progress: Progress = field(default_factory=Silence)
    clock: Callable[[], datetime] = utc_now
    holding: ExitStack | None = None
    begins: Callable[[], None] = lambda: None
    http_transport: "httpx.BaseTransport | None" = None
    authority: Authority = field(default_factory=SoleOwner)


def perform(
    settings: Settings, rules: Rules, request: RunRequest, surroundings: Surroundings | None = None
) -> RunResult:
    """Run once over the chosen targets, and alone: raises Busy where another run holds the database.

    A database that fails is a failed run, not an exception, so that it is reported like any other.

    Raises ConfigurationError, before anything is surveyed, for invalid credentials or a region that does not exist.
    """
    around = surroundings or Surroundings()
    started_at = around.clock()
    result = None
    own = ExitStack()
    try:
        (around.holding or own).enter_context(
            exclusive(settings.database, request.command, started_at, settings.timezone)
        )
        around.begins()
        inspect(settings.database)
        sites = _sites(settings, request.choice, around)
        read_mark(settings.database)  # before a database is made: one that cannot be read is an error
        with Store.open(settings.database) as store:
            behind = around.authority.admit(store)
            result = Run(
                sites=sites,
                basis=basis_of(settings, rules, accept_survey=request.accept_survey),
                store=store,
                mode=request.mode,
                references=_texts(settings, around),
                approved=request.approved,
                unknown_mark=store.unknown_mark() or behind,
                execution=_execution(settings, around),
                audience=_audience(settings, rules, request, store, around.clock),
            ).perform()
            result = _marked(settings.database, store, result)
            keep_up(store, result.run, settings.keep_history, around.stop)
    except StoreError as error:
        return result or failed_run(request.mode, error, started_at, around.clock(), request.begun_by)
    finally:
        own.close()
    return result


def _texts(settings: Settings, around: Surroundings) -> Texts:
    if not settings.references:
        return NoTexts()
    from janitor.references.reading import References  # whose search takes its time to load

    return References(settings.references, settings.http, around.stop, around.http_transport)


def _sites(settings: Settings, choice: Choice, around: Surroundings) -> list[Site]:
    known = known_targets(settings)
    return sites_of(
        settings, choice, clock=around.clock, stop=around.stop, http_transport=around.http_transport, known=known
    )


def _execution(settings: Settings, around: Surroundings) -> Execution:
    return Execution(
        targets_at_once=settings.concurrency.targets,
        deletions_at_once=settings.concurrency.deletions,
        clock=around.clock,
        stop=around.stop,
        progress=around.progress,
        budget=Budget(check_stop=partial(raise_if_stopped, around.stop)),
        authority=around.authority,
    )


def _audience(
    settings: Settings, rules: Rules, request: RunRequest, store: Store, clock: Callable[[], datetime]
) -> Audience:
    return Audience(
        owes_report=request.post and _has_channels(settings),
        unposted=not request.post and settings.slack is not None,
        destinations=settings.destinations(rules.policies),
        next_run=next_run_of(settings),
        remarks=partial(_remarks, settings, rules, request.mode, store, clock),
        begun_by=request.begun_by,
    )


def _marked(database: Path, store: Store, result: RunResult) -> RunResult:
    """The result once the mark of the run is written beside the database; a failed one, where that is not possible."""
    try:
        write_mark(database, store.mark_run(result.run))
    except StoreError as error:
        both = "; ".join(filter(None, (result.error, str(error) if str(error) not in (result.error or "") else None)))
        return replace(result, outcome=Outcome.FAILED, error=both)
    return result


def _has_channels(settings: Settings) -> bool:
    if not settings.has_channels:
        return False
    from janitor.notify.channels import configured  # which loads every kind of channel

    return bool(configured(settings))


def _remarks(settings: Settings, rules: Rules, mode: Mode, store: Store, clock: Callable[[], datetime]) -> list[str]:
    """The notes about policy files in the report of a run; that an exemption has no image is noted once.

    Raises StoreError.
    """
    exempted = [exemption for exemption in rules.exemptions if active(exemption, clock())]
    images = images_of(settings, store) if exempted else {}
    surveyed = all(any(may_have(target, name) for name in images) for target in settings.targets)
    idle = exempting_nothing(exempted, images) if surveyed else []
    sentences = [f"{PASSED_OVER}: {', '.join(rules.passed_over)}"] if rules.passed_over and mode is Mode.DELETE else []
    once = [f'a policy file exempts "{name}", and in the latest surveys no image has this name or id' for name in idle]
    said = store.said(mode) if once else set()
    return sentences + [sentence for sentence in once if sentence not in said]


def failed_run(
    mode: Mode, error: JanitorError, started_at: datetime, finished_at: datetime, begun_by: str | None
) -> RunResult:
    """The result of a run that did not get as far as its targets."""
    terms = RunTerms(begun_by)
    return RunResult(0, mode, Outcome.FAILED, started_at, finished_at, (), str(error), terms=terms)


def code_of(result: RunResult, delivery: Exit = Exit.OK) -> Exit:
    """The exit code of a run and of the delivery of its report."""
    return worst([exit_code(result), delivery])
