"""What people and their machines do by day: they build, protect, deploy and delete images, and exempt some."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from uuid import UUID

from janitor.core.memory import Exemption
from janitor.sandbox.calls import Api
from janitor.sandbox.models import OURS, StoredImage, StoredInstance, StoredVolume
from janitor.store import Store
from tests.nights.account import Account
from tests.nights.clockwork import Clockwork
from tests.nights.team import DAY, name_of

_FIRST_BUILD = 5000
_NUMBERED = re.compile(r"-[0-9]+$")


@dataclass
class People:
    """Everybody who works with the account. `kept` is what they exempted by command: when, and from when until when."""

    draw: Random
    clockwork: Clockwork
    account: Account
    database: Path
    of_names: Random
    kept: dict[str, list[tuple[datetime, datetime]]] = field(default_factory=dict)
    _builds: int = _FIRST_BUILD
    _away: list[StoredInstance] = field(default_factory=list)

    def work(self) -> None:
        """What happens to the account in a day."""
        for _ in range(self.draw.randint(1, 3)):
            self.build()
        seldom: tuple[tuple[float, Callable[[], object]], ...] = (
            (0.2, self.protect),
            (0.3, self.deploy),
            (0.3, self.redeploy),
            (0.2, self.delete),
            (0.15, self.touch),
            (0.15, self.keep),
            (0.1, self.unkeep),
            *(((0.1, self.share), (0.1, self.tag), (0.1, self.make_volume)) if self._speaks_openstack else ()),
        )
        for chance, act in seldom:
            if self.draw.random() < chance:
                act()
        if self.of_names.random() < 0.3:
            self.rename()
        self.finish_uploads()

    @property
    def _speaks_openstack(self) -> bool:
        return self.account.api is Api.OPENSTACK

    @property
    def own(self) -> list[StoredImage]:
        """The images that are the account's own."""
        images = self.account.mine.images.values()
        return [image for image in images if image.owner == OURS and image.visibility != "public"]

    def build(self) -> None:
        """A machine builds an image, or fails to; a nightly one just before a run."""
        self._builds += 1
        made = self.clockwork.now - timedelta(minutes=self.draw.choice((8, self.draw.randint(0, 20 * 60))))
        family = self.draw.choice(("ci-web", "bake", "nightly-worker"))
        image = replace(
            self.draw.choice(self.own),
            id=str(UUID(int=self.draw.getrandbits(128), version=4)),
            name=f"{family}-{self._builds}",
            status=self.draw.choice(("active", "active", "active", "killed", "queued")),
            visibility="private",
            protected=False,
            properties={"build_job": family},
            wire={},
            tags=(),
            hidden=False,
            members={},
            held=False,
            created_at=made,
            updated_at=made,
        )
        self.account.mine.put_image(image)

    def finish_uploads(self) -> None:
        """What was queued gets on, now and then."""
        for image in self.own:
            if image.status in ("queued", "saving") and self.draw.random() < 0.03:
                self._change(image, status=self.draw.choice(("saving", "active", "killed")))

    def protect(self) -> None:
        """Somebody protects an image, or no longer does."""
        image = self.draw.choice(self.own)
        self._change(image, protected=not image.protected)

    def interfere(self, planned: Sequence[str]) -> None:
        """Somebody protects some of these images, which a run may be about to delete, or does otherwise."""
        for image in self.draw.sample(planned, min(3, len(planned))):
            self.take_away(image)

    def take_away(self, image: str) -> None:
        """A person wants to keep an image; its time of change may not show that."""
        changes: tuple[dict[str, object], ...] = (
            {"protected": True},
            {"visibility": "public"},
            {"status": "saving"},
            {"name": f"golden-{self.draw.randint(1, 99)}"},
        )
        stored = self.account.mine.images[image]
        unmoved = {"updated_at": stored.updated_at} if self.draw.random() < 0.3 else {}
        self._change(stored, **self.draw.choice(changes), **unmoved)

    def touch(self) -> None:
        """Somebody edits an image."""
        self._change(self.draw.choice(self.own), min_ram=self.draw.choice((0, 512, 1024)))

    def rename(self) -> None:
        """Somebody gives an image another name, of the same family."""
        numbered = [image for image in self.own if "name" not in image.wire and _NUMBERED.search(image.name or "")]
        image = self.of_names.choice(numbered)
        self._change(image, name=f"{image.name}{self.of_names.randrange(10)}")

    def _change(self, image: StoredImage, **changes: object) -> None:
        if "name" in changes:
            former = self.account.former_names.setdefault(image.id, [])
            former.append((self.clockwork.now, name_of(image)))
        self.account.mine.change_image(image.id, **{"updated_at": self.clockwork.now, **changes})

    def deploy(self) -> None:
        """A service is launched from another image."""
        if instances := list(self.account.mine.instances.values()):
            image = self.draw.choice(self.own)
            self.account.mine.change_instance(self.draw.choice(instances).id, image=image.id)

    def redeploy(self) -> None:
        """An instance is removed, and comes back another day."""
        while self._away and self.draw.random() < 0.7:
            self.account.mine.put_instance(self._away.pop())
        if instances := list(self.account.mine.instances.values()):
            self._away.append(self.draw.choice(instances))
            self.account.mine.remove_instance(self._away[-1].id)

    def share(self) -> None:
        """Somebody shares an image with another project, whose answer is one or the other; or ends that."""
        image = self.draw.choice(self.own)
        answer = self.draw.choice(("accepted", "pending", "rejected"))
        shared = {"visibility": "shared", "members": {"7c40e9d1a2b84f35962dd80f1b3ea6c7": answer}}
        self._change(image, **({"visibility": "private", "members": {}} if image.members else shared))

    def tag(self) -> None:
        """Somebody tags an image to be kept for some days, or takes the tags off."""
        image = self.draw.choice(self.own)
        day = self.clockwork.now + self.draw.randint(1, 15) * DAY
        self._change(image, tags=() if image.tags else (f"janitor-keep-until={day:%Y-%m-%d}",))

    def make_volume(self) -> None:
        """A volume is made from an image; or one is deleted."""
        volumes = self.account.mine.volumes
        if volumes and self.draw.random() < 0.5:
            self.account.mine.remove_volume(self.draw.choice(list(volumes)))
            return
        image = self.draw.choice(self.own)
        identity = str(UUID(int=self.draw.getrandbits(128), version=4))
        volume = StoredVolume(identity, "spare", "available", 20, self.clockwork.now, image.id, image.name)
        self.account.mine.put_volume(volume)

    def delete(self) -> None:
        """Somebody deletes an image by hand."""
        image = self.draw.choice(self.own).id
        if self.account.mine.is_deletable(image):
            self.account.mine.remove_image(image)

    def keep(self, wanted: Sequence[str] = ()) -> None:
        """A person exempts an image by command, perhaps during a run, and perhaps one of these."""
        now, image = self.clockwork.now, self.draw.choice(wanted or [image.id for image in self.own])
        until = now + self.draw.randint(1, 15) * DAY
        with Store.open(self.database) as store:
            store.add_exemptions([(self.account.target, Exemption(image, until, "because", "kim"))], now)
        self.kept.setdefault(image, []).append((now, until))

    def unkeep(self) -> None:
        """A person revokes an exemption."""
        held = [image for image in self.kept if self.keeps(image, self.clockwork.now)]
        if held:
            now, image = self.clockwork.now, self.draw.choice(held)
            with Store.open(self.database) as store:
                store.end_exemptions([(self.account.target, image)], "kim", now)
            self.kept[image] = [(given, min(until, now)) for given, until in self.kept[image]]

    def keeps(self, image: str, now: datetime) -> bool:
        """Whether somebody exempted an image by command."""
        return any(given <= now < until for given, until in self.kept.get(image, ()))
