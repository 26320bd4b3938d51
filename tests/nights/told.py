"""What was reported: the messages that the channel accepted, read as a person reads them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

from tests.nights.channel import Accepted
from tests.slack_stand_in import Posted

_REPORT = re.compile(r"^(?P<dry>DRY RUN: )?.*?(?: \((?P<page>\d+) of \d+\))?$")
_RUN = re.compile(r"^Image Janitor run (?P<run>\d+), ", re.MULTILINE)
_HEADING = re.compile(
    r"(?:`(?P<policy>[^`]+)`|\(no policy\)) \*(?P<title>[^:*]+): (?:the (?:first|other) [\d,]+ of )?"
    r"[\d,]+ images?\* in "
)
_NAMED = re.compile(r"`(?P<image>[^`]+)` [^`]+$")
_WHY = re.compile(r"    (?:(?P<policy>[a-z]+): )?(?P<detail>.*)$")
_DUE = re.compile(r"due for deletion (?:no earlier than )?(\d{4}-\d\d-\d\d \d\d:\d\d)(Z| KST)")
_EAST = {"Z": timedelta(), " KST": timedelta(hours=9)}
_WAY_OUT = "    to keep it: "
_ANSWERED = ("kept by ", "no longer kept: ")
"""What stands in place of the buttons of an image above."""


class Fate(Enum):
    """What a report says about the outcome or future of an image."""

    DELETED = "Deleted, confirmed gone"
    GONE = "Already gone, not counted as reclaimed"
    ACCEPTED = "Accepted by the API, not confirmed gone"
    REFUSED = "Rejected by the API, not deleted"
    FAILED = "Failed, not confirmed gone"
    UNKNOWN = "Outcome not known yet, the next run finds out"
    UNASKED = "Not attempted, not deleted"
    OVER_LIMIT = "Not deleted, as "
    CHANGED = "Changed since planned, not attempted"
    ANNOUNCED = "Announced, to be deleted when due"
    REMINDED = "Reminder, due within a day"
    REMINDED_LATE = "Late reminder, due a day after it"
    SPARED = "Spared, announced before and now kept"
    TAKEN = "Announced before, deleted by somebody else"
    SETTLED = "Settled, requested in an earlier run"


NOT_DELETED = frozenset({Fate.REFUSED, Fate.UNASKED, Fate.OVER_LIMIT, Fate.SPARED})
"""What is said only about images that still exist."""

_FATES = {fate.value: fate for fate in Fate}
_SETTLED = {
    "deleted": Fate.DELETED,
    "already-gone": Fate.GONE,
    "accepted": Fate.ACCEPTED,
    "refused": Fate.REFUSED,
    "failed": Fate.FAILED,
}


@dataclass(frozen=True)
class Told:
    """One statement about one image: in the report of which run, and when.

    `sure`: the sender knows that it was accepted. `settled`: it is about a deletion that an earlier run requested.
    `policy` and `due` are as the report names them. `page`: on which message of the report. The first messages list
    the first images of each policy, and those after them all.
    """

    image: str
    fate: Fate
    run: int
    at: datetime
    sure: bool
    late: bool
    dry: bool
    settled: bool
    policy: str | None
    due: datetime | None
    page: int = 1

    @property
    def key(self) -> tuple[int, str, bool, int]:
        """What tells one thing that a report says of an image from the next."""
        return self.run, self.fate.name, self.settled, self.page


def read(accepted: Accepted) -> Iterator[Told]:
    """All that a message says about single images."""
    headline, _, rest = accepted.posted.shown.partition("\n")
    report, run = _REPORT.match(headline), _RUN.search(rest)
    if report is None or run is None:
        return
    late = accepted.posted.text.startswith("late: ")
    for title, row in _rows(accepted.posted):
        fate = Fate.OVER_LIMIT if title.startswith(Fate.OVER_LIMIT.value) else _FATES.get(title)
        if fate is None:
            continue
        settled = fate is Fate.SETTLED
        yield Told(
            row.image,
            _SETTLED[row.remark.partition(":")[0]] if settled else fate,
            int(run["run"]),
            accepted.at,
            accepted.sure,
            late,
            report["dry"] is not None,
            settled,
            row.policy,
            row.due,
            int(report["page"] or 1),
        )


def listed(posted: Posted) -> set[str]:
    """The images that a message lists, whatever it says of them."""
    return {row.image for _, row in _rows(posted)}


@dataclass(frozen=True)
class _Row:
    image: str
    remark: str
    policy: str | None
    due: datetime | None


def _rows(posted: Posted) -> Iterator[tuple[str, _Row]]:
    """Every image that a message lists, with the title above it."""
    heading = None
    for block in posted.blocks:
        if block["type"] != "section":
            continue
        lines = block["text"]["text"].split("\n")
        if lines[0].startswith(_ANSWERED):
            continue
        if not lines[0].startswith("• "):  # which goes on below the buttons of the row before
            heading = _HEADING.match(lines.pop(0))
        if heading:
            starts = [number for number, line in enumerate(lines) if line.startswith("• ")]
            for start, end in zip(starts, [*starts[1:], None], strict=True):
                yield heading["title"], _row(lines[start:end], heading["policy"])


def _row(lines: list[str], policy: str | None) -> _Row:
    first, *remarks, last = (line for line in lines if not line.startswith(_WAY_OUT))
    named, why = _NAMED.search(first), _WHY.match(last)
    assert named is not None
    assert why is not None
    due = _DUE.search(why["detail"])
    when = datetime.strptime(due[1], "%Y-%m-%d %H:%M").replace(tzinfo=UTC) - _EAST[due[2]] if due else None
    return _Row(named["image"], "".join(remarks).strip(" `"), why["policy"] or policy, when)
