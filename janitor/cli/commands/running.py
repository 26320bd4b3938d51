"""The commands that run once: `run` and `apply`."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from janitor.cli import wiring
from janitor.cli.commands.approving import agreed
from janitor.cli.commands.loading import load, load_to_run
from janitor.cli.commands.reporting import code_of, reported, say_what_failed
from janitor.cli.progress import progress_bar
from janitor.clock import utc_now
from janitor.config import Settings
from janitor.config.policy_files import Rules
from janitor.core.result import Mode
from janitor.errors import Exit
from janitor.run import sites
from janitor.run.review import reviewed_plan
from janitor.shutdown import Stop, stopping_on_signals
from janitor.store import Store

if TYPE_CHECKING:
    from janitor.monitoring.watch import Begun, Ended


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
    settings, rules = load_to_run(config, verbose)
    chosen = sites.chosen(settings, targets)
    mode = wiring.mode_of(settings, dry_run=dry_run)

    request = wiring.RunRequest(mode, chosen, accept_survey=accept_survey, post=post)
    return _run_once(settings, rules, request, form=form)


def apply(
    config: Path | None, verbose: int, *, number: int, dry_run: bool, form: str, post: bool, yes: bool = False
) -> int:
    """Delete what the plan of a run named, as far as nothing about it has changed; `yes` asks nobody beforehand.

    Where a person who is asked says no, it is exit 1, as it was not applied.
    """
    settings, rules = load(config, verbose)
    with Store.open_existing(settings.database) as store:
        approved = reviewed_plan(store, number, rules.policies, settings.plan_validity, utc_now())
        chosen = sites.chosen(settings, list(approved))
        if not (dry_run or yes):
            if not agreed(settings, store.load_run(number), approved):
                return Exit.FAILED
            # The answer may have taken its time.
            approved = reviewed_plan(store, number, rules.policies, settings.plan_validity, utc_now())
    mode = Mode.DRY_RUN if dry_run else Mode.DELETE

    request = wiring.RunRequest(mode, chosen, approved=approved, post=post, command=f"janitor apply {number}")
    return _run_once(settings, rules, request, form=form)


def _run_once(settings: Settings, rules: Rules, request: wiring.RunRequest, *, form: str) -> int:
    stop = Stop()
    with stopping_on_signals(stop), _watched(settings, stop) as (begins, ended), ExitStack() as holding:
        with progress_bar() as progress:
            around = wiring.Surroundings(stop=stop, progress=progress, holding=holding, begins=begins)
            result = wiring.perform(settings, rules, request, around)
        posted = reported(settings, result, rules.policies, stop, form=form, post=request.post)
        code = ended(result, code_of(result, posted, stop))
    say_what_failed(posted, code)
    return code


def _watched(settings: Settings, stop: Stop) -> "AbstractContextManager[tuple[Begun, Ended]]":
    """The watchers' eye on one run; where nobody watches, nothing is worked out for them, nor its library imported."""
    if settings.heartbeat_url is None and settings.metrics_file is None:
        return nullcontext((lambda: None, lambda _result, code: code))
    from janitor.monitoring.watch import Watch

    return Watch(settings, stop).run()
