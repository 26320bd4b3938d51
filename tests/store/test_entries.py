"""Images whose entries have not changed are not compared with what is recorded, and nothing is written of them."""

from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from janitor.core.image import Image
from janitor.core.memory import History
from janitor.core.result import Mode
from janitor.core.survey import Survey
from janitor.core.survey.binding import Binding
from janitor.core.usage import Usage
from janitor.store import Store
from tests.factories import NOW, image_called
from tests.new_database import new_database

NIGHT = timedelta(days=1)


def digest_of(image: Image) -> bytes:
    return sha256(repr(image).encode()).digest()[:16]


def record(store: Store, night: int, *images: Image, digests: dict[str, bytes] | None = None) -> dict[str, History]:
    at = NOW + night * NIGHT
    run = store.begin_run(Mode.DRY_RUN, at)
    return store.record_survey(run, "prod", Survey(images, Usage(), at, at, digests=digests or {}))


def recorded(store: Store) -> list[tuple[int, int | None, str, bytes | None]]:
    """The intervals of facts: from which run until which, the name, the digest."""
    rows = store._file._db.execute("SELECT from_run, until_run, name, digest FROM image_facts ORDER BY from_run")
    return [tuple(row) for row in rows]


@pytest.mark.parametrize("digest", [b"2" * 16, None], ids=["another", "none"])
def test_an_entry_that_is_not_the_same_is_compared(store: Store, digest: bytes | None) -> None:
    before, after = image_called("i1", name="a"), image_called("i1", name="b")
    record(store, 1, before, digests={"i1": b"1" * 16})
    record(store, 2, after, digests={} if digest is None else {"i1": digest})
    assert recorded(store) == [(1, 2, "a", b"1" * 16), (2, None, "b", digest)]


def test_an_entry_that_is_the_same_is_not(store: Store) -> None:
    record(store, 1, image_called("i1", name="a"), digests={"i1": b"1" * 16})
    record(store, 2, image_called("i1", name="b"), digests={"i1": b"1" * 16})
    assert recorded(store) == [(1, None, "a", b"1" * 16)]


def test_another_entry_with_the_same_facts_is_remembered_as_theirs(store: Store) -> None:
    image = image_called("i1")
    for night, digest in enumerate((b"1" * 16, b"2" * 16), 1):
        record(store, night, image, digests={"i1": digest})
    assert recorded(store) == [(1, None, "i1", b"2" * 16)]
    record(store, 3, image)
    assert recorded(store) == [(1, None, "i1", b"2" * 16)]


def test_an_image_that_comes_back_is_recorded_anew(store: Store) -> None:
    image = image_called("i1")
    for night, images in enumerate(((image,), (), (image,)), 1):
        record(store, night, *images, digests={"i1": b"1" * 16})
    assert [row[:2] for row in recorded(store)] == [(1, 2), (3, None)]


def test_an_entry_known_from_before_the_target_was_rebound_does_not_count(store: Store) -> None:
    image = image_called("i1")
    record(store, 1, image, digests={"i1": b"1" * 16})
    store.bind(1, "prod", Binding("toast", "a"))
    store.rebind("prod", "kim", NOW)
    after = record(store, 2, image, digests={"i1": b"1" * 16})
    assert [row[:2] for row in recorded(store)] == [(1, 2), (2, None)]
    assert after["i1"].first_seen == NOW + 2 * NIGHT


IMAGES = st.builds(
    image_called,
    st.sampled_from(["i1", "i2", "i3"]),
    name=st.sampled_from(["a", "b", None]),
    status=st.sampled_from(["active", "saving"]),
    properties=st.sampled_from([{}, {"a": "1"}, None]),
)
NIGHTS = st.lists(st.lists(IMAGES, max_size=3, unique_by=lambda image: image.id), max_size=6)


@given(NIGHTS, st.sets(st.sampled_from(["i1", "i2", "i3"])))
@settings(max_examples=50, deadline=None)
def test_with_digests_the_same_is_recorded_as_without(nights: list[list[Image]], digested: set[str]) -> None:
    with (
        TemporaryDirectory() as folder,
        Store.open(new_database(Path(folder, "1"))) as plain,
        Store.open(new_database(Path(folder, "2"))) as other,
    ):
        for night, images in enumerate(nights, 1):
            some = {image.id: digest_of(image) for image in images if image.id in digested or night % 2}
            assert record(plain, night, *images) == record(other, night, *images, digests=some)
            assert plain.surveys(night) == other.surveys(night)
