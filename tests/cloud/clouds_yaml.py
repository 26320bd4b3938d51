"""A clouds.yaml with one cloud, and signing in by it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.identity_stand_in import PASSWORD, USERNAME

AUTH = {
    "username": USERNAME,
    "password": PASSWORD,
    "project_name": "demo",
    "user_domain_name": "Default",
    "project_domain_name": "Default",
}


def cloud(name: str = "devstack", auth: Mapping[str, Any] | None = None, **keys: Any) -> None:
    """Write a clouds.yaml with one cloud."""
    Path("clouds.yaml").write_text(yaml.safe_dump({"clouds": {name: {"auth": dict(auth or AUTH), **keys}}}))


def at(url: str, **more: Any) -> dict[str, Any]:
    return {**AUTH, "auth_url": url, **more}
