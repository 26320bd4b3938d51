"""Regrets in words: what is said of them, and of what is not known."""

from dataclasses import replace
from typing import Any

import pytest

from janitor.core.replay.afterwards import Moment
from janitor.core.replay.outcomes.answers import Evidence
from janitor.core.replay.regrets import Doubt, Hindsight, Regret, RegretKind, Watched
from janitor.core.replay.replayed import NightDeletion
from janitor.report.rehearsals.backtests.regrets import answer_words, unknown_regrets
from tests.factories import DAY, NOW, image_called, to_delete


def deletion(number: int, *, asked: bool = True) -> NightDeletion:
    return NightDeletion(3, NOW, "prod", to_delete(image_called(f"i{number}")), asked=asked)


def watched(number: int, days: int, *, there: bool = True, uses: int | None = None, asked: bool = False) -> Watched:
    """An image that so many nights saw after its deletion."""
    last = Moment(NOW + days * DAY, 3 + days) if days else None
    seen = days if uses is None else uses
    return Watched(deletion(number), days, seen, last, there and days > 0, asked, last if seen else None)


def really(number: int, days: int) -> Watched:
    """One that our own run deleted after so many nights."""
    return replace(watched(number, days, there=False), over=True, by_us=True)


def of(*images: Watched, regrets: tuple[Regret, ...] = (), doubts: tuple[Doubt, ...] = ()) -> Hindsight:
    return Hindsight(regrets, doubts, images)


REGRET = Regret(deletion(1), RegretKind.RENAMED, "renamed", "", Moment(NOW + DAY, 4))


def evidence(hindsight: Hindsight, **more: Any) -> Evidence:
    """What an answer rests on after a history of 90 nights, of which the last two could not read uses."""
    found = Evidence(nights={1}, later=set(range(90)), unread={88, 89}, **more)
    found.add_hindsight(hindsight)
    return found


@pytest.mark.parametrize(
    ("found", "said"),
    [
        pytest.param(
            evidence(of()), "Nothing would have been deleted, so there is nothing to regret.", id="nothing-deleted"
        ),
        pytest.param(
            evidence(of(), announced=7, waiting=7),
            "7 images would have been announced, and none was due within these nights: nothing is known of them yet.",
            id="nothing-due",
        ),
        pytest.param(
            evidence(of(), announced=7, waiting=1),
            "7 images would have been announced, and none was due within these nights: nothing is known of them yet; "
            "1 image waits at the end.",
            id="some-no-longer-wait",
        ),
        pytest.param(
            evidence(of(), waiting=2),
            "2 images wait at the end, and none was due within these nights: nothing is known of them yet.",
            id="announced-before",
        ),
        pytest.param(
            evidence(of(), waiting=3, noticed=2, waiting_gone=1),
            "3 images wait at the end, and none was due within these nights: nothing is known of them yet. Our own "
            "runs have really deleted 1 of 3 that wait, so that cannot be seen. Their notice did not end within these "
            "nights: try the policy without it (`notice: 0`).",
            id="notice-and-one-really-deleted",
        ),
        pytest.param(
            Evidence(waiting=2),
            "In none of these nights could the policies delete anything: nothing is known of them.",
            id="nothing-decided",
        ),
        pytest.param(
            evidence(of(watched(1, 2), watched(2, 9), regrets=(REGRET, replace(REGRET, kind=RegretKind.USED)))),
            "Regrets: 1 of 2 images: 1 used, 1 renamed afterwards. 2 images were watched for 2 to 9 days; uses were "
            "read in 88 of 90 later nights.",
            id="one-of-two-ways",
        ),
        pytest.param(
            evidence(of(watched(1, 2), regrets=(REGRET,))),
            "Regrets: 1 of 1 image: renamed afterwards. 1 image was watched for 2 days; uses were read in 88 of 90 "
            "later nights.",
            id="one-kind",
        ),
        pytest.param(
            evidence(of(watched(1, 41), watched(2, 88), watched(3, 0)), waiting=3),
            "No regrets, as far as history can tell: 2 of 3 images were watched for 41 to 88 days; uses were read in "
            "88 of 90 later nights. 3 more images wait at the end.",
            id="none",
        ),
        pytest.param(
            evidence(of(watched(1, 9), doubts=(Doubt(deletion(1), RegretKind.SHARED, "?", Moment(NOW, 7)),))),
            "Perhaps regrets: of 1 of 1 image, something that is recorded may be one, and cannot be told. 1 image was "
            "watched for 9 days; uses were read in 88 of 90 later nights.",
            id="perhaps-one",
        ),
        pytest.param(
            evidence(of(watched(1, 0), watched(2, 0))),
            "Too early to tell: no image was watched for 7 days, with its uses, in 2 later nights at least. No later "
            "night saw any of the 2 images.",
            id="unwatched",
        ),
        pytest.param(
            evidence(of(watched(1, 0), watched(2, 9), watched(3, 3))),
            "Too early to tell: 1 of 3 images was watched for 7 days, with its uses, in 2 later nights at least. 2 of "
            "3 images were watched for 3 to 9 days; uses were read in 88 of 90 later nights.",
            id="too-early",
        ),
        pytest.param(
            evidence(of(watched(1, 30, uses=0), watched(2, 0))),
            "Regrets are not known: what used any of the 2 images later could not be read often enough. 1 of 2 images "
            "was watched for 30 days; uses were read in 88 of 90 later nights.",
            id="uses-unread",
        ),
        pytest.param(
            evidence(of(really(1, 0), really(2, 2), watched(3, 9))),
            "Not known: 2 of 3 images were really deleted by our own runs, so nobody can see whether they would have "
            "been used after that. 2 of 3 images were watched for 2 to 9 days; uses were read in 88 of 90 later "
            "nights.",
            id="really-deleted",
        ),
        pytest.param(
            evidence(of(really(1, 0))),
            "Not known: 1 of 1 image was really deleted by our own runs, so nobody can see whether it would have been "
            "used after that.",
            id="the-only-one-really-deleted",
        ),
        pytest.param(
            evidence(of(really(1, 0), replace(watched(2, 3, there=False), over=True), watched(3, 9))),
            "Not known: 1 of 3 images was really deleted by our own runs and 1 more was gone within 7 days, so nobody "
            "can see whether they would have been used after that. 2 of 3 images were watched for 3 to 9 days; uses "
            "were read in 88 of 90 later nights.",
            id="gone",
        ),
        pytest.param(
            evidence(of(really(1, 0), watched(2, 2), watched(3, 0))),
            "Too early to tell: no image was watched for 7 days, with its uses, in 2 later nights at least. 1 of "
            "3 images was watched for 2 days; uses were read in 88 of 90 later nights. 1 of 3 images was "
            "really deleted by our own runs, so nobody can "
            "see whether it would have been used after that.",
            id="too-early-and-one-really-deleted",
        ),
    ],
)
def test_the_answer_says_no_more_than_what_is_known(found: Evidence, said: str) -> None:
    assert answer_words(found) == said


def test_for_how_long_images_were_watched_is_said() -> None:
    hindsight = of(watched(1, 0), watched(2, 2, there=False), watched(3, 9), watched(4, 1), watched(5, 4, uses=1))
    assert list(unknown_regrets(hindsight)) == [
        "1 of 5 images could not be watched afterwards: no later night saw it",
        "1 of 5 images was watched until removed: for 2 days",
        "3 of 5 images were watched to the last night: for 1 to 9 days; the median is 4",
        "of 1 of 5 images, some later nights could not read all that used it",
    ]


def test_what_our_own_runs_ended_is_told_from_what_others_did() -> None:
    hindsight = of(really(1, 0), really(2, 2), really(3, 4), watched(4, 2, there=False))
    assert list(unknown_regrets(hindsight)) == [
        "1 of 4 images was really deleted by our own runs, and not seen afterwards",
        "2 of 4 images were watched until our own runs really deleted them: for 2 to 4 days; the median is 2",
        "1 of 4 images was watched until removed: for 2 days",
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
