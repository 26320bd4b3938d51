"""What can be chosen about a sandbox: its size, its account, and whatever the vendor's page leaves open."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from janitor.core.units import parse_timeout
from janitor.errors import UsageError
from janitor.sandbox.calls import Api
from janitor.sandbox.faults import NO_FAULTS, Faults
from janitor.sandbox.faults.file import load_faults


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


@dataclass(frozen=True, slots=True)
class Options:
    """The choices of one sandbox. Raises UsageError, with a sentence for people, for one that cannot be.

    `port` 0 is any free one. `latency` is added to every request. `queued_for` and `saving_for` are how long an
    uploaded image stays in these statuses. `oddities` adds images with values that cannot be read. `faults` are those
    it begins with. `reference_token` opens the document of launch templates.

    Of OpenStack only: how many `regions` there are, and `computes` in the first of them; whether the regions share one
    image service, which the catalogue has in both or `image_in_first`; which services they have not got, how the
    catalogue calls those of volumes and of clusters, and in what region and interface it has the one of volumes; the
    newest `compute_microversion`, or `none`; and whether there are `kernels`.
    """

    api: Api = Api.TOAST
    port: int = 8780
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
            (not 0 <= self.images <= _MOST_IMAGES, f"{self.images} images: choose 0 to {_MOST_IMAGES}"),
            (self.page_cap < 1, f"a page cap of {self.page_cap} would list nothing: choose 1 or more"),
            (self.latency < timedelta(), "the latency must not be negative"),
            (self.token_lifetime < timedelta(seconds=1), "a token must live for a second at least"),
            (not (self.username and self.password), "username and password must not be empty"),
            (not re.fullmatch(r"[A-Za-z0-9_-]+", self.appkey), "an appkey is made of letters, digits, - and _"),
            (not 1 <= self.regions <= len(REGIONS), f"{self.regions} regions: choose 1 to {len(REGIONS)}"),
            *self._objections_to_services(),
            *self._strangers(),
        )

    def _objections_to_services(self) -> tuple[tuple[bool, str], ...]:
        return (
            (not 1 <= self.computes <= _MOST_COMPUTES, f"{self.computes} computes: choose 1 to {_MOST_COMPUTES}"),
            (self.shared_images and self.regions < 2, "--shared-images needs --regions 2"),
            (self.image_in_first and self.regions < 2, "--image-in-first needs --regions 2"),
            (self.volume_interface not in INTERFACES, f"{self.volume_interface} is no interface of a service"),
            (self.volume_type not in VOLUME_TYPES, f"{self.volume_type} is no service type of volumes"),
            (self.kubernetes and self.no_clusters, "--kubernetes does not go with --no-clusters"),
            (
                not re.fullmatch(r"none|2\.[1-9][0-9]{0,2}", self.compute_microversion),
                f"{self.compute_microversion} is no microversion of compute: write one like 2.96, or none",
            ),
            (not re.fullmatch(r"[\x21-\x7e]+", self.reference_token), "a reference token is made of visible ASCII"),
        )

    def _strangers(self) -> Iterator[tuple[bool, str]]:
        """The choices that only another API has."""
        for field in fields(self):
            api = _ONLY.get(field.name, self.api)
            changed = getattr(self, field.name) != field.default
            yield changed and api is not self.api, f"--{field.name.replace('_', '-')} goes with --api {api} only"


@dataclass(frozen=True, slots=True)
class Flag:
    """One option as the command line offers it.

    `field` names the value in `options_from`; it is `kind`, one of `choices` where there are some, and a `bool` is a
    bare switch. `default` is as a user would type it.
    """

    name: str
    field: str
    kind: type[int] | type[str] | type[bool]
    default: int | str | bool | None
    help: str
    choices: tuple[str, ...] = ()
    metavar: str | None = None


def _choice(name: str, field: str, default: StrEnum, sentence: str) -> Flag:
    return Flag(name, field, str, default.value, sentence, tuple(choice.value for choice in type(default)))


_DEFAULTS = Options()

FLAGS: tuple[Flag, ...] = (
    _choice("--api", "api", _DEFAULTS.api, "Compute API v1.0, or OpenStack's APIs (Image API v2)."),
    Flag("--port", "port", int, _DEFAULTS.port, "Port on 127.0.0.1; 0 takes any free one."),
    Flag("--images", "images", int, _DEFAULTS.images, "How many images the account has."),
    Flag("--seed", "seed", int, _DEFAULTS.seed, "The same seed gives the same fleet."),
    Flag("--page-cap", "page_cap", int, _DEFAULTS.page_cap, "Most images in one page, whatever the limit asked for."),
    _choice("--marker", "marker", _DEFAULTS.marker, "Whether a page begins after its marker, or with it."),
    _choice("--sort", "sort", _DEFAULTS.sort, "Order of the list, by creation."),
    Flag("--latency", "latency", int, 0, "Milliseconds added to every request.", metavar="MS"),
    _choice("--booleans", "booleans", _DEFAULTS.booleans, "v1.0 only: how booleans and numbers are written."),
    _choice("--times", "times", _DEFAULTS.times, "v1.0 only: how times are written."),
    _choice("--absent", "absent", _DEFAULTS.absent, "v1.0 only: code of what is not there, -5, or 404 as in 30404."),
    Flag("--oddities", "oddities", bool, False, "Give some images values that cannot be read."),
    Flag("--token-lifetime", "token_lifetime", str, "1h", "How long a token lives.", metavar="DURATION"),
    Flag("--username", "username", str, _DEFAULTS.username, "Who may ask for a token."),
    Flag("--password", "password", str, _DEFAULTS.password, "With this password."),
    Flag("--appkey", "appkey", str, _DEFAULTS.appkey, "v1.0 only: the account's appkey."),
    Flag(
        "--regions",
        "regions",
        int,
        _DEFAULTS.regions,
        "OpenStack only: how many regions, each with a fleet of its own; 2 at most.",
    ),
    Flag(
        "--computes",
        "computes",
        int,
        _DEFAULTS.computes,
        "OpenStack only: how many compute services; the second one is in no region.",
    ),
    Flag(
        "--compute-microversion",
        "compute_microversion",
        str,
        _DEFAULTS.compute_microversion,
        "OpenStack only: newest microversion of compute, or none.",
        metavar="VERSION",
    ),
    Flag("--shared-images", "shared_images", bool, False, "OpenStack only: one image service for both regions."),
    Flag(
        "--image-in-first", "image_in_first", bool, False, "OpenStack only: likewise, named for the first region only."
    ),
    Flag(
        "--volume-type",
        "volume_type",
        str,
        _DEFAULTS.volume_type,
        "OpenStack only: what the catalogue calls the volume service.",
        VOLUME_TYPES,
    ),
    Flag(
        "--volume-region",
        "volume_region",
        str,
        None,
        "OpenStack only: the region that the catalogue names for the volume service.",
        metavar="NAME",
    ),
    Flag(
        "--volume-interface",
        "volume_interface",
        str,
        _DEFAULTS.volume_interface,
        "OpenStack only: the one interface of the volume service.",
        INTERFACES,
    ),
    Flag("--kubernetes", "kubernetes", bool, False, "OpenStack only: clusters as NHN Cloud has them, no templates."),
    Flag("--kernels", "kernels", bool, False, "OpenStack only: some images need a kernel and a ramdisk."),
    Flag("--no-volumes", "no_volumes", bool, False, "OpenStack only: leave the volume service out of the catalogue."),
    Flag("--no-clusters", "no_clusters", bool, False, "OpenStack only: leave the cluster service out likewise."),
    Flag("--no-stacks", "no_stacks", bool, False, "OpenStack only: leave the stack service out likewise."),
    Flag(
        "--reference-token",
        "reference_token",
        str,
        _DEFAULTS.reference_token,
        "What opens the document of launch templates.",
    ),
    Flag("--faults", "faults", str, None, "What goes wrong, and when: a YAML file.", metavar="FILE"),
)


def options_from(values: Mapping[str, object]) -> Options:
    """The options that the values of FLAGS amount to, by field; None and missing ones are defaults.

    Raises UsageError for a value that cannot be.
    """
    given = {field: value for field, value in values.items() if value is not None}
    if unknown := given.keys() - {field.name for field in fields(Options)}:
        raise UsageError(f"sandbox: no such option: {', '.join(sorted(unknown))}")
    try:
        api = Api(str(given.get("api", _DEFAULTS.api)))
        typed = {field: _typed(field, value, api) for field, value in given.items()}
    except (ValueError, OverflowError) as error:
        raise UsageError(f"sandbox: {error}") from error
    return replace(_DEFAULTS, **typed)  # type: ignore[arg-type]  # each is typed by its field's own converter


def _typed(field: str, value: object, api: Api) -> object:
    if field == "faults":
        return load_faults(Path(str(value)), api)
    convert = _CONVERTERS.get(field)
    return value if convert is None else convert(str(value))


_CONVERTERS: Mapping[str, Callable[[str], object]] = {
    "api": Api,
    "marker": MarkerReading,
    "sort": SortDirection,
    "booleans": Booleans,
    "times": Times,
    "absent": Absent,
    "latency": lambda text: timedelta(milliseconds=int(text)),
    "token_lifetime": parse_timeout,
}
