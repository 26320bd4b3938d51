"""Which of a target's images declared references name, as usage; and the message if they cannot be read."""

import gzip
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import stamina

from janitor.core.image import MISSING, Image
from janitor.core.usage import Reading, Source, Unread, Usage, User, UserKind
from janitor.references import Names, Reference, reading, scanning, texts, without_secrets
from janitor.references.entries import Text
from janitor.references.matching import Found, Matcher
from janitor.references.reading import References
from janitor.transport import HttpOptions
from tests.factories import DAY, make_image, usage_of
from tests.loopback import Answered, Loopback, in_turn

HASTY = HttpOptions(timeout=timedelta(seconds=0.3), attempts=1, give_up_after=timedelta(seconds=0.3))
WEB, DB = make_image("web-41"), make_image("db-7")


def of_files(folder: Path, pattern: str, **parts: Any) -> Reference:
    return Reference(pattern, f"{folder}/{pattern}", **parts)


def of_url(url: str, token: str | None = None, **parts: Any) -> Reference:
    return Reference(without_secrets(url), None, url, token, **parts)


def named(*references: Reference, images: tuple[Image, ...] = (WEB, DB), options: HttpOptions = HASTY) -> Usage:
    return References(references, options).named(images)


def user(text: str, line: int, what: str = "*.tf") -> User:
    return User(text, f"{text}:{line}", UserKind.REFERENCE, f"reference {what}")


def kept(usage: Usage) -> set[str]:
    return set(usage.by_image)


def test_an_image_is_used_by_each_text_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "a.tf").write_text(f'x\nimage = "web-41"\nid = "{WEB.id}"\n')
    (tmp_path / "b.tf").write_text(f"{WEB.id.upper()}\n\n{DB.id}")
    assert named(of_files(tmp_path, "*.tf")) == usage_of(
        by_image={WEB.id: (user("a.tf", 2), user("b.tf", 1)), DB.id: (user("b.tf", 3),)}
    )


def test_it_is_said_what_was_read(tmp_path: Path) -> None:
    (tmp_path / "a.tf").write_text(f"web-41\n{WEB.id} {DB.id}")
    (tmp_path / "b.tf").write_text("db-7")
    (tmp_path / "c.sh").write_text("nothing")
    usage = named(of_files(tmp_path, "*.tf"), of_files(tmp_path, "c.sh"))
    assert usage.readings == (
        Reading(Source.REFERENCES, place="*.tf", users=3, images=2),
        Reading(Source.REFERENCES, place="c.sh"),
    )


def test_without_references_nothing_is_used() -> None:
    assert named() == Usage()


def test_without_images_references_are_read_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.tf").write_text("web-41")
    assert named(of_files(tmp_path, "a.tf"), images=()) == Usage()
    assert named(of_files(tmp_path, "b.tf"), images=()).problem is not None


def test_ids_are_told_in_lower_case_and_without_spaces(tmp_path: Path) -> None:
    (tmp_path / "a.tf").write_text(WEB.id)
    assert kept(named(of_files(tmp_path, "a.tf"), images=(make_image("x", id=f" {WEB.id.upper()}\n"),))) == {WEB.id}


@pytest.mark.parametrize(
    ("name", "text", "counts"),
    [
        ("web", "image = web", False),
        ("webs", "image = webs", True),
        ("이미지", "이미지", False),
        ("이미지들", "'이미지들'", True),
        (" webs ", "[webs]", True),
        ("w\u200be\u200bb", "web", False),
        ("cafe\u0301", "caf\xe9", True),
        (None, "None", False),
        ("", "", False),
    ],
)
def test_a_name_is_at_least_four_characters(tmp_path: Path, name: str | None, text: str, counts: bool) -> None:
    (tmp_path / "a.tf").write_text(text)
    assert bool(kept(named(of_files(tmp_path, "a.tf"), images=(make_image(name),)))) == counts


def test_an_image_whose_name_cannot_be_read_is_found_by_its_id(tmp_path: Path) -> None:
    image = make_image(None, unreadable={"name": MISSING})
    (tmp_path / "a.tf").write_text("web-41")
    (tmp_path / "b.tf").write_text(image.id)
    assert kept(named(of_files(tmp_path, "a.tf"), images=(image,))) == set()
    assert kept(named(of_files(tmp_path, "*.tf"), images=(image,))) == {image.id}


# Which images a name keeps


def ubuntu(number: int, **facts: Any) -> Image:
    return make_image("ubuntu", id=f"id-of-number-{number}", **facts)


def numbers(usage: Usage) -> set[int]:
    return {int(image_id.rpartition("-")[2]) for image_id in usage.by_image}


FAMILY = (ubuntu(1, age=3 * DAY), ubuntu(2, age=2 * DAY), ubuntu(3, age=DAY))


@pytest.mark.parametrize(
    ("names", "images", "expected"),
    [
        pytest.param(Names.ALL, FAMILY, {1, 2, 3}, id="all"),
        pytest.param(Names.NONE, FAMILY, set(), id="none"),
        pytest.param(Names.NEWEST, FAMILY, {3}, id="newest"),
        pytest.param(Names.NEWEST, (*FAMILY, ubuntu(4, age=DAY)), {3, 4}, id="equally-new"),
        pytest.param(Names.NEWEST, (*FAMILY, ubuntu(4, age=0 * DAY, status="saving")), {3}, id="not-active"),
        pytest.param(Names.NEWEST, (*FAMILY, ubuntu(4, age=0 * DAY, owned=False)), {3}, id="of-others"),
        pytest.param(Names.NEWEST, (*FAMILY, ubuntu(4, age=0 * DAY, public=True)), {3}, id="public"),
        pytest.param(Names.NEWEST, (*FAMILY, ubuntu(4, created_at=None)), {3, 4}, id="of-unknown-age"),
        pytest.param(Names.NEWEST, (*FAMILY, ubuntu(4, age=0 * DAY, os_hidden=True)), {3, 4}, id="hidden"),
        pytest.param(Names.NEWEST, (ubuntu(4, status="killed"), ubuntu(5, owned=False)), {4, 5}, id="none-is-active"),
    ],
)
def test_a_name_keeps_those_that_it_is_to_keep(
    tmp_path: Path, names: Names, images: tuple[Image, ...], expected: set[int]
) -> None:
    (tmp_path / "a.tf").write_text("image: ubuntu")
    assert numbers(named(of_files(tmp_path, "a.tf", names=names), images=images)) == expected


def test_an_id_keeps_its_image_whatever_names_do(tmp_path: Path) -> None:
    (tmp_path / "a.tf").write_text("ubuntu\nid-of-number-1")
    for names in Names:
        assert 1 in numbers(named(of_files(tmp_path, "a.tf", names=names), images=FAMILY))


def test_names_count_for_each_reference_as_it_says(tmp_path: Path) -> None:
    (tmp_path / "a.tf").write_text("web-41 db-7")
    (tmp_path / "b.tf").write_text("db-7")
    usage = named(of_files(tmp_path, "a.tf", names=Names.NONE), of_files(tmp_path, "b.tf"))
    assert usage.by_image == {DB.id: (user("b.tf", 1, "b.tf"),)}


def test_names_that_keep_several_images_are_counted(tmp_path: Path) -> None:
    (tmp_path / "a.tf").write_text("\n".join(f"name{number}" for number in range(8)))
    images = tuple(
        make_image(f"name{number}", id=f"{number}-{copy}-x") for number in range(8) for copy in range(9 - number)
    )
    foreign = make_image("name0", id="foreign", owned=False)
    (remark,) = named(of_files(tmp_path, "a.tf"), images=(*images, foreign)).remarks
    assert remark == (
        "names in declared references: `name0` keeps 9 images, `name1` keeps 8 images, `name2` keeps 7 images, "
        "`name3` keeps 6 images, `name4` keeps 5 images, and 3 more names that keep several each"
    )
    assert named(of_files(tmp_path, "a.tf"), images=images[:1]).remarks == ()


def test_an_image_is_told_of_so_many_texts_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_USERS", 3)
    for number in range(5):
        (tmp_path / f"{number}.tf").write_text("web-41")
    usage = named(of_files(tmp_path, "*.tf"))
    assert usage.by_image == {WEB.id: tuple(user(f"{number}.tf", 1) for number in range(3))}
    assert usage.readings[0].users == 5


def test_a_text_of_two_references_is_one_user_as_the_first_has_it(tmp_path: Path) -> None:
    (tmp_path / "c").write_text(f"web-41\n{WEB.id}")
    usage = named(of_files(tmp_path, "c", names=Names.NONE), of_files(tmp_path, "c"))
    assert usage.by_image == {WEB.id: (user("c", 2, "c"),)}
    (tmp_path / "a.tf").write_text("web-41")
    assert named(of_files(tmp_path, "a.tf"), of_files(tmp_path, "*.tf")).by_image == {
        WEB.id: (user("a.tf", 1, "a.tf"),)
    }


@pytest.mark.parametrize(
    ("sizes", "drawn"),
    [
        pytest.param([10] * 9, 5, id="small-ones-by-their-number"),
        pytest.param([60] * 9, 2, id="large-ones-one-by-one"),
        pytest.param([40, 40, 40], 3, id="middling-ones-by-their-sum"),
    ],
)
def test_only_a_few_texts_are_there_at_a_time(monkeypatch: pytest.MonkeyPatch, sizes: list[int], drawn: int) -> None:
    monkeypatch.setattr(scanning, "_LARGEST_AHEAD", 100)
    seen: list[int] = []

    def texts() -> Iterator[Text]:
        for number, size in enumerate(sizes):
            seen.append(number)
            yield Text(f"{number}", b"web-41".ljust(size))

    results = scanning.scanned(Matcher([], ["web-41"]), texts(), names=True)
    assert next(results) == (Text("0", b"web-41".ljust(sizes[0])), Found(names={"web-41": 1}))
    assert len(seen) == drawn
    assert len(list(results)) == len(sizes) - 1


# What cannot be read


def test_a_required_reference_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "a.tf").write_text("web-41")
    usage = named(of_files(tmp_path, "a.tf"), of_files(tmp_path, "gone/*.tf"))
    assert usage.problem == (
        "reference gone/*.tf: no file matches it (every image is kept; to go on without it, set `needed: optional` on "
        "the reference)"
    )
    assert (usage.unread, usage.remarks) == (frozenset(), ())
    assert usage.readings[1] == Reading(Source.REFERENCES, place="gone/*.tf", problem="no file matches it")


def test_an_optional_reference_that_cannot_be_read_is_a_remark(tmp_path: Path) -> None:
    (tmp_path / "a.tf").write_text("web-41")
    (tmp_path / "b.tf").write_bytes(b"\0")
    (tmp_path / "c.tf").write_bytes(b"\0")
    (tmp_path / "d.tf").write_text("db-7")
    usage = named(of_files(tmp_path, "*.tf", required=False))
    assert usage == usage_of(
        by_image={WEB.id: (user("a.tf", 1),), DB.id: (user("d.tf", 1),)},
        unread=frozenset({Unread(Source.REFERENCES, "reference *.tf")}),
        remarks=("reference *.tf (optional): b.tf is binary: it holds a NUL byte, and 1 more failure",),
    )
    assert usage.readings[0].problem == "b.tf is binary: it holds a NUL byte, and 1 more failure"


def test_every_problem_is_told(tmp_path: Path) -> None:
    usage = named(of_files(tmp_path, "a"), of_files(tmp_path, "b"), of_files(tmp_path, "c", required=False))
    assert usage.problem is not None
    assert (usage.problem.count("reference a: "), usage.problem.count("reference b: ")) == (1, 1)
    assert {unread.source for unread in usage.unread} == {Source.REFERENCES}


def test_too_many_files_are_a_problem_of_those_that_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        (tmp_path / f"{number}.tf").write_text("web-41")
    monkeypatch.setattr(reading, "Allowance", lambda: texts.Allowance(texts=3))
    usage = named(of_files(tmp_path, "[012].tf"), of_files(tmp_path, "3.tf"), of_url("http://127.0.0.1:9/"))
    assert [one.problem is None for one in usage.readings] == [True, False, False]
    assert usage.problem is not None
    assert "all references together are more than 10,000 files or 1 GiB" in usage.problem
    assert named(of_files(tmp_path, "[012].tf")).problem is None


def test_a_stop_makes_the_rest_unread(tmp_path: Path) -> None:
    (tmp_path / "a.tf").write_text("web-41")
    stop = threading.Event()
    stop.set()
    usage = References([of_files(tmp_path, "a.tf")], HASTY, stop).named([WEB])
    assert usage.problem is not None
    assert "the program was told to stop" in usage.problem


# URLs


def test_a_url_is_asked_once_a_run_with_its_token() -> None:
    with Loopback(in_turn(Answered(f'["{WEB.id}",\n"db-7"]'.encode()))) as server:
        url = f"{server.url}/templates.json"
        references = References([of_url(f"{url}?sig=secret", "the-token")], HASTY)
        with ThreadPoolExecutor(4) as pool:
            usages = list(pool.map(references.named, [(WEB,), (DB,), (WEB, DB), ()]))
    assert [usage.by_image for usage in usages] == [
        {WEB.id: (user(url, 1, url),)},
        {DB.id: (user(url, 2, url),)},
        {WEB.id: (user(url, 1, url),), DB.id: (user(url, 2, url),)},
        {},
    ]
    (asked,) = server.asked
    assert (asked.path, asked.query) == ("/templates.json", {"sig": "secret"})
    assert (asked.headers["authorization"], asked.headers["accept"]) == ("Bearer the-token", "*/*")


def test_a_url_is_asked_once_a_run_where_it_fails_too() -> None:
    with Loopback(in_turn(Answered(status=503), Answered(b"web-41"))) as server:
        references = References([of_url(server.url)], HASTY)
        assert references.named([WEB]).problem == references.named([DB]).problem is not None
    assert len(server.asked) == 1


def test_what_may_pass_is_tried_again() -> None:
    patient = HttpOptions(timeout=timedelta(seconds=5), attempts=3, give_up_after=timedelta(seconds=20))
    answers = in_turn(Answered(status=503), Answered(b"web-41"))
    with stamina.set_testing(True, attempts=100, cap=True), Loopback(answers) as server:
        assert kept(named(of_url(server.url), options=patient)) == {WEB.id}


def test_without_a_token_none_is_sent_and_a_user_of_the_url_is() -> None:
    with Loopback(in_turn(Answered(b"web-41"))) as server:
        named(of_url(server.url))
        named(of_url(server.url.replace("//", "//me:pw@")))
    assert ["authorization" in asked.headers for asked in server.asked] == [False, True]
    assert server.asked[1].headers["authorization"].startswith("Basic ")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        pytest.param(Answered(b"web-41", status=404), "HTTP 404", id="not-found"),
        pytest.param(Answered(b"web-41", status=403), "HTTP 403", id="forbidden"),
        pytest.param(Answered(b"web-41", status=500), "no usable answer (tried once): HTTP 500", id="a-fault"),
        pytest.param(Answered(b"web-41", status=206), "HTTP 206", id="a-part"),
        pytest.param(
            Answered(b"web-41", status=302, headers={"Location": "/login"}),
            "HTTP 302, a redirect, which is not followed",
            id="elsewhere",
        ),
        pytest.param(Answered(b""), "the answer is empty", id="empty"),
        pytest.param(Answered(b" \n"), "the answer is empty", id="blank"),
        pytest.param(Answered(b"a\0web-41"), "is binary: it holds a NUL byte", id="binary"),
        pytest.param(Answered(b"\n<!DOCTYPE html><p>web-41"), "is a page of HTML", id="html"),
        pytest.param(Answered(b"<HTML>web-41"), "is a page of HTML", id="html-without-a-type"),
        pytest.param(Answered(b"web-41", headers={"Content-Type": "text/html; charset=utf-8"}), "HTML", id="as-html"),
        pytest.param(Answered(b"web-41", headers={"Content-Encoding": "zorro"}), "encoded as 'zorro'", id="coded"),
        pytest.param(Answered(b"web-41" * 99, cut=20), "no usable answer (tried once)", id="cut"),
        pytest.param(Answered(dropped=True), "no usable answer (tried once)", id="dropped"),
        pytest.param(Answered(b"web-41", dripped=0.05), "no complete answer within 0.3 s", id="slow"),
    ],
)
def test_an_answer_that_is_not_the_text_is_a_problem(answer: Answered, told: str) -> None:
    with Loopback(in_turn(answer)) as server:
        usage = named(of_url(server.url))
    assert usage.by_image == {}
    assert usage.problem is not None
    assert told in usage.problem
    assert usage.problem.startswith(f"reference {server.url}: ")


def test_a_text_of_a_url_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    with Loopback(in_turn(Answered(b"web-41".ljust(200)))) as server:
        assert named(of_url(server.url)).problem is None
        monkeypatch.setattr(texts, "LARGEST_TEXT", 100)
        assert "is larger than" in (named(of_url(server.url)).problem or "")
        monkeypatch.undo()
        monkeypatch.setattr(reading, "Allowance", lambda: texts.Allowance(size=100))
        assert "all references together" in (named(of_url(server.url)).problem or "")


@pytest.mark.parametrize(
    ("cut", "told"), [(0, "the answer is compressed"), (8, "the answer ends early")], ids=["whole", "cut-off"]
)
def test_a_compressed_answer_is_not_asked_for_and_not_believed(cut: int, told: str) -> None:
    body = gzip.compress(b"web-41 and much more")
    answer = Answered(body[: len(body) - cut], headers={"Content-Encoding": "gzip"})
    with Loopback(in_turn(answer)) as server:
        assert told in (named(of_url(server.url)).problem or "")
    assert server.asked[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "page",
    [
        b"<!-- of the proxy --><!DOCTYPE html><html><body>Sign in</body></html>",
        b"<head><title>Sign in</title></head>",
        b"\xef\xbb\xbf\n<?xml version='1.0'?><html xmlns='x'>",
    ],
    ids=["after-a-comment", "head-only", "xhtml"],
)
def test_a_page_to_sign_in_is_no_text_whatever_it_says_of_itself(page: bytes) -> None:
    answer = Answered(page, headers={"Content-Type": "application/json"})
    with Loopback(in_turn(answer)) as server:
        assert "page of HTML" in (named(of_url(server.url)).problem or "")


def test_an_id_may_be_written_without_its_dashes(tmp_path: Path) -> None:
    (tmp_path / "a.tf").write_text(f"image = {WEB.id.replace('-', '').upper()}")
    assert kept(named(of_files(tmp_path, "a.tf"))) == {WEB.id}


def test_nobody_there_is_a_problem() -> None:
    with Loopback(in_turn(Answered())) as server:
        url = server.url
    assert "no usable answer" in (named(of_url(url)).problem or "")
    assert named(of_url(url, required=False)).problem is None


@pytest.mark.parametrize("status", [200, 401, 503])
@pytest.mark.parametrize("token", ["the-token", "the-tok\u20acn"])
def test_no_secret_is_shown(status: int, token: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with Loopback(in_turn(Answered(b"" if status == 200 else b"the-token", status=status))) as server:
        url = server.url.replace("//", "//me:the-password@") + "/x.json?sig=the-signature#the-fragment"
        reference = of_url(url, token)
        usage = named(reference)
    said = f"{usage!r} {reference!r} {caplog.text}"
    assert usage.problem is not None
    assert f"{server.url}/x.json" in said
    assert not [one for one in (token, "the-password", "the-signature", "the-fragment") if one in said]
