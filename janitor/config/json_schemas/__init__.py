"""JSON Schemas (draft 2020-12) of the files that people write, for editors: made from the models that read them."""

from janitor.cloud.apis import APIS
from janitor.config.channels import ChannelSchemas
from janitor.config.json_schemas.environment import LEFT_OUT, NEVER_EMPTY, expanded
from janitor.config.json_schemas.generating import schema_of
from janitor.config.owners import DomainsSchema, RecipientSchema
from janitor.config.policy_files.schema import PolicyFileSchema
from janitor.config.policy_tests.schema import PolicyTestSchema
from janitor.config.schema import SettingsSchema
from janitor.documents.forms import TEXT, Json, text_form
from janitor.documents.schema import Schema

_DIALECT = "https://json-schema.org/draft/2020-12/schema"

_TARGETS_OR_FLEET: Json = {
    "if": {"required": ["fleet"], "properties": {"fleet": {"type": "object"}}},
    "then": {"properties": {"targets": LEFT_OUT, "database": LEFT_OUT}},
    "else": {"required": ["targets"], "properties": {"targets": {"type": "array"}}},
}
"""Each account of a fleet has its own target and database."""


def schema_of_policies() -> Json:
    """The schema of a policy file."""
    return _named("policies", "Policies", schema_of(PolicyFileSchema))


def schema_of_tests() -> Json:
    """The schema of a file of tests of policies."""
    return _named("tests", "Tests of policies", schema_of(PolicyTestSchema))


def schema_of_config(channels: ChannelSchemas) -> Json:
    """The schema of janitor.yaml, with these kinds of channels."""
    from janitor.config.fleet.schema import FleetSchema  # which nothing loads that is not about a fleet

    schema = schema_of(SettingsSchema)
    definitions, properties = schema["$defs"], schema["properties"]
    kinds = [_define(kind, definitions) for kind in channels.values()]
    properties["channels"]["items"] = kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
    properties["owners"] = {"description": properties["owners"]["description"], **_owners(definitions)}
    properties["fleet"] = {"description": properties["fleet"]["description"], **_define(FleetSchema, definitions)}
    properties["targets"]["items"] = _target({name: api.schema for name, api in APIS.items()}, definitions)
    properties["references"][NEVER_EMPTY] = definitions["Reference"][NEVER_EMPTY] = True
    schema["required"].remove("targets")
    return _named("config", "Configuration of the janitor", {**expanded(schema), **_TARGETS_OR_FLEET})


def _named(name: str, title: str, schema: Json) -> Json:
    return {"$schema": _DIALECT, "$id": f"urn:image-janitor:schema:{name}", "title": title, **schema}


def _define(model: type[Schema], definitions: Json) -> Json:
    """Add the schema of a model to the definitions; the schema that refers to it."""
    schema = schema_of(model)
    definitions.update(schema.pop("$defs"))
    definitions[_public(model)] = schema
    return _ref(_public(model))


def _owners(definitions: Json) -> Json:
    recipient = _define(RecipientSchema, definitions)
    return {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": text_form(TEXT)["pattern"]},
        "properties": {
            "default": {"description": "Who is told of images of an owner that has no entry.", **recipient},
            **schema_of(DomainsSchema)["properties"],
        },
        "additionalProperties": recipient,
    }


def _target(schemas: dict[str, type[Schema]], definitions: Json) -> Json:
    """A target: of the API that it names, else of the first; of any, where the environment says which."""
    names = {api: _public(schema) for api, schema in schemas.items()}
    for name in names.values():
        for other in names.values():
            _leave_out(definitions, name, other)
    target: Json = {"anyOf": [_ref(name) for name in names.values()]}
    default = next(iter(schemas))
    for api, name in names.items():
        known = [default, "", None] if api == default else [api]
        named = {"properties": {"api": {"enum": known}}, **({} if api == default else {"required": ["api"]})}
        target = {"if": named, "then": _ref(name), "else": target}
    return target


def _leave_out(definitions: Json, name: str, other: str) -> None:
    """Let a model have the keys of another, if they are left empty."""
    own, foreign = (definitions[one]["properties"] for one in (name, other))
    for key, schema in foreign.items():
        if key not in own:
            own[key] = {"description": "Not for this API: must be empty.", "doNotSuggest": True, **LEFT_OUT}
        elif "$ref" in schema and "$ref" in own[key] and LEFT_OUT["$ref"] not in (own[key]["$ref"], schema["$ref"]):
            _leave_out(definitions, *(one["$ref"].rpartition("/")[2] for one in (own[key], schema)))


def _public(model: type[Schema]) -> str:
    return model.__name__.removesuffix("Schema")


def _ref(name: str) -> Json:
    return {"$ref": f"#/$defs/{name}"}
