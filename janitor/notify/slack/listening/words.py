"""What the person who clicked is told, alone."""

from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo

from janitor.core.clicks.keeping import Answer
from janitor.core.clicks.permission import REFUSALS, Refusal
from janitor.core.units import counted
from janitor.notify.slack.buttons import day
from janitor.notify.slack.mrkdwn import fitted
from janitor.report.wording import label_of, local_minute
from janitor.store import AnsweredClick

_NAME = 255
_WHO = 120
_MOST_NAMED = 10


def refused(refusal: Refusal) -> str:
    """Why nothing was kept."""
    return f"Nothing was changed: {REFUSALS[refusal]}."


def answers(done: Sequence[AnsweredClick], until: datetime, zone: tzinfo) -> str:
    """What a click came to: for one image in a sentence, for several those that were not simply kept."""
    if len(done) == 1:
        return f"{_name(done[0])}: {_sentence(done[0], until, zone)}."
    kept = sum(one.answer is Answer.KEPT for one in done)
    others = [one for one in done if one.answer is not Answer.KEPT]
    return "\n".join([f"{counted(kept)} kept until {day(until, zone)}.", *_listed(others, until, zone)])


def _listed(others: Sequence[AnsweredClick], until: datetime, zone: tzinfo) -> Iterator[str]:
    for one in others[:_MOST_NAMED]:
        yield f"• {_name(one)}: {_sentence(one, until, zone)}"
    if len(others) > _MOST_NAMED:
        yield f"• and {counted(len(others) - _MOST_NAMED, 'other image')} that could not be kept, or were kept already"


def _name(one: AnsweredClick) -> str:
    return fitted(label_of(one.announced.name, _NAME), _NAME * 2)


def _sentence(one: AnsweredClick, until: datetime, zone: tzinfo) -> str:
    fate = one.fate
    match one.answer:
        case Answer.KEPT:
            return f"kept until {day(until, zone)}"
        case Answer.TOO_LATE:
            asked = f"its deletion was requested on {local_minute(fate.requested_at or until, zone)}"
            return f"too late, {asked}; should it still be there, it is kept until {day(until, zone)}"
        case Answer.STANDS if fate.kept is not None:
            return f"kept already, by {fitted(fate.kept.who, _WHO)} until {day(fate.kept.until, zone)}"
        case Answer.OVER if fate.kept is not None and fate.kept.ended_at is not None:
            ended = f"{fitted(fate.kept.ended_by or '', _WHO)} ended that on {day(fate.kept.ended_at, zone)}"
            return f"it was kept after this announcement, and {ended}; `janitor keep` can exempt it again"
        case Answer.GONE if fate.deleted_at is not None:
            return f"nothing to keep: deleted on {local_minute(fate.deleted_at, zone)}"
        case Answer.GONE if fate.gone_at is not None:
            return f"nothing to keep: somebody else deleted it; that was certain on {local_minute(fate.gone_at, zone)}"
        case Answer.ENDED:
            return "its exemptions have ended: later runs may announce and delete it"
        case Answer.NOTHING_TO_END:
            return "it has no exemption by a person that could end; one in a policy file is ended in that file"
        case _:
            return "it was kept after this announcement until that expired: a later message announces it again"
