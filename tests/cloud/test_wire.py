"""A wire value is read exactly or not at all."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from janitor.cloud.common import wire

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("value", "read"),
    [(True, True), (False, False), ("true", True), ("false", False)],
)
def test_boolean(value: object, read: bool | None) -> None:
    assert wire.boolean(value) is read


@pytest.mark.parametrize("value", [None, 0, 1, 0.0, "", "True", "FALSE", " true", "yes", "maybe", [], {}, [True]])
def test_no_boolean(value: object) -> None:
    assert wire.boolean(value) is None


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (0, 0),
        (7, 7),
        (-5, -5),
        ("30404", 30404),
        ("-5", -5),
        (True, None),
        (1.0, None),
        ("1.0", None),
        ("", None),
        (" 7", None),
        ("7\n", None),
        ("٣", None),
        ("1_000", None),
        (2**63 - 1, 2**63 - 1),
        (2**63, None),
        ("9" * 19, None),
        ("9" * 5000, None),
        (None, None),
        ([7], None),
    ],
    ids=repr,
)
def test_integer(value: object, read: int | None) -> None:
    assert wire.integer(value) == read


@pytest.mark.parametrize(("value", "read"), [(0, 0), ("12", 12), (-1, None), ("-1", None), (True, None)])
def test_amount(value: object, read: int | None) -> None:
    assert wire.amount(value) == read


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("2017-05-16T02:17:50Z", datetime(2017, 5, 16, 2, 17, 50, tzinfo=UTC)),
        ("2017-05-16T02:17:50.166563", datetime(2017, 5, 16, 2, 17, 50, 166563, tzinfo=UTC)),
        (1494901070, None),
        ("yesterday", None),
        (None, None),
        ({}, None),
    ],
)
def test_instant(value: object, read: datetime | None) -> None:
    assert wire.instant(value) == read


@pytest.mark.parametrize(("value", "read"), [("a", "a"), (" a ", " a "), ("", None), (" \n", None), (5, None)])
def test_identifier(value: object, read: str | None) -> None:
    assert wire.identifier(value) == read


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("a", "a"),
        ("", ""),
        (True, "true"),
        (False, "false"),
        (5, "5"),
        (1.5, "1.5"),
        (None, None),
        ([], None),
        ({}, None),
    ],
)
def test_label(value: object, read: str | None) -> None:
    assert wire.label(value) == read


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"<html>", id="html"),
        pytest.param(b'{"a": 1', id="cut"),
        pytest.param(b"[1]", id="list"),
        pytest.param(b'"a"', id="text"),
        pytest.param(b"null", id="null"),
        pytest.param(b"\xff\xfe", id="utf-16"),
        pytest.param(b'{"a": "\xed\xa0\x80"}', id="surrogate-bytes"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b'{"a": ' + b"9" * 5000 + b"}", id="endless-number"),
    ],
)
def test_no_document(body: bytes) -> None:
    assert wire.document(body) is None


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ('{"n": "이미지"}'.encode(), "이미지"),
        (b'\xef\xbb\xbf{"n": "bom"}', "bom"),
        (b'{"n": "\\ud83d\\ude00"}', "😀"),
        (b'{"n": "a\\ud83db"}', "a\ufffdb"),
        (b'{"n": "a\\uDE00"}', "a\ufffd"),
    ],
    ids=["utf-8", "byte-order-mark", "pair", "half-a-pair", "other-half"],
)
def test_document(body: bytes, name: str) -> None:
    assert wire.document(body) == {"n": name}


@given(st.dictionaries(st.text(), ANY_JSON))
@settings(max_examples=50, deadline=None)
def test_what_a_document_holds_can_be_stored(content: dict[str, Any]) -> None:
    document = wire.document(json.dumps(content).encode())
    json.dumps(document, ensure_ascii=False, default=wire.shown).encode()


@given(ANY_JSON)
@settings(deadline=None)
def test_no_value_breaks_a_reader(value: object) -> None:
    readers: list[Callable[[object], object]] = [wire.boolean, wire.integer, wire.amount, wire.instant]
    for read in [*readers, wire.text, wire.identifier, wire.label, wire.shown]:
        read(value)


@pytest.mark.parametrize(
    ("value", "words"),
    [("maybe", '"maybe"'), (None, "null"), (1, "1"), ("이미지", '"이미지"'), ("x" * 99, '"' + "x" * 58 + "…")],
)
def test_shown(value: object, words: str) -> None:
    assert wire.shown(value) == words
    assert len(wire.shown(value)) <= 60
