"""The commands that read what is recorded: `images`, `explain`, `runs` and `show`."""

from pathlib import Path

from janitor.cli.commands.loading import existing_store, load
from janitor.cli.commands.reporting import print_report
from janitor.cli.explain import explanation
from janitor.cli.terminal import print_out, print_plain
from janitor.errors import Exit, UsageError
from janitor.report.tables import images_json, images_table, runs_table
from janitor.store import Store


def images(config: Path | None, verbose: int, *, number: int | None, form: str) -> int:
    """The images exactly as a run saw them."""
    with existing_store(config, verbose) as (_, store):
        run = _number(store, number)
        surveys = store.surveys(run)
        if form == "json":
            print_plain(images_json(run, surveys.items()))
        else:
            print_out(images_table(run, surveys.items()))
    return Exit.OK


def explain(config: Path | None, verbose: int, *, prefix: str) -> int:
    """Everything about one image."""
    settings, rules = load(config, verbose)
    with Store.open_existing(settings.database) as store:
        print_out(explanation(store, rules.policies, prefix, settings.timezone))
    return Exit.OK


def runs(config: Path | None, verbose: int, *, limit: int) -> int:
    """Past runs, newest first."""
    with existing_store(config, verbose) as (_, store):
        print_out(runs_table(store.runs(limit)))
    return Exit.OK


def show(config: Path | None, verbose: int, *, number: int, form: str) -> int:
    """The report of a past run."""
    with existing_store(config, verbose) as (settings, store):
        print_report(store.load_run(number), settings, form)
    return Exit.OK


def _number(store: Store, number: int | None) -> int:
    latest = store.latest_run()
    if latest is None:
        raise UsageError("no run is recorded yet: `janitor run --dry-run` makes the first")
    return latest if number is None else number
