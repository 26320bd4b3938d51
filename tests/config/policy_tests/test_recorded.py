"""Tests of policies that are written from recorded runs: they hold, and tell nothing of ids, owners and people."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from janitor.config.policy_tests import read_test
from janitor.config.policy_tests.making import Footing
from janitor.config.policy_tests.recorded.choosing import Recorded, recorded
from janitor.config.policy_tests.recorded.text import expectation, flow
from janitor.core.basis import Basis
from janitor.core.decision import Decision, Reason
from janitor.core.image import CONTRADICTED, MISSING, UNSEEN, Image, Sharing, Status
from janitor.core.memory import Exemption, History, Memory, Notice, Refusals
from janitor.core.names.image_ids import folded
from janitor.core.names.wire_keys import WireKeys
from janitor.core.planning.plan import Limits
from janitor.core.policy import Clock, Expire, Match, Pattern, Policy
from janitor.core.policy_tests.cases import Judged
from janitor.core.policy_tests.judging import judged
from janitor.core.replay.inputs import Night, decided
from janitor.core.retention import Family, Keep
from janitor.core.usage import Usage, User, UserKind
from janitor.documents import parse_document
from tests.config.policy_tests.any_night import ID_BEGINS, MEMORY, a_night
from tests.factories import DAY, NOW, image_called, make_image

ID = f"{ID_BEGINS}10"
CI = Policy("ci", Match(name=(Pattern("ci-*"),), status=frozenset({Status.ACTIVE})), Expire(14 * DAY))
KEEPING = replace(CI, keep=Keep(Family("policy"), newest=2))
USED = replace(CI, expire=Expire(14 * DAY, Clock.LAST_USED))
NOTICING = replace(CI, notice=7 * DAY)


def night_of(images: Sequence[Image], **facts: Any) -> Night:
    ordinary = Night(("prod",), images, Usage(), {}, NOW, UTC, Memory(usage_memory=MEMORY), {}, WireKeys())
    return replace(ordinary, **facts)


def basis_of(policies: Sequence[Policy], exemptions: Sequence[Exemption] = (), memory: timedelta = MEMORY) -> Basis:
    return Basis(tuple(policies), tuple(exemptions), UTC, memory, Limits(100, 50.0), 30.0, False)


def record_of(night: Night, *policies: Policy, name: str = "*") -> Recorded:
    basis = basis_of(policies, memory=night.memory.usage_memory)
    decisions = decided(night, policies)
    return recorded(night, basis, decisions, lambda image: Pattern(name).matches(image.name) is True, "Recorded.")


def read_back(made: Recorded, *policies: Policy) -> list[Judged]:
    document = parse_document("x.test.yaml", made.text.encode())
    test = read_test(document, policies, Footing(UTC, timedelta()))
    return list(judged(test, policies).judged)


def parsed(made: Recorded) -> Mapping[str, Any]:
    value: dict[str, Any] = yaml.load(made.text, yaml.BaseLoader)
    return value


def only_image(made: Recorded) -> Mapping[str, Any]:
    [image] = parsed(made)["images"]
    found: dict[str, Any] = image
    return found


def test_an_ordinary_image_is_its_name_and_its_age() -> None:
    made = record_of(night_of([make_image("ci-1", age=20 * DAY, id=ID, owner="kim", properties={"by": "kim"})]), CI)
    assert parsed(made) == {
        "now": "2026-11-23T03:00:00Z",
        "timezone": "UTC",
        "usage_memory": "3d",
        "target": "prod",
        "images": [{"name": "ci-1", "age": "20d"}],
        "expect": {"ci-1": {"delete": "ci"}},
    }
    assert made.text.startswith("# Recorded.\n")
    assert "kim" not in made.text
    assert ID not in made.text


@pytest.mark.parametrize(
    ("facts", "written", "expected"),
    [
        ({"protected": True}, {"protected": "true"}, {"keep": "protected"}),
        ({"owned": False, "owner": "abc"}, {"owned": "false"}, {"keep": "not-owned"}),
        ({"public": True, "visibility": "community"}, {"visibility": "community"}, {"keep": "public"}),
        ({"public": True, "visibility": None}, {"public": "true"}, {"keep": "public"}),
        ({"status": "queued"}, {"status": "queued"}, {"keep": "unmatched"}),
        ({"status": "unheard-of"}, {"unknown": ["status"]}, {"keep": "unknown-status"}),
        ({"created_at": None, "age": None}, {"unknown": ["created"]}, {"keep": "undated"}),
        (
            {"unreadable": {UNSEEN: f"403 for {ID}"}},
            {"unreadable": {"id": "something else"}},
            {"keep": "unsettled-record"},
        ),
        (
            {"size": None, "unreadable": {"size": f"{CONTRADICTED}1 and as 2"}},
            {"unreadable": {"size": f"{CONTRADICTED}one value and as another"}},
            {"keep": "unsettled-record"},
        ),
        ({"unreadable": {"size": MISSING}}, {"unreadable": {"size": MISSING}}, {"delete": "ci"}),
    ],
)
def test_facts_that_decide_are_written(
    facts: dict[str, Any], written: dict[str, Any], expected: Mapping[str, str]
) -> None:
    facts.pop("age", None)
    made = record_of(night_of([make_image("ci-1", age=20 * DAY, id=ID, **facts)]), CI)
    image = only_image(made)
    assert {key: value for key, value in image.items() if key not in ("name", "age")} == written
    assert parsed(made)["expect"]["ci-1"] == expected


def test_users_have_names_that_tell_nothing() -> None:
    images = [image_called("ci-1"), image_called("ci-2")]
    users = (User("s-1", "kims-server"), User("v-1", "kims-disk", UserKind.VOLUME))
    usage = {
        folded("ci-1"): users,
        folded("ci-2"): (users[0], User("t-1", "/home/kim/main.tf", UserKind.REFERENCE)),
    }
    made = record_of(night_of(images, usage=Usage(usage)), CI)
    assert [image.get("in_use") for image in parsed(made)["images"]] == [["instance-1", "volume-1"], ["instance-1"]]
    assert parsed(made)["images"][1]["referenced"] == ["reference-1"]
    assert "kim" not in made.text


@pytest.mark.parametrize(
    ("history", "policy", "expected"),
    [
        (History(NOW, last_in_use=NOW - DAY, last_held=NOW - DAY), CI, {"keep": "recently-used"}),
        (History(NOW, last_in_use=NOW - 9 * DAY, last_held=NOW - 9 * DAY), CI, {"keep": "recently-used"}),
        (History(NOW, NOW - 30 * DAY, None, NOW - DAY, None, NOW), CI, {"delete": "ci"}),
        (History(NOW, NOW - 30 * DAY, None, NOW - DAY, None, NOW), USED, {"keep": "too-young", "due": "2026-12-06"}),
        (History(NOW, NOW - 30 * DAY), USED, {"delete": "ci"}),
        (History(NOW, NOW - 3 * DAY), USED, {"keep": "too-young", "due": "2026-12-04"}),
        (History(NOW), USED, {"keep": "too-young"}),
    ],
    ids=[
        "used-lately",
        "used-in-the-last-survey",
        "by-what-is-deleted",
        "clock-of-use",
        "never-used",
        "watched-for-days",
        "never-watched",
    ],
)
def test_uses_of_the_past_are_written(history: History, policy: Policy, expected: Mapping[str, str]) -> None:
    made = record_of(night_of([image_called("ci-1")], history={"ci-1": history}), policy)
    found = dict(parsed(made)["expect"]["ci-1"])
    assert found.pop("policy", "ci") == "ci"
    if history.watched_since is None and policy is USED:
        found.pop("due", None)
    assert found == expected
    assert not made.unlike


@pytest.mark.parametrize(
    ("memory", "expected"),
    [
        (Memory(notices={"ci-1": Notice("ci", 7 * DAY, NOW - 8 * DAY, NOW - DAY)}), {"delete": "ci"}),
        (
            Memory(notices={"ci-1": Notice("ci", 7 * DAY, NOW - 5 * DAY, NOW + 2 * DAY)}),
            {"wait": "ci", "reason": "notice", "due": "2026-11-25"},
        ),
        (Memory(), {"wait": "ci", "reason": "notice", "due": "2026-11-30"}),
        (
            Memory(refusals={"ci-1": Refusals(2, NOW - DAY, "kim said no")}),
            {"wait": "ci", "reason": "refused", "due": "2026-11-25"},
        ),
        (
            Memory(exemptions={"ci-1": Exemption("ci-1", NOW + DAY, "kim wants it", "kim")}),
            {"keep": "exempt"},
        ),
    ],
    ids=["announced", "waiting", "unannounced", "rejected", "exempt"],
)
def test_what_was_known_of_images_is_written(memory: Memory, expected: Mapping[str, str]) -> None:
    made = record_of(night_of([image_called("ci-1")], memory=memory), NOTICING)
    assert parsed(made)["expect"]["ci-1"] == expected
    assert "kim" not in made.text
    assert not made.unlike


def test_sharing_is_written_without_ids() -> None:
    sharing = {"ci-1": Sharing(accepted=("p1",)), "ci-2": Sharing(problem="503"), "ci-3": Sharing(pending=("p1", "p2"))}
    made = record_of(night_of([image_called(f"ci-{n}") for n in (1, 2, 3)], sharing=sharing), CI)
    first, second, third = parsed(made)["images"]
    assert (first["shared_with"], second["unknown"]) == (["project-1"], ["sharing"])
    assert third["offered_to"] == ["project-1", "project-2"]
    reasons = [str(each.decision.reason) for each in read_back(made, CI)]
    assert reasons == ["shared", "shared", "expired"]


def test_only_properties_and_tags_that_policies_ask_for_are_written() -> None:
    asking = Match(properties=(("os", (Pattern("linux"),)),), tags=(Pattern("ci"),))
    policy = Policy(
        "ci", Match(name=(Pattern("*"),), exclude=asking), Expire(14 * DAY), Keep(Family("property:line"), 1)
    )
    image = image_called("ci-1", properties={"os": "linux", "by": "kim", "line": "web"}, tags=("kim", "ci"))
    image_written = only_image(record_of(night_of([image]), policy))
    assert (image_written["properties"], image_written["tags"]) == ({"os": "linux", "line": "web"}, ["ci"])


def test_an_owner_is_written_only_where_a_policy_names_it() -> None:
    policy = replace(CI, match=Match(owner=(Pattern("abc"),)))
    images = [image_called("ci-1", owner="abc"), image_called("ci-2", owner="xyz")]
    made = record_of(night_of(images), policy)
    assert [image["owner"] for image in parsed(made)["images"]] == ["abc", "project-1"]


def test_images_of_one_name_get_ids_of_their_own() -> None:
    images = [make_image("ci-1", id=f"{ID[:-1]}{n}", age=n * 10 * DAY) for n in (1, 2)] + [make_image(None, id=ID)]
    made = record_of(night_of(images), CI, name="ci-*")
    assert [image["id"] for image in parsed(made)["images"]] == ["image-00001", "image-00002"]
    assert ID[:-1] not in made.text


def test_an_image_without_a_name_is_recorded_with_all() -> None:
    night = night_of([make_image(None, id=ID), make_image("image-00001", id="x")])
    made = recorded(night, basis_of([CI]), decided(night, [CI]), lambda _: True, "")
    assert sorted(image["id"] for image in parsed(made)["images"]) == ["test-image-00001", "test-image-00002"]
    assert not made.unlike


def test_others_are_taken_only_where_the_decision_depends_on_them() -> None:
    images = [image_called(f"ci-{n}", days=20 + n) for n in range(5)] + [image_called("web-1")]
    alone = record_of(night_of(images), CI, name="ci-3")
    assert (alone.chosen, alone.others) == (1, 0)
    with_family = record_of(night_of(images), KEEPING, name="ci-3")
    assert (with_family.chosen, with_family.others) == (1, 4)
    expected = parsed(with_family)["expect"]
    assert expected.pop("ci-3") == {"delete": "ci"}
    assert set(expected.values()) == {"any"}


def test_a_needed_kernel_is_recorded_with_what_needs_it() -> None:
    other = f"{ID[:-1]}7"
    kernel = make_image("ci-kernel", id=ID, disk_format="aki")
    machine = make_image("web-1", id=other, disk_format="ami", properties={"kernel_id": ID})
    made = record_of(night_of([kernel, machine, image_called("web-2")]), CI, name="ci-*")
    assert (made.chosen, made.others, made.unlike) == (1, 1, ())
    assert {"keep": "needed"} in parsed(made)["expect"].values()
    assert ID not in made.text


@pytest.mark.parametrize("form", ["{0}, {1}", "{{{1}}} {0}", "id={1}", "{0}{1}", "glance://images/{1}\n{0}"])
def test_no_form_of_a_kernel_leaks_an_id(form: str) -> None:
    ids = (f"{ID[:-1]}8", f"{ID[:-1]}9")
    for spelled in (ids, tuple(each.upper() for each in ids), tuple(each.replace("-", "") for each in ids)):
        machine = make_image("ci-1", disk_format="ami", properties={"kernel_id": form.format(*spelled)})
        made = record_of(night_of([machine]), CI)
        assert made.unlike == ()
        assert not [each for each in (*ids, *spelled) if each.lower() in made.text.lower()]


def test_fractions_of_seconds_are_written_only_where_they_decide() -> None:
    now = NOW + timedelta(microseconds=700_000)
    edge = make_image("ci-1", age=14 * DAY, created_at=NOW - 14 * DAY + timedelta(microseconds=500_000))
    usual = make_image("ci-2", created_at=NOW - 20 * DAY)
    assert only_image(record_of(night_of([usual], now=now), CI))["age"] == "20d"
    made = record_of(night_of([edge], now=now), CI)
    assert only_image(made)["created"] == "2026-11-09T03:00:00.500000Z"
    assert not made.unlike


def test_what_cannot_be_repeated_is_said_and_expected_as_anything() -> None:
    earlier = Notice("other", 9 * DAY, NOW - DAY, NOW + 8 * DAY)
    made = record_of(night_of([image_called("ci-1")], memory=Memory(notices={"ci-1": earlier})), CI)
    assert [each.reason for each in made.unlike] == [Reason.NOTICE]
    assert made.text.endswith("  ci-1: any  # the run decided wait (notice)\n")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_survives(text: str) -> None:
    document = parse_document(
        "x", f"a: {flow([text])}\nc: {flow({text: text})}\nb:\n{expectation(text, text)}".encode()
    )
    assert document.data == {"a": [text], "c": {text: text}, "b": {text: text}}


@pytest.mark.parametrize(
    "text", ["1e5", "0x1", "yes", "No", "null", "~", "12", "1_000", "-", "", "20d", "ci-1", "a: b"]
)
def test_no_reader_of_yaml_takes_a_name_for_something_else(text: str) -> None:
    assert yaml.safe_load(f"a: {flow(text)}") == {"a": text}


# Any night


@given(st.integers(0, 2**32))
def test_a_test_of_all_images_of_any_night_holds_and_repeats_its_decisions(seed: int) -> None:
    night, policies = a_night(seed)
    decisions = decided(night, policies)
    basis = basis_of(policies, memory=night.memory.usage_memory)
    made = recorded(night, basis, decisions, lambda _: True, "Recorded.")
    cases = read_back(made, *policies)
    assert all(each.holds for each in cases)
    assert len(cases) == len(night.images)
    assert [each for each in made.unlike if not is_beyond_tests(each, policies)] == []
    assert ID_BEGINS not in made.text
    assert "kim" not in made.text


@given(st.integers(0, 2**32))
def test_a_test_of_some_images_of_any_night_repeats_these_decisions(seed: int) -> None:
    night, policies = a_night(seed)
    decisions = decided(night, policies)
    basis = basis_of(policies, memory=night.memory.usage_memory)
    chosen = {image.id for image in night.images[::2]}
    made = recorded(night, basis, decisions, lambda image: image.id in chosen, "Recorded.")
    assert all(each.holds for each in read_back(made, *policies))
    assert {each.image.id for each in made.unlike} <= chosen
    assert [each for each in made.unlike if not is_beyond_tests(each, policies)] == []


def is_beyond_tests(decision: Decision, policies: Sequence[Policy]) -> bool:
    """Whether it waits for a date that was announced when a notice was longer, or by another policy that had one."""
    without = [policy.name for policy in policies if not policy.notice]
    return decision.reason is Reason.NOTICE and decision.policy in without


@pytest.mark.parametrize("name", ["a" * 1_030, "\u200b" * 255, "\x1b" * 255, "a" * 1_000, "a" * 998 + '"'])
def test_a_name_of_any_length_is_a_key_of_yaml(name: str) -> None:
    line = expectation(name, {"keep": "pinned"}, "the run decided so")
    text = f"expect:\n{line}at: {flow({name: 'x', 'b': 'y'})}\n"
    document = parse_document("x.test.yaml", text.encode())
    assert document.data == {"expect": {name: {"keep": "pinned"}}, "at": {name: "x", "b": "y"}}
    assert document.line(("expect", name)) == 2
