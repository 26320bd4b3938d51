"""The configuration: one YAML file and the environment become one value. The only reader of the environment."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from janitor.cloud.schema import HttpSchema, TargetSchema
from janitor.cloud.target import Target, may_have
from janitor.config.channels import ChannelSchemas, ChannelSetting
from janitor.config.checked import Reading, checked
from janitor.config.declared import references
from janitor.config.expansion import Expanded, expand
from janitor.config.network import Ways
from janitor.config.places import misplaced
from janitor.config.schema import CostSchema, SettingsSchema, SlackSchema
from janitor.config.targets import twins
from janitor.core.cron import Cron
from janitor.core.planning.plan import Limits
from janitor.core.policy import Policy
from janitor.core.recipients.destinations import Destinations
from janitor.core.recipients.recipients import Recipients
from janitor.core.result import Cost, Mode
from janitor.documents import Document, Fault, read_document
from janitor.documents.schema import nearest
from janitor.errors import ConfigurationError, Problem, UsageError
from janitor.redaction import Redaction
from janitor.references import Reference
from janitor.transport import HttpOptions
from janitor.transport.route import Route

if TYPE_CHECKING:
    from janitor.config.fleet import Fleet

_HERE = Path("janitor.yaml")
_HOW_TO = """\
`janitor init` asks a few questions, and writes one with policies.
`janitor sandbox --write janitor.yaml` starts a sandbox for trials, and writes
its configuration. Or write this for a project on NHN Cloud, with policies in
the directory policies beside it. On another OpenStack cloud, `cloud: NAME` for
one of clouds.yaml replaces the keys identity to password; without either, the
OS_* variables are used. The old v1.0 API is `api: toast` with appkey, username
and password.

targets:
  - name: prod
    api: openstack
    identity: https://api-identity-infrastructure.nhncloudservice.com/v2.0
    tenant_id: ${NHN_TENANT_ID}
    username: ${NHN_USERNAME}
    password: ${NHN_PASSWORD}
    region: KR1"""


@dataclass(frozen=True, slots=True)
class Slack:
    """Where reports go: either a webhook, or a token with a channel. `base_url` has a slash at its end.

    `accepts`: which answers count as accepting a message, Slack's own or any of 2xx. `app_token`: with it clicks are
    listened to. `approvers` are the ids of people and user groups that may do more than members of the channel.
    """

    webhook_url: str | None = field(repr=False)
    token: str | None = field(repr=False)
    channel: str | None
    base_url: str
    post: Literal["always", "changes", "problems"]
    accepts: Literal["slack", "any-2xx"] = "slack"
    app_token: str | None = field(default=None, repr=False)
    approvers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Concurrency:
    """How many targets are worked on at once, and how many deletions run at once in each."""

    targets: int
    deletions: int


@dataclass(frozen=True, slots=True)
class Settings:
    """The configuration, checked. Paths are absolute; `secrets` are all values that no output may show.

    Wide because it has a field for every key at the top of `janitor.yaml`, by the name of that key where it can.
    """

    source: Path
    mode: Mode
    database: Path
    policies: Path
    schedule: Cron | None
    timezone: ZoneInfo
    targets: tuple[Target, ...]
    limits: Limits
    slack: Slack | None
    channels: tuple[ChannelSetting, ...]
    owners: Recipients | None
    concurrency: Concurrency
    usage_memory: timedelta
    max_shrink: float
    max_images: int
    plan_validity: timedelta
    keep_history: timedelta | None
    cost: Cost | None
    heartbeat_url: str | None = field(repr=False)
    metrics_file: Path | None
    http: HttpOptions
    references: tuple[Reference, ...]
    secrets: frozenset[str] = field(repr=False)
    fleet: "Fleet | None" = None

    def destinations(self, policies: Iterable[Policy]) -> Destinations | None:
        """Where images are reported under these policies; None without Slack."""
        return None if self.slack is None else Destinations.under(policies, self.slack.channel, self.owners)

    @property
    def has_channels(self) -> bool:
        """Whether any channel for reports is configured; asked before the code of channels is loaded."""
        return self.slack is not None or bool(self.channels)

    def may_have_target(self, name: str) -> bool:
        """Whether this may be the name of a target; for one in every region only a catalogue is certain."""
        return self.target_of(name) is not None

    def target_of(self, name: str) -> Target | None:
        """The first target that may have this name; None where none may."""
        return next((target for target in self.targets if may_have(target, name)), None)


def load_settings(
    config: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    kinds: Callable[[], ChannelSchemas] = dict,
    *,
    offline: bool = False,
    account: str | None = None,
    whole: bool = False,
) -> Settings:
    """The settings from `config`, or the file that JANITOR_CONFIG names, or `janitor.yaml` here.

    `kinds` gives the kinds of channels, beside Slack, that there are; it is asked only where `channels` is written.
    `offline`: for a command that only reads what is recorded, for which secrets and addresses may be missing.
    With a fleet, `account` is the one to read the configuration of; or else it is that of the `whole`, without targets.

    Raises ConfigurationError with every problem of the file, none of which shows a secret, and UsageError where there
    is a fleet, and neither is asked for, or none, and one is. Policies are not read.
    """
    reading = Reading(source_of(config, environ), environ, kinds, offline)
    document = read_document(reading.source)
    if not has_fleet(document) and account is None and not whole:
        return settings_of(document, reading)
    from janitor.config.fleet.accounts import settings_in_fleet  # of which a configuration without one loads nothing

    return settings_in_fleet(document, reading, account, whole=whole)


def has_fleet(document: Document) -> bool:
    """Whether a configuration has the key `fleet`."""
    return isinstance(document.data, dict) and isinstance(document.data.get("fleet"), dict)


def settings_of(document: Document, reading: Reading, form: type[SettingsSchema] = SettingsSchema) -> Settings:
    """The settings that a document of that form holds. Raises ConfigurationError with every problem of it."""
    source, environ, offline = reading.source, reading.environ, reading.offline
    read = checked(document, reading, form)
    faults, schema, expanded = list(read.faults), read.schema, read.expanded
    if schema is not None:
        faults += [*twins(schema.targets), *misplaced(schema, read.channels, source)]
    if schema is None or faults:
        raise ConfigurationError(_problems(faults, expanded))
    ways = Ways({} if offline else environ, source.parent, reads=not offline)
    http = replace(_patience(HttpOptions(), schema.http), route=ways.top(schema.http))
    targets = tuple(_target(target, index, http, environ, ways) for index, target in enumerate(schema.targets))
    if ways.faults or ways.problems:
        raise ConfigurationError([*_problems(ways.faults, expanded), *ways.problems.values()])
    declared = references(schema.references, source.parent)
    return Settings(
        source=source,
        mode=schema.mode,
        database=source.parent / schema.database,
        policies=source.parent / schema.policies,
        schedule=schema.schedule,
        timezone=schema.timezone,
        targets=targets,
        limits=Limits(schema.limits.max_deletions, schema.limits.max_share),
        slack=_slack(schema.slack),
        channels=tuple(read.channels),
        owners=read.owners,
        concurrency=Concurrency(schema.concurrency.targets, schema.concurrency.deletions),
        usage_memory=schema.usage_memory,
        max_shrink=schema.limits.max_shrink,
        max_images=schema.limits.max_images,
        plan_validity=schema.plan_validity,
        keep_history=schema.keep_history,
        cost=_cost(schema.cost),
        heartbeat_url=schema.heartbeat_url,
        metrics_file=None if schema.metrics_file is None else source.parent / schema.metrics_file,
        http=http,
        references=declared,
        secrets=expanded.secrets.union(
            *(reference.secrets for reference in declared), *(route.secrets for route in _routes(http, targets))
        )
        - expanded.stand_ins,
        fleet=schema.fleet_value(source.parent),
    )


def find_policies(config: Path | None = None, environ: Mapping[str, str] = os.environ) -> Path | None:
    """Where the policies are, if a wrong configuration still says so, so that the problems of both can be listed."""
    try:
        source = source_of(config, environ)
        document = expand(read_document(source), environ, source.parent).document
    except ConfigurationError:
        return None
    if not isinstance(document.data, dict) or any(fault.keys == ("policies",) for fault in document.faults):
        return None
    if "policies" not in document.data and any(map(_meant_for_policies, document.data)):
        return None
    policies = document.data.get("policies", "policies")
    return source.parent / policies if isinstance(policies, str) else None


def _meant_for_policies(key: object) -> bool:
    """Whether an unknown key is a misspelling of `policies`, and so says where they are."""
    known = key in SettingsSchema.model_fields
    return isinstance(key, str) and not known and nearest(key, ("policies",)) is not None


def place_of(config: Path | None, environ: Mapping[str, str] = os.environ) -> Path:
    """Where the configuration is looked for, whether it is there or not: `config`, or what JANITOR_CONFIG says."""
    return config or Path(environ.get("JANITOR_CONFIG") or _HERE)


def source_of(config: Path | None, environ: Mapping[str, str]) -> Path:
    """The configuration, which exists if none is named. Raises ConfigurationError and UsageError."""
    named = place_of(config, environ)
    try:
        source = named.absolute()
    except FileNotFoundError:
        raise UsageError("the current folder no longer exists: start the program in another") from None
    if named == _HERE and not source.exists():
        missing = "does not exist, and neither -c FILE nor JANITOR_CONFIG names another file."
        raise ConfigurationError([Problem(str(_HERE), None, missing, help=_HOW_TO)])
    return source


def _problems(faults: list[Fault], expanded: Expanded) -> list[Problem]:
    redact = Redaction(*expanded.secrets)
    problems = (expanded.document.problem(replace(fault, message=redact(fault.message))) for fault in faults)
    return sorted(problems, key=lambda problem: problem.line or 0)


def _target(schema: TargetSchema, index: int, inherited: HttpOptions, environ: Mapping[str, str], ways: Ways) -> Target:
    http = _patience(inherited, schema.http)
    route = ways.below(inherited.route, schema.http, ("targets", index, "http"))
    return schema.target(replace(http, route=route), environ)


def _patience(inherited: HttpOptions, given: HttpSchema) -> HttpOptions:
    return replace(inherited, **given.model_dump(exclude_none=True, exclude={"proxy", "no_proxy", "ca_file"}))


def _routes(http: HttpOptions, targets: Iterable[Target]) -> Iterator[Route]:
    return (options.route for options in (http, *(target.http for target in targets)))


def _slack(schema: SlackSchema) -> Slack | None:
    if schema.webhook_url is None and schema.token is None:
        return None
    return Slack(
        schema.webhook_url,
        schema.token,
        schema.channel,
        f"{schema.base_url}/",
        schema.post,
        schema.accepts,
        schema.app_token,
        tuple(schema.approvers),
    )


def _cost(schema: CostSchema) -> Cost | None:
    if schema.per_gib_month is None or schema.currency is None:
        return None
    return Cost(schema.per_gib_month, schema.currency)
