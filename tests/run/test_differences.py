"""What changed between two runs, over a real database: images, facts, uses, and why decisions are other ones."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from janitor.core.image import MISSING, Sharing
from janitor.core.planning.deletion import Answer
from janitor.core.policy import Expire, Match, Pattern, Policy
from janitor.core.replay.differences.between import Cause, Compared, Difference, Gone, Uncompared
from janitor.core.replay.differences.causes import difference
from janitor.core.result import Mode
from janitor.core.retention import Family, Keep
from janitor.core.usage import Source, Unread, Usage, User
from janitor.errors import CloudError
from janitor.report.rehearsals.differences.short import in_short
from janitor.store import Store
from tests.factories import DAY, NOW, OLD, exempt, image_called, usage_of
from tests.fakes import RecordingCloud
from tests.run.world import NightlyWorld

WEB = User("s1", "web-1")
PINNED = Policy("pinned", Match(name=(Pattern("one"),)))
NEWEST = replace(OLD, match=Match(name=(Pattern("one"), Pattern("two"))), keep=Keep(Family("policy"), newest=1))
BYSTANDERS = [image_called(f"by-{number}", days=1, protected=True) for number in range(4)]
"""Images that nothing happens to: a survey that lacks most of what the last one had is not accepted."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[NightlyWorld]:
    with Store.open(tmp_path / "janitor.db") as store:
        yield NightlyWorld(store, RecordingCloud([image_called("one", days=40), *BYSTANDERS]))


def change(world: NightlyWorld, **facts: object) -> None:
    """Change the facts of the one image."""
    world.cloud.listed[0] = world.cloud.listed[0].replace(**facts)


def compared(world: NightlyWorld, before: int = 1, after: int = 2) -> Difference:
    found = world.store.compared("prod", before, after)
    assert isinstance(found, Compared)
    return difference(found)


def cause(world: NightlyWorld) -> tuple[Cause, ...]:
    """Why the one image was decided otherwise in the second run: what may be it, where that is not certain."""
    [changed] = [each for each in compared(world).decisions if each.after.image.id == "one"]
    return changed.candidates or (changed.cause,)


def use(world: NightlyWorld, *users: User, **rest: object) -> None:
    world.cloud.used = usage_of({"one": users} if users else {}, **rest)


def young(world: NightlyWorld) -> None:
    change(world, created_at=NOW - 13.5 * DAY, updated_at=NOW - 13.5 * DAY)


def in_use(world: NightlyWorld) -> None:
    use(world, WEB)


def is_protected(world: NightlyWorld) -> None:
    change(world, protected=True)


def two_of_a_family(world: NightlyWorld) -> None:
    world.policies = [NEWEST]


def newer(world: NightlyWorld) -> None:
    world.cloud.listed.append(image_called("two", days=20))


def exempted(world: NightlyWorld) -> None:
    world.store.add_exemptions([("prod", exempt("one", world.now + DAY / 2))], world.now)


def nothing(_world: NightlyWorld) -> None:
    pass


Step = Callable[[NightlyWorld], object]
CAUSES: dict[str, tuple[Step, Step, Cause]] = {
    "time": (young, nothing, Cause.TIME_PASSED),
    "use-began": (young, in_use, Cause.USE_BEGAN),
    "use-ended": (in_use, use, Cause.USE_ENDED),
    "protected": (young, is_protected, Cause.PROTECTION),
    "unprotected": (is_protected, lambda w: change(w, protected=False), Cause.PROTECTION),
    "status": (young, lambda w: change(w, status="strange"), Cause.STATUS),
    "published": (young, lambda w: change(w, public=True, visibility="public"), Cause.VISIBILITY),
    "renamed-away": (
        lambda w: setattr(w, "policies", [replace(OLD, match=Match(name=(Pattern("one"),)))]),
        lambda w: change(w, name="other"),
        Cause.NAME,
    ),
    "dates": (nothing, lambda w: change(w, created_at=w.now - DAY), Cause.FACTS),
    "policy-longer": (
        nothing,
        lambda w: setattr(w, "policies", [replace(OLD, expire=Expire(100 * DAY))]),
        Cause.POLICY_EDITED,
    ),
    "policy-added": (nothing, lambda w: setattr(w, "policies", [PINNED, OLD]), Cause.POLICIES_CHANGED),
    "notice-added": (nothing, lambda w: setattr(w, "policies", [replace(OLD, notice=DAY)]), Cause.POLICY_EDITED),
    "family": (two_of_a_family, newer, Cause.FAMILY),
    "exempted": (nothing, exempted, Cause.EXEMPTION_GRANTED),
    "exemption-over": (exempted, nothing, Cause.EXEMPTION_EXPIRED),
    "shared": (nothing, lambda w: w.cloud.shared.update(one=Sharing(("p",))), Cause.SHARING),  # type: ignore[union-attr]
    "usage-lost": (nothing, lambda w: setattr(w.cloud, "used", Usage(problem="no answer")), Cause.USAGE_UNREAD),
    "usage-back": (lambda w: setattr(w.cloud, "used", Usage(problem="no answer")), in_use, Cause.USAGE_UNREAD),
}


@pytest.mark.parametrize(("first", "then", "why"), CAUSES.values(), ids=CAUSES)
def test_why_a_decision_is_another_one_is_told(world: NightlyWorld, first: Step, then: Step, why: Cause) -> None:
    first(world)
    world.night(Mode.DRY_RUN)
    then(world)
    world.night(Mode.DRY_RUN)
    assert cause(world) == (why,)


def test_an_exemption_that_is_ended_early_was_revoked(world: NightlyWorld) -> None:
    world.store.add_exemptions([("prod", exempt("one", world.now + 9 * DAY))], world.now)
    world.night(Mode.DRY_RUN)
    world.store.end_exemptions([("prod", "one")], "kim", world.now)
    world.night(Mode.DRY_RUN)
    assert cause(world) == (Cause.EXEMPTION_REVOKED,)


def test_an_announcement_in_between_is_counted_and_no_other_decision(world: NightlyWorld) -> None:
    world.policies = [replace(OLD, notice=3 * DAY)]
    for _ in range(3):
        world.night()
    assert (compared(world).decisions, compared(world).announced) == ((), 1)
    assert in_short([compared(world)], None) == "1 announced in between"
    assert (compared(world, 2, 3).decisions, compared(world, 2, 3).announced) == ((), 0)


def test_a_date_that_people_knew_and_that_moved_is_another_decision(world: NightlyWorld) -> None:
    world.policies = [replace(OLD, notice=5 * DAY)]
    for _ in range(2):
        world.night()
    world.policies = [replace(OLD, notice=9 * DAY)]
    world.night(deliver=False)
    [changed] = compared(world, 2, 3).decisions
    assert Cause.POLICY_EDITED in (changed.cause, *changed.candidates)
    assert compared(world, 2, 3).announced == 0


def test_a_date_that_nobody_was_told_is_no_change(world: NightlyWorld) -> None:
    world.policies = [replace(OLD, notice=3 * DAY)]
    world.night(deliver=False)
    world.night(deliver=False)
    assert not compared(world).decisions


def test_an_announced_image_whose_notice_ends_is_due_as_time_passed(world: NightlyWorld) -> None:
    world.policies = [replace(OLD, notice=2 * DAY)]
    for _ in range(3):
        world.night()
    [changed] = compared(world, 2, 3).decisions
    assert changed.cause is Cause.TIME_PASSED


def test_where_the_edit_and_the_time_each_suffice_either_may_be_why(world: NightlyWorld) -> None:
    young(world)
    world.night(Mode.DRY_RUN)
    world.policies = [replace(OLD, expire=Expire(10 * DAY))]
    world.night(Mode.DRY_RUN)
    assert cause(world) == (Cause.TIME_PASSED, Cause.POLICY_EDITED)


def test_where_the_date_and_the_time_each_suffice_either_may_be_why(world: NightlyWorld) -> None:
    young(world)
    world.night(Mode.DRY_RUN)
    change(world, created_at=NOW - 20 * DAY, updated_at=NOW - 2 * DAY, properties={"a": "b"})
    world.night(Mode.DRY_RUN)
    assert cause(world) == (Cause.TIME_PASSED, Cause.FACTS)


@pytest.mark.parametrize(
    ("tag", "later", "why"),
    [
        ("janitor-keep-until=2027-01-01", "janitor-keep-until=2027-01-01", (Cause.SETTINGS,)),
        ("janitor-keep-until=2027-01-01", "janitor-keep-until=2027-02-01", (Cause.EXEMPTION_GRANTED, Cause.SETTINGS)),
    ],
    ids=["the-same-tag", "another-tag"],
)
def test_where_the_time_zone_was_edited_the_day_of_a_tag_may_be_another_instant(
    world: NightlyWorld, tag: str, later: str, why: tuple[Cause, ...]
) -> None:
    change(world, tags=(tag,))
    world.night(Mode.DRY_RUN)
    change(world, tags=(later,))
    world.night(Mode.DRY_RUN, zone=ZoneInfo("Asia/Seoul"))
    assert cause(world) == why


def test_an_owner_that_is_not_told_is_said_once_and_why_a_decision_differs_is_unknown(world: NightlyWorld) -> None:
    change(world, owner="a-project", unreadable={})
    world.night(Mode.DRY_RUN)
    change(world, owner=None, owned=False, unreadable={"owner": MISSING})
    world.night(Mode.DRY_RUN)
    [changed] = compared(world).compared.changed
    assert (changed.fields, changed.untold) == ((), ("owner",))
    assert cause(world) == (Cause.UNKNOWN,)


def test_a_rejected_deletion_is_why_an_image_waits(world: NightlyWorld) -> None:
    world.cloud.answers["one"] = Answer.REFUSED
    world.night()
    world.now -= DAY / 2
    world.night()
    assert cause(world) == (Cause.REJECTED,)


def test_where_the_policy_and_the_family_changed_either_may_be_why(world: NightlyWorld) -> None:
    two_of_a_family(world)
    world.night(Mode.DRY_RUN)
    newer(world)
    world.policies = [replace(NEWEST, expire=Expire(15 * DAY))]
    world.night(Mode.DRY_RUN)
    [changed] = [each for each in compared(world).decisions if each.after.image.id == "one"]
    assert (changed.cause, changed.candidates) == (Cause.UNKNOWN, (Cause.POLICY_EDITED, Cause.FAMILY))


def test_a_use_that_a_source_no_longer_tells_of_has_not_ended(world: NightlyWorld) -> None:
    use(world, replace(WEB, source="servers"))
    world.night(Mode.DRY_RUN)
    use(world, unread=frozenset({Unread(Source.SERVERS)}))
    world.night(Mode.DRY_RUN)
    found = compared(world)
    assert not found.compared.uses.ended
    assert cause(world) == (Cause.USAGE_UNREAD,)


def test_uses_that_began_and_ended_are_told_with_who_it_was(world: NightlyWorld) -> None:
    use(world, WEB)
    world.night(Mode.DRY_RUN)
    use(world, replace(WEB, id="s2", name="web-2"))
    world.night(Mode.DRY_RUN)
    uses = compared(world).compared.uses
    assert [(each.user.name, each.name) for each in uses.begun] == [("web-2", "one")]
    assert [each.user.name for each in uses.ended] == ["web-1"]


def test_a_user_with_another_name_is_the_same_one(world: NightlyWorld) -> None:
    use(world, WEB)
    world.night(Mode.DRY_RUN)
    use(world, replace(WEB, name="renamed"))
    world.night(Mode.DRY_RUN)
    uses = compared(world).compared.uses
    assert (list(uses.begun), list(uses.ended)) == ([], [])


def gone(world: NightlyWorld) -> dict[str, Gone]:
    return {each.image.id: each.by for each in compared(world).compared.gone}


def test_who_made_an_image_disappear_is_told(world: NightlyWorld) -> None:
    world.cloud.listed += [image_called("taken", days=1), image_called("rejected", days=40)]
    world.cloud.answers["rejected"] = Answer.REFUSED
    world.night()
    world.cloud.listed = [image for image in world.cloud.listed if image.id not in ("taken", "rejected")]
    world.night()
    assert gone(world) == {"one": Gone.BY_US, "taken": Gone.BY_OTHERS, "rejected": Gone.BY_OTHERS}


def test_where_the_outcome_of_our_request_is_not_known_it_is_not_known_who_it_was(world: NightlyWorld) -> None:
    world.cloud.answers["one"] = CloudError("no answer")
    world.cloud.lost = {"one"}
    world.cloud.survey_errors = [None, CloudError("no list")]
    world.night()
    world.cloud.irregular = ["odd"]
    world.night()
    assert gone(world) == {"one": Gone.UNKNOWN}


def test_a_survey_that_was_not_accepted_does_not_tell_who_took_what_it_lacks(world: NightlyWorld) -> None:
    world.night(Mode.DRY_RUN)
    world.cloud.listed = world.cloud.listed[:1]
    result = world.night(Mode.DRY_RUN)
    assert set(gone(world).values()) == {Gone.UNKNOWN}
    assert result.targets[0].since is None


def test_an_image_that_comes_back_is_not_new(world: NightlyWorld) -> None:
    world.cloud.listed.append(image_called("there-and-back", days=3))
    every = world.cloud.listed
    world.night(Mode.DRY_RUN)
    world.cloud.listed = every[:-1]
    world.night(Mode.DRY_RUN)
    world.cloud.listed = every
    result = world.night(Mode.DRY_RUN)
    [back] = compared(world, 2, 3).compared.new
    assert (back.image.id, back.seen_before) == ("there-and-back", True)
    assert not compared(world, 1, 3).compared.new
    since = result.targets[0].since
    assert since is not None
    assert (since.run, since.new.images, since.listed_again) == (2, 0, 1)


def test_facts_that_changed_are_told_and_those_that_changed_back_are_not(world: NightlyWorld) -> None:
    world.night(Mode.DRY_RUN)
    change(world, name="renamed", tags=("a",))
    world.night(Mode.DRY_RUN)
    [changed] = compared(world).compared.changed
    assert changed.fields == ("name", "tags")
    change(world, name="one", tags=())
    world.night(Mode.DRY_RUN)
    assert not compared(world, 1, 3).compared.changed


def test_a_target_that_only_one_of_the_runs_surveyed_is_not_compared(world: NightlyWorld) -> None:
    world.night(Mode.DRY_RUN)
    world.cloud.survey_errors = [CloudError("no list")]
    world.night(Mode.DRY_RUN)
    assert world.store.compared("prod", 1, 2) == Uncompared("prod", "run 2 did not survey it")


def test_a_target_that_was_rebound_in_between_is_not_compared(world: NightlyWorld) -> None:
    world.night(Mode.DRY_RUN)
    world.store.rebind("prod", "kim", world.now)
    world.night(Mode.DRY_RUN)
    assert world.store.compared("prod", 1, 2) == Uncompared("prod", "it was bound to another account in between")


def test_the_numbers_add_up_over_any_two_runs(world: NightlyWorld) -> None:
    for night in range(8):
        world.cloud.listed = world.cloud.listed[1 if night % 3 == 1 else 0 :]
        world.cloud.listed += [image_called(f"n{night}-{one}", days=14.5 - night) for one in range(night % 3)]
        world.night()
        world.now += timedelta(hours=night)
    for before in range(1, 8):
        for after in range(before + 1, 9):
            found = compared(world, before, after).compared
            assert found.before.amount.images + len(found.new) - len(found.gone) == found.after.amount.images
