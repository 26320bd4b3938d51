"""The images of tests of policies: what each key does to the decision, and what holds where it is not given."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.config.policy_tests.written import CI, decided, results

DELETED = ("delete", "expired", "x")
POLICY = 'policies: [{name: x, match: {name: "*"}, expire: {after: 14d}}]'
CLOCK = 'policies: [{{name: x, match: {{name: "*"}}, expire: {{after: 14d, since: {}}}}}]'
NOTICE = 'policies: [{name: x, match: {name: "*"}, expire: {after: 14d}, notice: 48h}]'
SEOUL = ZoneInfo("Asia/Seoul")


def policy_for(match: str) -> str:
    return f"policies: [{{name: x, match: {match}, expire: {{after: 14d}}}}]"


def test_an_image_of_which_nothing_is_said_is_ordinary_and_old(tmp_path: Path) -> None:
    assert decided(tmp_path, "{name: x}", POLICY) == DELETED


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        pytest.param("age: 14d", "too-young", id="age"),
        pytest.param("created: 2026-05-18", "too-young", id="created-on-a-day"),
        pytest.param("created: 2026-05-31T23:55:00Z", "newborn", id="created-at-a-time"),
        pytest.param("in_use: web-1", "in-use", id="in-use"),
        pytest.param("in_use: [web-1, web-2]", "in-use", id="in-use-twice"),
        pytest.param("referenced: main.tf", "referenced", id="referenced"),
        pytest.param("last_used: 71h", "recently-used", id="last-used"),
        pytest.param("protected: true", "protected", id="protected"),
        pytest.param("public: true", "public", id="public"),
        pytest.param("visibility: community", "public", id="community"),
        pytest.param("owned: false", "not-owned", id="not-owned"),
        pytest.param("exempt: 2026-06-02", "exempt", id="exempt-until-a-day"),
        pytest.param("exempt: {until: 2026-06-01, why: so}", "exempt", id="exempt-through-today"),
        pytest.param("tags: janitor-keep", "exempt", id="exempt-by-tag"),
        pytest.param("shared_with: [abc]", "shared", id="shared"),
        pytest.param("unknown: sharing", "shared", id="sharing-unknown"),
        pytest.param("unknown: status", "unknown-status", id="status-unknown"),
        pytest.param("unknown: created", "undated", id="creation-unknown"),
        pytest.param("unknown: [tags]", "exempt", id="tags-unknown"),
        pytest.param("unreadable: {id: 403}", "unsettled-record", id="unreadable"),
        pytest.param("status: deleted", "gone", id="gone"),
        pytest.param("status: queued", "unmatched", id="unfinished"),
    ],
)
def test_a_fact_that_keeps_an_image(tmp_path: Path, facts: str, reason: str) -> None:
    verdict, found, _ = decided(tmp_path, f"{{name: x, {facts.replace('403', repr('403'))}}}", POLICY)
    assert (verdict, found) == ("keep", reason)


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param("age: 14d1s", id="age"),
        pytest.param("last_used: 73h", id="used-longer-ago"),
        pytest.param("last_used: 1h, user_deleted: true", id="whose-user-is-deleted"),
        pytest.param("exempt: 2026-05-31", id="exemption-over"),
        pytest.param("offered_to: abc", id="only-offered"),
        pytest.param("refused: 24h", id="refused-a-day-ago"),
        pytest.param("announced: 0m", id="announced-without-a-notice"),
        pytest.param("unknown: [size, disk_format, visibility, owner, os_hidden, updated]", id="unknown"),
    ],
)
def test_a_fact_that_keeps_no_image(tmp_path: Path, facts: str) -> None:
    assert decided(tmp_path, f"{{name: x, {facts}}}", POLICY) == DELETED


@pytest.mark.parametrize(
    ("match", "facts"),
    [
        ("{disk_format: raw}", "disk_format: raw"),
        ("{larger_than: 20GiB}", "size: 21GiB"),
        ("{tags: a}", "tags: [b, a]"),
        ("{properties: {os: linux}}", "properties: {os: linux}"),
        ("{os_hidden: true}", "os_hidden: true"),
        ("{visibility: shared}", "visibility: shared"),
        ("{status: killed}", "status: killed"),
    ],
    ids=lambda text: text,
)
def test_what_policies_ask_for_is_what_the_image_has(tmp_path: Path, match: str, facts: str) -> None:
    assert decided(tmp_path, f"{{name: x, {facts}}}", policy_for(match)) == DELETED
    assert decided(tmp_path, "{name: x}", policy_for(match)) == ("keep", "unmatched", None)


def test_an_owner_is_matched(tmp_path: Path) -> None:
    owned = [
        decided(tmp_path, f"{{name: x, owner: {project}}}", policy_for("{owner: abc}")) for project in ("abc", "b")
    ]
    assert owned == [DELETED, ("keep", "unmatched", None)]


@pytest.mark.parametrize("known", ["size: 1B", "disk_format: other", "tags: []", "owner: us"])
def test_what_is_unknown_is_neither_there_nor_not(tmp_path: Path, known: str) -> None:
    match = "{larger_than: 1GiB, disk_format: raw, tags: a, owner: abc}"
    facts = {"size": "2GiB", "disk_format": "raw", "tags": "[a]", "owner": "abc"}
    key = known.partition(":")[0]
    others = ", ".join(f"{other}: {value}" for other, value in facts.items() if other != key)
    policies = policy_for(match)
    assert decided(tmp_path, f"{{name: x, {others}, {key}: {facts[key]}}}", policies) == DELETED
    assert decided(tmp_path, f"{{name: x, {others}, {known}}}", policies)[1] == "unmatched"
    verdict, reason, owner = decided(tmp_path, f"{{name: x, {others}, unknown: {key}}}", policies)
    assert (verdict, reason, owner) == ("keep", "exempt" if key == "tags" else "unmatched", None)


@pytest.mark.parametrize(
    ("clock", "facts", "reason"),
    [
        ("updated", "updated: 15d", "expired"),
        ("updated", "updated: 13d", "too-young"),
        ("status", "in_status: 15d", "expired"),
        ("status", "in_status: 13d", "too-young"),
        ("last_used", "last_used: 15d", "expired"),
        ("last_used", "last_used: 13d", "too-young"),
        ("last_used", "watched: 13d", "too-young"),
        ("last_used", "watched: 15d", "expired"),
    ],
)
def test_the_clocks(tmp_path: Path, clock: str, facts: str, reason: str) -> None:
    assert decided(tmp_path, f"{{name: x, {facts}}}", CLOCK.format(clock))[1] == reason


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        ("age: 20d", "wait"),
        ("announced: 47h", "wait"),
        ("announced: 48h", "delete"),
        ("announced: 2026-05-30", "delete"),
    ],
)
def test_a_notice_that_has_run_for_so_long(tmp_path: Path, facts: str, verdict: str) -> None:
    assert decided(tmp_path, f"{{name: x, {facts}}}", NOTICE)[0] == verdict


def test_a_long_notice_was_reminded_of_in_time(tmp_path: Path) -> None:
    assert decided(tmp_path, "{name: x, announced: 7d}", NOTICE.replace("48h", "7d"))[0] == "delete"


def test_a_rejection_is_tried_again_later(tmp_path: Path) -> None:
    assert decided(tmp_path, "{name: x, refused: 22h}", POLICY)[:2] == ("wait", "refused")
    assert decided(tmp_path, "{name: x, refused: 2d, refusals: 2}", POLICY)[:2] == ("wait", "refused")


def test_a_date_is_a_day_of_the_time_zone(tmp_path: Path) -> None:
    image = "{name: x, created: 2026-05-18T00:00:00Z}"  # 14 days before the end of the last day of May in UTC
    assert decided(tmp_path, image, POLICY)[1] == "too-young"
    [each] = results(tmp_path, f"{{now: 2026-06-01, images: [{image}], expect: {{x: any}}}}", POLICY, SEOUL)
    assert each.decision.reason == "too-young"
    later = f"{{now: 2026-06-02, timezone: Asia/Seoul, images: [{image}], expect: {{x: {{due: 2026-06-01}}}}}}"
    [each] = results(tmp_path, later, POLICY.replace("14d", "20d"))
    assert each.decision.due == datetime(2026, 6, 7, tzinfo=UTC)


def test_the_usage_memory_of_the_test_counts(tmp_path: Path) -> None:
    test = (
        "{now: 2026-06-01, usage_memory: 10d, images: [{name: x, last_used: 9d}], expect: {x: {keep: recently-used}}}"
    )
    [each] = results(tmp_path, test, POLICY)
    assert each.holds


def test_a_target_is_known_by_its_names(tmp_path: Path) -> None:
    policies = 'policies: [{name: x, match: {targets: "prod-*"}, expire: {after: 14d}}]'
    image = "images: [{name: x}], expect: {x: any}"
    named = [f"{{now: 2026-06-01, target: {each}, {image}}}" for each in ("kr", "[kr, prod-kr]")]
    assert [results(tmp_path, each, policies)[0].decision.verdict for each in named] == ["keep", "delete"]


def test_exemptions_of_policy_files_count_by_name_and_by_id(tmp_path: Path) -> None:
    exempt = "\nexempt: [{images: [ci-1, '77'], until: 2999-01-01, why: so}]\n"
    test = """
    now: 2026-06-01
    images: [{name: ci-1}, {name: ci-2, id: '77'}, {name: ci-3}]
    expect: {ci-1: {keep: exempt}, ci-2: {keep: exempt}, ci-3: delete}
    """
    assert all(each.holds for each in results(tmp_path, test, CI + exempt))


def test_a_kernel_is_needed_by_the_image_that_names_it(tmp_path: Path) -> None:
    test = """
    now: 2026-06-01
    images:
      - {name: ci-kernel, id: k-1, disk_format: aki}
      - {name: golden-1, disk_format: ami, properties: {kernel_id: k-1}}
    expect: {ci-kernel: {keep: needed, policy: ci-images}, golden-1: {keep: pinned}}
    """
    assert all(each.holds for each in results(tmp_path, test))


def test_unknown_properties_may_name_any_kernel(tmp_path: Path) -> None:
    image = "{name: x, disk_format: aki}"
    assert decided(tmp_path, image, POLICY) == DELETED
    other = "{name: y, unknown: properties}"
    test = f"{{now: 2026-06-01, images: [{image}, {other}], expect: {{x: {{keep: needed}}, y: delete}}}}"
    assert all(each.holds for each in results(tmp_path, test, POLICY))


def test_families_are_those_of_the_images_that_are_listed(tmp_path: Path) -> None:
    policies = 'policies: [{name: x, match: {name: "*"}, expire: {after: 14d}, keep: {newest: 1, per: policy}}]'
    test = """
    now: 2026-06-01
    images: [{name: a, age: 20d}, {name: b, age: 30d}]
    expect: {a: {keep: kept-newest, policy: x}, b: {delete: x}}
    """
    assert all(each.holds for each in results(tmp_path, test, policies))
