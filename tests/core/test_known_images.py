"""How servers, instances and volumes name their images: a word that is not an id is never ignored as a use."""

from collections.abc import Callable
from urllib.parse import quote

import pytest

from janitor.core.image import Image
from janitor.core.names.image_ids import words_in
from janitor.core.names.image_names import ImageNames
from janitor.core.names.known_images import KnownImages
from janitor.core.needs import needs_of
from janitor.core.usage import EarlierUsage
from janitor.errors import Unavailable
from tests.factories import make_image
from tests.toast_account import Account, entry, ids, serving

UUID = "9f0c2a44-6a0e-4d0f-9a52-0d6b9c3f1a77"
GONE = "11111111-2222-3333-4444-555555555555"
NO_IDS = ["ci-1", "null", "None", "unknown", "N/A", "", "https://images.example/v2/images/"]


@pytest.mark.parametrize("word", NO_IDS)
def test_where_ids_are_uuids_only_a_uuid_is_one(word: str) -> None:
    assert KnownImages(ImageNames([make_image("ci-1", id=UUID)])).meant_by(word) is None


@pytest.mark.parametrize("word", [*NO_IDS, "ci-old", f"backup-{GONE}"])
def test_one_image_whose_id_is_another_word_makes_no_name_an_id(word: str) -> None:
    listed = [make_image("ci-1", id=UUID), make_image("cirros", id="cirros-public", owned=False, public=True)]
    known = KnownImages(ImageNames(listed))
    assert known.meant_by(word) is None
    assert known.meant_by("Cirros-Public") == ("cirros-public",)
    assert known.meant_by(f"backup-{UUID}") is not None, "an id in it is listed"


@pytest.mark.parametrize("word", [UUID, GONE, GONE.replace("-", ""), f"https://images.example/v2/images/{GONE}"])
def test_a_uuid_is_an_id_whether_or_not_it_is_listed(word: str) -> None:
    meant = KnownImages(ImageNames([make_image("ci-1", id=UUID)])).meant_by(word)
    assert meant is not None
    assert {UUID, GONE} & set(meant)


def test_where_ids_are_other_words_a_name_means_the_images_that_bear_it() -> None:
    images = [
        make_image("ci-1", id="i1"),
        make_image(" ci-1\u200b", id="i2"),
        make_image("web", id="i3"),
        make_image(None, id="i4", unreadable={"name": "5"}),
    ]
    known = KnownImages(ImageNames(images))
    assert known.meant_by("ci-1") == ("ci-1", "i1", "i2", "i4")
    assert known.meant_by("I1") == ("i1",)
    assert known.meant_by("None") is None


URLS = ["http://g/v2/images/{}", "glance://{}", "urn:x:{}", "/images/{}/file", "http://g/?id={}&x=1", "http://g/{}#x"]


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("encoded", [str, lambda word: quote(word, safe="")], ids=["as-it-is", "encoded"])
@pytest.mark.parametrize("word", ["web:1.2", "team/web", "img two", "img-3", "업그레이드전", "a:b/c:d"])
def test_ids_and_names_count_in_urls_whatever_delimiters_they_hold(
    word: str, encoded: Callable[[str], str], url: str
) -> None:
    written = url.format(encoded(word))
    by_id, by_name = make_image("x", id=word), make_image(word, id="other")
    for image in (by_id, by_name):
        names = ImageNames([image, make_image("y", id="i9")])
        assert names.meant_by(written) == {image.identity}
        assert image.identity in (KnownImages(names).meant_by(written) or {image.identity}), "or unread"
        assert image.identity in needs_of([needing(written), image]).by_id


def needing(kernel: str) -> Image:
    return make_image("uec", id="whole", properties={"kernel_id": kernel})


@pytest.mark.parametrize(
    "written", [UUID, f"http://g/v2/images/{UUID}", f"http://g/v2/images/{UUID.replace('-', '%2D')}"]
)
def test_an_id_that_is_also_the_name_of_another_image_means_both(written: str) -> None:
    known = KnownImages(ImageNames([make_image("x", id=UUID), make_image(UUID, id=GONE)]))
    assert {UUID, GONE} <= set(known.meant_by(written.format(UUID)) or ())


def test_the_words_of_a_long_text_are_bounded() -> None:
    assert len(words_in("/a:b=c&d" * 1_000)) < 4_000


@pytest.mark.parametrize(
    "word", ["http://g/v2/images/ci%20A", "glance://ci A", "urn:image:ci A", "/images/ci A/file", "http://g/?name=ci A"]
)
def test_a_name_also_counts_as_a_part_of_a_url(word: str) -> None:
    names = ImageNames([make_image("ci A", id="i1"), make_image("ci a", id="i2")])
    assert names.meant_by(word) == {"i1"}
    assert "i1" in (KnownImages(names).meant_by(word) or ("i1",))


@pytest.mark.parametrize("word", ["ci-1", "null", "None", "unknown"])
def test_an_instance_of_what_is_no_id_leaves_uses_unread(word: str) -> None:
    account = Account(entries=[entry(UUID, name="ci-1")], instances=[{"id": "1", "name": "web-1", "image": word}])
    with serving(account) as (client, _):
        images = list(client.images())
        with pytest.raises(Unavailable, match=f'image of instance "web-1" cannot be read: "{word}"'):
            client.usage(images, EarlierUsage())
        with pytest.raises(Unavailable, match=f'cannot be read: "{word}"'):
            client.probe()


def test_an_instance_of_a_name_uses_the_images_of_that_name() -> None:
    account = Account(entries=[entry("i1", name="ci-1")], instances=[{"id": "1", "name": "web-1", "image": "ci-1"}])
    with serving(account) as (client, _):
        assert "i1" in client.usage(list(client.images()), EarlierUsage()).by_image
        assert ids(client) == ["i1"]
