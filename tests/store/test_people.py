"""Whom a service has for an address is remembered for a while, and for a limited number of addresses."""

from datetime import timedelta

import pytest

from janitor.store import Store, reports
from janitor.store.reports import FoundPerson
from tests.factories import DAY, NOW

SLACK, OTHER = "https://slack.com/api/", "https://slack.example/api/"


def test_an_answer_is_that_of_one_service_until_it_is_forgotten_or_changes(store: Store) -> None:
    store.record_person(SLACK, "kim@example.com", "U0KIM", NOW)
    store.record_person(SLACK, "nobody@example.com", None, NOW)
    assert store.person(SLACK, "kim@example.com") == FoundPerson("U0KIM", NOW)
    assert store.person(SLACK, "nobody@example.com") == FoundPerson(None, NOW)
    assert store.person(OTHER, "kim@example.com") is None
    store.record_person(SLACK, "kim@example.com", "U0KIM2", NOW + DAY)
    assert store.person(SLACK, "kim@example.com") == FoundPerson("U0KIM2", NOW + DAY)
    store.forget_person(SLACK, "kim@example.com")
    assert store.person(SLACK, "kim@example.com") is None


def test_answers_are_forgotten_after_a_week_and_beyond_a_number(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "_MOST_PEOPLE", 3)
    for number in range(5):
        store.record_person(SLACK, f"u{number}@example.com", "U0", NOW + timedelta(minutes=number))
    assert [store.person(SLACK, f"u{number}@example.com") is None for number in range(5)] == [True, True, *[False] * 3]
    store.record_person(SLACK, "late@example.com", "U0", NOW + timedelta(days=7, minutes=4))
    assert [store.person(SLACK, f"u{number}@example.com") is None for number in (3, 4)] == [True, False]
