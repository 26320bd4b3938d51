"""Which files of a folder are read as policies, and which as tests of policies, by their names."""

import os
import re
from contextlib import suppress
from pathlib import Path

_SUFFIXES = (".yaml", ".yml")
TESTS = (".test.yaml", ".test.yml")
"""How the names of tests of policies end."""

_NAMED_LIKE_TESTS = re.compile(r"(?<![a-z])tests?(?![a-z])", re.IGNORECASE)
TESTS_ARE = "tests of policies are *.test.yaml or *.test.yml files beside the policies"
"""Which files `holds_tests` takes, in words."""


def holds_policies(file: Path) -> bool:
    """Whether a file is one of policies or of their tests, by its name."""
    # A broken link counts: if a policy that keeps images is missing, they may be deleted.
    return file.suffix in _SUFFIXES and not file.name.startswith(".") and not file.is_dir()


def holds_tests(file: Path) -> bool:
    """Whether a file is one of tests of policies, by its name."""
    return holds_policies(file) and file.name.endswith(TESTS)


def named_like_tests(name: str) -> bool:
    """Whether people may take a file or folder of this name for tests of policies, such as `ci.tests.yaml`."""
    return _NAMED_LIKE_TESTS.search(name) is not None


def would_be_read(policies: Path, file: Path) -> bool:
    """Whether a file is read as one of these policies, under any of its names, or would be once it is there."""
    real = Path(os.path.realpath(file))
    if not policies.is_dir():
        return real == Path(os.path.realpath(policies))
    names = [policies / real.name] if real.parent == Path(os.path.realpath(policies)) else []
    with suppress(OSError):  # which is said when the policies are read
        names += [one for one in policies.iterdir() if one.is_symlink() and Path(os.path.realpath(one)) == real]
    return any(map(holds_policies, names))
