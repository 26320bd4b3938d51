"""Expressions: the answers of `re`, in bounded time."""

import re
import signal
import sqlite3
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from janitor.core.decide import decide
from janitor.core.decision import Decision, Reason, Verdict
from janitor.core.image import Image
from janitor.core.names.pattern import Pattern
from janitor.core.policy import Expire, Match, Policy
from janitor.core.retention import Family, Keep
from janitor.core.usage import Usage
from janitor.errors import Interrupted
from janitor.expressions import Budget, Expression, Undecided
from janitor.expressions.characters import characters
from tests.conftest import Desk
from tests.factories import NOW, make_image

LETTERS = ["a", "b", "A", "K", "S", "s", "\u212a", "\u017f", "i", "\u0130", "\u0131", "é", "e", "\u0301", "결", "제"]
OTHERS = ["0", "7", "\u0663", "²", "_", "-", " ", "\n", "\x1c", "\u200b", "\u0903", "😀", "{", "}", "]", ":", "<", "e"]
EVERY_CHARACTER = "".join(map(chr, range(sys.maxunicode + 1)))
ATOMS = [
    "\\w",
    "\\W",
    "\\d",
    "\\D",
    "\\s",
    "\\S",
    ".",
    "^",
    "$",
    "\\A",
    "\\Z",
    "\\b",
    "\\B",
    "\\x41",
    "\\u0131",
    "\\101",
]
ATOMS += [
    "\\n",
    "\\-",
    "[a-z]",
    "[^a-z]",
    "[\\w-]",
    "[^\\W_]",
    "[[:alpha:]]",
    "[\\]a]",
    "[a-z0-9]",
    "[^-]",
    "{e<=1}",
    "{a}",
]
ATOMS += ["{,2}", "{}", "a{,2}", "(?i:k)", "(?i:[a-k])", "(?-i:s)", "(?a:\\w)", "(?s:.)", "(?m:^)", "(?m:$)", "(?#a)"]
TEXTS = st.text(st.sampled_from([*LETTERS, *OTHERS]), max_size=8)


def _around(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    counts = st.sampled_from(["*", "+", "?", "*?", "+?", "??", "{2}", "{0,2}", "{1,}", "{,2}", "{1,2}?", "*+", "?+"])
    shapes = st.sampled_from(["({})", "(?:{})", "(?:{})|a", "(?={})", "(?!{})", "(?>{})", "({})\\1", "(a)?(?(1){}|b)"])
    grouped = st.tuples(shapes, inner).map(lambda parts: parts[0].replace("{}", parts[1]))
    return st.one_of(
        grouped,
        st.tuples(grouped, counts).map("".join),
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map("|".join),
    )


EXPRESSIONS = st.recursive(st.sampled_from([*LETTERS, *map(re.escape, OTHERS), *ATOMS]), _around, max_leaves=6)


def _as_re(expression: str, text: str) -> Any:
    found = re.search(expression, text)
    return None if found is None else found.groups()


def _compiles(expression: str) -> bool:
    try:
        re.compile(expression)
    except (re.error, OverflowError):
        return False
    return True


@pytest.mark.parametrize("character", ["\u212a", "\u017f", "k", "K", "s", "S"], ids=ascii)
@pytest.mark.parametrize("expression", ["a|[Kk]", "(?:b|[sS])|a", "(?a)a|(?i:k)", "(?ai:s)|a", "(?:[Kk]|[Ss])+|a"])
def test_both_cases_of_a_letter_are_no_other_character(expression: str, character: str) -> None:
    """On RE2, a class of both in a branch is all that folds to the letter: the Kelvin sign and the long s, too."""
    assert Expression(expression).found_in(character) is (_as_re(expression, character) is not None)


@settings(max_examples=600, deadline=None)
@given(flags=st.sampled_from(["", "", "(?i)", "(?a)", "(?ims)", "(?x)"]), body=EXPRESSIONS, texts=st.lists(TEXTS))
def test_the_answer_is_that_of_re(flags: str, body: str, texts: list[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        if not _compiles(flags + body):
            with pytest.raises(ValueError):
                Expression(flags + body)
            return
        expression, budget = Expression(flags + body), Budget()
        for text in texts:
            told = _as_re(flags + body, text)
            try:
                assert expression.groups_in(text, budget) == told
                assert expression.found_in(text, budget) is (told is not None)
            except Undecided:
                assert "(?i" in flags or not text.isascii()


@settings(max_examples=150, deadline=None)
@given(st.from_regex(r"\[\^?[!-~é]{1,6}\]|\\[!-~]", fullmatch=True), st.sampled_from([0, re.ASCII, re.IGNORECASE]))
def test_a_character_stands_for_all_that_it_matches_anywhere(atom: str, flags: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        if not _compiles(atom) or re.compile(atom).groups or re.fullmatch(r"\\[AbBZ]|\[\^?\]?[^]]*\].+", atom):
            return
        runs = re.compile(f"(?:{atom})+", flags).finditer(EVERY_CHARACTER)
        assert characters(atom, flags) == tuple((run.start(), run.end() - 1) for run in runs)


LINEAR = {
    r"^bake-[0-9]+$": "bake-12",
    r"^(.+)-[0-9]+$": "ci-web-12",
    r"^\w+-\d+$": "결제-12",
    r"^(?:ci|cd)-\w+$|^tmp": "tmp-1",
    r"(?i)^golden": "GOLDEN-1",
    r"^(a+)+$": "aaa",
    r"^([a-z가-힣]+-?)+-[0-9]{4}$": "결제-web-2024",
}


@pytest.mark.parametrize(("expression", "text"), LINEAR.items())
def test_what_people_write_takes_linear_time(expression: str, text: str) -> None:
    found = Expression(expression)
    assert found.linear
    assert found.found_in(text, Budget(each=0, altogether=0))
    assert not found.found_in("-" + "a" * 20_000 + "!", Budget(each=0, altogether=0))


@pytest.mark.parametrize(
    "expression", [r"(a)\1", "(?=a)a", "(?<=a)b", "(?:a?)*b", "a$b?", "(a$)", r"\bci", "a++b", "a{1001}", "(?>a)"]
)
def test_what_is_not_certain_to_be_linear_is_not_called_so(expression: str) -> None:
    assert not Expression(expression).linear


def test_a_class_of_re_is_not_that_of_other_matchers() -> None:
    budget = Budget()
    assert Expression(r"^\w+-[0-9]+$").found_in("결제-12", budget)
    assert Expression(r"^(?=\s)").found_in("\x1c", budget)
    assert not Expression(r"^(?=\w)").found_in("\u0903", budget)
    assert Expression(r"^ci$").found_in("ci\n", budget)
    assert not Expression(r"^(?=[[:alpha:]])b").found_in("b", budget)
    assert not Expression(r"^(?=cat{e<=1})").found_in("cot", budget)


SLOW = r"^(?=(x+x+)+y)"
NEARLY = "x" * 5_000


class Clock:
    """Seconds that pass only when something is searched."""

    def __init__(self, step: float) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def test_a_text_that_takes_too_long_cannot_be_told() -> None:
    budget = Budget(each=0.01)
    with pytest.raises(Undecided, match="took too long on its"):
        Expression(SLOW).found_in(NEARLY, budget)
    assert budget.undecided(SLOW, NEARLY) == f"/{SLOW}/ took too long on its"
    assert Expression(SLOW).found_in("xxy", budget)


def test_an_expression_that_took_too_long_altogether_cannot_be_told_any_more() -> None:
    budget = Budget(clock=Clock(10))
    slow = Expression(SLOW)
    assert [slow.found_in(f"xx{end}", budget) for end in "yza"] == [True, False, False]
    with pytest.raises(Undecided):
        slow.found_in("xxy again", budget)
    assert Expression(r"^(?=a)").found_in("another expression", budget)


def test_what_was_given_up_once_is_not_tried_again() -> None:
    clock = Clock(0)
    budget = Budget(each=0.01, clock=clock)
    for _ in range(2):
        with pytest.raises(Undecided):
            Expression(SLOW).groups_in(NEARLY, budget)
    assert not budget._spent[SLOW]


def test_letters_of_two_cases_that_a_group_held_are_told_in_ascii_only() -> None:
    expression = Expression(r"(?i)^(.)\1$")
    assert expression.found_in("aA", Budget())
    with pytest.raises(Undecided, match="ignores case"):
        expression.found_in("s\u017f", Budget())


def test_the_search_is_heeding_before_every_slow_text() -> None:
    def stopped() -> None:
        raise Interrupted(15)

    with pytest.raises(Interrupted):
        Expression(SLOW).found_in("xxy", Budget(check_stop=stopped))


def test_other_threads_go_on_meanwhile() -> None:
    ticks: list[None] = []
    done = threading.Event()

    def tick() -> None:
        while not done.wait(0.001):
            ticks.append(None)

    beside = threading.Thread(target=tick)
    beside.start()
    with pytest.raises(Undecided):
        Expression(SLOW).found_in(NEARLY, Budget(each=0.2))
    done.set()
    beside.join()
    assert len(ticks) > 5


def test_a_glob_of_many_stars_takes_no_time_to_speak_of() -> None:
    assert Pattern("*a" * 200 + "b").matches("a" * 5_000, Budget(each=0, altogether=0)) is False


def test_half_a_surrogate_pair_is_searched_like_re_does() -> None:
    assert Expression("^[^a]-[0-9]$").found_in("\ud83d-1", Budget())


# What a run makes of it


STUCK = Pattern(f"/{SLOW}/")
EXPIRES = Expire(timedelta(days=14))
CAREFUL = Policy("careful", Match(name=(STUCK,)), EXPIRES)
GREEDY = Policy("greedy", Match(name=(Pattern("*"),)), EXPIRES)


def decided(policies: list[Policy], *images: Image, budget: Budget | None = None) -> list[Decision]:
    budget = budget or Budget(each=0.01)
    return decide(images, policies, Usage(), {}, NOW, target="prod", zone=UTC, budget=budget)


@pytest.mark.parametrize(
    ("match", "facts", "what"),
    [
        pytest.param(Match(name=(STUCK,)), {"name": NEARLY}, "name", id="name"),
        pytest.param(Match(tags=(STUCK,)), {"tags": ("a", NEARLY)}, "tags", id="tags"),
        pytest.param(Match(owner=(STUCK,)), {"owner": NEARLY}, "owner", id="owner"),
        pytest.param(
            Match(properties=(("os", (STUCK,)),)), {"properties": {"os": NEARLY}}, "property os", id="property"
        ),
        pytest.param(Match(exclude=Match(name=(STUCK,))), {"name": NEARLY}, "name", id="not"),
    ],
)
def test_an_image_of_which_it_cannot_be_told_is_kept(match: Match, facts: dict[str, Any], what: str) -> None:
    policies = [Policy("careful", match, EXPIRES), GREEDY]
    stuck, other = decided(policies, make_image(id="a", **facts), make_image(id="b", tags=(), owner="x", properties={}))
    assert (stuck.verdict, stuck.policy, stuck.reason) == (Verdict.KEEP, None, Reason.UNMATCHED)
    assert stuck.detail == (f"it is unknown whether policy careful matches it: /{SLOW}/ took too long on its {what}")
    assert other.verdict is Verdict.DELETE


def test_an_image_whose_family_cannot_be_told_is_kept() -> None:
    keep = Keep(Family(f"name:/{SLOW}/"), newest=1)
    [stuck] = decided([replace(GREEDY, keep=keep)], make_image(NEARLY))
    assert (stuck.verdict, stuck.reason) == (Verdict.KEEP, Reason.NO_FAMILY)
    assert stuck.detail == f"its family is unknown: /{SLOW}/ took too long on its name"


def test_deciding_ends_when_it_is_told_to() -> None:
    def stopped() -> None:
        raise Interrupted(15)

    with pytest.raises(Interrupted):
        decided([CAREFUL], make_image(), budget=Budget(check_stop=stopped))


def test_check_names_what_is_not_linear(desk: Desk, line_of: Callable[[str, str], str]) -> None:
    desk.write("janitor.yaml", "targets: [{name: prod, appkey: a, username: b, password: c}]\n")
    desk.write(
        "policies/slow.yaml",
        f"""policies:
  - {{name: slow, match: {{name: ['/{SLOW}/', '/^(a+)+$/']}}, expire: {{after: 14d}}}}
  - {{name: family, match: {{name: "b*"}}, expire: {{after: 14d}}, keep: {{newest: 1, per: 'name:/^(?:(b)-?)+$/'}}}}
""",
    )
    said = desk.janitor("check").stdout
    assert line_of(said, "note: slow: ").endswith("whether it matches, and the images concerned are kept")
    assert f"match.name: matching /{SLOW}/ may take more than linear time" in line_of(said, "note: slow: ")
    assert "keep.per: matching /^(?:(b)-?)+$/ may take more than linear time" in line_of(said, "note: family: ")


def surveyed(desk: Desk) -> bool:
    """Whether a run has recorded a survey: it decides next."""
    try:
        with closing(sqlite3.connect(f"file:{desk.folder / 'sandbox.db'}?mode=ro", uri=True)) as database:
            return bool(database.execute("SELECT count(*) FROM surveys").fetchone()[0])
    except sqlite3.OperationalError:
        return False


def test_a_run_whose_expressions_take_long_ends_when_it_is_told_to(sandbox_desk: Desk) -> None:
    """Python's own expressions would hold on to the interpreter, and no signal would be looked at."""
    waiting = threading.Event()
    sandbox_desk.write(
        "policies/old.yaml",
        r"""policies: [{name: stuck, match: {name: '/^(?=(?:.|.|.|.|.|.|.|.)+(?<!.))/'}, expire: {after: 14d}}]""",
    )
    process = subprocess.Popen(
        sandbox_desk.command("run", "-v"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **sandbox_desk.settings_for_process(),
    )
    try:
        assert any(surveyed(sandbox_desk) or waiting.wait(0.05) for _ in range(800)), "nothing was surveyed"
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=40)
    finally:
        process.kill()
    assert process.returncode == 143, errors
    assert "Traceback" not in errors
