"""Tests of policies as commands run them: where they are, what they go by, and how they end."""

from collections.abc import Sequence
from datetime import UTC, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from janitor.config.policy_folder import TESTS_ARE, holds_tests
from janitor.errors import ConfigurationError, UsageError
from janitor.escaping import visible

if TYPE_CHECKING:
    from janitor.config import Settings
    from janitor.config.policy_files import Rules
    from janitor.config.policy_tests.making import Footing
    from janitor.core.policy_tests.cases import Tested
    from janitor.errors import Problem

NO_TESTS = "has no tests: no *.test.yaml or *.test.yml file is in it"


def footing_of(settings: "Settings | None") -> "Footing":
    """What tests go by as it is configured, or by default where nothing is; without exemptions."""
    from janitor.config.policy_tests.making import Footing

    if settings is None:
        return Footing(UTC, _usage_memory())
    return Footing(settings.timezone, settings.usage_memory)


def _usage_memory() -> timedelta:
    """How long uses are remembered where nothing is configured."""
    from janitor.config.schema import SettingsSchema

    default: timedelta = SettingsSchema.model_fields["usage_memory"].default
    return default


def find_tests(path: Path, *, default: bool) -> list[Path]:
    """The files of tests that are meant by a path: itself, those in a folder, or by `default` beside the policies.

    Raises UsageError for a path that is not there, or no test, and where there are no tests.
    """
    from janitor.config.policy_tests import tests_in, unread_tests

    shown = visible(str(path))
    if not path.exists():
        raise UsageError(f"{shown} does not exist: name a *.test.yaml file, or a folder that has some")
    if not path.is_dir() and not default:
        if not holds_tests(path):
            raise UsageError(f"{shown} is not a file of tests: those are named *.test.yaml or *.test.yml")
        return [path]
    if not (found := tests_in(path)):
        others = unread_tests(path, read=False)
        named = f"; {', '.join(others)} {'is' if len(others) == 1 else 'are'} named otherwise" if others else ""
        raise UsageError(visible(f"{path if path.is_dir() else path.parent} {NO_TESTS}{named}"))
    return found


def policies_for(path: Path | None, settings: "Settings | None") -> Path:
    """The policies of the tests at a path: those beside, or where none are there, the configured ones.

    By default those that are configured. Raises UsageError where neither are there.
    """
    from janitor.config.policy_tests import has_policies

    if path is None:
        return settings.policies if settings is not None else Path("policies")
    beside = path if path.is_dir() else path.parent
    if has_policies(beside):
        return beside
    if settings is None:
        raise UsageError(
            visible(f"no policies are beside these tests, in {beside}: say with --policies where they are")
        )
    return settings.policies


def not_run(path: Path, policies: Path) -> str | None:
    """A sentence on what is named like tests among those of a path and is not run, if anything is.

    Those that are read as `policies`, too, are left to these.
    """
    from janitor.config.policy_tests import unread_tests

    if not (names := unread_tests(path, read=path == policies)):
        return None
    return visible(f"not run, as {TESTS_ARE}: {', '.join(names)}")


def refused_by_runs(settings: "Settings", path: Path) -> "tuple[Problem, ...]":
    """Why a run with this configuration refuses the policies at a path, which are valid by themselves."""
    from janitor.cli.configuration import rules_of

    try:
        rules_of(settings, path)
    except ConfigurationError as error:
        return error.problems
    return ()


def run_tests(files: Sequence[Path], rules: "Rules", footing: "Footing", *, all_of_them: bool) -> "Tested":
    """The tests of these files, run; with `all_of_them`, also the policies that none of them exercises.

    Raises ConfigurationError with every problem of the files.
    """
    from dataclasses import replace

    from janitor.config.policy_tests import read_tests
    from janitor.core.policy_tests.cases import Tested
    from janitor.core.policy_tests.judging import judged, unexercised

    footing = replace(footing, exemptions=rules.exemptions)
    results = tuple(judged(test, rules.policies) for test in read_tests(files, rules.policies, footing))
    return Tested(results, unexercised(results, rules.policies) if all_of_them else ())
