"""The options of a sandbox as the command line offers them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from janitor.core.units import format_duration, parse_timeout
from janitor.errors import UsageError
from janitor.sandbox.calls import Api
from janitor.sandbox.faults.file import load_faults
from janitor.sandbox.options import (
    INTERFACES,
    VOLUME_TYPES,
    Absent,
    Booleans,
    MarkerReading,
    Options,
    SortDirection,
    Times,
)


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
_LATENCY = _DEFAULTS.latency // timedelta(milliseconds=1)
_TOKEN_LIFETIME = format_duration(_DEFAULTS.token_lifetime)

FLAGS: tuple[Flag, ...] = (
    _choice("--api", "api", _DEFAULTS.api, "Compute API v1.0, or OpenStack's APIs (Image API v2)."),
    Flag("--port", "port", int, _DEFAULTS.port, "Port on 127.0.0.1; 0 takes any free one."),
    Flag(
        "--accounts",
        "accounts",
        int,
        None,
        "So many accounts on the one port, with the configuration of a fleet (needs --write).",
        metavar="N",
    ),
    Flag("--images", "images", int, _DEFAULTS.images, "How many images the account has, or each account."),
    Flag("--seed", "seed", int, _DEFAULTS.seed, "The same seed gives the same images."),
    Flag("--page-cap", "page_cap", int, _DEFAULTS.page_cap, "Largest page of images, even if a request asks for more."),
    _choice("--marker", "marker", _DEFAULTS.marker, "Whether a page begins after its marker, or with it."),
    _choice("--sort", "sort", _DEFAULTS.sort, "Order of the list, by creation."),
    Flag("--latency", "latency", int, _LATENCY, "Milliseconds added to every request.", metavar="MS"),
    _choice("--booleans", "booleans", _DEFAULTS.booleans, "v1.0 only: how booleans and numbers are written."),
    _choice("--times", "times", _DEFAULTS.times, "v1.0 only: how times are written."),
    _choice(
        "--absent", "absent", _DEFAULTS.absent, "v1.0 only: result code for missing things, -5, or 404 as in 30404."
    ),
    Flag("--oddities", "oddities", bool, False, "Give some images values that cannot be read."),
    Flag("--token-lifetime", "token_lifetime", str, _TOKEN_LIFETIME, "Lifetime of a token.", metavar="DURATION"),
    Flag("--username", "username", str, _DEFAULTS.username, "The username to sign in with."),
    Flag("--password", "password", str, _DEFAULTS.password, "The password to sign in with."),
    Flag("--appkey", "appkey", str, _DEFAULTS.appkey, "v1.0 only: the account's appkey."),
    Flag(
        "--regions",
        "regions",
        int,
        _DEFAULTS.regions,
        "OpenStack only: how many regions, each with its own images; 2 at most.",
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
    Flag("--shared-images", "shared_images", bool, False, "OpenStack only: both regions share one image service."),
    Flag(
        "--image-in-first",
        "image_in_first",
        bool,
        False,
        "OpenStack only: the same, but only the first region lists it.",
    ),
    Flag(
        "--volume-type",
        "volume_type",
        str,
        _DEFAULTS.volume_type,
        "OpenStack only: service type of the volume service.",
        VOLUME_TYPES,
    ),
    Flag(
        "--volume-region",
        "volume_region",
        str,
        None,
        "OpenStack only: region of the volume service.",
        metavar="NAME",
    ),
    Flag(
        "--volume-interface",
        "volume_interface",
        str,
        _DEFAULTS.volume_interface,
        "OpenStack only: the only interface of the volume service.",
        INTERFACES,
    ),
    Flag("--kubernetes", "kubernetes", bool, False, "OpenStack only: clusters without templates, as on NHN Cloud."),
    Flag("--kernels", "kernels", bool, False, "OpenStack only: some images need a kernel and a ramdisk."),
    Flag("--no-volumes", "no_volumes", bool, False, "OpenStack only: leave the volume service out of the catalogue."),
    Flag(
        "--no-clusters", "no_clusters", bool, False, "OpenStack only: leave the cluster service out of the catalogue."
    ),
    Flag("--no-stacks", "no_stacks", bool, False, "OpenStack only: leave the stack service out of the catalogue."),
    Flag(
        "--reference-token",
        "reference_token",
        str,
        _DEFAULTS.reference_token,
        "The bearer token for the document of launch templates.",
    ),
    Flag("--faults", "faults", str, None, "A YAML file of faults to inject.", metavar="FILE"),
    Flag("--slack", "slack", bool, False, "Embed a Slack too, with a page that shows its messages and takes clicks."),
    Flag(
        "--slack-port", "slack_port", int, _DEFAULTS.slack_port, "Port of --slack on 127.0.0.1; 0 takes any free one."
    ),
)


def options_from(values: Mapping[str, object]) -> Options:
    """The options for the values of FLAGS, by field; None and missing ones are defaults.

    Raises UsageError for an impossible value.
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
