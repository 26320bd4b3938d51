"""What changed in a target since an earlier run, in numbers: a line of each report."""

from dataclasses import dataclass, field

from janitor.core.replay.amounts import Amount


@dataclass(frozen=True, slots=True)
class Since:
    """What a run found changed in one target since an earlier run, as its report says in a line.

    `newly_to_be_deleted` are those that the run decided to delete and the earlier one did not: a live run tells what
    became of them. `newly_waiting` counts those, too, that the run is the first to announce, as the earlier one was a
    `dry_run`. Both are None where one of the runs decided nothing. `unheard`: no channel had the report of that earlier
    run when this one began, though this one is for channels.

    Wide because each is a part of that line.
    """

    run: int
    new: Amount = field(default_factory=Amount)
    listed_again: int = 0
    gone_by_us: int = 0
    gone_by_others: int = 0
    gone_unknown: int = 0
    newly_to_be_deleted: int | None = None
    newly_waiting: int | None = None
    dry_run: bool = False
    unheard: bool = False
