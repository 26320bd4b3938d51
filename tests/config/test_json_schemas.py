"""The JSON Schemas accept what the readers of files accept, and refuse what these refuse, as far as a schema can."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
import regress
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator

from janitor.cli.app import janitor
from janitor.config import has_fleet, load_settings
from janitor.config.policy_files import load_rules
from janitor.config.policy_tests.schema import PolicyTestSchema
from janitor.documents import read_document
from janitor.documents.schema import check
from janitor.errors import ConfigurationError, Problem
from janitor.notify.channels import SCHEMAS
from tests.config.configuration import EVERYTHING
from tests.config.json_schemas import hold, refused, validator
from tests.config.mistakes import CONFIG, FLEET, POLICIES, TESTS, mistaken
from tests.documentation import DOCUMENTS, ROOT, blocks, text_of

KINDS = ("policies", "tests", "config")
SHIPPED = ROOT / "docs" / "schemas"


def parts(schema: Any) -> Iterator[dict[str, Any]]:
    """The schema and every one in it."""
    if isinstance(schema, dict):
        yield schema
    for inner in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from parts(inner)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_a_schema_by_the_schema_of_schemas(kind: str) -> None:
    Draft202012Validator.check_schema(validator(kind).schema)


@pytest.mark.parametrize("kind", KINDS)
def test_its_expressions_are_those_of_every_editor(kind: str) -> None:
    for part in parts(validator(kind).schema):
        if isinstance(pattern := part.get("pattern"), str):
            assert re.compile(pattern)
            assert regress.Regex(pattern, "u")
            assert not re.search(r"\(\?[^:=!]|\\[dwWDbBAZpP]", pattern), "not the same in every language"


@pytest.mark.parametrize("kind", KINDS)
def test_the_shipped_file_is_what_the_command_prints(kind: str) -> None:
    printed = CliRunner().invoke(janitor, ["schema", kind], standalone_mode=False)
    assert printed.return_value == 0
    assert (SHIPPED / f"{kind}.schema.json").read_text(encoding="utf-8") == printed.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_says_in_a_sentence_what_it_is_for(kind: str) -> None:
    for part in parts(validator(kind).schema):
        for key, value in part.get("properties", {}).items():
            if part.get("additionalProperties") is not None:  # else it is a condition
                assert re.fullmatch(r"[A-Za-z0-9].*[^ ]\.", value["description"]), key


@pytest.mark.parametrize("kind", KINDS)
def test_every_default_is_a_value_that_the_key_takes(kind: str) -> None:
    whole = validator(kind)
    for part in parts(whole.schema):
        if "default" in part and "properties" not in part and part is not whole.schema and "description" in part:
            assert whole.evolve(schema={**part, "$defs": whole.schema["$defs"]}).is_valid(part["default"]), part


# Examples


def examples() -> Iterator[Any]:
    for path in [*ROOT.glob("policies/*.yaml"), *ROOT.glob("deploy/**/janitor.yaml")]:
        yield pytest.param(path.read_text(encoding="utf-8"), id=path.name)
    for path in DOCUMENTS:
        for place, block in enumerate(blocks("yaml", text_of(path)), 1):
            yield pytest.param(block, id=f"{path.name}-{place}")
    yield pytest.param(EVERYTHING, id="everything")


def kind_of(keys: set[str]) -> str | None:
    """Which files have these keys at their top; None for files that are not the janitor's own, or of the sandbox."""
    if keys & {"faults", "oauth_config"}:
        return None
    if {"now", "images"} <= keys:
        return "tests"
    return "policies" if "exempt" in keys or ("targets" not in keys and keys <= {"policies", "notice"}) else "config"


@pytest.mark.parametrize("text", list(examples()))
def test_every_example_is_valid(tmp_path: Path, text: str) -> None:
    (tmp_path / "example.yaml").write_text(text, encoding="utf-8")
    data: Any = read_document(tmp_path / "example.yaml").data
    kind = kind_of(set(data))
    if kind == "config" and "fleet" not in data:
        data.setdefault("targets", [{"name": "a", "appkey": "k", "username": "u", "password": "p"}])
    assert kind is None or not refused(kind, data)


@pytest.mark.parametrize("options", [[], ["--api", "toast"], ["--slack", "bot", "--channel", "#team"]])
def test_what_init_writes_is_valid(tmp_path: Path, options: list[str]) -> None:
    config = tmp_path / "janitor.yaml"
    made = CliRunner().invoke(janitor, ["init", "--yes", "-c", str(config), *options], standalone_mode=False)
    assert made.return_value == 0, made.output
    assert not refused("config", read_document(config).data)
    for path in (tmp_path / "policies").glob("*.yaml"):
        assert not refused("tests" if path.name.endswith(".test.yaml") else "policies", read_document(path).data)


@pytest.mark.parametrize("path", [*ROOT.glob("policies/*.yaml"), *ROOT.glob("deploy/**/janitor.yaml")], ids=str)
def test_every_shipped_file_names_its_schema(path: Path) -> None:
    first, data = path.read_text(encoding="utf-8").splitlines()[0], read_document(path).data
    assert isinstance(data, dict)
    named = path.parent / first.removeprefix("# yaml-language-server: $schema=")
    assert named.resolve() == SHIPPED / f"{kind_of(set(data))}.schema.json"


# Both ways, for files with random mistakes


def policies_problems(path: Path) -> list[Problem]:
    return _problems(lambda: load_rules(path, UTC))


def config_problems(path: Path) -> list[Problem]:
    return _problems(lambda: load_settings(path, {}, lambda: SCHEMAS))


def problems_of_fleet(path: Path) -> list[Problem]:
    whole = has_fleet(read_document(path))
    return _problems(lambda: load_settings(path, {}, lambda: SCHEMAS, whole=whole))


def problems_of_tests(path: Path) -> list[Problem]:
    document = read_document(path)
    return [document.problem(fault) for fault in check(PolicyTestSchema, document)[1]]


def _problems(read: Callable[[], object]) -> list[Problem]:
    try:
        read()
    except ConfigurationError as error:
        return list(error.problems)
    return []


@pytest.mark.parametrize(
    ("kind", "text", "problems"),
    [
        ("policies", POLICIES, policies_problems),
        ("config", CONFIG, config_problems),
        ("tests", TESTS, problems_of_tests),
        ("config", FLEET, problems_of_fleet),
    ],
    ids=[*KINDS, "fleet"],
)
def test_schema_and_reader_agree_on_random_mistakes(
    tmp_path: Path, kind: str, text: str, problems: Callable[[Path], list[Problem]]
) -> None:
    (tmp_path / "valid.yaml").write_text(text, encoding="utf-8")
    valid = read_document(tmp_path / "valid.yaml").data
    assert not problems(tmp_path / "valid.yaml")
    assert not refused(kind, valid)

    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
    @given(mistaken(valid))
    def agree(data: Any) -> None:
        file = tmp_path / "file.yaml"
        file.write_text(json.dumps(data), encoding="utf-8")
        hold(kind, read_document(file).data, problems(file))

    agree()
