"""The JSON Schema of a model, as editors show it: with what each key is for, and without what is the program's own."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import AliasChoices, BaseModel
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema

from janitor.config.json_schemas.keys import use_of
from janitor.core.units import format_duration
from janitor.documents.forms import Json
from janitor.documents.schema import Schema, schemas_in
from janitor.references import Names

NULL = {"type": "null"}


class _Generator(GenerateJsonSchema):
    """Writes defaults as people write them in YAML."""

    def encode_default(self, dft: Any) -> Any:
        """The value as it is written in a file."""
        match dft:
            case timedelta():
                return format_duration(dft)
            case ZoneInfo():
                return dft.key
            case float():
                return f"{dft:g}%"  # no other numbers with a point have a default
            case Names():
                return {Names.ALL: True, Names.NONE: False}.get(dft, dft.value)
            case BaseModel():
                return {}
        return super().encode_default(dft)


def schema_of(model: type[Schema]) -> Json:
    """The JSON Schema of a model; those of the models in it are its `$defs`."""
    generated = model.model_json_schema(by_alias=True, schema_generator=_Generator)
    models = {one.__name__: one for one in _models_in(model)}
    definitions = generated.pop("$defs", {})
    return {
        **_complete(generated, model),
        "$defs": {_public(name): _complete(definitions[name], models[name]) for name in sorted(definitions)},
    }


def _models_in(model: type[Schema]) -> Iterator[type[Schema]]:
    """The model, and every one that its keys hold."""
    found, waiting = {model}, [model]
    while waiting:
        here = waiting.pop()
        here.model_rebuild(force=True)  # resolves names of models that stand further below
        yield here
        new = {one for field in here.model_fields.values() for one in schemas_in(field.annotation)} - found
        found |= new
        waiting += new


def _complete(generated: Json, model: type[Schema]) -> Json:
    """The schema of one model, with what each key is for, under each of its spellings."""
    properties: Json = {}
    required = generated.get("required", [])
    for name, field in model.model_fields.items():
        written = generated["properties"][_key_of(name, field)]
        for spelled in _spellings(name, field):
            properties[spelled] = {"description": use_of(model, spelled, field), **_plain(written)}
    completed = {key: _plain(value) for key, value in generated.items() if key not in ("description", "title")}
    for spellings in (_spellings(name, field) for name, field in model.model_fields.items()):
        if len(spellings) > 1:
            required = [key for key in required if key not in spellings]
            completed["oneOf"] = [{"required": [spelled]} for spelled in spellings]
    return {"type": "object", **completed, "properties": properties, **({"required": required} if required else {})}


def _key_of(name: str, field: FieldInfo) -> str:
    return _spellings(name, field)[0]


def _spellings(name: str, field: FieldInfo) -> list[str]:
    if isinstance(field.validation_alias, AliasChoices):
        return [str(choice) for choice in field.validation_alias.choices]
    return [field.alias or name]


def _plain(schema: Any) -> Any:
    """A schema without pydantic's titles and the descriptions of models, by public names. No key may be empty."""
    match schema:
        case {"anyOf": [one, other], **rest} if other == NULL:
            return _plain({**one, **rest})
        case {"anyOf": list() as several, **rest} if NULL in several:
            return _plain({**rest, "anyOf": [one for one in several if one != NULL]})
        case {"$ref": str() as target, **rest}:
            return {**_plain(rest), "$ref": f"#/$defs/{_public(target.removeprefix('#/$defs/'))}"}
        case dict():
            return {key: _plain(value) for key, value in schema.items() if _is_told(key, value)}
        case list():
            return [_plain(one) for one in schema]
    return schema


def _is_told(key: str, value: object) -> bool:
    if key == "default":
        return value is not None and value != [] and value != {}
    return not (key in ("title", "description") and isinstance(value, str))


def _public(name: str) -> str:
    """The name of a model in a schema: without what marks it as the program's own."""
    return name.removeprefix("_").removesuffix("Schema")
