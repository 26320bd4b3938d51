"""What commands about one account answered on another host: kept for a day."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from janitor.fleet.database import Connection

KEPT = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Output:
    """A command about an account, who asked, and what it wrote and ended with; `exit_code` is None until it did.

    `digest` is that of the configuration of who asked.
    """

    id: str
    account: str
    words: tuple[str, ...]
    asked_by: str
    digest: str
    output: str | None
    errors: str | None
    exit_code: int | None


def ask(connection: Connection, account: str, words: Sequence[str], asked_by: str, digest: str) -> str:
    """Note that a command is asked about an account; its id. Raises FleetError."""
    forget(connection)
    identity = str(uuid.uuid4())
    connection.rows(
        "INSERT INTO outputs (id, account, words, asked_by, digest, asked_at) "
        "VALUES (%(id)s, %(account)s, %(words)s, %(asked_by)s, %(digest)s, now())",
        id=identity,
        account=account,
        words=list(words),
        asked_by=asked_by,
        digest=digest,
    )
    return identity


def answer(connection: Connection, identity: str, output: str, errors: str, exit_code: int) -> None:
    """Keep what a command answered; the first answer stays. Raises FleetError."""
    connection.rows(
        "UPDATE outputs SET output = %(output)s, errors = %(errors)s, exit_code = %(code)s, answered_at = now() "
        "WHERE id = %(id)s AND answered_at IS NULL",
        id=identity,
        output=output,
        errors=errors,
        code=exit_code,
    )


def read(connection: Connection, identity: str) -> Output | None:
    """What is known of a command; None where it was forgotten. Raises FleetError."""
    row = connection.row(
        "SELECT id::text AS id, account, words, asked_by, digest, output, errors, exit_code FROM outputs "
        "WHERE id = %(id)s",
        id=identity,
    )
    return None if row is None else Output(**{**row, "words": tuple(row["words"])})


def forget(connection: Connection) -> None:
    """Forget what is older than a day. Raises FleetError."""
    connection.rows("DELETE FROM outputs WHERE asked_at < now() - %(kept)s", kept=KEPT)
