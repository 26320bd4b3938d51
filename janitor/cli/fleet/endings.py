"""What is recorded of a run for the night of the whole fleet.

What happened to images is read from the account's database: of all runs since the night began, also those that died.
"""

import logging
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from janitor.config import Settings
from janitor.core.decision import Verdict
from janitor.core.planning.deletion import Requested
from janitor.core.replay.amounts import Amount, amount_of
from janitor.core.result import Cost, DeletionOutcome, Mode, Outcome, RunResult, TargetResult
from janitor.errors import JanitorError
from janitor.fleet.outcomes import Ending
from janitor.notify.announcing import as_told
from janitor.notify.delivered import Delivery
from janitor.report.as_json import json_report
from janitor.store import Store

_DECIDED = (Outcome.OK, Outcome.PARTIAL)
_UNCONFIRMED = (DeletionOutcome.ACCEPTED, None)
_NOT_DELETED = (DeletionOutcome.REFUSED, DeletionOutcome.FAILED)

_log = logging.getLogger("janitor.fleet")


@dataclass(frozen=True, slots=True)
class Done:
    """What became of images of an account in a night, each counted once; `gone` are those that were deleted."""

    gone: Amount
    unconfirmed: int
    not_deleted: int
    announced: int

    @property
    def counts(self) -> dict[str, int]:
        """These numbers, each with its name."""
        return {
            "deleted": self.gone.images,
            "unconfirmed": self.unconfirmed,
            "not_deleted": self.not_deleted,
            "announced": self.announced,
        }


def done_since(settings: Settings, since: datetime) -> Done | None:
    """What became of images of an account since a night began; None where its database cannot be read."""
    try:
        with Store.open_existing(settings.database) as store:
            requested, announced = store.outcomes_since(since), store.announced_since(since)
    except JanitorError as error:
        _log.warning("deletions-not-counted database=%s: %s", settings.database, error)
        return None
    gone = amount_of(each.size for each in requested if each.outcome is DeletionOutcome.DELETED)
    return Done(gone, _number(requested, _UNCONFIRMED), _number(requested, _NOT_DELETED), announced)


def _number(requested: Collection[Requested], outcomes: Collection[DeletionOutcome | None]) -> int:
    return sum(each.outcome in outcomes for each in requested)


def ending_of(result: RunResult, code: int, posted: Delivery, settings: Settings, since: datetime) -> Ending:
    """What a run of one account ended with, as its own report tells it; `since` is when the night began."""
    since = min(since, result.started_at)  # by the clock of another host, which may be ahead of this one's
    told, done, cost = as_told(result, posted.announced), done_since(settings, since), settings.cost
    would = _would(told)
    return Ending(
        code,
        {**_counts(told), **({} if done is None else done.counts)},
        told.mode.value,
        None if done is None else _bytes(done.gone),
        None if done is None else _money(done.gone, cost),
        None if would is None else _bytes(would),
        None if would is None else _money(would, cost),
        None if cost is None else cost.currency,
        said_of(told, posted),
        json_report(told),
    )


def ending_without_run(code: int, said: str, settings: Settings, since: datetime) -> Ending:
    """What an attempt ended with that no run ended: what is in no survey of it is not known."""
    done, cost = done_since(settings, since), settings.cost
    currency = None if cost is None else cost.currency
    if done is None:
        return Ending(code, mode=settings.mode.value, currency=currency, said=said)
    gone = done.gone
    return Ending(
        code,
        done.counts,
        settings.mode.value,
        _bytes(gone),
        _money(gone, cost),
        currency=currency,
        said=said,
    )


def _counts(result: RunResult) -> dict[str, int]:
    """How many images there are, what was decided of them, and what a live run would do; not what is not known."""
    targets, counts = result.targets, dict[str, int]()
    if targets and all(_is_surveyed(target) for target in targets):
        counts["images"] = sum(target.survey.images for target in targets)
    if not _is_decided(result):
        return counts
    verdicts = Counter(decision.verdict for target in targets for decision in target.decisions)
    counts["to_delete"], counts["waiting"] = verdicts[Verdict.DELETE], verdicts[Verdict.WAIT]
    counts["kept"] = verdicts[Verdict.KEEP]
    if (would := _would(result)) is not None:
        counts["would_delete"] = would.images
        counts["would_announce"] = sum(len(target.notices.announced) for target in targets)
    return counts


def _would(result: RunResult) -> Amount | None:
    """What a live run would delete instead of this dry run; None of another run, and where that is not known."""
    if result.mode is not Mode.DRY_RUN or not _is_decided(result):
        return None
    allowed = (target for target in result.targets if target.outcome is not Outcome.REFUSED)
    return amount_of(decision.image.size for target in allowed for decision in target.to_delete)


def _is_surveyed(target: TargetResult) -> bool:
    return bool(target.survey.images or target.decisions) or target.outcome in _DECIDED


def _is_decided(result: RunResult) -> bool:
    return bool(result.targets) and all(target.decisions or target.outcome in _DECIDED for target in result.targets)


def _bytes(amount: Amount) -> int | None:
    return None if 0 < amount.images == amount.unknown_sizes else amount.size


def _money(amount: Amount, cost: Cost | None) -> Decimal | None:
    return None if cost is None or amount.unknown_sizes else Decimal(str(round(cost.of(amount.size), 6)))


def said_of(result: RunResult, posted: Delivery) -> str | None:
    """Why a person should look at it, in a sentence; None where nothing says so."""
    errors = [error for error in (result.error, *(target.error for target in result.targets)) if error]
    return "; ".join(dict.fromkeys([*errors, *filter(None, [posted.trouble])])) or None
