"""Regrets in words: what is said of them, and of what is not known."""

from dataclasses import replace

import pytest

from janitor.core.replay.afterwards import Moment
from janitor.core.replay.regrets import Doubt, Hindsight, Regret, RegretKind, Watched
from janitor.core.replay.replayed import NightDeletion
from janitor.report.rehearsals.regrets import unknown_regrets, verdict_on
from tests.factories import DAY, NOW, image_called, to_delete


def deletion(number: int, *, asked: bool = True) -> NightDeletion:
    return NightDeletion(3, NOW, "prod", to_delete(image_called(f"i{number}")), asked=asked)


def watched(number: int, days: int, *, there: bool = True, uses: int | None = None, asked: bool = False) -> Watched:
    """An image that so many nights saw after its deletion."""
    last = Moment(NOW + days * DAY, 3 + days) if days else None
    return Watched(deletion(number), days, days if uses is None else uses, last, there and days > 0, asked)


def of(*images: Watched, regrets: tuple[Regret, ...] = (), doubts: tuple[Doubt, ...] = ()) -> Hindsight:
    return Hindsight(regrets, doubts, images)


REGRET = Regret(deletion(1), RegretKind.RENAMED, "renamed", "", Moment(NOW + DAY, 4))


@pytest.mark.parametrize(
    ("hindsight", "said"),
    [
        pytest.param(of(), "Nothing would have been deleted, so there is nothing to regret.", id="nothing"),
        pytest.param(
            of(watched(1, 2), watched(2, 2), regrets=(REGRET, replace(REGRET, kind=RegretKind.USED))),
            "Regrets: 1 of 2 images was used, protected, exempted, shared or renamed after the night in which it would "
            "have been deleted.",
            id="one-of-two-ways",
        ),
        pytest.param(of(watched(1, 2)), "No regrets in 9 nights, as far as history can tell.", id="none"),
        pytest.param(of(watched(1, 0)), "Regrets are not known: no later night saw the image.", id="unwatched"),
        pytest.param(
            of(watched(1, 3, uses=0), watched(2, 0)),
            "No regrets in 9 nights, but what used any of the 2 images later could not be read.",
            id="blind",
        ),
    ],
)
def test_the_verdict_says_no_more_than_what_is_known(hindsight: Hindsight, said: str) -> None:
    assert verdict_on([hindsight], 9) == said


def test_for_how_long_images_were_watched_is_said() -> None:
    hindsight = of(watched(1, 0), watched(2, 2, there=False), watched(3, 9), watched(4, 1), watched(5, 4, uses=1))
    assert list(unknown_regrets(hindsight)) == [
        "1 of 5 images could not be watched afterwards: no later night saw it",
        "1 of 5 images was watched until removed: for 2 days",
        "3 of 5 images were watched to the last night: for 1 to 9 days, half of them for 4 or less",
        "of 1 of 5 images, some later nights could not read all that used it",
    ]


def test_that_sharing_was_not_asked_is_said_where_it_can_be() -> None:
    said = "whether another project has accepted 1 of 2 images was not asked afterwards"
    assert said in list(unknown_regrets(of(watched(1, 2, asked=True), watched(2, 2))))
    assert not any("another project" in words for words in unknown_regrets(of(watched(1, 2), watched(2, 2))))
    unknown = replace(watched(1, 2), deletion=deletion(1, asked=False))
    assert any("another project" in words for words in unknown_regrets(of(unknown)))


def test_many_doubts_are_counted() -> None:
    doubts = [
        Doubt(deletion(each), RegretKind.EXEMPTED, "its tags cannot be read", Moment(NOW, 7)) for each in range(9)
    ]
    said = list(unknown_regrets(of(*(watched(each, 2) for each in range(9)), doubts=tuple(doubts))))
    assert "i4: its tags cannot be read, in run 7: perhaps a regret" in said
    assert said[-1].startswith("4 more that may be regrets")
