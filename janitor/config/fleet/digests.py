"""Digests of what is configured for an account, by which a worker knows that it has what a job was queued for.

They are kept in PostgreSQL, so nothing secret is in them: of a secret only counts from which variables it comes.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from janitor.config import policy_files
from janitor.config.expansion.offline import (
    FLEET_SECRETS,
    OWN_SECRETS,
    REFERENCE_SECRETS,
    SLACK_SECRETS,
    TARGET_SECRETS,
)
from janitor.documents import content_in
from janitor.files import LARGEST

_FORMAT = "1"
_NO_SECRETS = frozenset({"username"})
_PROXY = "proxy"
_SECRETS = (
    frozenset((*OWN_SECRETS, *SLACK_SECRETS, *REFERENCE_SECRETS, *TARGET_SECRETS, *FLEET_SECRETS, _PROXY)) - _NO_SECRETS
)
_VARIABLES = re.compile(r"(?<!\$)\$\{([A-Za-z_]\w*)")
_CREDENTIALS = re.compile(r"//[^/\s]*@")
_QUERY = re.compile(r"[?#].*", re.DOTALL)


def digest_of_policies(files: Iterable[Path]) -> str:
    """A digest of the names and contents of these files. Raises ConfigurationError where one cannot be read."""
    return policy_files.digest_of((file.name, content_in(file, LARGEST)) for file in files)


def digest_of(*parts: object, secrets: Iterable[str] = ()) -> str:
    """A digest of plain values, whatever the order of their keys, and without secrets.

    `secrets` are keys that hold such, beside those that every configuration may have.
    """
    shown = [_shown(part, _SECRETS.union(secrets)) for part in parts]
    return hashlib.sha256(json.dumps([_FORMAT, *shown], sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _shown(value: object, secrets: frozenset[str]) -> Any:
    """A value as it counts: without secrets, and without what counts as left out."""
    match value:
        case dict():
            return {key: _of(str(key), inner, secrets) for key, inner in value.items() if inner not in (None, "")}
        case list():
            return [_shown(inner, secrets) for inner in value]
        case str() if "://" in value:
            return [_QUERY.sub("", _CREDENTIALS.sub("//", value)), *_VARIABLES.findall(value)]
    return value


def _of(key: str, value: object, secrets: frozenset[str]) -> Any:
    if key in secrets and not isinstance(value, dict | list):
        return _VARIABLES.findall(str(value))
    return _shown(value, secrets)
