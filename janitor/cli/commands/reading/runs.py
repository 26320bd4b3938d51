"""The commands about past runs: `runs` and `show`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from janitor.cli import completion
from janitor.cli.commands.options import NUMBER, RUN, Common, common
from janitor.cli.commands.reading.filters import selecting
from janitor.cli.formats import PRINTED, SHOWN, Format, Part, format_option, print_some, report_options
from janitor.cli.formats.answers import RUNS
from janitor.commands import command

if TYPE_CHECKING:
    from janitor.core.explaining.selection import Selection
    from janitor.core.result import RunResult
    from janitor.store import Store


@click.command()
@click.option("--limit", type=NUMBER, default=20, show_default=True, metavar="N", help="How many runs to list.")
@format_option(RUNS)
@common
def runs(common: Common, limit: int, form: Format) -> int:
    """List past runs, newest first."""
    from janitor.cli.commands.loading import recorded_store
    from janitor.errors import Exit
    from janitor.report.wording import undelivered_reports

    with recorded_store(common) as (settings, store):
        listed = store.runs(limit)
        RUNS[form](listed, settings.timezone)
        if form is Format.TEXT:
            dropped = [str(run.run) for run in listed if not run.details_kept]
            _say_more(dropped, undelivered_reports(store.backlog(), settings.timezone))
    return Exit.OK


def _say_more(dropped: Sequence[str], waiting: str) -> None:
    """Say of which runs the details were dropped, and which reports are undelivered."""
    from janitor.cli.terminal import print_out, print_plain
    from janitor.report.layout import sentence
    from janitor.report.tables import UNDELIVERED

    if dropped:
        runs_of = dropped[0] if len(dropped) == 1 else f"{dropped[-1]} to {dropped[0]}"
        print_plain(f"Without details, which were dropped as `keep_history` says: run {runs_of}.")
    if waiting:
        print_out(sentence(f"{UNDELIVERED} {waiting}"))


@click.command()
@click.argument("number", metavar="RUN", type=RUN, shell_complete=completion.SHOWN_RUNS)
@selecting
@report_options(SHOWN)
@common
def show(common: Common, number: int | None, form: Format | Part, **asked: Any) -> int:
    """Show the report of a past RUN again, or of the `latest`.

    Options that choose images leave the others out.
    """
    from janitor.cli.commands.loading import recorded_store
    from janitor.cli.commands.reading.filters import selection
    from janitor.errors import Exit, UsageError
    from janitor.report.answers.selected import heading_of

    chosen = selection(**asked)
    with recorded_store(common) as (settings, store):
        run = store.latest_run() if number is None else number
        if run is None:
            raise UsageError(f"no run is recorded yet: `{command('run --dry-run')}` makes the first")
        result = store.load_run(run)
        part = result if chosen.order is None and not chosen.chooses else _chosen(store, result, chosen)
        if chosen.chooses:
            print_some(part, settings, form, heading_of(result, part))
        else:
            PRINTED[form](part, settings)
    return Exit.OK


def _chosen(store: "Store", result: "RunResult", chosen: "Selection") -> "RunResult":
    """What is asked for of a run. Raises UsageError for an unknown policy or target."""
    from janitor.cli.commands.reading.filters import check_names
    from janitor.report.answers.selected import selected

    decided = [decision.policy for target in result.targets for decision in target.decisions]
    policies = (*store.policies(result.run), *(policy for policy in decided if policy is not None))
    check_names(chosen, policies, [target.target for target in result.targets])
    return selected(result, chosen)
