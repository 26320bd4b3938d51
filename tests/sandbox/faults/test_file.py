"""A faults file: what it may say, what is wrong with one, and who takes it: the command, and the endpoint."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.errors import ConfigurationError
from janitor.sandbox.calls import CALLS, Api
from janitor.sandbox.faults import Fault, Faults, Rule, faults_of, reach
from janitor.sandbox.faults.file import load_faults, parse_faults, written
from janitor.sandbox.flags import options_from
from tests.conftest import Desk
from tests.documentation import blocks, document
from tests.sandbox.compute_v1.client import Client
from tests.sandbox.faults.rules import one
from tests.sandbox.ways import printed

# The file


EVERYTHING = """\
seed: 7
faults:
  - {fault: http-error, status: 502, probability: 0.05}
  - {fault: result-code, code: -1, at: [2, 5], call: list-images}
  - {fault: too-many-requests, retry_after: 3s, at: 4}
  - {fault: cut-off-body, call: [list-images, detail-instances], probability: 0.1, times: 2}
  - {fault: foreign-body, call: any, times: 1}
  - {fault: dropped-connection, probability: 0}
  - {fault: delay, delay: 1m30s, probability: 1}
  - {fault: dead-token, call: delete-image, at: [3]}
  - {fault: vanished-marker, at: [2]}
  - {fault: repeated-page, at: [2]}
  - {fault: truncated-list, at: [3], lasting: 1h}
  - {fault: empty-instances, at: [1]}
  - {fault: unreadable-reference, status: 503}
  - {fault: deletion-not-done, at: [1]}
  - {fault: deletion-unacknowledged, at: [2]}
  - {fault: clock-off, offset: -10m}
"""


def test_every_fault_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text(EVERYTHING)
    faults = load_faults(path)
    assert faults.seed == 7
    assert [rule.fault for rule in faults.rules] == list(faults_of(Api.TOAST))
    assert faults.rules[1] == Rule(Fault.RESULT_CODE, frozenset({"list-images"}), frozenset({2, 5}), code=-1)
    assert faults.rules[2].retry_after == timedelta(seconds=3)
    assert faults.rules[4] == Rule(Fault.FOREIGN_BODY, times=1)
    assert faults.rules[6].delay == timedelta(seconds=90)
    assert faults.rules[10].lasting == timedelta(hours=1)
    assert faults.rules[15].offset == timedelta(minutes=-10)
    assert options_from({"faults": str(path)}).faults == faults


def test_the_example_in_the_documents_loads_and_its_table_is_complete() -> None:
    page = document("docs/sandbox.md")
    [example] = [block for block in blocks("yaml", page) if "\nfaults:" in block]
    assert len(parse_faults("docs/sandbox.md", example.encode()).rules) == 6
    table = page.partition("| fault | what happens |")[2].partition("\n\n")[0]
    assert set(Fault) <= set(re.findall(r"`([a-z-]+)`", table))
    assert {call for calls in CALLS.values() for call in calls} <= set(re.findall(r"`([a-z-]+)`", page))


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{fault: http-eror}", 'faults[1].fault: "http-eror" is not a fault, did you mean "http-error"?'),
        ("{at: [1]}", "faults[1].fault: is missing: say which, one of http-error, result-code"),
        (
            "{fault: delay, delay: 2s, probabilty: 0.1}",
            'faults[1].probabilty: unknown key, did you mean "probability"?',
        ),
        ("{fault: delay, delay: 2}", "faults[1].delay: is a number: write a duration with its unit, like 30s or 2m"),
        ("{fault: delay, delay: 0s}", 'faults[1].delay: "0s" must be greater than zero'),
        ("{fault: delay, delay: soon}", 'faults[1].delay: "soon" is not a duration like 30s or 2m'),
        ("{fault: clock-off, offset: -999999w}", 'faults[1].offset: "999999w" is longer than a hundred years'),
        ("{fault: delay}", "faults[1]: delay needs the key `delay`"),
        ("{fault: result-code}", "faults[1]: result-code needs the key `code`"),
        ("{fault: result-code, code: 0}", "faults[1].code: 0 is success"),
        ("{fault: clock-off}", "faults[1]: clock-off needs the key `offset`"),
        ("{fault: clock-off, offset: --1h}", 'faults[1].offset: "-1h" is not a duration'),
        ("{fault: http-error, status: 302}", "faults[1].status: 302 is not 200, nor an error from 400 to 599"),
        ("{fault: http-error, code: -1}", "faults[1].code: does not go with http-error, only with result-code"),
        (
            "{fault: delay, delay: 1s, status: 500}",
            "faults[1].status: does not go with delay, only with http-error",
        ),
        ("{fault: http-error, call: list-image}", 'faults[1].call: "list-image" is not a call, did you mean "list-im'),
        (
            "{fault: repeated-page, call: delete-image}",
            "faults[1].call: repeated-page does not apply to delete-image",
        ),
        ("{fault: http-error, at: [1, 0]}", "faults[1].at[1]: must be at least 1"),
        ("{fault: http-error, at: []}", "faults[1].at: must not be empty"),
        ("{fault: http-error, at: [1], probability: 0.5}", "faults[1].probability: is given beside `at`"),
        ("{fault: http-error, probability: 1.5}", "faults[1].probability: must be at most 1"),
        ("{fault: http-error, probability: -0.5}", "faults[1].probability: must be at least 0"),
        ("{fault: http-error, times: 0}", "faults[1].times: must be at least 1"),
        ("{fault: http-error, lasting: }", "faults[1].lasting: is empty"),
        ("http-error", "faults[1]: is text: write keys and values, like key: value"),
        ("{fault: http-error, fault: delay}", "faults[1].fault: is given twice, first in line 4"),
    ],
)
def test_a_wrong_file_is_told_with_its_line_and_key(tmp_path: Path, line: str, problem: str) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text(f"seed: 1\nfaults:\n  - {{fault: http-error}}\n  - {line}\n")
    with pytest.raises(ConfigurationError) as caught:
        load_faults(path)
    [found] = caught.value.problems
    assert str(found).startswith(f"{path}:4: {problem}")
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        ("seed: 1\n", "faults: is missing: a faults file holds a list of faults under this key"),
        ("seed: one\nfaults: []\n", "seed: is text: write a whole number"),
        ("faults: [\n", "is not YAML"),
        ("- fault: delay\n", "is a list: write keys and values"),
    ],
)
def test_a_file_that_is_none_is_told_as_well(text: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_faults("faults.yaml", text.encode())
    assert problem in str(caught.value)


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_faults("f", b"seed: x\nfaults:\n  - fault: nonsense\n    times: 0\n  - fault: delay\n")
    assert [problem.line for problem in caught.value.problems] == [1, 3, 4, 5]


def _durations(least: int = 1) -> st.SearchStrategy[timedelta]:
    return st.integers(least, 10**6).map(lambda seconds: timedelta(seconds=seconds))


def _rules(api: Api) -> st.SearchStrategy[Rule]:
    def rule(fault: Fault) -> st.SearchStrategy[Rule]:
        parameters: dict[Fault, dict[str, st.SearchStrategy[Any]]] = {
            Fault.HTTP_ERROR: {"status": st.none() | st.integers(400, 599)},
            Fault.FOREIGN_BODY: {"status": st.sampled_from([None, 200, 502])},
            Fault.RESULT_CODE: {"code": st.integers(-8, -1) if api is Api.TOAST else st.integers(400, 599)},
            Fault.DELAY: {"delay": _durations()},
            Fault.CLOCK_OFF: {"offset": _durations().flatmap(lambda offset: st.sampled_from([offset, -offset]))},
            Fault.TOO_MANY_REQUESTS: {"retry_after": _durations(0)},
        }
        when: st.SearchStrategy[dict[str, Any]] = st.one_of(
            st.fixed_dictionaries({"at": st.frozensets(st.integers(1, 99), min_size=1)}),
            st.fixed_dictionaries({"probability": st.floats(0, 1)}),
        )
        return st.tuples(
            when,
            st.fixed_dictionaries(
                {
                    "calls": st.frozensets(st.sampled_from(sorted(reach(fault, api)))),
                    "times": st.none() | st.integers(1, 9),
                    "lasting": st.just(timedelta()) | _durations(),
                    **parameters.get(fault, {}),
                }
            ),
        ).map(lambda both: Rule(fault, **both[0], **both[1]))

    return st.sampled_from(faults_of(api)).flatmap(rule)


@pytest.mark.parametrize("api", list(Api))
@given(st.integers(), st.data())
def test_what_is_written_is_read_back(api: Api, seed: int, data: st.DataObject) -> None:
    faults = Faults(seed, tuple(data.draw(st.lists(_rules(api), max_size=4))))
    assert parse_faults("faults", json.dumps(written(faults)).encode(), api) == faults


# The endpoint, and the command


def endpoint(client: Client) -> str:
    return str(httpx.URL(client.sandbox.url).join("/sandbox/faults"))


def test_faults_are_read_set_and_ended_while_the_sandbox_runs(client: Client) -> None:
    url = endpoint(client)
    assert client.http.get(url).json() == {"seed": 0, "faults": []}
    sent = {"seed": 3, "faults": [{"fault": "result-code", "code": -6, "at": [1], "call": ["list-images"]}]}
    assert client.http.put(url, json=sent).json() == sent
    assert client.http.get(url).json() == sent
    assert [client.code("GET", "/images") for _ in range(2)] == [-6, 0]
    assert client.http.put(url, content=EVERYTHING.encode()).status_code == 200
    assert client.sandbox.faults.seed == 7
    assert client.http.delete(url).json() == {"seed": 0, "faults": []}
    assert {one.name for one in client.sandbox.requests} == {"issue-token", "list-images"}


def test_wrong_faults_are_refused_and_change_nothing(client: Client) -> None:
    before = client.sandbox.faults = one(Fault.HTTP_ERROR, 9)
    for content, problem in (
        (
            b'{"faults": [{"fault": "dealy"}]}',
            'faults:1: faults[0].fault: "dealy" is not a fault, did you mean "delay"?',
        ),
        (b"", "faults:1: is empty"),
        (b"\xff", "faults:1: is not UTF-8 text"),
    ):
        answer = client.http.put(endpoint(client), content=content)
        assert (answer.status_code, answer.json()) == (400, {"problems": [problem]})
    assert client.sandbox.faults is before


def test_the_command_takes_a_faults_file(desk: Desk) -> None:
    desk.write("faults.yaml", "faults:\n  - {fault: http-error, status: 500, call: issue-token}\n")
    with printed(desk, "endpoint", "--faults", "faults.yaml") as url:
        answer = httpx.post(f"{url}/v1.0/appkeys/any/tokens", trust_env=False)
    assert answer.status_code == 500


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("faults:\n  - fault: empty-instance\n", 'f.yaml:2: faults[0].fault: "empty-instance" is not a fault, did you'),
        (None, "f.yaml: cannot be read: No such file or directory"),
    ],
)
def test_the_command_refuses_a_wrong_faults_file(desk: Desk, text: str | None, problem: str) -> None:
    if text is not None:
        desk.write("f.yaml", text)
    result = desk.janitor("sandbox", "--port", "0", "--faults", "f.yaml")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(problem)
