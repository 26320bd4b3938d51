"""What a configuration says of its database and its targets, whatever else in it is wrong, or not set."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from janitor.config import has_fleet, place_of
from janitor.config.checked import Reading
from janitor.config.expansion import expand
from janitor.documents import Document, read_document
from janitor.errors import ConfigurationError

_DATABASE = "janitor.db"


@dataclass(frozen=True, slots=True)
class Glance:
    """The database, which need not exist, and the names of the targets that have one; of a fleet, those of accounts."""

    database: Path
    targets: tuple[str, ...]


def glance_at(config: Path | None, environ: Mapping[str, str] = os.environ) -> Glance:
    """What the configuration says, which no secret file is read for. Raises ConfigurationError where it is no YAML."""
    source = place_of(config, environ).absolute()
    document = read_document(source)
    data = document.data if isinstance(document.data, dict) else {}
    if has_fleet(document):
        return _of_fleet(replace(document, data={"fleet": data["fleet"]}), source, environ)
    read = {"database": data.get("database", _DATABASE), "targets": [{"name": name} for name in _names_in(data)]}
    expanded = expand(replace(document, data=read), environ, source.parent).document.data
    database = expanded.get("database") if isinstance(expanded, dict) else None
    names = tuple(_names_in(expanded)) if isinstance(expanded, dict) else ()
    return Glance(source.parent / (database if isinstance(database, str) else _DATABASE), names)


def _of_fleet(document: Document, source: Path, environ: Mapping[str, str]) -> Glance:
    from janitor.config.fleet.accounts import Accounts  # which nothing loads that is not about a fleet

    accounts = Accounts(document, Reading(source, environ, dict, offline=True), frozenset())
    return Glance(accounts.settings.database, accounts.names)


def is_of_fleet(config: Path | None, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the configuration is of a fleet; not where it cannot be read."""
    try:
        document = read_document(place_of(config, environ).absolute())
    except (ConfigurationError, FileNotFoundError):
        return False
    return has_fleet(document)


def _names_in(data: Mapping[object, object]) -> Iterator[str]:
    targets = data.get("targets")
    for target in targets if isinstance(targets, list) else ():
        name = target.get("name") if isinstance(target, dict) else None
        if isinstance(name, str):
            yield name
