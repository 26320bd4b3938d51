"""Where the policies are that come with the janitor, and how they begin elsewhere."""

import re
from pathlib import Path

import janitor


def shipped_policies() -> Path:
    """The folder of the policies that come with the janitor: in an installed package, or at the top of a checkout."""
    package = Path(janitor.__file__).parent
    inside = package / "policies"
    return inside if inside.is_dir() else package.parent / "policies"


def shipped_texts() -> dict[str, str]:
    """The shipped policies by the names of their files, for another folder: without the place of their schema."""
    files = sorted(shipped_policies().glob("*.yaml"))
    return {file.name: _PLACE_OF_SCHEMA.sub("", file.read_text(encoding="utf-8")) for file in files}


_PLACE_OF_SCHEMA = re.compile(r"\A# yaml-language-server: [^\n]*\n")
