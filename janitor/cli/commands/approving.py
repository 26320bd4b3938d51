"""The question that `apply` asks where the configuration would not let the plan through."""

from collections.abc import Iterator, Mapping, Sequence

from janitor.cli.terminal import answer_to, can_ask, say
from janitor.config import Settings
from janitor.core.decision import Decision
from janitor.core.planning.plan import Plan
from janitor.core.result import Mode, RunResult
from janitor.core.units import counted
from janitor.errors import UsageError
from janitor.report.figures import worth

Approved = Mapping[str, Sequence[Decision]]


def agreed(settings: Settings, run: RunResult, approved: Approved) -> bool:
    """Whether the plan of this run may be applied: a person confirms it where `mode` is dry-run or a limit is exceeded.

    Raises UsageError in `mode: dry-run` where there is no terminal to ask at. A plan over a limit needs no terminal:
    applying it is what lifts the limit.
    """
    reasons = list(_reasons(settings, run, approved))
    if not reasons:
        return True
    if not can_ask():
        if settings.mode is not Mode.DRY_RUN:
            return True
        raise UsageError(
            f"{settings.source} says mode: dry-run, and there is no terminal to ask at: to delete what the plan of run "
            f"{run.run} named, add --yes; nothing was deleted"
        )
    for reason in reasons:
        say(reason, err=True)
    if answer_to(f"Delete {' and '.join(map(_named, approved, approved.values()))}? [y/N]") in ("y", "yes"):
        return True
    say("Not applied: nothing was deleted.", err=True)
    return False


def _reasons(settings: Settings, run: RunResult, approved: Approved) -> Iterator[str]:
    if settings.mode is Mode.DRY_RUN:
        yield f"{settings.source} says mode: dry-run; this deletes nevertheless."
    owned = {target.target: target.survey.owned for target in run.targets}
    for name, decisions in approved.items():
        for measured in Plan(tuple(decisions), owned[name]).exceeded(settings.limits).values():
            yield f"{name}: {measured}; this deletes nevertheless."


def _named(target: str, decisions: Sequence[Decision]) -> str:
    return f"{counted(len(decisions))} ({worth(decisions, None)}) in {target}"
