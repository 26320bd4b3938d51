"""What is recorded of a run for the night of the whole fleet."""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal

from janitor.core.decision import Verdict
from janitor.core.replay.amounts import Amount, amount_of
from janitor.core.result import Cost, DeletionOutcome, Mode, RunResult, TargetResult
from janitor.fleet.outcomes import Ending
from janitor.notify.announcing import as_told
from janitor.notify.delivered import Delivery
from janitor.report.as_json import json_report

_TROUBLE = (DeletionOutcome.REFUSED, DeletionOutcome.FAILED)


def ending_of(
    result: RunResult, code: int, posted: Delivery, cost: Cost | None, deleted: Iterable[int | None] = ()
) -> Ending:
    """What a run of one account ended with, as its own report tells it.

    `deleted` are the sizes of all images that were deleted in the night, also by runs of it that died.
    """
    told = as_told(result, posted.announced)
    gone = amount_of(deleted)
    money = None if cost is None or gone.unknown_sizes else Decimal(str(round(cost.of(gone.size), 6)))
    return Ending(
        code,
        _counts(told, gone),
        None if 0 < gone.images == gone.unknown_sizes else gone.size,
        money,
        None if cost is None else cost.currency,
        said_of(told, posted),
        json_report(told),
    )


def _counts(result: RunResult, gone: Amount) -> dict[str, int]:
    """How many images there are, and what became of them."""
    verdicts = Counter(decision.verdict for target in result.targets for decision in target.decisions)
    outcomes = Counter(deletion.outcome for target in result.targets for deletion in target.deletions)
    return {
        "images": sum(target.survey.images for target in result.targets),
        "to_delete": verdicts[Verdict.DELETE],
        "waiting": verdicts[Verdict.WAIT],
        "kept": verdicts[Verdict.KEEP],
        "deleted": gone.images,
        "accepted": outcomes[DeletionOutcome.ACCEPTED],
        "not_deleted": sum(outcomes[each] for each in _TROUBLE),
        "announced": sum(map(_announced, result.targets)) if result.mode is Mode.DELETE else 0,
    }


def _announced(target: TargetResult) -> int:
    """How many images are announced from now on: named by an accepted message."""
    notices = target.notices
    return sum(decision.image.id not in notices.undelivered for decision in notices.announced)


def said_of(result: RunResult, posted: Delivery) -> str | None:
    """Why a person should look at it, in a sentence; None where nothing says so."""
    errors = [error for error in (result.error, *(target.error for target in result.targets)) if error]
    return "; ".join(dict.fromkeys([*errors, *filter(None, [posted.trouble])])) or None
