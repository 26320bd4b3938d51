"""What the keys of policies take."""

from datetime import UTC, timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, InstanceOf

from janitor.core.image import Status, Visibility
from janitor.core.names.pattern import Pattern, expression_between_slashes, flaw_of_glob
from janitor.core.policy import Clock
from janitor.core.retention import Family
from janitor.core.units import LONGEST_SPAN, parse_duration, parse_size, parse_until
from janitor.documents import forms
from janitor.documents.forms import with_schema, written
from janitor.documents.schema import Label, read_as, word_of

_DISK_FORMATS = ("ami", "ari", "aki", "vhd", "vhdx", "vmdk", "raw", "qcow2", "vdi", "ploop", "iso")
FAMILIES = "policy, name:/regex with one group/ or property:KEY"


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
        raise ValueError(f'"{text}" is not a family: write {FAMILIES}')
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


PatternText = Annotated[InstanceOf[Pattern], read_as(_pattern, "write a pattern, in quotes", forms.PATTERN)]
StatusWord = Annotated[Status, word_of(Status, "a status")]
VisibilityWord = Annotated[Visibility, word_of(Visibility, "a visibility")]
DiskFormat = Annotated[str, word_of(_DISK_FORMATS, "a disk format")]
Size = Annotated[int, read_as(parse_size, "write a size with its unit, like 500MB or 1.5GiB", forms.SIZE)]
After = Annotated[timedelta, read_as(_after, "write a duration with its unit, like 36h or 14d", forms.DURATION)]
_A_NOTICE = "write a duration with its unit, like 48h or 3d"
Notice = Annotated[
    timedelta,
    read_as(_notice, _A_NOTICE),
    BeforeValidator(_plain_zero),
    with_schema({"anyOf": [forms.text_form(forms.DURATION_OR_NONE, _A_NOTICE), {"const": 0}]}),
]
WholeName = Annotated[Label, AfterValidator(_no_pattern), written(forms.WHOLE_NAME, "write a whole name or an id")]
Until = Annotated[str, read_as(_until, "write a date like 2026-12-31", forms.DATE)]
Sentence = Annotated[str, read_as(_sentence, "write text, in quotes")]
ClockWord = Annotated[Clock, word_of(Clock, "a clock")]
FamilyText = Annotated[InstanceOf[Family], read_as(_family, f"write {FAMILIES}", forms.FAMILY)]
Count = Annotated[int, Field(ge=1)]
OwnerPattern = Annotated[Label, written(forms.OWNER, "write a pattern in which one * stands for the owner")]
