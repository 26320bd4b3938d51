"""Holds the JSON Schemas to the real readers: what these accept the schema accepts, and what it accepts they do.

Patterns are read by a library for those of ECMA 262, as editors read them.
"""

import json
import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import regress
from jsonschema import Draft202012Validator, ValidationError, validators

from janitor.config.json_schemas import schema_of_config, schema_of_policies, schema_of_tests
from janitor.documents import Document, display, read_document
from janitor.documents.forms import Json
from janitor.errors import ConfigurationError, Problem
from janitor.notify.channels import SCHEMAS

BEYOND = {
    # of the whole file, or of several keys together
    "is already the name of": "names are compared",
    "is the same owner as": "names are compared",
    "is an owner without a name": "the name is compared without what nobody sees",
    "larger_than must be less than smaller_than": "sizes are compared",
    "only images that expire are announced": "notice goes with expire",
    "holds no policies, only exemptions": "of all files together",
    "needs `token` too": "app_token goes with token",
    "has both a webhook_url and a token": "of several keys",
    "is missing: a token needs a channel": "of several keys",
    "needs `slack` with a bot token": "of several keys",
    "has a channel and a user": "of several keys",
    "mentions nobody": "of several keys",
    "says neither which channel nor which user": "of several keys, one of which came out empty",
    "has a price without a currency": "of several keys",
    "has both files and a url": "of several keys",
    "has neither files nor a url": "of several keys",
    "belongs to a url, but this reference has files": "of several keys",
    "must not hold a user name or password where there is a token": "of several keys",
    "give either": "a key and the file of it",
    "belong together": "credentials are one complete set",
    "takes the credentials from clouds.yaml": "credentials are one complete set",
    "has no credentials": "credentials may come from the environment",
    "every image would be decided on twice": "accounts are compared",
    "is a key of api:": "a key of another API that does not come out empty",
    "has an age and a date of creation": "of several keys",
    "contradicts visibility": "of several keys",
    "goes with": "of several keys",
    "is given, and unknown": "of several keys",
    "give only one of them": "of several keys",
    r"\.(identity|tenant_id|username|password|channel): is empty": "of several keys, one of which came out empty",
    # of the environment and of files
    "_file: ": "of files: what is in it",
    "environment variable": "of the environment",
    "cannot be read": "of files",
    "No such file": "of files",
    "is a SOCKS proxy, for which": "of what is installed",
    "would be read as a policy file": "of files",
    "is the configuration itself": "of files",
    "is used for something else": "of files",
    "is the file of channels": "of files",
    "belongs to the database": "of files",
    "cannot be replaced": "of files",
    "which the reference": "of files",
    "an IANA time zone": "of the time zones that are installed",
    "is not a range of addresses": "addresses are read",
    # no regular expression can say it
    "a password in it must be percent-encoded": "a URL is read",
    "regular expression": "regular expressions are read",
    "groups, not exactly one": "groups are counted",
    "does not say which part is the owner": "groups are counted",
    "where ^ is a character": "sets of globs are read",
    "write the characters, like": "sets of globs are read",
    r"backslash in \[…\]": "sets of globs are read",
    "has the empty range": "letters are compared",
    "longer than a hundred years": "numbers are added",
    "out of range": "numbers are compared",
    "is a number: write a whole number": "JSON has one kind of numbers, of which 1.0 is a whole one",
    "ends before it begins": "numbers are compared",
    "never fires": "of the calendar",
}
"""What the readers refuse and no schema can, by a part of what they say, each with the reason."""


def _pattern(_validator: object, pattern: str, value: object, _schema: object) -> Any:
    if isinstance(value, str) and not _compiled(pattern).find(value):
        yield ValidationError(f"{value!r} is not of the form {pattern}")


@cache
def _compiled(pattern: str) -> regress.Regex:
    return regress.Regex(pattern, "u")


Validator = validators.extend(Draft202012Validator, {"pattern": _pattern})


@cache
def validator(kind: str) -> Any:
    made: dict[str, Callable[[], Json]] = {
        "policies": schema_of_policies,
        "tests": schema_of_tests,
        "config": lambda: schema_of_config(SCHEMAS),
    }
    return Validator(made[kind]())


def refused(kind: str, data: object) -> list[str]:
    """Why the schema refuses what is in a file."""
    return [f"{error.json_path}: {error.message}" for error in validator(kind).iter_errors(data)]


def hold(kind: str, data: object, problems: Iterable[Problem]) -> None:
    """Say where the schema differs from the reader, which has these problems with what is in a file."""
    why, problems = refused(kind, data), list(problems)
    assert problems or not why, f"the reader accepts what the schema refuses: {why} in {json.dumps(data)}"
    missed = [] if why else [problem for problem in problems if not is_beyond(problem, data)]
    assert not missed, f"the schema accepts {json.dumps(data)}, but {'; '.join(map(str, missed))}"


def is_beyond(problem: Problem, data: object) -> bool:
    """Whether no schema can say it: it is listed, or of a value that comes from the environment."""
    return "${" in str(_at(data, problem.key or "")) or any(re.search(known, str(problem)) for known in BEYOND)


def _at(data: Any, key: str) -> object:
    for name, index in re.findall(r"([^.\[\]]+)|\[([0-9]+)\]", key):
        try:
            data = data[int(index)] if index else data[name]
        except (LookupError, TypeError):
            return None
    return data


def hold_files(kind: str, files: list[Path], problems: tuple[Problem, ...]) -> None:
    """The same for files, with the problems of all of them."""
    for file in files:
        document = _read(file)
        if document is not None and _is_compared(kind, document):
            own = [problem for problem in problems if problem.file == display(file)]
            hold(kind, document.data, own)


def _read(file: Path) -> Document | None:
    try:
        return read_document(file)
    except (ConfigurationError, ValueError):
        return None


def _is_compared(kind: str, document: Document) -> bool:
    """Whether the reader reads it by the models: not where YAML itself is in doubt."""
    return not document.faults and not re.fullmatch(r".*\.test\.yaml", document.file)
