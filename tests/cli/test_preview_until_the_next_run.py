"""`janitor preview` between a snapshot and the next run: what expires, and what is exempted by command meanwhile."""

import csv
import io
import json
import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from janitor.config import Settings, load_settings
from janitor.core.memory import Exemption
from janitor.core.policy import Expire, Policy
from janitor.core.result import Mode
from janitor.core.retention import Family, Keep
from janitor.core.usage import Usage, User
from janitor.errors import Exit
from janitor.report.rehearsals.previews.preview import Conditions, Foreseen, Previewed, preview_of
from janitor.report.rehearsals.previews.rows import preview_csv, preview_json
from janitor.report.rehearsals.previews.sentences import in_short, warnings_of
from tests.cli.test_preview_of_earlier import asked, settings, world
from tests.core.test_deciding_again import World
from tests.factories import ALL, DAY, OLD, image_called, usage_of
from tests.factories import NOW as START

__all__ = ["settings", "world"]  # fixtures

HOUR = timedelta(hours=1)
EIGHT = Policy("eight", ALL, Expire(8 * DAY + 6 * HOUR))
FAMILY = replace(EIGHT, keep=Keep(Family("policy"), newest=1))
PINNING = Policy("keep-all", ALL)


@pytest.fixture
def eight(world: World) -> World:
    """A live run by other policies, of an image eight days old and one of yesterday."""
    world.cloud.listed = [image_called("web-2", days=8), image_called("new-1", days=1)]
    world.policies = [PINNING]
    world.night()
    return world


def scheduled(settings: Settings) -> Settings:
    settings.source.write_text(settings.source.read_text() + 'schedule: "0 3 * * *"\n')
    return load_settings(settings.source, {})


def one(settings: Settings, world: World, *policies: Policy, at: datetime, **rest: Any) -> Previewed:
    [found] = asked(settings, world.store, *policies, asked_at=at, **rest)
    return found


def test_what_expires_until_the_next_run_is_counted_and_fails(settings: Settings, eight: World) -> None:
    daily = scheduled(settings)
    found = one(daily, eight, EIGHT, at=START + HOUR)
    assert (found.after.images, found.expiring.by_image) == (0, {"web-2": "eight"})
    made = preview_of([found], Conditions(over=0, on_new=True))
    assert made.code is Exit.LIMIT
    assert made.failed_on == [
        "--fail-over 0: 1 image expires by the next run",
        "--fail-on new: 1 image newly expires by the next run",
    ]
    assert in_short(made, None).endswith("In all now: nothing to be deleted. 1 image expires by the next run.")
    [said] = warnings_of(found)
    assert re.fullmatch(r"1 image expires by the next run, 20\d\d-.* KST: 1 by eight; --at \S+ shows it", said)
    shown = datetime.fromisoformat(found.expiring.shown_at)
    assert one(daily, eight, EIGHT, at=START + HOUR, now=shown).after.images == 1


def test_programs_have_the_images_that_expire(settings: Settings, eight: World) -> None:
    found = one(settings, eight, EIGHT, at=START + 6 * HOUR)
    made = preview_of([found], Conditions())
    [target] = json.loads("".join(preview_json(made, None)))["targets"]
    assert target["expiring"] == ["web-2"]
    [said] = target["expiring_images"]
    assert (said["image"], said["change"], said["policy"]) == ("web-2", "newly-expiring", "eight")
    assert (said["before"]["reason"], said["after"]["reason"]) == ("pinned", "too-young")
    *changed, row = csv.DictReader(io.StringIO("".join(preview_csv(made))))
    assert all(each["change"] == "other-reason" and not each["expires_by"] for each in changed)
    assert (row["image"], row["change"], row["expires_by"], row["after_due"]) == (
        "web-2",
        "newly-expiring",
        "eight",
        said["after"]["due"],
    )
    eight.policies = [EIGHT]
    eight.night(Mode.DRY_RUN)
    again = one(settings, eight, EIGHT, at=START + 18 * DAY)
    assert {each.after.image.id: each.code for each in again.expiring.images} == {"new-1": Foreseen.NEWLY_EXPIRING}
    rows = list(csv.DictReader(io.StringIO("".join(preview_csv(preview_of([again], Conditions()))))))
    assert [(row["image"], row["change"]) for row in rows] == [
        ("web-2", "newly-deleted"),
        ("new-1", "other-reason"),
        ("new-1", "newly-expiring"),
    ]


@pytest.mark.parametrize(
    ("now", "later", "over", "new"),
    [
        (0, 2, "2 images expire by the next run", "2 images newly expire by the next run"),
        (1, 1, "; 1 more expires by the next run", "; 1 more newly expires by the next run"),
        (2, 2, "; 2 more expire by the next run", "; 2 more newly expire by the next run"),
        (1, 0, "1 deleted at once, none waits", "1 deleted at once, none waits"),
    ],
)
def test_what_is_due_now_and_later_is_said_without_zeros(
    settings: Settings, world: World, now: int, later: int, over: str, new: str
) -> None:
    world.cloud.listed = [
        *(image_called(f"now-{number}", days=30) for number in range(now)),
        *(image_called(f"later-{number}", days=8) for number in range(later)),
        image_called("new-1", days=1),
    ]
    world.policies = [PINNING]
    world.night()
    found = one(scheduled(settings), world, EIGHT, at=START + HOUR)
    made = preview_of([found], Conditions(over=0, on_new=True))
    assert [sentence.endswith(words) for sentence, words in zip(made.failed_on, (over, new), strict=True)] == [True] * 2
    said = [in_short(made, None), *made.failed_on, *warnings_of(found)]
    assert not any(re.search(r"\b0 (more|images)|none deleted", sentence) for sentence in said)


def test_an_image_that_is_dated_in_the_future_expires_later_too(settings: Settings, world: World) -> None:
    hourly = Policy("hourly", ALL, Expire(HOUR))
    ahead = image_called("ahead-1").replace(created_at=START + HOUR)
    part = image_called("part-1").replace(created_at=START + HOUR, disk_format="aki")
    needing = image_called("whole-1", days=1).replace(properties={"kernel_id": "part-1"}, disk_format="ami")
    world.cloud.listed = [ahead, part, needing]
    world.policies = [PINNING]
    world.night()
    sooner, later = (one(settings, world, hourly, at=START + hours * HOUR) for hours in (1.5, 3))
    assert sooner.expiring.by_image == {}
    assert later.expiring.by_image == {"ahead-1": "hourly"}
    assert later.expiring.new == {"ahead-1"}


def test_an_image_that_is_dated_in_the_future_takes_the_place_of_another(settings: Settings, world: World) -> None:
    newest = Policy("newest", ALL, Expire(DAY), Keep(Family("policy"), newest=1))
    world.cloud.listed = [image_called("web-2", days=5), image_called("ahead-1").replace(created_at=START + HOUR)]
    world.policies = [newest]
    world.night()
    assert one(settings, world, newest, at=START).expiring.by_image == {}
    found = one(settings, world, newest, at=START + 2 * HOUR)
    assert found.expiring.by_image == {"web-2": "newest"}
    assert found.expiring.new == set(), "as under what ruled then"


def test_without_a_schedule_it_is_what_has_expired_until_now(settings: Settings, eight: World) -> None:
    assert one(settings, eight, EIGHT, at=START + 5 * HOUR).expiring.by_image == {}
    found = one(settings, eight, EIGHT, at=START + 6 * HOUR)
    [said] = warnings_of(found)
    assert said.startswith("1 image has expired since the snapshot, until 20")
    later = one(settings, eight, EIGHT, at=START + 18 * DAY)
    said, over = warnings_of(later)
    assert "delete nothing: 2 of 2 owned images planned" in over
    assert said.startswith("2 images have expired since the snapshot, until 20")
    assert said.endswith(" shows them")
    assert later.expiring.new == {"web-2", "new-1"}


def test_where_a_time_or_a_run_is_asked_for_nothing_else_expires(settings: Settings, eight: World) -> None:
    assert one(settings, eight, EIGHT, at=START + 18 * DAY, run=1).expiring.by_image == {}
    found = one(settings, eight, EIGHT, at=START, now=START + 18 * DAY)
    assert (found.expiring.by_image, found.after.images) == ({}, 2)


def test_what_is_among_the_newest_then_does_not_expire(settings: Settings, eight: World) -> None:
    assert one(settings, eight, FAMILY, at=START + 18 * DAY).expiring.by_image == {"web-2": "eight"}


def test_what_expires_under_the_same_policy_anyway_is_not_new(settings: Settings, eight: World) -> None:
    eight.policies = [FAMILY]
    eight.now = START + HOUR
    eight.night()
    at = START + 18 * DAY
    described = one(settings, eight, replace(FAMILY, description="words"), at=at).expiring
    assert described.by_image == {"web-2": "eight"}
    assert described.new == set()
    without = one(settings, eight, EIGHT, at=at).expiring
    assert without.new == {"web-2", "new-1"}, "the newest was kept"
    eight.policies = [EIGHT]
    eight.now = START + 2 * HOUR
    eight.night()
    assert one(settings, eight, EIGHT, at=at).expiring.new == set()


def test_guards_that_end_by_then_are_asked_again(settings: Settings, eight: World) -> None:
    until = START + 2 * DAY
    exempt = Exemption("web-2", until, "tests", "kim")
    eight.store.add_exemptions([("prod", exempt)], START)
    at = START + 6 * HOUR
    assert one(settings, eight, EIGHT, at=at).expiring.by_image == {}
    assert one(settings, eight, EIGHT, at=until).expiring.by_image == {"web-2": "eight"}
    eight.cloud.used = usage_of({"new-1": (User("i1", "web"),)})
    eight.night()
    assert "new-1" not in one(settings, eight, EIGHT, at=START + 40 * DAY).expiring.by_image, "it is in use"


# Exemptions by command


def test_exemptions_by_command_count_as_they_stand_now(settings: Settings, world: World) -> None:
    kept = Exemption("db-3", START + 90 * DAY, "tests", "kim")
    world.store.add_exemptions([("prod", kept)], START - DAY)
    world.policies = [PINNING]
    run = world.night().run
    exempt = Exemption("web-2", START + 90 * DAY, "release", "kim")
    world.store.add_exemptions([("prod", exempt)], START + HOUR)
    world.store.end_exemptions([("prod", "db-3")], "kim", START + 3 * HOUR)

    def deleted(found: Previewed) -> set[str]:
        return {each.image.id for each in found.changes if each.is_new}

    now = one(settings, world, OLD, at=START + 4 * HOUR)
    assert deleted(now) == {"db-3"}
    said = "exemptions by command count as they stand since the snapshot; granted: web-2 (web-2); revoked: db-3 (db-3)"
    assert said in now.remarks
    past = one(settings, world, OLD, at=START + 4 * HOUR, run=run)
    assert deleted(past) == {"web-2"}
    assert not any("exemptions by command" in remark for remark in past.remarks)
    assert deleted(one(settings, world, OLD, at=START + 4 * HOUR, now=START + 2 * HOUR)) == set()


def test_a_revoked_exemption_by_command_leaves_those_of_files(settings: Settings, world: World) -> None:
    by_command = Exemption("web-2", START + 90 * DAY, "tests", "kim")
    world.store.add_exemptions([("prod", by_command)], START - DAY)
    in_file = Exemption("db-3", START + 90 * DAY, "release", "keep.yaml")
    world.night(exemptions=[in_file])
    world.store.end_exemptions([("prod", "web-2")], "kim", START + HOUR)
    found = one(settings, world, OLD, at=START + 2 * HOUR, exemptions=(in_file,))
    assert {each.image.id for each in found.changes if each.is_new} == {"web-2"}


def test_what_was_in_use_in_the_survey_before_only_is_foreseen(settings: Settings, eight: World) -> None:
    eight.cloud.used, eight.now = usage_of({"web-2": (User("i1", "web"),)}), START + DAY
    eight.night()
    eight.cloud.used, eight.now = Usage(), START + 8 * DAY
    eight.night(usage_memory=DAY)
    at = START + 8 * DAY + HOUR
    found = one(settings, eight, EIGHT, at=at)
    assert (found.after.images, found.expiring.by_image) == (1, {"web-2": "eight"})
    assert one(settings, eight, EIGHT, at=at, now=at).after.images == 2


def test_what_expires_without_the_notice_that_it_had_is_new(settings: Settings, eight: World) -> None:
    announced = replace(EIGHT, notice=23 * HOUR)
    eight.policies = [announced]
    eight.now = START + HOUR
    eight.night()
    at = START + 7 * HOUR
    assert one(settings, eight, EIGHT, at=at).expiring.new == {"web-2"}
    assert one(settings, eight, replace(announced, description="words"), at=at).expiring.new == set()


def test_a_limit_that_the_next_run_exceeds_is_said(settings: Settings, eight: World) -> None:
    settings.source.write_text(settings.source.read_text() + "limits: {max_deletions: 1, max_share: 100%}\n")
    limited = load_settings(settings.source, {})

    def said(at: datetime, *policies: Policy) -> list[str]:
        found = one(limited, eight, *policies, at=at)
        [target] = json.loads("".join(preview_json(preview_of([found], Conditions()), None)))["targets"]
        assert target["over_limit_then"] == found.expiring.excess
        return [each for each in warnings_of(found) if "over the limit" in each]

    at = START + 18 * DAY
    assert said(START + 6 * HOUR, EIGHT) == []
    assert said(at, replace(EIGHT, notice=DAY)) == []
    [sentence] = said(at, EIGHT)
    assert sentence.startswith(
        "more have come due since the snapshot, so a run now would be over the limit, and delete nothing: 2 deletions "
        "planned"
    )
    [foreseen] = [each for each in warnings_of(one(scheduled(limited), eight, EIGHT, at=at)) if "limit" in each]
    assert foreseen.startswith("more are due by the next run, 20")


def test_images_whose_notice_ends_by_then_count_towards_the_limit(settings: Settings, eight: World) -> None:
    settings.source.write_text(settings.source.read_text() + "limits: {max_deletions: 1, max_share: 100%}\n")
    limited = load_settings(settings.source, {})
    announced = replace(EIGHT, notice=2 * DAY)
    eight.policies, eight.now = [announced], START + 18 * DAY
    eight.night()
    last = START + 18 * DAY

    def exceeded(after: timedelta, policy: Policy = announced) -> bool:
        return bool(one(limited, eight, policy, at=last + after).expiring.excess)

    assert not exceeded(DAY)
    assert exceeded(3 * DAY)
    assert not exceeded(3 * DAY, replace(announced, notice=4 * DAY)), "it is announced again"


def test_an_image_in_another_spelling_is_the_same(settings: Settings, eight: World) -> None:
    eight.policies, eight.now = [OLD], START + HOUR
    eight.night()
    eight.cloud.listed = [image.replace(id=image.id.upper()) for image in eight.cloud.listed]
    eight.policies, eight.now = [PINNING], START + 2 * HOUR
    eight.night(mode=Mode.DRY_RUN)
    found = one(settings, eight, OLD, at=START + 3 * HOUR)
    assert [each.kind for each in found.changes] == []
