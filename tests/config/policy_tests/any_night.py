"""Nights drawn at random, with something of everything that decisions depend on."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from janitor.core.exemptions import exemptions_by_tag, longest_of
from janitor.core.image import CONTRADICTED, UNSEEN, Image, Sharing, Status
from janitor.core.memory import Exemption, History, Memory, Notice, Refusals
from janitor.core.names.image_ids import folded
from janitor.core.names.wire_keys import WireKeys
from janitor.core.policy import Clock, Expire, Match, Pattern, Policy
from janitor.core.replay.inputs import Night
from janitor.core.retention import Family, Keep
from janitor.core.usage import Usage, User, UserKind
from tests.factories import DAY, NOW, make_image

ID_BEGINS = "5f1d0b6e-7c1d-4f3c-9b53-0f6c4e1d2a"
MEMORY = timedelta(hours=72)
NAMES = ("ci-1", "ci-2", "ci-3", "web-1", "golden", "", None, "ci-\x1b[1m", "image-00002")
EDGES = (NOW - 14 * DAY, NOW - 14 * DAY - timedelta(microseconds=1), NOW - MEMORY, NOW - timedelta(microseconds=3))
USERS = (User("s", "kims-server"), User("v", "v", UserKind.VOLUME), User("r", "r", UserKind.REFERENCE))
SHARING = (Sharing(), Sharing(("p",)), Sharing((), ("q",)), Sharing(problem="503"))
PROPERTIES: tuple[dict[str, str], ...] = (
    {},
    {},
    {"os": "linux", "line": "a", "by": "kim"},
    {"os": "linux"},
    {"kernel_id": f"{ID_BEGINS}00"},
)
MATCHES = (
    Match(name=(Pattern("*"),), status=frozenset({Status.ACTIVE})),
    Match(name=(Pattern("ci-*"),)),
    Match(name=(Pattern("*"),), larger_than=100),
    Match(owner=(Pattern("abc"),)),
    Match(tags=(Pattern("c?"),), exclude=Match(disk_format=frozenset({"aki"}))),
    Match(properties=(("os", (Pattern("linux"),)),), os_hidden=False),
)


def a_night(seed: int) -> tuple[Night, list[Policy]]:
    """A night and the policies that rule it; the same for the same seed."""
    drawn = random.Random(seed)
    policies = [_policy(drawn, place) for place in range(drawn.randint(1, 3))]
    images = [_image(drawn, place) for place in range(drawn.randint(1, 7))]
    ids = [image.id for image in images]

    def some() -> list[str]:
        return [each for each in ids if drawn.random() < 0.3]

    by_people = {each: Exemption(each, NOW + drawn.randint(-9, 1) * DAY, "kim", "kim") for each in some()}
    memory = Memory(
        notices={each: _notice(drawn, policies) for each in some()},
        refusals={each: Refusals(drawn.randint(1, 4), _instant(drawn), "kim said no") for each in some()},
        exemptions=longest_of(by_people, exemptions_by_tag(images, NOW, UTC)),
        usage_memory=drawn.choice((MEMORY, timedelta())),
    )
    usage = {folded(each): tuple(drawn.sample(USERS, drawn.randint(1, 3))) for each in some() if drawn.random() < 0.5}
    history = {each: _history(drawn) for each in ids if drawn.random() < 0.8}
    sharing = {each: drawn.choice(SHARING) for each in some()}
    now = NOW + drawn.choice((timedelta(), timedelta(microseconds=999_999)))
    return Night(("prod",), images, Usage(usage), history, now, UTC, memory, sharing, WireKeys()), policies


def _instant(drawn: random.Random) -> datetime:
    return drawn.choice((*EDGES, *(NOW - timedelta(seconds=drawn.randint(-1, 40 * 86_400)) for _ in range(6))))


def _image(drawn: random.Random, place: int) -> Image:
    created = _instant(drawn)
    ordinary = make_image(
        drawn.choice(NAMES),
        id=f"{ID_BEGINS}{place:02}",
        created_at=created,
        updated_at=drawn.choice((created, NOW - 3 * DAY, None)),
        size=drawn.choice((None, 10, 2**40)),
        disk_format=drawn.choice(("qcow2", "aki", "docker", None)),
        properties=drawn.choice(PROPERTIES),
        visibility=drawn.choice(("private", "shared", None)),
        owner=drawn.choice(("abc", "xyz", None)),
        os_hidden=drawn.choice((False, True, None)),
        tags=drawn.choice(((), ("ci", "kim"), ("cx",))),
    )
    odd = (
        ordinary.replace(status=drawn.choice(("queued", "deleted", "odd"))),
        ordinary.replace(public=True, visibility=drawn.choice(("public", "community", None))),
        ordinary.replace(protected=True),
        ordinary.replace(owned=False),
        ordinary.replace(created_at=None),
        ordinary.replace(properties=None),
        ordinary.replace(tags=None),
        ordinary.replace(unreadable={UNSEEN: "kim may not"}),
        ordinary.replace(size=None, unreadable={"size": f"{CONTRADICTED}1 and as 2"}),
    )
    return drawn.choice(odd) if drawn.random() < 0.2 else ordinary


def _history(drawn: random.Random) -> History:
    used = drawn.choice((None, _instant(drawn)))
    some = (None, _instant(drawn))
    return History(
        first_seen=NOW - 40 * DAY,
        watched_since=drawn.choice((NOW - 40 * DAY, *some)),
        status_since=drawn.choice(some),
        last_in_use=used,
        last_held=drawn.choice((used, None)),
        unused_since=None if used is None else drawn.choice((used + (NOW - used) / 2, None)),
    )


def _policy(drawn: random.Random, place: int) -> Policy:
    expire = drawn.choice((None, *(Expire(14 * DAY, clock) for clock in Clock)))
    family = drawn.choice((None, "policy", "property:line", "name:/^([a-z]+)/"))
    plain = Policy(f"p{place}", drawn.choice(MATCHES), expire)
    if family is not None:
        plain = replace(plain, keep=Keep(Family(family), newest=1))
    return plain if expire is None else replace(plain, notice=drawn.choice((0, 2, 7)) * DAY)


def _notice(drawn: random.Random, policies: Sequence[Policy]) -> Notice:
    policy, announced = drawn.choice(policies), _instant(drawn)
    return Notice(policy.name, policy.notice, announced, announced + policy.notice)
