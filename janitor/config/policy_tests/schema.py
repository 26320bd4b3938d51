"""The YAML form of tests of policies: which keys there are, and what each takes."""

from collections.abc import Iterable
from datetime import UTC
from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, Field, InstanceOf, model_validator

from janitor.config.policy_files.kinds import Size, StatusWord, Until, VisibilityWord
from janitor.config.schema import Span, Zone
from janitor.core.decision import Reason, Verdict
from janitor.core.image import Visibility
from janitor.core.policy_tests.moments import Moment
from janitor.core.units import parse_from
from janitor.documents import forms
from janitor.documents.forms import Or, text_form
from janitor.documents.kinds import Text
from janitor.documents.schema import Given, Label, OneOrMore, Schema, one_of, read_as, suggestion, word_of

ANY = "any"
VERDICTS = (ANY, *Verdict)
OTHER_FORMAT = "other"
"""A disk format that no policy can name."""

DISK_FORMATS = ("ami", "ari", "aki", "vhd", "vhdx", "vmdk", "raw", "qcow2", "vdi", "ploop", "iso", OTHER_FORMAT)
UNKNOWABLE = (
    "status",
    "created",
    "updated",
    "name",
    "size",
    "disk_format",
    "properties",
    "tags",
    "visibility",
    "owner",
    "os_hidden",
    "sharing",
)
"""What may be unknown of an image, by its key."""

_OTHER_VERDICTS = {Reason.REFUSED: Verdict.WAIT, Reason.NOTICE: Verdict.WAIT, Reason.EXPIRED: Verdict.DELETE}
REASONS: dict[Reason, Verdict] = {reason: _OTHER_VERDICTS.get(reason, Verdict.KEEP) for reason in Reason}
"""The verdict that each reason is one for."""


def _date(text: str) -> str:
    parse_from(text, UTC)  # the zone changes what a date means, not whether it is valid
    return text


def _expected(value: object) -> object:
    """A lone verdict as a mapping; any other value as it is."""
    if not isinstance(value, str):
        return value
    if value in _words(Reason):
        raise ValueError(f'"{value}" is a reason: write {{{REASONS[Reason(value)]}: {value}}}')
    if value not in VERDICTS and not suggestion(value, VERDICTS):
        raise ValueError(f'"{value}" is not a verdict ({", ".join(VERDICTS)}): write one, or {{delete: POLICY}}')
    return {"verdict": one_of(VERDICTS, "a verdict")(value)}


def _words(enum: Iterable[str]) -> list[str]:
    return [str(word) for word in enum]


def _exempted(value: object) -> object:
    """A lone date as a mapping; any other value as it is."""
    return {"until": value} if isinstance(value, str) else value


def _tags(value: object) -> object:
    return [value] if isinstance(value, str) else value


Tags = Annotated[list[str], BeforeValidator(_tags), Or({"type": "string"})]
Date = Annotated[str, read_as(_date, "write a date like 2026-06-01", forms.BEGINNING)]
MomentText = Annotated[
    InstanceOf[Moment], read_as(Moment, "write how long ago, like 20d, or a date like 2026-06-01", forms.MOMENT)
]
DiskFormat = Annotated[str, word_of(DISK_FORMATS, "a disk format")]
UnknownWord = Annotated[str, word_of(UNKNOWABLE, "something that may be unknown")]
KeepReason = Annotated[
    Reason, word_of([r for r, verdict in REASONS.items() if verdict is Verdict.KEEP], "a reason to keep an image")
]
ReasonWord = Annotated[Reason, word_of(Reason, "a reason")]
VerdictWord = Annotated[str, word_of(VERDICTS, "a verdict")]


class ExemptionSchema(Schema):
    """An exemption of an image; a lone date is its end."""

    until: Until = Field(description="say until when, like 2026-12-31")
    why: Text = "a person wants it"


class ImageSchema(Schema):
    """One image of a test as written: only what matters. Wide because each fact that decisions depend on is a key."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": ["name"]}, {"required": ["id"]}]})

    name: Given[str] = None
    id: Given[Label] = None
    age: Given[Span] = None
    created: Given[MomentText] = None
    updated: Given[MomentText] = None
    status: Given[StatusWord] = None
    in_status: Given[MomentText] = None
    size: Given[Size] = None
    disk_format: Given[DiskFormat] = None
    properties: Given[dict[str, str]] = None
    tags: Given[Tags] = None
    visibility: Given[VisibilityWord] = None
    public: Given[bool] = None
    owner: Given[Label] = None
    owned: Given[bool] = None
    protected: Given[bool] = None
    os_hidden: Given[bool] = None
    in_use: Given[OneOrMore[Text]] = None
    referenced: Given[OneOrMore[Text]] = None
    last_used: Given[MomentText] = None
    user_deleted: Given[bool] = None
    watched: Given[MomentText] = None
    announced: Given[MomentText] = None
    exempt: Given[Annotated[ExemptionSchema, BeforeValidator(_exempted), Or(text_form(forms.DATE))]] = None
    shared_with: Given[OneOrMore[Label]] = None
    offered_to: Given[OneOrMore[Label]] = None
    refused: Given[MomentText] = None
    refusals: Given[Annotated[int, Field(ge=1)]] = None
    unknown: Given[OneOrMore[UnknownWord]] = None
    unreadable: Given[dict[str, str]] = None

    @model_validator(mode="after")
    def _does_not_contradict_itself(self) -> "ImageSchema":
        if self.name is None and self.id is None:
            raise ValueError("has neither a name nor an id: give it one by which `expect` knows it")
        if self.age is not None and self.created is not None:
            raise ValueError("has an age and a date of creation: give only one of them")
        offered = self.visibility in (Visibility.PUBLIC, Visibility.COMMUNITY)
        if self.visibility is not None and self.public is not None and self.public is not offered:
            raise ValueError(f"public contradicts visibility: {self.visibility}")
        if self.user_deleted and self.last_used is None:
            raise ValueError("user_deleted goes with last_used: say when it was used")
        if self.refusals is not None and self.refused is None:
            raise ValueError("refusals goes with refused: say when its deletion was last rejected")
        for key in self.unknown or ():
            if key != "sharing" and getattr(self, key) is not None:
                raise ValueError(f"{key} is given, and unknown: leave one of them out")
        return self


class ExpectationSchema(Schema):
    """What is expected for one image; a lone verdict, like `keep`, is its `verdict`."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    verdict: Given[VerdictWord] = None
    keep: Given[KeepReason] = None
    wait: Given[Label] = None
    delete: Given[Label] = None
    policy: Given[Label] = None
    reason: Given[ReasonWord] = None
    due: Given[Date] = None

    @model_validator(mode="after")
    def _says_something(self) -> "ExpectationSchema":
        if not self.model_fields_set:
            raise ValueError("must not be empty: to expect nothing, write any")
        given = [key for key in ("verdict", "keep", "wait", "delete") if getattr(self, key) is not None]
        if len(given) > 1:
            raise ValueError(f"has {' and '.join(given)}: give only one of them")
        if self.reason is not None and self.keep is not None:
            raise ValueError("has keep and reason, which is the same: give only one of them")
        wanted = self.verdict if given == ["verdict"] else next(iter(given), ANY)
        if self.reason is not None and wanted not in (ANY, REASONS[self.reason]):
            raise ValueError(f"reason: {self.reason} is a reason to {REASONS[self.reason]}, not to {wanted}")
        return self


Expectation = Annotated[ExpectationSchema, BeforeValidator(_expected), Or({"enum": [str(word) for word in VERDICTS]})]


class PolicyTestSchema(Schema):
    """One file of tests as written: images at an instant, and what is expected for each."""

    now: Date = Field(description="say at what time these images are decided on, like 2026-06-01")
    timezone: Given[Zone] = None
    usage_memory: Given[Span] = None
    target: Given[OneOrMore[Label]] = None
    images: Annotated[list[ImageSchema], Field(min_length=1)] = Field(
        description="write a list, each item with a name and what else matters"
    )
    expect: Annotated[dict[str, Expectation], Field(min_length=1)] = Field(
        description="say for each image what is to be decided, by its name, like {ci-web-41: delete}"
    )
