"""Policy files that several tests write, and the problems of those that are wrong."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from janitor.config.policy_files import load_policies
from janitor.errors import ConfigurationError, Exit
from tests.config.json_schemas import hold_files

WritePolicies = Callable[[str, str], Path]


def problems_of(path: Path, unserved: Mapping[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load_policies(path, unserved or {})
    assert caught.value.exit_code == Exit.USAGE
    if not unserved:
        hold_files("policies", sorted(path.glob("*.yaml")) if path.is_dir() else [path], caught.value.problems)
    return [str(problem) for problem in caught.value.problems]


GOOD = 'policies:\n  - {name: NAME, match: {name: "*"}}\n'
