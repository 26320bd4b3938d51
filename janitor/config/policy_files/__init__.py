"""Reads policy files: YAML in, rules out, or every problem of all files at once, each with its line and key."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, tzinfo
from pathlib import Path
from types import MappingProxyType

from janitor.config.policy_files.kinds import is_nothing
from janitor.config.policy_files.misplaced import MISNAMED, looks_like_tests, misplaced_rules
from janitor.config.policy_files.schema import PolicyFileSchema
from janitor.config.policy_folder import holds_policies, holds_tests
from janitor.core.memory import Exemption
from janitor.core.policy import Policy
from janitor.documents import Document, Fault, Keys, content_in, display, legible, parse_document
from janitor.documents.schema import check
from janitor.errors import ConfigurationError, Problem
from janitor.files import LARGEST

LARGEST_TOGETHER = 16 * 2**20
PASSED_OVER = "in the policies folder, only *.yaml and *.yml files are read, and these are ignored"
_ABSENT = "cannot be read: No such file or directory: `policies` in janitor.yaml names the folder (or file) of policies"
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Rules:
    """What people wrote down: the policies in their order, and the exemptions, also expired ones.

    `passed_over` are the names of other files and folders in the policies folder, which were not read. `digest` is that
    of the names and contents of the policy files, as they were read.
    """

    policies: tuple[Policy, ...]
    exemptions: tuple[Exemption, ...] = ()
    passed_over: tuple[str, ...] = ()
    digest: str = ""


def load_rules(path: Path, zone: tzinfo, unserved: Mapping[str, str] = _NOTHING) -> Rules:
    """The rules of a file, or of every `*.yaml` and `*.yml` file of a directory, in file-name order.

    Hidden files are ignored, as in a shell, and so are files of tests, unless they hold what only policy files may. A
    date without a time lasts through the end of that day in `zone`. `unserved` are keys of a policy that this
    configuration does not support, each with the reason. Raises ConfigurationError with every problem of all files;
    that none of them holds a policy is one.
    """
    found = files_in(path)
    _check_sizes(path, [file for file in found if not holds_tests(file)])
    files = [_test(file) if holds_tests(file) else _read(file, zone, unserved) for file in found]
    problems = [problem for file in files for problem in file.problems]
    problems += _shared_names(file.document for file in files if file.document)
    if problems:
        order = {display(file.path): index for index, file in enumerate(files)}
        raise ConfigurationError(sorted(problems, key=lambda problem: (order[problem.file], problem.line or 0)))
    policies = tuple(policy for file in files for policy in file.policies)
    exemptions = tuple(exemption for file in files for exemption in file.exemptions)
    if not policies:
        what = "only exemptions" if exemptions else "only tests of policies"
        raise ConfigurationError([Problem(display(path), None, f"holds no policies, {what}")])
    contents = [(file.path.name, file.content) for file in files if not holds_tests(file.path)]
    return Rules(policies, exemptions, _passed_over(path), digest_of(contents))


def load_policies(path: Path, unserved: Mapping[str, str] = _NOTHING) -> list[Policy]:
    """`load_rules`, but only the policies."""
    return list(load_rules(path, UTC, unserved).policies)


def digest_of(contents: Iterable[tuple[str, bytes]]) -> str:
    """A digest of policy files: the name and content of each, in their order."""
    digest = hashlib.sha256()
    for name, content in contents:
        for part in (name.encode(errors="surrogateescape"), content):
            digest.update(len(part).to_bytes(8) + part)
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class _PolicyFile:
    path: Path
    document: Document | None
    content: bytes = b""
    policies: tuple[Policy, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    problems: tuple[Problem, ...] = ()


def files_in(path: Path) -> list[Path]:
    """The files of policies and of their tests, in file-name order. Raises ConfigurationError where there are none."""
    if not path.is_dir():
        if not path.exists():
            raise ConfigurationError([Problem(display(path), None, _ABSENT)])
        return [path]
    try:
        found = [file for file in path.iterdir() if holds_policies(file)]
    except OSError as error:
        raise ConfigurationError([Problem(display(path), None, f"cannot be read: {error.strerror}")]) from error
    if not found:
        raise ConfigurationError([Problem(display(path), None, "holds no policies: no *.yaml or *.yml file is in it")])
    return sorted(found, key=lambda file: file.name)


def _check_sizes(path: Path, files: Iterable[Path]) -> None:
    """Raises ConfigurationError, before any is read, if all files together are too large."""
    total = 0
    for file in files:
        with suppress(OSError):  # which is said when it is read
            total += min(file.stat().st_size, LARGEST)  # a larger one is rejected unread, by its name
    if total > LARGEST_TOGETHER:
        message = f"holds more than {LARGEST_TOGETHER // 2**20} MiB of policy files"
        raise ConfigurationError([Problem(display(path), None, message)])


def _passed_over(path: Path) -> tuple[str, ...]:
    """What is in a policies folder that people may believe is read; not hidden files, notes, or policy tests."""
    if not path.is_dir():
        return ()
    others = (file for file in path.iterdir() if not holds_policies(file))
    shown = (file for file in others if not file.name.startswith(".") and file.suffix != ".md")
    return tuple(f"{legible(file.name)}{' (a folder)' if file.is_dir() else ''}" for file in sorted(shown))


def _read(path: Path, zone: tzinfo, unserved: Mapping[str, str]) -> _PolicyFile:
    try:
        content = content_in(path, LARGEST)
        document = parse_document(display(path), content)
    except ConfigurationError as error:
        return _PolicyFile(path, None, problems=error.problems)
    if looks_like_tests(document):
        return _PolicyFile(path, document, problems=(Problem(display(path), None, MISNAMED),))
    checked, faults = check(PolicyFileSchema, document)
    faults = [*document.faults, *faults, *_missing(document), *_unserved(document, unserved)]
    if checked is None or faults:
        return _PolicyFile(path, document, problems=tuple(_problems(document, faults)))
    exemptions = checked.exemption_values(legible(path.name), zone)
    return _PolicyFile(path, document, content, tuple(checked.policy_values()), tuple(exemptions))


def _test(path: Path) -> _PolicyFile:
    return _PolicyFile(path, None, problems=misplaced_rules(path))


def _missing(document: Document) -> Iterator[Fault]:
    if isinstance(document.data, dict) and not {"policies", "exempt"} & set(document.data):
        yield Fault(("policies",), "is missing: a policy file holds a list of policies under this key")


def _unserved(document: Document, unserved: Mapping[str, str]) -> Iterator[Fault]:
    """The keys of a file or its policies that this configuration does not support."""
    whole = document.data if isinstance(document.data, dict) else {}
    defaults = {key: whole[key] for key in PolicyFileSchema.model_fields if key in whole}
    for keys, written in [((), defaults), *_written(document)]:
        yield from (Fault((*keys, key), why) for key, why in unserved.items() if _asks_for(key, written))


def _asks_for(key: str, written: Mapping[str, object]) -> bool:
    # A notice of zero announces nothing, so it needs no channel.
    return key in written and not (key == "notice" and is_nothing(written[key]))


def _problems(document: Document, faults: Iterable[Fault]) -> Iterator[Problem]:
    """The faults, each with the name of its policy, if that has one."""
    names = dict(_names(document))
    for fault in faults:
        place = fault.keys[:2]
        yield document.problem(fault, names[place], inside=place) if place in names else document.problem(fault)


def _written(document: Document) -> Iterator[tuple[Keys, dict[str, object]]]:
    """The policies of a file as written, even if they are wrong."""
    listed = document.data.get("policies") if isinstance(document.data, dict) else None
    for index, policy in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(policy, dict):
            yield ("policies", index), policy


def _names(document: Document) -> Iterator[tuple[Keys, str]]:
    """The policies of a file that have a name."""
    for keys, policy in _written(document):
        name = policy.get("name")
        if isinstance(name, str) and name:
            yield keys, name


def _shared_names(documents: Iterable[Document]) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for document in documents:
        for keys, name in _names(document):
            fault = Fault((*keys, "name"), f"is already the name of a policy at {first.get(name)}")
            if name in first:
                yield document.problem(fault, name, inside=keys)
            else:
                first[name] = f"{document.file}:{document.line(fault.keys)}"
