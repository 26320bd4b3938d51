"""Remarks on policies without effect: only what is certain is reported."""

import json
from dataclasses import fields, replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.cli.commands.beginning.shipped import shipped_policies
from janitor.config.policy_files import load_policies
from janitor.config.policy_folder import TESTS_ARE
from janitor.core.image import Image, Status, Visibility
from janitor.core.memory import Exemption
from janitor.core.policy import Expire, Match, Pattern, Policy
from janitor.core.policy_lint import covers, exempting_nothing, lint, owning_nothing
from janitor.core.result import Mode
from janitor.core.survey import Survey
from janitor.core.usage import Usage
from janitor.store import Store
from tests.conftest import Desk
from tests.factories import NOW, make_image

FINISHED = frozenset({Status.ACTIVE, Status.DEACTIVATED})
TARGETS = ("prod-1", "prod-2", "stage")


def patterns(*texts: str) -> tuple[Pattern, ...]:
    return tuple(Pattern(text) for text in texts)


def named(*texts: str, **rest: object) -> Match:
    return Match(name=patterns(*texts), **rest)  # type: ignore[arg-type]


def policy(name: str, match: Match) -> Policy:
    return Policy(name, match, Expire(timedelta(days=14)))


COVERED = [
    pytest.param(named("*"), named("ci-*"), True, id="everything"),
    pytest.param(named("*"), Match(larger_than=5), True, id="everything-and-no-name"),
    pytest.param(named("ci-*"), named("ci-*"), True, id="the-same"),
    pytest.param(named("a", "b", "c"), named("c", "a"), True, id="some-of-the-same"),
    pytest.param(named("a", "b"), named("a", "c"), False, id="one-other"),
    pytest.param(named("ci-*"), named("ci-web-*"), True, id="a-longer-start"),
    pytest.param(named("ci-*"), named("ci-"), True, id="a-plain-name"),
    pytest.param(named("/^ci-[0-9]+$/"), named("ci-41"), True, id="a-plain-name-that-an-expression-finds"),
    pytest.param(named("ci-web-*"), named("ci-*"), False, id="a-shorter-start"),
    pytest.param(named("c?-*"), named("ci-*"), False, id="not-certain-by-these-means"),
    pytest.param(named("ci-*"), named("/^ci-/"), False, id="an-expression-is-not-looked-into"),
    pytest.param(named("/c*"), named("/ci/"), False, id="an-expression-is-no-start"),
    pytest.param(named("ci-*"), Match(), False, id="every-name"),
    pytest.param(named("*", status=FINISHED), named("ci-*"), False, id="every-status"),
    pytest.param(named("*", status=FINISHED), Match(status=frozenset({Status.ACTIVE})), True, id="fewer-statuses"),
    pytest.param(named("*", status=FINISHED), Match(status=frozenset({Status.QUEUED})), False, id="another-status"),
    pytest.param(Match(disk_format=frozenset({"raw"})), Match(), False, id="every-format"),
    pytest.param(Match(larger_than=5), Match(larger_than=5), True, id="as-large"),
    pytest.param(Match(larger_than=5), Match(larger_than=4), False, id="less-large"),
    pytest.param(Match(larger_than=0), Match(), False, id="any-size"),
    pytest.param(Match(smaller_than=5), Match(smaller_than=4), True, id="smaller"),
    pytest.param(Match(smaller_than=5), Match(larger_than=1), False, id="no-upper-bound"),
    pytest.param(
        Match(properties=(("os", patterns("*")),)), Match(properties=(("os", patterns("a")),)), True, id="a-property"
    ),
    pytest.param(Match(properties=(("os", patterns("*")),)), Match(), False, id="a-property-that-may-be-missing"),
    pytest.param(Match(targets=patterns("prod-*")), Match(targets=patterns("prod-2")), True, id="one-of-its-targets"),
    pytest.param(Match(targets=patterns("/-[12]$/")), Match(targets=patterns("prod-*")), True, id="the-same-targets"),
    pytest.param(Match(targets=patterns("prod-*")), Match(), False, id="every-target"),
    pytest.param(Match(targets=patterns("*")), Match(), True, id="all-that-are-configured"),
    pytest.param(Match(exclude=named("a")), Match(), False, id="it-leaves-some-out"),
    pytest.param(Match(exclude=named("a")), Match(exclude=named("a*")), True, id="both-leave-them-out"),
    pytest.param(Match(exclude=named("a*")), Match(exclude=named("a")), False, id="it-leaves-out-more"),
]


CONDITIONS = {
    "name": patterns("a"),
    "status": FINISHED,
    "disk_format": frozenset({"raw"}),
    "properties": (("os", patterns("a")),),
    "larger_than": 5,
    "smaller_than": 5,
    "targets": patterns("stage"),
    "tags": patterns("*"),
    "visibility": frozenset({Visibility.PRIVATE}),
    "owner": patterns("a"),
    "os_hidden": False,
    "exclude": named("a"),
}


@pytest.mark.parametrize("condition", [field.name for field in fields(Match)])
def test_no_condition_is_overlooked(condition: str) -> None:
    asking = Match(**{condition: CONDITIONS[condition]})  # type: ignore[arg-type]
    for known in (TARGETS, None):
        assert not covers(asking, Match(), known)
        assert covers(asking, asking, known)
        assert covers(Match(), asking, known)


@pytest.mark.parametrize(("wide", "narrow", "certain"), COVERED)
def test_what_is_certain(wide: Match, narrow: Match, certain: bool) -> None:
    assert covers(wide, narrow, TARGETS) is certain


@pytest.mark.parametrize(
    ("wide", "narrow", "certain"),
    [
        pytest.param(("prod-*",), ("prod-2",), True, id="one-of-its-targets"),
        pytest.param(("prod",), ("prod*",), False, id="it-may-be-in-several-regions"),
        pytest.param(("*",), (), True, id="every-target"),
        pytest.param(("prod-*",), (), False, id="some-targets"),
        pytest.param((), ("prod",), True, id="whatever-the-target"),
    ],
)
def test_what_is_certain_of_targets_whose_names_are_not_known(
    wide: tuple[str, ...], narrow: tuple[str, ...], certain: bool
) -> None:
    first, second = Match(targets=patterns(*wide)), Match(targets=patterns(*narrow))
    assert covers(first, second, None) is certain
    assert lint([policy("first", second)], None) == []


texts = st.sampled_from(["*", "a", "ab", "a*", "ab*", "?b", "/a/", "/^b/", "[a]*", "/"])
some_patterns = st.lists(texts, max_size=2).map(lambda given: patterns(*given))
sizes = st.sampled_from([None, 0, 1, 2, 3])


def matches(inner: st.SearchStrategy[Match | None]) -> st.SearchStrategy[Match]:
    return st.builds(
        Match,
        name=some_patterns,
        status=st.frozensets(st.sampled_from([Status.ACTIVE, Status.QUEUED]), max_size=2),
        disk_format=st.frozensets(st.sampled_from(["raw", "iso"]), max_size=2),
        properties=some_patterns.map(lambda given: (("os", given),) if given else ()),
        larger_than=sizes,
        smaller_than=sizes,
        tags=some_patterns,
        visibility=st.frozensets(st.sampled_from([Visibility.PRIVATE, Visibility.SHARED]), max_size=2),
        owner=some_patterns,
        os_hidden=st.sampled_from([None, True, False]),
        targets=st.sampled_from([(), patterns("prod-*"), patterns("stage", "prod-1"), patterns("none")]),
        exclude=inner,
    )


any_match = matches(st.none() | matches(st.none()))
any_image = st.builds(
    make_image,
    st.sampled_from([None, "a", "ab", "b", "/"]),
    status=st.sampled_from(["active", "queued", "odd"]),
    disk_format=st.sampled_from([None, "raw", "iso"]),
    size=sizes,
    tags=st.sampled_from([None, (), ("a",), ("ab", "b")]),
    visibility=st.sampled_from([None, Visibility.PRIVATE, Visibility.SHARED]),
    owner=st.sampled_from([None, "a", "b"]),
    os_hidden=st.sampled_from([None, True, False]),
    properties=st.sampled_from([None, {}, {"os": "a"}, {"os": "b"}]),
)


@pytest.mark.parametrize("known", [TARGETS, None], ids=["names-known", "names-not-known"])
@given(first=any_match, second=any_match, images=st.lists(any_image, max_size=20))
def test_what_is_said_to_own_nothing_owns_nothing(
    known: tuple[str, ...] | None, first: Match, second: Match, images: list[Image]
) -> None:
    policies = [policy("first", first), policy("second", second)]
    snapshots = dict.fromkeys(TARGETS, images)
    accused = {remark.partition(":")[0] for remark in lint(policies, known) if "never owns an image" in remark}
    assert accused <= set(owning_nothing(policies, snapshots))


BEHIND = "it never owns an image: {}, which comes before it, matches everything that it does"
NOTHING = "it never owns an image: its `not` excludes everything that its other keys match"
UNKNOWN = '{}: "{}" names no configured target'
REMARKS = [
    pytest.param([named("a"), named("*"), Match(larger_than=1)], {2: BEHIND.format("p1")}, id="behind-everything"),
    pytest.param(
        [named("*"), named("a"), named("b")], dict.fromkeys((1, 2), BEHIND.format("p0")), id="each-that-is-behind"
    ),
    pytest.param([named("a", exclude=named("a"))], {0: NOTHING}, id="its-own-not"),
    pytest.param(
        [Match(targets=patterns("prod-*", "x"))], {0: UNKNOWN.format("match.targets", "x")}, id="one-target-unknown"
    ),
    pytest.param(
        [Match(), Match(targets=patterns("x"))], {1: UNKNOWN.format("match.targets", "x")}, id="no-target-known"
    ),
    pytest.param(
        [Match(exclude=Match(targets=patterns("x")))], {0: UNKNOWN.format("match.not.targets", "x")}, id="in-its-not"
    ),
    pytest.param([named("a"), named("b", targets=patterns("stage")), named("*")], {}, id="nothing"),
]


@pytest.mark.parametrize(("written", "remarks"), REMARKS)
def test_what_is_said_of_policies(written: list[Match], remarks: dict[int, str]) -> None:
    policies = [policy(f"p{number}", match) for number, match in enumerate(written)]
    assert lint(policies, TARGETS) == [f"p{number}: {remark}" for number, remark in remarks.items()]


def test_there_is_nothing_to_be_said_of_the_shipped_policies() -> None:
    assert lint(load_policies(shipped_policies()), TARGETS) == []


def test_an_image_with_a_doubtful_owner_is_owned_by_none() -> None:
    policies = [policy("large", Match(larger_than=1)), policy("rest", named("*")), policy("other", named("b"))]
    assert owning_nothing(policies, {"prod": [make_image("a", size=None)]}) == ["large", "rest", "other"]
    assert owning_nothing(policies, {"prod": [make_image("a", size=1), make_image("b", size=2)]}) == ["other"]


# The command


def notes_in(checked: str) -> list[str]:
    """The notes of `janitor check`, but for the one that there are no tests of policies."""
    notes = [line.partition(" note: ")[2] for line in checked.splitlines() if " note: " in line]
    return [note for note in notes if TESTS_ARE not in note]


def test_check_says_it_and_all_is_well(sandbox_desk: Desk) -> None:
    rules = [
        {"name": "old", "match": {"name": "*"}},
        {"name": "behind", "match": {"name": "ci-*"}, "expire": {"after": "9d"}},
        {"name": "elsewhere", "match": {"targets": "prod-*"}},
    ]
    sandbox_desk.write("policies/old.yaml", json.dumps({"policies": rules}))
    done = sandbox_desk.janitor("check")
    assert (done.returncode, done.stderr) == (0, "")
    assert notes_in(done.stdout) == [
        "behind: it never owns an image: old, which comes before it, matches everything that it does",
        'elsewhere: match.targets: "prod-*" names no configured target',
    ]


def test_check_says_nothing_of_targets_that_only_a_catalogue_names(desk: Desk) -> None:
    auth = 'identity: "http://127.0.0.1:1/v2.0", tenant_id: a, username: b, password: c'
    desk.write("janitor.yaml", f"targets: [{{name: prod, api: openstack, {auth}, region: '*'}}]\n")
    rules = [{"name": "one", "match": {"targets": "prod"}}, {"name": "many", "match": {"targets": "prod-*"}}]
    desk.write("policies/a.yaml", json.dumps({"policies": rules}))
    done = desk.janitor("check")
    assert (done.returncode, done.stderr, notes_in(done.stdout)) == (0, "", [])
    desk.write("janitor.yaml", f"targets: [{{name: prod, api: openstack, {auth}}}]\n")
    assert 'many: match.targets: "prod-*" names no configured target' in desk.janitor("check").stdout


def test_check_observes_which_policies_own_no_image_of_the_latest_snapshots(desk: Desk) -> None:
    target = '{{name: {0}, endpoint: "http://127.0.0.1:1", appkey: "of-{0}", username: c, password: d}}'
    desk.write("janitor.yaml", f"targets: [{', '.join(map(target.format, ('prod', 'stage', 'new')))}]\n")
    rules = [{"name": name, "match": {"name": f"{name}-*"}} for name in ("ci", "dev", "gone", "foreign")]
    desk.write("policies/a.yaml", json.dumps({"policies": rules}))
    assert notes_in(desk.janitor("check").stdout) == [], "nothing is known yet"

    seen = [("prod", ["gone-1"]), ("prod", ["ci-1", "other"]), ("stage", ["dev-1"]), ("former", ["foreign-1"])]
    with Store.open(desk.folder / "janitor.db") as store:
        for target_name, names in seen:
            run = store.begin_run(Mode.DRY_RUN, NOW)
            images = tuple(map(make_image, names))
            store.record_survey(run, target_name, Survey(images, Usage(), NOW, NOW))
    done = desk.janitor("check")
    assert done.returncode == 0
    assert "policies       note: none of the 3 images surveyed last is owned by gone, foreign\n" in done.stdout


def test_what_is_exempt_and_bears_no_image_of_a_snapshot_is_named_once() -> None:
    web = make_image("web", id="ABC-1")
    exempt = [Exemption(image, NOW, "because", "kim") for image in ("web", "abc-1", "wbe", "wbe", "Web")]
    assert exempting_nothing(exempt, {"prod": [web], "dev": []}) == ["wbe", "Web"]


def test_a_term_of_less_than_an_hour_is_noted() -> None:
    short = replace(policy("short", named("a")), expire=Expire(timedelta(minutes=59)))
    long = replace(policy("long", named("b")), expire=Expire(timedelta(hours=1)))
    assert lint([short, long], None) == ["short: expire.after: 59min is less than an hour"]


def test_very_many_policies_are_not_compared_with_each_other() -> None:
    many = [policy(f"p{number}", named("a")) for number in range(1_001)]
    assert len(lint(many[:1_000], None)) == 999
    assert lint(many, None) == ["more than 1,000 are not compared with each other"]
