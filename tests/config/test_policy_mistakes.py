"""Mistakes in policy files: each is reported with its file, line, policy and key, and all of them at once."""

from pathlib import Path

import pytest

from janitor.config.policy_files import load_policies
from tests.config.policies import GOOD, WritePolicies, problems_of

NOTHING_EXCLUDED = 'match.not: must not be empty: write what is not matched, like name: "base-*", or leave the key out'

# Mistakes in one policy


BAD_VALUES = [
    pytest.param(
        "notice: 48h",
        "notice: only images that expire are announced: give the policy an `expire`",
        id="notice-of-nothing",
    ),
    pytest.param("exempt: [a]", "exempt: unknown key", id="exempt-is-a-key-of-the-file"),
    pytest.param("channel:", "channel: is empty: give it a value or leave the key out", id="channel-left-empty"),
    pytest.param(
        "channel: web team", 'channel: "web team" is not a channel: write its name', id="a-blank-in-a-channel"
    ),
    pytest.param("channel: #team", "channel: is empty, as # begins a comment", id="channel-without-quotes"),
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
    pytest.param(
        "expire: {after: 99999999d}", 'expire.after: "99999999d" is out of range: a number in it', id="out-of-range"
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
    pytest.param("{name: x, not: {}}", NOTHING_EXCLUDED, id="not-nothing"),
    pytest.param("{name: x, not: {not: {}}}", NOTHING_EXCLUDED.replace("not:", "not.not:"), id="not-not-nothing"),
    pytest.param(
        "{name: x, not: {not: {naem: y}}}", 'match.not.not.naem: unknown key, did you mean "name"?', id="deep"
    ),
]


@pytest.mark.parametrize(("line", "problem"), BAD_VALUES)
def test_a_wrong_value_is_told_with_file_line_policy_and_key(
    write_policies: WritePolicies, line: str, problem: str
) -> None:
    (told,) = problems_of(write_policies("ci.yaml", f'policies:\n  - name: x\n    match: {{name: "*"}}\n    {line}\n'))

    assert told.startswith("policies/ci.yaml:4: x: ")
    assert problem in told


@pytest.mark.parametrize(("match", "problem"), BAD_MATCHES)
def test_a_wrong_match_is_told_with_file_line_policy_and_key(
    write_policies: WritePolicies, match: str, problem: str | None
) -> None:
    path = write_policies("ci.yaml", f"policies:\n  - name: x\n    match: {match}\n")

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
def test_a_policy_needs_a_name(write_policies: WritePolicies, name: str, problem: str) -> None:
    (told,) = problems_of(write_policies("ci.yaml", f'policies:\n  - match: {{name: "*"}}\n    {name}\n'))

    assert problem in told


def test_a_policy_needs_a_match(write_policies: WritePolicies) -> None:
    assert problems_of(write_policies("ci.yaml", "policies:\n  - name: x\n    expire: {after: 1d}\n")) == [
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
def test_a_file_that_holds_no_policies_is_a_problem(write_policies: WritePolicies, content: str, problem: str) -> None:
    assert problem in "\n".join(problems_of(write_policies("a.yaml", content)))


# Every file together


def test_every_problem_of_every_file_is_told_at_once_in_order(write_policies: WritePolicies) -> None:
    write_policies(
        "b.yml", "policies:\n  - name: one\n    match: {status: x1}\n    expire: {after: 1}\n  - match: {}\n"
    )
    write_policies("a.yaml", "a: [\n")
    write_policies("c.yaml", GOOD)

    assert [problem.split(": ")[0] for problem in problems_of(Path("policies"))] == [
        "policies/a.yaml:2",
        "policies/b.yml:3",
        "policies/b.yml:4",
        "policies/b.yml:5",
        "policies/b.yml:5",
    ]


def test_a_key_given_twice_is_told_with_its_policy(write_policies: WritePolicies) -> None:
    path = write_policies("a.yaml", "policies:\n  - name: x\n    match: {name: a}\n    match: {name: b}\n")

    assert problems_of(path) == ["policies/a.yaml:4: x: match: is given twice, first in line 3"]


def test_a_name_may_be_used_once_over_all_files(write_policies: WritePolicies) -> None:
    write_policies("a.yaml", GOOD)
    write_policies("b.yaml", "policies:\n  - {name: NAME, match: {nam: x}}\n  - {name: NAME, match: {name: x}}\n")

    assert problems_of(Path("policies")) == [
        'policies/b.yaml:2: NAME: match.nam: unknown key, did you mean "name"?',
        "policies/b.yaml:2: NAME: name: is already the name of a policy at policies/a.yaml:2",
        "policies/b.yaml:3: NAME: name: is already the name of a policy at policies/a.yaml:2",
    ]


def test_two_policies_of_one_name_on_one_line_are_told(write_policies: WritePolicies) -> None:
    path = write_policies("a.yaml", "policies: [{name: x, match: {name: a}}, {name: x, match: {name: b}}]\n")

    assert problems_of(path) == ["policies/a.yaml:1: x: name: is already the name of a policy at policies/a.yaml:1"]
