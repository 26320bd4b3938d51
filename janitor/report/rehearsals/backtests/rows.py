"""A backtest for programs: times in UTC, sizes in bytes."""

from collections.abc import Iterator, Mapping, Sequence

from janitor.core.replay.outcomes.answers import answer_of
from janitor.core.replay.outcomes.savings import Savings
from janitor.core.replay.replayed import NightDeletion, ReplayedNight
from janitor.core.result import Cost
from janitor.core.units import iso, iso_or_none
from janitor.report.json_pieces import json_pieces
from janitor.report.listing import csv_lines
from janitor.report.rehearsals.backtests.backtest import (
    Backtest,
    TargetBacktest,
    Waiting,
    day_of,
    evidence_of,
    since_facts,
)
from janitor.report.rehearsals.backtests.doubts import doubts
from janitor.report.rehearsals.backtests.regrets import (
    COLUMNS,
    DeletionKey,
    answer_words,
    cells_afterwards,
    facts_afterwards,
    near_misses,
)


def backtest_json(made: Backtest, cost: Cost | None) -> Iterator[str]:
    """Each target with its nights, and in each every deletion."""
    found = evidence_of(made.targets)
    head = {
        "policies_from": made.policies,
        **since_facts(made.since),
        "answer": answer_of(found),
        "answer_detail": answer_words(found),
        "nights": len(found.nights),
        "totals": {**_savings(made.savings, cost), **_regrets(made.targets)},
        "left_out": list(made.without),
    }
    return json_pieces({**head, "targets": [_target(each, cost) for each in made.targets]})


def _savings(savings: Savings, cost: Cost | None) -> dict[str, object]:
    deleted = savings.deleted
    return {
        "images": deleted.images,
        "size": deleted.size,
        "unknown_sizes": deleted.unknown_sizes,
        "gib_months": savings.gib_months,
        "saved": None if cost is None else savings.gib_months * cost.per_gib_month,
        "lasting_size": savings.lasting,
        "saved_per_month": None if cost is None else cost.of(savings.lasting),
    }


def _regrets(targets: Sequence[TargetBacktest]) -> dict[str, object]:
    return {
        "regretted": sum(len(each.hindsight.regretted) for each in targets),
        "near_misses": sum(len(near_misses(each.hindsight)) for each in targets),
        "unwatched": sum(not watched.nights for each in targets for watched in each.hindsight.watched),
    }


def _target(each: TargetBacktest, cost: Cost | None) -> dict[str, object]:
    afterwards = facts_afterwards(each.hindsight)
    return {
        "target": each.target,
        "answer": answer_of(evidence_of([each])),
        "totals": {**_savings(each.savings, cost), **_regrets([each])},
        "policies": [
            {"policy": name, **_savings(one, cost), **_waiting(waiting)} for name, one, waiting in each.policies
        ],
        "remarks": list(doubts(each)),
        "nights": (_night(night, afterwards) for night in each.nights),
    }


def _waiting(some: Waiting) -> dict[str, object]:
    return {"waiting": some.amount.images, "waiting_size": some.amount.size, "waiting_really_deleted": some.gone}


def _night(night: ReplayedNight, afterwards: Mapping[DeletionKey, Mapping[str, object]]) -> dict[str, object]:
    return {
        "run": night.run,
        "mode": night.mode.value,
        "seen_at": iso(night.at),
        "day": day_of(night),
        "counts": night.counts,
        "undecided": night.undecided,
        "withheld": night.withheld,
        "over_limit": None if night.excess is None else night.excess.sentence,
        "unread": list(night.unread),
        "recorded": night.recorded,
        "images": night.images,
        "waiting": len(night.waiting),
        "announced": len(night.announced),
        "undelivered": night.undelivered,
        "really_deleted": sorted(night.really),
        "deletions": [{**_deletion(one), **afterwards.get(one.key, {})} for one in night.deletions],
        "rejected": [_deletion(one) for one in night.rejected],
    }


def _deletion(one: NightDeletion) -> dict[str, object]:
    return dict(zip(_COLUMNS[4:], _values(one), strict=True))


_COLUMNS = (
    "target",
    "run",
    "seen_at",
    "day",
    "image",
    "name",
    "size",
    "policy",
    "detail",
    "last_in_use",
    "sharing_known",
    "really_deleted",
)


def _values(one: NightDeletion) -> tuple[object, ...]:
    image, decision = one.decision.image, one.decision
    facts = (image.id, image.name, image.size, decision.policy, decision.detail)
    return (*facts, iso_or_none(one.last_in_use), one.asked, one.really)


def backtest_csv(made: Backtest) -> Iterator[str]:
    """A row for each deletion."""
    return csv_lines(
        (*_COLUMNS, *COLUMNS),
        (
            (each.target, night.run, iso(night.at), day_of(night), *_values(one), *afterwards[one.key])
            for each in made.targets
            for afterwards in [cells_afterwards(each.hindsight)]
            for night in each.nights
            for one in night.deletions
        ),
    )
