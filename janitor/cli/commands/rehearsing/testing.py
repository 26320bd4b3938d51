"""The command that runs the tests that people write for their policies, or records one: `test`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from janitor.cli import completion
from janitor.cli.commands.options import RUN_OR_LATEST, Common, FileName, common
from janitor.cli.formats import Format, format_option
from janitor.cli.formats.rehearsals import TESTED

if TYPE_CHECKING:
    from janitor.config import Settings

_NOTHING_CONFIGURED = "There is no janitor.yaml here: dates are in UTC, and uses are remembered for {memory}."


@click.command()
@click.argument("path", metavar="[PATH]", type=FileName(), required=False)
@click.option("--policies", "rules_at", type=FileName(), metavar="PATH", help="Test these policies, not those beside.")
@format_option(TESTED)
@click.option(
    "--record",
    "number",
    type=RUN_OR_LATEST,
    metavar="RUN",
    shell_complete=completion.SHOWN_RUNS,
    help="Write a test of what this run, or the `latest`, decided.",
)
@click.option("--name", metavar="PATTERN", help="Record only names like this glob or /regular expression/.")
@click.option("--target", metavar="NAME", shell_complete=completion.TARGETS, help="Record images of this target.")
@click.option("--output", type=FileName(), metavar="FILE", help="Record in this new file (default: stdout).")
@common
def test(common: Common, path: Path | None, rules_at: Path | None, form: Format, **recording: Any) -> int:
    """Run the tests of policies: *.test.yaml files.

    PATH is such a file, or a folder with some; by default the configured policies folder. Tests the policies beside
    them, or where none are there, the configured ones. Needs no cloud, no database, and no janitor.yaml. Exits with 1
    if an expectation fails.

    With --record, writes such a file instead: images as a recorded run saw them, and what it decided.
    """
    if recording["number"] is not None:
        if path is not None or rules_at is not None or form is not Format.TEXT:
            raise click.UsageError("--record writes a test, and goes with --name, --target and --output only")
        return _record(common, **recording)
    if given := next((key for key, value in recording.items() if value is not None), None):
        raise click.UsageError(f"--{given} goes with --record only")
    return _run(common, path, rules_at, form)


def _run(common: Common, path: Path | None, rules_at: Path | None, form: Format) -> int:
    from janitor.cli.policy_tests import find_tests, footing_of, not_run, policies_for, refused_by_runs, run_tests
    from janitor.cli.terminal import say
    from janitor.config.policy_files import load_rules
    from janitor.core.units import format_duration
    from janitor.errors import Exit

    settings = _settings(common)
    configured = settings.policies if settings is not None else Path("policies")
    files = find_tests(path or configured, default=path is None)
    footing = footing_of(settings)
    tried = rules_at or policies_for(path, settings)
    rules = load_rules(tried, footing.zone)
    whole = path is None or path.is_dir()
    tested = run_tests(files, rules, footing, all_of_them=whole)
    if settings is None:
        say(_NOTHING_CONFIGURED.format(memory=format_duration(footing.usage_memory)), err=True)
    else:
        for problem in refused_by_runs(settings, tried):
            say(f"a run refuses these policies: {problem}", err=True)
    if whole and (sentence := not_run(path or configured, tried)):
        say(sentence, err=True)
    TESTED[form](tested)
    return Exit.FAILED if tested.failing else Exit.OK


def _record(common: Common, *, number: int, name: str | None, target: str | None, output: Path | None) -> int:
    from janitor.cli.commands.loading import recorded_store
    from janitor.cli.commands.reading.filters import run_meant, selection
    from janitor.cli.policy_tests.recording import OUTPUT, Wanted, must_be_a_new_test, recorded_test, remarks_on
    from janitor.cli.terminal import print_lines, say
    from janitor.cli.written_configuration import must_not_be_read, write_new
    from janitor.errors import Exit

    if output is not None:
        must_be_a_new_test(output)
    pattern = selection(policies=(), targets=(), verdicts=(), reasons=(), name=name, order=None).name
    with recorded_store(common) as (settings, store):
        if output is not None:
            must_not_be_read(output, settings, OUTPUT, policy=False)
        made = recorded_test(store, Wanted(run_meant(store, number), target, pattern), settings.timezone)
    if output is None:
        print_lines([made.text])
    else:
        write_new(output, made.text, OUTPUT)
    for remark in remarks_on(made):
        say(remark, err=True)
    return Exit.OK


def _settings(common: Common) -> "Settings | None":
    """The configuration; None where there is none, and none was asked for. Raises ConfigurationError."""
    from janitor.cli.commands.loading import configured_offline
    from janitor.config import place_of
    from janitor.config.glance import is_of_fleet

    place = place_of(common.config)
    if common.config is None and place == place_of(None, {}) and not place.exists():
        return None
    return configured_offline(common, whole=is_of_fleet(common.config))
