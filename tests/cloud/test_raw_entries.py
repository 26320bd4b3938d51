"""The fast reading of lists says what the careful one says, for every text, or leaves it to that."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from janitor.cloud.common import raw_entries
from janitor.cloud.common.raw_entries import parsed, split
from janitor.transport.json_body import Unreadable, parse_body

KEYS = st.sampled_from(["id", "images", "a", "é", 'q"', "\\", "protected"])
WORDS = st.one_of(st.text(max_size=8), st.sampled_from(['"', "\\", '":', "[]", "[1]", "null", "\ud800", "테"]))
NUMBERS = st.one_of(st.integers(), st.floats(allow_nan=True), st.integers(-(2**70), 2**70))
PLAIN = st.one_of(st.none(), st.booleans(), NUMBERS, WORDS)


def text_of(value: object, draw: Callable[[st.SearchStrategy[Any]], Any]) -> str:
    """A value as JSON, in one of its spellings; pairs are an object that may repeat its keys."""
    space = draw(st.sampled_from(["", " ", "\n"]))
    if isinstance(value, tuple):
        members = (f"{word_of(key, draw)}{space}:{text_of(each, draw)}" for key, each in value)
        return f"{{{space}{f',{space}'.join(members)}}}"
    if isinstance(value, list):
        return f"[{','.join(text_of(each, draw) for each in value)}{space}]"
    return word_of(value, draw) if isinstance(value, str) else json.dumps(value)


def word_of(word: str, draw: Callable[[st.SearchStrategy[Any]], Any]) -> str:
    escaped = json.dumps(word, ensure_ascii=draw(st.booleans()) or "\ud800" in word)
    if word[:1].isalpha() and word.isascii() and draw(st.booleans()):
        return f'"\\u{ord(word[0]):04x}{escaped[2:]}'
    return escaped


PAIRS = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.lists(st.tuples(KEYS, inner), max_size=4).map(lambda pairs: tuple(pairs))
    ),
    max_leaves=8,
)
OBJECTS = st.lists(st.tuples(KEYS, PAIRS), max_size=5).map(tuple)


@st.composite
def texts(draw: Callable[[st.SearchStrategy[Any]], Any], values: st.SearchStrategy[Any] = PAIRS) -> bytes:
    """JSON, or something close to it: a byte may be missing, another, or there twice."""
    text = bytearray(text_of(draw(values), draw).encode("utf-8", "surrogatepass"))
    if text and draw(st.integers(0, 3)) == 0:
        place = draw(st.integers(0, len(text) - 1))
        other = draw(st.sampled_from([b"", b'"', b"\xff", b"\\", b",", b"\x00"]))
        text[place : place + draw(st.integers(0, 1))] = other
    return bytes(text)


def said(read: Callable[[bytes], Any], text: bytes) -> str:
    """What a reader gives, types and repeated keys included, or that it gives nothing."""
    try:
        return repr(read(text))
    except (ValueError, RecursionError):
        return "nothing"


@given(texts())
@example(b'{"protected":true,"protected":false}')
@example(b'{"protected":true,"\\u0070rotected":false}')
@example(b'{"protected" : true, "name": "\\":", "protected" :false}')
@example(b'{"a":"\\\\","a":"\\\\"}')
@example(b"[" * 5000)
@example(b"[" * 300 + b"]" * 300)
@example(b'{"a":' * 450 + b"1" + b"}" * 450)
@example(b"1" * 5000)
@example(b'"\\ud800"')
def test_an_entry_reads_the_same(text: bytes) -> None:
    assert said(parsed, text) == said(parse_body, text)


@given(texts(OBJECTS))
@example(b'{"a":[{"id":"1"}],"images":[{"id":"1"}]}')
@example(b'{"a":"[1]","images":[1]}')
@example(b'{"images":[1],"images":[1,2]}')
@example(b'{"images":[1],"im\\u0061ges":[1,2]}')
@example(b'\xef\xbb\xbf{"images":[1]}')
def test_a_list_that_is_split_has_the_same_entries_in_the_same_document(text: bytes) -> None:
    parts = split(text, "images")
    whole = said(parse_body, text)
    if parts is None:
        return
    rest = None if said(parse_body, parts[0]) == "nothing" else parse_body(parts[0])
    if not isinstance(rest, dict) or rest.get("images") != [] or isinstance(rest.get("images"), Unreadable):
        return
    entries = [said(parsed, entry) for entry in parts[1]]
    if "nothing" in entries:
        assert whole == "nothing"
        return
    rest["images"] = [parsed(entry) for entry in parts[1]]
    assert repr(rest) == whole


def test_a_usual_list_is_split_and_read_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    body = json.dumps({"header": {"resultCode": 0}, "images": [{"id": "1", "tags": ["테"]}, {"id": "2"}]}).encode()
    parts = split(body, "images")
    assert parts is not None
    assert json.loads(parts[0]) == {"header": {"resultCode": 0}, "images": []}
    monkeypatch.setattr(raw_entries, "parse_body", None)
    assert [parsed(entry) for entry in parts[1]] == [{"id": "1", "tags": ["테"]}, {"id": "2"}]
