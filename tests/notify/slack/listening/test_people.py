"""Who is a member, and who an approver: as Slack says, remembered briefly, and unknown where it does not say."""

import threading

import pytest

from janitor.core.clicks.permission import Standing
from janitor.errors import DeliveryError
from janitor.notify.slack.listening.people import People


class Calls:
    """Slack's lists of people, as a test sets them; a list of None is one that it does not give."""

    def __init__(self) -> None:
        self.lists: dict[str, frozenset[str] | None] = {"C1": frozenset({"U1"}), "S1": frozenset({"U9"})}
        self.asked: list[str] = []
        self.now = 0.0
        self.gate = threading.Event()
        self.gate.set()

    def members(self, name: str, _seconds: float) -> frozenset[str]:
        self.asked.append(name)
        self.gate.wait(10)
        found = self.lists[name]
        if found is None:
            raise DeliveryError("Slack does not say")
        return found

    group = members

    def people(self, *approvers: str) -> People:
        return People(self, approvers, lambda: self.now)  # type: ignore[arg-type]


@pytest.fixture
def calls() -> Calls:
    return Calls()


STANDINGS: dict[str, tuple[str, tuple[str, ...], bool, Standing]] = {
    "member": ("U1", ("S1",), False, Standing(True, None)),
    "stranger": ("U2", ("S1",), False, Standing(False, False)),
    "approver-elsewhere": ("U9", ("S1",), False, Standing(False, True)),
    "approver-by-id-elsewhere": ("U7", ("U7",), False, Standing(False, True)),
    "member-of-a-group": ("U9", ("S1",), True, Standing(None, True)),
    "approver-by-id": ("U7", ("U7",), True, Standing(None, True)),
    "no-approver": ("U1", ("S1", "U7"), True, Standing(None, False)),
    "no-approvers": ("U1", (), True, Standing(None, False)),
}


@pytest.mark.parametrize(("person", "approvers", "of_approvers", "standing"), STANDINGS.values(), ids=STANDINGS)
def test_what_slack_says(
    calls: Calls, person: str, approvers: tuple[str, ...], of_approvers: bool, standing: Standing
) -> None:
    assert calls.people(*approvers).standing(person, "C1", 5, of_approvers=of_approvers) == standing


def test_what_slack_does_not_say_is_not_known(calls: Calls) -> None:
    calls.lists = {"C1": None, "S1": None}
    people = calls.people("S1")
    assert people.standing("U1", "C1", 5, of_approvers=False) == Standing(None, None)
    assert people.standing("U1", "C1", 5, of_approvers=True) == Standing(None, None)


def test_a_list_that_could_not_be_had_is_asked_for_again(calls: Calls) -> None:
    known, calls.lists["C1"] = calls.lists["C1"], None
    people = calls.people()
    assert people.standing("U1", "C1", 5, of_approvers=False).member is None
    calls.lists["C1"] = known
    assert people.standing("U1", "C1", 5, of_approvers=False).member is True


def test_a_slow_list_is_not_waited_for_and_known_the_next_time(calls: Calls) -> None:
    people = calls.people()
    calls.gate.clear()
    assert people.standing("U1", "C1", 0.01, of_approvers=False).member is None
    assert people.standing("U1", "C1", 0.01, of_approvers=False).member is None
    calls.gate.set()
    assert people.standing("U1", "C1", 5, of_approvers=False).member is True
    assert calls.asked == ["C1"]


def test_members_are_remembered_for_two_minutes(calls: Calls) -> None:
    people = calls.people()
    for seconds, asked in ((0, 1), (100, 1), (130, 2)):
        calls.now = seconds
        assert people.standing("U1", "C1", 5, of_approvers=False).member is True
        assert len(calls.asked) == asked


def test_whoever_left_is_no_member_once_that_is_forgotten(calls: Calls) -> None:
    people = calls.people()
    assert people.standing("U1", "C1", 5, of_approvers=False).member is True
    calls.lists["C1"] = frozenset()
    calls.now = 121
    assert people.standing("U1", "C1", 5, of_approvers=False).member is False


def test_whoever_joins_is_a_member_within_seconds(calls: Calls) -> None:
    people = calls.people()
    assert people.standing("U2", "C1", 5, of_approvers=False).member is False
    calls.lists["C1"] = frozenset({"U1", "U2"})
    calls.now = 4
    assert people.standing("U2", "C1", 5, of_approvers=False).member is False, "just asked"
    calls.now = 6
    assert people.standing("U2", "C1", 5, of_approvers=False).member is True
