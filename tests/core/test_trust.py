"""How the database's own records change a decision: notices, exemptions, rejections, recent use."""

from datetime import UTC, datetime, timedelta

import pytest

from janitor.core.decide import decide
from janitor.core.decision import Decision, Reason, Spared, Verdict
from janitor.core.memory import Exemption, History, Memory, Notice, Refusals
from janitor.core.notices import REMIND_BEFORE, spared, to_announce, to_remind
from janitor.core.policy import Expire, Policy
from janitor.core.usage import Usage
from tests.factories import ALL, DAY, NOW, make_image

SECOND = timedelta(seconds=1)
IMAGE = make_image("ci-1", id="a")


def policy(name: str = "ci", notice: timedelta = 2 * DAY, *, after: timedelta = 14 * DAY) -> Policy:
    return Policy(name, ALL, Expire(after), notice=notice)


def notice(due: datetime, *, policy: str = "ci", length: timedelta = 2 * DAY, reminded: bool = False) -> Notice:
    return Notice(policy, length, due - length, due, due if reminded else None)


def one(rule: Policy, memory: Memory, history: History | None = None, *, now: datetime = NOW) -> Decision:
    known = {} if history is None else {"a": history}
    [decision] = decide([IMAGE], [rule], Usage(), known, now, target="prod", zone=UTC, memory=memory)
    return decision


def told(due: datetime, **rest: object) -> Memory:
    return Memory(notices={"a": notice(due, **rest)})  # type: ignore[arg-type]


def test_an_expired_image_waits_before_it_goes() -> None:
    decision = one(policy(), Memory())
    assert (decision.verdict, decision.reason, decision.due) == (Verdict.WAIT, Reason.NOTICE, NOW + 2 * DAY)
    assert decision.detail.endswith("due for deletion no earlier than 2026-11-25 03:00Z")
    assert to_announce([decision], {}) == (decision,)


def test_only_an_announced_date_is_a_date() -> None:
    assert one(policy(), told(NOW + DAY)).detail.endswith("; due for deletion 2026-11-24 03:00Z")
    assert one(policy(notice=3 * DAY), told(NOW + DAY)).detail.endswith("no earlier than 2026-11-26 03:00Z")
    assert one(policy("other", DAY), told(NOW + DAY)).detail.endswith("no earlier than 2026-11-24 03:00Z")


def test_a_policy_without_notice_does_not_wait() -> None:
    assert one(policy(notice=timedelta()), Memory()).verdict is Verdict.DELETE


WAITS = [
    pytest.param(policy(), told(NOW + SECOND), NOW + SECOND, id="a-second-before-its-due-date"),
    pytest.param(policy(), told(NOW), None, id="at-its-due-date-the-wait-is-over"),
    pytest.param(policy(notice=DAY), told(NOW + DAY + SECOND), NOW + DAY + SECOND, id="shorter-never-shortens"),
    pytest.param(policy(notice=timedelta()), told(NOW + DAY), NOW + DAY, id="nor-does-none-at-all"),
    pytest.param(policy(notice=3 * DAY), told(NOW - DAY), NOW + 3 * DAY, id="longer-starts-again"),
    pytest.param(policy("other"), told(NOW - DAY), NOW + 2 * DAY, id="another-policy-starts-again"),
    pytest.param(policy("other", DAY), told(NOW + 5 * DAY), NOW + 5 * DAY, id="but-never-before-the-announced-date"),
]


@pytest.mark.parametrize(("rule", "memory", "due"), WAITS)
def test_the_wait(rule: Policy, memory: Memory, due: datetime | None) -> None:
    decision = one(rule, memory)
    assert decision.due == due
    assert decision.verdict is (Verdict.WAIT if due else Verdict.DELETE)


def test_what_people_were_told_is_not_announced_again() -> None:
    memory = told(NOW + DAY)
    assert to_announce([one(policy(), memory)], memory.notices) == ()


@pytest.mark.parametrize("rule", [policy(notice=3 * DAY), policy("other"), policy("other", DAY)])
def test_a_new_wait_is_announced(rule: Policy) -> None:
    memory = told(NOW + DAY)
    decision = one(rule, memory)
    assert to_announce([decision], memory.notices) == (decision,)


REMINDERS = [
    pytest.param(4 * DAY, NOW + DAY, False, True, id="in-the-last-day-of-a-long-notice"),
    pytest.param(4 * DAY, NOW + REMIND_BEFORE + SECOND, False, False, id="not-earlier"),
    pytest.param(4 * DAY, NOW + DAY, True, False, id="only-once"),
    pytest.param(3 * DAY, NOW + DAY, False, False, id="not-for-a-notice-of-three-days"),
]


@pytest.mark.parametrize(("length", "due", "reminded", "expected"), REMINDERS)
def test_one_reminder(length: timedelta, due: datetime, reminded: bool, expected: bool) -> None:
    memory = told(due, length=length, reminded=reminded)
    assert bool(to_remind([one(policy(notice=length), memory)], memory.notices, NOW)) is expected


def test_an_image_that_no_longer_expires_is_spared() -> None:
    memory = told(NOW + DAY)
    decision = one(policy(after=60 * DAY), memory)
    assert (decision.reason, spared([decision], memory)) == (Reason.TOO_YOUNG, (Spared(decision, "ci"),))
    assert spared([one(policy(), memory)], memory) == ()
    assert spared([decision], Memory()) == ()


def test_unreadable_usage_spares_nothing() -> None:
    memory = told(NOW + DAY)
    [decision] = decide([IMAGE], [policy()], Usage(problem="x"), {}, NOW, target="t", zone=UTC, memory=memory)
    assert (decision.reason, spared([decision], memory)) == (Reason.USAGE_UNKNOWN, ())


def test_an_exempt_image_stays_until_its_exemption_lapses() -> None:
    def exempt(until: datetime) -> Memory:
        return Memory(exemptions={"a": Exemption("a", until, "rollback candidate", "kim")})

    decision = one(policy(notice=timedelta()), exempt(NOW + DAY))
    assert (decision.reason, decision.due) == (Reason.EXEMPT, NOW + DAY)
    assert decision.detail == "exempt until 2026-11-24 03:00Z by kim: rollback candidate"
    assert one(policy(notice=timedelta()), exempt(NOW)).verdict is Verdict.DELETE


USES = [
    pytest.param(NOW - DAY, DAY, True, id="exactly-as-long-ago-as-remembered"),
    pytest.param(NOW - DAY - SECOND, DAY, False, id="a-second-longer"),
    pytest.param(NOW, timedelta(), False, id="no-memory"),
]


@pytest.mark.parametrize(("last", "memory", "guarded"), USES)
def test_use_has_a_memory(last: datetime, memory: timedelta, guarded: bool) -> None:
    decision = one(
        policy(notice=timedelta()),
        Memory(usage_memory=memory),
        History(NOW - 9 * DAY, last_in_use=last, last_held=last, unused_since=NOW),
    )
    assert (decision.reason is Reason.RECENTLY_USED) is guarded


TRIES = [
    pytest.param(1, 1, id="after-a-day"),
    pytest.param(2, 3, id="then-three"),
    pytest.param(3, 7, id="then-seven"),
    pytest.param(4, 7, id="then-weekly"),
    pytest.param(40, 7, id="for-ever"),
]


@pytest.mark.parametrize(("count", "days"), TRIES)
def test_a_refused_image_is_tried_again_later(count: int, days: int) -> None:
    refusals = Refusals(count, NOW, "in use")
    memory = Memory(refusals={"a": refusals})
    rule = policy(notice=timedelta())
    before, after = refusals.next_try - SECOND, refusals.next_try
    assert after == NOW + days * DAY - timedelta(hours=1)
    decision = one(rule, memory, now=before)
    assert (decision.verdict, decision.reason, decision.due) == (Verdict.WAIT, Reason.REFUSED, after)
    assert "rejected by the API on 2026-11-23 (in use)" in decision.detail
    assert one(rule, memory, now=after).verdict is Verdict.DELETE
