"""Whether a result is to be posted, by the value of `slack.post`."""

from typing import Literal

from janitor.core.result import Mode, Outcome, RunResult, TargetResult


def worth_posting(
    result: RunResult,
    post: Literal["always", "changes", "problems"],
    previous: Outcome | None = None,
    *,
    undelivered: int = 0,
) -> bool:
    """Whether this result is to be posted.

    `problems`: when a person should act. That is when the run, a target or a deletion failed or was refused, when
    reports of earlier runs are still undelivered, and when images are announced or reminders are due: without a
    warning, nothing may be deleted. `changes`: also when something was deleted, spared, or would be by a live run, and
    when the outcome is not that of the run before (`previous`; None: there was none).
    """
    if post == "always" or undelivered or _asks_for_a_person(result):
        return True
    changed = previous not in (None, result.outcome) or any(map(_changed, result.targets))
    return post == "changes" and changed


def _asks_for_a_person(result: RunResult) -> bool:
    return (
        result.outcome is not Outcome.OK
        or result.error is not None
        or any(_has_trouble(target) or _warns(target, result.mode) for target in result.targets)
    )


def _has_trouble(target: TargetResult) -> bool:
    failed = target.outcome is not Outcome.OK or target.error is not None
    return failed or any(deletion.outcome.unsuccessful for deletion in target.deletions)


def _warns(target: TargetResult, mode: Mode) -> bool:
    return mode is not Mode.DRY_RUN and bool(target.notices.announced or target.notices.reminded)


def _changed(target: TargetResult) -> bool:
    notices = target.notices
    warned = notices.announced or notices.reminded or notices.spared or notices.gone
    return bool(target.to_delete or target.deletions or warned or target.earlier.settled or target.review.changed)
