"""The report of a run for programs: one JSON object, times in UTC with `Z`."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import chain
from typing import Any

from janitor.core.decision import Decision
from janitor.core.policy import Policy
from janitor.core.replay.differences.since import Since
from janitor.core.result import Deletion, Mode, RunResult, RunTerms, TargetResult
from janitor.core.units import iso, iso_or_none
from janitor.report.json_pieces import json_pieces


def json_report(result: RunResult) -> str:
    """The whole run as one JSON object, every decision included, in order.

    Everything outside ASCII is escaped, so that no name can control a terminal and no locale can break the output.
    """
    return "".join(written_report(result))


def written_report(result: RunResult) -> Iterator[str]:
    """The same in pieces, each made when it is asked for: there may be a million decisions."""
    return json_pieces(
        {
            "run": result.run,
            "mode": result.mode,
            "outcome": result.outcome,
            "error": result.error,
            "digest": result.digest,
            "begun_by": result.terms.begun_by,
            "started_at": iso(result.started_at),
            "finished_at": iso(result.finished_at),
            "targets": [_target(target, result.terms) for target in result.targets],
            "remarks": list(result.remarks),
            "unseen": list(result.unseen),
        }
    )


def _target(target: TargetResult, terms: RunTerms) -> dict[str, Any]:
    policies = {policy.name: policy for policy in terms.policies}
    notices = target.notices
    warned = chain(notices.announced, notices.reminded)
    undated = notices.undelivered.intersection(_ids(notices.announced))
    return {
        "target": target.target,
        "outcome": target.outcome,
        "error": target.error,
        "images": target.survey.images,
        "decisions": (
            _decision(decision, policies.get(decision.policy or ""), dated=decision.image.id not in undated)
            for decision in target.decisions
        ),
        "deletions": map(_deletion, target.deletions),
        "settled": map(_deletion, target.earlier.settled),
        "announced": _ids(d for d in notices.announced if d.image.id not in notices.undelivered),
        "reminded": _ids(d for d in notices.reminded if d.image.id not in notices.undelivered),
        "undelivered": _ids(d for d in warned if d.image.id in notices.undelivered),
        "spared": _ids(saved.decision for saved in notices.spared),
        "gone": _ids(notices.gone),
        "changed": ({"image": change.decision.image.id, "detail": change.detail} for change in target.review.changed),
        "remarks": list(target.survey.remarks),
        "since": _since(target.since),
    }


def _since(since: Since | None) -> dict[str, Any] | None:
    """What changed since an earlier survey of the target; null where that cannot be told."""
    if since is None:
        return None
    return {
        "run": since.run,
        "mode": (Mode.DRY_RUN if since.dry_run else Mode.DELETE).value,
        "reported": not since.unheard,
        "new": asdict(since.new),
        "listed_again": since.listed_again,
        "gone": {"by-us": since.gone_by_us, "by-others": since.gone_by_others, "unknown": since.gone_unknown},
        "newly_to_be_deleted": since.newly_to_be_deleted,
        "newly_waiting": since.newly_waiting,
    }


def _ids(decisions: Iterable[Decision]) -> Iterator[str]:
    return (decision.image.id for decision in decisions)


def _decision(decision: Decision, policy: Policy | None, *, dated: bool) -> dict[str, Any]:
    image = decision.image
    return {
        "image": image.id,
        "name": image.name,
        "status": image.status,
        "size": image.size,
        "verdict": decision.verdict,
        "policy": decision.policy,
        "reason": decision.reason,
        "detail": decision.detail,
        "due": iso_or_none(decision.due) if dated else None,
        "owner": policy.owner.of(image) if policy and policy.owner else None,
        "contact": policy.contact if policy else None,
    }


def _deletion(deletion: Deletion) -> dict[str, Any]:
    return {"image": deletion.decision.image.id, "outcome": deletion.outcome, "detail": deletion.detail}
