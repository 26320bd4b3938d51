"""The YAML form of the configuration: which keys there are, and what each takes."""

import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, InstanceOf, model_validator

from janitor.cloud.schema import HttpSchema
from janitor.cloud.target import MOST_IMAGES
from janitor.config.targets import AnyTarget
from janitor.core.cron import FIELDS, Cron
from janitor.core.names.pattern import flaw_of_glob
from janitor.core.result import Mode
from janitor.core.units import parse_span
from janitor.documents import forms
from janitor.documents.forms import whole, with_schema, written
from janitor.documents.kinds import (
    AtOnce,
    BaseAddress,
    Price,
    PrivateAddress,
    Secret,
    SecretAddress,
    SlackChannel,
    Text,
    Whole,
    secret,
)
from janitor.documents.schema import Label, Schema, read_as, suggestion, word_of
from janitor.references import Names

if TYPE_CHECKING:
    from janitor.config.fleet import Fleet

POSTS = ("always", "changes", "problems")
ACCEPTED = ("slack", "any-2xx")
_MOST_DELETIONS = 10**9
_MOST_IMAGES = 10**7
_ABBREVIATED = {"KST": "Asia/Seoul", "JST": "Asia/Tokyo"}


def _validity(text: str) -> timedelta:
    duration = parse_span(text)
    if not duration:
        raise ValueError(f'"{text}" must be greater than zero')
    return duration


def _percent(text: str) -> float:
    match = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]+)?) ?%", text)
    if match is None or float(match[1]) > 100:
        raise ValueError(f'"{text}" is not a percentage from 0% to 100%')
    return float(match[1])


def zone_of(text: str) -> ZoneInfo:
    """The time zone of that name. Raises ValueError, which suggests one, for a name that is none of IANA's."""
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        zones = sorted(available_timezones())
        named = (zone for zone in zones if zone.casefold().endswith(f"/{text.casefold()}"))
        city = _ABBREVIATED.get(text.upper()) or next(named, None)
        near = f', did you mean "{city}"?' if city else suggestion(text, zones, cutoff=0.8)
        raise ValueError(f'"{text}" is not an IANA time zone{near or " like Asia/Seoul"}') from None


_A_DURATION = "write a duration with its unit, like 24h"
Span = Annotated[timedelta, read_as(parse_span, _A_DURATION, forms.SPAN_OR_NONE)]
Validity = Annotated[timedelta, read_as(_validity, _A_DURATION, forms.SPAN)]
Percent = Annotated[float, read_as(_percent, "write a percentage, like 50%", forms.PERCENT)]
Zone = Annotated[
    InstanceOf[ZoneInfo], read_as(zone_of, "write an IANA time zone, like Asia/Seoul", forms.ZONE, ["Asia/Seoul"])
]
Schedule = Annotated[
    InstanceOf[Cron],
    read_as(
        Cron.parse,
        'write five fields, in quotes, like "0 3 * * *"',
        forms.schedule((one.low, one.high, one.names) for one in FIELDS),
        ["0 3 * * *"],
    ),
]


def _names(value: object) -> object:
    # A value from the environment is text.
    known = {True: Names.ALL, "true": Names.ALL, False: Names.NONE, "false": Names.NONE, "newest": Names.NEWEST}
    if isinstance(value, bool | str) and value in known:
        return known[value]
    said = f'"{value}" is not known here: ' if isinstance(value, str) else ""
    raise ValueError(f"{said}write true, false or newest")


_NAMES_SCHEMA = with_schema({"enum": [True, False, "newest", "true", "false"]})


def _path_glob(text: str) -> str:
    if flaw := flaw_of_glob(text, of_paths=True):
        raise ValueError(f'"{text}" {flaw}')
    return text


class ReferenceSchema(Schema):
    """One text that names images, as written. That it has either files or a url is checked separately."""

    files: Annotated[Text, AfterValidator(secret), AfterValidator(_path_glob), written(forms.PATHS)] | None = None
    url: PrivateAddress | None = None
    token: Secret | None = None
    token_file: Text | None = None
    names: Annotated[Names, BeforeValidator(_names), _NAMES_SCHEMA] = Names.ALL
    needed: Annotated[Literal["required", "optional"], word_of(("required", "optional"), "known here")] = "required"


class LimitsSchema(Schema):
    """What one run may delete in one target, and how many images that may list."""

    max_deletions: Annotated[Whole, Field(ge=0, le=_MOST_DELETIONS), whole(0, _MOST_DELETIONS)] = 100
    max_share: Percent = 50.0
    max_shrink: Percent = 30.0
    max_images: Annotated[Whole, Field(ge=1, le=_MOST_IMAGES), whole(1, _MOST_IMAGES)] = MOST_IMAGES


def _app_token(text: str) -> str:
    if not text.startswith("xapp-"):
        raise ValueError("is not an app-level token: those begin with xapp-, and need the scope connections:write")
    return text


_APPROVER = "[UWS][A-Z0-9]{2,30}"


def _approver(text: str) -> str:
    if not re.fullmatch(_APPROVER, text):
        raise ValueError(f'"{text}" is not an id of Slack: write that of a person (U…) or of a user group (S…)')
    return text


class SlackSchema(Schema):
    """Where reports go, and who may answer them. Wide because each key is a field."""

    webhook_url: SecretAddress | None = None
    webhook_url_file: Text | None = None
    token: Secret | None = None
    token_file: Text | None = None
    app_token: Annotated[Secret, AfterValidator(_app_token), written(forms.APP_TOKEN)] | None = None
    app_token_file: Text | None = None
    approvers: list[Annotated[Text, AfterValidator(_approver), written(_APPROVER)]] = Field(default=[])
    channel: SlackChannel | None = None
    base_url: BaseAddress = "https://slack.com/api"
    post: Annotated[Literal["always", "changes", "problems"], word_of(POSTS, "known here")] = "changes"
    accepts: Annotated[Literal["slack", "any-2xx"], word_of(ACCEPTED, "known here")] = "slack"


class ConcurrencySchema(Schema):
    """How much is done in parallel."""

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
    """The configuration file as written. Wide because each key at its top is a field."""

    mode: Annotated[Mode, word_of(Mode, "a mode")] = Mode.DRY_RUN
    database: Text = "janitor.db"
    policies: Text = "policies"
    schedule: Schedule | None = None
    timezone: Zone = ZoneInfo("UTC")
    targets: Annotated[list[AnyTarget], Field(min_length=1)] = Field(description="list the accounts to clean")
    limits: LimitsSchema = LimitsSchema()
    slack: SlackSchema = SlackSchema()
    channels: list[dict[Any, Any]] = Field(default=[])
    owners: dict[Any, Any] = Field(default={})
    concurrency: ConcurrencySchema = ConcurrencySchema()
    http: HttpSchema = HttpSchema()
    heartbeat_url: SecretAddress | None = None
    heartbeat_url_file: Text | None = None
    metrics_file: Text | None = None
    references: list[ReferenceSchema] = Field(default=[])
    usage_memory: Span = timedelta(hours=72)
    plan_validity: Validity = timedelta(hours=24)
    keep_history: Validity | None = None
    cost: CostSchema = CostSchema()
    fleet: dict[Any, Any] = Field(default={})

    def fleet_value(self, folder: Path) -> "Fleet | None":  # noqa: ARG002  of a configuration that has one
        """The fleet, with paths relative to the folder: None, as one with a fleet has a schema of its own."""
        return None
