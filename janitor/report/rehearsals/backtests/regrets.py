"""Regrets and near misses of a backtest in words, and what cannot be known of them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta, tzinfo
from itertools import groupby
from statistics import median_low
from typing import assert_never

from janitor.core.names.image_ids import ImageId
from janitor.core.replay.outcomes.answers import (
    LEAST_SURVEYS,
    LONG_ENOUGH,
    Answer,
    Evidence,
    answer_of,
    answers_by_target,
)
from janitor.core.replay.regrets import Doubt, Hindsight, Regret, RegretKind, Watched, is_near_miss
from janitor.core.replay.replayed import NightDeletion
from janitor.core.units import counted, iso
from janitor.report.wording import local_minute

DAY = timedelta(days=1)
DeletionKey = tuple[int, ImageId]
_LEAST = f"in {LEAST_SURVEYS} later nights at least"
_DOUBTS = 5
"""How many doubts are named; more are counted."""


LEGEND = "A regret: used, protected, exempted, shared or renamed after the night in which it would have been deleted."


def answer_words(found: Evidence) -> str:
    """Whether anything is regretted, and what that rests on: of each target by itself where these differ."""
    answers = answers_by_target(found)
    if len(set(answers.values())) < 2:
        return _words(found)
    parts = {name: replace(found.parts[name], used=found.used) for name in answers}
    return " ".join(f"{name}: {_words(part)}" for name, part in parts.items())


def _words(found: Evidence) -> str:
    answer = answer_of(found)
    match answer:
        case Answer.NOTHING_DECIDED:
            return "In none of these nights could the policies delete anything: nothing is known of them."
        case Answer.NOTHING_DELETED:
            return "Nothing would have been deleted, so there is nothing to regret."
        case Answer.NOTHING_DUE:
            return _not_due(found)
        case Answer.REGRETS:
            said = f"Regrets: {found.regretted:,} of {counted(found.deleted)}: {_kinds(found)} afterwards."
        case Answer.PERHAPS:
            count = f"{found.perhaps:,} of {counted(found.deleted)}"
            said = f"Perhaps regrets: of {count}, something that is recorded may be one, and cannot be told."
        case Answer.NO_REGRETS:
            return f"No regrets, as far as history can tell: {' '.join(_basis(found))}"
        case Answer.USES_UNREAD:
            why = f"what used {_these(found.deleted)} later could not be read often enough"
            said = f"Regrets are not known: {'no run saw any image in use' if found.used is False else why}."
        case Answer.GONE:
            said = f"Not known: {_unseen(found)}."
        case Answer.TOO_EARLY:
            told = f"{found.told:,} of {counted(found.deleted)} {_were(found.told)}" if found.told else "no image was"
            said = f"Too early to tell: {told} watched for {LONG_ENOUGH // DAY} days, with its uses, {_LEAST}."
        case _ as unexpected:
            assert_never(unexpected)
    return " ".join([said, *_basis(found)])


def _unseen(found: Evidence) -> str:
    """Why some images could not be watched for long enough, and never will be."""
    why = []
    if found.really:
        why.append(f"{found.really:,} of {counted(found.deleted)} {_were(found.really)} really deleted by our own runs")
    if found.gone:
        which = f"{found.gone:,} more" if found.really else f"{found.gone:,} of {counted(found.deleted)}"
        why.append(f"{which} {_were(found.gone)} gone within {LONG_ENOUGH // DAY} days")
    they = "it" if found.really + found.gone == 1 else "they"
    return f"{' and '.join(why)}, so nobody can see whether {they} would have been used after that"


def _not_due(found: Evidence) -> str:
    """Of policies that have announced images only."""
    if not found.announced:
        said = f"{_waiting(found)}, and none was due within these nights: nothing is known of them yet."
    else:
        said = f"{counted(found.announced)} would have been announced, and none was due within these nights"
        rest = "" if found.announced == found.waiting else f"; {_waiting(found)}"
        said = f"{said}: nothing is known of them yet{rest}."
    if gone := found.waiting_gone:
        said += f" Our own runs have really deleted {gone:,} of {found.waiting:,} that wait, so that cannot be seen."
    if found.noticed:
        said += " Their notice did not end within these nights: try the policy without it (`notice: 0`)."
    return said


def _waiting(found: Evidence) -> str:
    return f"{counted(found.waiting)} {'waits' if found.waiting == 1 else 'wait'} at the end"


def _kinds(found: Evidence) -> str:
    """In which ways images are regretted: `exempted`, or `2 used, 1 renamed`."""
    kinds = [(kind, found.kinds[kind]) for kind in RegretKind if found.kinds[kind]]
    if len(kinds) == 1 and kinds[0][1] == found.regretted:
        return str(kinds[0][0])
    return ", ".join(f"{count:,} {kind}" for kind, count in kinds)


def _basis(found: Evidence) -> Iterator[str]:
    """What an answer about deletions rests on, in sentences."""
    gone = found.really + found.gone
    if not found.spans:
        if gone < found.deleted:
            yield f"No later night saw {_these(found.deleted)}."
    else:
        seen = len(found.spans)
        images = counted(seen) if seen == found.deleted else f"{seen:,} of {counted(found.deleted)}"
        read = len(found.later) - len(found.unread)
        yield (
            f"{images} {_were(seen)} watched for {_range(found.spans)}; "
            f"uses were read in {read:,} of {counted(len(found.later), 'later night')}."
        )
    if gone and answer_of(found) is not Answer.GONE:
        yield f"{_unseen(found)}."
    if found.perhaps and answer_of(found) is not Answer.PERHAPS:
        yield f"{counted(found.perhaps)} may be regretted besides, which cannot be told."
    if found.waiting:
        yield f"{counted(found.waiting, 'more image')} {'waits' if found.waiting == 1 else 'wait'} at the end."


def _range(spans: Sequence[timedelta]) -> str:
    least, most = round(min(spans) / DAY), round(max(spans) / DAY)
    return counted(most, "day") if least == most else f"{least:,} to {counted(most, 'day')}"


def _these(count: int) -> str:
    return "the image" if count == 1 else f"any of the {count:,} images"


def unknown_regrets(hindsight: Hindsight) -> Iterator[str]:
    """What is not known of regrets: a sentence each."""
    watched = hindsight.watched
    yield from _ended(watched)
    for source, nights in sorted(hindsight.not_asked.items()):
        yield f"{counted(nights, 'later night')} did not ask {source}, which earlier ones did: its uses are not known"
    if blind := sum(each.uses_seen < each.nights for each in watched):
        yield f"of {_of(blind, watched)}, some later nights could not read all that used {_it(blind)}"
    # Where nobody was ever asked, and none would have been, the API has no such answer.
    if any(each.asked or not each.deletion.asked for each in watched):
        unasked = sum(bool(each.nights) and not each.asked for each in watched)
        if unasked:
            yield f"whether another project has accepted {_of(unasked, watched)} was not asked afterwards"
    for doubt in hindsight.doubts[:_DOUBTS]:
        yield f"{doubt.deletion.decision.image.label}: {doubt.detail}, in run {doubt.first.run}: perhaps a regret"
    if (more := len(hindsight.doubts) - _DOUBTS) > 0:
        yield f"{more:,} more that may be regrets, which cannot be told; --format json names all"


def _ended(watched: Sequence[Watched]) -> Iterator[str]:
    """Until when images could be watched."""
    if really := sum(each.by_us and not each.nights for each in watched):
        yield f"{_of(really, watched)} {_were(really)} really deleted by our own runs, and not seen afterwards"
    if rebound := sum(each.rebound for each in watched):
        yield (f"what became of {_of(rebound, watched)} is not known since the target was bound to another account")
    if unseen := sum(not each.nights and not each.by_us for each in watched):
        yield f"{_of(unseen, watched)} could not be watched afterwards: no later night saw {_it(unseen)}"
    for by_us, ended in ((True, "our own runs really deleted"), (False, "removed")):
        if gone := [
            each
            for each in watched
            if each.nights and not each.still_there and not each.rebound and each.by_us is by_us
        ]:
            until = f"{ended} {_it(len(gone))}" if by_us else ended
            yield f"{_of(len(gone), watched)} {_were(len(gone))} watched until {until}: {_spans(gone)}"
    if bound := [each for each in watched if each.nights and each.rebound]:
        yield f"{_of(len(bound), watched)} {_were(len(bound))} watched until then: {_spans(bound)}"
    if there := [each for each in watched if each.still_there]:
        yield f"{_of(len(there), watched)} {_were(len(there))} watched to the last night: {_spans(there)}"


def _of(count: int, watched: Sequence[Watched]) -> str:
    return f"{count:,} of {counted(len(watched))}"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _it(count: int) -> str:
    return "it" if count == 1 else "them"


def _spans(watched: Sequence[Watched]) -> str:
    days = sorted(round(each.span / DAY) for each in watched if each.span is not None)
    if days[0] == days[-1]:
        return f"for {counted(days[0], 'day')}"
    return f"for {days[0]:,} to {counted(days[-1], 'day')}; the median is {median_low(days):,}"


def by_deletion(hindsight: Hindsight) -> Iterator[tuple[NightDeletion, list[Regret]]]:
    """Each deletion that is regretted, with its regrets."""
    for _, regrets in groupby(hindsight.regrets, key=lambda each: each.deletion.key):
        some = list(regrets)
        yield some[0].deletion, some


def near_misses(hindsight: Hindsight) -> list[NightDeletion]:
    """The deletions of images that had been in use within a week."""
    return [each.deletion for each in hindsight.watched if is_near_miss(each.deletion)]


def deleted_words(deletion: NightDeletion, zone: tzinfo) -> str:
    """When an image would have been deleted, and by which policy."""
    policy = deletion.decision.policy or "no policy"
    return f"would have been deleted {local_minute(deletion.at, zone)} by {policy} (run {deletion.run})"


def regret_words(regret: Regret, zone: tzinfo) -> str:
    """What was done, by whom where that is recorded, and when."""
    by = f", by {regret.who}" if regret.who and regret.who not in regret.detail else ""
    first, last = local_minute(regret.first.at, zone), regret.last
    if last is None:
        seen = "on" if regret.first.run is None else "seen"
        return f"{regret.detail}{by}, {seen} {first}"
    return f"{regret.detail}{by}, seen {first}{f' to {local_minute(last.at, zone)}' if last != regret.first else ''}"


def near_words(deletion: NightDeletion, zone: tzinfo) -> str:
    """How nearly a deletion missed a use."""
    last = deletion.last_in_use
    assert last is not None
    return f"last in use {local_minute(last, zone)}, {_ago(deletion.at - last)} before"


def _ago(ago: timedelta) -> str:
    return counted(ago // DAY, "day") if ago >= DAY else counted(ago // timedelta(hours=1), "hour")


def facts_afterwards(hindsight: Hindsight) -> dict[DeletionKey, dict[str, object]]:
    """What is known afterwards of each deletion, for programs, by its key: times in UTC."""
    regrets: defaultdict[DeletionKey, list[dict[str, object]]] = defaultdict(list)
    doubts: defaultdict[DeletionKey, list[dict[str, object]]] = defaultdict(list)
    for regret in hindsight.regrets:
        regrets[regret.deletion.key].append(_regret(regret))
    for doubt in hindsight.doubts:
        doubts[doubt.deletion.key].append(_doubt(doubt))
    return {
        key: {
            "near_miss": is_near_miss(each.deletion),
            "watched_nights": each.nights,
            "watched_until": None if each.last is None else iso(each.last.at),
            "still_there": each.still_there,
            "regrets": regrets[key],
            "perhaps": doubts[key],
        }
        for each in hindsight.watched
        for key in [each.deletion.key]
    }


def _regret(regret: Regret) -> dict[str, object]:
    last = regret.last
    return {
        "kind": regret.kind,
        "detail": regret.detail,
        "who": regret.who or None,
        "first_at": iso(regret.first.at),
        "first_run": regret.first.run,
        "last_at": None if last is None else iso(last.at),
        "last_run": None if last is None else last.run,
    }


def _doubt(doubt: Doubt) -> dict[str, object]:
    first = doubt.first
    return {"kind": doubt.kind, "detail": doubt.detail, "first_at": iso(first.at), "first_run": first.run}


COLUMNS = ("regrets", "perhaps", "near_miss", "watched_nights", "watched_until")
"""The columns of `cells_afterwards`."""


def cells_afterwards(hindsight: Hindsight) -> dict[DeletionKey, tuple[object, ...]]:
    """The same for a row of a table: regrets in words, between semicolons."""
    cells = {}
    for key, facts in facts_afterwards(hindsight).items():
        words = ("; ".join(_dated(one) for one in facts[column]) for column in ("regrets", "perhaps"))  # type: ignore[attr-defined]
        cells[key] = (*words, facts["near_miss"], facts["watched_nights"], facts["watched_until"])
    return cells


def _dated(fact: dict[str, object]) -> str:
    return f"{fact['detail']} {fact['first_at']}"
