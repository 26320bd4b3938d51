"""The table of APIs, and what the configuration needs of each."""

from pathlib import Path

import pytest

import janitor.cloud
from janitor.cloud.api import Api
from janitor.cloud.apis import APIS, wire_keys
from janitor.core.names.wire_keys import WireKeys

EACH = pytest.mark.parametrize("api", APIS.values(), ids=lambda api: api.name)


def test_every_folder_of_an_api_is_in_the_table() -> None:
    [root] = janitor.cloud.__path__
    assert {path.parent.name for path in Path(root).glob("*/api.py")} == set(APIS)


@EACH
def test_every_target_has_a_name_an_api_and_says_how_it_is_asked(api: Api) -> None:
    assert {"name", "api", "http"} <= api.schema.model_fields.keys()


@EACH
def test_whatever_may_be_secret_may_come_from_a_file(api: Api) -> None:
    keys = api.schema.model_fields.keys()
    files = {key.removesuffix("_file") for key in keys if key.endswith("_file")}
    assert files == set(api.secrets) <= keys


def test_schemas_are_told_apart_by_their_names() -> None:
    assert len({api.schema.__name__ for api in APIS.values()}) == len(APIS)


def test_an_api_that_is_not_known_calls_fields_as_images_do() -> None:
    assert wire_keys("toast").created == "createdAt"
    assert wire_keys("memory") == wire_keys(None) == WireKeys()
