"""Reads the configuration of a fleet: the whole, and which accounts it has."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from janitor.config import Settings, has_fleet, settings_of
from janitor.config.checked import Reading
from janitor.config.fleet import Fleet
from janitor.config.fleet.entries import Entry, by_name
from janitor.config.fleet.lists import accounts_in_list
from janitor.config.fleet.schema import WholeSchema
from janitor.config.fleet.tables import TEMPLATE, accounts_in_table
from janitor.config.policy_folder import holds_policies
from janitor.documents import Document, Fault, display, legible
from janitor.errors import ConfigurationError, Problem, UsageError
from janitor.filesystems import network_filesystem_of

_TABLE = ".csv"
_NO_FLEET = "has no key `fleet`, and so no accounts of a fleet"
_ONE_ACCOUNT = (
    "this command is for one account. `janitor fleet exec NAME -- …` runs commands for one of them, "
    "and `janitor fleet work` cleans them"
)
_NO_FILES = "holds no accounts: no *.yaml or *.yml file is in it"
_NO_TEMPLATE = "is missing: fleet.targets is a CSV file, of whose rows it makes accounts"
_NO_NAME = 'has no name: give every account one of a column, like name: "{account}"'


def check_asked(document: Document, reading: Reading, account: str | None, *, whole: bool) -> None:
    """Raises UsageError where no fleet is configured, and where one is but neither it nor an account is asked for."""
    shown = display(reading.source)
    if not has_fleet(document):
        raise UsageError(f"{shown} {_NO_FLEET}")
    if account is None and not whole:
        raise UsageError(f"{shown} has the key `fleet`: {_ONE_ACCOUNT}")


def whole_settings(document: Document, reading: Reading) -> Settings:
    """The configuration of the fleet, without targets; `database` is the folder `state`, which is none.

    Raises ConfigurationError with every problem, also where `state` is on a network file system.
    """
    settings = settings_of(protected(document), reading, WholeSchema)
    fleet = fleet_of(settings)
    if fleet.state.exists() and (why := refusal(fleet)):
        raise ConfigurationError([document.problem(Fault(("fleet", "state"), why))])
    return replace(settings, database=fleet.state)


def refusal(fleet: Fleet) -> str | None:
    """Why the shards must not be where they are, if that is on a network file system that is not allowed."""
    kind = None if fleet.allow_network_filesystem else network_filesystem_of(fleet.state)
    if kind is None:
        return None
    return (
        f"is on a network file system ({kind}), where two hosts may write to one database at once, and damage it: keep "
        "shards on disks of their hosts, or write allow_network_filesystem: true if its locks are known to work"
    )


def fleet_of(settings: Settings) -> Fleet:
    """The fleet of a configuration that has one. Raises UsageError for any other."""
    if settings.fleet is None:
        raise UsageError(f"{display(settings.source)} {_NO_FLEET}")
    return settings.fleet


def protected(document: Document) -> Document:
    """The document with a template that is left as it is when references are replaced: rows are filled in before."""
    data: Any = document.data
    fleet = {key: _literal(value) if key == TEMPLATE[-1] else value for key, value in data["fleet"].items()}
    return replace(document, data={**data, "fleet": fleet})


def _literal(value: object) -> Any:
    match value:
        case dict():
            return {key: _literal(inner) for key, inner in value.items()}
        case list():
            return [_literal(inner) for inner in value]
        case str():
            return value.replace("${", "$${")
    return value


def entries_of(fleet: Fleet, document: Document) -> dict[str, Entry]:
    """The accounts by their names, in the order of files and lines.

    Raises ConfigurationError with every problem of the list; the keys of each account are not checked yet.
    """
    files = files_of(fleet)
    entries: list[Entry] = []
    problems = [document.problem(fault) for fault in _misfits(fleet)]
    for file in files if not problems else ():
        try:
            if is_table(fleet):
                entries += accounts_in_table(file, fleet.template or {}, document)
            else:
                entries += accounts_in_list(file)
        except ConfigurationError as error:
            problems += error.problems
    if problems:
        raise ConfigurationError(problems)
    if not entries:
        raise ConfigurationError([Problem(display(fleet.targets), None, "holds no accounts")])
    return by_name(entries)


def is_table(fleet: Fleet) -> bool:
    """Whether the accounts are in a CSV file."""
    return fleet.targets.suffix.lower() == _TABLE and not fleet.targets.is_dir()


def _misfits(fleet: Fleet) -> Iterator[Fault]:
    """What is wrong with the template, or with there being one."""
    if not is_table(fleet):
        if fleet.template is not None:
            yield Fault(TEMPLATE, "is for a CSV file, and fleet.targets is none: its accounts have their own keys")
    elif fleet.template is None:
        yield Fault(TEMPLATE, _NO_TEMPLATE)
    elif not fleet.template.get("name"):
        yield Fault(TEMPLATE, _NO_NAME)


def files_of(fleet: Fleet) -> list[Path]:
    """The file of accounts, or every `*.yaml` and `*.yml` file of the folder, in file-name order.

    Raises ConfigurationError where the folder holds none, or cannot be read; a file is not looked at.
    """
    folder = fleet.targets
    if not folder.is_dir():
        return [folder]
    try:
        found = sorted(filter(holds_policies, folder.iterdir()), key=lambda file: file.name)
    except OSError as error:
        raise ConfigurationError([Problem(display(folder), None, f"cannot be read: {error.strerror}")]) from error
    if not found:
        raise ConfigurationError([Problem(display(folder), None, _NO_FILES)])
    return found


def passed_over(fleet: Fleet) -> tuple[str, ...]:
    """What is in a folder of accounts that people may believe is read: not hidden files, and not notes."""
    if not fleet.targets.is_dir():
        return ()
    others = (file for file in fleet.targets.iterdir() if not holds_policies(file))
    shown = (file for file in others if not file.name.startswith(".") and file.suffix != ".md")
    return tuple(f"{legible(file.name)}{' (a folder)' if file.is_dir() else ''}" for file in sorted(shown))
