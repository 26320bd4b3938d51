"""The values of tests of policies: images at an instant, what is expected for each, and what is decided instead."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

from janitor.core.decision import Decision, Reason, Verdict
from janitor.core.replay.inputs import Night


@dataclass(frozen=True, slots=True)
class Due:
    """A date as written, and the instants that it stands for: from `first`, to before `end`, or only `first`."""

    text: str
    first: datetime
    end: datetime | None = None

    def holds(self, due: datetime | None) -> bool:
        """Whether an instant is this date."""
        if due is None:
            return False
        return due == self.first if self.end is None else self.first <= due < self.end


@dataclass(frozen=True, slots=True)
class Expected:
    """What is expected of one decision; None leaves that open.

    `policy` is the one that owns the image, also where a guard keeps it.
    """

    verdict: Verdict | None = None
    reason: Reason | None = None
    policy: str | None = None
    due: Due | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """What is expected for one image, by its id; `label` is how the file calls it, and `line` where it says so."""

    label: str
    image: str
    expected: Expected
    line: int | None


@dataclass(frozen=True, slots=True)
class PolicyTest:
    """One file of tests. `night` has no notices yet: `announced` says since when images are announced, by id.

    Which policy announced an image, and for how long, follows from the policies that are tested.
    """

    file: str
    night: Night
    announced: Mapping[str, datetime]
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """A case, what was decided, and the policy that owns the image, if one certainly does."""

    case: Case
    decision: Decision
    owner: str | None

    @property
    def holds(self) -> bool:
        """Whether all is as expected."""
        expected, decision = self.case.expected, self.decision
        return (
            expected.verdict in (None, decision.verdict)
            and expected.reason in (None, decision.reason)
            and expected.policy in (None, self.owner)
            and (expected.due is None or expected.due.holds(decision.due))
        )


@dataclass(frozen=True, slots=True)
class JudgedFile:
    """One file of tests with its cases, judged; `zone` is that of its dates."""

    file: str
    zone: tzinfo
    judged: tuple[Judged, ...]

    @property
    def expects_nothing(self) -> bool:
        """Whether anything is expected of each of its images, so that it can never fail."""
        return all(each.case.expected == Expected() for each in self.judged)

    @property
    def failing(self) -> list[Judged]:
        """The cases that do not hold."""
        return [each for each in self.judged if not each.holds]


@dataclass(frozen=True, slots=True)
class Tested:
    """All files that were tested, and the policies that own no image in any of them, where that was asked."""

    files: tuple[JudgedFile, ...]
    unexercised: tuple[str, ...] = ()

    @property
    def holding(self) -> int:
        """How many expectations hold."""
        return sum(len(file.judged) for file in self.files) - self.failing

    @property
    def failing(self) -> int:
        """How many expectations fail."""
        return sum(len(file.failing) for file in self.files)
