"""Policy files: what each key becomes, the notices in them, and the policies that are shipped."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from textwrap import dedent, indent

import pytest

from janitor.config.policy_files import load_policies
from janitor.core.image import Status
from janitor.core.policy import Clock, Expire, Match, Pattern, Policy
from janitor.core.retention import Family, Keep, Period
from tests.config.policies import GOOD, WritePolicies, problems_of
from tests.factories import make_image

SHIPPED = Path(__file__).parents[2] / "policies"
FINISHED = frozenset({Status.ACTIVE, Status.DEACTIVATED})


@pytest.fixture
def policy_of(write_policies: WritePolicies) -> Callable[[str], Policy]:
    """The one policy, named x, of these lines."""

    def policy_of(lines: str) -> Policy:
        (policy,) = load_policies(write_policies("a.yaml", "policies:\n  - name: x\n" + indent(dedent(lines), "    ")))
        return policy

    return policy_of


def test_a_policy_with_every_key(write_policies: WritePolicies) -> None:
    path = write_policies(
        "ci.yaml",
        """\
        policies:
          - name: ci-images
            description: CI bakes are rebuilt every night.
            match:
              name: ["ci-*", "/^bake-[0-9]+$/"]
              status: [active, killed]
              disk_format: [qcow2, raw]
              properties: {os_distro: [ubuntu, debian], team: web}
              larger_than: 1GiB
              smaller_than: 2 TB
              targets: ["prod-*"]
              not: {name: "ci-golden-*", not: {disk_format: iso}}
            expire:
              after: 1d12h
              since: last_used
            keep:
              newest: 3
              yearly: 1
              daily: 7
              per: "name:/^(.+)-[0-9]+$/"
            notice: 48h
            channel: "#team-ci"
        """,
    )

    assert load_policies(path) == [
        Policy(
            name="ci-images",
            description="CI bakes are rebuilt every night.",
            match=Match(
                name=(Pattern("ci-*"), Pattern("/^bake-[0-9]+$/")),
                status=frozenset({Status.ACTIVE, Status.KILLED}),
                disk_format=frozenset({"qcow2", "raw"}),
                properties=(
                    ("os_distro", (Pattern("ubuntu"), Pattern("debian"))),
                    ("team", (Pattern("web"),)),
                ),
                larger_than=2**30,
                smaller_than=2 * 10**12,
                targets=(Pattern("prod-*"),),
                exclude=Match(name=(Pattern("ci-golden-*"),), exclude=Match(disk_format=frozenset({"iso"}))),
            ),
            expire=Expire(timedelta(hours=36), Clock.LAST_USED),
            keep=Keep(Family("name:/^(.+)-[0-9]+$/"), newest=3, periods=((Period.DAILY, 7), (Period.YEARLY, 1))),
            notice=timedelta(hours=48),
            channel="#team-ci",
        )
    ]


def test_what_the_configuration_cannot_serve_is_told_with_file_line_policy_and_key(
    write_policies: WritePolicies,
) -> None:
    write_policies("a.yaml", 'policies: [{name: a, match: {name: "channel"}}]')
    path = write_policies("b.yaml", 'policies:\n  - name: b\n    match: {name: "*"}\n    channel: "#b"\n  - nonsense\n')
    problem = "policies/b.yaml:4: b: channel: a webhook posts to one channel only"
    assert problem in problems_of(path, {"channel": "a webhook posts to one channel only"})


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        pytest.param('match: {name: "*"}\nexpire: {after: 1d}', FINISHED, id="finished-where-it-expires"),
        pytest.param('match: {name: "*"}', frozenset(), id="any-where-it-only-keeps"),
        pytest.param("match: {status: queued}\nexpire: {after: 1d}", {Status.QUEUED}, id="given"),
        pytest.param("match: {status: [queued, killed]}", {Status.QUEUED, Status.KILLED}, id="given-without-expire"),
    ],
)
def test_which_statuses_a_policy_looks_at(
    policy_of: Callable[[str], Policy], lines: str, status: frozenset[Status]
) -> None:
    assert policy_of(lines).match.status == status


def test_what_is_excluded_is_so_in_any_status(policy_of: Callable[[str], Policy]) -> None:
    policy = policy_of('match: {name: "*", not: {name: "golden-*"}}\nexpire: {after: 1d}')

    assert policy.match.exclude == Match(name=(Pattern("golden-*"),))


def test_age_is_counted_from_creation_unless_said_otherwise(policy_of: Callable[[str], Policy]) -> None:
    assert policy_of('match: {name: "*"}\nexpire: {after: 1d}').expire == Expire(timedelta(days=1), Clock.CREATED)


@pytest.mark.parametrize(
    ("lone", "listed"),
    [
        ("name: a*", "name: [a*]"),
        ("targets: a*", "targets: [a*]"),
        ("status: killed", "status: [killed]"),
        ("disk_format: raw", "disk_format: [raw]"),
        ("properties: {k: a*}", "properties: {k: [a*]}"),
    ],
)
def test_a_lone_value_is_a_list_of_one(policy_of: Callable[[str], Policy], lone: str, listed: str) -> None:
    assert policy_of(f"match: {{{lone}}}") == policy_of(f"match: {{{listed}}}")


@pytest.mark.parametrize("per", ["policy", "property:os_distro", "property:a:b", "name:/^(?:x-)?(.+)$/"])
def test_the_families_there_are(policy_of: Callable[[str], Policy], per: str) -> None:
    policy = policy_of(f'match: {{name: "*"}}\nkeep: {{newest: 1, per: "{per}"}}')

    assert policy.keep == Keep(Family(per), newest=1)


EXPIRING = 'policies:\n  - name: x\n    match: {name: "*"}\n    expire: {after: 1d}\n'


@pytest.mark.parametrize(
    ("content", "notice"),
    [
        pytest.param(EXPIRING, timedelta(), id="none"),
        pytest.param(f"{EXPIRING}    notice: 3d\n", timedelta(days=3), id="of-the-policy"),
        pytest.param(f"notice: 48h\n{EXPIRING}", timedelta(hours=48), id="of-the-file"),
        pytest.param(f"notice: 48h\n{EXPIRING}    notice: 3d\n", timedelta(days=3), id="the-policy-beats-the-file"),
        pytest.param(f"notice: 48h\n{EXPIRING}    notice: 0h\n", timedelta(), id="the-policy-takes-none"),
        pytest.param(f"notice: 48h\n{EXPIRING}    notice: 0\n", timedelta(), id="a-plain-zero"),
        pytest.param('policies: [{name: x, match: {name: "*"}, notice: 0}]', timedelta(), id="none-where-none-can-be"),
        pytest.param(f"notice: 48h\n{GOOD}", timedelta(), id="a-policy-that-only-keeps-announces-nothing"),
    ],
)
def test_the_notice_of_a_policy(write_policies: WritePolicies, content: str, notice: timedelta) -> None:
    assert [policy.notice for policy in load_policies(write_policies("a.yaml", content))] == [notice]


def test_the_notice_of_a_file_is_for_that_file_only(write_policies: WritePolicies) -> None:
    write_policies("a.yaml", f"notice: 48h\n{EXPIRING}")
    path = write_policies("b.yaml", EXPIRING.replace("x", "y", 1))

    assert [policy.notice for policy in load_policies(path)] == [timedelta(hours=48), timedelta()]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        pytest.param("notice: 48", "notice: is a number: write a duration with its unit", id="no-unit"),
        pytest.param("notice: 30s", 'notice: "30s" is not a duration', id="seconds"),
        pytest.param("notice: 999999w", 'notice: "999999w" is longer than a hundred years', id="beyond-the-calendar"),
        pytest.param("notice:", "notice: is empty: give it a value or leave the key out", id="left-empty"),
    ],
)
def test_a_wrong_notice_is_told_at_the_policy_and_at_the_top(
    write_policies: WritePolicies, line: str, problem: str
) -> None:
    path = write_policies("a.yaml", f"{EXPIRING}    {line}\n{line}\n")

    at_top, at_policy = sorted(problems_of(path), key=len)
    assert at_top.startswith(f"policies/a.yaml:6: {problem}")
    assert at_policy.startswith(f"policies/a.yaml:5: x: {problem}")


def test_a_notice_that_nobody_would_hear_is_told_wherever_it_stands(write_policies: WritePolicies) -> None:
    unserved = {"notice": "needs a channel"}
    write_policies("a.yaml", f"notice: 48h\n{EXPIRING}    notice: 3d\n")
    path = write_policies("b.yaml", f"notice: 0h\n{EXPIRING.replace('x', 'y', 1)}    notice: 0\n")

    assert problems_of(path, unserved) == [
        "policies/a.yaml:1: notice: needs a channel",
        "policies/a.yaml:6: x: notice: needs a channel",
    ]


def test_the_shipped_policies_are_right() -> None:
    policies = {policy.name: policy for policy in load_policies(SHIPPED)}

    assert list(policies) == ["stuck-uploads", "endless-saves", "golden", "old-images"]
    assert all(policy.description for policy in policies.values())
    assert policies["golden"].expire is None
    assert policies["old-images"].match.status == FINISHED
    assert policies["old-images"].keep is not None
    assert policies["old-images"].keep.newest == 3


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("web-41", "web"),
        ("ci-web-v42", "ci-web"),
        ("web-20261108", "web"),
        ("web-2026-11-08", "web"),
        ("web_2026.11.08", "web"),
        ("web-20261108-0312", "web"),
        ("web-20261108T031200Z", "web"),
        ("ubuntu-22.04-20261108", "ubuntu-22.04"),
        ("ubuntu-2204-41", "ubuntu-2204"),
        ("야간-빌드-7", "야간-빌드"),
        ("before-the-migration", None),
        ("42", None),
    ],
)
def test_the_families_of_the_shipped_policy_for_old_images(name: str, family: str | None) -> None:
    (keep,) = (policy.keep for policy in load_policies(SHIPPED) if policy.keep)
    assert keep.per.of(make_image(name)) == family
