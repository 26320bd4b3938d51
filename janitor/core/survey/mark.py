"""The mark that runs leave beside the database, by which an older copy is recognised. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mark:
    """The latest run when it was left, and a random id."""

    run: int
    id: str


def older(run: int) -> str:
    """What is wrong with a database that does not know the mark of a run."""
    return f"the database does not know run {run}, whose mark is beside it: it is an older copy, or another database"


def restored(run: int) -> str:
    """Why nothing is deleted by such a database."""
    return (
        f"nothing deleted: {older(run)}. Exemptions and notices since then are lost: exempt again what has to stay. "
        "What waits is announced again, and the next run may delete again."
    )
