"""The YAML form of policies: which keys there are, what each takes, and how they become policies."""

from datetime import UTC, timedelta, tzinfo
from typing import Annotated, ClassVar

from pydantic import (
    AfterValidator,
    AliasChoices,
    BeforeValidator,
    Field,
    InstanceOf,
    ValidationInfo,
    field_validator,
    model_validator,
)

from janitor.core.image import Status, Visibility
from janitor.core.memory import Exemption
from janitor.core.names.owners import OwnerRule
from janitor.core.names.pattern import Pattern, expression_between_slashes, flaw_of_glob
from janitor.core.policy import Clock, Expire, Match, Policy
from janitor.core.retention import Family, Keep, Period
from janitor.core.units import LONGEST_SPAN, parse_duration, parse_size, parse_until
from janitor.documents.kinds import SlackChannel
from janitor.documents.schema import Given, Label, OneOrMore, Schema, read_as, word_of

_DISK_FORMATS = ("ami", "ari", "aki", "vhd", "vhdx", "vmdk", "raw", "qcow2", "vdi", "ploop", "iso")
_DEFAULT_STATUSES = frozenset({Status.ACTIVE, Status.DEACTIVATED})
_FAMILIES = "policy, name:/regex with one group/ or property:KEY"


def _after(text: str) -> timedelta:
    duration = parse_duration(text)
    if not duration:
        raise ValueError(f'"{text}" must be greater than zero')
    return duration


def _notice(text: str) -> timedelta:
    duration = parse_duration(text)
    if duration > LONGEST_SPAN:
        raise ValueError(f'"{text}" is longer than a hundred years: a policy without `expire` keeps forever')
    return duration


def is_nothing(value: object) -> bool:
    """Whether a duration, as written, is zero."""
    try:
        return not parse_duration(str(_plain_zero(value)))
    except ValueError:
        return False


def _plain_zero(value: object) -> object:
    """Zero is zero in any unit."""
    return "0m" if value == 0 and type(value) is int else value


def _until(text: str) -> str:
    parse_until(text, UTC)  # the zone changes what a date means, not whether it is valid
    return text


def _no_pattern(text: str) -> str:
    # Taken for a name, it would silently exempt nothing.
    if "*" in text or (len(text) > 2 and text[0] == text[-1] == "/"):
        raise ValueError(
            f'"{text}" is a pattern: write whole names or ids, or a policy without `expire`, which keeps all'
        )
    return text


def _sentence(text: str) -> str:
    return " ".join(text.split())


def _pattern(text: str) -> Pattern:
    pattern = Pattern(text)
    if pattern.expression is None and (flaw := flaw_of_glob(text)):
        raise ValueError(f'"{text}" {flaw}')
    return pattern


def _family(text: str) -> Family:
    kind, _, rest = text.partition(":")
    if text != "policy" and not (kind in ("name", "property") and rest.strip()):
        raise ValueError(f'"{text}" is not a family: write {_FAMILIES}')
    if kind == "name":
        _check_one_group(rest)
    return Family(text)


def _check_one_group(text: str) -> None:
    expression = expression_between_slashes(text)
    if expression is None:
        raise ValueError(f'"name:{text}" has no regular expression between slashes: write name:/^(.+)-[0-9]+$/')
    if expression.groups != 1:
        raise ValueError(
            f"{text} has {expression.groups} groups, not exactly one: (…) is the family, (?:…) only groups"
        )


PatternText = Annotated[InstanceOf[Pattern], read_as(_pattern, "write a pattern, in quotes")]
StatusWord = Annotated[Status, word_of(Status, "a status")]
VisibilityWord = Annotated[Visibility, word_of(Visibility, "a visibility")]
DiskFormat = Annotated[str, word_of(_DISK_FORMATS, "a disk format")]
Size = Annotated[int, read_as(parse_size, "write a size with its unit, like 500MB or 1.5GiB")]
After = Annotated[timedelta, read_as(_after, "write a duration with its unit, like 36h or 14d")]
Notice = Annotated[
    timedelta, read_as(_notice, "write a duration with its unit, like 48h or 3d"), BeforeValidator(_plain_zero)
]
WholeName = Annotated[Label, AfterValidator(_no_pattern)]
Until = Annotated[str, read_as(_until, "write a date like 2026-12-31")]
Sentence = Annotated[str, read_as(_sentence, "write text, in quotes")]
ClockWord = Annotated[Clock, word_of(Clock, "a clock")]
FamilyText = Annotated[InstanceOf[Family], read_as(_family, f"write {_FAMILIES}")]
Count = Annotated[int, Field(ge=1)]


class _Match(Schema):
    """The conditions of a policy as written. Wide because each is a key of its own."""

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
    newest: Given[Count] = None
    daily: Given[Count] = None
    weekly: Given[Count] = None
    monthly: Given[Count] = None
    yearly: Given[Count] = None
    per: FamilyText = Field(description=f"say what is counted, {_FAMILIES}")

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

    property: Given[Label] = None
    tag: Given[Label] = None
    name: Given[Label] = None

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
