"""The YAML form of faults: reads a faults file, or every problem of it with its line and key; and writes one."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from janitor.core.units import format_duration, parse_timeout
from janitor.documents import Document, parse_document, read_document
from janitor.documents.schema import Given, OneOrMore, Schema, check, read_as, word_of
from janitor.errors import ConfigurationError
from janitor.sandbox.calls import CALLS, Api
from janitor.sandbox.faults import Fault, Faults, Rule, faults_of, reach

_ANY = "any"
_TAKEN_BY: Mapping[str, tuple[Fault, ...]] = {
    "status": (Fault.HTTP_ERROR, Fault.FOREIGN_BODY, Fault.UNREADABLE_REFERENCE),
    "code": (Fault.RESULT_CODE,),
    "delay": (Fault.DELAY,),
    "offset": (Fault.CLOCK_OFF,),
    "retry_after": (Fault.TOO_MANY_REQUESTS,),
}
_NEEDED = ("code", "delay", "offset")


def load_faults(path: Path, api: Api = Api.TOAST) -> Faults:
    """The faults of a file. Raises ConfigurationError with every problem of it."""
    return _faults(read_document(path), api)


def parse_faults(file: str, content: bytes, api: Api = Api.TOAST) -> Faults:
    """The faults of a faults file's content, or of the same in JSON; problems call it `file`."""
    return _faults(parse_document(file, content), api)


def _faults(document: Document, api: Api) -> Faults:
    checked, faults = check(_SCHEMAS[api], document)
    faults = [*document.faults, *faults]
    if checked is None or faults:
        raise ConfigurationError(document.problem(fault) for fault in faults)
    return Faults(checked.seed, tuple(rule.value() for rule in checked.faults))


def _duration(text: str) -> timedelta:
    return parse_timeout(text)


def _some_duration(text: str) -> timedelta:
    duration = _duration(text)
    if not duration:
        raise ValueError(f'"{text}" must be greater than zero')
    return duration


def _offset(text: str) -> timedelta:
    sign = -1 if text.startswith("-") else 1
    return sign * _some_duration(text.removeprefix("-" if sign < 0 else "+"))


def _status(status: int) -> int:
    if not (status == 200 or 400 <= status <= 599):
        raise ValueError(f"{status} is not 200, nor an error from 400 to 599")
    return status


def _code(code: int) -> int:
    if code == 0:
        raise ValueError("0 is success: write the code of a failure, like -1 or 30404")
    return code


def _error_status(code: int) -> int:
    if not 400 <= code <= 599:
        raise ValueError(f"{code} is not an HTTP status of an error, from 400 to 599")
    return code


_Count = Annotated[int, Field(ge=1)]
_Duration = Annotated[timedelta, read_as(_some_duration, "write a duration with its unit, like 30s or 2m")]
_Wait = Annotated[timedelta, read_as(_duration, "write a duration with its unit, like 2s")]
_Offset = Annotated[timedelta, read_as(_offset, "write a duration with its sign, like -10m or +2h")]


class _RuleSchema(Schema):
    """One fault as written; what depends on the API is added below. Wide because each key is a field."""

    api: ClassVar[Api]
    fault: Fault
    call: Given[OneOrMore[str]] = None
    at: Given[OneOrMore[_Count]] = None
    probability: Given[Annotated[float, Field(ge=0, le=1)]] = None
    times: Given[_Count] = None
    lasting: Given[_Duration] = None
    status: Given[Annotated[int, AfterValidator(_status)]] = None
    code: Given[int] = None
    delay: Given[_Duration] = None
    offset: Given[_Offset] = None
    retry_after: Given[_Wait] = None

    @field_validator("call")
    @classmethod
    def _can_be_struck(cls, calls: list[str], before: ValidationInfo) -> list[str]:
        fault: Fault | None = before.data.get("fault")
        if fault and (beyond := [call for call in calls if call not in (*reach(fault, cls.api), _ANY)]):
            raise ValueError(f"{fault} does not apply to {beyond[0]}, only {', '.join(sorted(reach(fault, cls.api)))}")
        return calls

    @field_validator("probability")
    @classmethod
    def _says_when_once(cls, probability: float, before: ValidationInfo) -> float:
        if before.data.get("at") is not None:
            raise ValueError("is given beside `at`: a fault applies to given calls or with a probability")
        return probability

    @field_validator(*_TAKEN_BY)
    @classmethod
    def _goes_with_fault(cls, value: object, before: ValidationInfo) -> object:
        fault = before.data.get("fault")
        takers = _TAKEN_BY[before.field_name or ""]
        if fault and fault not in takers:
            raise ValueError(f"does not go with {fault}, only with {' and '.join(takers)}")
        return value

    @model_validator(mode="after")
    def _is_complete(self) -> "_RuleSchema":
        for name in _NEEDED:
            if self.fault in _TAKEN_BY[name] and getattr(self, name) is None:
                raise ValueError(f"{self.fault} needs the key `{name}`")
        return self

    def value(self) -> Rule:
        calls = frozenset() if _ANY in (self.call or ()) else frozenset(self.call or ())
        named = {"fault", "call", "at"}
        rest = {name: getattr(self, name) for name in self.model_fields_set - named}
        return Rule(self.fault, calls, frozenset(self.at or ()), **rest)


_MISSING = "say which, one of "
_NO_FAULTS = "a faults file holds a list of faults under this key"


class _FaultsFile(Schema):
    """A faults file as written."""

    seed: int = 0
    faults: Sequence[_RuleSchema] = Field(description=_NO_FAULTS)


_CODE_OF: Mapping[Api, Callable[[int], int]] = {Api.TOAST: _code}
"""What checks the codes of the APIs that have others than HTTP statuses."""


def _schema_of(of: Api) -> type[_FaultsFile]:
    """What a faults file of an API may hold: its own faults, calls and codes."""

    class ApiRule(_RuleSchema):
        api = of
        fault: Annotated[Fault, word_of(faults_of(of), "a fault")] = Field(
            description=_MISSING + ", ".join(faults_of(of))
        )
        call: Given[OneOrMore[Annotated[str, word_of((*CALLS[of], _ANY), "a call")]]] = None
        code: Given[Annotated[int, AfterValidator(_CODE_OF.get(of, _error_status))]] = None

    class ApiFile(_FaultsFile):
        faults: list[ApiRule] = Field(description=_NO_FAULTS)

    return ApiFile


_SCHEMAS = {api: _schema_of(api) for api in Api}


def written(faults: Faults) -> dict[str, object]:
    """The faults as a faults file has them, without what is left at its default."""
    return {"seed": faults.seed, "faults": [_written(rule) for rule in faults.rules]}


def _written(rule: Rule) -> dict[str, object]:
    plain = Rule(rule.fault)
    names = [name for name in _WRITERS if getattr(rule, name) != getattr(plain, name) or name in _always(rule)]
    return {"fault": rule.fault.value} | {_KEYS.get(name, name): _WRITERS[name](getattr(rule, name)) for name in names}


def _always(rule: Rule) -> list[str]:
    return [name for name in _NEEDED if rule.fault in _TAKEN_BY[name]]


def _signed(offset: timedelta) -> str:
    return ("-" if offset < timedelta() else "+") + format_duration(abs(offset))


_KEYS = {"calls": "call"}
_WRITERS: Mapping[str, Callable[[Any], object]] = {
    "calls": sorted,
    "at": sorted,
    "probability": float,
    "times": int,
    "lasting": format_duration,
    "status": int,
    "code": int,
    "delay": format_duration,
    "offset": _signed,
    "retry_after": format_duration,
}
