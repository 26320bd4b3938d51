"""Reads policy files: YAML in, policies out, or every problem of all files at once, each with its line and key."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from janitor.errors import ConfigurationError, Problem
from janitor.policy import Policy
from janitor.policy_files.schema import PolicyFileSchema
from janitor.yaml_lines import Document, Fault, Keys, display, read_document
from janitor.yaml_lines.schema import check

_SUFFIXES = (".yaml", ".yml")
_NOTHING: Mapping[str, str] = MappingProxyType({})


def load_policies(path: Path, unserved: Mapping[str, str] = _NOTHING) -> list[Policy]:
    """The policies of a file, or of every `*.yaml` and `*.yml` file of a directory, in file-name order.

    Hidden files are left out, as a shell would. `unserved` are keys of a policy that the configuration cannot serve,
    each with the reason. Raises ConfigurationError with every problem of all files.
    """
    files = [_read(file, unserved) for file in _files(path)]
    problems = [problem for file in files for problem in file.problems]
    problems += _shared_names(file.document for file in files if file.document)
    if problems:
        order = {display(file.path): index for index, file in enumerate(files)}
        raise ConfigurationError(sorted(problems, key=lambda problem: (order[problem.file], problem.line or 0)))
    return [policy for file in files for policy in file.policies]


@dataclass(frozen=True, slots=True)
class _PolicyFile:
    path: Path
    document: Document | None
    policies: tuple[Policy, ...] = ()
    problems: tuple[Problem, ...] = ()


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    try:
        found = [file for file in path.iterdir() if _holds_policies(file)]
    except OSError as error:
        raise ConfigurationError([Problem(display(path), None, f"cannot be read: {error.strerror}")]) from error
    if not found:
        raise ConfigurationError([Problem(display(path), None, "holds no policies: no *.yaml or *.yml file is in it")])
    return sorted(found, key=lambda file: file.name)


def _holds_policies(file: Path) -> bool:
    # A link to nowhere does: a missing policy that keeps images is one that lets them be deleted.
    return file.suffix in _SUFFIXES and not file.name.startswith(".") and not file.is_dir()


def _read(path: Path, unserved: Mapping[str, str]) -> _PolicyFile:
    try:
        document = read_document(path)
    except ConfigurationError as error:
        return _PolicyFile(path, None, problems=error.problems)
    checked, faults = check(PolicyFileSchema, document)
    faults = [*document.faults, *faults, *_unserved(document, unserved)]
    if checked is None or faults:
        return _PolicyFile(path, document, problems=tuple(_problem(document, fault) for fault in faults))
    return _PolicyFile(path, document, tuple(policy.value() for policy in checked.policies))


def _unserved(document: Document, unserved: Mapping[str, str]) -> Iterator[Fault]:
    """What policies ask for that the configuration cannot serve, in whichever file it stands."""
    for keys, _ in _names(document):
        yield from (Fault((*keys, key), why) for key, why in unserved.items() if (*keys, key) in document.lines)


def _problem(document: Document, fault: Fault) -> Problem:
    """The fault with the name of its policy, where it is in a policy that has one."""
    name = dict(_names(document)).get(fault.keys[:2])
    return document.problem(fault) if name is None else document.problem(fault, name, inside=fault.keys[:2])


def _names(document: Document) -> Iterator[tuple[Keys, str]]:
    """The policies of a file that have a name, whatever else may be wrong with them."""
    listed = document.data.get("policies") if isinstance(document.data, dict) else None
    for index, policy in enumerate(listed if isinstance(listed, list) else ()):
        name = policy.get("name") if isinstance(policy, dict) else None
        if isinstance(name, str) and name:
            yield ("policies", index), name


def _shared_names(documents: Iterable[Document]) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for document in documents:
        for keys, name in _names(document):
            fault = Fault((*keys, "name"), f"is already the name of a policy at {first.get(name)}")
            if name in first:
                yield document.problem(fault, name, inside=keys)
            else:
                first[name] = f"{document.file}:{document.line(fault.keys)}"
