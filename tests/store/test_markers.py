"""The markers of a target are those of its last survey, whatever is in the table."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from janitor.core.survey.pages import PagesRead
from janitor.store import Store
from tests.factories import NOW
from tests.store.test_snapshots import IMAGE, record, survey


def test_the_last_survey_counts(path: Path) -> None:
    with Store.open(path) as store:
        assert store.markers("prod", NOW) is None
        record(store, replace(survey(1, IMAGE), pages=PagesRead(("b", "a"))))
        assert store.markers("prod", NOW) == ["b", "a"]
        assert store.markers("other", NOW) is None
        record(store, replace(survey(2, IMAGE), pages=PagesRead(("c",))))
        assert store.markers("prod", NOW) == ["c"]
        record(store, survey(3, IMAGE))
        assert store.markers("prod", NOW) == []


@pytest.mark.parametrize("written", ["", "{", "{}", "5", "null", "[1, null]"])
def test_what_is_no_list_of_ids_counts_as_none(path: Path, written: str) -> None:
    with Store.open(path) as store:
        record(store, replace(survey(1, IMAGE), pages=PagesRead(("a",))))
        with store._file.writing() as db:
            db.execute("UPDATE list_markers SET images = ?", (written,))
        assert store.markers("prod", NOW) == []


def test_a_service_that_turned_down_several_at_a_time_is_asked_for_one_for_a_month(path: Path) -> None:
    with Store.open(path) as store:
        record(store, replace(survey(1, IMAGE), pages=PagesRead(("a",))))
        store.record_turned_down("prod", NOW)
        record(store, replace(survey(2, IMAGE), pages=PagesRead(("b",))))
        assert store.markers("prod", NOW + timedelta(days=29)) == []
        assert store.markers("prod", NOW + timedelta(days=30)) == ["b"]
        assert store.markers("prod", NOW - timedelta(days=1)) == ["b"], "our clock was ahead then"
        again = replace(survey(3, IMAGE), pages=PagesRead(turned_down=True), finished_at=NOW + timedelta(days=30))
        record(store, again)
        record(store, replace(survey(4, IMAGE), pages=PagesRead(("c",))))
        assert store.markers("prod", NOW + timedelta(days=59)) == []
