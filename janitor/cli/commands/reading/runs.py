"""The commands about past runs: `runs` and `show`."""

import click

from janitor.cli import completion
from janitor.cli.commands.options import NUMBER, Common, common
from janitor.cli.formats import REPORT, Format, format_option


@click.command()
@click.option("--limit", type=NUMBER, default=20, show_default=True, metavar="N", help="How many runs to list.")
@common
def runs(common: Common, limit: int) -> int:
    """List past runs, newest first."""
    from janitor.cli.commands.loading import existing_store
    from janitor.cli.terminal import print_out, print_plain
    from janitor.errors import Exit
    from janitor.report.layout import sentence
    from janitor.report.tables import UNDELIVERED, runs_table
    from janitor.report.wording import undelivered_reports

    with existing_store(common) as (settings, store):
        listed = store.runs(limit)
        print_out(runs_table(listed))
        dropped = [str(run.run) for run in listed if not run.details_kept]
        if dropped:
            runs_of = dropped[0] if len(dropped) == 1 else f"{dropped[-1]} to {dropped[0]}"
            print_plain(f"Without details, which were dropped as `keep_history` says: run {runs_of}.")
        if waiting := undelivered_reports(store.backlog(), settings.timezone):
            print_out(sentence(f"{UNDELIVERED} {waiting}"))
    return Exit.OK


@click.command()
@click.argument("number", metavar="RUN", type=NUMBER, shell_complete=completion.RUNS)
@format_option(REPORT)
@common
def show(common: Common, number: int, form: Format) -> int:
    """Show the report of a past RUN again."""
    from janitor.cli.commands.loading import existing_store
    from janitor.errors import Exit

    with existing_store(common) as (settings, store):
        REPORT[form](store.load_run(number), settings)
    return Exit.OK
