"""Regrets and near misses of a backtest for people: at a terminal, and in a comment on a pull request."""

from collections.abc import Iterator, Sequence
from datetime import tzinfo

from janitor.core.replay.regrets import Hindsight, Regret
from janitor.core.replay.replayed import NightDeletion
from janitor.core.units import format_size
from janitor.report.layout import BOLD, DIM, WARNING, Line, image_columns, line, paragraph
from janitor.report.rehearsals.backtests.regrets import (
    by_deletion,
    deleted_words,
    near_misses,
    near_words,
    regret_words,
)
from janitor.report.rehearsals.markdown import Sheet, code, head, prose, row
from janitor.report.wording import label_of, shortened

MOST = 20
"""How many images are named; more are counted."""
_MOST_OF_ONE = 5
_LONGEST_NAME = 255
_LONGEST_SENTENCE = 2_000
_LONGEST_CELL = 200
_ELSEWHERE = "more; --format json and csv name all"


def regret_lines(hindsight: Hindsight, zone: tzinfo, width: int) -> Iterator[Line]:
    """The images that are regretted, each with what was done with it, and the near misses."""
    regretted = list(by_deletion(hindsight))
    if regretted:
        yield line()
        yield from paragraph(f"Regrets: {len(regretted):,} of {len(hindsight.watched):,}", width, 2, WARNING)
    for deletion, regrets in regretted[:MOST]:
        yield from _image(deletion, width)
        yield from paragraph(_shown(deleted_words(deletion, zone)), width, 6, DIM)
        yield from _some([regret_words(each, zone) for each in regrets], width)
    yield from _more(len(regretted), width)
    near = near_misses(hindsight)
    if near:
        yield line()
        title = f"Near misses, in use within 7 days before: {len(near):,} of {len(hindsight.watched):,}"
        yield from paragraph(title, width, 2, BOLD)
    for deletion in near[:MOST]:
        yield from _image(deletion, width)
        yield from paragraph(_shown(deleted_words(deletion, zone)), width, 6, DIM)
        yield from paragraph(near_words(deletion, zone), width, 6)
    yield from _more(len(near), width)


def _image(deletion: NightDeletion, width: int) -> Iterator[Line]:
    image = deletion.decision.image
    return image_columns(image, width, 4)


def _shown(sentence: str) -> str:
    return shortened(sentence, _LONGEST_SENTENCE)


def _some(sentences: Sequence[str], width: int) -> Iterator[Line]:
    for sentence in sentences[:_MOST_OF_ONE]:
        yield from paragraph(_shown(sentence), width, 6)
    if len(sentences) > _MOST_OF_ONE:
        yield from paragraph(f"{len(sentences) - _MOST_OF_ONE:,} {_ELSEWHERE}", width, 6, DIM)


def _more(count: int, width: int) -> Iterator[Line]:
    if count > MOST:
        yield from paragraph(f"{count - MOST:,} {_ELSEWHERE}", width, 4, DIM)


def add_regrets(sheet: Sheet, hindsight: Hindsight, zone: tzinfo, spare: int) -> None:
    """Add tables of the images that are regretted, and of the near misses, to a comment."""
    regretted = [
        row(_named(deletion), _prose(deleted_words(deletion, zone)), "<br>".join(_cells(regrets, zone)))
        for deletion, regrets in by_deletion(hindsight)
    ]
    _add(sheet, ("Regretted image", "Deletion", "What was done afterwards"), regretted, spare)
    near = [
        row(_named(deletion), _prose(deleted_words(deletion, zone)), _prose(near_words(deletion, zone)))
        for deletion in near_misses(hindsight)
    ]
    _add(sheet, ("Near miss", "Deletion", "Last use"), near, spare)


def _cells(regrets: Sequence[Regret], zone: tzinfo) -> list[str]:
    cells = [_prose(regret_words(each, zone)) for each in regrets[:_MOST_OF_ONE]]
    more = len(regrets) - _MOST_OF_ONE
    return [*cells, f"{more:,} more"] if more > 0 else cells


def _named(deletion: NightDeletion) -> str:
    image = deletion.decision.image
    named = code(label_of(image.name, _LONGEST_CELL), _LONGEST_CELL)
    return f"{named}<br>{code(image.id, _LONGEST_CELL)}, {format_size(image.size)}"


def _prose(sentence: str) -> str:
    return prose(sentence, _LONGEST_CELL)


def _add(sheet: Sheet, titles: Sequence[str], rows: Sequence[str], spare: int) -> None:
    if not rows or not sheet.add("", *head(*titles), spare=spare):
        return
    shown = 0
    for one in rows[:MOST]:
        if not sheet.add(one, spare=spare):
            break
        shown += 1
    if len(rows) > shown:
        sheet.add("", f"{len(rows) - shown:,} {_ELSEWHERE}")
