"""The guard `shared`: checked last, for images that would otherwise be deleted; in doubt, it keeps them."""

from datetime import timedelta

import pytest

from janitor.core.decision import Decision, Reason, Verdict
from janitor.core.image import Sharing
from janitor.core.sharing import apply_sharing, in_question
from tests.factories import NOW, to_delete, to_keep, too_young

WAITING = to_delete("waits", verdict=Verdict.WAIT, reason=Reason.NOTICE, due=NOW + timedelta(days=2))
GOING = to_delete("goes")
KEPT = to_keep("stays")


def test_only_what_is_not_kept_is_in_question() -> None:
    every = [KEPT, GOING, too_young("young"), WAITING]
    assert in_question(every) == [GOING.image, WAITING.image]


def kept(decision: Decision, detail: str) -> Decision:
    return Decision(decision.image, Verdict.KEEP, None, Reason.SHARED, detail)


@pytest.mark.parametrize("decision", [GOING, WAITING], ids=["delete", "wait"])
@pytest.mark.parametrize(
    ("sharing", "detail"),
    [
        pytest.param(Sharing(accepted=("p1",)), "shared with project p1, which accepted", id="accepted"),
        pytest.param(
            Sharing(("p2", "p1"), ("p3",)), "shared with projects p1, p2, which accepted", id="accepted-by-two-of-three"
        ),
        pytest.param(
            Sharing(problem="HTTP 403"),
            "whether another project has accepted it could not be read: HTTP 403",
            id="unreadable",
        ),
    ],
)
def test_what_is_shared_or_may_be_is_kept(decision: Decision, sharing: Sharing, detail: str) -> None:
    assert apply_sharing([KEPT, decision], {decision.image.id: sharing}) == [KEPT, kept(decision, detail)]


def test_whom_an_image_is_offered_to_is_named_and_guards_nothing() -> None:
    told = GOING.replace(detail=f"{GOING.detail}; offered to projects p1, p2, not accepted")
    assert apply_sharing([GOING], {GOING.image.id: Sharing(pending=("p2", "p1"))}) == [told]


@pytest.mark.parametrize("sharing", [{}, {"another": Sharing(("p1",))}, {GOING.image.id: Sharing()}])
def test_what_is_shared_with_nobody_goes(sharing: dict[str, Sharing]) -> None:
    assert apply_sharing([GOING], sharing) == [GOING]


def test_a_reason_that_keeps_an_image_anyhow_stays() -> None:
    assert apply_sharing([KEPT], {KEPT.image.id: Sharing(("p1",))}) == [KEPT]
