"""Nights in which people and machines do things with images, planted at random: what is a regret is known beforehand.

Each image expires in a night of its own. What is done with it after that night is a regret; what was done before, or
with another image, is a decoy.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from janitor.core.image import Image, Sharing
from janitor.core.memory import Exemption
from janitor.core.names.image_ids import folded
from janitor.core.planning.plan import Limits
from janitor.core.replay.regrets import RegretKind
from janitor.core.result import Mode
from janitor.core.usage import Usage, User, UserKind
from janitor.run.orders import Site
from janitor.store import Store
from tests.factories import DAY, OLD, make_image
from tests.factories import NOW as START
from tests.fakes import OURS, THEIRS, RecordingCloud
from tests.runs import run_of

NIGHTS = 14
HALF = DAY / 2
ALL_OF_THEM = Limits(max_deletions=10_000, max_share=100)
USERS = tuple(kind for kind in UserKind if kind is not UserKind.UNIDENTIFIED)

_T = TypeVar("_T")

Planted = tuple[str, RegretKind, str, datetime, datetime | None]
"""The image, what was done, by whom, when that was first seen, and when it was last seen if it is a use."""


@dataclass
class Night:
    """What the clouds show in one night, and what the policy files say."""

    images: dict[str, Image] = field(default_factory=dict)
    others: dict[str, Image] = field(default_factory=dict)
    uses: list[tuple[str, User]] = field(default_factory=list)
    used_elsewhere: list[tuple[str, User]] = field(default_factory=list)
    shared: dict[str, Sharing] = field(default_factory=dict)
    in_files: list[Exemption] = field(default_factory=list)
    commands: list[tuple[str, Exemption, datetime]] = field(default_factory=list)


@dataclass
class Story:
    """One image, the night in which it expires, and the nights that can be written upon."""

    image: Image
    expires: int
    nights: Sequence[Night]
    dice: random.Random
    planted: set[Planted]

    def at(self, night: int) -> datetime:
        return START + night * DAY

    def later(self) -> int:
        """A night after the one in which it expires."""
        return self.dice.randint(self.expires + 1, NIGHTS - 1)

    def change(self, nights: range, **facts: object) -> None:
        for night in nights:
            there = self.nights[night].images
            if self.image.id in there:
                there[self.image.id] = there[self.image.id].replace(**facts)

    def plant(self, kind: RegretKind, who: str, first: datetime, last: datetime | None = None) -> None:
        self.planted.add((self.image.id, kind, who, first, last))

    def use(self, nights: range, user: User, of: str | None = None, *, elsewhere: bool = False) -> None:
        for night in nights:
            uses = self.nights[night].used_elsewhere if elsewhere else self.nights[night].uses
            uses.append((of or self.image.id, user))


def in_use(story: Story) -> None:
    first = story.later()
    last = story.dice.randint(first, NIGHTS - 1)
    kind = story.dice.choice(USERS)
    name = f"u-{story.image.id[:8]}"
    story.use(range(first, last + 1), User(f"id-{name}", name, kind), story.image.id.upper())
    who = name if kind is UserKind.REFERENCE else f"{kind} {name}"
    story.plant(RegretKind.USED, who, story.at(first), story.at(last))


def used_in_another_target(story: Story) -> None:
    story.use(range(NIGHTS), User("s-else", "else"), elsewhere=True)
    story.plant(RegretKind.USED, "instance else", story.at(story.expires + 1), story.at(NIGHTS - 1))


def needed(story: Story) -> None:
    first = story.later()
    last = story.dice.randint(first, NIGHTS - 1)
    part = story.dice.choice(["kernel_id", "ramdisk_id"])
    needing = make_image(f"ami-{story.image.id[:8]}", age=timedelta(), properties={part: story.image.id})
    for night in range(first, last + 1):
        story.nights[night].images[needing.id] = needing.replace(created_at=story.at(first))
    story.plant(RegretKind.USED, f"image {needing.name}", story.at(first), story.at(last))


def protected(story: Story) -> None:
    first = story.later()
    story.change(range(first, story.dice.randint(first, NIGHTS - 1) + 1), protected=True)
    story.plant(RegretKind.PROTECTED, "", story.at(first))


def exempted_by_command(story: Story) -> None:
    night = story.dice.randint(story.expires, NIGHTS - 1)
    at = story.at(night) + timedelta(hours=story.dice.randint(1, 20))
    given = Exemption(story.image.id.upper(), at + DAY, "a rollback", "kim")
    story.nights[night].commands.append((story.dice.choice(["prod", "stage"]), given, at))
    story.plant(RegretKind.EXEMPTED, "kim", at)


def exempted_in_a_file(story: Story) -> None:
    first = story.later()
    name = story.dice.choice([story.image.id.upper(), f" {story.image.name} "])
    given = Exemption(name, story.at(first) + HALF, "a rollback", "policies/ci.yaml")
    for night in range(first, NIGHTS):
        story.nights[night].in_files.append(given)
    story.plant(RegretKind.EXEMPTED, "policies/ci.yaml", story.at(first))


def exempted_by_tag(story: Story) -> None:
    first = story.later()
    tag = story.dice.choice(["janitor-keep", "janitor-keep-until=2030-01-01"])
    story.change(range(first, NIGHTS), tags=("web", tag))
    story.plant(RegretKind.EXEMPTED, "", story.at(first))


def published(story: Story) -> None:
    first = story.later()
    visibility = story.dice.choice(["public", "community"])
    story.change(range(first, NIGHTS), public=True, visibility=visibility)
    story.plant(RegretKind.SHARED, "", story.at(first))


def accepted(story: Story) -> None:
    first = story.later()
    for night in range(NIGHTS):
        pending = Sharing(pending=("p1",)) if story.dice.random() < 0.5 else Sharing()
        story.nights[night].shared[story.image.id] = Sharing(accepted=("p1",)) if night >= first else pending
    story.plant(RegretKind.SHARED, "project p1", story.at(first))


def renamed(story: Story) -> None:
    first = story.later()
    story.change(range(first, NIGHTS), name=f"golden-{story.image.id}")
    story.plant(RegretKind.RENAMED, "", story.at(first))


PLANTS: tuple[Callable[[Story], None], ...] = (
    in_use,
    used_in_another_target,
    needed,
    protected,
    exempted_by_command,
    exempted_in_a_file,
    exempted_by_tag,
    published,
    accepted,
    renamed,
)


def used_before(story: Story) -> None:
    first = story.dice.randrange(story.expires)
    story.use(range(first, story.dice.randint(first, story.expires - 1) + 1), User("s-old", "old"))


def another_is_used(story: Story) -> None:
    other = story.dice.choice([f"{story.image.id}0", story.image.id[:-1]])
    story.use(range(NIGHTS), User("s-other", "other"), other)


def used_when_gone(story: Story) -> None:
    gone = story.later()
    for night in range(gone, NIGHTS):
        story.nights[night].images.pop(story.image.id, None)
    story.use(range(gone, NIGHTS), User("s-late", "late"))
    if gone + 1 < NIGHTS:
        given = Exemption(story.image.id, story.at(NIGHTS), "too late", "kim")
        story.nights[gone].commands.append(("prod", given, story.at(gone) + HALF))


def used_by_one_that_would_be_gone(story: Story) -> None:
    """The user would have been deleted the night before, or in the same."""
    when = story.dice.randint(1, story.expires)
    user = make_image(f"snap-{story.image.id[:8]}", properties={"kernel_id": story.image.id}, **_expiring(when))
    for night in range(NIGHTS):
        story.nights[night].images[user.id] = user
    story.use(range(NIGHTS), User(user.id, user.name or "", UserKind.IMAGE))


def protected_before(story: Story) -> None:
    story.change(range(story.dice.randint(1, story.expires)), protected=True)


def exempted_before(story: Story) -> None:
    night = story.dice.randrange(story.expires)
    at = story.at(night) + timedelta(hours=1)
    story.nights[night].commands.append(("prod", Exemption(story.image.id, at + HALF, "before", "kim"), at))


def exempted_in_a_file_before(story: Story) -> None:
    given = Exemption(story.image.name or "", story.at(story.expires) - HALF, "before", "policies/old.yaml")
    for night in range(NIGHTS):
        story.nights[night].in_files.append(given)
    for name in (f"{story.image.name}-2", str(story.image.name).lower()):
        another = Exemption(name, story.at(NIGHTS), "another", "policies/old.yaml")
        story.nights[story.later()].in_files.append(another)


def tagged_before(story: Story) -> None:
    story.change(range(story.expires), tags=("janitor-keep",))
    day = (story.at(story.expires) - 3 * DAY).date()
    story.change(range(story.expires, NIGHTS), tags=(f"janitor-keep-until={day}",))


def published_before(story: Story) -> None:
    story.change(range(story.expires), public=True, visibility="community")


def offered(story: Story) -> None:
    for night in range(NIGHTS):
        story.nights[night].shared[story.image.id] = Sharing(pending=("p1",))


def renamed_before(story: Story) -> None:
    story.change(range(story.dice.randint(1, story.expires)), name="draft")
    story.change(range(story.later(), NIGHTS), name=f" {story.image.name}\u200b")


def otherwise_changed(story: Story) -> None:
    first = story.later()
    story.change(range(first, NIGHTS), size=1, tags=("keep-janitor",), visibility="shared", updated_at=story.at(first))


def unreadable(story: Story) -> None:
    """What cannot be read may be a regret, and is none."""
    choices: list[tuple[str, dict[str, Any]]] = [
        ("protected", {"protected": True}),
        ("visibility", {"public": True, "visibility": None}),
        ("tags", {"tags": None}),
        ("name", {"name": None}),
    ]
    key, facts = story.dice.choice(choices)
    story.change(range(story.later(), NIGHTS), unreadable={key: "maybe"}, **facts)


DECOYS: tuple[Callable[[Story], None], ...] = (
    used_before,
    another_is_used,
    used_when_gone,
    used_by_one_that_would_be_gone,
    protected_before,
    exempted_before,
    exempted_in_a_file_before,
    tagged_before,
    published_before,
    offered,
    renamed_before,
    otherwise_changed,
    unreadable,
)


_CHOSEN = 10
IMAGES = len(PLANTS) + len(DECOYS) + _CHOSEN


def name_of(seed: int, number: int) -> str:
    """The name of an image that a policy would delete, as it is then."""
    return f"Ci-{seed}-{number}"


def written(seed: int) -> tuple[list[Night], set[Planted]]:
    """The nights of a seed, and what is planted in them: at least one image for each plant and each decoy."""
    dice = random.Random(seed)
    nights = [Night() for _ in range(NIGHTS)]
    planted: set[Planted] = set()
    for number, tell in enumerate((*PLANTS, *DECOYS, *(dice.choice((*PLANTS, *DECOYS)) for _ in range(_CHOSEN)))):
        expires = dice.randint(1, NIGHTS - 3)
        image = make_image(name_of(seed, number), disk_format="aki", **_expiring(expires))
        for night in nights:
            night.images[image.id] = night.others[image.id] = image
        tell(Story(image, expires, nights, dice, planted))
    return nights, planted


def _expiring(night: int) -> dict[str, Any]:
    """The dates of an image that is older than two weeks in this night, and in none before."""
    created = START + night * DAY - 14 * DAY - HALF
    return {"created_at": created, "updated_at": created}


def lived_through(nights: Sequence[Night], store: Store) -> None:
    """Each night a dry run over both targets, and what people do until the next."""
    for number, night in enumerate(nights):
        now = START + number * DAY
        ours = RecordingCloud(list(night.images.values()), _usage(night.uses), shared=night.shared, reached=OURS)
        theirs = RecordingCloud(list(night.others.values()), _usage(night.used_elsewhere), reached=THEIRS)
        sites = [Site("prod", partial(_given, ours)), Site("stage", partial(_given, theirs))]
        told: dict[str, Any] = {"clock": partial(_given, now), "exemptions": tuple(night.in_files), "max_shrink": 100}
        run_of(sites, [OLD], store, Mode.DRY_RUN, ALL_OF_THEM, **told).perform()
        for target, given, at in night.commands:
            store.add_exemptions([(target, given)], at)


def _given(value: _T) -> _T:
    return value


def _usage(uses: Sequence[tuple[str, User]]) -> Usage:
    by_image: dict[str, tuple[User, ...]] = {}
    for image, user in uses:
        by_image[folded(image)] = (*by_image.get(folded(image), ()), user)
    return Usage({folded(image): users for image, users in by_image.items()})
