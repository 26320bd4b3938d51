"""The decision, read as a specification: guards, ownership, clocks, keep rules, and what must hold for any fleet."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from janitor.core.decide import decide
from janitor.core.decision import Decision, Reason, Verdict
from janitor.core.image import MISSING, Image, Status, Visibility
from janitor.core.memory import History
from janitor.core.names.wire_keys import WireKeys
from janitor.core.planning.plan import make_plan
from janitor.core.policy import Clock, Expire, Match, Pattern, Policy
from janitor.core.retention import Family, Keep, Period
from janitor.core.usage import Usage, User, UserKind
from tests.factories import ALL, DAY, GIB, NOW, make_image, usage_of

SECOND = timedelta(seconds=1)
LIVE = frozenset({Status.ACTIVE, Status.DEACTIVATED})


def image(identity: str = "a", *, age: timedelta = 100 * DAY, **facts: Any) -> Image:
    return make_image(**{"id": identity, "name": "ci-web-1", "age": age, "size": GIB, **facts})


def policy(
    name: str = "old",
    match: Match = ALL,
    *,
    after: timedelta | None = 14 * DAY,
    since: Clock = Clock.CREATED,
    **rest: Any,
) -> Policy:
    return Policy(name, match, None if after is None else Expire(after, since), **rest)


def one(
    subject: Image,
    *policies: Policy,
    usage: Usage = Usage(),  # noqa: B008 - frozen
    history: History | None = None,
    wire_keys: WireKeys = WireKeys(),  # noqa: B008 - frozen
) -> Decision:
    known = {} if history is None else {subject.id: history}
    rules = policies or [policy()]
    [decision] = decide([subject], rules, usage, known, NOW, target="prod", zone=UTC, wire_keys=wire_keys)
    return decision


def verdicts(images: list[Image], *policies: Policy, zone: str = "UTC", now: datetime = NOW) -> dict[str, str]:
    decisions = decide(images, policies, Usage(), {}, now, target="prod", zone=ZoneInfo(zone))
    return {decision.image.id: decision.reason.value for decision in decisions}


IN_USE = usage_of({"a": (User("i-1", "web-1"), User("i-2", "web-2"))})
UNREADABLE = Usage(problem="HTTP 500")

GUARDS = [
    pytest.param(image(status="deleted"), Usage(), Reason.GONE, id="deleted-is-gone"),
    pytest.param(image(status="pending_delete"), Usage(), Reason.GONE, id="pending-delete-is-gone"),
    pytest.param(image(public=True), Usage(), Reason.PUBLIC, id="public"),
    pytest.param(image(protected=True), Usage(), Reason.PROTECTED, id="protected"),
    pytest.param(image(owned=False), Usage(), Reason.NOT_OWNED, id="not-owned"),
    pytest.param(image(status="frobnicated"), Usage(), Reason.UNKNOWN_STATUS, id="unknown-status"),
    pytest.param(image(status=""), Usage(), Reason.UNKNOWN_STATUS, id="missing-status"),
    pytest.param(image(status="ACTIVE"), Usage(), Reason.UNKNOWN_STATUS, id="status-in-capitals-is-unknown"),
    pytest.param(image(created_at=None), Usage(), Reason.UNDATED, id="undated"),
    pytest.param(image(age=-SECOND), Usage(), Reason.UNDATED, id="created-in-the-future"),
    pytest.param(image(), IN_USE, Reason.IN_USE, id="in-use"),
    pytest.param(image("A"), IN_USE, Reason.IN_USE, id="in-use-whatever-the-case-of-the-id"),
    pytest.param(image(), UNREADABLE, Reason.USAGE_UNKNOWN, id="usage-unknown"),
    pytest.param(image(age=10 * 60 * SECOND - SECOND), Usage(), Reason.NEWBORN, id="newborn"),
    pytest.param(image(age=timedelta()), Usage(), Reason.NEWBORN, id="born-this-very-instant"),
]


@pytest.mark.parametrize(("subject", "usage", "reason"), GUARDS)
def test_a_guard_beats_every_policy(subject: Image, usage: Usage, reason: Reason) -> None:
    greedy = policy(after=SECOND)
    decision = one(subject, greedy, usage=usage)
    assert (decision.verdict, decision.reason, decision.policy) == (Verdict.KEEP, reason, None)
    assert decision.detail


def test_the_first_guard_that_holds_wins() -> None:
    worst = image(status="deleted", public=True, protected=True, owned=False, created_at=None)
    assert one(worst, usage=IN_USE).reason is Reason.GONE
    assert one(image(protected=True), usage=UNREADABLE).reason is Reason.PROTECTED
    assert one(image(), usage=Usage(IN_USE.by_image, "HTTP 500")).reason is Reason.IN_USE


def test_ten_minutes_old_is_no_longer_newborn() -> None:
    assert one(image(age=timedelta(minutes=10)), policy(after=SECOND)).verdict is Verdict.DELETE


def test_a_guard_says_what_could_not_be_read() -> None:
    odd = image(protected=True, unreadable={"protected": '"maybe"'})
    assert one(odd).detail == 'protected cannot be read ("maybe"), so it counts as protected'
    assert one(image(created_at=None, unreadable={"created_at": MISSING})).detail == "created_at is missing"
    assert one(image(created_at=None)).detail == "created_at is missing"
    odd = image(public=True, unreadable={"visibility": '"secret"'})
    assert one(odd).detail == 'visibility cannot be read ("secret"), so it counts as public'
    odd = image(owned=False, unreadable={"owner": MISSING})
    assert one(odd).detail == "owner cannot be read (missing), so it counts as another project's"


def test_a_guard_calls_what_could_not_be_read_as_the_api_does() -> None:
    keys = WireKeys(created="createdAt", updated="updatedAt", public="isPublic")
    odd = image(created_at=None, unreadable={"createdAt": '"yesterday"'})
    assert one(odd, wire_keys=keys).detail == 'createdAt cannot be read ("yesterday")'
    assert one(image(created_at=None), wire_keys=keys).detail == "createdAt is missing"
    odd = image(public=True, unreadable={"isPublic": '"maybe"'})
    assert one(odd, wire_keys=keys).detail == 'isPublic cannot be read ("maybe"), so it counts as public'
    young = image(age=timedelta(days=-1))
    assert one(young, wire_keys=keys).detail.startswith("createdAt 20")
    undated = image(updated_at=None)
    by_update = policy(since=Clock.UPDATED)
    assert one(undated, by_update, wire_keys=keys).detail == "updatedAt is missing, so its expiry date is unknown"


@pytest.mark.parametrize(
    ("users", "detail"),
    [
        ((User("i-1", "web-1"), User("i-2", "web-2")), "used by instance web-1 and 1 more"),
        ((User("v-1", "", UserKind.VOLUME),), "used by volume v-1"),
        ((User("s-1", "snap-1", UserKind.IMAGE),), "the base of image snap-1"),
    ],
    ids=["instance", "nameless-volume", "image"],
)
def test_in_use_names_what_uses_it(users: tuple[User, ...], detail: str) -> None:
    assert one(image(), usage=usage_of({"a": users})).detail == detail


def test_a_community_image_is_guarded_as_what_others_may_use() -> None:
    decision = one(image(public=True, visibility="community"))
    assert (decision.reason, decision.detail) == (
        Reason.PUBLIC,
        "its visibility is community, so other projects may use it",
    )


def test_the_first_policy_that_matches_owns_the_image() -> None:
    golden = policy("golden", Match(name=(Pattern("ci-*"),)), after=None)
    assert one(image(), golden, policy()).reason is Reason.PINNED
    assert one(image(), policy(), golden).reason is Reason.EXPIRED
    assert one(image(name="other"), golden, policy()).policy == "old"


def test_what_no_policy_matches_is_kept() -> None:
    decision = one(image(), policy(match=Match(name=(Pattern("x-*"),))))
    assert (decision.verdict, decision.reason, decision.policy) == (Verdict.KEEP, Reason.UNMATCHED, None)


MATCHES = [
    pytest.param(Match(name=(Pattern("x"), Pattern("ci-*"))), True, id="a-list-means-any-of"),
    pytest.param(Match(name=(Pattern("CI-*"),)), False, id="globs-tell-case"),
    pytest.param(Match(name=(Pattern("/^ci-[a-z]+-[0-9]+$/"),)), True, id="regular-expression"),
    pytest.param(Match(name=(Pattern("/web/"),)), True, id="regular-expressions-search"),
    pytest.param(Match(name=(Pattern("web"),)), False, id="globs-match-whole-names"),
    pytest.param(Match(name=(Pattern("web*"),)), False, id="globs-match-from-the-beginning"),
    pytest.param(Match(name=(Pattern("*web"),)), False, id="globs-match-to-the-end"),
    pytest.param(Match(status=frozenset({Status.KILLED})), False, id="status"),
    pytest.param(Match(disk_format=frozenset({"raw", "qcow2"})), True, id="disk-format"),
    pytest.param(Match(properties=(("os", (Pattern("ubuntu"), Pattern("deb*"))),)), True, id="property"),
    pytest.param(Match(properties=(("os", (Pattern("centos"),)),)), False, id="property-of-another-value"),
    pytest.param(Match(properties=(("nope", (Pattern("*"),)),)), False, id="absent-property-matches-nothing"),
    pytest.param(Match(larger_than=2**30 - 1), True, id="larger"),
    pytest.param(Match(larger_than=2**30), False, id="larger-is-strict"),
    pytest.param(Match(smaller_than=2**30), False, id="smaller-is-strict"),
    pytest.param(Match(targets=(Pattern("prod*"),)), True, id="target"),
    pytest.param(Match(targets=(Pattern("dev"),)), False, id="other-target"),
    pytest.param(Match(tags=(Pattern("daily"), Pattern("night*"))), True, id="tag"),
    pytest.param(Match(tags=(Pattern("weekly"),)), False, id="other-tag"),
    pytest.param(Match(visibility=frozenset({Visibility.SHARED, Visibility.PRIVATE})), True, id="visibility"),
    pytest.param(Match(visibility=frozenset({Visibility.COMMUNITY})), False, id="other-visibility"),
    pytest.param(Match(owner=(Pattern("proj*"),)), True, id="owner"),
    pytest.param(Match(owner=(Pattern("p"),)), False, id="other-owner"),
    pytest.param(Match(os_hidden=True), True, id="hidden"),
    pytest.param(Match(os_hidden=False), False, id="not-hidden"),
    pytest.param(Match(name=ALL.name, exclude=Match(name=(Pattern("ci-*"),))), False, id="not"),
    pytest.param(Match(name=ALL.name, exclude=Match(name=(Pattern("x-*"),))), True, id="not-of-something-else"),
    pytest.param(Match(name=(Pattern("ci-*"),), larger_than=2**40), False, id="all-conditions-must-hold"),
]


@pytest.mark.parametrize(("match", "expected"), MATCHES)
def test_matching(match: Match, expected: bool) -> None:
    subject = image(
        properties={"os": "debian"}, tags=("nightly", "x"), visibility="shared", owner="project-1", os_hidden=True
    )
    assert match.holds(subject, "prod") is expected


UNTOLD = [
    pytest.param(Match(larger_than=1), image(size=None), id="larger-than-with-unknown-size"),
    pytest.param(Match(exclude=Match(larger_than=2**40)), image(size=None), id="not-larger-than-with-unknown-size"),
    pytest.param(Match(exclude=Match(name=(Pattern("golden-*"),))), image(name=None), id="not-name-with-unknown-name"),
    pytest.param(Match(disk_format=frozenset({"raw"})), image(disk_format=None), id="unknown-disk-format"),
    pytest.param(Match(tags=(Pattern("nightly"),)), image(tags=None), id="unknown-tags"),
    pytest.param(Match(exclude=Match(tags=(Pattern("precious"),))), image(tags=None), id="not-a-tag-with-unknown-tags"),
    pytest.param(Match(visibility=frozenset({Visibility.SHARED})), image(visibility=None), id="unknown-visibility"),
    pytest.param(Match(exclude=Match(owner=(Pattern("p"),))), image(owner=None), id="not-an-owner-with-unknown-owner"),
    pytest.param(Match(exclude=Match(os_hidden=True)), image(os_hidden=None), id="not-hidden-with-that-unknown"),
    pytest.param(Match(properties=(("a", (Pattern("b"),)),)), image(properties=None), id="unreadable-properties"),
]


@pytest.mark.parametrize(("match", "subject"), UNTOLD)
def test_a_value_we_cannot_read_is_never_read_towards_deletion(match: Match, subject: Image) -> None:
    for policies in ([policy("doubtful", match)], [policy("doubtful", match), policy()]):
        decision = one(subject, *policies)
        assert (decision.verdict, decision.reason) == (Verdict.KEEP, Reason.UNMATCHED)
        assert "policy doubtful" in decision.detail


def test_what_is_not_known_is_named_as_far_as_the_policy_asks_for_it() -> None:
    match = Match(exclude=Match(tags=(Pattern("x"),), larger_than=1))
    doubt = "it is unknown whether policy doubtful matches it: size and tags not known"
    assert one(image(size=None, tags=None, owner=None), policy("doubtful", match)).detail == doubt


def test_an_unknown_value_is_no_obstacle_where_something_else_rules_the_policy_out() -> None:
    big = policy("big", Match(status=LIVE, larger_than=2**40))
    stuck = policy("stuck", Match(status=frozenset({Status.QUEUED})))
    assert one(image(status="queued", size=None), big, stuck).policy == "stuck"


def test_everything_is_written_with_a_star() -> None:
    assert one(image(name=None)).reason is Reason.EXPIRED


AGES = [
    pytest.param(14 * DAY - SECOND, Reason.TOO_YOUNG, id="a-second-too-young"),
    pytest.param(14 * DAY, Reason.TOO_YOUNG, id="exactly-as-old-is-not-older"),
    pytest.param(14 * DAY + timedelta(microseconds=1), Reason.EXPIRED, id="strictly-older"),
]


@pytest.mark.parametrize("since", [Clock.CREATED, Clock.UPDATED, Clock.STATUS])
@pytest.mark.parametrize(("age", "reason"), AGES)
def test_expired_means_strictly_older(since: Clock, age: timedelta, reason: Reason) -> None:
    subject = image(age=age if since is Clock.CREATED else 99 * DAY, updated_at=NOW - age)
    decision = one(subject, policy(since=since))
    assert decision.reason is reason
    assert decision.due == (NOW - age + 14 * DAY if reason is Reason.TOO_YOUNG else None)


def test_sentences_name_dates_not_ages() -> None:
    young, old = image(age=4 * DAY), image(age=15 * DAY)
    assert one(young).detail == "created 2026-11-19, expires 2026-12-03 (14d after creation)"
    assert one(old).detail == "created 2026-11-08, expired 2026-11-22 (14d after creation)"
    stuck = image(status="killed", age=15 * DAY)
    by_hours = one(stuck, policy(after=timedelta(hours=36), since=Clock.STATUS))
    assert by_hours.detail == (
        "killed since 2026-11-08 03:00Z, expired 2026-11-09 15:00Z (1d12h after it entered that status)"
    )


@pytest.mark.parametrize("since", [Clock.UPDATED, Clock.STATUS])
def test_an_unreadable_update_is_kept(since: Clock) -> None:
    decision = one(image(updated_at=None), policy(since=since))
    assert (decision.verdict, decision.reason) == (Verdict.KEEP, Reason.UNDATED)


def test_an_update_before_the_creation_counts_as_the_creation() -> None:
    contradictory = image(age=DAY, updated_at=NOW - 1000 * DAY)
    assert one(contradictory, policy(since=Clock.UPDATED)).reason is Reason.TOO_YOUNG


def test_the_status_clock_takes_the_later_of_the_update_and_the_change_that_we_saw() -> None:
    subject = image(status="killed")
    seen_recently = History(NOW - 90 * DAY, status_since=NOW - DAY)
    assert one(subject, policy(since=Clock.STATUS), history=seen_recently).reason is Reason.TOO_YOUNG
    seen_long_ago = History(NOW - 90 * DAY, status_since=NOW - 60 * DAY)
    assert one(subject, policy(since=Clock.STATUS), history=seen_long_ago).reason is Reason.EXPIRED
    updated_later = image(status="killed", updated_at=NOW - DAY)
    assert one(updated_later, policy(since=Clock.STATUS), history=seen_long_ago).reason is Reason.TOO_YOUNG


LAST_USED = [
    pytest.param(History(NOW - 14 * DAY, NOW - 14 * DAY), Reason.EXPIRED, id="watched-just-long-enough"),
    pytest.param(History(NOW - 90 * DAY, NOW - 14 * DAY + SECOND), Reason.TOO_YOUNG, id="not-watched-long-enough"),
    pytest.param(History(NOW - 90 * DAY), Reason.TOO_YOUNG, id="usage-was-never-readable"),
    pytest.param(None, Reason.TOO_YOUNG, id="no-history"),
    pytest.param(History(NOW - 90 * DAY, NOW - 90 * DAY, None, NOW - DAY), Reason.TOO_YOUNG, id="used-yesterday"),
    pytest.param(History(NOW - 90 * DAY, NOW - 90 * DAY, None, NOW - 15 * DAY), Reason.EXPIRED, id="used-long-ago"),
]


@pytest.mark.parametrize(("history", "reason"), LAST_USED)
def test_last_used_judges_only_what_was_watched(history: History | None, reason: Reason) -> None:
    assert one(image(), policy(since=Clock.LAST_USED), history=history).reason is reason


def test_a_term_beyond_the_calendar_never_ends() -> None:
    decision = one(image(), policy(after=timedelta(weeks=999_999)))
    assert (decision.reason, decision.due) == (Reason.TOO_YOUNG, None)
    assert "no expiry date" in decision.detail


def keep(per: str = "name:/^(.+)-[0-9]+$/", *, newest: int = 0, **counts: int) -> Keep:
    return Keep(Family(per), newest, tuple((Period(period), count) for period, count in counts.items()))


def nightly(count: int, *, family: str = "web", first_age: int = 20) -> list[Image]:
    return [
        image(f"{family}{night:02}", name=f"{family}-{night}", age=(first_age + night) * DAY) for night in range(count)
    ]


def test_newest_beats_age() -> None:
    reasons = verdicts(nightly(5), policy(keep=keep(newest=3)))
    assert reasons == dict.fromkeys(("web00", "web01", "web02"), "kept-newest") | dict.fromkeys(
        ("web03", "web04"), "expired"
    )


def test_newest_counts_family_by_family() -> None:
    reasons = verdicts(nightly(2) + nightly(2, family="db", first_age=90), policy(keep=keep(newest=1)))
    assert reasons == {"web00": "kept-newest", "db00": "kept-newest", "web01": "expired", "db01": "expired"}


@pytest.mark.parametrize("status", ["killed", "queued", "deactivated"])
def test_only_active_images_take_a_place(status: str) -> None:
    junk = image("junk", name="web-99", status=status, age=19 * DAY)
    reasons = verdicts([junk, *nightly(2)], policy(keep=keep(newest=1)))
    assert reasons == {"junk": "expired", "web00": "kept-newest", "web01": "expired"}


def test_guarded_images_take_a_place() -> None:
    golden = image("golden", name="web-99", protected=True, age=19 * DAY)
    assert verdicts([golden, *nightly(1)], policy(keep=keep(newest=1)))["web00"] == "expired"


def test_an_image_from_the_future_takes_no_place() -> None:
    future = image("future", name="web-99", age=-DAY)
    assert verdicts([future, *nightly(1)], policy(keep=keep(newest=1)))["web00"] == "kept-newest"


def test_young_images_take_places_and_are_called_young() -> None:
    young = image("young", name="web-99", age=DAY)
    assert verdicts([young, *nightly(1)], policy(keep=keep(newest=1))) == {"young": "too-young", "web00": "expired"}


def test_ties_go_by_id() -> None:
    twins = [image("b", name="web-1"), image("a", name="web-2")]
    assert verdicts(twins, policy(keep=keep(newest=1))) == {"a": "kept-newest", "b": "expired"}


def test_a_name_without_a_family_is_kept() -> None:
    assert verdicts([image(name="solitary")], policy(keep=keep(newest=1))) == {"a": "no-family"}
    assert verdicts([image(name=None)], policy(keep=keep(newest=1))) == {"a": "no-family"}


@pytest.mark.parametrize("per", ["name:/^(.+)-[0-9]+$/", "property:line"])
def test_a_text_with_a_character_that_could_not_be_read_tells_no_family(per: str) -> None:
    """Half a surrogate pair, of which every one looks the same."""
    ours = [
        one.replace(name=f"ci-\N{REPLACEMENT CHARACTER}-{at}", properties={"line": "\N{REPLACEMENT CHARACTER}"})
        for at, one in enumerate(nightly(4))
    ]
    assert set(verdicts(ours, policy(keep=keep(per, newest=1))).values()) == {"no-family"}


def test_families_by_policy_and_by_property() -> None:
    images = [image("a", age=30 * DAY, properties={"os": "x"}), image("b", age=31 * DAY, properties={"os": "y"})]
    assert verdicts(images, policy(keep=keep("policy", newest=1))) == {"a": "kept-newest", "b": "expired"}
    assert verdicts(images, policy(keep=keep("property:os", newest=1))) == {"a": "kept-newest", "b": "kept-newest"}
    assert verdicts([image()], policy(keep=keep("property:os", newest=1))) == {"a": "no-family"}


def test_daily_keeps_the_last_of_each_day_that_has_one() -> None:
    def built(identity: str, moment: str) -> Image:
        return image(identity, name="web-1", created_at=datetime.fromisoformat(moment))

    images = [
        built("a", "2026-06-03T20:00Z"),
        built("b", "2026-06-03T10:00Z"),
        built("c", "2026-06-01T23:30Z"),
        built("d", "2026-06-01T10:00Z"),
        built("e", "2026-05-20T10:00Z"),
    ]
    kept = {"a": "kept-daily", "b": "expired", "c": "kept-daily", "d": "expired", "e": "expired"}
    assert verdicts(images, policy(keep=keep(daily=2))) == kept
    # In Seoul (UTC+9) c and a fall on the next day, which gives b and d days of their own.
    assert verdicts(images, policy(keep=keep(daily=2)), zone="Asia/Seoul") == kept | {"b": "kept-daily", "c": "expired"}


PERIODS = [
    pytest.param({"weekly": 2}, {"2026-06-08": "kept-weekly", "2026-06-07": "kept-weekly"}, id="weeks-begin-on-monday"),
    pytest.param({"monthly": 2}, {"2026-06-08": "kept-monthly", "2026-05-31": "kept-monthly"}, id="monthly"),
    pytest.param({"yearly": 2}, {"2026-06-08": "kept-yearly", "2025-12-31": "kept-yearly"}, id="yearly"),
    pytest.param({"newest": 1, "yearly": 1}, {"2026-06-08": "kept-newest"}, id="newest-is-named-first"),
    pytest.param({"daily": 1, "yearly": 1}, {"2026-06-08": "kept-daily"}, id="daily-is-named-before-yearly"),
]


@pytest.mark.parametrize(("counts", "kept"), PERIODS)
def test_calendar_periods(counts: dict[str, Any], kept: dict[str, str]) -> None:
    days = ["2026-06-08", "2026-06-07", "2026-06-01", "2026-05-31", "2025-12-31"]
    images = [image(day, name="web-1", created_at=datetime.fromisoformat(f"{day}T12:00Z")) for day in days]
    assert verdicts(images, policy(keep=keep(**counts))) == dict.fromkeys(days, "expired") | kept


EXOTIC = st.sampled_from([None, "", "web-1", "web-2", "db-1", "golden-1", "고정", "<!channel>"])
STATUSES = st.sampled_from([*Status, "frobnicated", ""])
AGE = st.one_of(st.none(), st.integers(-2, 60))


@st.composite
def fleets(draw: st.DrawFn) -> tuple[list[Image], Usage, dict[str, History]]:
    images, history = [], {}
    for number in range(draw(st.integers(0, 12))):
        age, updated = draw(AGE), draw(AGE)
        images.append(
            make_image(
                draw(EXOTIC),
                id=f"id{number}",
                status=draw(STATUSES),
                public=draw(st.booleans()),
                protected=draw(st.booleans()),
                created_at=None if age is None else NOW - age * DAY,
                updated_at=None if updated is None else NOW - updated * DAY,
                size=draw(st.sampled_from([None, 0, 2**30])),
                owned=draw(st.booleans()),
            )
        )
        seen = NOW - draw(st.integers(0, 60)) * DAY
        history[f"id{number}"] = History(seen, draw(st.sampled_from([None, seen])))
    used = {i.id: (User("i", "i"),) for i in images if draw(st.booleans())}
    return images, usage_of(used, problem=draw(st.sampled_from([None, None, "broken"]))), history


POLICIES = st.lists(
    st.builds(
        policy,
        st.uuids().map(str),
        st.sampled_from(
            [ALL, Match(name=(Pattern("web-*"),)), Match(larger_than=5), Match(exclude=Match(smaller_than=5))]
        ),
        after=st.sampled_from([None, SECOND, 7 * DAY]),
        since=st.sampled_from(Clock),
        keep=st.sampled_from([None, keep(newest=1), keep("policy", newest=2, daily=2, monthly=1)]),
    ),
    max_size=3,
)


@settings(max_examples=200)
@given(fleets(), POLICIES, st.randoms())
def test_invariants(fleet: tuple[list[Image], Usage, dict[str, History]], policies: list[Policy], random: Any) -> None:
    images, usage, history = fleet

    def decided(subjects: list[Image]) -> list[Decision]:
        return decide(subjects, policies, usage, history, NOW, target="prod", zone=UTC)

    decisions = decided(images)
    assert sorted(d.image.id for d in decisions) == sorted(i.id for i in images), "every image decided once"

    shuffled = list(images)
    random.shuffle(shuffled)
    assert decided(shuffled) == decisions, "order does not matter"

    doomed = {d.image.id for d in make_plan(decisions).decisions}
    for subject in (i for i in images if i.id in doomed):
        assert not subject.public
        assert not subject.protected
        assert subject.owned
        assert subject.created_at is not None
        assert subject.created_at <= NOW - timedelta(minutes=10)
        assert subject.status in set(Status) - {Status.DELETED, Status.PENDING_DELETE}
        assert subject.id not in usage.by_image
        assert usage.problem is None

    survivors = [i for i in images if i.id not in doomed]
    assert not make_plan(decided(survivors)).decisions, "deciding again over the survivors deletes nothing"
