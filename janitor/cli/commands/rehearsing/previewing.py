"""The command that tries policies on a recorded snapshot: `preview`."""

from pathlib import Path

import click

from janitor.cli import completion
from janitor.cli.commands.options import COUNT, RUN_OR_LATEST, Common, FileName, common
from janitor.cli.commands.reading.filters import TARGET
from janitor.cli.formats import Format, format_option
from janitor.cli.formats.rehearsals import PREVIEW

NEW = "new"


@click.command()
@click.option("--policies", "path", type=FileName(), metavar="PATH", help="Policies to try (default: the configured).")
@click.option(
    "--run",
    "number",
    type=RUN_OR_LATEST,
    metavar="N",
    shell_complete=completion.SHOWN_RUNS,
    help="On what run N, or the `latest`, saw (default: the latest snapshot of each target).",
)
@click.option(
    "--against",
    type=RUN_OR_LATEST,
    metavar="RUN",
    shell_complete=completion.SHOWN_RUNS,
    help="Compare with what this run decided (default: the last live run that carried out its plan, or the run of the "
    "snapshot).",
)
@click.option("--at", metavar="DATE", help="As of this day (2026-12-31) or time with its zone, after the snapshot.")
@TARGET
@click.option(
    "--fail-over",
    type=COUNT,
    metavar="N",
    help="Exit 4 if more images are to be deleted, at once or after their notice.",
)
@click.option(
    "--fail-on",
    type=click.Choice([NEW]),
    help="Exit 4 if any image is newly to be deleted, at once or after its notice.",
)
@format_option(PREVIEW)
@common
def preview(
    common: Common,
    path: Path | None,
    number: int | None,
    against: int | None,
    at: str | None,
    targets: tuple[str, ...],
    fail_over: int | None,
    fail_on: str | None,
    form: Format,
) -> int:
    """Try policies on a recorded snapshot: what would change.

    Decides again what a run decided, with these policies and their exempt:, and compares. Nothing else of the
    configuration is tried. Reads the database only: it asks no API, and deletes and announces nothing. Exits with 1 if
    a target could not be decided on.
    """
    from janitor.cli.commands.loading import load_rules_offline
    from janitor.cli.commands.reading.filters import run_meant
    from janitor.cli.commands.reading.standing import instant_before
    from janitor.cli.rehearsals.previewing import Wanted, previewed
    from janitor.cli.terminal import say
    from janitor.clock import utc_now
    from janitor.core.replay.preview import Tried
    from janitor.report.rehearsals.previews.preview import Conditions, preview_of
    from janitor.store import Store

    settings, rules = load_rules_offline(common, path)
    now = None if at is None else instant_before(at, settings.timezone, "--at")
    with Store.open_existing(settings.database) as store:
        tried = Tried(rules.policies, rules.exemptions, now)
        run, beside = (None if each is None else run_meant(store, each) for each in (number, against))
        found = list(previewed(settings, store, tried, Wanted(run, beside, frozenset(targets), utc_now())))
    made = preview_of(found, Conditions(fail_over, fail_on == NEW))
    PREVIEW[form](made, settings.cost, settings.timezone)
    for sentence in made.failed_on:
        say(f"janitor: {sentence}", err=True)
    return made.code
