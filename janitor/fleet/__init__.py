"""Many hosts, one night: what they share through PostgreSQL. Nothing without `fleet:` in janitor.yaml imports this."""

from importlib.util import find_spec

from janitor.errors import UsageError

_NEEDED = ("procrastinate", "psycopg", "psycopg_pool")


def check_installed() -> None:
    """Raises UsageError, which says what to install, where the extra `fleet` is missing."""
    if any(find_spec(name) is None for name in _NEEDED):
        raise UsageError("a fleet needs more than is installed: pip install 'image-janitor[fleet]'")
