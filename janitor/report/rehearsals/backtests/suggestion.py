"""One policy at several lengths and counts: a small table in which it is seen where regrets begin."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from janitor.core.replay.nights import Since
from janitor.core.replay.outcomes.answers import Answer, answer_of
from janitor.core.replay.outcomes.variants import Key, Trial, by_key
from janitor.core.result import Cost
from janitor.core.units import counted, format_duration, format_size
from janitor.report.figures import amount_in_words
from janitor.report.json_pieces import json_pieces
from janitor.report.layout import BOLD, DIM, Line, Page, Segment, labelled, line, paragraph
from janitor.report.listing import csv_lines
from janitor.report.rehearsals.backtests.backtest import TargetBacktest, evidence_of, since_facts, when
from janitor.report.rehearsals.backtests.doubts import CANNOT_TELL, doubts
from janitor.report.rehearsals.markdown import Sheet, code, head, prose, row
from janitor.report.wording import shortened

_LONGEST_NAME = 255
_LONGEST_SENTENCE = 400
_BAR = 22
_LEGEND = "* as it is now. Bars: images deleted, ░ of them regretted."


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What the variants of one policy would have come to in some targets, in the nights of that time.

    `present` are the backtests of the policy as it is now. `without` says which targets are left out: a sentence each.
    """

    policy: str
    policies: str
    since: Since
    present: Sequence[TargetBacktest]
    trials: Sequence[Trial]
    without: Sequence[str] = ()

    @property
    def doubts(self) -> Iterator[str]:
        """What the history cannot tell, as a backtest says it: a sentence each."""
        for each in self.present:
            place = "" if len(self.present) == 1 else f"{each.target}: "
            yield from (f"{place}{doubt}" for doubt in doubts(each))
        yield from self.without


def in_short(made: Suggestion) -> str:
    """What was tried."""
    nights = when(night for each in made.present for night in each.nights)
    return f"{made.policy} at other values, tried on {counted(len(made.present), 'target')} in {nights}"


def answers(made: Suggestion) -> list[str]:
    """For each key, from which value on nothing is regretted, or why that is not known."""
    return [f"{key}: {_answer(trials)}." for key, trials in by_key(made.trials)]


def _answer(trials: Sequence[Trial]) -> str:
    deleting = [each for each in trials if each.deleted.images]
    if not deleting:
        return _nothing_deleted(trials)
    clean = list(takewhile(lambda each: not each.regretted, reversed(deleting)))[::-1]
    if not clean:
        return "no value that deletes anything is without regrets"
    sure = next((each for each in clean if answer_of(each.found) is Answer.NO_REGRETS), None)
    if sure is None:
        return f"{_UNKNOWN[answer_of(clean[0].found)]} (from {clean[0].variant.value} on)"
    unknown = [each.variant.value for each in clean if answer_of(each.found) is not Answer.NO_REGRETS]
    aside = f"; not known at {', '.join(unknown)}" if unknown else ""
    return f"without regrets from {sure.variant.value} on: {amount_in_words(sure.deleted)}{aside}"


_UNKNOWN = {
    Answer.PERHAPS: "regrets are not known: something that is recorded may be one, and cannot be told",
    Answer.TOO_EARLY: "too early to tell: regrets are not known yet",
    Answer.GONE: "regrets are not known: most images were really deleted, or gone, so nobody can see what would "
    "have used them after that",
    Answer.USES_UNREAD: "regrets are not known: what used these images could not be read often enough, or no image was",
}


def _nothing_deleted(trials: Sequence[Trial]) -> str:
    if all(answer_of(each.found) is Answer.NOTHING_DECIDED for each in trials):
        return "not known, as in none of these nights could policies delete anything"
    waiting = max(each.found.waiting for each in trials)
    if not waiting:
        return "no value would have deleted anything"
    said = f"nothing was due at any value, up to {counted(waiting)} waiting at the end: nothing is known of them yet"
    notice = trials[0].variant.policy.notice
    if not notice or not any(each.found.noticed for each in trials):
        return said
    return (
        f"{said}. The notice of {format_duration(notice)} did not end within these nights: try the policy without it "
        "(`notice: 0`)"
    )


def suggestion_page(made: Suggestion) -> Page:
    """For people: a table for each key, with bars."""
    return Page(lambda width: _lines(made, width))


def _lines(made: Suggestion, width: int) -> Iterator[Line]:
    for answer in answers(made):
        yield from paragraph(answer, width, style=BOLD)
    yield from paragraph(shortened(in_short(made), _LONGEST_SENTENCE), width)
    most = max((each.deleted.images for each in made.trials), default=0)
    for key, trials in by_key(made.trials):
        yield line()
        yield from paragraph(f"{key}, everything else as written", width)
        yield line(f"  {'':10}{'Deleted':>9}{'Size':>11}{'Regrets':>9}{'Near':>7}", BOLD)
        for each in trials:
            yield _row(each, most)
    yield line()
    yield from paragraph(_LEGEND, width, style=DIM)
    yield from paragraph("Near: in use within 7 days before. Only deletions by this policy count.", width, style=DIM)
    for note in _about_figures(made):
        yield from paragraph(shortened(note, _LONGEST_SENTENCE), width)
    yield from paragraph(f"As it is now: {CANNOT_TELL[0].lower()}{CANNOT_TELL[1:]}", width, style=BOLD)
    for doubt in made.doubts:
        yield from labelled(Segment("- "), Segment(shortened(doubt, _LONGEST_SENTENCE)), width, 2)


def _row(trial: Trial, most: int) -> Line:
    mark = "*" if trial.variant.present else " "
    doubtful = "?" if trial.is_open else " "
    unknown = "+" if trial.deleted.unknown_sizes else " "
    size = format_size(trial.deleted.size) if trial.deleted.images else "–"
    row = f"{mark} {shortened(trial.variant.value, 10):<10}{trial.deleted.images:>9,}{size:>11}{unknown}"
    regretted, near = _if_any(trial, trial.regretted), _if_any(trial, trial.near)
    return [Segment(f"{row}{regretted:>8}{doubtful}{near:>6}{_bar(trial, most)}")]


def _if_any(trial: Trial, count: int) -> str:
    """How many of the deletions, where there are some."""
    return f"{count:,}" if trial.deleted.images else "–"


def _bar(trial: Trial, most: int) -> str:
    """Deletions in proportion to the most of all rows; whatever is not none is seen."""
    if not trial.deleted.images:
        return ""
    length = max(1, round(_BAR * trial.deleted.images / most))
    regretted = round(length * trial.regretted / trial.deleted.images)
    if trial.regretted:
        regretted = max(1, regretted)
    return f"  {'█' * (length - regretted)}{'░' * regretted}"


def notes(made: Suggestion) -> Iterator[str]:
    """What the figures do not say by themselves, and what the history cannot tell."""
    yield from _about_figures(made)
    yield from made.doubts


def _about_figures(made: Suggestion) -> Iterator[str]:
    if any(each.is_open for each in made.trials):
        yield "? There may be more regrets: something could not be read, or too little was watched."
    if perhaps := max((each.perhaps for each in made.trials), default=0):
        yield f"Of up to {counted(perhaps)}, a value that cannot be read may be a regret."
    if unknown := max((each.deleted.unknown_sizes for each in made.trials), default=0):
        yield f"+ Up to {counted(unknown)} of unknown size in addition."
    if blind := max((each.blind for each in made.trials), default=0):
        them = "it" if blind == 1 else "them"
        yield f"Of up to {counted(blind)}, some later nights could not read all that used {them}."
    for key, trials in by_key(made.trials):
        if by_value := [f"{each.found.waiting:,} at {each.variant.value}" for each in trials if each.found.waiting]:
            yield f"Waiting at the end, of which nothing is known yet, by {key}: {', '.join(by_value)}."
    if unwatched := max((each.unwatched for each in made.trials), default=0):
        them = "it" if unwatched == 1 else "them"
        yield f"Up to {counted(unwatched)} could not be watched: no later night saw what became of {them}."


def suggestion_json(made: Suggestion, cost: Cost | None) -> Iterator[str]:
    """For programs: sizes in bytes."""
    return json_pieces(
        {
            "policy": made.policy,
            "policies_from": made.policies,
            **since_facts(made.since),
            "targets": [each.target for each in made.present],
            "nights": len(evidence_of(made.present).nights),
            "answers": answers(made),
            "remarks": list(notes(made)),
            "variants": [_facts(each, cost) for each in made.trials],
        }
    )


_COLUMNS = (
    "key",
    "value",
    "present",
    "images",
    "size",
    "unknown_sizes",
    "regretted",
    "perhaps_regretted",
    "near_misses",
    "unwatched",
    "uses_unread",
)


def _facts(trial: Trial, cost: Cost | None) -> dict[str, object]:
    money = None if cost is None else cost.of(trial.deleted.size)
    known = {"answer": answer_of(trial.found), "waiting": trial.found.waiting}
    return {**dict(zip(_COLUMNS, _values(trial), strict=True)), "cost_per_month": money, **known}


def _values(trial: Trial) -> tuple[object, ...]:
    variant, deleted = trial.variant, trial.deleted
    found = (deleted.images, deleted.size, deleted.unknown_sizes, trial.regretted, trial.perhaps)
    return (variant.key.value, variant.value, variant.present, *found, trial.near, trial.unwatched, trial.blind)


def suggestion_csv(made: Suggestion) -> Iterator[str]:
    """A row for each variant."""
    return csv_lines(_COLUMNS, map(_values, made.trials))


def suggestion_markdown(made: Suggestion) -> str:
    """As a comment: a table for each key."""
    sheet = Sheet()
    title = f"### {code(made.policy, _LONGEST_NAME)} at other values"
    sheet.add(title, *(line for each in answers(made) for line in ("", prose(each))))
    sheet.add("", prose(in_short(made)))
    for key, trials in by_key(made.trials):
        titles = _title_of(key), "Would have deleted", "Size", "Regrets", "Near misses"
        sheet.add("", *head(*titles), *(_markdown_row(each) for each in trials))
    sheet.add("", *(f"- {prose(note)}" for note in notes(made)))
    return str(sheet)


def _title_of(key: Key) -> str:
    return f"`{key.value}`"


def _markdown_row(trial: Trial) -> str:
    value = f"**{trial.variant.value}** (now)" if trial.variant.present else trial.variant.value
    more = f" (and perhaps {trial.perhaps:,})" if trial.perhaps else "?" if trial.is_open else ""
    regrets = f"{trial.regretted:,}{more}"
    deleted = trial.deleted
    return row(value, f"{deleted.images:,}", format_size(deleted.size), regrets, f"{trial.near:,}")
