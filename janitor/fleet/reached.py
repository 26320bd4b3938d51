"""Which account of the fleet reaches what: a project at an image service, and a sample of the images there.

Of two accounts that are one, each would delete what the other keeps. Each has a database of its own, so that only
PostgreSQL can tell.
"""

from collections.abc import Container
from datetime import timedelta
from typing import Any

from janitor.core.survey.binding import Binding
from janitor.core.survey.sample import Sample, one_list
from janitor.fleet.database import Connection

_RECENT = timedelta(days=8)
_NOTING = 7_202_607
"""An advisory lock of PostgreSQL: of two accounts that are noted at the same time, the second sees the first."""
_NOTE = """
INSERT INTO reached AS known (account, api, project, endpoint, images, since, seen_at)
VALUES (%(account)s, %(api)s, %(project)s, %(endpoint)s, %(images)s, clock_timestamp(), clock_timestamp())
ON CONFLICT (account) DO UPDATE SET
    api = excluded.api, project = excluded.project, endpoint = excluded.endpoint, images = excluded.images,
    seen_at = excluded.seen_at,
    since = CASE
        WHEN (known.api, known.project, known.endpoint) = (excluded.api, excluded.project, excluded.endpoint)
        THEN known.since ELSE excluded.since
    END
"""
_OTHERS = """
SELECT other.account, other.project, other.images, other.seen_at >= now() - %(recent)s AS recent,
    (other.api, other.project, other.endpoint) = (own.api, own.project, own.endpoint) AS same
FROM reached AS own JOIN reached AS other ON other.account <> own.account
WHERE own.account = %(account)s
    AND (other.since, other.account) < (own.since, own.account)
    AND (other.project = own.project OR other.images && own.images)
ORDER BY other.since, other.account
"""
_LEAVE = "UPDATE reached SET since = clock_timestamp() WHERE account = ANY(%(accounts)s)"


def why_not(
    connection: Connection, account: str, binding: Binding, images: Sample, listed: Container[str]
) -> str | None:
    """Note what an account reaches now; why nothing may be deleted there, if another has reached the same for longer.

    That counts while it is `listed`, and for eight days after it was last noted. Two that reach the same project at
    the same image service are one, and two of one project that list one image, and two that list nearly the same
    images. Raises FleetError.
    """
    where = {"api": binding.api, "project": binding.account, "endpoint": binding.endpoint}
    with connection.together():
        connection.rows("SELECT pg_advisory_xact_lock(%(key)s)", key=_NOTING)
        connection.rows(_NOTE, account=account, images=list(images), recent=_RECENT, **where)
        same = [
            row for row in connection.rows(_OTHERS, account=account, recent=_RECENT) if _is_one(row, binding, images)
        ]
        there = [row for row in same if row["recent"] or row["account"] in listed]
        if not there:  # those that are gone come after this one, should they come back
            connection.rows(_LEAVE, accounts=[row["account"] for row in same])
    return _twin(account, there[0], binding) if there else None


def _is_one(row: dict[str, Any], binding: Binding, images: Sample) -> bool:
    if row["same"]:
        return True
    shared = not set(row["images"]).isdisjoint(images)
    return (shared and row["project"] == binding.account) or one_list(tuple(row["images"]), images)


def _twin(account: str, row: dict[str, Any], binding: Binding) -> str:
    other = row["account"]
    does = f"reaches {binding.described(reached_now=True)}, too" if row["same"] else "lists the same images"
    return (
        f"{other} {does}: they are one account under two names, and what one of them keeps the other may delete. "
        f"Remove one of the two; {account} is cleaned once {other} is not listed, and eight days after its last run"
    )
