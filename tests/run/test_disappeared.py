"""Who made images disappear between two runs, over a real database, where it is tempting to name somebody."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest

from janitor.cli.formats import Format
from janitor.cli.formats.differences import DIFFERENCES
from janitor.core.image import Sharing
from janitor.core.planning.deletion import Answer
from janitor.core.replay.differences.between import Cause, Compared, Gone, Request, gone_by
from janitor.core.replay.differences.causes import difference
from janitor.core.result import DeletionOutcome, Mode
from janitor.errors import CloudError
from janitor.report.rehearsals.differences.rows import differences_json
from janitor.run.orders import Site
from janitor.store import Store
from janitor.store.history.differences import taken
from tests.factories import AMPLE, DAY, OLD, exempt, image_called
from tests.fakes import MOVED, RecordingCloud
from tests.run.world import NightlyWorld
from tests.runs import run_of

OURS = image_called("one", days=40)
BYSTANDERS = [image_called(f"by-{number}", days=1, protected=True) for number in range(4)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[NightlyWorld]:
    with Store.open(tmp_path / "janitor.db") as store:
        yield NightlyWorld(store, RecordingCloud([OURS, *BYSTANDERS]))


def gone(world: NightlyWorld, before: int, after: int, target: str = "prod") -> dict[str, Gone]:
    found = world.store.compared(target, before, after)
    assert isinstance(found, Compared)
    by = {each.image.id: each.by for each in found.gone}
    if found.before.run == after - 1 and found.before.accepted and found.after.accepted:
        since = world.store.since(after, target)
        assert since is not None
        counts = [list(by.values()).count(who) for who in (Gone.BY_US, Gone.BY_OTHERS, Gone.UNKNOWN)]
        assert [since.gone_by_us, since.gone_by_others, since.gone_unknown] == counts
    return by


def test_what_only_a_survey_that_was_not_accepted_listed_is_gone_by_nobody_known(world: NightlyWorld) -> None:
    world.night(Mode.DRY_RUN)
    every, world.cloud.listed = world.cloud.listed, [image_called(f"odd-{number}", days=1) for number in range(5)]
    world.night(Mode.DRY_RUN)
    world.cloud.listed = every
    world.night(Mode.DRY_RUN)
    assert set(gone(world, 2, 3).values()) == {Gone.UNKNOWN}


def test_a_deletion_of_ours_before_the_image_was_listed_again_does_not_make_it_ours(world: NightlyWorld) -> None:
    world.night()
    world.night()
    assert gone(world, 1, 2) == {"one": Gone.BY_US}
    world.cloud.listed.append(OURS.replace(protected=True))
    world.night()
    world.cloud.listed = BYSTANDERS
    world.night()
    assert gone(world, 3, 4) == gone(world, 1, 4) == {"one": Gone.UNKNOWN}


def test_an_old_request_that_may_be_carried_out_late_leaves_it_unknown(world: NightlyWorld) -> None:
    world.cloud.answers["one"] = CloudError("no answer")
    world.night()
    world.cloud.listed[0] = OURS.replace(protected=True)
    world.night()
    world.night()
    world.cloud.listed = BYSTANDERS
    world.night()
    assert gone(world, 3, 4) == {"one": Gone.UNKNOWN}


@pytest.mark.parametrize(
    ("answer", "by"), [(Answer.ACCEPTED, Gone.BY_US), (Answer.NONE, Gone.UNKNOWN), (None, Gone.UNKNOWN)]
)
def test_a_request_that_was_never_answered_may_not_be_why_it_is_gone(answer: Answer | None, by: Gone) -> None:
    assert gone_by([Request(sent=True, answer=answer, outcome=DeletionOutcome.DELETED)], accepted=True) is by


def test_a_request_that_found_no_image_did_not_delete_it(world: NightlyWorld) -> None:
    world.cloud.answers["one"] = Answer.ABSENT
    world.night()
    world.cloud.listed = BYSTANDERS
    world.night()
    assert gone(world, 1, 2) == {"one": Gone.BY_OTHERS}


@pytest.mark.parametrize("spelled", ["one", " ONE"])
@pytest.mark.parametrize(
    ("answer", "by"),
    [
        (Answer.ACCEPTED, Gone.BY_US),
        (CloudError("no answer"), Gone.UNKNOWN),
        (Answer.REFUSED, Gone.BY_OTHERS),
    ],
)
def test_requests_to_another_target_count_too(
    world: NightlyWorld, answer: Answer | CloudError, by: Gone, spelled: str
) -> None:
    other = RecordingCloud([OURS.replace(id=spelled, owned=False), image_called("theirs", days=1)], reached=MOVED)
    world.cloud.answers["one"] = answer
    sites = [Site("prod", lambda: world.cloud), Site("other", lambda: other)]
    for _ in range(2):
        run_of(sites, [OLD], world.store, Mode.DELETE, AMPLE, clock=lambda: world.now, max_shrink=100).perform()
        world.now += DAY
        other.listed = other.listed[-1:]
    assert gone(world, 1, 2, "other") == {spelled: by}


@pytest.mark.parametrize("few", [0, 100])
def test_many_images_are_looked_up_as_few_are(world: NightlyWorld, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    monkeypatch.setattr(taken, "_FEW", few)
    kinds: dict[str, Answer | CloudError] = {
        "late": CloudError("no answer"),
        "rejected": Answer.REFUSED,
        "absent": Answer.ABSENT,
    }
    world.cloud.listed += [image_called(name, days=40) for name in kinds]
    world.cloud.listed.append(image_called("taken", days=1))
    world.cloud.answers.update(kinds)
    world.night()
    world.night()
    world.cloud.listed = BYSTANDERS
    world.night()
    by_others = dict.fromkeys(("rejected", "absent", "taken"), Gone.BY_OTHERS)
    assert gone(world, 1, 3) == {"one": Gone.BY_US, "late": Gone.UNKNOWN, **by_others}


def test_another_spelling_of_an_id_is_no_other_image(world: NightlyWorld) -> None:
    world.policies = [OLD]
    world.night(Mode.DRY_RUN)
    world.cloud.listed[0] = OURS.replace(id="ONE", protected=True)
    world.night(Mode.DRY_RUN)
    found = world.store.compared("prod", 1, 2)
    assert isinstance(found, Compared)
    assert (list(found.new), list(found.gone)) == ([], [])
    [changed] = found.changed
    assert changed.fields == ("id", "protected")
    [decided] = difference(found).decisions
    assert decided.cause is Cause.PROTECTION
    since = world.store.since(2, "prod")
    assert since is not None
    assert (since.new.images, since.gone_by_others, since.gone_unknown) == (0, 0, 0)


UNREAD = {
    "protected": {"protected": True, "unreadable": {"protected": "perhaps"}},
    "visibility": {"public": True, "visibility": None, "unreadable": {"visibility": "odd"}},
    "isPublic": {"public": True, "unreadable": {"isPublic": "odd"}},
    "owner": {"owned": False, "owner": None, "unreadable": {"owner": "odd"}},
    "tags": {"tags": None, "unreadable": {"tags": "odd"}},
    "created": {"created_at": None, "unreadable": {"created_at": "odd"}},
}


@pytest.mark.parametrize("facts", UNREAD.values(), ids=UNREAD)
def test_a_fact_that_cannot_be_read_has_not_changed(world: NightlyWorld, facts: dict[str, object]) -> None:
    world.cloud.listed[0] = OURS.replace(visibility="private", owner="p")
    world.night(Mode.DRY_RUN)
    world.cloud.listed[0] = world.cloud.listed[0].replace(**facts)
    world.night(Mode.DRY_RUN)
    world.cloud.listed[0] = OURS.replace(visibility="private", owner="p")
    world.night(Mode.DRY_RUN)
    for before, after in ((1, 2), (2, 3)):
        found = world.store.compared("prod", before, after)
        assert isinstance(found, Compared)
        [changed] = found.changed
        assert changed.fields == ("unreadable",)
        [decided] = difference(found).decisions
        assert (decided.cause, decided.candidates) == (Cause.UNKNOWN, ())


def cause_of_one(world: NightlyWorld) -> Cause:
    found = world.store.compared("prod", 1, 2)
    assert isinstance(found, Compared)
    [decided] = [each for each in difference(found).decisions if each.after.image.identity == "one"]
    return decided.cause


@pytest.mark.parametrize(
    ("before", "after", "cause"),
    [
        ("other", "one", Cause.NAME),
        ("one", "other", Cause.NAME),
    ],
)
def test_an_exemption_of_a_file_that_only_a_name_brought_or_ended_was_neither_granted_nor_revoked(
    world: NightlyWorld, before: str, after: str, cause: Cause
) -> None:
    in_file = (replace(exempt("called", world.now + 90 * DAY), image="called"),)
    for name in (before, after):
        world.cloud.listed[0] = OURS.replace(name="called" if name == "one" else name)
        world.night(Mode.DRY_RUN, exemptions=in_file)
    assert cause_of_one(world) is cause


@pytest.mark.parametrize(
    ("first", "then", "cause"),
    [
        (Sharing(), Sharing(("p",)), Cause.SHARING),
        (Sharing(), Sharing(problem="no answer"), Cause.UNKNOWN),
        (Sharing(problem="no answer"), Sharing(), Cause.UNKNOWN),
    ],
)
def test_sharing_that_could_not_be_read_has_not_changed(
    world: NightlyWorld, first: Sharing, then: Sharing, cause: Cause
) -> None:
    for shared in (first, then):
        world.cloud.shared = {"one": shared}
        world.night(Mode.DRY_RUN)
    assert cause_of_one(world) is cause


def test_a_tag_that_was_there_before_is_no_grant(world: NightlyWorld) -> None:
    day = (world.now - 2 * DAY).strftime("%Y-%m-%d")
    world.cloud.listed[0] = OURS.replace(tags=(f"janitor-keep-until={day}",))
    world.night(Mode.DRY_RUN)
    world.now -= 4 * DAY  # as another time zone would do it
    world.night(Mode.DRY_RUN)
    assert cause_of_one(world) is Cause.UNKNOWN


def test_what_is_decided_only_now_is_unknown_where_a_run_decided_nothing_and_spreadsheets_are_told_so(
    world: NightlyWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    world.night(Mode.DRY_RUN)
    world.night(Mode.DRY_RUN)
    found = world.store.compared("prod", 1, 2)
    assert isinstance(found, Compared)
    undecided = difference(replace(found, before=replace(found.before, decided=False)))
    for key in ("newly_to_be_deleted", "newly_waiting"):
        assert json.loads("".join(differences_json([difference(found)], None)))["totals"][key] == 0
        assert json.loads("".join(differences_json([undecided], None)))["totals"][key] is None
    DIFFERENCES[Format.CSV]([undecided], None, UTC)
    assert "prod: run 1 decided nothing" in capsys.readouterr().err
