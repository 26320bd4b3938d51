"""Policy files: what each key becomes, and what each mistake is told as."""

import os
import socket
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent, indent
from zoneinfo import ZoneInfo

import pytest

from janitor.config import policy_files
from janitor.config.policy_files import load_policies, load_rules
from janitor.core.image import Status
from janitor.core.memory import Exemption
from janitor.core.policy import Clock, Expire, Match, Pattern, Policy
from janitor.core.retention import Family, Keep, Period
from janitor.documents import Document, Keys
from janitor.errors import ConfigurationError, Exit
from tests.factories import make_image

Write = Callable[[str, str], Path]
SEOUL = ZoneInfo("Asia/Seoul")
SHIPPED = Path(__file__).parents[2] / "policies"
FINISHED = frozenset({Status.ACTIVE, Status.DEACTIVATED})


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a file into the directory `policies` of the current directory, and returns that directory."""
    monkeypatch.chdir(tmp_path)
    Path("policies").mkdir()

    def write(name: str, content: str) -> Path:
        (Path("policies") / name).write_text(dedent(content))
        return Path("policies")

    return write


@pytest.fixture
def policy_of(write: Write) -> Callable[[str], Policy]:
    """The one policy, named x, of these lines."""

    def policy_of(lines: str) -> Policy:
        (policy,) = load_policies(write("a.yaml", "policies:\n  - name: x\n" + indent(dedent(lines), "    ")))
        return policy

    return policy_of


def problems_of(path: Path, unserved: Mapping[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load_policies(path, unserved or {})
    assert caught.value.exit_code == Exit.USAGE
    return [str(problem) for problem in caught.value.problems]


def test_a_policy_with_every_key(write: Write) -> None:
    path = write(
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


def test_what_the_configuration_cannot_serve_is_told_with_file_line_policy_and_key(write: Write) -> None:
    write("a.yaml", 'policies: [{name: a, match: {name: "channel"}}]')
    path = write("b.yaml", 'policies:\n  - name: b\n    match: {name: "*"}\n    channel: "#b"\n  - nonsense\n')
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


BAD_VALUES = [
    pytest.param(
        "notice: 48h",
        "notice: only images that expire are announced: give the policy an `expire`",
        id="notice-of-nothing",
    ),
    pytest.param("exempt: [a]", "exempt: unknown key", id="exempt-is-a-key-of-the-file"),
    pytest.param("channel:", "channel: is empty: give it a value or leave the key out", id="channel-left-empty"),
    pytest.param("channel: [a, b]", "channel: is a list: write text, in quotes", id="two-channels"),
    pytest.param("expires: {after: 1d}", 'expires: unknown key, did you mean "expire"?', id="near-key"),
    pytest.param(
        "expire: {after: 1d, sinse: status}", 'expire.sinse: unknown key, did you mean "since"?', id="near-key-inside"
    ),
    pytest.param("expire: {}", "expire.after: is missing", id="no-after"),
    pytest.param("expire:", "expire: is empty", id="expire-left-empty"),
    pytest.param("expire: 14d", "expire: is text: write keys and values", id="expire-is-a-mapping"),
    pytest.param(
        "expire: {after: 14 fortnights}",
        'expire.after: "14 fortnights" is not a duration like 36h or 14d',
        id="fortnights",
    ),
    pytest.param("expire: {after: 14}", "expire.after: is a number: write a duration with its unit", id="no-unit"),
    pytest.param("expire: {after: 30s}", 'expire.after: "30s" is not a duration', id="seconds-are-too-fine"),
    pytest.param(
        "expire: {after: 3m}",
        'expire.after: "3m" is minutes or months: 3min or 3mo? (units: min h d w mo y',
        id="months",
    ),
    pytest.param("notice: 3m", 'notice: "3m" is minutes or months: 3min or 3mo?', id="notice-of-months"),
    pytest.param("expire: {after: 0d}", 'expire.after: "0d" must be greater than zero', id="nothing"),
    pytest.param("expire: {after: }", "expire.after: is empty", id="after-left-empty"),
    pytest.param("expire: {after: [1d]}", "expire.after: is a list", id="after-is-one"),
    pytest.param(
        "expire: {after: 1d, since: use}",
        'expire.since: "use" is not a clock (known: created, updated, status, last_used)',
        id="no-such-clock",
    ),
    pytest.param(
        "expire: {after: 1d, since: last-used}",
        '"last-used" is not a clock, did you mean "last_used"?',
        id="near-clock",
    ),
    pytest.param("expire: {after: 1d, since: }", "expire.since: is empty", id="since-left-empty"),
    pytest.param("keep: {newest: 3}", "keep.per: is missing", id="count-without-family"),
    pytest.param("keep: {per: policy}", "keep: keeps nothing: give a count", id="family-without-count"),
    pytest.param('keep: {newest: "3", per: policy}', "keep.newest: is text: write a whole number", id="quoted-count"),
    pytest.param("keep: {newest: true, per: policy}", "keep.newest: is true or false", id="true-is-not-one"),
    pytest.param("keep: {newest: 1.0, per: policy}", "keep.newest: is a number: write a whole number", id="fraction"),
    pytest.param("keep: {newest: 0, per: policy}", "keep.newest: must be at least 1", id="zero"),
    pytest.param("keep: {daily: -1, per: policy}", "keep.daily: must be at least 1", id="negative"),
    pytest.param("keep: {weekly: , per: policy}", "keep.weekly: is empty", id="count-left-empty"),
    pytest.param("keep: {newest: 1, per: family}", 'keep.per: "family" is not a family', id="no-such-family"),
    pytest.param("keep: {newest: 1, per: policy:x}", 'keep.per: "policy:x" is not a family', id="policy-takes-nothing"),
    pytest.param('keep: {newest: 1, per: "property:"}', 'keep.per: "property:" is not a family', id="no-property"),
    pytest.param("keep: {newest: 1, per: name:x}", 'keep.per: "name:x" has no regular expression', id="no-slashes"),
    pytest.param("keep: {newest: 1, per: name:/x/}", "keep.per: /x/ has 0 groups, not exactly one", id="no-group"),
    pytest.param("keep: {newest: 1, per: name:/(a)(b)/}", "/(a)(b)/ has 2 groups, not exactly one", id="two-groups"),
    pytest.param(
        "keep: {newest: 1, per: name:/(a/}", "keep.per: /(a/ is not a regular expression: missing )", id="broken-family"
    ),
    pytest.param("description: 5", "description: is a number: write text, in quotes", id="description-is-text"),
]

BAD_MATCHES = [
    pytest.param("{}", 'match: must not be empty: to match everything, write name: "*"', id="empty"),
    pytest.param("", 'match: is empty: to match everything, write name: "*"', id="left-empty"),
    pytest.param('"*"', "match: is text: write keys and values", id="not-a-mapping"),
    pytest.param("{nmae: x}", 'match.nmae: unknown key, did you mean "name"?', id="near-key"),
    pytest.param("{disk-format: raw}", 'match.disk-format: unknown key, did you mean "disk_format"?', id="hyphen"),
    pytest.param("{exclude: {name: x}}", "match.exclude: unknown key", id="a-word-of-the-code-is-no-key"),
    pytest.param("{name: }", "match.name: is empty", id="name-left-empty"),
    pytest.param('{name: ""}', "match.name: is empty", id="empty-pattern"),
    pytest.param("{name: []}", "match.name: must not be empty", id="no-patterns"),
    pytest.param("{name: [a, ]}", None, id="a-trailing-comma-is-fine"),
    pytest.param("{name: [a, ~]}", "match.name[1]: is empty", id="an-item-left-empty"),
    pytest.param("{name: 5}", "match.name: is a number: write a pattern, in quotes", id="name-is-a-number"),
    pytest.param('{name: "/[/"}', "match.name: /[/ is not a regular expression: unterminated", id="broken-expression"),
    pytest.param('{name: "/x{99999999999}/"}', "match.name: is out of range", id="endless-expression"),
    pytest.param("{status: actve}", 'match.status: "actve" is not a status, did you mean "active"?', id="near-status"),
    pytest.param(
        "{status: [active, gone]}",
        'match.status[1]: "gone" is not a status (known: queued, saving, uploading, importing, active, killed, '
        "deleted, pending_delete, deactivated)",
        id="no-such-status",
    ),
    pytest.param("{status: Active}", 'match.status: "Active" is not a status, did you mean "active"?', id="capital"),
    pytest.param("{status: }", "match.status: is empty", id="status-left-empty"),
    pytest.param("{status: []}", "match.status: must not be empty", id="no-statuses"),
    pytest.param("{tags: nightly, visibility: shared, owner: [a, b], os_hidden: true}", None, id="openstack-keys"),
    pytest.param("{visibility: secret}", '"secret" is not a visibility (known: public', id="no-such-visibility"),
    pytest.param("{os_hidden: 'yes'}", "match.os_hidden: is text: write true or false", id="hidden-is-text"),
    pytest.param("{disk_format: qcow}", '"qcow" is not a disk format, did you mean "qcow2"?', id="near-format"),
    pytest.param("{properties: {}}", "match.properties: must not be empty", id="no-properties"),
    pytest.param("{properties: {v: 22.04}}", "match.properties.v: is a number: write a pattern", id="property-number"),
    pytest.param("{properties: {v: []}}", "match.properties.v: must not be empty", id="no-values"),
    pytest.param("{properties: [v]}", "match.properties: is a list: write keys and values", id="property-list"),
    pytest.param("{larger_than: 5}", "match.larger_than: is a number: write a size with its unit", id="no-unit"),
    pytest.param("{smaller_than: big}", 'match.smaller_than: "big" is not a size', id="no-size"),
    pytest.param(
        "{larger_than: 2GB, smaller_than: 1GB}",
        "match: larger_than must be less than smaller_than",
        id="no-size-between",
    ),
    pytest.param(f'{{larger_than: "{"9" * 400}TB"}}', "match.larger_than: is out of range", id="endless-size"),
    pytest.param("{name: x, not: }", "match.not: is empty", id="not-left-empty"),
    pytest.param("{name: x, not: {}}", "match.not: must not be empty", id="not-nothing"),
    pytest.param(
        "{name: x, not: {not: {naem: y}}}", 'match.not.not.naem: unknown key, did you mean "name"?', id="deep"
    ),
]


@pytest.mark.parametrize(("line", "problem"), BAD_VALUES)
def test_a_wrong_value_is_told_with_file_line_policy_and_key(write: Write, line: str, problem: str) -> None:
    (told,) = problems_of(write("ci.yaml", f'policies:\n  - name: x\n    match: {{name: "*"}}\n    {line}\n'))

    assert told.startswith("policies/ci.yaml:4: x: ")
    assert problem in told


@pytest.mark.parametrize(("match", "problem"), BAD_MATCHES)
def test_a_wrong_match_is_told_with_file_line_policy_and_key(write: Write, match: str, problem: str | None) -> None:
    path = write("ci.yaml", f"policies:\n  - name: x\n    match: {match}\n")

    if problem is None:
        assert load_policies(path)
    else:
        (told,) = problems_of(path)
        assert told.startswith("policies/ci.yaml:3: x: ")
        assert problem in told


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        pytest.param("name: 123", "policies[0].name: is a number: write text, in quotes", id="number"),
        pytest.param("name: true", "policies[0].name: is true or false: write text, in quotes", id="boolean"),
        pytest.param("name: ''", "policies[0].name: is empty", id="empty"),
        pytest.param("name:", "policies[0].name: is empty", id="left-empty"),
        pytest.param("name: [x]", "policies[0].name: is a list", id="list"),
        pytest.param("description: x", "policies[0].name: is missing", id="missing"),
        pytest.param('name: " x"', " x: name: must not begin or end with a space", id="space"),
        pytest.param(r'name: "x\ny"', r"x\ny: name: must not begin or end with a space", id="line-break"),
    ],
)
def test_a_policy_needs_a_name(write: Write, name: str, problem: str) -> None:
    (told,) = problems_of(write("ci.yaml", f'policies:\n  - match: {{name: "*"}}\n    {name}\n'))

    assert problem in told


def test_a_policy_needs_a_match(write: Write) -> None:
    assert problems_of(write("ci.yaml", "policies:\n  - name: x\n    expire: {after: 1d}\n")) == [
        'policies/ci.yaml:2: x: match: is missing: to match everything, write name: "*"'
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param("", "policies/a.yaml:1: is empty", id="empty"),
        pytest.param("policy: []\n", 'policies/a.yaml:1: policy: unknown key, did you mean "policies"?', id="typo"),
        pytest.param("{}\n", "policies/a.yaml:1: policies: is missing: a policy file holds a list", id="no-list"),
        pytest.param(
            "policies:\n", "policies/a.yaml:1: policies: is empty: a policy file holds a list", id="left-empty"
        ),
        pytest.param("policies: []\n", "policies/a.yaml:1: policies: must not be empty", id="empty-list"),
        pytest.param("policies: {name: x}\n", "policies/a.yaml:1: policies: holds keys and values", id="mapping"),
        pytest.param("- name: x\n", "policies/a.yaml:1: is a list: write keys and values", id="list-at-the-top"),
        pytest.param("policies: [x]\n", "policies/a.yaml:1: policies[0]: is text: write keys", id="text-for-a-policy"),
        pytest.param("a: [\n", "policies/a.yaml:2: is not YAML", id="not-yaml"),
    ],
)
def test_a_file_that_holds_no_policies_is_a_problem(write: Write, content: str, problem: str) -> None:
    assert problem in "\n".join(problems_of(write("a.yaml", content)))


GOOD = 'policies:\n  - {name: NAME, match: {name: "*"}}\n'


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
def test_the_notice_of_a_policy(write: Write, content: str, notice: timedelta) -> None:
    assert [policy.notice for policy in load_policies(write("a.yaml", content))] == [notice]


def test_the_notice_of_a_file_is_for_that_file_only(write: Write) -> None:
    write("a.yaml", f"notice: 48h\n{EXPIRING}")
    path = write("b.yaml", EXPIRING.replace("x", "y", 1))

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
def test_a_wrong_notice_is_told_at_the_policy_and_at_the_top(write: Write, line: str, problem: str) -> None:
    path = write("a.yaml", f"{EXPIRING}    {line}\n{line}\n")

    at_top, at_policy = sorted(problems_of(path), key=len)
    assert at_top.startswith(f"policies/a.yaml:6: {problem}")
    assert at_policy.startswith(f"policies/a.yaml:5: x: {problem}")


def test_a_notice_that_nobody_would_hear_is_told_wherever_it_stands(write: Write) -> None:
    unserved = {"notice": "needs a channel"}
    write("a.yaml", f"notice: 48h\n{EXPIRING}    notice: 3d\n")
    path = write("b.yaml", f"notice: 0h\n{EXPIRING.replace('x', 'y', 1)}    notice: 0\n")

    assert problems_of(path, unserved) == [
        "policies/a.yaml:1: notice: needs a channel",
        "policies/a.yaml:6: x: notice: needs a channel",
    ]


def exemptions_of(path: Path) -> list[Exemption]:
    return list(load_rules(path, SEOUL).exemptions)


def test_an_exemption_lasts_through_its_day_in_the_configured_zone(write: Write) -> None:
    path = write(
        "team-web.yaml",
        f"""\
exempt:
  - images: [golden-7, 5F1D0B6E-7C1D-4F3C-9B53-0F6C4E1D2A10]
    until: 2026-12-31
    why: rollback candidate
    by: kim
  - image: golden-8
    until: 2020-01-01T09:00:00+09:00
    why: >
      long
      over
{GOOD}""",
    )
    through = datetime(2026, 12, 31, 14, 59, 59, 999_999, tzinfo=UTC)

    assert exemptions_of(path) == [
        Exemption("golden-7", through, "rollback candidate", "kim"),
        Exemption("5F1D0B6E-7C1D-4F3C-9B53-0F6C4E1D2A10", through, "rollback candidate", "kim"),
        Exemption("golden-8", datetime(2020, 1, 1, tzinfo=UTC), "long over", "team-web.yaml"),
    ]


def test_a_file_may_hold_exemptions_only_but_not_every_file(write: Write) -> None:
    path = write("a.yaml", "exempt: [{image: a, until: 2026-12-31, why: so}]\n")
    assert problems_of(path) == ["policies: holds no policies, only exemptions"]

    write("b.yaml", GOOD)
    rules = load_rules(path, SEOUL)
    assert ([policy.name for policy in rules.policies], len(rules.exemptions)) == (["NAME"], 1)


@pytest.mark.parametrize(
    ("entry", "problems"),
    [
        pytest.param(
            "{}",
            [
                "exempt[0].images: is missing: say which, by id or by name",
                "exempt[0].until: is missing: say until when, like 2026-12-31",
                "exempt[0].why: is missing: say why they stay",
            ],
            id="nothing",
        ),
        pytest.param(
            '{image: [a, ~], until: 2026-02-30, why: "", by: }',
            [
                "exempt[0].image[1]: is empty: write text, in quotes",
                'exempt[0].until: "2026-02-30" is not a date like 2026-12-31 or a time like 2026-12-31T18:00:00+09:00',
                "exempt[0].why: is empty: write text, in quotes",
                "exempt[0].by: is empty: give it a value or leave the key out",
            ],
            id="everything",
        ),
        pytest.param(
            "{image: a, until: 2026-12-31T18:00:00, why: so}",
            ['exempt[0].until: "2026-12-31T18:00:00" is not a date'],
            id="a-time-without-a-zone",
        ),
        pytest.param(
            "{images: a, image: b, until: 2026-12-31, why: so}", ["exempt[0].image: unknown key"], id="both-spellings"
        ),
        pytest.param(
            "{image: a, untill: 2026-12-31, until: 2026-12-31, why: so}",
            ['exempt[0].untill: unknown key, did you mean "until"?'],
            id="near-key",
        ),
        pytest.param(
            '{images: [a, "ci-*", "/^ci/"], until: 2026-12-31, why: so}',
            ['exempt[0].images[1]: "ci-*" is a pattern: write whole', 'exempt[0].images[2]: "/^ci/" is a pattern'],
            id="patterns",
        ),
        pytest.param("{images: [], until: 2026-12-31, why: so}", ["exempt[0].images: must not be empty"], id="none"),
        pytest.param("golden", ["exempt[0]: is text: write keys and values"], id="a-name-alone"),
    ],
)
def test_every_problem_of_an_exemption_is_told(write: Write, entry: str, problems: list[str]) -> None:
    told = problems_of(write("a.yaml", f"exempt:\n  - {entry}\n{GOOD}"))

    assert len(told) == len(problems)
    for said, problem in zip(told, problems, strict=True):
        assert said.startswith(f"policies/a.yaml:2: {problem}")


@pytest.mark.parametrize("line", ["exempt:", "exempt: []", "exempt: {a: b}"])
def test_a_list_of_exemptions_holds_some(write: Write, line: str) -> None:
    (told,) = problems_of(write("a.yaml", f"{line}\n{GOOD}"))

    assert told.startswith("policies/a.yaml:1: exempt: ")


def test_every_problem_of_every_file_is_told_at_once_in_order(write: Write) -> None:
    write("b.yml", "policies:\n  - name: one\n    match: {status: x1}\n    expire: {after: 1}\n  - match: {}\n")
    write("a.yaml", "a: [\n")
    write("c.yaml", GOOD)

    assert [problem.split(": ")[0] for problem in problems_of(Path("policies"))] == [
        "policies/a.yaml:2",
        "policies/b.yml:3",
        "policies/b.yml:4",
        "policies/b.yml:5",
        "policies/b.yml:5",
    ]


def test_a_key_given_twice_is_told_with_its_policy(write: Write) -> None:
    path = write("a.yaml", "policies:\n  - name: x\n    match: {name: a}\n    match: {name: b}\n")

    assert problems_of(path) == ["policies/a.yaml:4: x: match: is given twice, first in line 3"]


def test_a_name_may_be_used_once_over_all_files(write: Write) -> None:
    write("a.yaml", GOOD)
    write("b.yaml", "policies:\n  - {name: NAME, match: {nam: x}}\n  - {name: NAME, match: {name: x}}\n")

    assert problems_of(Path("policies")) == [
        'policies/b.yaml:2: NAME: match.nam: unknown key, did you mean "name"?',
        "policies/b.yaml:2: NAME: name: is already the name of a policy at policies/a.yaml:2",
        "policies/b.yaml:3: NAME: name: is already the name of a policy at policies/a.yaml:2",
    ]


def test_two_policies_of_one_name_on_one_line_are_told(write: Write) -> None:
    path = write("a.yaml", "policies: [{name: x, match: {name: a}}, {name: x, match: {name: b}}]\n")

    assert problems_of(path) == ["policies/a.yaml:1: x: name: is already the name of a policy at policies/a.yaml:1"]


def test_a_directory_is_read_in_the_order_of_file_names(write: Write) -> None:
    for name in ("20-b.yaml", "10-c.yml", "9-a.yaml"):
        write(name, GOOD.replace("NAME", name))
    write("README.md", "not a policy")
    write(".hidden.yaml", "not: [a policy")
    Path("policies/sub.yaml").mkdir()

    assert [policy.name for policy in load_policies(Path("policies"))] == ["10-c.yml", "20-b.yaml", "9-a.yaml"]


def test_one_file_may_stand_for_the_directory(write: Write) -> None:
    write("a.yaml", GOOD)
    write("b.yaml", "not: [a policy")

    assert [policy.name for policy in load_policies(Path("policies/a.yaml"))] == ["NAME"]


def test_no_policies_at_all_is_a_problem(write: Write) -> None:
    write("README.md", "soon")

    assert problems_of(Path("policies")) == ["policies: holds no policies: no *.yaml or *.yml file is in it"]
    assert problems_of(Path("nowhere")) == ["nowhere: cannot be read: No such file or directory"]


def test_a_link_to_nowhere_is_a_problem_because_its_policies_would_be_missed(write: Write) -> None:
    write("b.yaml", GOOD)
    Path("policies/a.yaml").symlink_to("nowhere")

    assert problems_of(Path("policies")) == ["policies/a.yaml: cannot be read: No such file or directory"]


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


# The folder, whatever is in it


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda path: os.mkfifo(path), id="fifo"),
        pytest.param(lambda path: path.symlink_to("/dev/zero"), id="link-to-a-device"),
        pytest.param(_socket, id="socket"),
    ],
)
@pytest.mark.parametrize("alone", [True, False], ids=["as-the-policies", "in-the-folder"])
def test_what_is_no_regular_file_is_an_error_that_names_it(
    write: Write, make: Callable[[Path], None], alone: bool
) -> None:
    folder = write("b.yaml", "policies: [{name: x, match: {name: a}}]\n")
    make(Path("policies/a.yaml"))
    told = problems_of(Path("policies/a.yaml") if alone else folder)
    assert told == ["policies/a.yaml: cannot be read: it is not a regular file"]


def test_a_config_map_of_kubernetes_is_read(write: Write) -> None:
    folder = write("notes.md", "not a policy")
    (folder / "..2026_11_26").mkdir()
    (folder / "..2026_11_26/ci.yaml").write_text("policies: [{name: x, match: {name: a}}]\n")
    (folder / "..data").symlink_to("..2026_11_26")
    (folder / "ci.yaml").symlink_to("..data/ci.yaml")
    rules = load_rules(folder, UTC)
    assert [policy.name for policy in rules.policies] == ["x"]
    assert rules.passed_over == ()


def _sparse(path: Path, size: int) -> None:
    with path.open("wb") as file:
        file.truncate(size)


def test_a_file_that_is_too_large_is_told_by_its_size(write: Write) -> None:
    folder = write("b.yaml", "policies: [{name: x, match: {name: a}}]\n")
    _sparse(folder / "a.yaml", 2**40)
    assert problems_of(Path("policies/a.yaml")) == ["policies/a.yaml: is larger than 4 MiB"]
    assert problems_of(folder) == ["policies/a.yaml: is larger than 4 MiB"]


def test_files_that_are_too_large_together_are_not_read(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write("b.yaml", "policies: [{name: x, match: {name: a}}]\n")
    for number in range(4):
        _sparse(folder / f"{number}.yaml", 4 * 2**20)
    read: list[Path] = []
    monkeypatch.setattr("janitor.config.policy_files.read_document", read.append)
    assert problems_of(folder) == ["policies: holds more than 16 MiB of policy files"]
    assert read == []


def test_too_many_values_are_refused_before_they_are_read(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = "".join(f"  - name: p{number}\n    match: {{name: 'ci-{number}-*'}}\n" for number in range(34_000))
    folder = write("a.yaml", f"policies:\n{rules}")
    monkeypatch.setattr("janitor.documents._Builder", None)
    monkeypatch.setattr("janitor.documents._Loader", None)
    assert problems_of(folder) == ["policies/a.yaml:50001: holds more than 100000 values"]


def test_the_policies_of_many_faults_are_named_in_one_look(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = "".join(f"  - {{name: p{number}, match: {{name: a}}, expire: {{}}}}\n" for number in range(50))
    looks: list[Document] = []
    names = policy_files._names

    def counting(document: Document) -> Iterator[tuple[Keys, str]]:
        looks.append(document)
        return names(document)

    monkeypatch.setattr(policy_files, "_names", counting)
    told = problems_of(write("a.yaml", f"policies:\n{rules}"))
    assert len(told) == 50
    assert told[49].startswith("policies/a.yaml:51: p49: expire.after")
    assert len(looks) <= 2
