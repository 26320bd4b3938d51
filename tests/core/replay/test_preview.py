"""Other policies on the inputs of a past run: exemptions, notices and sharing as they would have been."""

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from janitor.cloud.apis import shareable
from janitor.core.decision import Decision, Reason, Verdict
from janitor.core.image import Image, Sharing
from janitor.core.memory import Exemption, Notice
from janitor.core.names.owners import OwnerRule
from janitor.core.names.wire_keys import WireKeys
from janitor.core.policy import Policy
from janitor.core.recipients.destinations import Destinations
from janitor.core.recipients.recipients import Recipient, Recipients
from janitor.core.replay.exempted import Granted, exempted_under
from janitor.core.replay.inputs import Inputs
from janitor.core.replay.preview import (
    UNASKED,
    Known,
    Replayed,
    Tried,
    announced_anew,
    kept_shared,
    notices_under,
    replayed,
)
from janitor.core.result import Mode
from tests.core.test_deciding_again import Chance, ListeningStore, World
from tests.factories import DAY, NOW, OLD, image_called, to_delete, to_keep
from tests.fakes import RecordingCloud
from tests.new_database import new_database
from tests.replays import previewed_again

WEB, DB = image_called("web-1"), image_called("db-1", tags=("janitor-keep-until=2026-12-24",))
IN_FILE = Exemption("web-1", NOW + 9 * DAY, "release", "keep.yaml")
BY_COMMAND = Exemption("web-1", NOW + 5 * DAY, "tests", "kim")


@settings(max_examples=12)
@given(seed=st.integers(0, 10**6))
def test_unchanged_policies_decide_exactly_as_the_run_did(seed: int) -> None:
    with TemporaryDirectory() as folder, ListeningStore.open(new_database(Path(folder) / "janitor.db")) as store:
        world = World(store, RecordingCloud([image_called("web-2"), image_called("db-3")]))
        chance = Chance(world, random.Random(seed))
        for _ in range(6):
            world.night(**chance.change())
        for run, decisions in world.decided.items():
            if decisions:
                inputs = store.inputs(run)["prod"]
                assert previewed_again(inputs) == decisions
                assert store.decisions_on(run, "prod", inputs.survey.images) == list(decisions)


# Exemptions


def exempt(
    recorded: dict[str, Exemption] | None,
    before: Iterable[Exemption],
    after: Iterable[Exemption],
    by_command: Iterable[Exemption] = (),
) -> dict[str, Exemption]:
    granted = Granted(recorded, tuple(before), tuple(by_command), NOW, UTC)
    return dict(exempted_under(granted, [WEB, DB], tuple(after)))


def test_unchanged_files_leave_what_the_run_knew() -> None:
    known = {"web-1": Exemption("web-1", NOW + DAY, "who knows", "somebody")}
    assert exempt(known, [IN_FILE], [IN_FILE]) == known


@pytest.mark.parametrize(
    ("recorded", "by_command", "after", "found"),
    [
        ({"web-1": IN_FILE}, [], [], {}),
        ({"web-1": IN_FILE}, [BY_COMMAND], [], {"web-1": BY_COMMAND}),
        ({"web-1": BY_COMMAND}, [], [], {"web-1": BY_COMMAND}),
        ({}, [BY_COMMAND], [], {}),
        ({"web-1": BY_COMMAND}, [], [replace(IN_FILE, why="longer")], {"web-1": replace(IN_FILE, why="longer")}),
        (None, [BY_COMMAND], [], {"web-1": BY_COMMAND}),
    ],
    ids=["only-the-file", "command-behind-it", "command", "given-later", "a-longer-file", "not-recorded"],
)
def test_what_files_gave_is_replaced_and_what_others_gave_stays(
    recorded: dict[str, Exemption] | None,
    by_command: list[Exemption],
    after: list[Exemption],
    found: dict[str, Exemption],
) -> None:
    assert {key: one for key, one in exempt(recorded, [IN_FILE], after, by_command).items() if key == "web-1"} == found


def test_a_tag_counts_again_where_a_file_gave_the_longest() -> None:
    longer = replace(IN_FILE, image="db-1", until=NOW + 90 * DAY)
    assert exempt({"db-1": longer}, [longer], [])["db-1"].who == "its tag"


# Notices


MAIN, TEAM = "C0MAIN", "C0TEAM"
NOTICE = Notice("old", 2 * DAY, NOW - DAY, NOW + DAY, name="web-1", place="slack")


def under(recipients: Recipients | None = None) -> Callable[[Iterable[Policy]], Destinations | None]:
    return lambda policies: Destinations.under(policies, MAIN, recipients)


def told(notice: Notice, before: Policy, after: Policy, recipients: Recipients | None = None) -> Notice:
    return notices_under([WEB], {"web-1": notice}, [before], [after], under(recipients))["web-1"]


def test_unchanged_policies_leave_notices_untouched() -> None:
    notices = {"web-1": replace(NOTICE, elsewhere=True, place="C0OTHER")}
    assert notices_under([WEB], notices, [OLD], [replace(OLD, notice=9 * DAY)], under()) is notices


def test_a_policy_with_another_channel_was_not_announced_there() -> None:
    assert told(NOTICE, OLD, replace(OLD, channel=TEAM)).elsewhere
    assert not told(NOTICE, replace(OLD, channel=TEAM), OLD).elsewhere
    assert not told(NOTICE, OLD, replace(OLD, channel=MAIN)).elsewhere
    assert not told(replace(NOTICE, place=None), OLD, replace(OLD, channel=TEAM)).elsewhere


def test_a_policy_that_finds_another_owner_has_told_somebody_else() -> None:
    recipients = Recipients({"web": Recipient(TEAM), "1": Recipient(TEAM)})
    by_name, by_number = (replace(OLD, owner=OwnerRule(rule)) for rule in ("name:*-1", "name:web-*"))
    notice = replace(NOTICE, owner="web", place=TEAM)
    assert told(notice, by_name, by_number, recipients) == replace(notice, reowned=True)
    assert told(notice, by_number, by_name, recipients) == notice
    assert told(replace(notice, owner=None), by_name, by_number, recipients).reowned is False


def test_without_slack_nothing_is_announced_anywhere() -> None:
    notices = {"web-1": NOTICE}
    after = replace(OLD, channel=TEAM)
    assert notices_under([WEB], notices, [OLD], [after], lambda _policies: None) is notices


@pytest.mark.parametrize(
    ("notice", "policy", "anew"),
    [
        (NOTICE, replace(OLD, notice=2 * DAY), False),
        (NOTICE, replace(OLD, notice=DAY), False),
        (NOTICE, replace(OLD, notice=3 * DAY), True),
        (NOTICE, replace(OLD, notice=2 * DAY, name="renamed"), True),
        (replace(NOTICE, elsewhere=True), replace(OLD, notice=2 * DAY), True),
        (None, replace(OLD, notice=2 * DAY), False),
    ],
    ids=["as-announced", "shorter-since", "longer", "another-policy", "elsewhere", "never-announced"],
)
def test_a_notice_starts_again_where_the_announcement_no_longer_stands(
    notice: Notice | None, policy: Policy, *, anew: bool
) -> None:
    waits = to_delete(WEB, policy=policy.name, verdict=Verdict.WAIT, reason=Reason.NOTICE)
    notices = {} if notice is None else {"web-1": notice}
    assert announced_anew([waits], [policy], notices) == ({"web-1"} if anew else set())
    assert announced_anew([waits.replace(reason=Reason.REFUSED)], [policy], notices) == set()


# Sharing


def inputs_with(world: World) -> Inputs:
    return world.inputs(world.night(Mode.DRY_RUN).run)


@pytest.fixture
def world(tmp_path: Path) -> Iterable[World]:
    with ListeningStore.open(new_database(tmp_path / "janitor.db")) as store:
        listed = [image_called("web-2", days=10, visibility="shared"), image_called("db-3", visibility="private")]
        yield World(store, RecordingCloud(listed))


def tried_on(inputs: Inputs, policies: list[Policy], may_be_shared: Callable[[Image], bool]) -> Replayed:
    assert inputs.basis is not None
    assert inputs.grounds is not None
    known = Known((), lambda _policies: None, may_be_shared, WireKeys())
    return replayed(inputs, inputs.basis, inputs.grounds, Tried(policies, ()), known)


def test_what_nobody_asked_then_is_not_known_and_not_none(world: World) -> None:
    inputs = inputs_with(world)
    sooner = replace(OLD, expire=replace(OLD.expire, after=DAY))  # type: ignore[type-var]
    found = tried_on(inputs, [sooner], shareable("openstack", None))
    by_id = {decision.image.id: decision for decision in found.decisions}
    assert {decision.verdict for decision in found.decisions} == {Verdict.DELETE}
    assert found.sharing_unknown == {"web-2"}
    assert by_id["web-2"].detail.endswith(UNASKED)
    assert UNASKED not in by_id["db-3"].detail
    assert tried_on(inputs, [sooner], shareable("toast", None)).sharing_unknown == frozenset()


def test_an_answer_of_then_keeps_an_image_from_other_policies_too(world: World) -> None:
    world.cloud.shared = {"db-3": Sharing(("p1",))}
    found = tried_on(inputs_with(world), [replace(OLD, name="other")], shareable("openstack", None))
    assert {d.image.id: d.reason for d in found.decisions}["db-3"] is Reason.SHARED


def test_without_answers_an_image_that_was_kept_as_shared_stays() -> None:
    kept = to_keep(WEB, Reason.SHARED, detail="shared with project p1, which accepted")
    found = kept_shared(Replayed([to_delete(WEB), to_delete(DB)], frozenset({"web-1", "db-1"})), [kept])
    assert list(found.decisions) == [kept, to_delete(DB)]
    assert found.sharing_unknown == {"db-1"}


def test_an_exemption_that_ends_before_the_instant_keeps_nothing(world: World) -> None:
    world.store.add_exemptions([("prod", Exemption("db-3", NOW + 3 * DAY, "tests", "kim"))], NOW - DAY)
    inputs = inputs_with(world)
    assert inputs.basis is not None
    assert inputs.grounds is not None
    known = Known((), lambda _policies: None, lambda _image: False, WireKeys())
    verdicts = []
    for later in (timedelta(), 4 * DAY):
        tried = Tried(inputs.basis.policies, (), inputs.survey.finished_at + later)
        decisions: list[Decision] = list(replayed(inputs, inputs.basis, inputs.grounds, tried, known).decisions)
        verdicts += [decision.verdict for decision in decisions if decision.image.id == "db-3"]
    assert verdicts == [Verdict.KEEP, Verdict.DELETE]
