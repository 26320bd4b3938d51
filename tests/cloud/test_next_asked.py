"""Page by page, the next page is asked for while one is read, and never before that one has come."""

import threading
from contextlib import closing
from typing import Any

import pytest

from janitor.cloud.common.at_once import NextAsked
from janitor.cloud.common.entries import Entries
from janitor.errors import Unavailable
from tests.cloud.test_side_by_side import BOTH, COUNT, Answerer, entries, ids, interposed, markers, options, toast
from tests.loopback import Answered, Asked


class Answers:
    """Answers every question with itself, and notes which, in which thread, and how many at a time."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.threads: set[str] = set()
        self.most = 0
        self._now = 0
        self._lock = threading.Lock()

    def __call__(self, question: str) -> str:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
            self.asked.append(question)
            self.threads.add(threading.current_thread().name)
        if question == "failing":
            with self._lock:
                self._now -= 1
            raise Unavailable("no answer")
        with self._lock:
            self._now -= 1
        return question


def test_what_is_expected_is_asked_once() -> None:
    answers = Answers()
    with closing(NextAsked(answers)) as following:
        assert following.ask("a") == "a"
        following.expect("b")
        assert following.ask("b") == "b"
        assert following.ask("c") == "c"
    assert answers.asked == ["a", "b", "c"]
    assert any(name.startswith("next") for name in answers.threads)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("next")]


def test_something_else_is_asked_when_the_answer_to_what_was_expected_has_come() -> None:
    began, go_on = threading.Event(), threading.Event()
    asked: list[str] = []

    def ask(question: str) -> str:
        if question == "expected":
            began.set()
            go_on.wait(10)
        asked.append(question)
        return question

    with closing(NextAsked(ask)) as following:
        following.expect("expected")
        began.wait(10)
        threading.Timer(0, go_on.set).start()
        assert following.ask("other") == "other"
    assert asked == ["expected", "other"]


def test_what_was_asked_before_is_not_expected() -> None:
    answers = Answers()
    with closing(NextAsked(answers)) as following:
        following.ask("a")
        following.expect("a")
        assert following.ask("b") == "b"
    assert answers.asked == ["a", "b"]


def test_a_failure_is_that_of_whoever_asks() -> None:
    answers = Answers()
    with closing(NextAsked(answers)) as following:
        following.expect("failing")
        with pytest.raises(Unavailable, match="no answer"):
            following.ask("failing")
        following.expect("x")
        assert following.ask("x") == "x"
        following.expect("failing again")
        assert following.ask("y") == "y"
    assert answers.most == 1


@BOTH
def test_a_page_is_read_while_the_next_one_is_under_way(serving: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(entries(), options(parallel_pages=1)) as (client, server):
        asked = threading.Event()
        usual = Entries.of_page

        def of_page(self: Entries, texts: list[Any], marker: str | None) -> Any:
            assert marker is not None or asked.wait(10), "the second page is asked for while the first is read"
            return usual(self, texts, marker)

        def note(request: Asked) -> None:
            if "marker" in request.query:
                asked.set()

        interposed(server, note)
        monkeypatch.setattr(Entries, "of_page", of_page)
        assert ids(client) == [f"i{number}" for number in range(COUNT)]


@BOTH
def test_no_page_is_asked_for_before_the_one_before_has_come(serving: Any) -> None:
    under_way: list[Asked] = []
    most = 0

    def begins(request: Asked) -> None:
        nonlocal most
        under_way.append(request)
        most = max(most, len(under_way))

    with serving(entries(), options(parallel_pages=1)) as (client, server):
        usual: Answerer = server.answer

        def answer(request: Asked) -> Answered:
            begins(request)
            answered = usual(request)
            under_way.remove(request)
            return answered

        server.answer = answer
        ids(client)
        asked = markers(server)
    assert most == 1
    assert len(asked) == len(set(asked)), "each page is asked for once"


def test_a_page_that_turns_out_not_to_be_json_is_asked_for_again() -> None:
    broken = iter([True])

    def once_broken(request: Asked) -> Answered | None:
        if request.query.get("marker") != "i9" or not next(broken, False):
            return None
        text = b'{"header": {"isSuccessful": true, "resultCode": 0, "resultMessage": ""}, "images": [{"id": "\xff"}]}'
        return Answered(text)

    with toast(entries(), options(parallel_pages=1)) as (client, server):
        interposed(server, once_broken)
        assert ids(client) == [f"i{number}" for number in range(COUNT)]
        assert markers(server).count("i9") == 2
