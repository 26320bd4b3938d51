"""A backtest as a comment on a pull request: what each policy would have deleted, and the nights."""

from collections.abc import Sequence
from datetime import tzinfo

from janitor.core.replay.replayed import ReplayedNight
from janitor.core.result import Cost
from janitor.core.units import counted, format_size
from janitor.report.rehearsals.backtests.backtest import (
    Backtest,
    TargetBacktest,
    amount,
    day_of,
    evidence_of,
    money,
    quiet,
    remarks_of,
    span,
)
from janitor.report.rehearsals.backtests.doubts import doubts
from janitor.report.rehearsals.backtests.regrets import LEGEND, answer_words
from janitor.report.rehearsals.backtests.regrets_text import add_regrets
from janitor.report.rehearsals.backtests.text import in_short
from janitor.report.rehearsals.markdown import Sheet, code, prose, row

_FOR_CLOSING = 1_000


def backtest_markdown(made: Backtest, cost: Cost | None, zone: tzinfo) -> str:
    """The whole comment; times in `zone`, days of runs in theirs. What has no room is left out, and counted."""
    sheet = Sheet()
    sheet.add("### Backtest of policies", "", prose(in_short(made, cost)))
    found = evidence_of(made.targets)
    sheet.add("", prose(answer_words(found)), *(["", LEGEND] if found.regretted else []))
    if made.without:
        sheet.add("", *(f"- Left out: {prose(sentence)}" for sentence in made.without), spare=_FOR_CLOSING)
    left_out = sum(not _add_target(sheet, each, cost, zone) for each in made.targets)
    if left_out:
        sheet.add("", f"{counted(left_out, 'target')} more, for which there is no room here.")
    return str(sheet)


def _add_target(sheet: Sheet, each: TargetBacktest, cost: Cost | None, zone: tzinfo) -> bool:
    lines = ["", f"#### {code(each.target)}", "", prose(span(each, zone))]
    lines += [f"- {prose(doubt)}" for doubt in doubts(each)]
    if not sheet.add(*lines, spare=_FOR_CLOSING):
        return False
    add_regrets(sheet, each.hindsight, zone, _FOR_CLOSING)
    saved = () if cost is None else ("Saved",)
    rows = [
        row(code(name), prose(amount(one, waiting)), *(prose(money(one, cost) or "–") for _ in saved))
        for name, one, waiting in each.policies
    ]
    sheet.add_table(("Policy", "Would have deleted", *saved), rows, "policies", _FOR_CLOSING)
    _add_nights(sheet, each)
    return True


def _add_nights(sheet: Sheet, each: TargetBacktest) -> None:
    special = [night for night in each.nights if not quiet(night)]
    rows = [
        row(
            str(night.run),
            day_of(night),
            f"{len(night.deletions):,}",
            format_size(sum(one.decision.image.size or 0 for one in night.deletions)),
            ", ".join(remarks_of(night)) or "–",
        )
        for night in special
    ]
    if rows and sheet.add("", "<details>", _title(special), spare=_FOR_CLOSING):
        sheet.add_table(("Run", "Day", "Deleted", "Size", "Remarks"), rows, "nights", _FOR_CLOSING)
        sheet.add("", "</details>")


def _title(nights: Sequence[ReplayedNight]) -> str:
    """What a fold holds: the nights with deletions, and those of which something else is to be said."""
    deleting = sum(bool(night.deletions) for night in nights)
    rest = len(nights) - deleting
    parts = [f"{counted(deleting, 'night')} in which something would have been deleted"] if deleting else []
    parts += [f"{counted(rest, 'night')} without deletions, of which something is to be said"] if rest else []
    return f"<summary>{', and '.join(parts)}</summary>"
