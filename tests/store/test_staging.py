"""A target's first survey is written to a temporary table as it comes, and recorded as if it had not been."""

from contextlib import closing
from pathlib import Path

import pytest

from janitor.core.image import Image
from janitor.core.result import Mode
from janitor.core.survey import Survey
from janitor.core.usage import Usage
from janitor.store import Store
from tests.factories import NOW, image_called

MANY = [image_called(f"i{number}", properties={"n": str(number)}) for number in range(2_500)]
TABLES = {
    "images": "target, image, first_seen, watched_since, status_since, present",
    "image_facts": "*",
    "image_clocks": "*",
    "surveys": "*",
}


def survey(*images: Image, problem: str | None = None) -> Survey:
    return Survey(images, Usage(problem=problem), NOW, NOW, digests={image.id: image.id.encode() for image in images})


def rows(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """All that is recorded, the keys of images aside: the image stands for its key."""
    found = {}
    for table, columns in TABLES.items():
        keyed = "image_key" in [row[1] for row in store._file._db.execute(f"PRAGMA table_info({table})")]
        joined = "JOIN images i USING (image_key)" if keyed and table != "images" else ""
        selected = store._file._db.execute(f"SELECT {'i.image, ' if joined else ''}{columns} FROM {table} {joined}")
        names = [column[0] for column in selected.description]
        key = names.index("image_key") if "image_key" in names else None
        found[table] = sorted(
            (tuple(value for place, value in enumerate(row) if place != key) for row in selected), key=repr
        )
    return found


def staged_tables(store: Store) -> list[str]:
    return [name for (name,) in store._file._db.execute("SELECT name FROM temp.sqlite_master WHERE type = 'table'")]


@pytest.mark.parametrize("problem", [None, "no servers"])
@pytest.mark.parametrize("count", [0, 1, 2_500])
def test_what_was_staged_is_recorded_as_it_would_have_been(tmp_path: Path, count: int, problem: str | None) -> None:
    seen = survey(*MANY[:count], problem=problem)
    with Store.open(tmp_path / "1") as plain, Store.open(tmp_path / "2") as staging:
        histories = plain.record_survey(plain.begin_run(Mode.DRY_RUN, NOW), "prod", seen)
        with closing(staging.stage("prod")) as stage:
            for image in seen.images:
                stage.add([image], seen.digests)
            assert stage.record(staging.begin_run(Mode.DRY_RUN, NOW), seen) == histories
        assert rows(staging) == rows(plain)
        assert staged_tables(staging) == []


def test_only_the_last_that_was_said_of_an_image_is_recorded(store: Store) -> None:
    first, changed = image_called("i1"), image_called("i1", name="another")
    with closing(store.stage("prod")) as stage:
        for image in (first, image_called("gone"), changed):
            stage.add([image], {image.id: b"1" * 16})
        stage.record(store.begin_run(Mode.DRY_RUN, NOW), Survey((changed, image_called("i2")), Usage(), NOW, NOW))
    assert [(row[0], row[3]) for row in rows(store)["image_facts"]] == [("i1", "another"), ("i2", "i2")]


def test_a_survey_that_does_not_end_leaves_nothing(store: Store) -> None:
    before = rows(store)
    with closing(store.stage("prod")) as stage:
        for image in MANY:
            stage.add([image], {})
        assert staged_tables(store)
    assert rows(store) == before
    assert staged_tables(store) == []


def test_two_surveys_at_once_are_apart(store: Store) -> None:
    run = store.begin_run(Mode.DRY_RUN, NOW)
    with closing(store.stage("one")) as one, closing(store.stage("two")) as two:
        for image in MANY[:1_500]:
            one.add([image], {})
            two.add([image], {})
        one.record(run, Survey(tuple(MANY[:1_500]), Usage(), NOW, NOW))
        two.record(run, Survey(tuple(MANY[:1_500]), Usage(), NOW, NOW))
    assert store.surveys(run)["one"].images == store.surveys(run)["two"].images


def test_a_later_survey_stages_nothing(store: Store) -> None:
    store.record_survey(store.begin_run(Mode.DRY_RUN, NOW), "prod", survey(MANY[0]))
    with closing(store.stage("prod")):
        assert staged_tables(store) == []


def test_without_room_for_it_the_survey_is_recorded_all_the_same(store: Store) -> None:
    store._file._db.execute("PRAGMA temp.max_page_count = 4")
    run = store.begin_run(Mode.DRY_RUN, NOW)
    with closing(store.stage("prod")) as stage:
        for image in MANY:
            stage.add([image], {})
        stage.record(run, survey(*MANY))
    assert len(store.surveys(run)["prod"].images) == len(MANY)
