"""What `${NAME}` and empty values change in the schema of a file that is expanded before it is read.

A text may come from the environment, wherever a text may stand for the value; and a key that is empty, or comes out
empty, counts as left out.
"""

from typing import Any

from janitor.documents.forms import Json, text_form

_ANY = r"[\s\S]*"
_REFERENCE = r"\$\{[A-Za-z_][A-Za-z0-9_]*(?::-(?:\$\{[^{}]*\}|[^}])*)?\}"
_EXPANDED = rf"(?={_ANY}\$\{{)(?:\$\$\{{|{_REFERENCE}|(?!\$\$?\{{)[^\u0000])*"
_AS_IT_IS = rf"(?!{_ANY}(?:\$\{{|\u0000))"
_WANTED = "write ${NAME} or ${NAME:-default}"

_FROM_ENVIRONMENT: Json = {"$ref": "#/$defs/FromEnvironment"}
LEFT_OUT: Json = {"$ref": "#/$defs/LeftOut"}
"""The schema of a key that must be empty, or come out empty."""

_DEFINITIONS: Json = {
    "FromEnvironment": text_form(_EXPANDED, _WANTED),
    "LeftOut": {"anyOf": [{"type": ["string", "null"], "maxLength": 0}, text_form(_EXPANDED, _WANTED)]},
}
NEVER_EMPTY = "never-empty"
"""Marks a key, or the model of its keys, that must not be left empty."""

_SCHEMAS_IN = ("properties", "$defs")
_BESIDE = ("description", "default", "examples")


def expanded(schema: Json) -> Json:
    """The schema of a file before it is expanded."""
    definitions = {name: _expanded(one) for name, one in schema.get("$defs", {}).items()}
    top = {key: value for key, value in schema.items() if key != "$defs"}
    return {**_expanded(top), "$defs": dict(sorted({**definitions, **_DEFINITIONS}.items()))}


def _expanded(schema: Json) -> Json:
    """The schema of a value that may hold references."""
    if "properties" in schema or isinstance(schema.get("additionalProperties"), dict):
        return _object(schema)
    if "anyOf" in schema:
        beside = {key: value for key, value in schema.items() if key != "anyOf"}
        return _one_of(beside, [part for one in schema["anyOf"] for part in _parts(_expanded(one))])
    if "items" in schema:
        return {**schema, "items": _expanded(schema["items"])}
    if "pattern" in schema:
        text = {**schema, "pattern": schema["pattern"].replace("^", f"^{_AS_IT_IS}", 1)}
        return _one_of({}, [text, _FROM_ENVIRONMENT])
    if "enum" in schema:
        return _one_of({}, [schema, _FROM_ENVIRONMENT])
    return schema


def _object(schema: Json) -> Json:
    """The schema of keys and values, each of which may be left empty unless it is required."""
    schema = dict(schema)
    never_empty = schema.pop(NEVER_EMPTY, False)
    written: dict[str, Json] = schema.get("properties", {})
    required = list(schema.get("required", []))
    from_files = [key for key in required if f"{key}_file" in written]
    required = [key for key in required if key not in from_files]
    properties = {
        key: _value(value, may_be_empty=key not in required and not never_empty) for key, value in written.items()
    }
    schema.pop("required", None)
    if isinstance(others := schema.get("additionalProperties"), dict):
        schema["additionalProperties"] = _value(others, may_be_empty=not never_empty)
    return {
        **schema,
        **({"properties": properties} if properties else {}),
        **({"required": required} if required else {}),
        **({"allOf": [_key_or_file(key) for key in from_files]} if from_files else {}),
    }


def _key_or_file(key: str) -> Json:
    """That a key is given, and is not empty, or the one that names a file of it."""
    given = {"required": [key], "properties": {key: {"type": "string", "minLength": 1}}}
    file = f"{key}_file"
    return {"anyOf": [given, {"required": [file], "properties": {file: {"type": "string", "minLength": 1}}}]}


def _value(schema: Json, *, may_be_empty: bool) -> Json:
    """The schema of the value of a key, with what is said of the key first."""
    beside = {key: schema[key] for key in _BESIDE if key in schema}
    value = {key: value for key, value in schema.items() if key not in _BESIDE}
    never_empty = value.pop(NEVER_EMPTY, False)
    parts = [part for part in _parts(_expanded(value)) if part != _FROM_ENVIRONMENT or not may_be_empty or never_empty]
    return _one_of(beside, [*parts, LEFT_OUT] if may_be_empty and not never_empty else parts)


def _parts(schema: Json) -> list[Json]:
    return schema["anyOf"] if list(schema) == ["anyOf"] else [schema]


def _one_of(beside: Json, parts: list[Json]) -> Json:
    """That a value is one of these, each of which is named once."""
    several: list[Any] = []
    for part in parts:
        several += [part] if part not in several else []
    return {**beside, **several[0]} if len(several) == 1 else {**beside, "anyOf": several}
