"""What `check --live` asks of a fleet's PostgreSQL: that it is there, has the tables of this version, and lets work."""

from janitor.errors import FleetError
from janitor.fleet.database import SCHEMA, connect
from janitor.fleet.schema import check

_READ, _WRITE, _REMOVE = ("SELECT",), ("SELECT", "INSERT", "UPDATE"), ("SELECT", "INSERT", "UPDATE", "DELETE")
_RIGHTS = {
    "meta": _READ,
    "accounts": _WRITE,
    "reached": _WRITE,
    "shards": _WRITE,
    "outcomes": _WRITE,
    "reservations": _WRITE,
    "pace": _WRITE,
    "workers": _REMOVE,
    "nights": _REMOVE,
    "outputs": _REMOVE,
    "procrastinate_jobs": _REMOVE,
    "procrastinate_workers": _REMOVE,
    "procrastinate_periodic_defers": _REMOVE,
    "procrastinate_events": ("SELECT", "INSERT"),
}
"""What a worker needs, as docs/fleet.md grants it."""
_LACKING = """
SELECT needed.name, needed.operation FROM unnest(%(names)s::text[], %(operations)s::text[]) AS needed (name, operation)
WHERE NOT has_table_privilege(format('%%I.%%I', %(schema)s::text, needed.name), needed.operation)
UNION ALL
SELECT sequencename, 'USAGE' FROM pg_sequences
WHERE schemaname = %(schema)s AND NOT has_sequence_privilege(format('%%I.%%I', schemaname, sequencename), 'USAGE')
"""


def probe(url: str, shards: int) -> str:
    """What was found, in a sentence. Raises FleetError where a worker of this configuration could not work."""
    with connect(url, "janitor check") as connection:
        check(connection, shards)
        version = connection.info.server_version // 10_000
        needed = [(name, operation) for name, operations in _RIGHTS.items() for operation in operations]
        names, operations = zip(*needed, strict=True)
        lacking = connection.rows(_LACKING, names=list(names), operations=list(operations), schema=SCHEMA)
        if lacking:
            some = ", ".join(f"{row['operation']} on {row['name']}" for row in lacking[:3])
            more = f" and {len(lacking) - 3} more" if len(lacking) > 3 else ""
            raise FleetError(
                f"{connection.where}: its user {connection.info.user} lacks {some}{more}: give it the grants of "
                "docs/fleet.md, after every `janitor fleet init` again"
            )
        where = connection.where.removeprefix("fleet database ")
    return f"{where}, PostgreSQL {version}, its tables are those of this version, and its user may work"
