"""The command that runs the tests that people write for their policies: `test`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from janitor.cli.commands.options import Common, FileName, common
from janitor.cli.formats import Format, format_option
from janitor.cli.formats.rehearsals import TESTED

if TYPE_CHECKING:
    from janitor.config import Settings

_NOTHING_CONFIGURED = "There is no janitor.yaml here: dates are in UTC, and uses are remembered for {memory}."


@click.command()
@click.argument("path", metavar="[PATH]", type=FileName(), required=False)
@click.option(
    "--policies", "rules_at", type=FileName(), metavar="PATH", help="Test these policies instead of those beside."
)
@format_option(TESTED)
@common
def test(common: Common, path: Path | None, rules_at: Path | None, form: Format) -> int:
    """Run the tests of policies: *.test.yaml files.

    PATH is such a file, or a folder with some and their policies; by default the configured policies folder. Needs no
    cloud, no database, and no janitor.yaml. Exits with 1 if an expectation fails.
    """
    from janitor.cli.policy_tests import find_tests, footing_of, run_tests
    from janitor.cli.terminal import say
    from janitor.config.policy_files import load_rules
    from janitor.core.units import format_duration
    from janitor.errors import Exit

    settings = _settings(common)
    configured = settings.policies if settings is not None else Path("policies")
    files = find_tests(path or configured, default=path is None)
    footing = footing_of(settings)
    beside = path.parent if path is not None and not path.is_dir() else path
    rules = load_rules(rules_at or beside or configured, footing.zone)
    whole = path is None or path.is_dir()
    tested = run_tests(files, rules, footing, all_of_them=whole)
    if settings is None:
        say(_NOTHING_CONFIGURED.format(memory=format_duration(footing.usage_memory)), err=True)
    TESTED[form](tested)
    return Exit.FAILED if tested.failing else Exit.OK


def _settings(common: Common) -> "Settings | None":
    """The configuration; None where there is none, and none was asked for. Raises ConfigurationError."""
    from janitor.cli.commands.loading import configured_offline
    from janitor.config import place_of

    place = place_of(common.config)
    if common.config is None and place == place_of(None, {}) and not place.exists():
        return None
    return configured_offline(common)
