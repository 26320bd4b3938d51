"""The markers of a target are those of its last survey, whatever is in the table."""

from dataclasses import replace
from pathlib import Path

import pytest

from janitor.store import Store
from tests.store.test_snapshots import IMAGE, record, survey


def test_the_last_survey_counts(path: Path) -> None:
    with Store.open(path) as store:
        assert store.markers("prod") == []
        record(store, replace(survey(1, IMAGE), markers=("b", "a")))
        assert store.markers("prod") == ["b", "a"]
        assert store.markers("other") == []
        record(store, replace(survey(2, IMAGE), markers=("c",)))
        assert store.markers("prod") == ["c"]
        record(store, survey(3, IMAGE))
        assert store.markers("prod") == []


@pytest.mark.parametrize("written", ["", "{", "{}", "5", "null", "[1, null]"])
def test_what_is_no_list_of_ids_counts_as_none(path: Path, written: str) -> None:
    with Store.open(path) as store:
        record(store, replace(survey(1, IMAGE), markers=("a",)))
        with store._file.writing() as db:
            db.execute("UPDATE list_markers SET images = ?", (written,))
        assert store.markers("prod") == []
