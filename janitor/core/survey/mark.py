"""The mark that runs leave beside the database, by which an older copy is recognised. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mark:
    """The latest run when it was left, and a random id."""

    run: int
    id: str


OF_ORIGINAL = ""
"""Stands for the id of the mark beside the original of a copy, which a copy cannot know."""

OF_FLEET = "fleet"
"""Stands for the id of the mark of a run that the fleet's own database knows, and the account's does not."""


@dataclass(frozen=True, slots=True)
class Behind:
    """What a database may not know: all since a run whose mark it does not know, or after which it was copied.

    `in_fleet`: it is the fleet's own database that knows that run.
    """

    run: int
    copied: bool
    in_fleet: bool = False

    @classmethod
    def of(cls, mark: Mark) -> "Behind":
        """That a mark is unknown."""
        return cls(mark.run, mark.id == OF_ORIGINAL, mark.id == OF_FLEET)


def older(behind: Behind) -> str:
    """What is wrong with such a database."""
    if behind.copied:
        return f"the database is a copy, made after run {behind.run}: what happened since in the original is unknown"
    if behind.in_fleet:
        known = f"the database and the fleet's PostgreSQL do not agree on what followed run {behind.run}"
        return f"{known}: one of them is an older copy, or the files of this shard are there twice"
    beside = f"the database does not know run {behind.run}, whose mark is beside it"
    return f"{beside}: it is an older copy, or another database"


def restored(behind: Behind) -> str:
    """Why nothing is deleted by such a database."""
    return (
        f"nothing deleted: {older(behind)}. Exemptions and notices since then are lost: exempt again what has to stay. "
        "What waits is announced again, and the next run may delete again."
    )
