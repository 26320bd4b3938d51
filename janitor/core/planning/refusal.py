"""Why a run deleted nothing in a target where it was refused: told from the sentence that it recorded, here only."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from janitor.core.planning.plan import OVER_LIMIT
from janitor.core.result import Outcome, TargetResult


class Refusal(StrEnum):
    """What kept a run from deleting in a target.

    UNKNOWN: the sentence does not say, as it is of another version, or told elsewhere only.
    """

    OVER_LIMIT = "over-limit"
    COPY = "copy"
    OTHER_DATABASE = "other-database"
    CLOCK = "clock"
    OTHER_UNREAD = "other-unread"
    TWO_NAMES = "two-names"
    ACCOUNT = "account"
    IMPLAUSIBLE = "implausible"
    UNKNOWN = "unknown"


REFUSALS: Mapping[Refusal, str] = {
    Refusal.OVER_LIMIT: "the whole plan is over the limit",
    Refusal.COPY: "the database is a copy",
    Refusal.OTHER_DATABASE: "the database is an older or another one",
    Refusal.CLOCK: "our clock is not confirmed",
    Refusal.OTHER_UNREAD: "another target may be the same account",
    Refusal.TWO_NAMES: "the same images are listed under two names",
    Refusal.ACCOUNT: "the account is a different one",
    Refusal.IMPLAUSIBLE: "the survey is in doubt",
    Refusal.UNKNOWN: "its error says",
}
"""The same in words that follow an `as`."""

_SIGNS: Mapping[Refusal, tuple[str, ...]] = {
    Refusal.OVER_LIMIT: (OVER_LIMIT,),
    Refusal.COPY: ("nothing deleted: the database is a copy",),
    Refusal.OTHER_DATABASE: (
        "nothing deleted: the database does not know",
        "nothing deleted: the database and the fleet's PostgreSQL do not agree",
    ),
    Refusal.CLOCK: ("nothing deleted: no answer of the API tells the time",),
    Refusal.OTHER_UNREAD: ("nothing deleted: no list was ever read of",),
    Refusal.TWO_NAMES: ("they are one account under two names", "they are one image service under two names"),
    Refusal.ACCOUNT: ("janitor target rebind", "-- target rebind"),
    Refusal.IMPLAUSIBLE: ("nothing deleted, implausible survey",),
}
"""What the sentences of each cause have in common; the first that holds counts."""
_BEGINNING = "nothing deleted"


def refusal_of(target: TargetResult) -> Refusal:
    """Why nothing was deleted in a target that was refused."""
    return Refusal.OVER_LIMIT if target.excess is not None else refusal_told_by(target.error)


def refusal_told_by(sentence: str | None) -> Refusal:
    """The cause that the recorded sentence of a target tells, which was refused."""
    found = (refusal for refusal, signs in _SIGNS.items() if any(_shows(sentence or "", sign) for sign in signs))
    return next(found, Refusal.UNKNOWN)


def _shows(sentence: str, sign: str) -> bool:
    """Whether a sentence has a sign: one with which sentences begin only there, as names of targets come later."""
    return sentence.startswith(sign) if sign.startswith(_BEGINNING) else sign in sentence


def refusals_in(targets: Iterable[TargetResult]) -> list[Refusal]:
    """Why nothing was deleted in those of the targets that were refused, each cause once."""
    return list(dict.fromkeys(refusal_of(target) for target in targets if target.outcome is Outcome.REFUSED))


def in_words(refusals: Iterable[Refusal]) -> str:
    """Several causes in words: `the database is a copy`."""
    return " and ".join(REFUSALS[refusal] for refusal in refusals)
