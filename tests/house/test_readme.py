"""The README is a contract: its YAML is loaded, its commands exist, its queries run, its reasons are all there are."""

import re
import sqlite3
from contextlib import closing
from datetime import UTC
from pathlib import Path

import click
import pytest
import yaml

from janitor.cli.app import janitor
from janitor.config import load_settings
from janitor.config.policy_files import load_policies, load_rules
from janitor.core.decision import Reason
from janitor.errors import Exit
from janitor.store import Store

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ENVIRONMENT = {
    "TOAST_APPKEY": "appkey-appkey",
    "TOAST_USERNAME": "someone@example.com",
    "TOAST_PASSWORD": "password-password",
    "NHN_TENANT_ID": "tenant-tenant",
    "NHN_USERNAME": "someone@example.com",
    "NHN_PASSWORD": "password-password",
    "SLACK_BOT_TOKEN": "xoxb-token-token",
}


def blocks(language: str) -> list[str]:
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", README, re.DOTALL | re.MULTILINE)
    return ["\n".join(line.removeprefix(indent) for line in text.splitlines()) for indent, text in found]


def yaml_with(key: str) -> list[str]:
    return [block for block in blocks("yaml") if key in yaml.safe_load(block)]


POLICIES = [text for text in yaml_with("policies") if isinstance(yaml.safe_load(text)["policies"], list)]


@pytest.mark.parametrize("text", POLICIES, ids=lambda text: f"{len(text)}-characters")
def test_every_policy_example_loads(tmp_path: Path, text: str) -> None:
    (tmp_path / "example.yaml").write_text(text, encoding="utf-8")
    assert load_policies(tmp_path)


def test_the_example_of_exemptions_loads(tmp_path: Path) -> None:
    (text,) = yaml_with("exempt")
    (tmp_path / "exempt.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "policies.yaml").write_text('policies: [{name: all, match: {name: "*"}}]', encoding="utf-8")
    assert len(load_rules(tmp_path, UTC).exemptions) == 2


@pytest.mark.parametrize("text", yaml_with("targets"), ids=lambda text: f"{len(text)}-characters")
def test_every_configuration_example_loads(tmp_path: Path, text: str) -> None:
    (tmp_path / "janitor.yaml").write_text(text, encoding="utf-8")
    assert load_settings(tmp_path / "janitor.yaml", ENVIRONMENT).targets


def test_there_are_examples_of_both() -> None:
    assert len(POLICIES) >= 1
    assert len(yaml_with("targets")) >= 2


def documented() -> list[list[str]]:
    """The command and the options of every `janitor …` that the README shows as code."""
    code = re.findall(r"`([^`\n]*)`", README) + [line for block in blocks("sh") for line in block.splitlines()]
    shown = [re.findall(r"janitor ([a-z]+)([^#]*)", text) for text in code]
    groups = {name for name, command in janitor.commands.items() if isinstance(command, click.Group)}
    calls = [
        [name, *(rest.split()[:1] if name in groups else []), *re.findall(r"--[a-z-]+", rest)]
        for matches in shown
        for name, rest in matches
    ]
    return [call for call in calls if call[0] in janitor.commands]


@pytest.mark.parametrize("words", documented(), ids=" ".join)
def test_every_command_shown_exists_with_its_options(words: list[str]) -> None:
    command = janitor.commands[words[0]]
    if isinstance(command, click.Group):
        command = command.commands[words[1]]
    with click.Context(command) as context:
        known = {option for parameter in command.get_params(context) for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known


def test_every_command_is_in_the_table() -> None:
    table = README[README.index("## Commands") :]
    assert not [name for name in janitor.commands if f"janitor {name}" not in table]


def test_every_reason_and_exit_code_is_explained() -> None:
    assert not [reason for reason in Reason if f"`{reason}`" not in README]
    assert not [code for code in Exit if f"| {code.value} |" not in README]


def test_the_queries_run(tmp_path: Path) -> None:
    with Store.open(tmp_path / "janitor.db"):
        pass
    assert len(blocks("sql")) == 4
    with closing(sqlite3.connect(tmp_path / "janitor.db")) as db:
        for query in blocks("sql"):
            db.execute(query).fetchall()


def test_the_picture_of_the_code_names_what_there_is() -> None:
    picture = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    modules = {path.stem for path in (ROOT / "janitor").glob("*.py")} - {"__init__", "__main__"}
    folders = {path.parent.name for path in (ROOT / "janitor").glob("*/__init__.py")}
    assert not sorted(name for name in modules if f"`{name}`" not in picture)
    assert not sorted(name for name in folders if f"{name}/" not in picture)
