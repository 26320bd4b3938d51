"""Reads tests of policies, `*.test.yaml`: YAML in, values out, or every problem of all files at once."""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from janitor.config.policy_files.misplaced import rules_of_tests
from janitor.config.policy_folder import TESTS, holds_policies, holds_tests, named_like_tests
from janitor.config.policy_tests.expecting import expected, listed, repeated_ids
from janitor.config.policy_tests.hiding import missing_in
from janitor.config.policy_tests.making import Footing, ids_of, made, zone_of
from janitor.config.policy_tests.schema import PolicyTestSchema
from janitor.core.policy import Policy
from janitor.core.policy_tests.cases import Case, PolicyTest
from janitor.documents import Document, Fault, Keys, display, legible, read_document
from janitor.documents.schema import check
from janitor.errors import ConfigurationError, Problem

_OF_OTHERS = (".#", "._")
"""How editors and file systems begin the names of files that they put beside others."""


def tests_in(policies: Path) -> list[Path]:
    """The files of tests in a folder of policies, or beside a file of policies, by their names.

    Raises ConfigurationError for a folder that cannot be read.
    """
    folder = policies if policies.is_dir() else policies.parent
    try:
        return sorted(file for file in folder.iterdir() if holds_tests(file))
    except OSError as error:
        raise ConfigurationError([Problem(display(folder), None, f"cannot be read: {error.strerror}")]) from error


def has_policies(folder: Path) -> bool:
    """Whether a file in it is one of policies or exemptions by its keys; one that cannot be read may be.

    In janitor.yaml the key `policies` names a folder.
    """
    return any(map(_has_rules, filter(holds_policies, _within(folder))))


def _has_rules(file: Path) -> bool:
    if holds_tests(file):
        return False
    try:
        data = read_document(file).data
    except ConfigurationError:
        return True
    return isinstance(data, dict) and ("exempt" in data or not isinstance(data.get("policies", ""), str))


def unread_tests(policies: Path, *, read: bool) -> list[str]:
    """What is named like tests in a folder of policies, or the files beside a file of policies, and is not run.

    `read`: the files of the folder are read as policies, which says what is wrong with those that are none. Of hidden
    files only those with the name of a test are named, and folders also if they hold such a file. Nothing is said of
    notes, and of a folder that cannot be read.
    """
    whole = policies.is_dir()
    folder = policies if whole else policies.parent
    try:
        others = sorted(file for file in folder.iterdir() if not holds_tests(file))
    except OSError:
        return []
    return [
        f"{legible(file.name)}{' (a folder)' if file.is_dir() else ''}"
        for file in others
        if (whole and _hides_tests(file))
        or (named_like_tests(file.name) and not file.name.startswith(".") and file.suffix != ".md" and file != policies)
        if whole or not file.is_dir()
        if not (read and whole and holds_policies(file))
    ]


def _unexpected(label: str) -> str:
    return f"nothing is expected for {label}: add it under `expect`, or `{label}: any`"


def _hides_tests(file: Path) -> bool:
    """Whether it is a hidden test, or a folder (or a link to one) with a test in it, or in a folder of it."""
    if not file.is_dir():
        return file.name.startswith(".") and not file.name.startswith(_OF_OTHERS) and file.name.endswith(TESTS)
    if file.name.startswith("."):
        return False
    return any(
        path.name.endswith(TESTS)
        for path in (*_within(file), *(each for one in _within(file) for each in _within(one)))
    )


def _within(folder: Path) -> list[Path]:
    """What is in a folder; nothing for a file, a hidden folder, and one that cannot be read."""
    if folder.name.startswith("."):
        return []
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def read_tests(files: Iterable[Path], policies: Sequence[Policy], footing: Footing) -> list[PolicyTest]:
    """The tests of these files, which are for these policies.

    Raises ConfigurationError with every problem of all files.
    """
    tests: list[PolicyTest] = []
    problems: list[Problem] = []
    for file in files:
        try:
            tests.append(read_test(read_document(file), policies, footing))
        except ConfigurationError as error:
            problems += error.problems
    if problems:
        raise ConfigurationError(problems)
    return tests


def read_test(document: Document, policies: Sequence[Policy], footing: Footing) -> PolicyTest:
    """The test of one document, which is for these policies. Raises ConfigurationError with every problem of it."""
    if misplaced := list(rules_of_tests(document)):
        raise _wrong(document, misplaced)
    checked, faults = check(PolicyTestSchema, document)
    faults = [*document.faults, *faults]
    if checked is None:
        raise _wrong(document, faults)
    cases, unexpected = _cases(checked, document, [policy.name for policy in policies], footing)
    faults += [*repeated_ids(checked.images), *unexpected]
    if faults:
        raise _wrong(document, faults)
    night, announced = made(checked, footing)
    if missing := list(missing_in(checked, night, policies)):
        raise _wrong(document, missing)
    return PolicyTest(document.file, night, announced, tuple(cases))


def _wrong(document: Document, faults: Iterable[Fault]) -> ConfigurationError:
    problems = (document.problem(fault) for fault in faults)
    return ConfigurationError(sorted(problems, key=lambda problem: problem.line or 0))


def _cases(
    test: PolicyTestSchema, document: Document, policies: Collection[str], footing: Footing
) -> tuple[list[Case], list[Fault]]:
    """The cases of a test, and what is wrong with them: each image has exactly one."""
    ids = ids_of(test.images)
    images, zone = listed(ids, test.images), zone_of(test, footing)
    cases: dict[str, Case] = {}
    faults: list[Fault] = []
    unclear: set[str] = set()
    for label, written in test.expect.items():
        keys: Keys = ("expect", label)
        try:
            image = images.meant_by(label)
        except ValueError as error:
            faults.append(Fault(keys, str(error)))
            unclear.add(label)
            continue
        what, wrong = expected(written, keys, policies, zone)
        faults += wrong
        if image in cases:
            faults.append(Fault(keys, f"is the image that is expected as {cases[image].label} already"))
        cases.setdefault(image, Case(label, image, what, document.line(keys)))
    faults += (
        Fault(("images", index), _unexpected(image.name or image.id or ""))
        for index, image in enumerate(test.images)
        if ids[index] not in cases and image.name not in unclear
    )
    return list(cases.values()), faults
