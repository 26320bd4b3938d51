"""Where the policies are that come with the janitor."""

from pathlib import Path

import janitor


def shipped_policies() -> Path:
    """The folder of the policies that come with the janitor: in an installed package, or at the top of a checkout."""
    package = Path(janitor.__file__).parent
    inside = package / "policies"
    return inside if inside.is_dir() else package.parent / "policies"
