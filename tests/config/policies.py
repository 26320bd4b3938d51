"""Policy files that several tests write, and the problems of those that are wrong."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from janitor.config.policy_files import load_policies
from janitor.errors import ConfigurationError, Exit

WritePolicies = Callable[[str, str], Path]


def problems_of(path: Path, unserved: Mapping[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load_policies(path, unserved or {})
    assert caught.value.exit_code == Exit.USAGE
    return [str(problem) for problem in caught.value.problems]


GOOD = 'policies:\n  - {name: NAME, match: {name: "*"}}\n'
