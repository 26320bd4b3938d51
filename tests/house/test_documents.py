"""The documents are a contract: their YAML loads, their commands exist, their queries run, their links work."""

import ast
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args

import click
import pytest
import yaml

from janitor import CHANGES
from janitor.cli.app import janitor
from janitor.cloud.apis import APIS
from janitor.config import load_settings
from janitor.config.fleet.schema import FleetSchema
from janitor.config.policy_files import load_policies, load_rules
from janitor.config.policy_files.schema import ExemptSchema, PolicySchema
from janitor.config.policy_tests.schema import PolicyTestSchema
from janitor.config.schema import SettingsSchema
from janitor.core.decision import REASONS, Reason, Verdict
from janitor.core.explaining.waiting import Cause, State
from janitor.core.result import DeletionOutcome, Mode, Outcome
from janitor.documents.schema import Schema
from janitor.errors import Exit
from janitor.notify.channels import SCHEMAS
from janitor.report.wording import OUTCOMES
from janitor.store import Store
from tests.documentation import DOCUMENTS, ROOT, anchors, blocks, document, links, text_of

ENVIRONMENT = {
    "TOAST_APPKEY": "appkey-appkey",
    "TOAST_USERNAME": "someone@example.com",
    "TOAST_PASSWORD": "password-password",
    "NHN_TENANT_ID": "tenant-tenant",
    "NHN_USERNAME": "someone@example.com",
    "NHN_PASSWORD": "password-password",
    "SLACK_BOT_TOKEN": "xoxb-token-token",
    "SLACK_CHANNEL": "#cloud-images",
    "JANITOR_FLEET_URL": "postgresql://janitor:password-password@db.example/janitor",
}
TARGET = "targets: [{name: lab, appkey: appkey-appkey, username: someone, password: password-password}]\n"
EXAMPLES = [
    pytest.param(block, id=f"{path.name}-{place}")
    for path in DOCUMENTS
    for place, block in enumerate(blocks("yaml", text_of(path)), 1)
]


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_yaml_example_loads(tmp_path: Path, text: str) -> None:
    keys = yaml.safe_load(text).keys()
    if "faults" in keys or "oauth_config" in keys:
        return  # the tests of the sandbox and of listening read these
    if "expect" in keys:
        return  # tests of policies are read and run by the tests of these
    if "exempt" in keys or isinstance(yaml.safe_load(text).get("policies"), list):
        (tmp_path / "example.yaml").write_text(text, encoding="utf-8")
        (tmp_path / "policies.yaml").write_text('policies: [{name: all, match: {name: "*"}}]', encoding="utf-8")
        assert load_rules(tmp_path, UTC).exemptions or len(load_policies(tmp_path)) > 1
        return
    _write_token(tmp_path)
    text = text.replace("/run/secrets/t ", f"{tmp_path}/t ")
    if "fleet" in keys:
        (tmp_path / "janitor.yaml").write_text(text, encoding="utf-8")
        assert load_settings(tmp_path / "janitor.yaml", ENVIRONMENT, lambda: SCHEMAS, whole=True).fleet
        return
    (tmp_path / "janitor.yaml").write_text(text if "targets" in keys else TARGET + text, encoding="utf-8")
    assert load_settings(tmp_path / "janitor.yaml", ENVIRONMENT, lambda: SCHEMAS).targets


def _write_token(folder: Path) -> None:
    (folder / "t").write_text("token-of-the-vault", encoding="utf-8")


@pytest.mark.parametrize("key", ["policies", "exempt", "targets", "fleet", "slack", "references", "faults"])
def test_there_is_an_example_of_everything(key: str) -> None:
    shown = [yaml.safe_load(block) for path in DOCUMENTS for block in blocks("yaml", text_of(path))]
    assert any(key in example for example in shown)


def documented() -> list[list[str]]:
    """The command and the options of every `janitor …` that a document shows as code."""
    code = [
        line
        for path in DOCUMENTS
        for line in (
            *re.findall(r"`([^`\n]*)`", text_of(path)),
            *(line for block in blocks("sh", text_of(path)) for line in block.splitlines()),
        )
    ]
    shown = [re.findall(r"janitor ([a-z]+)([^#]*)", text) for text in code]
    groups = {name for name, command in janitor.commands.items() if isinstance(command, click.Group)}
    calls = {
        (name, *(rest.split()[:1] if name in groups else []), *re.findall(r"--[a-z-]+", rest))
        for matches in shown
        for name, rest in matches
    }
    return sorted(list(call) for call in calls if call[0] in janitor.commands)


@pytest.mark.parametrize("words", documented(), ids=" ".join)
def test_every_command_shown_exists_with_its_options(words: list[str]) -> None:
    command = janitor.commands[words[0]]
    if isinstance(command, click.Group):
        command = command.commands[words[1]]
    assert {word for word in words if word.startswith("--")} <= _options(command)


def _options(command: click.Command) -> set[str]:
    with click.Context(command) as context:
        return {option for parameter in command.get_params(context) for option in parameter.opts}


def test_every_option_of_the_sandbox_that_is_shown_exists() -> None:
    table = document("docs/sandbox.md").partition("| option | gives |")[2].partition("\n\n")[0]
    shown = set(re.findall(r"`(--[a-z-]+)", table))
    assert shown
    assert shown <= _options(janitor.commands["sandbox"])


def test_every_command_and_every_option_of_it_is_in_the_table() -> None:
    table = document("docs/commands.md")
    assert not [name for name in janitor.commands if f"`janitor {name}" not in table]
    for name, command in janitor.commands.items():
        rows = "\n".join(re.findall(rf"^\| `janitor {name}\b.*", table, re.MULTILINE))
        options = {option for option in _options(command) if option.startswith("--")} - {
            "--config",
            "--verbose",
            "--log-format",
            "--help",
        }
        if name == "sandbox":  # --help lists its options, which are many
            continue
        assert options <= set(re.findall(r"--[a-z-]+", rows)), name


def test_every_reason_and_exit_code_is_explained() -> None:
    reasons = re.findall(r"^\| (`.*?) \|", document("docs/policies.md"), re.MULTILINE)
    explained = {reason for cell in reasons for reason in re.findall(r"`([a-z-]+)`", cell)}
    assert not [reason for reason in Reason if reason not in explained]
    assert not [code for code in Exit if f"| {code.value} |" not in document("docs/commands.md")]


def keys_of(schema: type[Schema]) -> Iterator[str]:
    """The keys of a YAML form, and those of the forms inside it."""
    for name, key in schema.model_fields.items():
        yield key.alias or name
        inside = [key.annotation]
        while inside:
            kind: Any = inside.pop()
            inside += get_args(kind)
            if isinstance(kind, type) and issubclass(kind, Schema) and kind is not schema:
                yield from keys_of(kind)


@pytest.mark.parametrize(
    ("name", "schemas"),
    [
        pytest.param("docs/policies.md", [PolicySchema, ExemptSchema, PolicyTestSchema], id="policies"),
        pytest.param(
            "docs/configuration.md",
            [SettingsSchema, FleetSchema, *SCHEMAS.values(), *(api.schema for api in APIS.values())],
            id="configuration",
        ),
    ],
)
def test_every_key_is_documented(name: str, schemas: list[type[Schema]]) -> None:
    words = set(re.findall(r"\w+", document(name)))
    keys = {key for schema in schemas for key in keys_of(schema)}
    assert len(keys) > 20
    assert not keys - words


@pytest.mark.parametrize("codes", [Verdict, Outcome, DeletionOutcome, Mode])
def test_every_code_is_in_the_glossary(codes: type[StrEnum]) -> None:
    explained = set(re.findall(r"`([a-z-]+)`", document("docs/glossary.md")))
    assert not [code for code in codes if code not in explained]


@pytest.mark.parametrize("codes", [State, Cause])
def test_how_images_wait_and_why_is_explained(codes: type[StrEnum]) -> None:
    section = document("docs/commands.md").partition("## What waits")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `([a-z-]+)` \|", section, re.MULTILINE)) >= {code.value for code in codes}


def test_no_word_is_in_the_glossary_twice() -> None:
    words = re.findall(r"^\| ([^|]+) \|", document("docs/glossary.md"), re.MULTILINE)
    words = [word for word in words if word not in ("word", "---")]
    assert len(words) > 50
    assert len(words) == len(set(words))


def test_the_queries_run(tmp_path: Path) -> None:
    with Store.open(tmp_path / "janitor.db"):
        pass
    queries = [query for path in DOCUMENTS for query in blocks("sql", text_of(path))]
    assert len(queries) == 4
    with closing(sqlite3.connect(tmp_path / "janitor.db")) as db:
        for query in queries:
            db.execute(query).fetchall()


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    for link in links(text_of(path)):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        assert not anchor or anchor in anchors(text_of(target)), link


def test_the_readme_is_short_and_leads_to_every_document() -> None:
    readme = document("README.md")
    assert len(readme.splitlines()) <= 200
    assert {path.relative_to(ROOT).as_posix() for path in DOCUMENTS} - {"README.md"} <= set(links(readme))


def test_documents_that_the_program_points_to_are_there() -> None:
    named = {
        name
        for path in (ROOT / "janitor").rglob("*.py")
        for name in re.findall(r"\b(?:docs/[a-z-]+|[A-Z]+)\.md\b", path.read_text(encoding="utf-8"))
    }
    assert "docs/upgrading.md" in named
    assert not [name for name in named if not (ROOT / name).is_file()]


def test_the_report_that_is_shown_has_the_words_of_reports() -> None:
    picture = document("README.md").partition("## A report")[2]
    assert re.match(r"ACTION: [0-9]+ images will be deleted from [0-9]+ [A-Z]", picture.partition("```\n")[2])
    assert any(f"Outcome: {words}" in picture for words in OUTCOMES.values())
    kept = re.findall(r"^ +[0-9]+  ([a-z-]+) +(.*)$", picture.partition("Kept, by reason")[2], re.MULTILINE)
    assert kept
    assert [words for _, words in kept] == [REASONS[Reason(reason)] for reason, _ in kept]


def sentences() -> str:
    """All sentences of the program, as in its code; filled-in parts are left out."""
    parsed = (ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "janitor").rglob("*.py"))
    nodes = (node for tree in parsed for node in ast.walk(tree))
    return "\n".join(node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))


def test_alarms_are_quoted_as_the_program_says_them() -> None:
    table = document("docs/operations.md").partition("| you see |")[2].partition("\n\n")[0]
    seen = [row.split("|")[1] for row in table.splitlines()[2:]]
    quoted = [words.strip("… ") for cell in seen for words in re.findall(r'"([^"]*)"', cell)]
    said = sentences()
    assert quoted
    assert not [words for words in quoted if words not in said]


def test_the_files_to_open_are_there_and_hold_what_is_said_to_be_in_them() -> None:
    steps = re.findall(
        r"^[0-9]+\. `([\w/.]+)`:((?:.|\n(?! *\n|[0-9]|#))*)", document("docs/architecture.md"), re.MULTILINE
    )
    assert len(steps) > 10
    for path, text in steps:
        if "NAME" in path:
            continue
        code = (ROOT / path).read_text(encoding="utf-8")
        named = [name.rpartition(".")[2] for name in re.findall(r"`([A-Za-z_.]+)`", text)]
        assert not [name for name in named if name not in code], path


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_files_of_the_repository_that_are_named_are_there(path: Path) -> None:
    named = re.findall(r"`((?:janitor|tests|docs|deploy|policies)/[\w/.-]*)`", text_of(path))
    assert not [name for name in named if "NAME" not in name and not (ROOT / name).exists()]


def test_the_picture_of_the_code_names_what_there_is() -> None:
    picture = document("docs/architecture.md")
    modules = {path.stem for path in (ROOT / "janitor").glob("*.py")} - {"__init__", "__main__"}
    folders = {path.parent.name for path in (ROOT / "janitor").glob("*/__init__.py")}
    assert not sorted(name for name in modules if f"`{name}`" not in picture)
    assert not sorted(name for name in folders if f"{name}/" not in picture)


def test_the_version_names_its_place_in_the_changelog() -> None:
    headings = re.findall(r"^## (.*)$", document("CHANGELOG.md"), re.MULTILINE)
    dated = [heading.partition(":")[0] for heading in headings if heading != "Unreleased"]
    expected = f"unreleased, after {dated[0]}" if headings[0] == "Unreleased" else dated[0]
    assert expected == CHANGES
    named = re.findall(r"^In the CHANGELOG: (.*)\.$", document("docs/upgrading.md"), re.MULTILINE)
    assert len(named) == document("docs/upgrading.md").count("\n## To the version ")
    assert not [place for place in named if place.removeprefix("unreleased, after ") not in dated]


def test_a_version_is_told_by_what_its_database_has(tmp_path: Path) -> None:
    table = document("docs/upgrading.md").partition("| the database has |")[2].partition("\n\n")[0]
    places = [row.split("|")[2].strip() for row in table.splitlines()[2:]]
    headings = re.findall(r"^## ([^:\n]*)", document("CHANGELOG.md"), re.MULTILINE)
    assert [place.removesuffix(", or later") for place in places] == headings[1:]
    with Store.open(tmp_path / "janitor.db"):
        pass
    with closing(sqlite3.connect(tmp_path / "janitor.db")) as db:
        tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        columns = {row[1] for row in db.execute("PRAGMA table_info(image_facts)")}
    assert set(re.findall(r"the table `(\w+)`", table)) <= tables
    assert set(re.findall(r"the column `(\w+)`", table)) <= columns
