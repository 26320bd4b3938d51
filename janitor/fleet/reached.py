"""Which account of the fleet a project at an image service is.

Of two accounts that are one, each would delete what the other keeps. Each has a database of its own, so that only
PostgreSQL can tell.
"""

from datetime import timedelta

from janitor.core.survey.binding import Binding
from janitor.fleet.database import Connection

_RECENT = timedelta(days=8)
_CLAIM = """
INSERT INTO reached AS known (api, project, endpoint, account)
VALUES (%(api)s, %(project)s, %(endpoint)s, %(account)s)
ON CONFLICT (api, project, endpoint) DO UPDATE SET account = excluded.account, seen_at = now()
WHERE known.account = excluded.account OR known.seen_at < now() - %(recent)s
RETURNING account
"""
_OTHER = "SELECT account FROM reached WHERE api = %(api)s AND project = %(project)s AND endpoint = %(endpoint)s"


def claim(connection: Connection, account: str, binding: Binding) -> str | None:
    """Note that an account reaches this; the other account that does, if one has reached it within eight days.

    Then nothing is noted. Raises FleetError.
    """
    place = {"api": binding.api, "project": binding.account, "endpoint": binding.endpoint}
    if connection.row(_CLAIM, account=account, recent=_RECENT, **place) is not None:
        return None
    other = connection.row(_OTHER, **place)
    return None if other is None else str(other["account"])


def twin(account: str, other: str, binding: Binding) -> str:
    """Why nothing is deleted in an account, and what to do."""
    which = binding.described(reached_now=True)
    return (
        f"{other} reaches {which}, too: they are one account under two names, and what one of them keeps the other may "
        f"delete. Remove one of the two; eight days after the last run of {other}, as where it was renamed, {account} "
        "is cleaned"
    )
