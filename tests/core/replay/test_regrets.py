"""What is a regret, what only may be one, and for how long an image was watched: by example."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from janitor.core.image import Image, Sharing
from janitor.core.names.image_ids import folded
from janitor.core.names.wire_keys import WireKeys
from janitor.core.replay.afterwards import Afterwards, Listed, Moment, Surveyed, Used
from janitor.core.replay.hindsight import hindsight_of
from janitor.core.replay.regrets import Hindsight, RegretKind, is_near_miss
from janitor.core.replay.replayed import NightDeletion
from janitor.core.usage import Source, Unread, User, UserKind
from tests.factories import DAY, NOW, exempt, make_image, to_delete

IMAGE = make_image(id="AB-1")
KEY = folded(IMAGE.id)
WEB = User("s-1", "web-1")
SURVEYS = tuple(Surveyed(run, NOW + run * DAY, UTC) for run in range(1, 11))
DELETED = NightDeletion(3, NOW + 3 * DAY, "prod", to_delete(IMAGE))


def looked_back(deletion: NightDeletion = DELETED, *more: NightDeletion, **recorded: Any) -> Hindsight:
    """What is found of a deletion in run 3 of ten, whose image stays listed as it was unless that is given."""
    usual = {"surveys": SURVEYS, "listed": {KEY: [Listed(IMAGE, (1, None))]}}
    return hindsight_of([deletion, *more], Afterwards(**{**usual, **recorded}), UTC)


def changed(*later: tuple[Image, int, int | None]) -> dict[str, Any]:
    """The image as it was up to the first of these, and then as each says."""
    first = Listed(IMAGE, (1, later[0][1]))
    return {"listed": {KEY: [first, *(Listed(image, (since, until)) for image, since, until in later)]}}


def found(hindsight: Hindsight) -> list[tuple[RegretKind, str, str, int | None, int | None]]:
    return [
        (each.kind, each.detail, each.who, each.first.run, each.last.run if each.last else None)
        for each in hindsight.regrets
    ]


def test_an_image_that_nobody_touched_is_not_regretted_and_was_watched_to_the_end() -> None:
    hindsight = looked_back()
    assert (hindsight.regrets, hindsight.doubts) == ((), ())
    [watched] = hindsight.watched
    assert (watched.nights, watched.uses_seen, watched.still_there) == (7, 7, True)
    assert watched.last == Moment(NOW + 10 * DAY, 10)


@pytest.mark.parametrize(
    ("runs", "first", "last"),
    [
        pytest.param((5, 8), 5, 7, id="begun-and-ended"),
        pytest.param((5, None), 5, 10, id="goes-on"),
        pytest.param((4, 5), 4, 4, id="in-the-next-night-alone"),
        pytest.param((2, 5), 4, 4, id="in-spite-of-guards"),
    ],
)
def test_a_use_in_a_later_night_is_a_regret(runs: tuple[int, int | None], first: int, last: int) -> None:
    hindsight = looked_back(used={KEY: [Used(WEB, runs)]})
    assert found(hindsight) == [(RegretKind.USED, "used by instance web-1", "instance web-1", first, last)]


def test_a_use_that_ended_in_the_night_of_the_deletion_is_none() -> None:
    assert not looked_back(used={KEY: [Used(WEB, (1, 4))]}).regrets


def test_a_use_counts_where_it_was_seen_and_not_where_usage_could_not_be_read() -> None:
    blind = [replace(each, saw_uses=each.run not in (4, 5, 10), saw_all_uses=each.run > 6) for each in SURVEYS]
    hindsight = looked_back(surveys=blind, used={KEY: [Used(WEB, (4, None))]})
    assert [(first, last) for *_, first, last in found(hindsight)] == [(6, 9)]
    assert hindsight.watched[0].uses_seen == 4
    blind = [replace(each, saw_uses=False) for each in SURVEYS]
    assert not looked_back(surveys=blind, used={KEY: [Used(WEB, (4, None))]}).regrets


def test_a_use_does_not_count_in_surveys_that_left_its_source_out() -> None:
    unread = [replace(each, left_out=frozenset({Unread(Source.VOLUMES)})) for each in SURVEYS]
    volume = User("v-1", "data", UserKind.VOLUME)
    hindsight = looked_back(surveys=unread, used={KEY: [Used(volume, (4, None)), Used(WEB, (5, 6))]})
    assert [who for _, _, who, *_ in found(hindsight)] == ["instance web-1"]


def test_a_use_that_only_changed_its_source_is_one() -> None:
    spans = [Used(replace(WEB, source=source), runs) for source, runs in [("a", (4, 6)), ("b", (6, 8))]]
    assert [(first, last) for *_, first, last in found(looked_back(used={KEY: spans}))] == [(4, 7)]


def test_a_use_after_the_image_was_gone_does_not_count_but_one_after_it_came_back_does() -> None:
    came_back: dict[str, Any] = {"listed": {KEY: [Listed(IMAGE, (1, 5)), Listed(IMAGE, (8, None))]}}
    hindsight = looked_back(used={KEY: [Used(WEB, (6, 8))]}, **came_back)
    assert not hindsight.regrets
    assert hindsight.watched[0].nights == 4
    assert [first for *_, first, _ in found(looked_back(used={KEY: [Used(WEB, (6, None))]}, **came_back))] == [8]


def test_what_a_rebound_target_shows_is_about_another_account() -> None:
    rebound = [(5, NOW + 5 * DAY + DAY / 2)]
    late: dict[str, Any] = {"used": {KEY: [Used(WEB, (6, None))]}, "granted": {KEY: [(exempt(IMAGE), NOW + 6 * DAY)]}}
    hindsight = looked_back(rebound=rebound, **late)
    assert not hindsight.regrets
    assert (hindsight.watched[0].nights, hindsight.watched[0].still_there) == (2, False)
    assert len(looked_back(rebound=[(2, NOW)], **late).regrets) == 2


@pytest.mark.parametrize(("run", "regretted"), [(3, False), (4, False), (5, True)])
def test_an_image_uses_no_other_once_it_would_have_been_deleted_itself(run: int, regretted: bool) -> None:
    base = User("SNAP", "snap", UserKind.IMAGE)
    snapshot = NightDeletion(run, NOW + run * DAY, "prod", to_delete(make_image("snap", id="snap")))
    hindsight = looked_back(DELETED, snapshot, used={KEY: [Used(base, (5, None))]})
    assert found(hindsight) == ([(RegretKind.USED, "the base of image snap", "image snap", 5, 5)] if regretted else [])


def test_an_image_that_names_it_as_its_kernel_uses_it() -> None:
    machine = make_image("ami-1", properties={"kernel_id": IMAGE.id.upper()})
    hindsight = looked_back(needing=[Listed(machine, (6, 8))])
    assert found(hindsight) == [(RegretKind.USED, "the kernel of image ami-1", "image ami-1", 6, 7)]


def test_an_image_whose_parts_cannot_be_read_may_use_a_kernel_and_no_other() -> None:
    machine = make_image("ami-1", properties=None, unreadable={"properties": "[1]"})
    kernel = replace(DELETED, decision=to_delete(IMAGE.replace(disk_format="aki")))
    assert not looked_back(needing=[Listed(machine, (6, 8))]).doubts
    [doubt] = looked_back(kernel, needing=[Listed(machine, (6, 8))]).doubts
    assert (doubt.kind, doubt.first.run) == (RegretKind.USED, 6)


CHANGES = [
    pytest.param({"protected": True}, RegretKind.PROTECTED, "protected", id="protected"),
    pytest.param({"public": True, "visibility": "public"}, RegretKind.SHARED, "made public", id="public"),
    pytest.param({"public": True, "visibility": "community"}, RegretKind.SHARED, "made community", id="community"),
    pytest.param({"public": True}, RegretKind.SHARED, "made public", id="public-without-visibility"),
    pytest.param({"tags": ("janitor-keep",)}, RegretKind.EXEMPTED, "exempt by its tag janitor-keep", id="tag"),
    pytest.param({"name": "b"}, RegretKind.RENAMED, 'renamed from "ci-web-41" to "b"', id="name"),
    pytest.param({"name": None}, RegretKind.RENAMED, 'renamed from "ci-web-41" to no name', id="no-name"),
]


@pytest.mark.parametrize(("facts", "kind", "detail"), CHANGES)
def test_a_change_afterwards_is_a_regret_of_the_first_night_that_saw_it(
    facts: dict[str, Any], kind: RegretKind, detail: str
) -> None:
    later = [(IMAGE.replace(size=1), 5, 6), (IMAGE.replace(**facts), 6, 8), (IMAGE, 8, None)]
    assert found(looked_back(**changed(*later))) == [(kind, detail, "", 6, None)]


@pytest.mark.parametrize(("facts", "kind", "detail"), CHANGES)
def test_what_was_so_in_the_night_itself_is_none(facts: dict[str, Any], kind: RegretKind, detail: str) -> None:
    before = IMAGE.replace(**facts)
    deletion = replace(DELETED, decision=to_delete(before))
    assert not looked_back(deletion, **changed((before, 2, 5), (before.replace(size=1), 5, None))).regrets


UNREADABLE = [
    pytest.param({"protected": True}, "protected", RegretKind.PROTECTED, id="protected"),
    pytest.param({"public": True}, "visibility", RegretKind.SHARED, id="visibility"),
    pytest.param({"tags": None}, "tags", RegretKind.EXEMPTED, id="tags"),
    pytest.param({"name": None}, "name", RegretKind.RENAMED, id="name"),
]


@pytest.mark.parametrize(("facts", "key", "kind"), UNREADABLE)
def test_a_value_that_cannot_be_read_is_a_doubt(facts: dict[str, Any], key: str, kind: RegretKind) -> None:
    hindsight = looked_back(**changed((IMAGE.replace(unreadable={key: "maybe"}, **facts), 6, None)))
    assert not hindsight.regrets
    assert [(each.kind, each.first.run) for each in hindsight.doubts] == [(kind, 6)]


def test_a_change_that_is_read_later_resolves_the_doubt() -> None:
    unread = IMAGE.replace(protected=True, unreadable={"protected": "maybe"})
    hindsight = looked_back(**changed((unread, 5, 6), (IMAGE.replace(protected=True), 6, None)))
    assert [(each.kind, each.first.run) for each in hindsight.regrets] == [(RegretKind.PROTECTED, 6)]
    assert not hindsight.doubts


def test_a_name_that_could_not_be_read_before_is_a_doubt_if_it_can_be_later() -> None:
    unread = IMAGE.replace(name=None, unreadable={"name": "[1]"})
    hindsight = looked_back(replace(DELETED, decision=to_delete(unread)), **changed((IMAGE, 5, None)))
    assert (hindsight.regrets, len(hindsight.doubts)) == ((), 1)


def test_the_key_of_the_visibility_is_that_of_the_api() -> None:
    listed = {KEY: [Listed(IMAGE.replace(public=True, unreadable={"isPublic": "maybe"}), (5, None))]}
    deletion, keys = replace(DELETED, api="toast"), {"toast": WireKeys(public="isPublic")}
    hindsight = hindsight_of([deletion], Afterwards(SURVEYS, listed=listed), UTC, lambda api: keys[api or ""])
    assert (hindsight.regrets, len(hindsight.doubts)) == ((), 1)


@pytest.mark.parametrize(
    ("hours", "gone_from", "expected"),
    [(0, None, False), (1, None, True), (60, 4, False), (1, 4, True), (25, 4, False), (60, 6, True)],
)
def test_an_exemption_by_command_counts_while_the_image_may_be_there(
    hours: int, gone_from: int | None, expected: bool
) -> None:
    given = exempt(IMAGE.id.upper(), who="kim", why="rollback")
    hindsight = looked_back(
        granted={KEY: [(given, DELETED.at + timedelta(hours=hours))]},
        listed={KEY: [Listed(IMAGE, (1, gone_from))]},
    )
    assert found(hindsight) == ([(RegretKind.EXEMPTED, "exempt: rollback", "kim", None, None)] if expected else [])


def until(run: int) -> datetime:
    return NOW + run * DAY + DAY / 2


@pytest.mark.parametrize(
    ("named", "runs", "end", "first"),
    [
        pytest.param(IMAGE.id.lower(), (5, None), until(9), 5, id="by-id"),
        pytest.param(" ci-web-41 ", (5, 6), until(9), 5, id="by-name"),
        pytest.param("CI-WEB-41", (5, None), until(9), None, id="another-case-of-the-name"),
        pytest.param("ci-web-4", (5, None), until(9), None, id="another-name"),
        pytest.param("ci-web-41", (5, None), until(4), None, id="expired"),
        pytest.param("ci-web-41", (2, None), until(9), None, id="as-before"),
        pytest.param("ci-web-41", (2, 4), until(9), None, id="no-longer"),
        pytest.param("golden", (2, None), until(9), 7, id="by-the-name-that-it-was-given"),
    ],
)
def test_an_exemption_in_a_policy_file_counts_from_the_first_night_that_read_it(
    named: str, runs: tuple[int, int | None], end: datetime, first: int | None
) -> None:
    given = exempt(named, end, who="policies/ci.yaml")
    hindsight = looked_back(in_files=[(given, runs)], **changed((IMAGE.replace(name="golden"), 7, None)))
    exempted = [(who, run) for kind, _, who, run, _ in found(hindsight) if kind is RegretKind.EXEMPTED]
    assert exempted == ([] if first is None else [("policies/ci.yaml", first)])


def test_a_place_in_the_file_does_not_make_an_exemption_a_new_one() -> None:
    given = exempt(IMAGE, until(9))
    assert not looked_back(in_files=[(given, (2, 5)), (given, (5, None))]).regrets


def test_any_exemption_of_a_name_may_be_that_of_an_image_whose_name_cannot_be_read() -> None:
    unread = IMAGE.replace(name=None, unreadable={"name": "[1]"})
    hindsight = looked_back(in_files=[(exempt("golden", until(9)), (5, None))], **changed((unread, 5, None)))
    assert [each.kind for each in hindsight.doubts] == [RegretKind.EXEMPTED, RegretKind.RENAMED]


@pytest.mark.parametrize(
    ("answers", "who"),
    [
        pytest.param([(Sharing(accepted=("p2", "p1")), (5, None))], "projects p1, p2", id="first-answer"),
        pytest.param([(Sharing(pending=("p1",)), (5, None))], None, id="offered"),
        pytest.param([(Sharing(("p1",)), (2, 3)), (Sharing(("p1", "p2")), (5, None))], "project p2", id="known-before"),
        pytest.param([(Sharing(("p1",)), (2, None))], None, id="as-before"),
        pytest.param([(Sharing(unasked=True), (5, None))], None, id="unasked"),
    ],
)
def test_another_project_that_accepts_it_later_shares_it(answers: Sequence[Any], who: str | None) -> None:
    hindsight = looked_back(shared={KEY: answers})
    assert [each.who for each in hindsight.regrets] == ([] if who is None else [who])
    assert not hindsight.doubts


def test_sharing_that_cannot_be_read_is_a_doubt_and_was_not_asked() -> None:
    hindsight = looked_back(shared={KEY: [(Sharing(problem="403"), (5, None))]})
    assert [each.kind for each in hindsight.doubts] == [RegretKind.SHARED]
    assert not hindsight.watched[0].asked
    assert looked_back(shared={KEY: [(Sharing(), (5, None))]}).watched[0].asked


def test_another_spelling_of_the_id_is_the_same_image_once_the_first_is_gone() -> None:
    other = IMAGE.replace(id=IMAGE.id.lower(), protected=True)
    both = [Listed(IMAGE, (1, None)), Listed(other, (5, None))]
    assert not looked_back(listed={KEY: both}).regrets
    after = [Listed(IMAGE, (1, 6)), Listed(other, (5, 6)), Listed(other, (6, None))]
    assert [first for *_, first, _ in found(looked_back(listed={KEY: after}))] == [6]


def test_another_image_of_the_same_id_ends_the_watch() -> None:
    another = make_image(id=IMAGE.id, created_at=NOW, protected=True, name="another")
    hindsight = looked_back(used={KEY: [Used(WEB, (7, None))]}, **changed((another, 6, None)))
    assert (hindsight.regrets, hindsight.doubts) == ((), ())
    [watched] = hindsight.watched
    assert (watched.nights, watched.last, watched.still_there) == (2, Moment(NOW + 5 * DAY, 5), False)


def test_regretted_names_each_deletion_once() -> None:
    hindsight = looked_back(used={KEY: [Used(WEB, (5, 6)), Used(User("s-2", "web-2"), (5, 6))]})
    assert (len(hindsight.regrets), hindsight.regretted) == (2, [DELETED])


@pytest.mark.parametrize(
    ("last", "expected"),
    [(None, False), (DELETED.at - 7 * DAY, True), (DELETED.at - 7 * DAY - timedelta(seconds=1), False)],
)
def test_a_near_miss_was_in_use_within_a_week(last: datetime | None, expected: bool) -> None:
    assert is_near_miss(replace(DELETED, last_in_use=last)) is expected


def test_what_a_run_left_out_at_the_last_moment_is_a_doubt_for_every_deletion_before() -> None:
    why = "changed during this run: protected"
    for run, there in ((3, True), (5, True), (2, False), (99, False)):
        doubts = looked_back(left_out={KEY: [(run, why)]}).doubts
        assert [(one.kind, one.detail, one.first.run) for one in doubts] == (
            [(None, f"left out of the deletions at the last moment: {why}", run)] if there else []
        )


def test_an_exemption_of_then_that_is_missing_now_and_another_owner_are_doubts() -> None:
    until_later = replace(exempt(IMAGE), until=NOW + 90 * DAY)
    [doubt] = looked_back(in_files=[(until_later, (1, None))]).doubts
    assert doubt.detail.startswith("exempt in a policy file of then, and not in these: ")
    assert not looked_back(in_files=[(until_later, (1, 3))]).doubts
    ours, theirs = IMAGE.replace(owner="a"), IMAGE.replace(owner="b")
    deleted = replace(DELETED, decision=to_delete(ours))
    listed = {KEY: [Listed(ours, (1, 6)), Listed(theirs, (6, None))]}
    [doubt] = looked_back(deleted, listed=listed).doubts
    assert (doubt.detail, doubt.first.run) == ("it belongs to project b since", 6)


def test_a_use_that_another_target_tells_of_is_a_regret_and_names_it() -> None:
    blind = tuple(replace(each, saw_uses=False) for each in SURVEYS)
    hindsight = looked_back(surveys=blind, used={KEY: [Used(WEB, (5, 8), "stage")]})
    assert found(hindsight) == [(RegretKind.USED, "used by instance web-1 in target stage", "instance web-1", 5, 7)]


def test_a_rebinding_ends_the_watch_and_says_nothing_of_what_became_of_the_image() -> None:
    listed = {KEY: [Listed(IMAGE, (1, 6))]}
    [watched] = looked_back(listed=listed, rebound=[(5, NOW + 5 * DAY)]).watched
    assert (watched.still_there, watched.over, watched.rebound, watched.nights) == (False, False, True, 2)
    [gone] = looked_back(listed=listed).watched
    assert (gone.still_there, gone.over, gone.rebound) == (False, True, False)
    [before] = looked_back(listed={KEY: [Listed(IMAGE, (1, 5))]}, rebound=[(5, NOW + 5 * DAY)]).watched
    assert (before.over, before.rebound) == (True, False)


def test_a_gap_between_surveys_counts_as_watched_for_a_week_at_most() -> None:
    surveys = [Surveyed(1, NOW + DAY), *(Surveyed(run, NOW + (run - 3) * 40 * DAY) for run in (4, 5))]
    [watched] = looked_back(surveys=surveys).watched
    assert watched.last is not None
    assert (watched.last.at - watched.deletion.at, watched.span, watched.uses_span) == (77 * DAY, 14 * DAY, 14 * DAY)


def test_nights_that_did_not_ask_a_source_any_more_are_counted() -> None:
    surveys = [replace(each, not_asked=frozenset({"servers in R1"} if each.run > 6 else ())) for each in SURVEYS]
    assert looked_back(surveys=surveys).not_asked == {"servers in R1": 4}
