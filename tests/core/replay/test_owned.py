"""What policies own of a snapshot by reason, and which images are newly kept as something is not known of them."""

from datetime import UTC

import pytest

from janitor.core.decide import decide
from janitor.core.decision import Decision, Reason
from janitor.core.image import Image
from janitor.core.matching import Matched
from janitor.core.policy import Match, Pattern, Policy
from janitor.core.replay.owned import newly_unclear, owned, owners_of
from janitor.core.retention import Family, Keep
from janitor.core.usage import Usage
from janitor.expressions import Budget
from tests.factories import NOW, OLD, image_called, to_delete, to_keep

CI = Policy("ci", Match(name=(Pattern("ci-*"),)), OLD.expire, Keep(Family(r"name:/^(ci-\w+)-\d+$/"), newest=1))
TAGGED = Policy("tagged", Match(tags=(Pattern("x"),)))
IMAGES = [
    image_called("ci-web-1"),
    image_called("ci-web-2", days=20),
    image_called("ci-odd"),
    image_called("ci-young-1", days=1),
    image_called("ci-guarded-1", protected=True),
    image_called("db-1"),
    image_called("db-2", public=True),
]


def decided(policies: list[Policy], *more: Image) -> tuple[list[Decision], Matched]:
    matched = Matched(policies, ("prod",), Budget())
    images = [*IMAGES, *more]
    return decide(images, policies, Usage(), {}, NOW, target="prod", zone=UTC, matched=matched), matched


def test_a_policy_also_owns_what_a_guard_keeps() -> None:
    decisions, matched = decided([CI])
    found = owned(decisions, owners_of(decisions, matched))
    assert found.by_policy == {
        "ci": {
            Reason.EXPIRED: 1,
            Reason.KEPT_NEWEST: 1,
            Reason.NO_FAMILY: 1,
            Reason.TOO_YOUNG: 1,
            Reason.PROTECTED: 1,
        }
    }
    assert (found.by_none, found.in_doubt) == ({Reason.UNMATCHED: 1, Reason.PUBLIC: 1}, {})
    assert (found.count(Reason.PUBLIC), found.count(Reason.EXPIRED), found.count(Reason.NOTICE)) == (1, 1, 0)


def test_an_owner_that_is_not_known_is_neither_a_policy_nor_none() -> None:
    unread = [image_called("ci-web-9", tags=None), image_called("db-9", tags=None, public=True)]
    decisions, matched = decided([TAGGED, CI], *unread)
    found = owned(decisions, owners_of(decisions, matched))
    assert found.in_doubt == {Reason.UNMATCHED: 1, Reason.PUBLIC: 1}
    assert sum(found.by_policy["ci"].values()) == 5
    assert sum(found.by_none.values()) == 2


LOST = to_keep("ci-odd", Reason.NO_FAMILY, policy="ci", detail="finds no family for it")
DOUBT = to_keep("ci-odd", detail="it is unknown whether policy tagged matches it: tags not known")


@pytest.mark.parametrize(
    ("before", "after", "new"),
    [
        pytest.param(to_delete("ci-odd"), LOST, True, id="was-deleted"),
        pytest.param(to_keep("ci-odd"), LOST, True, id="was-unmatched"),
        pytest.param(to_keep("ci-odd"), DOUBT, True, id="unmatched-is-no-doubt"),
        pytest.param(LOST, DOUBT, True, id="another-doubt"),
        pytest.param(LOST.replace(policy="other"), LOST, True, id="another-policy"),
        pytest.param(None, LOST, True, id="not-seen-before"),
        pytest.param(LOST, LOST, False, id="as-before"),
        pytest.param(DOUBT, DOUBT, False, id="in-doubt-as-before"),
        pytest.param(LOST, to_keep("ci-odd"), False, id="no-longer"),
    ],
)
def test_what_is_newly_kept_as_something_is_not_known(before: Decision | None, after: Decision, *, new: bool) -> None:
    assert list(newly_unclear([] if before is None else [before], [after])) == [after] * new
