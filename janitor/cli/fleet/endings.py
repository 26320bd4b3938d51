"""What is recorded of a run for the night of the whole fleet."""

from collections import Counter
from decimal import Decimal

from janitor.core.decision import Verdict
from janitor.core.replay.amounts import amount_of
from janitor.core.result import Cost, DeletionOutcome, RunResult
from janitor.fleet.outcomes import Ending
from janitor.notify.announcing import as_told
from janitor.notify.delivered import Delivery
from janitor.report.as_json import json_report
from janitor.report.figures import confirmed

_TROUBLE = (DeletionOutcome.REFUSED, DeletionOutcome.FAILED)


def ending_of(result: RunResult, code: int, posted: Delivery, cost: Cost | None) -> Ending:
    """What a run of one account ended with, as its own report tells it."""
    told = as_told(result, posted.announced)
    gone = amount_of(decision.image.size for decision in confirmed(told.targets))
    money = None if cost is None or gone.unknown_sizes else Decimal(str(round(cost.of(gone.size), 6)))
    return Ending(
        code,
        _counts(told),
        None if 0 < gone.images == gone.unknown_sizes else gone.size,
        money,
        None if cost is None else cost.currency,
        said_of(told, posted),
        json_report(told),
    )


def _counts(result: RunResult) -> dict[str, int]:
    """How many images there are, and what became of them."""
    verdicts = Counter(decision.verdict for target in result.targets for decision in target.decisions)
    outcomes = Counter(deletion.outcome for target in result.targets for deletion in target.deletions)
    return {
        "images": sum(target.survey.images for target in result.targets),
        "to_delete": verdicts[Verdict.DELETE],
        "waiting": verdicts[Verdict.WAIT],
        "kept": verdicts[Verdict.KEEP],
        "deleted": outcomes[DeletionOutcome.DELETED],
        "accepted": outcomes[DeletionOutcome.ACCEPTED],
        "not_deleted": sum(outcomes[each] for each in _TROUBLE),
        "announced": sum(len(target.notices.announced) for target in result.targets),
    }


def said_of(result: RunResult, posted: Delivery) -> str | None:
    """Why a person should look at it, in a sentence; None where nothing says so."""
    errors = [error for error in (result.error, *(target.error for target in result.targets)) if error]
    return "; ".join(dict.fromkeys([*errors, *filter(None, [posted.trouble])])) or None
