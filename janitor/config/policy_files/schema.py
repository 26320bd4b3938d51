"""The YAML form of policies: which keys there are, what each takes, and how they become policies."""

from datetime import timedelta, tzinfo
from typing import Annotated, ClassVar

from pydantic import (
    AliasChoices,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from janitor.config.policy_files.kinds import (
    FAMILIES,
    After,
    ClockWord,
    Count,
    DiskFormat,
    FamilyText,
    Notice,
    OwnerPattern,
    PatternText,
    Sentence,
    Size,
    StatusWord,
    Until,
    VisibilityWord,
    WholeName,
)
from janitor.core.image import Status
from janitor.core.memory import Exemption
from janitor.core.names.owners import OwnerRule
from janitor.core.policy import Clock, Expire, Match, Policy
from janitor.core.retention import Keep, Period
from janitor.core.units import parse_until
from janitor.documents.kinds import SlackChannel
from janitor.documents.schema import Given, Label, OneOrMore, Schema

_DEFAULT_STATUSES = frozenset({Status.ACTIVE, Status.DEACTIVATED})


class _Match(Schema):
    """The conditions of a policy as written. Wide because each is a key of its own."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    name: Given[OneOrMore[PatternText]] = None
    status: Given[OneOrMore[StatusWord]] = None
    disk_format: Given[OneOrMore[DiskFormat]] = None
    properties: Given[Annotated[dict[Label, OneOrMore[PatternText]], Field(min_length=1)]] = None
    larger_than: Given[Size] = None
    smaller_than: Given[Size] = None
    targets: Given[OneOrMore[PatternText]] = None
    tags: Given[OneOrMore[PatternText]] = None
    visibility: Given[OneOrMore[VisibilityWord]] = None
    owner: Given[OneOrMore[PatternText]] = None
    os_hidden: Given[bool] = None
    exclude: Given["_Excluded"] = Field(None, alias="not")

    nothing: ClassVar[str] = 'to match everything, write name: "*"'

    @model_validator(mode="after")
    def _says_something(self) -> "_Match":
        if not self.model_fields_set:
            raise ValueError(f"must not be empty: {self.nothing}")
        if self.larger_than is not None and self.smaller_than is not None and self.larger_than >= self.smaller_than:
            raise ValueError("larger_than must be less than smaller_than")
        return self

    def value(self, default_status: frozenset[Status] = frozenset()) -> Match:
        """The conditions as a value; the default applies only where no status is given, and not within `not`."""
        properties = {key: tuple(patterns) for key, patterns in (self.properties or {}).items()}
        return Match(
            name=tuple(self.name or ()),
            status=frozenset(self.status) if self.status else default_status,
            disk_format=frozenset(self.disk_format or ()),
            properties=tuple(properties.items()),
            larger_than=self.larger_than,
            smaller_than=self.smaller_than,
            targets=tuple(self.targets or ()),
            tags=tuple(self.tags or ()),
            visibility=frozenset(self.visibility or ()),
            owner=tuple(self.owner or ()),
            os_hidden=self.os_hidden,
            exclude=self.exclude.value() if self.exclude else None,
        )


class _Excluded(_Match):
    """The conditions under `not`."""

    nothing = 'write what is not matched, like name: "base-*", or leave the key out'


class _Expire(Schema):
    after: After = Field(description="say after how long, like 14d")
    since: ClockWord = Clock.CREATED

    def value(self) -> Expire:
        return Expire(self.after, self.since)


class _Keep(Schema):
    model_config = ConfigDict(json_schema_extra={"minProperties": 2})

    newest: Given[Count] = None
    daily: Given[Count] = None
    weekly: Given[Count] = None
    monthly: Given[Count] = None
    yearly: Given[Count] = None
    per: FamilyText = Field(description=f"say what is counted, {FAMILIES}")

    @model_validator(mode="after")
    def _counts_something(self) -> "_Keep":
        if self.model_fields_set == {"per"}:
            raise ValueError("keeps nothing: give a count, one of newest, daily, weekly, monthly and yearly")
        return self

    def value(self) -> Keep:
        counts = ((period, getattr(self, period)) for period in Period)
        return Keep(self.per, self.newest or 0, tuple((period, count) for period, count in counts if count))


class _Owner(Schema):
    """Where the owner of an image is found, as written."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    property: Given[Label] = None
    tag: Given[OwnerPattern] = None
    name: Given[OwnerPattern] = None

    @model_validator(mode="after")
    def _is_one(self) -> "_Owner":
        if len(self.model_fields_set) != 1:
            raise ValueError(f"give exactly one of {', '.join(type(self).model_fields)}")
        self.value()
        return self

    def value(self) -> OwnerRule:
        """The rule. Raises ValueError for a pattern that does not say which part is the owner."""
        [kind] = self.model_fields_set
        return OwnerRule(f"{kind}:{getattr(self, kind)}")


class PolicySchema(Schema):
    """One policy as written."""

    name: Label = Field(description="give every policy its own name")
    description: Given[str] = None
    match: _Match = Field(description='to match everything, write name: "*"')
    expire: Given[_Expire] = None
    keep: Given[_Keep] = None
    notice: Given[Notice] = None
    channel: Given[SlackChannel] = None
    contact: Given[Label] = None
    owner: Given[_Owner] = None

    @field_validator("notice")
    @classmethod
    def _announces_something(cls, notice: timedelta, before: ValidationInfo) -> timedelta:
        if notice and before.data.get("expire", cls) is None:
            raise ValueError("only images that expire are announced: give the policy an `expire`, or remove this key")
        return notice

    def value(self, notice: timedelta = timedelta()) -> Policy:
        """The policy. One that expires images matches finished ones, unless it names statuses.

        `notice` is the default for one that expires images.
        """
        if self.notice is not None:
            notice = self.notice
        return Policy(
            name=self.name,
            match=self.match.value(_DEFAULT_STATUSES if self.expire else frozenset()),
            expire=self.expire.value() if self.expire else None,
            keep=self.keep.value() if self.keep else None,
            notice=notice if self.expire else timedelta(),
            channel=self.channel,
            description=self.description,
            contact=self.contact,
            owner=self.owner.value() if self.owner else None,
        )


class ExemptSchema(Schema):
    """One entry of `exempt` as written: images, the end of their exemption, and the reason."""

    images: OneOrMore[WholeName] = Field(
        validation_alias=AliasChoices("images", "image"), description="say which, by id or by name"
    )
    until: Until = Field(description="say until when, like 2026-12-31")
    why: Sentence = Field(description="say why they stay")
    by: Given[Label] = None

    def value(self, file: str, zone: tzinfo) -> list[Exemption]:
        """The exemption of each image, granted by `by` or else by the file."""
        until = parse_until(self.until, zone)
        return [Exemption(image, until, self.why, self.by or file) for image in self.images]


class PolicyFileSchema(Schema):
    """One policy file as written. A file with `exempt` needs no policies."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": ["policies"]}, {"required": ["exempt"]}]})

    notice: Given[Notice] = None
    policies: Annotated[list[PolicySchema], Field(min_length=1)] = Field(
        default_factory=list, description="a policy file holds a list of policies under this key"
    )
    exempt: Annotated[list[ExemptSchema], Field(min_length=1)] = Field(
        default_factory=list, description="write a list, each item with images, until and why"
    )

    def policy_values(self) -> list[Policy]:
        """The policies; those with an `expire` and without a notice have the file's notice."""
        return [policy.value(self.notice or timedelta()) for policy in self.policies]

    def exemption_values(self, file: str, zone: tzinfo) -> list[Exemption]:
        """The exemptions of a file of that name."""
        return [exemption for entry in self.exempt for exemption in entry.value(file, zone)]
