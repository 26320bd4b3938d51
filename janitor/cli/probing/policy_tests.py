"""What `check` says about tests of policies: how many expectations hold, and each that fails."""

from janitor.cli import probing
from janitor.cli.policy_tests import footing_of, run_tests
from janitor.config import Settings
from janitor.config.policy_files import Rules
from janitor.config.policy_folder import TESTS_ARE
from janitor.config.policy_tests import tests_in, unread_tests
from janitor.errors import ConfigurationError
from janitor.escaping import visible
from janitor.report.rehearsals.policy_tests import failing_lines, idle_lines, total_of, untested_line

_SUBJECT = "tests"


def tests_failed(settings: Settings, rules: Rules) -> bool:
    """Whether tests of the policies fail, or their files are wrong. Says so, and where there are no tests."""
    if unread := unread_tests(settings.policies, read=True):
        probing.tell(probing.line(_SUBJECT, f"note: not run, as {TESTS_ARE}: {visible(', '.join(unread))}"))
    try:
        files = tests_in(settings.policies)
        if not files:
            probing.tell(probing.line(_SUBJECT, f"note: none; {TESTS_ARE}"))
            return False
        tested = run_tests(files, rules, footing_of(settings), all_of_them=True)
    except ConfigurationError as error:
        for problem in error.problems:
            probing.tell(probing.line(_SUBJECT, f"failed: {problem}"))
        return True
    probing.tell(probing.line(_SUBJECT, f"{'failed' if tested.failing else 'ok'}: {total_of(tested)}"))
    for line in failing_lines(tested):
        probing.tell(probing.line(_SUBJECT, f"failed: {line}"))
    for line in idle_lines(tested):
        probing.tell(probing.line(_SUBJECT, f"note: {line}"))
    if tested.unexercised:
        probing.tell(probing.line(_SUBJECT, f"note: {untested_line(tested)}"))
    return tested.failing > 0
