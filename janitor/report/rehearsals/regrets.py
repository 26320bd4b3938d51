"""Regrets and near misses of a backtest in words, and what cannot be known of them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta, tzinfo
from itertools import groupby
from statistics import median_low

from janitor.core.replay.regrets import Doubt, Hindsight, Regret, Watched, is_near_miss
from janitor.core.replay.replayed import NightDeletion
from janitor.core.units import counted, iso
from janitor.report.wording import local_minute

DAY = timedelta(days=1)
_DOUBTS = 5
"""How many doubts are named; more are counted."""


def verdict_on(hindsight: Sequence[Hindsight], nights: int) -> str:
    """Whether anything is regretted, in a sentence that says no more than what is known."""
    deleted = sum(len(each.watched) for each in hindsight)
    regretted = sum(len(each.regretted) for each in hindsight)
    if not deleted:
        return "Nothing would have been deleted, so there is nothing to regret."
    if regretted:
        return (
            f"Regrets: {regretted:,} of {counted(deleted)} {_were(regretted)} used, protected, exempted, shared or "
            f"renamed after the night in which {'it' if regretted == 1 else 'they'} would have been deleted."
        )
    seen = [watched for each in hindsight for watched in each.watched if watched.nights]
    if not seen:
        return f"Regrets are not known: no later night saw {_these(deleted)}."
    if not any(watched.uses_seen for watched in seen):
        return f"No regrets in {counted(nights, 'night')}, but what used {_these(deleted)} later could not be read."
    return f"No regrets in {counted(nights, 'night')}, as far as history can tell."


def _these(count: int) -> str:
    return "the image" if count == 1 else f"any of the {count:,} images"


def unknown_regrets(hindsight: Hindsight) -> Iterator[str]:
    """What is not known of regrets: a sentence each."""
    watched = hindsight.watched
    if unseen := sum(not each.nights for each in watched):
        yield f"{_of(unseen, watched)} could not be watched afterwards: no later night saw {_it(unseen)}"
    if gone := [each for each in watched if each.nights and not each.still_there]:
        yield f"{_of(len(gone), watched)} {_were(len(gone))} watched until removed: {_spans(gone)}"
    if there := [each for each in watched if each.still_there]:
        yield f"{_of(len(there), watched)} {_were(len(there))} watched to the last night: {_spans(there)}"
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
        yield f"{more:,} more that may be regrets, as something could not be read; --format json names all"


def _of(count: int, watched: Sequence[Watched]) -> str:
    return f"{count:,} of {counted(len(watched))}"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _it(count: int) -> str:
    return "it" if count == 1 else "them"


def _spans(watched: Sequence[Watched]) -> str:
    days = sorted((each.last.at - each.deletion.at) // DAY for each in watched if each.last is not None)
    if days[0] == days[-1]:
        return f"for {counted(days[0], 'day')}"
    return f"for {days[0]:,} to {counted(days[-1], 'day')}, half of them for {median_low(days):,} or less"


def by_deletion(hindsight: Hindsight) -> Iterator[tuple[NightDeletion, list[Regret]]]:
    """Each deletion that is regretted, with its regrets."""
    for _, regrets in groupby(hindsight.regrets, key=lambda each: each.deletion.decision.image.identity):
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


def facts_afterwards(hindsight: Hindsight) -> dict[str, dict[str, object]]:
    """What is known afterwards of each deletion, for programs, by the id of its image: times in UTC."""
    regrets: defaultdict[str, list[dict[str, object]]] = defaultdict(list)
    doubts: defaultdict[str, list[dict[str, object]]] = defaultdict(list)
    for regret in hindsight.regrets:
        regrets[regret.deletion.decision.image.id].append(_regret(regret))
    for doubt in hindsight.doubts:
        doubts[doubt.deletion.decision.image.id].append(_doubt(doubt))
    return {
        image_id: {
            "near_miss": is_near_miss(each.deletion),
            "watched_nights": each.nights,
            "watched_until": None if each.last is None else iso(each.last.at),
            "still_there": each.still_there,
            "regrets": regrets[image_id],
            "perhaps": doubts[image_id],
        }
        for each in hindsight.watched
        for image_id in [each.deletion.decision.image.id]
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


def cells_afterwards(hindsight: Hindsight) -> dict[str, tuple[object, ...]]:
    """The same for a row of a table, by the id of the image: regrets in words, between semicolons."""
    cells = {}
    for image_id, facts in facts_afterwards(hindsight).items():
        words = ("; ".join(_dated(one) for one in facts[key]) for key in ("regrets", "perhaps"))  # type: ignore[attr-defined]
        cells[image_id] = (*words, facts["near_miss"], facts["watched_nights"], facts["watched_until"])
    return cells


def _dated(fact: dict[str, object]) -> str:
    return f"{fact['detail']} {fact['first_at']}"
