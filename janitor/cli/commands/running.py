"""The commands that run once: `run` and `apply`."""

import click

from janitor.cli import completion
from janitor.cli.commands.options import DRY_RUN, NO_POST, REVIEWED, Common, common
from janitor.cli.formats import REPORT, Format, Part, report_options


@click.command()
@DRY_RUN
@click.option(
    "--target",
    "targets",
    multiple=True,
    metavar="NAME",
    shell_complete=completion.TARGETS,
    help="Only this target; may be repeated.",
)
@report_options(REPORT)
@NO_POST
@click.option("--local", is_flag=True, help="Tell nobody: no channel, no heartbeat, no metrics file.")
@click.option("--accept-survey", is_flag=True, help="Accept this survey although it looks implausible.")
@common
def run(
    common: Common,
    dry_run: bool,
    targets: tuple[str, ...],
    form: Format | Part,
    no_post: bool,
    local: bool,
    accept_survey: bool,
) -> int:
    """Run once: survey, decide, delete where mode is delete, report.

    The report also goes to the configured channels, that of a dry run too.
    """
    from janitor.cli import configuration, wiring
    from janitor.cli.commands.loading import load_to_run
    from janitor.cli.commands.run_once import run_once
    from janitor.run import sites

    settings, rules = load_to_run(common)
    chosen = sites.chosen(settings, targets)
    mode = configuration.mode_of(settings, dry_run=dry_run)
    post = not (no_post or local)
    request = wiring.RunRequest(mode, chosen, accept_survey=accept_survey, post=post, begun_by=_who(common))
    with common.right(rules) as right:
        return run_once(settings, rules, request, form, watched=not local and common.account is None, right=right)


def _who(common: Common) -> str:
    """Who begins a run, as its report says it: also of a command that was asked on another host."""
    from janitor.config.operator import begun_by

    return begun_by() if common.asked_by is None else f"by fleet exec, {common.asked_by}"


@click.command()
@click.argument("number", metavar="RUN", type=REVIEWED, shell_complete=completion.RUNS)
@click.option("--dry-run", is_flag=True, help="Delete nothing: show what would be deleted, and what has changed.")
@click.option(
    "--target",
    "targets",
    multiple=True,
    metavar="NAME",
    shell_complete=completion.TARGETS,
    help="Only its part of the plan; may be repeated.",
)
@report_options(REPORT)
@NO_POST
@click.option("--yes", is_flag=True, help="Do not ask where `mode` is dry-run or a limit is exceeded.")
@common
def apply(
    common: Common, number: int, dry_run: bool, targets: tuple[str, ...], form: Format | Part, no_post: bool, yes: bool
) -> int:
    """Delete what the plan of RUN names, except what has changed.

    Surveys and decides again, so guards and notices apply; limits do not. As a person has reviewed the plan, it also
    deletes where `mode` is dry-run or a limit is exceeded, but asks first. If the answer is not yes, it deletes nothing
    and exits with 1.
    """
    from janitor.cli import wiring
    from janitor.cli.commands.approving import Approved, agreed
    from janitor.cli.commands.loading import load
    from janitor.cli.commands.run_once import run_once
    from janitor.clock import utc_now
    from janitor.core.result import Mode
    from janitor.errors import Exit
    from janitor.run import sites
    from janitor.run.review import reviewed_plan
    from janitor.store import Store

    settings, rules = load(common)

    def still_valid(store: Store) -> Approved:
        validity, zone = settings.plan_validity, settings.timezone
        return reviewed_plan(store, number, rules.policies, validity, utc_now(), targets, zone)

    with Store.open_existing(settings.database) as store:
        approved = still_valid(store)
        chosen = sites.chosen(settings, list(approved))
        if not (dry_run or yes):
            if not agreed(settings, store.load_run(number), approved):
                return Exit.FAILED
            # The answer may have taken its time.
            approved = still_valid(store)
    mode = Mode.DRY_RUN if dry_run else Mode.DELETE
    command = f"janitor apply {number}"
    post, who = not no_post, _who(common)
    request = wiring.RunRequest(mode, chosen, approved=approved, post=post, command=command, begun_by=who)
    with common.right(rules) as right:
        return run_once(settings, rules, request, form, watched=common.account is None, right=right)
