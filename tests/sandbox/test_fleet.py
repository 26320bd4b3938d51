"""The seeded fleet: the same for the same seed, of exactly the size asked for, and worth cleaning up."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from janitor.config.policy_files import load_policies
from janitor.core.decide import decide
from janitor.core.decision import Decision, Reason, Verdict
from janitor.core.image import Image
from janitor.core.planning.plan import Limits, make_plan
from janitor.core.usage import User
from janitor.sandbox.fleet import Fleet, make_fleet
from janitor.sandbox.models import MISSING, StoredImage
from tests.factories import NOW, make_image, usage_of

LATER = NOW + timedelta(days=400, hours=7, microseconds=12)
SHIPPED = Path(__file__).parents[2] / "policies"


def fleet(images: int = 200, seed: int = 1, now: datetime = NOW, *, oddities: bool = False) -> Fleet:
    return make_fleet(images, seed=seed, now=now, oddities=oddities)


def essence(made: Fleet, now: datetime) -> list[tuple[object, ...]]:
    """A fleet without its absolute dates; vendor images and snapshots carry a day in their names."""
    undated = [(i.id, i.status, i.size, i.disk_format, now - i.created_at, now - i.updated_at) for i in made.images]
    return [*undated, *((m.id, m.name, m.status, m.image, now - m.created_at) for m in made.instances)]


def dated(image: StoredImage) -> bool:
    return image.is_public or image.properties.get("image_type") == "snapshot"


def test_the_same_seed_gives_the_same_fleet() -> None:
    assert fleet() == fleet()


def test_ages_are_relative_to_now() -> None:
    assert essence(fleet(), NOW) == essence(fleet(now=LATER), LATER)


def test_names_do_not_depend_on_now_but_for_the_day_in_them() -> None:
    before, after = fleet().images, fleet(now=LATER).images
    assert [image.name for image in before if not dated(image)] == [image.name for image in after if not dated(image)]


def test_another_seed_gives_another_fleet() -> None:
    ids = [{image.id for image in fleet(seed=seed).images} for seed in (1, 2)]
    assert not ids[0] & ids[1]


@pytest.mark.parametrize("oddities", [False, True], ids=["plain", "oddities"])
@pytest.mark.parametrize("images", [0, 1, 2, 7, 33, 99, 200, 1000, 6001])
def test_it_has_exactly_as_many_images_as_asked_for(images: int, oddities: bool) -> None:
    made = fleet(images, oddities=oddities).images
    assert len({image.id for image in made}) == len(made) == images


@pytest.mark.parametrize("images", [200, 6001])
def test_nothing_is_of_the_future_or_updated_before_its_creation(images: int) -> None:
    assert all(image.created_at <= image.updated_at <= NOW for image in fleet(images).images)


def test_builds_reach_back_two_years() -> None:
    oldest = min(image.created_at for image in fleet().images if "build_job" in image.properties)
    assert NOW - oldest > timedelta(days=500)


@pytest.mark.parametrize("images", [200, 6001])
def test_build_numbers_rise_with_time(images: int) -> None:
    families: dict[str, list[tuple[datetime, int]]] = {}
    for image in fleet(images).images:
        if job := image.properties.get("build_job"):
            families.setdefault(job, []).append((image.created_at, int(image.properties["build_number"])))
    assert len(families) >= 6
    for builds in families.values():
        numbers = [number for _, number in sorted(builds)]
        assert numbers == sorted(numbers)
        assert len(set(numbers)) == len(numbers)


PRESENT: dict[str, Callable[[StoredImage], object]] = {
    "public-vendor": lambda image: image.is_public and "Ubuntu" in str(image.name),
    "public-windows": lambda image: image.is_public and "Windows" in str(image.name),
    "protected-own": lambda image: image.protected and not image.is_public,
    "snapshot": lambda image: image.properties.get("image_type") == "snapshot",
    "forgotten-upload": lambda image: image.status == "queued" and NOW - image.updated_at > timedelta(days=2),
    "queued-without-size": lambda image: image.status == "queued" and image.size is None,
    "newborn-upload": lambda image: NOW - image.created_at < timedelta(minutes=10),
    "saving": lambda image: image.status == "saving",
    "killed": lambda image: image.status == "killed",
    "deactivated": lambda image: image.status == "deactivated",
    "deleted": lambda image: image.status == "deleted",
    "pending-delete": lambda image: image.status == "pending_delete",
    "korean": lambda image: "웹서버" in str(image.name),
    "chinese": lambda image: "测试" in str(image.name),
    "slack-markup": lambda image: "<!channel>" in str(image.name),
    "rich-markup": lambda image: "[bold red]" in str(image.name),
    "escape-sequence": lambda image: "\x1b" in str(image.name),
    "quotes": lambda image: '"' in str(image.name),
    "empty-name": lambda image: image.name == "",
    "null-name": lambda image: image.name is None,
    "tens-of-gigabytes": lambda image: (image.size or 0) > 30 * 10**9,
    "megabytes": lambda image: 0 < (image.size or 0) < 4 * 10**9,
    "build-properties": lambda image: {"os_distro", "os_version", "login_username", "build_job"} <= {*image.properties},
}


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("kind", PRESENT)
def test_the_default_fleet_has_every_kind_of_image(kind: str, seed: int) -> None:
    assert any(PRESENT[kind](image) for image in fleet(seed=seed).images)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_its_instances_use_images_or_say_nothing_of_one(seed: int) -> None:
    made = fleet(seed=seed)
    own = {image.id for image in made.images if not image.is_public}
    said = [instance.image for instance in made.instances]
    assert {None, ""} <= set(said)
    assert MISSING not in said
    assert len(own & {image for image in said if isinstance(image, str)}) >= 5
    assert {"ACTIVE", "STOP", "ERROR"} <= {instance.status for instance in made.instances}


def test_oddities_are_only_there_when_asked_for() -> None:
    assert not any(image.wire for image in fleet().images)
    assert sum(bool(image.wire) for image in fleet(oddities=True).images) >= 10


def test_only_with_oddities_an_instance_leaves_out_whether_it_has_an_image() -> None:
    assert {None, "", MISSING} <= {instance.image for instance in fleet(oddities=True).instances}


def as_seen(image: StoredImage) -> Image:
    return make_image(
        image.name,
        id=image.id,
        status=image.status,
        public=image.is_public,
        protected=image.protected,
        created_at=image.created_at,
        updated_at=image.updated_at,
        size=image.size,
        disk_format=image.disk_format,
        properties=image.properties,
    )


def decided(made: Fleet) -> list[Decision]:
    by_image: dict[str, tuple[User, ...]] = {}
    for instance in made.instances:
        if isinstance(instance.image, str) and instance.image:
            by_image[instance.image] = (User(instance.id, instance.name),)
    images = [as_seen(image) for image in made.images]
    return decide(images, load_policies(SHIPPED), usage_of(by_image), {}, NOW, target="sandbox", zone=UTC)


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_the_shipped_policies_find_work_within_the_default_limits(seed: int) -> None:
    decisions = decided(fleet(seed=seed))
    plan = make_plan(decisions)
    assert 30 <= len(plan.decisions) <= 70
    assert plan.over_limit(Limits()) is None
    assert len({decision.policy for decision in plan.decisions}) >= 2


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_shipped_policies_meet_every_guard_and_floor_of_note(seed: int) -> None:
    reasons = Counter(decision.reason for decision in decided(fleet(seed=seed)) if decision.verdict is Verdict.KEEP)
    expected = {"gone", "public", "protected", "in-use", "newborn", "too-young", "kept-newest", "no-family"}
    assert {Reason(word) for word in expected} <= reasons.keys()
