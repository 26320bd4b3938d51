"""The cases, in the order in which they are measured and printed."""

from collections.abc import Iterable

from benchmarks.case import Case
from benchmarks.cases import commands, deletions, history, rehearsals, starts, surveys, texts

CASES: tuple[Case, ...] = (
    *starts.CASES,
    *surveys.CASES,
    *history.CASES,
    *deletions.CASES,
    *commands.CASES,
    *rehearsals.CASES,
    *texts.CASES,
)


def chosen(names: Iterable[str]) -> list[Case]:
    """The cases with these names, in their order; without any, those that are measured together. Raises ValueError."""
    wanted = set(names)
    unknown = wanted - {case.name for case in CASES}
    if unknown:
        raise ValueError(f"no case is called {', '.join(sorted(unknown))}")
    return [case for case in CASES if (case.name in wanted if wanted else not case.by_itself)]


def listed() -> str:
    """What each case is, a line for each."""
    width = max(len(case.name) for case in CASES)
    return "\n".join(
        f"  {case.name:<{width}}  {case.says}{'; only when asked for' if case.by_itself else ''}" for case in CASES
    )
