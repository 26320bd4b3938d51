"""What can be chosen about a sandbox: its size, its account, and whatever the vendor's page leaves open."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import timedelta
from enum import StrEnum

from janitor.errors import UsageError
from janitor.sandbox.calls import Api
from janitor.sandbox.faults import NO_FAULTS, Faults


class MarkerReading(StrEnum):
    """Whether a page begins after the marker, or with it."""

    EXCLUSIVE = "exclusive"
    INCLUSIVE = "inclusive"


class SortDirection(StrEnum):
    """Whether the newest image is listed first, or last."""

    DESC = "desc"
    ASC = "asc"


class Booleans(StrEnum):
    """Whether booleans and numbers are written as JSON values or, like the vendor's sample, as strings."""

    JSON = "json"
    STRING = "string"


class Times(StrEnum):
    """How times are written: `…:50Z`, `…:50.166563` without a zone, or now one and now the other."""

    ZULU = "zulu"
    FRACTION = "fraction"
    MIXED = "mixed"


class Absent(StrEnum):
    """The code for an image or instance that is not there: -5, or 404 in the resource's own range (30404, 10404)."""

    NONEXISTENT = "nonexistent"
    NOT_FOUND = "not-found"


REGIONS = ("RegionOne", "RegionTwo")
_ONLY = {
    **dict.fromkeys(("booleans", "times", "absent", "appkey"), Api.TOAST),
    **dict.fromkeys(("regions", "computes", "shared_images", "volume_type", "kernels", "kubernetes"), Api.OPENSTACK),
    **dict.fromkeys(("image_in_first", "volume_region", "volume_interface"), Api.OPENSTACK),
    **dict.fromkeys(("no_volumes", "no_clusters", "no_stacks", "compute_microversion"), Api.OPENSTACK),
    **dict.fromkeys(("application", "application_secret"), Api.OPENSTACK),
}
VOLUME_TYPES = ("volumev3", "volumev2", "volume", "block-storage", "block-store")
INTERFACES = ("public", "internal", "admin")
_MOST_COMPUTES = 3
_MOST_IMAGES = 1_000_000
_MOST_ACCOUNTS = 10_000


@dataclass(frozen=True, slots=True)
class Options:
    """The choices of one sandbox. Raises UsageError, with a sentence for people, for one that cannot be.

    `port` 0 is any free one. With `accounts` there are that many below one origin, each with so many `images`, and with
    the seeds from `seed` on. `latency` is added to every request. `queued_for` and `saving_for` are how long an
    uploaded image stays in these statuses. `oddities` adds images with values that cannot be read. `faults` are those
    it begins with. `reference_token` opens the document of launch templates. With `slack` there is a Slack, too, on a
    port of its own.

    Of OpenStack only: how many `regions` there are, and `computes` in the first of them; whether the regions share one
    image service, which the catalogue has in both or `image_in_first`; which services they have not got, how the
    catalogue calls those of volumes and of clusters, and in what region and interface it has the one of volumes; the
    newest `compute_microversion`, or `none`; and whether there are `kernels`.

    Wide because each is an option of `janitor sandbox`.
    """

    api: Api = Api.TOAST
    port: int = 8780
    accounts: int | None = None
    images: int = 200
    seed: int = 1
    page_cap: int = 1000
    marker: MarkerReading = MarkerReading.EXCLUSIVE
    sort: SortDirection = SortDirection.DESC
    latency: timedelta = timedelta()
    booleans: Booleans = Booleans.JSON
    times: Times = Times.ZULU
    absent: Absent = Absent.NONEXISTENT
    oddities: bool = False
    token_lifetime: timedelta = timedelta(hours=1)
    queued_for: timedelta = timedelta(seconds=5)
    saving_for: timedelta = timedelta(seconds=10)
    username: str = "sandbox@example.com"
    password: str = "sandbox-password"  # noqa: S105 - opens nothing but a loopback server of invented images
    appkey: str = "sAnDb0xAppK3y001"
    regions: int = 1
    computes: int = 1
    compute_microversion: str = "2.96"
    shared_images: bool = False
    image_in_first: bool = False
    volume_type: str = VOLUME_TYPES[0]
    volume_region: str = ""
    volume_interface: str = INTERFACES[0]
    kubernetes: bool = False
    kernels: bool = False
    no_volumes: bool = False
    no_clusters: bool = False
    no_stacks: bool = False
    application: str = "1f6c2b7d90ae4a63b5d8c4e2f7091a3c"
    application_secret: str = "sandbox-application-secret"  # noqa: S105 - as the password
    reference_token: str = "sandbox-reference-token"  # noqa: S105 - as the password
    faults: Faults = NO_FAULTS
    slack: bool = False
    slack_port: int = 8781

    def __post_init__(self) -> None:
        for wrong, sentence in self._objections():
            if wrong:
                raise UsageError(f"sandbox: {sentence}")

    @property
    def region_names(self) -> tuple[str, ...]:
        """The regions there are."""
        return REGIONS[: self.regions]

    @property
    def shares_images(self) -> bool:
        """Whether all regions have one image service."""
        return self.shared_images or self.image_in_first

    def _objections(self) -> tuple[tuple[bool, str], ...]:
        return (
            (not 0 <= self.port <= 65535, f"port {self.port} is not between 0 and 65535"),
            (not 0 <= self.slack_port <= 65535, f"port {self.slack_port} is not between 0 and 65535"),
            (not 0 <= self.images <= _MOST_IMAGES, f"{self.images} images: choose 0 to {_MOST_IMAGES}"),
            (self.page_cap < 1, f"a page cap of {self.page_cap} would list nothing: choose 1 or more"),
            (self.latency < timedelta(), "the latency must not be negative"),
            (self.token_lifetime < timedelta(seconds=1), "the token lifetime must be at least 1 s"),
            (not (self.username and self.password), "username and password must not be empty"),
            (not re.fullmatch(r"[A-Za-z0-9_-]+", self.appkey), "an appkey is made of letters, digits, - and _"),
            (not 1 <= self.regions <= len(REGIONS), f"{self.regions} regions: choose 1 to {len(REGIONS)}"),
            *self._objections_to_accounts(),
            *self._objections_to_services(),
            *self._unknown_targets(),
        )

    def _objections_to_accounts(self) -> Iterator[tuple[bool, str]]:
        if self.accounts is not None:
            total = self.accounts * self.images
            yield not 1 <= self.accounts <= _MOST_ACCOUNTS, f"{self.accounts} accounts: choose 1 to {_MOST_ACCOUNTS}"
            yield total > _MOST_IMAGES, f"{total} images in all accounts: choose {_MOST_IMAGES} at most"

    def _objections_to_services(self) -> tuple[tuple[bool, str], ...]:
        return (
            (not 1 <= self.computes <= _MOST_COMPUTES, f"{self.computes} computes: choose 1 to {_MOST_COMPUTES}"),
            (self.shared_images and self.regions < 2, "--shared-images needs --regions 2"),
            (self.image_in_first and self.regions < 2, "--image-in-first needs --regions 2"),
            (self.volume_interface not in INTERFACES, f"{self.volume_interface} is not an interface of a service"),
            (self.volume_type not in VOLUME_TYPES, f"{self.volume_type} is not a service type of volumes"),
            (self.kubernetes and self.no_clusters, "--kubernetes does not go with --no-clusters"),
            (
                not re.fullmatch(r"none|2\.[1-9][0-9]{0,2}", self.compute_microversion),
                f"{self.compute_microversion} is not a microversion of compute: write one like 2.96, or none",
            ),
            (not re.fullmatch(r"[\x21-\x7e]+", self.reference_token), "a reference token is made of visible ASCII"),
        )

    def _unknown_targets(self) -> Iterator[tuple[bool, str]]:
        """The choices that only another API has."""
        for field in fields(self):
            api = _ONLY.get(field.name, self.api)
            changed = getattr(self, field.name) != field.default
            yield changed and api is not self.api, f"--{field.name.replace('_', '-')} goes with --api {api} only"
