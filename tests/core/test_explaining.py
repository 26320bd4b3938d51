"""Why an image stays or goes, as it is explained: by the rules that decide, key by key and guard by guard."""

from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

import pytest
from hypothesis import given, settings

from janitor.core.decision import Reason, Verdict
from janitor.core.explaining.image import Case, Explanation, explained
from janitor.core.image import Image, Sharing, Status
from janitor.core.memory import History, Memory
from janitor.core.names.owners import OwnerRule
from janitor.core.policy import Expire, Match, Pattern, Policy
from janitor.core.retention import Bucket, Family, Keep, Period, Place
from janitor.core.usage import Source, Unread, Usage, User
from janitor.report.answers.checks import answer_json, words_of_answer
from tests.core.test_matching import IMAGES, POLICIES
from tests.factories import ALL, DAY, NOW, OLD, exempt, image_called, make_image, usage_of


def case_of(*images: Image, policies: list[Policy] | None = None, **facts: Any) -> Case:
    ordinary: dict[str, Any] = {
        "usage": Usage(),
        "history": {image.id: History(NOW - DAY) for image in images},
        "memory": Memory(),
        "sharing": {},
    }
    parts = {**ordinary, **facts}
    return Case("prod", ("prod",), images, seen_at=NOW, policies=policies or [OLD], zone=UTC, **parts)


def explain(image: Image, *others: Image, **facts: Any) -> Explanation:
    return explained(image, case_of(image, *others, **facts), NOW)


def said(match: Match, **facts: Any) -> str:
    [answer] = explain(make_image(**{"name": "ci-1", **facts}), policies=[Policy("p", match)]).policies
    return words_of_answer(answer)


QUEUED = frozenset({Status.QUEUED})
GOLDEN = (Pattern("golden-*"), Pattern("/^g/"))


@pytest.mark.parametrize(
    ("match", "facts", "words"),
    [
        pytest.param(ALL, {}, "owns it", id="all"),
        pytest.param(Match(status=QUEUED), {}, 'no: status is "active", wanted queued', id="status"),
        pytest.param(Match(name=GOLDEN), {}, 'no: name is "ci-1", wanted golden-* or /^g/', id="name"),
        pytest.param(
            Match(name=GOLDEN), {"name": None}, "undecided: name is unknown, wanted golden-* or /^g/", id="no-name"
        ),
        pytest.param(Match(larger_than=2**34), {}, "no: size is 10.0 GiB, wanted more than 16.0 GiB", id="larger"),
        pytest.param(Match(smaller_than=2**30), {}, "no: size is 10.0 GiB, wanted less than 1.0 GiB", id="smaller"),
        pytest.param(
            Match(larger_than=1), {"size": None}, "undecided: size is unknown, wanted more than 1 B", id="no-size"
        ),
        pytest.param(
            Match(properties=(("os", (Pattern("ubuntu"),)),)),
            {"properties": {}},
            "no: properties.os is not there, wanted ubuntu",
            id="no-property",
        ),
        pytest.param(
            Match(properties=(("os", (Pattern("ubuntu"),)),)),
            {"properties": {"os": "rocky"}},
            'no: properties.os is "rocky", wanted ubuntu',
            id="property",
        ),
        pytest.param(Match(tags=GOLDEN), {"tags": ("a", "b")}, "no: tags: a, b, wanted golden-* or /^g/", id="tags"),
        pytest.param(Match(tags=GOLDEN), {}, "no: tags: none, wanted golden-* or /^g/", id="no-tags"),
        pytest.param(Match(targets=GOLDEN), {}, "no: targets: prod, wanted golden-* or /^g/", id="targets"),
        pytest.param(Match(os_hidden=True), {}, "no: os_hidden is no, wanted yes", id="hidden"),
        pytest.param(
            Match(exclude=Match(name=(Pattern("ci-*"),), status=frozenset({Status.ACTIVE}))),
            {},
            'no: not: status is "active", as active and name is "ci-1", as ci-*',
            id="not",
        ),
        pytest.param(
            Match(name=(Pattern("ci-*"),), larger_than=2**34, tags=GOLDEN),
            {"size": None},
            "no: tags: none, wanted golden-* or /^g/",
            id="a-key-that-does-not-hold-before-one-that-is-unknown",
        ),
    ],
)
def test_the_first_key_that_does_not_hold_is_named(match: Match, facts: dict[str, Any], words: str) -> None:
    assert said(match, **facts) == words


def test_the_first_policy_that_matches_owns_the_image() -> None:
    policies = [Policy("golden", Match(name=GOLDEN)), Policy("a", ALL), Policy("b", ALL)]
    answers = explain(make_image("ci-1"), policies=policies).policies
    assert [(answer.policy.name, answer.truth, answer.owns) for answer in answers] == [
        ("golden", False, False),
        ("a", True, True),
        ("b", True, False),
    ]
    first = answer_json(answers[0])
    assert (first["key"], first["wanted"], first["found"]) == ("name", ["golden-*", "/^g/"], "ci-1")


@settings(max_examples=50)
@given(POLICIES, IMAGES)
def test_a_key_is_named_where_a_policy_does_not_match_and_only_there(policies: list[Policy], image: Image) -> None:
    for answer in explain(image, policies=policies).policies:
        assert answer.truth is answer.policy.match.holds(image, "prod")
        assert (answer.check is None) is (answer.truth is True)
        assert answer.check is None or answer.check.truth is answer.truth
        assert words_of_answer(answer)


KEEP = Keep(Family("name:/^(.+)-[0-9]+$/"), newest=1, periods=((Period.DAILY, 2), (Period.MONTHLY, 1)))
KEEPING = Policy("ci", ALL, Expire(14 * DAY), KEEP)


def test_the_place_of_an_image_in_its_family() -> None:
    first, *others = (image_called(f"ci-{number}", days=30 + number / 2) for number in range(6))
    fourth = others[2]
    why = explain(fourth, first, *others[:2], *others[3:], image_called("web-1"), policies=[KEEPING])
    assert why.place == Place(
        "ci",
        rank=4,
        size=6,
        newest=1,
        buckets=(
            Bucket(Period.DAILY, "2026-10-22", 3, 2, last=True),
            Bucket(Period.MONTHLY, "2026-10", 1, 1, last=False),
        ),
    )
    assert why.following is not None
    assert why.following.verdict is Verdict.DELETE
    second = explain(others[0], first, *others[1:], policies=[KEEPING])
    assert second.place is not None
    assert second.place.buckets[0] == Bucket(Period.DAILY, "2026-10-23", 2, 2, last=True)
    assert second.following is not None
    assert second.following.reason is Reason.KEPT_DAILY


@pytest.mark.parametrize(
    ("image", "policies"),
    [
        pytest.param(image_called("ci-1", status="killed"), [KEEPING], id="takes-no-place"),
        pytest.param(image_called("golden"), [KEEPING], id="no-family"),
        pytest.param(image_called("ci-1"), [OLD], id="its-policy-keeps-none"),
    ],
)
def test_an_image_without_a_place(image: Image, policies: list[Policy]) -> None:
    assert explain(image, policies=policies).place is None


def test_every_guard_that_holds_is_named() -> None:
    image = image_called("a", protected=True)
    memory = Memory(exemptions={"a": exempt(image, NOW + 30 * DAY)})
    why = explain(image, usage=usage_of({"a": (User("i", "web-1"),)}), memory=memory)
    assert [guard.reason.value for guard in why.guards] == ["protected", "in-use", "exempt"]
    assert why.endings == ()


def test_guards_that_nearly_hold_are_named_with_their_end() -> None:
    image = image_called("a")
    memory = Memory(exemptions={"a": exempt(image, NOW + 3 * DAY)}, usage_memory=3 * DAY)
    history = {"a": History(NOW - 9 * DAY, last_in_use=NOW - 5 * DAY, last_held=NOW - 5 * DAY, unused_since=NOW)}
    why = explain(image, memory=memory, history=history, sharing={"a": Sharing(pending=("p-1",))})
    assert [(ending.reason.value, ending.detail, ending.at) for ending in why.endings] == [
        ("exempt", "the exemption by kim ends in 3d", NOW + 3 * DAY),
        ("recently-used", "last seen in use 5d ago; remembered for 3d", NOW - 2 * DAY),
        ("shared", "offered to p-1, not accepted yet", None),
    ]
    newborn = explain(make_image(age=timedelta(minutes=4)))
    assert [ending.at for ending in newborn.endings] == [NOW + timedelta(minutes=6)]


@pytest.mark.parametrize(
    ("unread", "reason"),
    [
        pytest.param(frozenset({Unread(Source.VOLUMES)}), Reason.RECENTLY_USED, id="unread"),
        pytest.param(frozenset(), Reason.EXPIRED, id="read"),
    ],
)
def test_a_use_that_cannot_be_read_goes_on_until_it_can(unread: frozenset[Unread], reason: Reason) -> None:
    image = image_called("a")
    history = {"a": History(NOW - 9 * DAY, last_in_use=NOW, last_held=NOW, unused_since=NOW)}
    case = case_of(image, usage=Usage(unread=unread), history=history, memory=Memory(usage_memory=DAY))
    following = explained(image, case, NOW + 5 * DAY).following
    assert following is not None
    assert following.reason is reason


def test_the_owner_is_whom_the_policy_finds() -> None:
    owned = replace(OLD, owner=OwnerRule("property:owner"), contact="#images")
    image = image_called("a", properties={"owner": "lee"})
    assert explain(image, policies=[owned]).owner == "lee"
    assert explain(image_called("b"), policies=[owned]).owner is None
    assert explain(image, policies=[Policy("golden", Match(name=GOLDEN))]).policy is None


def test_what_comes_next_is_decided_as_a_run_would() -> None:
    image = image_called("a", days=13)
    case = case_of(image)
    for later, verdict in ((0, Verdict.KEEP), (2, Verdict.DELETE)):
        following = explained(image, case, NOW + later * DAY).following
        assert following is not None
        assert following.verdict is verdict
    assert explain(image_called("a"), history=None).following is None, "an earlier version did not record it"
    shared = explain(image_called("a"), sharing={"a": Sharing(accepted=("p-1",))})
    assert [guard.reason for guard in shared.guards] == [Reason.SHARED]
    assert shared.following is not None
    assert shared.following.reason is Reason.SHARED
