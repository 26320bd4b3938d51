"""Checks what was read from YAML against pydantic models, and says what is wrong in sentences of our own.

The generic sentences never show a value: it could be a secret.
"""

import difflib
import re
from collections.abc import Callable, Iterable
from typing import Annotated, Any, TypeVar, get_args

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler, ValidationError
from pydantic_core import CoreSchema, ErrorDetails

from janitor.documents import Document, Fault, Keys
from janitor.documents.forms import LABEL, TEXT, Described, Json, text_form

T = TypeVar("T")
Model = TypeVar("Model", bound="Schema")

UNKNOWN = "unknown key"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class Schema(BaseModel):
    """The base of every schema: nothing unknown, nothing converted. A field's description completes "is missing"."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True, defer_build=True)


def check(schema: type[Model], document: Document, inside: Keys = ()) -> tuple[Model | None, list[Fault]]:
    """The document, or its value at `inside`, as a checked value; or None and everything that is wrong with it."""
    try:
        return schema.model_validate(document.at(inside)), []
    except ValidationError as error:
        return None, [_fault(schema, document, inside, details) for details in error.errors(include_url=False)]


def nearest(word: str, words: Iterable[str], *, cutoff: float = 0.65) -> str | None:
    """The one of these words that is probably meant, by its spelling; None where none is near."""
    by_folded = {known.casefold(): known for known in words}
    near = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=cutoff)
    return by_folded[near[0]] if near else None


def suggestion(word: str, words: Iterable[str], *, cutoff: float = 0.65) -> str:
    """`, did you mean "after"?` where one of the words is near; else nothing."""
    near = nearest(word, words, cutoff=cutoff)
    return f', did you mean "{near}"?' if near else ""


def text_like(value: object, wanted: str) -> str:
    """The value, if it is text. Raises ValueError, with a message fit for people, for another kind of value."""
    if isinstance(value, str) and value.strip():
        return value
    raise ValueError(f"{kind_of(value)}: {wanted}")


def read_as(read: Callable[[str], Any], wanted: str, form: str = TEXT, examples: Iterable[str] = ()) -> BeforeValidator:
    """A validator that reads text by a function; `wanted` completes what is said of a value that is not text.

    The function raises ValueError with a message fit for people. It accepts no text that is not of that `form`, a
    regular expression for editors.
    """
    return Described(_reader(read, wanted), schema=text_form(form, wanted, examples))


def _reader(read: Callable[[str], Any], wanted: str) -> Callable[[object], Any]:
    def validate(value: object) -> Any:
        try:
            return read(text_like(value, wanted))
        except (OverflowError, RecursionError) as error:
            raise ValueError("is out of range") from error

    return validate


def word_of(words: Iterable[str], noun: str) -> BeforeValidator:
    """A validator that takes one of the given words; the members, where they are an enum's."""
    known = list(words)
    return Described(one_of(known, noun), schema={"enum": [str(word) for word in known]})


def one_of(words: Iterable[str], noun: str) -> Callable[[object], Any]:
    """A function that gives the word that a value is, and raises ValueError for any other value."""
    known = list(words)

    def read(text: str) -> str:
        if text not in known:
            near = suggestion(text, known)
            raise ValueError(f'"{text}" is not {noun}{near or " (known: " + ", ".join(known) + ")"}')
        return known[known.index(text)]

    return _reader(read, f"write one of {', '.join(known)}")


def label(text: str) -> str:
    """The text, if it is one line without blanks around it. Raises ValueError, with a message fit for people."""
    if _CONTROL.search(text) or text != text.strip():
        raise ValueError("must not begin or end with a space, nor hold a line break or another control character")
    return text


def _given(value: object) -> object:
    if value is None:
        raise ValueError("is empty: give it a value or leave the key out")
    return value


def _as_list(value: object) -> object:
    return value if isinstance(value, list) else [value]


class _OneOrMore(BeforeValidator):
    """Takes a lone value for a list of one."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> Json:
        """A value, or a list of such values."""
        listed = handler(core)
        return {"anyOf": [listed["items"], {**listed, "minItems": 1}]}


Label = Annotated[str, read_as(label, "write text, in quotes", LABEL)]
Given = Annotated[T | None, BeforeValidator(_given)]
"""A key that may be left out, but not left empty."""

OneOrMore = Annotated[list[T], _OneOrMore(_as_list), Field(min_length=1)]
"""A lone value or a list of them."""


def _fault(schema: type[Schema], document: Document, inside: Keys, details: ErrorDetails) -> Fault:
    keys = (*inside, *_walk(schema, details["loc"])[0])
    while keys and isinstance(keys[-1], int) and keys not in document.lines:
        keys = keys[:-1]  # a lone value was checked as a list of one
    return Fault(keys, _sentence(schema, details))


def _sentence(schema: type[Schema], details: ErrorDetails) -> str:
    keys, context = details["loc"], details.get("ctx", {})
    match details["type"]:
        case "value_error":
            return str(context["error"])
        case "extra_forbidden" if spelled := _other_spelling(schema, keys):
            return f"is given beside {spelled}, which means the same: give only one of them"
        case "extra_forbidden":
            known = _fields(schema, keys[:-1])
            return UNKNOWN + (suggestion(str(keys[-1]), known) or f" (known here: {', '.join(known)})")
        case "missing":
            return _with_description(schema, keys, "is missing")
        case "greater_than_equal":
            return f"must be at least {context['ge']:.12g}"
        case "less_than_equal":
            return f"must be at most {context['le']:.12g}"
        case "too_short":
            return "must not be empty"
        case _ if details["input"] is None:
            return _with_description(schema, keys, "is empty")
        case kind:
            return f"{kind_of(details['input'])}: {_WANTED.get(kind, 'cannot be read')}"


_WANTED = {
    "string_type": "write text, in quotes",
    "bool_type": "write true or false, without quotes",
    "int_type": "write a whole number, without quotes",
    "float_type": "write a number, without quotes",
    "list_type": "write a list, each item on a line of its own after a dash",
    "dict_type": "write keys and values, like key: value",
    "model_type": "write keys and values, like key: value",
}


def _with_description(schema: type[Schema], keys: Keys, sentence: str) -> str:
    key = keys[-1] if keys else None
    description = _fields(schema, keys[:-1]).get(key, (None, None))[1] if isinstance(key, str) else None
    return f"{sentence}: {description}" if description else sentence


def kind_of(value: object) -> str:
    """What a value is, as the beginning of a sentence that begins with its key: "is a list"."""
    match value:
        case None:
            return "is empty"
        case str():
            return "is text" if value.strip() else "is empty"
        case bool():
            return "is true or false"
        case int() | float():
            return "is a number"
        case list():
            return "is a list"
        case _:
            return "holds keys and values"


def _fields(schema: type[Schema], keys: Keys) -> dict[str, tuple[Any, str | None]]:
    """The keys that a schema knows at that place, each with its type and its description."""
    return _known(_walk(schema, keys)[1])


def _other_spelling(schema: type[Schema], keys: Keys) -> str | None:
    """Another spelling of a key, if it is one of several: the one that was read."""
    fields = _walk(schema, keys[:-1])[1].model_fields.values()
    choices = (field.validation_alias.choices for field in fields if isinstance(field.validation_alias, AliasChoices))
    several = next((spelled for spelled in choices if keys and keys[-1] in spelled), [])
    return next((str(one) for one in several if one != keys[-1]), None)


def _walk(schema: type[Schema], keys: Keys) -> tuple[Keys, type[Schema]]:
    """The keys as they are in the file, and the schema of that place.

    Where a value may be of several schemas, pydantic puts the name of the one that it took among the keys.
    """
    written: list[str | int] = []
    here = [schema]
    for key in keys:
        if len(here) > 1 and (named := [one for one in here if one.__name__ == key]):
            here = named
            continue
        written.append(key)
        if isinstance(key, str):
            here = schemas_in(_known(here[0]).get(key, (None, None))[0]) or here
    return tuple(written), here[0]


def _known(schema: type[BaseModel]) -> dict[str, tuple[Any, str | None]]:
    fields = schema.model_fields.items()
    return {field.alias or name: (field.annotation, field.description) for name, field in fields}


def schemas_in(annotation: Any) -> list[type[Schema]]:
    """The schemas in the type of a field."""
    if isinstance(annotation, type) and issubclass(annotation, Schema):
        return [annotation]
    return [found for part in get_args(annotation) for found in schemas_in(part)]
