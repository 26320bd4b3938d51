"""The team's policies, as they write and rewrite them; and a second, simple implementation of what they keep."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from fnmatch import fnmatchcase
from random import Random
from typing import Any

from janitor.sandbox.models import OURS, StoredImage

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
TEAM_CHANNEL = "#team-web"

_ORDINARY = ("active", "deactivated")
_NOTICES = (timedelta(), 20 * HOUR, 47 * HOUR, 2 * DAY, 4 * DAY, 5 * DAY)
_TERMS = {
    "stuck": (5 * MINUTE, DAY, 3 * DAY),
    "web": (15 * DAY, 25 * DAY, 40 * DAY),
    "builds": (20 * DAY, 30 * DAY, 40 * DAY),
    "snapshots": (10 * DAY, 20 * DAY, 60 * DAY),
    "others": (60 * DAY, 90 * DAY),
}


@dataclass(frozen=True)
class Policy:
    """One policy as the team thinks of it. Without `after` it keeps all it matches."""

    name: str
    globs: tuple[str, ...]
    statuses: tuple[str, ...] = _ORDINARY
    since: str = "created"
    after: timedelta | None = None
    notice: timedelta = timedelta()
    newest: int = 0
    daily: int = 0
    channel: str | None = None

    def matches(self, image: StoredImage) -> bool:
        """Whether this policy matches it."""
        named = any(fnmatchcase(name_of(image) or "", glob) for glob in self.globs)
        return named and (self.after is None or image.status in self.statuses)

    def written(self) -> dict[str, Any]:
        """As in a policy file."""
        policy: dict[str, Any] = {"name": self.name, "match": {"name": list(self.globs)}}
        if self.after is None:
            return policy
        policy["match"]["status"] = list(self.statuses)
        policy["expire"] = {"after": _minutes(self.after), "since": self.since}
        policy["notice"] = _minutes(self.notice)
        if self.newest:
            policy["keep"] = {"newest": self.newest, "per": "name:/^(.+)-[0-9]+$/"}
            policy["keep"] |= {"daily": self.daily} if self.daily else {}
        return policy | ({"channel": self.channel} if self.channel else {})


_PLAIN = re.compile(r"[a-z][a-z0-9-]+")
_TAG = "janitor-keep"
_DATED = re.compile(rf"{_TAG}-until=\d{{4}}-\d\d-\d\d")


def name_of(image: StoredImage) -> str | None:
    """The name as the list has it, if it has one that can be read."""
    name = image.wire.get("name", image.name)
    return name if isinstance(name, str) else None


def _minutes(length: timedelta) -> str | int:
    return f"{length // MINUTE}min" if length else 0


class Team:
    """Whoever writes the policies, in a time zone. `as_bot` says whether they may have a channel of their own.

    `sees_owners`: the API says whose an image is.
    """

    def __init__(self, draw: Random, zone: tzinfo, *, as_bot: bool, sees_owners: bool) -> None:
        self._draw = draw
        self._zone = zone
        self._sees_owners = sees_owners
        self._taken_over = draw.random() < 0.3
        self._exempt: list[dict[str, str]] = []
        channel = TEAM_CHANNEL if as_bot and draw.random() < 0.5 else None
        drawn = (
            Policy("stuck", ("*",), ("queued", "killed"), since="status"),
            Policy("web", ("ci-web-*",), newest=1, daily=draw.choice((0, 3)), channel=channel),
            Policy("builds", ("ci-*", "bake-*", "nightly-*"), newest=draw.choice((1, 2, 3))),
            Policy("snapshots", ("*-before-upgrade-*", "*-backup-*", "*-snapshot-*"), since="last_used"),
            Policy("others", ("*",), since="updated"),
        )
        self._policies = [replace(policy, after=self._term(policy), notice=self._notice(policy)) for policy in drawn]

    def _term(self, policy: Policy) -> timedelta:
        return self._draw.choice(_TERMS[policy.name])

    def _notice(self, policy: Policy) -> timedelta:
        return self._draw.choice(_NOTICES[:3] if policy.name == "stuck" else _NOTICES)

    def reconsider(self, now: datetime, images: Iterable[StoredImage]) -> bool:
        """Now and then something is changed in the file; whether it was. It may exempt one of these images by name."""
        draw = self._draw
        place = draw.randrange(len(self._policies))
        policy = self._policies[place]
        match draw.randrange(30):
            case 0 | 1 | 2:
                self._policies[place] = replace(policy, notice=self._notice(policy))
            case 3:
                self._policies[place] = replace(policy, after=self._term(policy))
            case 4 | 5:
                self._taken_over = not self._taken_over
            case 6:
                until = now + draw.randint(1, 15) * DAY
                name = draw.choice([name for image in images if _PLAIN.fullmatch(name := name_of(image) or "")])
                self._exempt.append({"image": name, "until": f"{until:%Y-%m-%d}", "why": "by review"})
            case 7 if self._exempt:
                self._exempt.pop()
            case _:
                return False
        return True

    def file(self) -> str:
        """The policy file, in the JSON that YAML is."""
        exempt = {"exempt": self._exempt} if self._exempt else {}
        return json.dumps({"policies": [policy.written() for policy in self.policies], **exempt})

    @property
    def policies(self) -> list[Policy]:
        """The policies in force, first come first served."""
        pinned = Policy("golden", ("golden-*",))
        stuck, web, *rest = self._policies
        return [pinned, stuck, *([web] if self._taken_over else []), *rest]

    def exempts(self, image: StoredImage, now: datetime) -> bool:
        """Whether the file exempts an image, or a tag of its own does."""
        today = f"{now.astimezone(self._zone):%Y-%m-%d}"
        tagged = (tag for tag in image.tags if tag.startswith(_TAG))
        return any(
            today <= given["until"] for given in self._exempt if given["image"] in (image.id, name_of(image))
        ) or any(not _DATED.fullmatch(tag) or today <= tag[-10:] for tag in tagged)

    def owner(self, image: StoredImage) -> Policy | None:
        """The policy that owns an image."""
        return next((policy for policy in self.policies if policy.matches(image)), None)

    def is_plain(self, image: StoredImage) -> bool:
        """Whether `keeps` knows all reasons of an image's policy to keep it: no calendar, no history."""
        policy = self.owner(image)
        return policy is not None and not policy.daily and policy.since in ("created", "updated")

    def keeps(self, image: StoredImage, every: Iterable[StoredImage], now: datetime) -> str | None:
        """Why an image must stay by the policies, whatever else; None where it may go."""
        policy = self.owner(image)
        if policy is None or policy.after is None or name_of(image) is None:
            return "surely of no policy that lets images expire"
        by_update = policy.since in ("status", "updated")
        if by_update and ("updatedAt" in image.wire or "updated_at" in image.wire):
            return "undated"
        since = image.updated_at if by_update else image.created_at
        if now - since <= policy.after:
            return f"too young for {policy.name}"
        if policy.newest and image in self._newest(policy, _family(image), every):
            return f"among the newest of its family in {policy.name}"
        return None

    def _newest(self, policy: Policy, family: str, every: Iterable[StoredImage]) -> list[StoredImage]:
        mine = (i for i in every if i.status == "active" and self._is_ours(i))
        members = [i for i in mine if _family(i) == family and self.owner(i) == policy]
        by_id = sorted(members, key=lambda image: image.id)
        return sorted(by_id, key=lambda image: image.created_at, reverse=True)[: policy.newest]

    def _is_ours(self, image: StoredImage) -> bool:
        """Whether an image counts for `keep`: if the API names no owner, what everyone may use is nobody's."""
        return image.owner == OURS and (self._sees_owners or image.visibility not in ("public", "community"))


def _family(image: StoredImage) -> str:
    family, _, number = (name_of(image) or "").rpartition("-")
    return family if number.isdecimal() and family else image.id
