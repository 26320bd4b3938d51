"""Tests of policies: which expectations fail and what was decided instead, as lines, as JSON, and as JUnit's XML."""

from collections.abc import Iterator
from datetime import tzinfo
from typing import Any
from xml.etree import ElementTree as ET

from janitor.core.policy_tests.cases import Expected, Judged, JudgedFile, Tested
from janitor.core.units import counted, format_minute, iso_or_none, some_of
from janitor.escaping import visible

_SUITES = "janitor test"
_UNTESTED = "policies without a test"
_NAMED = 20


def lines_of(tested: Tested) -> Iterator[str]:
    """For people: a line for each expectation that fails, one for policies without tests, and the count."""
    yield from failing_lines(tested)
    yield from idle_lines(tested)
    if tested.unexercised:
        yield untested_line(tested)
    yield total_of(tested)


def untested_line(tested: Tested) -> str:
    """The first of the policies that no test exercises, and how many more there are."""
    return f"no test has an image of {visible(some_of(tested.unexercised, _NAMED))}"


def failing_lines(tested: Tested) -> Iterator[str]:
    """A line for each expectation that fails, with its file and line, and the sentence of the decision."""
    for file in tested.files:
        yield from (f"{_place(file, each)}: {visible(_sentence(each, zone=file.zone))}" for each in file.failing)


def idle_lines(tested: Tested) -> Iterator[str]:
    """A line for each file that can never fail."""
    yield from (
        f"{visible(file.file)}: expects nothing: `any` always holds" for file in tested.files if file.expects_nothing
    )


def total_of(tested: Tested) -> str:
    """How many expectations hold, and how many fail: `41 expectations hold, 1 fails in 3 files`."""
    holding = f"{counted(tested.holding, 'expectation')} {_verb('hold', tested.holding)}"
    failing = f", {tested.failing:,} {_verb('fail', tested.failing)}" if tested.failing else ""
    return f"{holding}{failing} in {counted(len(tested.files), 'file')}"


def json_of(tested: Tested) -> dict[str, Any]:
    """For programs: every expectation of every file."""
    return {
        "holding": tested.holding,
        "failing": tested.failing,
        "unexercised": list(tested.unexercised),
        "files": [{"file": file.file, "expectations": list(map(_object, file.judged))} for file in tested.files],
    }


def junit_of(tested: Tested) -> str:
    """The XML that CI servers read as a report of tests: a suite for each file, a case for each expectation.

    A policy that no test exercises is a case that was skipped, in a suite of such.
    """
    skipped = len(tested.unexercised)
    counts = {"tests": str(tested.holding + tested.failing + skipped), "failures": str(tested.failing)}
    root = ET.Element("testsuites", {"name": _SUITES, **counts}, errors="0", skipped=str(skipped))
    for file in tested.files:
        named = {"name": visible(file.file), "tests": str(len(file.judged)), "failures": str(len(file.failing))}
        suite = ET.SubElement(root, "testsuite", named, errors="0", skipped="0")
        for each in file.judged:
            _add_case(suite, file, each)
    if skipped:
        named = {"name": _UNTESTED, "tests": str(skipped), "failures": "0"}
        suite = ET.SubElement(root, "testsuite", named, errors="0", skipped=str(skipped))
        for policy in tested.unexercised:
            case = ET.SubElement(suite, "testcase", name=visible(policy), classname=_UNTESTED, time="0")
            ET.SubElement(case, "skipped", message="no test has an image of this policy")
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=False)


def _add_case(suite: ET.Element, file: JudgedFile, judged: Judged) -> None:
    named = {"name": visible(judged.case.label), "classname": visible(file.file), "file": visible(file.file)}
    if judged.case.line is not None:
        named["line"] = str(judged.case.line)
    case = ET.SubElement(suite, "testcase", named, time="0")
    if not judged.holds:
        message = visible(_sentence(judged, zone=file.zone))
        failure = ET.SubElement(case, "failure", message=message, type="unexpected")
        failure.text = f"{_place(file, judged)}: {message}"


def _place(file: JudgedFile, judged: Judged) -> str:
    place = file.file if judged.case.line is None else f"{file.file}:{judged.case.line}"
    return visible(place)


def _sentence(judged: Judged, *, zone: tzinfo) -> str:
    decision = judged.decision
    due = None if decision.due is None else format_minute(decision.due, zone)
    decided = _words(decision.verdict, decision.reason, judged.owner, due)
    return f"{judged.case.label}: expected {_expected(judged.case.expected)}; decided {decided}: {decision.detail}"


def _expected(expected: Expected) -> str:
    due = None if expected.due is None else expected.due.text
    return _words(expected.verdict or "any verdict", expected.reason, expected.policy, due)


def _words(verdict: str, reason: str | None, policy: str | None, due: str | None) -> str:
    """A decision, or a part of one: `keep (too-young), policy ci-images, due 2026-06-02 00:00Z`."""
    named = f"{verdict} ({reason})" if reason else str(verdict)
    return ", ".join(filter(None, (named, policy and f"policy {policy}", due and f"due {due}")))


def _verb(word: str, count: int) -> str:
    return f"{word}s" if count == 1 else word


def _object(judged: Judged) -> dict[str, Any]:
    expected, decision = judged.case.expected, judged.decision
    return {
        "image": judged.case.label,
        "line": judged.case.line,
        "holds": judged.holds,
        "expected": {
            "verdict": expected.verdict,
            "reason": expected.reason,
            "policy": expected.policy,
            "due": None if expected.due is None else expected.due.text,
        },
        "decided": {
            "verdict": decision.verdict,
            "reason": decision.reason,
            "policy": judged.owner,
            "due": iso_or_none(decision.due),
            "detail": decision.detail,
        },
    }
