"""The images of a report by the policy that decided on them: one line for each policy, then its images."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo

from janitor.core.decision import Decision, Verdict
from janitor.core.policy import Policy
from janitor.core.result import Cost, RunResult, TargetResult
from janitor.core.units import counted
from janitor.report.figures import worth
from janitor.report.outline import Entry, Group, groups_of
from janitor.report.wording import local_moment

_NO_DATE = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PolicyPart:
    """What a run did, or would do, about the images of one policy; `policy` is None where it was not recorded.

    `name` is None for images that no policy owns. `groups` come with the name of their target, oldest image first.
    `waiting` are the images that wait and are in no group.
    """

    name: str | None
    policy: Policy | None
    groups: tuple[tuple[str, Group], ...]
    waiting: tuple[Decision, ...] = ()

    @property
    def count(self) -> int:
        """How many images it lists."""
        return sum(len(group.entries) for _, group in self.groups)

    def first(self, most: int) -> "PolicyPart":
        """The same with only so many of its images."""
        left, groups = most, []
        for target, group in self.groups:
            if left > 0:
                groups.append((target, replace(group, entries=group.entries[:left])))
                left -= len(group.entries)
        return replace(self, groups=tuple(groups))


def policy_parts(result: RunResult) -> list[PolicyPart]:
    """The images that a report lists, and those that wait, by policy in the order of the policies."""
    groups: defaultdict[str | None, list[tuple[str, Group]]] = defaultdict(list)
    waiting: defaultdict[str | None, list[Decision]] = defaultdict(list)
    for target in result.targets:
        listed = groups_of(target, result.mode)
        for group in listed:
            for name, part in _by_policy(group):
                groups[name].append((target.target, _with_owners(part, result.terms.policy(name))))
        for decision in _waiting(target, listed):
            waiting[decision.policy].append(decision)
    order = {policy.name: place for place, policy in enumerate(result.terms.policies)}
    names = sorted(groups.keys() | waiting.keys(), key=lambda name: (name is None, order.get(name or "", len(order))))
    return [PolicyPart(name, result.terms.policy(name), tuple(groups[name]), tuple(waiting[name])) for name in names]


def _by_policy(group: Group) -> Iterator[tuple[str | None, Group]]:
    parts: defaultdict[str | None, list[Entry]] = defaultdict(list)
    for entry in group.entries:
        parts[entry.policy].append(entry)
    return ((name, replace(group, entries=tuple(sorted(entries, key=_age)))) for name, entries in parts.items())


def _with_owners(group: Group, policy: Policy | None) -> Group:
    """The same group, in which each image has the owner that the policy finds."""
    if policy is None or policy.owner is None:
        return group
    rule = policy.owner
    return replace(group, entries=tuple(replace(each, owner=rule.of(each.decision.image)) for each in group.entries))


def _age(entry: Entry) -> tuple[datetime, str]:
    return entry.decision.image.created_at or _NO_DATE, entry.decision.image.id


def _waiting(target: TargetResult, listed: Iterable[Group]) -> Iterator[Decision]:
    named = {entry.decision.image.id for group in listed for entry in group.entries}
    return (d for d in target.decisions if d.verdict is Verdict.WAIT and d.image.id not in named)


def figures_of(part: PolicyPart, cost: Cost | None, zone: tzinfo, now: datetime, *, late: bool = False) -> str:
    """One line: how many images of a policy, their size and cost, and the earliest date, for each thing done.

    A `late` report announces nothing, and gives no dates for it.
    """
    together: defaultdict[tuple[str, bool], list[Decision]] = defaultdict(list)
    for _, group in part.groups:
        word = _lower(group.late) if late and group.late else group.word
        dated = group.dated and not (late and group.late)
        together[word, dated].extend(entry.decision for entry in group.entries)
    figures = [
        _figure(word, decisions, _earliest(decisions) if dated else None, ", from ", cost, zone, now)
        for (word, dated), decisions in together.items()
    ]
    if part.waiting:
        figures.append(_figure("waiting", part.waiting, _earliest(part.waiting), ", the first due ", cost, zone, now))
    return "; ".join(figures)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _earliest(decisions: Iterable[Decision]) -> datetime | None:
    return min((decision.due for decision in decisions if decision.due is not None), default=None)


def _figure(
    word: str,
    decisions: Sequence[Decision],
    date: datetime | None,
    since: str,
    cost: Cost | None,
    zone: tzinfo,
    now: datetime,
) -> str:
    when = "" if date is None else f"{since}{local_moment(date, zone, now)}"
    return f"{counted(len(decisions))} {word}, {worth(decisions, cost)}{when}"


def about(part: PolicyPart) -> Iterator[str]:
    """What a policy is for and whom to ask about it, as far as it says so."""
    if part.policy is not None and part.policy.description:
        yield " ".join(part.policy.description.split())
    if part.policy is not None and part.policy.contact:
        yield f"Contact: {part.policy.contact}"
