"""The YAML form of the configuration: which keys there are, and what each takes."""

import re
from collections.abc import Callable
from datetime import timedelta
from ipaddress import ip_address
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, InstanceOf, Tag, model_validator

from janitor.cloud.service import Need
from janitor.core.cron import Cron
from janitor.core.names.pattern import flaw_of_glob
from janitor.core.result import Mode
from janitor.core.units import parse_duration, parse_timeout
from janitor.documents.schema import Label, Schema, nearest, read_as, suggestion, word_of
from janitor.references import Names

APIS = ("toast", "openstack")
POSTS = ("always", "changes", "problems")
ACCEPTED = ("slack", "any-2xx")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_URL = "write a URL, like https://host/path"


def _seconds(text: str) -> timedelta:
    duration = parse_timeout(text)
    if not duration:
        raise ValueError(f'"{text}" must be longer than nothing')
    return duration


def _span(text: str) -> timedelta:
    return parse_duration(text, seconds=True)


def _validity(text: str) -> timedelta:
    duration = _span(text)
    if not duration:
        raise ValueError(f'"{text}" must be longer than nothing')
    return duration


def _percent(text: str) -> float:
    match = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]+)?) ?%", text)
    if match is None or float(match[1]) > 100:
        raise ValueError(f'"{text}" is not a percentage from 0% to 100%')
    return float(match[1])


def _zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        zones = sorted(available_timezones())
        city = next((zone for zone in zones if zone.casefold().endswith(f"/{text.casefold()}")), None)
        near = f', did you mean "{city}"?' if city else suggestion(text, zones, cutoff=0.8)
        raise ValueError(f'"{text}" is not an IANA time zone{near or " like Asia/Seoul"}') from None


def _secret(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("holds a line break or another control character")
    return text


def _web_address(text: str) -> str:
    """The text, if it is a URL of a web server. The message never shows it: it could hold a secret."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or re.search(r"\s", text) or _CONTROL.search(text):
        raise ValueError("is not a URL like https://host/path or http://host/path")
    return text


def _base_address(text: str) -> str:
    """A URL to which paths are added, without the slash at its end."""
    parts = urlsplit(_web_address(text))
    if "@" in parts.netloc:
        raise ValueError("must not hold a user name or password")
    if "?" in text or "#" in text:
        raise ValueError("must not hold a ? or #: paths are added to it")
    return text.rstrip("/")


def _private_address(text: str) -> str:
    """A URL that nobody on the way can read or change: of https, or on this machine."""
    parts = urlsplit(_web_address(text))
    if parts.scheme != "https" and not _is_loopback(parts.hostname or ""):
        raise ValueError("must be https: http is for loopback only")
    return text


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _number(convert: Callable[[str], float]) -> BeforeValidator:
    """A validator that lets a number be written as text, as all that comes from the environment is."""

    def read(value: object) -> object:
        plain = isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,12}(\.[0-9]{1,12})?", value)
        try:
            return convert(str(value)) if plain else value
        except ValueError:
            return value

    return BeforeValidator(read)


Whole = Annotated[int, _number(int)]
Price = Annotated[float, Field(ge=0, allow_inf_nan=False), _number(float)]
Seconds = Annotated[timedelta, read_as(_seconds, "write a duration with its unit, like 30s or 2m")]
Span = Annotated[timedelta, read_as(_span, "write a duration with its unit, like 24h")]
Validity = Annotated[timedelta, read_as(_validity, "write a duration with its unit, like 24h")]
Percent = Annotated[float, read_as(_percent, "write a percentage, like 50%")]
Zone = Annotated[InstanceOf[ZoneInfo], read_as(_zone, "write an IANA time zone, like Asia/Seoul")]
Schedule = Annotated[InstanceOf[Cron], read_as(Cron.parse, 'write five fields, in quotes, like "0 3 * * *"')]
Secret = Annotated[str, read_as(_secret, "write text, in quotes")]
WebAddress = Annotated[str, read_as(_web_address, _URL)]
BaseAddress = Annotated[str, read_as(_base_address, _URL)]
Text = Annotated[str, read_as(str, "write text, in quotes")]


def _page_size(value: int) -> int:
    if not 2 <= value <= 10_000:
        raise ValueError(
            "must be from 2 to 10000: where a page begins with the last image of the one before, "
            "pages of one would never get any further"
        )
    return value


AtLeastOne = Annotated[Whole, Field(ge=1)]
AtOnce = Annotated[Whole, Field(ge=1, le=32)]


def _listed(value: object) -> object:
    return ",".join(value) if isinstance(value, list) and all(isinstance(one, str) for one in value) else value


class HttpSchema(Schema):
    """How patient the requests are, and the way that they take; what is not given is inherited."""

    timeout: Seconds | None = None
    attempts: AtLeastOne | None = None
    give_up_after: Seconds | None = None
    page_size: Annotated[Whole, AfterValidator(_page_size)] | None = None
    proxy: Secret | None = None
    no_proxy: Annotated[Text, BeforeValidator(_listed)] | None = None
    ca_file: Text | None = None


Imageless = Annotated[Literal["none"], word_of(("none",), "known here")]


class ToastUsageSchema(Schema):
    """What the v1.0 API leaves open about usage."""

    imageless: Imageless | None = None


class ToastSchema(Schema):
    """One account of the v1.0 API as written. The `_file` keys are read before the check, and name secret files."""

    name: Label = Field(description="every target has a name of its own")
    api: Annotated[Literal["toast"], word_of(APIS, "an API known here")] = "toast"
    endpoint: BaseAddress = "https://api-compute.cloud.toast.com/compute"
    appkey: Secret
    appkey_file: Text | None = None
    username: Secret
    username_file: Text | None = None
    password: Secret
    password_file: Text | None = None
    usage: ToastUsageSchema = ToastUsageSchema()
    http: HttpSchema = HttpSchema()


def _identity(text: str) -> str:
    """The URL of an Identity v2.0, with its version."""
    url = _base_address(text)
    if re.search(r"/v3\Z", url):
        raise ValueError(
            "is Identity v3: what is spelled out here is v2.0. For v3, name a cloud of clouds.yaml by cloud, "
            "or leave the credentials to the OS_* variables"
        )
    return url if url.endswith("/v2.0") else f"{url}/v2.0"


def _need(value: object) -> object:
    # YAML of old reads a bare `off` as false, and so may whatever writes this file.
    if value is False:
        return Need.OFF.value
    if value is True:
        raise ValueError("true does not say how much it matters: write auto, required, optional or off")
    return value


Needed = Annotated[Need, word_of(Need, "known here"), BeforeValidator(_need)]


class UsageSchema(Schema):
    """What is asked for which images are in use, and how much each of it matters.

    `imageless: none` says that servers which leave out the key `image` are of no image.
    """

    servers: Needed = Need.AUTO
    volumes: Needed = Need.AUTO
    clusters: Needed = Need.AUTO
    stacks: Needed = Need.AUTO
    snapshots: Needed = Need.OFF
    imageless: Imageless | None = None


class OpenStackSchema(Schema):
    """One project of an OpenStack cloud as written. That its credentials belong together is checked beside this."""

    name: Label = Field(description="every target has a name of its own")
    api: Annotated[Literal["openstack"], word_of(APIS, "an API known here")] = Field(description="write openstack")
    cloud: Label | None = None
    identity: Annotated[str, read_as(_identity, _URL)] | None = None
    tenant_id: Label | None = None
    username: Secret | None = None
    username_file: Text | None = None
    password: Secret | None = None
    password_file: Text | None = None
    region: Label | None = None
    image_endpoint: BaseAddress | None = None
    shared: Annotated[Literal["guard", "ignore"], word_of(("guard", "ignore"), "known here")] = "guard"
    usage: UsageSchema = UsageSchema()
    http: HttpSchema = HttpSchema()


def keys_of_api(api: str) -> set[str]:
    """The keys that only the targets of one API have."""
    toast, openstack = ToastSchema.model_fields.keys(), OpenStackSchema.model_fields.keys()
    return toast - openstack if api == "toast" else openstack - toast


def _schema_of(target: object) -> str:
    """The name of the schema to read a target by: what its `api` says or nearly says, else what its keys tell."""
    if not isinstance(target, dict):
        return ToastSchema.__name__
    api = target.get("api")
    if api is None:
        openstack = not keys_of_api("openstack").isdisjoint(target)
    else:
        openstack = isinstance(api, str) and nearest(api, APIS) == "openstack"
    return (OpenStackSchema if openstack else ToastSchema).__name__


TargetSchema = Annotated[
    Annotated[ToastSchema, Tag(ToastSchema.__name__)] | Annotated[OpenStackSchema, Tag(OpenStackSchema.__name__)],
    Discriminator(_schema_of),
]


def _names(value: object) -> object:
    # What comes from the environment is text.
    known = {True: Names.ALL, "true": Names.ALL, False: Names.NONE, "false": Names.NONE, "newest": Names.NEWEST}
    if isinstance(value, bool | str) and value in known:
        return known[value]
    said = f'"{value}" is not known here: ' if isinstance(value, str) else ""
    raise ValueError(f"{said}write true, false or newest")


def _path_glob(text: str) -> str:
    if flaw := flaw_of_glob(text, of_paths=True):
        raise ValueError(f'"{text}" {flaw}')
    return text


class ReferenceSchema(Schema):
    """One text that names images, as written. That it is either files or a url is checked beside this."""

    files: Annotated[Text, AfterValidator(_secret), AfterValidator(_path_glob)] | None = None
    url: Annotated[str, read_as(_private_address, _URL)] | None = None
    token: Secret | None = None
    token_file: Text | None = None
    names: Annotated[Names, BeforeValidator(_names)] = Names.ALL
    needed: Annotated[Literal["required", "optional"], word_of(("required", "optional"), "known here")] = "required"


class LimitsSchema(Schema):
    """What one run may delete in one target."""

    max_deletions: Annotated[Whole, Field(ge=0)] = 100
    max_share: Percent = 50.0
    max_shrink: Percent = 30.0


class SlackSchema(Schema):
    """Where reports go."""

    webhook_url: Annotated[Secret, AfterValidator(_web_address)] | None = None
    webhook_url_file: Text | None = None
    token: Secret | None = None
    token_file: Text | None = None
    channel: Label | None = None
    base_url: BaseAddress = "https://slack.com/api"
    post: Annotated[Literal["always", "changes", "problems"], word_of(POSTS, "known here")] = "changes"
    accepts: Annotated[Literal["slack", "any-2xx"], word_of(ACCEPTED, "known here")] = "slack"


class ConcurrencySchema(Schema):
    """How much is done at once."""

    targets: AtOnce = 4
    deletions: AtOnce = 4


class CostSchema(Schema):
    """What storage costs."""

    per_gib_month: Price | None = None
    currency: Label | None = None

    @model_validator(mode="after")
    def _has_a_currency(self) -> "CostSchema":
        if self.per_gib_month is not None and self.currency is None:
            raise ValueError("has a price without a currency, like USD or KRW")
        return self


class SettingsSchema(Schema):
    """The configuration file as written."""

    mode: Annotated[Mode, word_of(Mode, "a mode")] = Mode.DRY_RUN
    database: Text = "janitor.db"
    policies: Text = "policies"
    schedule: Schedule | None = None
    timezone: Zone = ZoneInfo("UTC")
    targets: Annotated[list[TargetSchema], Field(min_length=1)] = Field(description="list the accounts to clean")
    limits: LimitsSchema = LimitsSchema()
    slack: SlackSchema = SlackSchema()
    concurrency: ConcurrencySchema = ConcurrencySchema()
    http: HttpSchema = HttpSchema()
    heartbeat_url: Annotated[Secret, AfterValidator(_web_address)] | None = None
    heartbeat_url_file: Text | None = None
    metrics_file: Text | None = None
    references: list[ReferenceSchema] = Field(default=[])
    usage_memory: Span = timedelta(hours=72)
    plan_validity: Validity = timedelta(hours=24)
    cost: CostSchema = CostSchema()
