"""One image of every kind, as data: how each is made, and what a janitor with `POLICIES` is to decide about it.

The decisions hold for the first run over a fresh fleet, with every source of usage read and images of which members
have accepted left alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from tests.glance.cloud import Cloud
from tests.glance.identity import Person
from tests.glance.images import Images

POLICIES = """\
policies:
  - name: golden
    match: {name: "golden-*"}
  - name: nightly
    match: {tags: [nightly]}
    expire: {after: 7d}
  - name: throwaway
    match: {properties: {purpose: throwaway}}
    expire: {after: 3d}
  - name: stuck
    match: {status: [queued, killed]}
    expire: {after: 24h, since: status}
  - name: everything
    match: {name: "*"}
    expire: {after: 30d}
"""

OLD = timedelta(days=60)
_WEEK_AND_MORE, _DAYS, _HOUR = timedelta(days=10), timedelta(days=5), timedelta(hours=1)
_FUTURE = (datetime.now(UTC) + timedelta(days=30)).date()
_WRITTEN = frozenset({"killed", "saving", "importing", "pending_delete", "deleted", "shelved"})


@dataclass(frozen=True, slots=True)
class Specimen:
    """An image of ours, or of another project, and what is to be decided about it.

    `reason` is the code of the decision, None for an image that no list shows; `policy` owns it where one does. Its
    name is `called` where that is not empty, else `key`. Where it is `public`, the administrator made it so; it is
    offered to the other side where that has an `answer`; `user` is what uses it, and `parts` are the keys of
    other images, by the property that names them.
    """

    key: str
    reason: str | None
    policy: str | None = None
    status: str = "active"
    age: timedelta = OLD
    fields: Mapping[str, Any] = field(default_factory=dict)
    called: str | None = ""
    ours: bool = True
    public: bool = False
    answer: Literal["pending", "accepted", "rejected"] | None = None
    user: Literal["server", "volume"] | None = None
    parts: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str | None:
        return self.key if self.called == "" else self.called

    def naming(self, ids: Mapping[str, str]) -> dict[str, str]:
        """The properties that name other images, once these have ids."""
        return {name: ids[key] for name, key in self.parts.items()}


def _tagged(*tags: str) -> dict[str, Any]:
    return {"tags": list(tags)}


def _of_format(word: str) -> dict[str, Any]:
    """An image of three parts, or one of the parts: Glance requires the container format to be the same."""
    return {"disk_format": word, "container_format": word}


SPECIMENS = (
    Specimen("plain", "expired", "everything"),
    Specimen("young", "too-young", "everything", age=_DAYS),
    Specimen("newborn", "newborn", age=timedelta()),
    Specimen("golden-base", "pinned", "golden"),
    Specimen("nameless", "unmatched", called=None),  # it is unknown whether `golden` matches it
    Specimen("markup", "expired", "everything", called="<!channel> *bold* [red]red[/red] \x1b[31m\u202egnp.exe"),
    Specimen("future", "undated", age=-timedelta(days=365)),
    # Statuses
    Specimen("queued", "expired", "stuck", "queued"),
    Specimen("queued-now", "too-young", "stuck", "queued", _HOUR),
    Specimen("saving", "unmatched", None, "saving"),
    Specimen("importing", "unmatched", None, "importing"),
    Specimen("uploading", "unmatched", None, "uploading"),
    Specimen("deactivated", "expired", "everything", "deactivated"),
    Specimen("pending-delete", "gone", None, "pending_delete"),
    Specimen("half-deleted", "gone", None, "deleted"),
    Specimen("killed", None, None, "killed"),
    Specimen("shelved", None, None, "shelved"),
    # Flags
    Specimen("protected", "protected", fields={"protected": True}),
    Specimen("hidden", "expired", "everything", fields={"os_hidden": True}),
    Specimen("hidden-protected", "protected", fields={"os_hidden": True, "protected": True}),
    # Visibility and sharing
    Specimen("private", "expired", "everything", fields={"visibility": "private"}),
    Specimen("community", "public", fields={"visibility": "community"}),
    Specimen("public", "public", public=True),
    Specimen("shared-pending", "expired", "everything", answer="pending"),
    Specimen("shared-accepted", "shared", answer="accepted"),
    Specimen("shared-rejected", "expired", "everything", answer="rejected"),
    Specimen("their-private", None, ours=False, fields={"visibility": "private"}),
    Specimen("their-community", None, ours=False, fields={"visibility": "community"}),
    Specimen("their-public", "public", ours=False, public=True),
    Specimen("their-pending", None, ours=False, answer="pending"),
    Specimen("their-accepted", "not-owned", ours=False, answer="accepted"),
    Specimen("their-rejected", None, ours=False, answer="rejected"),
    # Tags and properties
    Specimen("nightly", "expired", "nightly", age=_WEEK_AND_MORE, fields=_tagged("ci", "nightly")),
    Specimen("nightly-young", "too-young", "nightly", age=_DAYS, fields=_tagged("nightly")),
    Specimen("throwaway", "expired", "throwaway", age=_DAYS, fields={"purpose": "throwaway"}),
    Specimen("kept", "exempt", fields=_tagged("nightly", "janitor-keep")),
    Specimen("kept-until", "exempt", fields=_tagged(f"janitor-keep-until={_FUTURE}")),
    Specimen("kept-until-then", "expired", "everything", fields=_tagged("janitor-keep-until=2020-02-29")),
    Specimen("kept-until-whenever", "exempt", fields=_tagged("janitor-keep-until=2026-02-30")),
    # Usage
    Specimen("booted", "in-use", user="server"),
    Specimen("in-a-volume", "in-use", user="volume"),
    Specimen("base", "in-use"),
    Specimen(
        "golden-snapshot", "pinned", "golden", fields={"image_type": "snapshot"}, parts={"base_image_ref": "base"}
    ),
    # Images of three parts
    Specimen("kernel", "needed", fields=_of_format("aki")),
    Specimen("ramdisk", "needed", fields=_of_format("ari")),
    Specimen("orphan-kernel", "expired", "everything", fields=_of_format("aki")),
    Specimen(
        "golden-machine",
        "pinned",
        "golden",
        fields=_of_format("ami"),
        parts={"kernel_id": "kernel", "ramdisk_id": "ramdisk"},
    ),
    Specimen("their-kernel", "public", ours=False, public=True, fields=_of_format("aki")),
    Specimen("kernel-of-theirs", "needed", fields=_of_format("aki")),
    Specimen(
        "their-machine",
        "public",
        ours=False,
        public=True,
        fields=_of_format("ami"),
        parts={"kernel_id": "kernel-of-theirs"},
    ),
)


@dataclass(frozen=True, slots=True)
class Fleet:
    """The specimens in a cloud, by key; `ours` is whose project is to be cleaned."""

    ours: Person
    theirs: Person
    ids: Mapping[str, str]

    def expected(self) -> dict[str, tuple[str, str | None]]:
        """The expected reason and policy of each decision, by image id."""
        decided = (specimen for specimen in SPECIMENS if specimen.reason is not None)
        return {self.ids[one.key]: (str(one.reason), one.policy) for one in decided}


def make_fleet(cloud: Cloud) -> Fleet:
    """Make every specimen, and what uses it, in two new projects."""
    ours, theirs = cloud.member(), cloud.member()
    workshop = _Workshop(cloud, ours, theirs)
    for specimen in SPECIMENS:
        workshop.make(specimen)
    return Fleet(ours, theirs, workshop.ids)


class _Workshop:
    def __init__(self, cloud: Cloud, ours: Person, theirs: Person) -> None:
        self.ids: dict[str, str] = {}
        self._cloud = cloud
        self._people = (ours, theirs)
        self._images = tuple(map(cloud.images, self._people))
        self._admin = cloud.images(cloud.admin)
        self._now = datetime.now(UTC)

    def make(self, specimen: Specimen) -> None:
        mine = 0 if specimen.ours else 1
        images = self._images[mine]
        image_id = self.ids[specimen.key] = images.create(specimen.name, **specimen.fields, **specimen.naming(self.ids))
        _bring(images, image_id, specimen.status)
        if specimen.public:
            self._admin.change(image_id, visibility="public")
        if specimen.answer:
            self._offer(image_id, mine, specimen.answer)
        if specimen.user:
            self._use(image_id, specimen.user)
        status = {"status": specimen.status} if specimen.status in _WRITTEN else {}
        born = self._now - specimen.age
        self._cloud.database.write(image_id, created_at=born, updated_at=born, **status)

    def _offer(self, image_id: str, mine: int, answer: str) -> None:
        other = self._people[1 - mine].project_id
        self._images[mine].share(image_id, other)
        if answer != "pending":
            self._images[1 - mine].reply(image_id, other, answer)

    def _use(self, image_id: str, user: str) -> None:
        project = self._people[0].project_id
        if user == "server":
            self._cloud.nova.boot("web-1", project, image_id)
        else:
            self._cloud.cinder.create("db-1-root", project, image_id)
            self._cloud.nova.boot("db-1", project, None)


def _bring(images: Images, image_id: str, status: str) -> None:
    """Bring a queued image to a status as far as the API can."""
    if status == "uploading":
        images.stage(image_id)
    elif status in ("active", "deactivated"):
        images.upload(image_id)
    if status == "deactivated":
        images.deactivate(image_id)
