"""What counts as naming an image: ids anywhere, names as whole tokens, in plain text and in JSON's escapes."""

import json
import re
import time
import unicodedata
from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from janitor.core.names.spelling import composed
from janitor.references.matching import Found, Matcher
from janitor.references.spelling import composed_utf8, unescaped

ID = "0a1b2c3d-aaaa-4bbb-8ccc-0123456789ab"


def scan(text: str | bytes, ids: Sequence[str] = (ID,), names: Sequence[str] = ("ubuntu",)) -> Found:
    content = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return Matcher(map(composed, ids), map(composed, names)).scan(content)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(ID, id="alone"),
        pytest.param(ID.upper(), id="in-upper-case"),
        pytest.param(f"glance://x/{ID}.qcow2", id="within-a-word"),
        pytest.param(f"a{ID}b", id="without-any-bound"),
        pytest.param(ID.replace("0a1b", r"\u0030a\u0031b"), id="in-escapes"),
        pytest.param(ID.replace("-", "\u200b-"), id="with-what-nobody-sees"),
        pytest.param(json.dumps(json.dumps(json.dumps({"a": f"é\n{ID}"}))), id="in-json-in-json-in-json"),
        pytest.param(b"\xff\xfe\xc3" + ID.encode() + b"\xe2\x82", id="among-what-is-not-utf-8"),
    ],
)
def test_an_id_counts_wherever_it_stands(text: str | bytes) -> None:
    assert scan(text).ids == {ID: 1}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("ubuntu", id="the-whole-text"),
        *(
            pytest.param(f"a{bound}ubuntu{bound}b", id=f"between-{bound!r}")
            for bound in "\"'` \t\n\r=:,()[]{}<>\xa0\u3000"
        ),
        pytest.param('image = "ubuntu"', id="terraform"),
        pytest.param("IMAGE=ubuntu", id="shell"),
        pytest.param("- image: ubuntu\n", id="yaml"),
        pytest.param(r'{"a": "{\"image\": \"ubuntu\"}"}', id="json-in-json"),
        pytest.param(r'"say\nubuntu\tnow"', id="between-escaped-whitespace"),
        pytest.param(json.dumps(json.dumps(json.dumps({"a": ["ubuntu"]}))), id="json-in-json-in-json"),
        pytest.param(r'"\u0075bunt\u0075"', id="letters-as-numbers"),
        pytest.param("xubuntu ubuntu-24 ubuntu", id="after-longer-ones"),
    ],
)
def test_a_name_counts_as_a_whole_token(text: str) -> None:
    assert scan(text).names.keys() == {"ubuntu"}


@pytest.mark.parametrize(
    "text",
    [
        "xubuntu",
        "ubuntu1",
        "my-ubuntu",
        "ubuntu-24.04",
        "ubuntu_x",
        "ubuntu.qcow2",
        "images/ubuntu",
        "éubuntu",
        "ubuntué",
        "ubuntu\u0301",
        "Ubuntu",
        "UBUNTU",
        r"\q" + "ubuntu",
        r'"a\u0075ubuntu"',
        r'"\\\\\\ubuntu\\\\\\"',
    ],
)
def test_a_part_of_a_longer_token_or_another_case_does_not_count(text: str) -> None:
    assert scan(text) == Found()


@pytest.mark.parametrize(
    "name", ["이미지-서버", "café-web", "a\\b\\n", 'the "old" one', "a/b/c", "😀😀😀😀", "two\nlines"]
)
@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_a_name_of_any_characters_is_found_in_json(name: str, level: int) -> None:
    for ascii_only in (True, False):
        text = f" {name} "
        for _ in range(level):
            text = json.dumps([text], ensure_ascii=ascii_only)
        assert scan(text, names=[name]).names.keys() == {name}


def test_composed_and_decomposed_letters_are_the_same() -> None:
    for text in ("caf\u0065\u0301-web", r'"caf\u0065\u0301-web"', r'"cafe\u0301-web"', "caf\xe9\u2060-web"):
        assert scan(text, names=[unicodedata.normalize("NFD", "café-web")]).names.keys() == {"café-web"}


def test_half_a_surrogate_pair_counts_as_any_character_that_cannot_be_read() -> None:
    assert scan(r'"web-\ud83d-1"', names=["web-\ud83d-1"]).names == {"web-\ufffd-1": 1}


def test_the_line_is_that_of_the_text_as_it_is_written() -> None:
    text = f'first\n\n"a\\nb\\n\\"ubuntu\\""\n  {ID.upper()} and {ID}\n'
    assert scan(text) == Found(ids={ID: 4}, names={"ubuntu": 3})


def test_the_line_is_right_where_json_is_nested_and_escapes_are_far_apart() -> None:
    inner = json.dumps(json.dumps({"a": '"debian"'}))
    text = "\n".join([r'"x\ty"', "filler " * 200, inner, "filler\n" * 300, r'"\u0075buntu"', "é" * 2000, r"\"alpine\""])
    lines = {
        name: 1 + text[: text.index(word)].count("\n")
        for name, word in (("debian", "debian"), ("ubuntu", r"\u0075buntu"), ("alpine", "alpine"))
    }
    assert scan(text, names=["ubuntu", "debian", "alpine"]).names == lines


def test_names_that_differ_in_case_only_are_told_apart() -> None:
    assert scan("\nWEB1 web1", names=["web1", "Web1", "WEB1"]).names == {"web1": 2, "WEB1": 2}


def test_a_name_may_be_the_id_of_another_and_words_may_nest() -> None:
    names = ["a" * length for length in range(4, 80)]
    assert scan(f"\n{ID} {'a' * 79}", names=[ID, *names]) == Found(ids={ID: 2}, names={ID: 2, "a" * 79: 2})


def test_names_are_not_looked_for_where_ids_alone_are_asked_for() -> None:
    assert Matcher([ID], ["ubuntu"]).scan(f"ubuntu {ID}".encode(), names=False) == Found(ids={ID: 1})


def test_nothing_is_found_with_nothing_to_look_for() -> None:
    assert scan(f"ubuntu {ID}", (), ()) == Found()


@pytest.mark.parametrize("before", [2**16 - 3, 2**16 - 8, 2**16, 2**17 - 2, 2**20 - 4])
@pytest.mark.parametrize("filler", ["x", "é", "\\t"])
def test_what_stands_across_the_borders_of_pieces_is_found(before: int, filler: str) -> None:
    for shift in range(3):
        text = filler * (before // len(filler.encode())) + "y" * shift
        assert scan(f"{text}\nubuntu\n") == Found(names={"ubuntu": 2})
        assert scan(f"{text}{ID}\n") == Found(ids={ID: 1})


def test_names_all_over_a_text_of_several_pieces_are_found_with_their_lines() -> None:
    names = [f"web{number}" for number in range(100)]
    text = "".join(f"\n{'é' * (9000 + number)}\n{name}\\n" for number, name in enumerate(names))
    assert scan(text, names=names).names == {name: 3 + 2 * number for number, name in enumerate(names)}


def test_many_words_in_one_long_text_of_escapes_take_no_time_that_grows_with_both() -> None:
    names = [f"web{number}" for number in range(5_000)]
    text = "".join(rf"\"{name}\"\n{'-' * 40}" for name in names) * 20
    spent = time.process_time()
    assert len(scan(text, names=names).names) == 5_000
    assert time.process_time() - spent < 5


# Beside a plain way of doing the same, slow and without automaton, pieces and surroundings

_BOUNDS = set("\"'`=:,()[]{}<>")
_SIMPLE = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\r", "r": "\r", "t": "\t"}


def plainly_unescaped(text: str) -> str:
    def character(escape: re.Match[str]) -> str:
        if escape[0][1] != "u":
            return _SIMPLE[escape[0][1]]
        units = "".join(escape[0].split("\\u"))
        found = bytes.fromhex(units).decode("utf-16-be", "replace")
        return {"\n": "\r", "\0": "\ufffd"}.get(found, found)

    pattern = r'\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u[0-9a-fA-F]{4}|\\["\\/bfnrt]'
    return composed(re.sub(pattern, character, text))


def plainly(text: str, ids: Sequence[str], names: Sequence[str]) -> tuple[set[str], set[str]]:
    found_ids, found_names = set(), set()
    text = composed(text)
    for _ in range(4):
        found_ids |= {one for one in ids if one in text.encode().lower().decode()}
        found_names |= {one for one in names if any(whole(text, here) for here in occurrences(text, one))}
        text = plainly_unescaped(text)
    return found_ids, found_names


def occurrences(text: str, name: str) -> list[tuple[int, int]]:
    written = {name, name.replace("\n", "\r")}
    return [(at, at + len(name)) for at in range(len(text)) for one in written if text.startswith(one, at)]


def whole(text: str, place: tuple[int, int]) -> bool:
    around = (text[place[0] - 1 : place[0]], text[place[1] : place[1] + 1])
    return all(not character or character in _BOUNDS or character.isspace() for character in around)


# U+0338 would make a bound and the beginning of a name into one character.
LETTERS = st.sampled_from(list('abAB1-é\u0301한\u1112\u1161\u11ab😀\u200b_./"\\ \n=,\xa0nut'))
WORDS = st.text(LETTERS, min_size=1, max_size=7).map(lambda word: composed(word).strip()).filter(bool)
BETWEEN = st.one_of(
    st.text(LETTERS, max_size=4),
    st.sampled_from(list("\"'`=:,()[]{}<> \n\t")),
    st.sampled_from(["\\n", '\\"', "\\\\", "\\u0061", "\\ud83d\\ude00", "\\ud83d", "\\", "\\\\\\\\n", "\\u000a"]),
    st.integers(20, 90).map(lambda count: "z" * count),
)


@st.composite
def texts(draw: st.DrawFn, words: Sequence[str]) -> str:
    """Words among all kinds of things, whole or a part of something longer, and as JSON up to three levels deep."""
    parts = []
    for _ in range(draw(st.integers(1, 6))):
        part = draw(BETWEEN) + draw(st.sampled_from(words)) + draw(BETWEEN)
        for _ in range(draw(st.integers(0, 3))):
            part = json.dumps(part, ensure_ascii=draw(st.booleans()))
        parts.append(part)
    return "".join(parts)


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[str], list[str], str]:
    ids = draw(st.lists(WORDS.map(lambda word: composed(word.lower())), max_size=3, unique=True))
    names = draw(st.lists(WORDS, min_size=1, max_size=5, unique=True))
    return ids, names, draw(texts([*ids, *names]))


@settings(max_examples=500, deadline=None)
@given(cases())
@example(([], ["abab"], r'"\"abab\" \\\"abab\\\"abab\n"'))
def test_no_id_and_no_whole_name_is_missed_and_no_part_of_a_longer_token_counts(
    case: tuple[list[str], list[str], str],
) -> None:
    ids, names, text = case
    found = Matcher(ids, names).scan(text.encode("utf-8", "surrogatepass"))
    assert (set(found.ids), set(found.names)) == plainly(text, ids, names)
    assert all(1 <= line <= 1 + text.count("\n") for line in [*found.ids.values(), *found.names.values()])


@given(st.binary(max_size=600), st.integers(0, 600))
def test_bytes_are_composed_as_text_is(content: bytes, padding: int) -> None:
    content = b"x" * padding + content + b"y" * padding + content
    assert composed_utf8(content).decode("utf-8", "replace") == composed(content.decode("utf-8", "replace"))


@given(st.lists(LETTERS | st.sampled_from(["\\", "\\u", "d83d", "de00", "0061", "n", "t"])).map("".join))
def test_escapes_are_decoded_as_by_plain_rules(text: str) -> None:
    text = composed(text)
    assert unescaped(text.encode()) == plainly_unescaped(text).encode()
